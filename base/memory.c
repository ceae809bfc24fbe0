/* Allocation that can't fail, and the growing vector of strings. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The one place besides main() that ends the process: there is no memory left to report with. */
static void *checked(void *p)
{
	static const char text[] = "minirun: out of memory\n";

	if (!p) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(125);
		_exit(125);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return checked(s);
}

void strv_push(struct strv *v, char *owned)
{
	v->items = xreallocarray(v->items, v->n + 2, sizeof(*v->items));
	v->items[v->n++] = owned;
	v->items[v->n] = NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *v)
{
	if (v->n)
		qsort(v->items, v->n, sizeof(*v->items), by_bytes);
}

char **strv_copy(char *const *strv)
{
	struct strv copy = {0};

	for (; strv && *strv; strv++)
		strv_push(&copy, xstrdup(*strv));
	if (!copy.items)
		copy.items = xcalloc(1, sizeof(*copy.items));
	return copy.items;
}
