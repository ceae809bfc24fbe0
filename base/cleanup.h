/* Ownership by scope: cleanup_* frees a local when it leaves its block, steal_* gives it away. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}

/* Closes a descriptor unless it is negative; keeps errno, so that an error path can report its own. */
void cleanup_fd_fn(const int *fd);
void cleanup_dir_fn(DIR **dir);

/* Frees a NULL-terminated vector and its strings. */
void strv_free(char **strv);
static inline void cleanup_strv_fn(char ***strv)
{
	strv_free(*strv);
}

#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))
#define cleanup_fd   __attribute__((cleanup(cleanup_fd_fn)))
#define cleanup_dir  __attribute__((cleanup(cleanup_dir_fn)))
#define cleanup_strv __attribute__((cleanup(cleanup_strv_fn)))

/* Hands a descriptor on: the variable no longer owns it. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void *steal_pointer_fn(void *p)
{
	void *taken = *(void **)p;

	*(void **)p = NULL;
	return taken;
}
/* Hands a pointer on, keeping its type. */
#define steal_pointer(p) ((__typeof__(*(p)))steal_pointer_fn(p))

#define array_length(a) (sizeof(a) / sizeof((a)[0]))

#endif
