/* The smallest program there is: see elf(5). */
#include "base/tiny_program.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/fd.h"

#define BASE_ADDRESS 0x400000

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "the ELF machine number of this architecture is missing"
#endif

struct tiny_program {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	unsigned char code[TINY_PROGRAM_CODE_MAX];
};

int tiny_program_write(int fd, const unsigned char *code, size_t size)
{
	struct tiny_program program = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				   EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = MACHINE,
			.e_version = EV_CURRENT,
			.e_entry = BASE_ADDRESS + offsetof(struct tiny_program, code),
			.e_phoff = offsetof(struct tiny_program, segments),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2},
		.segments = {{.p_type = PT_LOAD,
				     .p_flags = PF_R | PF_X,
				     .p_vaddr = BASE_ADDRESS,
				     .p_paddr = BASE_ADDRESS,
				     .p_filesz = sizeof(struct tiny_program),
				     .p_memsz = sizeof(struct tiny_program),
				     .p_align = 0x1000},
			{.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W}},
	};

	if (size > sizeof(program.code)) {
		errno = E2BIG;
		return -1;
	}
	memcpy(program.code, code, size);
	return fd_write_all(fd, &program, sizeof(program));
}
