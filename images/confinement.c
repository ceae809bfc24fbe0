/*
 * Taking away from a process what reading an archive doesn't need. See confinement.h.
 *
 * A list of what is allowed, as short as glibc's memory and threads let it be. What isn't on it fails with EPERM, and isn't done;
 * clone3, whose flags no filter can see, fails with ENOSYS, upon which glibc takes clone. No memory becomes executable.
 */
#include "images/confinement.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(lseek), /* a zip */
	SCMP_SYS(write), /* the pipe; there is nothing else to write to */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), /* pthread_getattr_np, which the sanitizers call */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int add_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	for (size_t i = 0; i < array_length(allowed); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) < 0)
			return -1;
	if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread) < 0 ||
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) < 0 ||
		seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &data) < 0)
		return -1;
#ifdef __NR_mmap
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &data);
#else
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap2), 1, &data);
#endif
}

int confinement_begin(const int *keep, size_t n, struct error *err)
{
	scmp_filter_ctx filter;
	int result;

	if (fd_close_others(keep, n) < 0)
		return error_set(err, ERROR_HOST, errno, "close_range");
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return error_set(err, ERROR_HOST, 0, "libseccomp can't make a filter");
	/* no_new_privs, libseccomp sets. */
	result = add_rules(filter) < 0 ? -EINVAL : seccomp_load(filter);
	seccomp_release(filter);
	if (result < 0)
		return error_set(
			err, ERROR_HOST, -result, "cannot confine the process that reads the archive");
	return 0;
}
