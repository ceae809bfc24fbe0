/*
 * Runs a program under a seccomp filter, as a container around minirun would:
 *
 *	filtered CALL[=ERRNO|=kill] COMMAND [ARGUMENT...]
 *
 * The call (by name, see below) gets the errno (default EPERM), or the process that makes it is killed by SIGSYS.
 * no_new_privs is set unless we have CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{"openat2", SYS_openat2},
	{"clone3", SYS_clone3},
	{"unshare", SYS_unshare},
	{"pidfd_open", SYS_pidfd_open},
	{"pidfd_getfd", SYS_pidfd_getfd},
	{"fsopen", SYS_fsopen},
	{"mount_setattr", SYS_mount_setattr},
	{"pivot_root", SYS_pivot_root},
	{"seccomp", SYS_seccomp},
	{"sethostname", SYS_sethostname},
};

static unsigned int find(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	fprintf(stderr, "filtered: no such call in the table: %s\n", name);
	exit(125);
}

static unsigned int action_of(const char *text)
{
	if (!text || !strcmp(text, "EPERM"))
		return SECCOMP_RET_ERRNO | EPERM;
	if (!strcmp(text, "ENOSYS"))
		return SECCOMP_RET_ERRNO | ENOSYS;
	if (!strcmp(text, "kill"))
		return SECCOMP_RET_KILL_PROCESS;
	fprintf(stderr, "filtered: %s is neither EPERM nor ENOSYS nor kill\n", text);
	exit(125);
}

int main(int argc, char **argv)
{
	char *action = argc > 2 ? strchr(argv[1], '=') : NULL;

	if (argc < 3)
		return 125;
	if (action)
		*action++ = '\0';
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, find(argv[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action_of(action)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(insns) / sizeof(insns[0]), insns};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 &&
		(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)) {
		perror("filtered: seccomp");
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
