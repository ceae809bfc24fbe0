/*
 * Locks: the last steps before the program runs (stages 6 and 7 of a launch).
 *
 * Theory of operation, locks_exec. Once the filter is loaded it governs whoever makes a system call, and we are
 * not whom it was written for (law R0). So the filter is loaded by the last but one system call of this process, and
 * execve is the last: both are bare instructions in one function that no sanitizer instruments. If execve fails we
 * can't say so by a call, since the profile may refuse write and exit. The errno goes into a page that the parent
 * shares, and a trap instruction ends the process: the kernel raises SIGILL (or SIGTRAP) by force, which neither
 * blocking nor ignoring it, nor being process 1 of a pid namespace, withstands. tests/facts/filter.c proves it.
 *
 * Where refusals are named (denial.h), loading the filter gives a listener, a descriptor of this process, which the
 * parent must have before execve closes it. It can't be sent, which would be a call. Its number goes into the shared page, the
 * parent takes a copy by pidfd_getfd(2), and says so in the page; meanwhile we spin. The program's first call finds the parent
 * listening, and so does execve itself, should the profile refuse it for these arguments.
 */
#include "security/security.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int locks_apply(const struct locks *locks, int procfd, struct error *err)
{
	if (locks->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set no_new_privs");
	if (locks->apparmor && apparmor_enter_at_exec(locks->apparmor, procfd, err) < 0)
		return -1;
	/* The trap of a failed execve must leave no core file; execve makes the program dumpable again. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot switch off core dumps");
	return 0;
}

#define BARE __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_sanitize("thread")))

/*
 * A system call and nothing else: syscall(3) would do, but it writes errno, and a sanitizer may intercept it. Returns a
 * negative errno on failure.
 */
BARE __attribute__((always_inline)) static inline long bare_syscall(
	long number, const void *a, const void *b, const void *c)
{
#if defined(__x86_64__)
	long result = number;

	__asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = (long)a;
	register const void *x1 __asm__("x1") = b;
	register const void *x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
	return syscall(number, a, b, c) < 0 ? -(long)errno : 0;
#endif
}

BARE __attribute__((always_inline)) static inline long load_filter(
	const struct seccomp_filter *filter, uintptr_t flags)
{
	const struct sock_fprog program = {filter->length, filter->insns};
	const uintptr_t mode = SECCOMP_SET_MODE_FILTER;

	return bare_syscall(SYS_seccomp, (void *)mode, (void *)(filter->flags | flags), &program);
}

/* Tells a processor that it spins. */
BARE __attribute__((always_inline)) static inline void breathe(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Loads the naming filter and hands its listener over: false if that can't be, and no filter is loaded yet (EBUSY: we are
 * under a listener already). Once a call is taken, only what kills may interrupt it, where the kernel can (5.19): else
 * a signal in between would show as EINTR instead of the profile's errno.
 */
BARE __attribute__((always_inline)) static inline bool load_named(
	const struct locks *locks, struct exec_report *report, int notice)
{
	const uintptr_t listen = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	const uintptr_t fd = (unsigned int)notice;
	long result;

	bare_syscall(SYS_write, (void *)fd, "", (void *)1);
	result = load_filter(locks->naming, listen | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (result == -EINVAL)
		result = load_filter(locks->naming, listen);
	if (result < 0) {
		report->unnamed = (int)-result;
		return false;
	}
	report->listener = (int)result;
	while (!report->fetched)
		breathe();
	return true;
}

BARE __attribute__((noreturn)) void locks_exec(const struct locks *locks, struct exec_report *report,
	int notice, const char *path, char *const *argv, char *const *envp)
{
	long result = 0;

	if (locks->seccomp && !(locks->naming && load_named(locks, report, notice))) {
		result = load_filter(locks->seccomp, 0);
		report->filter_failed = result < 0;
	}
	if (result == 0)
		result = bare_syscall(SYS_execve, path, argv, envp);
	report->failed = (int)-result;
	for (;;)
		__builtin_trap();
}
