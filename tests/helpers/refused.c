/*
 * Makes system calls that a profile refuses, in all the ways that programs do:
 *
 *	refused each FILE       each line of the file, "NUMBER [ARGUMENT...]"; prints "NUMBER ERRNO" or "NUMBER ok"
 *	refused flood N         N times mkdir("/x", 0777)
 *	refused vary N          mkdir of N different folders
 *	refused fork            in a child, and in a child of that
 *	refused threads         in four threads at once, a hundred times each
 *	refused thread          in a second thread, which goes on to print "survived"
 *	refused filter          under one more filter, of its own
 *	refused listener        as above, but with a listener of its own
 *	refused x86, x32        as a 32-bit program, and as an x32 one
 *	refused handler         with a handler for SIGSYS
 *	refused signals         with a signal every 0.2 ms, without SA_RESTART; prints how
 *	                        many calls gave anything but EPERM, and how many signals came
 *	refused pause           after SIGUSR1 has come
 *	refused opens FILE N    N times the opening of a file
 *	refused under-listener COMMAND..., under-filter COMMAND..., without-bpf COMMAND..., without-maps COMMAND...
 *	                        runs it under a filter that has a listener, or that refuses pidfd_getfd, or bpf, or bpf's maps
 *	refused time N          N times; prints how many nanoseconds a call took, refused and allowed
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char path[32] = "/x";

static const char *make(void)
{
	return syscall(SYS_mkdirat, -100, path, 0777) < 0 ? strerrorname_np(errno) : "ok";
}

static int each(const char *file)
{
	static char texts[6][64];
	FILE *in = fopen(file, "r");
	char line[512];

	while (in && fgets(line, sizeof(line), in)) {
		char *word = strtok(line, " \n");
		long number = word ? strtol(word, NULL, 0) : -1, args[6] = {0}, result;

		for (int i = 0; i < 6 && (word = strtok(NULL, " \n")); i++) {
			snprintf(texts[i], sizeof(texts[i]), "%s", word + 1);
			args[i] = *word == '=' ? (long)texts[i] : (long)strtoull(word, NULL, 0);
		}
		result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
		printf("%ld %s\n", number, result < 0 ? strerrorname_np(errno) : "ok");
	}
	return in ? 0 : 2;
}

static void *thread(void *data)
{
	for (int i = 0; i < 100; i++)
		if (strcmp(make(), "EPERM") != 0)
			exit(9);
	return data;
}

static int threads(void)
{
	pthread_t all[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&all[i], NULL, thread, NULL) != 0)
			return 8;
	for (int i = 0; i < 4; i++)
		pthread_join(all[i], NULL);
	puts("threads EPERM");
	return 0;
}

static void *outlive(void *data)
{
	make();
	for (;;)
		if (write(1, "survived\n", 9) < 0)
			return data;
}

static int one_thread(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, outlive, NULL) != 0)
		return 8;
	pthread_join(other, NULL);
	return 0;
}

static int forks(int depth)
{
	int status = 0;

	printf("%d %s\n", depth, make());
	fflush(stdout);
	if (depth < 2 && fork() == 0)
		_exit(forks(depth + 1));
	wait(&status);
	return status != 0;
}

/* It refuses rmdir by itself, and has nothing against mkdir. */
static int own_filter(unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unlinkat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(insns) / sizeof(*insns), insns};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0)
		printf("load %s\n", strerrorname_np(errno));
	printf("mkdirat %s\n", make());
	printf("unlinkat %s\n", syscall(SYS_unlinkat, -100, "/x", 0) < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}

#if defined(__x86_64__)
static int x86(void)
{
	long result = 39; /* mkdir */

	/* Linked at a fixed address below 4 GiB, so that the pointer fits. */
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(path), "c"(0777L)
			 : "memory", "r8", "r9", "r10", "r11");
	printf("x86 %s\n", strerrorname_np((int)-result));
	return 0;
}

static int x32(void)
{
	printf("x32 %s\n", syscall(0x40000000 | SYS_mkdir, path, 0777L) < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}
#endif

static volatile int n_signals;

static void on_signal(int signal)
{
	(void)signal;
	n_signals++;
}

/* The refusal itself must arrive, not the EINTR of waiting for it. */
static int signals(void)
{
	const struct itimerval often = {{0, 200}, {0, 200}};
	struct sigaction action = {.sa_handler = on_signal};
	int wrong = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20000; i++)
		wrong += strcmp(make(), "EPERM") != 0;
	printf("%d %d\n", wrong, n_signals);
	return 0;
}

static int after_signal(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("waiting");
	fflush(stdout);
	sigwait(&set, &signal);
	printf("then %s\n", make());
	return 0;
}

static int opens(const char *file, int n)
{
	for (int i = 0; i < n; i++)
		if (open(file, O_RDONLY) >= 0 || errno != EPERM)
			return 9;
	puts("opened none");
	return 0;
}

static double nanoseconds(long number, int n)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < n; i++)
		syscall(number, -100, path, 0777);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / n;
}

#define ANY (-1)

/*
 * Leaves a filter that refuses one call, or none (-1), whatever its first argument, or if it is that. Returns the listener if the
 * flags ask for one.
 */
static int load(int number, int first, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | (first == ANY ? BPF_JGE : BPF_JEQ) | BPF_K,
			first == ANY ? 0 : (unsigned int)first, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(insns) / sizeof(*insns), insns};

	/* A user's need it; root's minirun would be hindered by it. */
	if (geteuid() != 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* The parent keeps the child's listener, so that it stays one. */
static int under_listener(char **command)
{
	int number[2], go[2], listener, status;
	pid_t child;

	if (pipe(number) < 0 || pipe(go) < 0)
		return 2;
	child = fork();
	if (child == 0) {
		listener = load(-1, ANY, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		write(number[1], &listener, sizeof(listener));
		read(go[0], &listener, sizeof(listener));
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		execv(*command, command);
		_exit(2);
	}
	read(number[0], &listener, sizeof(listener));
	if (syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0), listener, 0) < 0)
		perror("pidfd_getfd");
	write(go[1], &listener, sizeof(listener));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(mode, "each") && argc > 2)
		return each(argv[2]);
	if (!strcmp(mode, "flood") || !strcmp(mode, "vary")) {
		for (int i = 0; i < n; i++) {
			if (*mode == 'v')
				snprintf(path, sizeof(path), "/x%d", i);
			if (strcmp(make(), "EPERM") != 0)
				return 9;
		}
		puts("done");
		return 0;
	}
	if (!strcmp(mode, "fork"))
		return forks(0);
	if (!strcmp(mode, "threads"))
		return threads();
	if (!strcmp(mode, "thread"))
		return one_thread();
	if (!strcmp(mode, "filter"))
		return own_filter(0);
	if (!strcmp(mode, "listener"))
		return own_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER);
#if defined(__x86_64__)
	if (!strcmp(mode, "x86"))
		return x86();
	if (!strcmp(mode, "x32"))
		return x32();
#endif
	if (!strcmp(mode, "handler")) {
		signal(SIGSYS, on_signal);
		printf("survived %s\n", make());
		return 0;
	}
	if (!strcmp(mode, "signals"))
		return signals();
	if (!strcmp(mode, "pause"))
		return after_signal();
	if (!strcmp(mode, "under-listener") && argc > 2)
		return under_listener(argv + 2);
	if (!strcmp(mode, "under-filter") && argc > 2) {
		load(SYS_pidfd_getfd, ANY, 0);
		execv(argv[2], argv + 2);
	}
	if (!strcmp(mode, "without-bpf") && argc > 2) {
		load(SYS_bpf, ANY, 0);
		execv(argv[2], argv + 2);
	}
	if (!strcmp(mode, "without-maps") && argc > 2) {
		load(SYS_bpf, BPF_MAP_CREATE, 0);
		execv(argv[2], argv + 2);
	}
	if (!strcmp(mode, "opens") && argc > 3)
		return opens(argv[2], atoi(argv[3]));
	if (!strcmp(mode, "time")) {
		printf("refused %.0f\n", nanoseconds(SYS_mkdirat, n));
		printf("allowed %.0f\n", nanoseconds(SYS_getppid, n));
		return 0;
	}
	return 2;
}
