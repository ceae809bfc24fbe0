/* Finding the program to execute, as execvp(3) would, but before the locks are on. */
#ifndef RUNNER_PROGRAM_H
#define RUNNER_PROGRAM_H

#include "base/error.h"

/*
 * The path to execute for name: name itself if it has a slash, else the first file of that name in path (a PATH value)
 * that this process may execute. Returns a fresh string, or NULL with err of class ERROR_PROGRAM: errno ENOENT if there is none,
 * EACCES if one is there but may not be executed.
 */
char *program_find(const char *name, const char *path, struct error *err);

/* Explains why execve of path failed with errnum: the missing interpreter, the wrong machine, and so on. */
int program_explain(const char *path, int errnum, struct error *err);

#endif
