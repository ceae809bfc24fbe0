/* The smallest program there is: an ELF header and a few instructions, for where no other program may be relied on. */
#ifndef BASE_TINY_PROGRAM_H
#define BASE_TINY_PROGRAM_H

#include <stddef.h>

#define TINY_PROGRAM_CODE_MAX 64 /* bytes */

/* Writes a static program for this machine that consists of code, at most TINY_PROGRAM_CODE_MAX bytes. Returns 0 or -1 with errno. */
int tiny_program_write(int fd, const unsigned char *code, size_t size);

#endif
