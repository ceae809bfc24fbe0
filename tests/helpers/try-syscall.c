/*
 * Makes one system call and prints what came of it, for tests of seccomp profiles:
 *
 *	try-syscall NUMBER [ARGUMENT...]      arguments are numbers (0x.. too), or "=TEXT" for a pointer to text
 *
 * prints "RESULT" and exits 0, or prints the errno's name and exits 1. "mkdir" and some others are known by name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long number;
} known[] = {
	{"bpf", SYS_bpf},
	{"chroot", SYS_chroot},
	{"clone3", SYS_clone3},
	{"getpid", SYS_getpid},
	{"getppid", SYS_getppid},
	{"io_uring_setup", SYS_io_uring_setup},
	{"keyctl", SYS_keyctl},
	{"mkdirat", SYS_mkdirat},
	{"mount", SYS_mount},
	{"mseal", 462},
	{"personality", SYS_personality},
	{"ptrace", SYS_ptrace},
	{"setns", SYS_setns},
	{"socket", SYS_socket},
	{"unshare", SYS_unshare},
	{"uname", SYS_uname},
#ifdef SYS_mkdir
	{"mkdir", SYS_mkdir},
#endif
};

static long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].number;
	return strtol(name, NULL, 0);
}

int main(int argc, char **argv)
{
	long args[6] = {0}, result;

	if (argc < 2 || argc > 8) {
		fprintf(stderr, "usage: try-syscall NUMBER [ARGUMENT...]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		args[i - 2] = argv[i][0] == '=' ? (long)(argv[i] + 1) : (long)strtoull(argv[i], NULL, 0);
	result = syscall(number_of(argv[1]), args[0], args[1], args[2], args[3], args[4], args[5]);
	if (result >= 0) {
		printf("%ld\n", result);
		return 0;
	}
	printf("%s\n", strerrorname_np(errno));
	return 1;
}
