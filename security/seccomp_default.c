/* RuntimeDefault: the text of security/runtime-default.json, a part of the program. */
#include <string.h>

#include "security/security.h"

/* The assembler copies the file in, and a NUL after it; the Makefile makes this object depend on it. */
__asm__(".pushsection .rodata\n"
	"runtime_default_text:\n"
	".incbin \"security/runtime-default.json\"\n"
	".byte 0\n"
	".popsection\n");

extern const char runtime_default_text[] __asm__("runtime_default_text");

const char *seccomp_runtime_default(size_t *size)
{
	*size = strlen(runtime_default_text);
	return runtime_default_text;
}
