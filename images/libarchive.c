/* libarchive, loaded when an archive is read and not before. Why: libarchive.h. */
#include "images/libarchive.h"

#include <dlfcn.h>
#include <string.h>

#include "base/cleanup.h"

#define LIBRARY "libarchive.so.13"

static const char *const names[] = {
#define LIBARCHIVE_NAME(name) "archive_" #name,
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_NAME)
#undef LIBARCHIVE_NAME
};

static int find_functions(struct libarchive *libarchive, struct error *err)
{
	void **slots[] = {
#define LIBARCHIVE_SLOT(name) (void **)&libarchive->name,
		LIBARCHIVE_FUNCTIONS(LIBARCHIVE_SLOT)
#undef LIBARCHIVE_SLOT
	};

	for (size_t i = 0; i < array_length(slots); i++) {
		void *symbol = dlsym(libarchive->library, names[i]);

		if (!symbol) {
			error_set(err, ERROR_HOST, 0, "%s has no function %s", LIBRARY, names[i]);
			return error_hint(
				err, "it is older than 3.4: install Debian 12's libarchive13 or later");
		}
		/* POSIX has dlsym return what can be stored so, C doesn't: memcpy is what both agree on. */
		memcpy(slots[i], &symbol, sizeof(symbol));
	}
	return 0;
}

int libarchive_load(struct libarchive *libarchive, struct error *err)
{
	*libarchive = (struct libarchive){.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)};
	if (!libarchive->library) {
		error_set(err, ERROR_HOST, 0, "reading an archive needs libarchive: %s", dlerror());
		return error_hint(
			err, "apt-get install libarchive13; or unpack it yourself and load the folder");
	}
	if (find_functions(libarchive, err) < 0) {
		libarchive_unload(libarchive);
		return -1;
	}
	return 0;
}

void libarchive_unload(struct libarchive *libarchive)
{
	if (libarchive->library)
		dlclose(libarchive->library);
	*libarchive = (struct libarchive){0};
}
