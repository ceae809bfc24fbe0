/* Entries in messages. */
#include "images/entry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "images/store.h"

#define SHOWN 200 /* bytes of a path */

static bool is_hosts_doing(int errnum)
{
	static const int theirs[] = {ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENFILE, ENOMEM, ENOSYS, EFBIG};

	for (size_t i = 0; i < array_length(theirs); i++)
		if (theirs[i] == errnum)
			return true;
	return false;
}

int entry_wrap(const struct entry *entry, struct error *err)
{
	size_t n = strlen(entry->path);
	cleanup_free char *safe = text_printable(entry->path, n < SHOWN ? n : SHOWN);

	return error_wrap(err, "entry %.300s%s", safe, n > SHOWN ? "..." : "");
}

int entry_error(const struct entry *entry, struct error *err, int errnum, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	error_set(err, is_hosts_doing(errnum) ? ERROR_HOST : ERROR_IMAGE, errnum, "%s", message);
	entry_wrap(entry, err);
	if (errnum == ENOSPC || errnum == EDQUOT)
		return error_hint(err, STORE_FULL);
	return -1;
}
