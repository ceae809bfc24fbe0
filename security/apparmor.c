/* AppArmor: is it there, what is loaded, can what was asked for be enforced? */
#include "security/apparmor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/apparmor.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define LIST_MAX  (16U << 20) /* bytes of a list of loaded profiles */
#define WORD_MAX  5000 /* bytes of a profile's name */
#define DEPTH_MAX 8 /* of hats below profiles; the kernel knows one */
#define NEAR_MAX  3

bool apparmor_available(void)
{
	if (aa_is_enabled())
		return true;
	/* ENOSYS: not in the kernel. ECANCELED: off. The rest: it is on, but its file system can't be looked at. */
	return errno != ENOSYS && errno != ECANCELED;
}

int apparmor_explain_absence(struct error *err)
{
	bool is_off = !aa_is_enabled() && errno == ECANCELED;

	error_set(err, ERROR_HOST, 0, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
	error_check(err, "AppArmor");
	return is_off ? error_hint(
				err, "it is switched off by the kernel's command line: boot with apparmor=1")
		      : -1;
}

const char *apparmor_mode_name(enum apparmor_mode mode)
{
	static const char *const names[] = {"unknown", "not loaded", "enforce", "complain", "unconfined"};

	return names[mode + 1];
}

/* "(complain)" and so on; a mode that is new to us is taken for one that enforces, as most are. */
static enum apparmor_mode mode_of(const char *text)
{
	if (text_starts_with(text, "(complain)"))
		return APPARMOR_COMPLAIN;
	return text_starts_with(text, "(unconfined)") ? APPARMOR_UNCONFINED : APPARMOR_ENFORCE;
}

static enum apparmor_mode find(const char *list, const char *name, size_t length)
{
	while (*list) {
		const char *end = strchrnul(list, '\n');
		/* A name may itself hold spaces and brackets: the mode is what the last bracket opens. */
		const char *mode = memrchr(list, '(', (size_t)(end - list));

		if (mode && mode - list == (ptrdiff_t)length + 1 && mode[-1] == ' ' &&
			!strncmp(list, name, length))
			return mode_of(mode);
		list = *end ? end + 1 : end;
	}
	return APPARMOR_NOT_LOADED;
}

enum apparmor_mode apparmor_listed(const char *list, const char *name)
{
	enum apparmor_mode least = APPARMOR_ENFORCE;

	for (;;) {
		const char *end = strstr(name, "//&");
		enum apparmor_mode mode = find(list, name, end ? (size_t)(end - name) : strlen(name));

		if (mode == APPARMOR_NOT_LOADED)
			return mode;
		least = mode > least ? mode : least;
		if (!end)
			return least;
		name = end + strlen("//&");
	}
}

/* One of the small files of a profile's folder, without its newline; NULL if it can't be read. */
static char *read_word(int dirfd, const char *name)
{
	cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct error ignored;
	char *text = NULL;
	size_t size;

	if (fd < 0 || fd_read_all(fd, name, WORD_MAX, ERROR_HOST, &text, &size, &ignored) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Adds the profiles of a folder of apparmorfs, each a folder with its name, its mode and its own profiles, to the list. */
/* parent: the name of the profile whose children these are, NULL for the outermost. A child's own is without it. */
static void list_folder(int fd, int depth, const char *parent, FILE *out)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		cleanup_fd int folder = *entry->d_name == '.' ? -1
							      : openat(dirfd(dir), entry->d_name,
									O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cleanup_free char *name = folder < 0 ? NULL : read_word(folder, "name");
		cleanup_free char *mode = folder < 0 ? NULL : read_word(folder, "mode");
		cleanup_free char *full = name && parent ? xasprintf("%s//%s", parent, name) : NULL;
		const char *known = full ? full : name;
		int children = -1;

		if (name && mode)
			fprintf(out, "%s (%s)\n", known, mode);
		if (folder >= 0 && depth < DEPTH_MAX)
			children = openat(folder, "profiles", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (children >= 0)
			list_folder(children, depth + 1, known, out);
	}
}

char *apparmor_list(void)
{
	cleanup_free char *mountpoint = NULL;
	cleanup_free char *path = NULL;
	char *list = NULL;
	struct error ignored;
	size_t size;
	FILE *out;
	int folder;

	if (aa_find_mountpoint(&mountpoint) < 0)
		return NULL;
	path = xasprintf("%s/profiles", mountpoint);
	if (file_read(path, LIST_MAX, ERROR_HOST, &list, NULL, &ignored) == 0)
		return list;
	free(path);
	path = xasprintf("%s/policy/profiles", mountpoint);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return NULL;
	list = NULL;
	out = open_memstream(&list, &size);
	list_folder(folder, 0, NULL, out);
	fclose(out);
	return list;
}

enum apparmor_mode apparmor_loaded(const char *name)
{
	cleanup_free char *list = apparmor_list();

	return list ? apparmor_listed(list, name) : APPARMOR_UNKNOWN;
}

/* The names of a list; the vector's strings are to be freed. */
static struct strv names_of(const char *list)
{
	struct strv names = {0};

	while (*list) {
		const char *end = strchrnul(list, '\n');
		const char *mode = memrchr(list, '(', (size_t)(end - list));

		if (mode && mode > list + 1)
			strv_push(&names, xstrndup(list, (size_t)(mode - 1 - list)));
		list = *end ? end + 1 : end;
	}
	return names;
}

/* The next of names that resembles name: by its letters, or one of them is in the other. */
static size_t next_near(const struct strv *names, const char *name)
{
	const char *nearest = text_nearest(name, (const char *const *)names->items, names->n);

	for (size_t i = 0; i < names->n; i++)
		if (nearest ? names->items[i] == nearest
			    : *name && (strstr(names->items[i], name) ||
					       (strlen(names->items[i]) > 2 &&
						       strstr(name, names->items[i]))))
			return i;
	return names->n;
}

char *apparmor_near(const char *list, const char *name)
{
	struct strv names = names_of(list);
	char *near = NULL;

	for (size_t found = 0; found < NEAR_MAX; found++) {
		size_t i = next_near(&names, name);
		char *longer;

		if (!names.items || i == names.n)
			break;
		longer = near ? xasprintf("%s, %s", near, names.items[i]) : xstrdup(names.items[i]);
		free(near);
		near = longer;
		free(names.items[i]);
		names.items[i] = names.items[--names.n];
		names.items[names.n] = NULL;
	}
	strv_free(names.items);
	return near;
}

int apparmor_check(const char *profile, struct error *err)
{
	cleanup_free char *list = NULL;
	cleanup_free char *near = NULL;

	if (!apparmor_available())
		return apparmor_explain_absence(err);
	if (!strcmp(profile, "unconfined")) {
		error_set(err, ERROR_PROFILE, 0, "Cannot enforce AppArmor: \"unconfined\" is no profile");
		return error_hint(err, "type: Unconfined asks for none");
	}
	list = apparmor_list();
	if (!list || apparmor_listed(list, profile) != APPARMOR_NOT_LOADED)
		return 0;
	error_set(err, ERROR_PROFILE, 0, "Cannot enforce AppArmor: profile \"%s\" is not loaded", profile);
	if (!strcmp(profile, APPARMOR_DEFAULT))
		return error_hint(err,
			"as root, `minirun apparmor load` loads it; type: RuntimeDefault does so by itself");
	near = apparmor_near(list, profile);
	return error_hint(err,
		"%s%s%sas root, `minirun apparmor load FILE` loads it, `minirun apparmor ls` lists "
		"what is loaded",
		near ? "loaded are " : "", near ? near : "", near ? "; " : "");
}
