/*
 * From a profile's text to a filter: read, select, compile with libseccomp, complete, verify; or out of the cache.
 *
 * libseccomp's binary tree (SCMP_FLTATR_CTL_OPTIMIZE) stays off: since Linux 5.11 the kernel remembers calls whose
 * answer doesn't depend on arguments, so their place in the program no longer costs, while the tree takes longer to
 * build and, up to 2.5.4, is wrong for some profiles.
 *
 * libseccomp does its part in a process of its own. Up to 2.6.0 it corrupts its heap or never returns for some rules
 * (GHSA-46fr-jh49-xvhx, GHSA-2hqh-5c36-grrm, and our own fuzzing), and it compiles some wrongly (seccomp_verify.c). Then
 * the calls that have conditions on their arguments are compiled by seccomp_stub.c, and it all is verified again.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "security/seccomp.h"

#define COMPILER_SECONDS 3 /* of processor time; a large profile takes 0.05 */

/* What the compiling process hands back, in memory it shares with us. */
struct compiled {
	int result;
	struct error err;
	unsigned short length;
	struct sock_filter insns[BPF_MAXINSNS];
};

static void cleanup_profile_fn(struct seccomp_profile **profile)
{
	seccomp_profile_free(*profile);
}

void seccomp_filter_free(struct seccomp_filter *filter)
{
	free(filter->insns);
	*filter = (struct seccomp_filter){0};
}

static struct scmp_arg_cmp to_library(const struct seccomp_arg *arg)
{
	static const enum scmp_compare operators[] = {
		[COMPARE_NE] = SCMP_CMP_NE,
		[COMPARE_LT] = SCMP_CMP_LT,
		[COMPARE_LE] = SCMP_CMP_LE,
		[COMPARE_EQ] = SCMP_CMP_EQ,
		[COMPARE_GE] = SCMP_CMP_GE,
		[COMPARE_GT] = SCMP_CMP_GT,
		[COMPARE_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	return (struct scmp_arg_cmp){arg->index, operators[arg->compare], arg->value, arg->value_two};
}

static int add_rule(scmp_filter_ctx context, const struct seccomp_rule *rule, struct error *err)
{
	struct scmp_arg_cmp args[6];
	int number = seccomp_syscall_resolve_name(rule->name->name);
	int result;

	for (size_t i = 0; i < rule->n_args; i++)
		args[i] = to_library(&rule->args[i]);
	result = seccomp_rule_add_array(context, rule->action, number, (unsigned int)rule->n_args, args);
	if (result == -EEXIST) {
		error_set(err, ERROR_PROFILE, 0, "line %u: the rule for %s contradicts an earlier one",
			rule->name->line, rule->name->name);
		return error_hint(err, "the same arguments can't have two actions");
	}
	if (result < 0)
		return error_set(err, ERROR_PROFILE, -result, "line %u: libseccomp refuses the rule for %s",
			rule->name->line, rule->name->name);
	return 0;
}

static int build(const struct seccomp_rules *rules, scmp_filter_ctx *context, struct error *err)
{
	*context = seccomp_init(rules->default_action);
	if (!*context)
		return error_set(err, ERROR_INTERNAL, 0, "libseccomp refuses default action %s",
			seccomp_action_text(rules->default_action));
	/* The first architecture is the machine's own, which is in already. */
	for (size_t i = 1; i < rules->n_arches; i++) {
		int result = seccomp_arch_add(*context, rules->arches[i]);

		if (result < 0)
			return error_set(err, ERROR_INTERNAL, -result, "libseccomp refuses architecture %s",
				seccomp_arch_go_name(rules->arches[i]));
	}
	for (size_t i = 0; i < rules->n; i++) {
		const struct seccomp_rule *rule = &rules->items[i];

		/* Conditions that the library is not to see are the stub's, or void beside a rule without any. */
		if (seccomp_is_own(rules, rule->name->name) || seccomp_is_plain(rules, rule) ||
			(rules->own_conditions && rule->n_args))
			continue;
		if (add_rule(*context, rule, err) < 0)
			return -1;
	}
	return 0;
}

/* Stub and the library's program, as one. seccomp_export_bpf_mem(3) came with 2.6, hence the memfd. */
static int assemble(const struct seccomp_rules *rules, scmp_filter_ctx context, struct compiled *out)
{
	cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	cleanup_free struct sock_filter *stub = NULL;
	size_t n_stub, n;
	off_t size;
	int result;

	if (fd < 0)
		return error_set(&out->err, ERROR_HOST, errno, "memfd_create");
	result = seccomp_export_bpf(context, fd);
	if (result < 0)
		return error_set(&out->err, ERROR_INTERNAL, -result, "libseccomp cannot write the filter");
	size = lseek(fd, 0, SEEK_END);
	n = size < 0 ? 0 : (size_t)size / sizeof(*out->insns);
	seccomp_stub(rules, &stub, &n_stub);
	if (n + n_stub > BPF_MAXINSNS) {
		error_set(&out->err, ERROR_PROFILE, 0, "it becomes %zu instructions, and the kernel takes %d",
			n + n_stub, BPF_MAXINSNS);
		return error_hint(
			&out->err, "fewer conditions on arguments or fewer architectures make it smaller");
	}
	if (n_stub)
		memcpy(out->insns, stub, n_stub * sizeof(*stub));
	if (pread(fd, out->insns + n_stub, n * sizeof(*stub), 0) != (ssize_t)(n * sizeof(*stub)))
		return error_set(&out->err, ERROR_HOST, errno, "cannot read the filter back");
	out->length = (unsigned short)(n + n_stub);
	return 0;
}

/* The compiling process. Nothing of it matters afterwards but what it wrote. */
__attribute__((noreturn)) static void compiler(const struct seccomp_rules *rules, struct compiled *out)
{
	const struct rlimit limit = {COMPILER_SECONDS, COMPILER_SECONDS}, no_core = {0, 0};
	scmp_filter_ctx context = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CPU, &limit);
	setrlimit(RLIMIT_CORE, &no_core);
	if (build(rules, &context, &out->err) == 0 && assemble(rules, context, out) == 0)
		out->result = 0;
	_exit(0);
}

static int compile_apart(const struct seccomp_rules *rules, struct compiled *out,
	struct seccomp_filter *filter, struct error *err)
{
	const struct scmp_version *version = seccomp_version();
	int status = 0;
	pid_t pid;

	out->result = -1;
	pid = fork();
	if (pid == 0)
		compiler(rules, out);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status)) {
		error_set(err, ERROR_INTERNAL, 0, "libseccomp %u.%u.%u %s on it (signal %d)", version->major,
			version->minor, version->micro, WTERMSIG(status) == SIGKILL ? "hangs" : "crashes",
			WTERMSIG(status));
		return error_hint(err, "fewer conditions on the same call, or a newer libseccomp, may help");
	}
	if (out->result < 0) {
		*err = out->err;
		return -1;
	}
	filter->length = out->length;
	filter->flags = rules->flags;
	filter->insns = xcalloc(out->length, sizeof(*filter->insns));
	memcpy(filter->insns, out->insns, out->length * sizeof(*filter->insns));
	return 0;
}

static int compile_once(const struct seccomp_rules *rules, struct seccomp_filter *filter, struct error *err)
{
	struct compiled *out;
	int result;

	out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (out == MAP_FAILED)
		return error_set(err, ERROR_HOST, errno, "mmap");
	result = compile_apart(rules, out, filter, err);
	munmap(out, sizeof(*out));
	return result < 0 ? -1 : seccomp_verify(rules, filter, err);
}

static int compile_rules(struct seccomp_rules *rules, struct seccomp_filter *filter, struct error *err)
{
	struct error first;

	if (!seccomp_rules_may_execve(rules)) {
		error_set(err, ERROR_PROFILE, 0,
			"it does not allow execve, so no program could be started under it");
		return error_hint(err, "add \"execve\" to the names of an entry with SCMP_ACT_ALLOW");
	}
	if (compile_once(rules, filter, &first) == 0)
		return 0;
	if (first.class != ERROR_INTERNAL) {
		*err = first;
		return -1;
	}
	/* The library hung, crashed or was wrong: what it is known to fail at is the conditions. */
	seccomp_filter_free(filter);
	rules->own_conditions = true;
	return compile_once(rules, filter, err);
}

static int compile_text(const char *text, size_t size, const struct seccomp_subject *subject,
	struct seccomp_filter *filter, unsigned int *n_allowed, struct findings *findings, struct error *err)
{
	__attribute__((cleanup(cleanup_profile_fn))) struct seccomp_profile *profile = NULL;
	struct seccomp_rules rules;
	size_t errors = findings->errors;
	int result = -1;

	profile = seccomp_profile_read(text, size, findings);
	if (!profile) {
		errors = findings->errors - errors;
		return error_set(err, ERROR_PROFILE, 0, "it has %zu error%s", errors, errors == 1 ? "" : "s");
	}
	if (seccomp_select(profile, subject, &rules, findings, err) == 0 &&
		compile_rules(&rules, filter, err) == 0) {
		*n_allowed = seccomp_rules_allowed(&rules);
		result = 0;
	}
	free(rules.items);
	return result;
}

int seccomp_compile(const char *text, size_t size, const char *name, const struct seccomp_subject *subject,
	int cachefd, struct seccomp_filter *filter, unsigned int *n_allowed, struct findings *findings,
	struct error *err)
{
	struct seccomp_cache_key key;
	size_t first_finding = findings->n;

	*filter = (struct seccomp_filter){0};
	if (cachefd >= 0) {
		seccomp_cache_key(text, size, subject, &key);
		if (seccomp_cache_get(cachefd, &key, filter, n_allowed, findings))
			return 0;
	}
	if (compile_text(text, size, subject, filter, n_allowed, findings, err) < 0) {
		seccomp_filter_free(filter);
		return error_wrap(err, "seccomp profile %s", name);
	}
	if (cachefd >= 0)
		seccomp_cache_put(cachefd, &key, filter, *n_allowed, findings, first_finding);
	return 0;
}
