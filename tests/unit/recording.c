/* What `minirun learn` notes of calls, and the profile that it writes of them. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/recording.h"
#include "tests/unit/unit.h"

static void compile(const char *text, struct seccomp_filter *filter)
{
	const struct seccomp_subject subject = {.capabilities = capabilities_default()};
	struct findings findings;
	struct error err = {0};
	unsigned int allowed;

	findings_init(&findings, "test");
	expect(seccomp_compile(text, strlen(text), "test", &subject, -1, filter, &allowed, &findings, &err) ==
		0);
	findings_free(&findings);
}

static struct seccomp_data call_of(const char *name, uint64_t first)
{
	return (struct seccomp_data){
		.arch = seccomp_arch_native() == SCMP_ARCH_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64,
		.nr = seccomp_syscall_resolve_name(name),
		.args = {first},
	};
}

static uint32_t take(struct recording *recording, const char *name, uint64_t first)
{
	const struct seccomp_data call = call_of(name, first);

	return recording_take(recording, &call);
}

/* What is learned of one recording. */
static char *learned(const struct recording *recording, const char *base, char *const *deny)
{
	const struct recording *const recordings[] = {recording};
	const struct profile_plan plan = {
		.comment = PROFILE_MADE_BY ": a test.",
		.base = base,
		.base_size = base ? strlen(base) : 0,
		.deny = deny,
		.recordings = recordings,
		.n_recordings = 1,
	};
	struct profile_made made;
	char *text = profile_write(&plan, &made);

	profile_made_free(&made);
	return text;
}

static void start(struct recording *recording, struct seccomp_filter *refusing, char *const *deny)
{
	const struct profile_plan plan = {.deny = deny};
	cleanup_free char *text = refusing_profile(&plan);

	compile(text, refusing);
	*recording = (struct recording){.refusing = refusing};
}

static void what_is_seen_is_allowed_and_nothing_else(void)
{
	struct seccomp_filter refusing, filter;
	struct recording recording;
	cleanup_free char *text = NULL;
	const uint64_t args[6] = {0};
	unsigned int allowed = 0;

	start(&recording, &refusing, NULL);
	for (int i = 0; i < 3; i++) {
		expect(take(&recording, "write", (uint64_t)i) == SECCOMP_RET_ALLOW);
		expect(take(&recording, "mkdirat", 0) == SECCOMP_RET_ALLOW);
	}
	text = learned(&recording, NULL, NULL);
	compile(text, &filter);
	for (int nr = 0; nr < 600; nr++)
		allowed +=
			seccomp_simulate(&filter, call_of("write", 0).arch, nr, args, 0) == SECCOMP_RET_ALLOW;
	/* write, mkdirat, execve, exit_group. */
	expect(allowed == 4);
	expect(strstr(text, "\"comment\": \"" PROFILE_MADE_BY ": a test.\"") != NULL);
	seccomp_filter_free(&filter);
	seccomp_filter_free(&refusing);
}

static void order_and_number_of_calls_make_no_difference(void)
{
	static const char *const names[] = {"write", "mkdirat", "read", "unlinkat", "rt_sigaction"};
	struct seccomp_filter refusing;
	struct recording one, other;
	cleanup_free char *a = NULL;
	cleanup_free char *b = NULL;

	start(&one, &refusing, NULL);
	other = one;
	for (size_t i = 0; i < array_length(names); i++)
		take(&one, names[i], i);
	for (size_t i = array_length(names); i-- > 0;) {
		take(&other, names[i], 0);
		take(&other, names[i], 7);
	}
	/* Whether a signal came doesn't, either. */
	take(&other, "rt_sigreturn", 0);
	a = learned(&one, NULL, NULL);
	b = learned(&other, NULL, NULL);
	expect(!strcmp(a, b));
	seccomp_filter_free(&refusing);
}

static void threads_are_told_from_processes(void)
{
	struct seccomp_filter refusing;
	struct recording recording;

	start(&recording, &refusing, NULL);
	take(&recording, "clone", 17);
	take(&recording, "clone", 17);
	expect(!recording.threads);
	take(&recording, "clone", CLONE_VM | CLONE_THREAD);
	expect(recording.threads);
	seccomp_filter_free(&refusing);
}

static void denied_calls_are_refused_and_not_seen(void)
{
	char *const deny[] = {(char[]){"mkdirat"}, NULL};
	struct seccomp_filter refusing, filter;
	struct recording recording;
	cleanup_free char *text = NULL;
	const uint64_t args[6] = {0};

	start(&recording, &refusing, deny);
	expect(take(&recording, "mkdirat", 0) == (SECCOMP_RET_ERRNO | EPERM));
	expect(take(&recording, "mkdirat", 0) == (SECCOMP_RET_ERRNO | EPERM));
	expect(take(&recording, "write", 0) == SECCOMP_RET_ALLOW);
	text = learned(&recording, NULL, deny);
	compile(text, &filter);
	expect(seccomp_simulate(&filter, call_of("write", 0).arch, call_of("mkdirat", 0).nr, args, 0) ==
		(SECCOMP_RET_ERRNO | EPERM));
	seccomp_filter_free(&filter);
	seccomp_filter_free(&refusing);
}

static void a_base_is_asked_with_the_arguments(void)
{
	static const char base[] = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
				   "{\"names\": [\"execve\", \"write\"], \"action\": \"SCMP_ACT_ALLOW\"},"
				   "{\"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\","
				   " \"args\": [{\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"}]}]}";
	struct seccomp_filter refusing, allowing;
	struct recording recording;
	cleanup_free char *before = NULL;
	cleanup_free char *after = NULL;
	cleanup_free char *again = NULL;

	compile(base, &allowing);
	start(&recording, &refusing, NULL);
	recording.base = &allowing;
	take(&recording, "write", 1);
	take(&recording, "personality", 8);
	before = learned(&recording, base, NULL);
	expect(!strstr(before, "\"seen\""));
	/* Known with one argument, and looked at again with another. */
	take(&recording, "personality", 9);
	after = learned(&recording, base, NULL);
	expect(strstr(after, "\"seen\"") != NULL);
	/* What has been learned once is not learned again. */
	again = learned(&recording, after, NULL);
	expect(!strcmp(after, again));
	seccomp_filter_free(&allowing);
	seccomp_filter_free(&refusing);
}

static void other_architectures_and_unknown_numbers(void)
{
	struct seccomp_filter refusing;
	struct recording recording;
	const struct recording *const recordings[] = {&recording};
	const struct profile_plan plan = {.recordings = recordings, .n_recordings = 1, .comment = ""};
	struct seccomp_data call = {.arch = AUDIT_ARCH_X86_64, .nr = 0x40000000 | 83};
	struct profile_made made;
	cleanup_free char *text = NULL;

	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return;
	start(&recording, &refusing, NULL);
	expect(recording_take(&recording, &call) == SECCOMP_RET_ALLOW);
	call = (struct seccomp_data){.arch = AUDIT_ARCH_I386, .nr = 39};
	expect(recording_take(&recording, &call) == SECCOMP_RET_ALLOW);
	call = (struct seccomp_data){.arch = AUDIT_ARCH_X86_64, .nr = 999};
	expect(recording_take(&recording, &call) == SECCOMP_RET_ALLOW);
	/* A program that tries out all numbers there are. */
	for (int nr = -5000; nr < 0; nr++) {
		call.nr = nr;
		expect(recording_take(&recording, &call) == SECCOMP_RET_ALLOW);
	}
	text = profile_write(&plan, &made);
	expect(strstr(text, "\"SCMP_ARCH_X32\"") && strstr(text, "\"SCMP_ARCH_X86\""));
	expect(made.nameless[0] && !strcmp(made.nameless[RECORDING_OUTLIERS], "999 (amd64)"));
	profile_made_free(&made);
	seccomp_filter_free(&refusing);
}

static void all_goes_to_the_listener_but_traps(void)
{
	static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
				   "{\"names\": [\"mkdirat\"], \"action\": \"SCMP_ACT_TRAP\"},"
				   "{\"names\": [\"unlinkat\"], \"action\": \"SCMP_ACT_KILL\"}]}";
	struct seccomp_filter refusing, learning;
	const uint64_t args[6] = {0};

	compile(text, &refusing);
	learning_filter(&refusing, &learning);
	for (int nr = 0; nr < 600; nr++) {
		uint32_t wanted = nr == call_of("mkdirat", 0).nr ? SECCOMP_RET_TRAP : SECCOMP_RET_USER_NOTIF;

		expect(seccomp_simulate(&learning, call_of("write", 0).arch, nr, args, 0) == wanted);
	}
	seccomp_filter_free(&learning);
	seccomp_filter_free(&refusing);
}

int main(void)
{
	group(what_is_seen_is_allowed_and_nothing_else);
	group(order_and_number_of_calls_make_no_difference);
	group(threads_are_told_from_processes);
	group(denied_calls_are_refused_and_not_seen);
	group(a_base_is_asked_with_the_arguments);
	group(other_architectures_and_unknown_numbers);
	group(all_goes_to_the_listener_but_traps);
	return unit_done();
}
