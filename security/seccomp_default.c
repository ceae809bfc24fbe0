/* RuntimeDefault: the text of security/runtime-default.json, a part of the program. */
#include "security/security.h"

/* The assembler copies the file in; the Makefile makes this object depend on it. */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"runtime_default_begin:\n"
	".incbin \"security/runtime-default.json\"\n"
	"runtime_default_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char begin[] __asm__("runtime_default_begin");
extern const char end[] __asm__("runtime_default_end");

const char *seccomp_runtime_default(size_t *size)
{
	*size = (size_t)(end - begin);
	return begin;
}
