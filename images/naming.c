/* What a loaded image is called: by who loads it, or by the archive. */
#include "images/naming.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/reference.h"

/* A name by itself that says which of several is meant, and not of what. */
static bool is_mere_tag(const char *name)
{
	if (strpbrk(name, ":/"))
		return false;
	return !strcmp(name, "latest") || (name[0] >= '0' && name[0] <= '9') ||
	       (name[0] == 'v' && name[1] >= '0' && name[1] <= '9');
}

static int take_one(char **stored, const char *name, struct error *err)
{
	cleanup_reference struct reference reference = {0};

	if (!name || is_mere_tag(name)) {
		if (name)
			error_set(err, ERROR_IMAGE, 0, "it only says that its image is \"%.100s\"", name);
		else
			error_set(err, ERROR_IMAGE, 0, "it doesn't say what its image is called");
		return error_hint(err, "give it a name: minirun image load ARCHIVE NAME");
	}
	if (reference_parse(&reference, name, err) < 0)
		return error_hint(err, "give it another name: minirun image load ARCHIVE NAME");
	*stored = steal_pointer(&reference.name);
	return 0;
}

int naming_by_archive(struct image *image, const char *name, char *const *others, struct error *err)
{
	struct strv stored = {0};
	int result;

	if (image->name)
		return 0;
	result = take_one(&image->name, name, err);
	for (; others && *others && result == 0; others++) {
		char *other = NULL;

		result = take_one(&other, *others, err);
		if (other)
			strv_push(&stored, other);
	}
	image->others = stored.items;
	return result;
}

int naming_by_user(struct image *image, const char *name, struct error *err)
{
	cleanup_reference struct reference reference = {0};

	if (!name)
		return 0;
	if (reference_parse(&reference, name, err) < 0)
		return -1;
	if (reference.digest) {
		error_set(err, ERROR_IMAGE, 0, "an image can't be stored under a digest: \"%.300s\"", name);
		return error_hint(err, "the digest is computed from the archive; leave it out of the name");
	}
	image->name = steal_pointer(&reference.name);
	return 0;
}
