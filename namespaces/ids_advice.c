/* How a user comes by ids, or more of them: the command for root. See usermod(8), subuid(5). */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/idmap.h"
#include "namespaces/namespaces.h"

#define USUAL_COUNT 65536 /* login.defs(5): SUB_UID_COUNT */
#define FILE_MAX    (1U << 20) /* bytes */
#define ASKED_MAX   (16LL * USUAL_COUNT) /* who wants more has an id that is no user's */

/* A file that can't be read grants nothing. */
static char *read_grants(const char *path)
{
	struct error ignored;
	char *text = NULL;

	return file_read(path, FILE_MAX, ERROR_HOST, &text, NULL, &ignored) < 0 ? xstrdup("") : text;
}

static bool grants_none(const char *text, const char *name, uid_t uid)
{
	struct idmap map = {.ranges = {{0, uid, 1}}, .n = 1};

	return idmap_parse(&map, text, name, uid) == 0;
}

char *ids_advice(uid_t uid, int64_t count)
{
	cleanup_free char *uids = read_grants("/etc/subuid"), *gids = read_grants("/etc/subgid");
	const struct passwd *user = getpwuid(uid);
	const char *name = user ? user->pw_name : NULL;
	bool no_uids = grants_none(uids, name, uid), no_gids = grants_none(gids, name, uid);
	bool first_ones = no_uids || no_gids;
	int64_t whole = (count + USUAL_COUNT - 1) / USUAL_COUNT * USUAL_COUNT;
	int64_t first, last;
	cleanup_free char *of_uids = NULL, *of_gids = NULL;

	/* newuidmap and usermod want a name. */
	if (!name)
		return xasprintf(
			"useradd --uid %u NAME, to whom it grants a range of ids", (unsigned int)uid);
	if (whole > ASKED_MAX)
		return NULL;
	first = idmap_free_range(uids, gids, whole);
	if (first < 0)
		return NULL;
	last = first + whole - 1;
	of_uids = xasprintf("--add-subuids %" PRId64 "-%" PRId64 " ", first, last);
	of_gids = xasprintf("--add-subgids %" PRId64 "-%" PRId64 " ", first, last);
	return xasprintf("usermod %s%s%s", !first_ones || no_uids ? of_uids : "",
		!first_ones || no_gids ? of_gids : "", name);
}
