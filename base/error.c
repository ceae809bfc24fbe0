/* The error object: filling, wrapping, naming. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int error_set(struct error *err, enum error_class class, int errnum, const char *format, ...)
{
	va_list args;
	int n;

	err->class = class;
	err->errnum = errnum;
	err->hint[0] = '\0';
	err->check[0] = '\0';
	va_start(args, format);
	n = vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	if (errnum && n >= 0 && (size_t)n < sizeof(err->message))
		snprintf(err->message + n, sizeof(err->message) - (size_t)n, ": %s", strerror(errnum));
	return -1;
}

int error_wrap(struct error *err, const char *format, ...)
{
	char context[sizeof(err->message)];
	char whole[2 * sizeof(err->message) + 2];
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "%s: %s", context, err->message);
	/* Cutting a message that is too long is better than losing it. */
	whole[sizeof(err->message) - 1] = '\0';
	memcpy(err->message, whole, sizeof(err->message));
	return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	return -1;
}

int error_check(struct error *err, const char *check)
{
	snprintf(err->check, sizeof(err->check), "%s", check);
	return -1;
}

const char *error_class_name(enum error_class class)
{
	static const char *const names[] = {
		[ERROR_NONE] = "none",
		[ERROR_USAGE] = "usage",
		[ERROR_MANIFEST] = "manifest",
		[ERROR_IMAGE] = "image",
		[ERROR_HOST] = "host",
		[ERROR_PROFILE] = "profile",
		[ERROR_PROGRAM] = "program",
		[ERROR_INTERNAL] = "internal",
	};

	return (size_t) class < array_length(names) ? names[class] : "internal";
}
