/* Allocation that can't fail: out of memory ends minirun with exit status 125. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* n * size zeroed bytes. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, warn_unused_result));
/* Grows or shrinks; an overflow of n * size counts as out of memory. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((warn_unused_result));
/* NULL stays NULL. */
char *xstrdup(const char *s) __attribute__((malloc, warn_unused_result));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, warn_unused_result));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), malloc, warn_unused_result));

/* A NULL-terminated vector of strings that grows; start from {0}. */
struct strv {
	char **items; /* NULL while empty */
	size_t n;
};
/* Appends a string that the vector then owns. */
void strv_push(struct strv *v, char *owned);
/* By their bytes. */
void strv_sort(struct strv *v);
/* Deep copy of a NULL-terminated vector; NULL gives an empty one. */
char **strv_copy(char *const *strv) __attribute__((warn_unused_result));

#endif
