/*
 * Calls that a program can't do without, and calls that only make sense together.
 *
 * What a loader needs was found by running programs under profiles that refuse one call each (glibc 2.36 and musl 1.2.3
 * on x86-64), and the sets were checked by allowing nothing else.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/lint.h"

#define MOST_ALIKE 8 /* calls in a row of a table */

/* A need: one of these calls will do; those that the machine's architecture lacks don't count. */
struct need {
	const char *calls[4];
	unsigned int loaders; /* a bit for each enum loader that is lost without */
	unsigned int asking; /* those that ask for it, but go on without */
};

#define OF(loader) (1U << (loader))
#define ALL_THREE  (OF(LOADER_NONE) | OF(LOADER_GLIBC) | OF(LOADER_MUSL))

static const struct need needs[] = {
	/* /etc/ld.so.preload; /etc/ld.so.cache and the libraries */
	{{"access", "faccessat"}, 0, OF(LOADER_GLIBC)},
	{{"openat"}, OF(LOADER_GLIBC), 0},
	/* musl loads no library of its own: a program without another needs none of these. */
	{{"open", "openat"}, 0, OF(LOADER_MUSL)},
	/* fstat(3): newfstatat from glibc 2.33 on, fstat again from 2.39 on */
	{{"newfstatat", "fstat"}, OF(LOADER_GLIBC), 0},
	{{"fstat", "newfstatat"}, 0, OF(LOADER_MUSL)},
	{{"read"}, OF(LOADER_GLIBC), OF(LOADER_MUSL)},
	{{"pread64"}, OF(LOADER_GLIBC), 0},
	{{"mmap"}, OF(LOADER_GLIBC), OF(LOADER_MUSL)},
	{{"mprotect"}, OF(LOADER_GLIBC) | OF(LOADER_MUSL), 0},
	{{"close"}, OF(LOADER_GLIBC), 0},
	{{"brk"}, 0, OF(LOADER_GLIBC)},
	/* thread-local storage, of static programs too; Go's runtime among them */
	{{"arch_prctl"}, ALL_THREE, 0},
	{{"exit_group", "exit"}, ALL_THREE, 0},
};

static const char *const loader_names[] = {
	[LOADER_UNKNOWN] = "",
	[LOADER_NONE] = "a static program",
	[LOADER_GLIBC] = "a program linked with glibc",
	[LOADER_MUSL] = "a program linked with musl",
};

/* Whether none of the calls goes through; *name gets the first that exists here, NULL if none does. */
static bool is_missing(const struct lint *lint, const struct need *need, const char **name)
{
	bool missing = true;

	*name = NULL;
	for (size_t i = 0; i < array_length(need->calls) && need->calls[i]; i++) {
		struct verdict verdict = lint_verdict(lint, need->calls[i]);

		if (!verdict.exists)
			continue;
		if (!*name)
			*name = need->calls[i];
		missing &= verdict.refused;
	}
	return missing && *name;
}

struct missing {
	const char *calls[array_length(needs)];
	size_t n;
};

static char *list_all(const struct missing *missing)
{
	char *list = NULL;

	for (size_t i = 0; i < missing->n; i++)
		list = lint_list(list, missing->calls[i], " and ", missing->n - 1 - i);
	return list ? list : xstrdup("");
}

static void report_missing(
	const struct lint *lint, enum loader loader, const struct missing *fatal, const struct missing *asked)
{
	bool is_known = lint->subject->loader == loader;
	enum severity severity = fatal->n && is_known ? SEVERITY_ERROR : SEVERITY_WARNING;
	struct missing both = *fatal;
	cleanup_free char *fatal_list = list_all(fatal);
	cleanup_free char *asked_list = list_all(asked);
	cleanup_free char *all_list = NULL;
	cleanup_free char *hint = NULL;
	cleanup_free char *who = is_known && lint->subject->program
					 ? xasprintf("%s, %s,", lint->subject->program, loader_names[loader])
					 : xstrdup(loader_names[loader]);

	for (size_t i = 0; i < asked->n; i++)
		both.calls[both.n++] = asked->calls[i];
	all_list = list_all(&both);
	hint = xasprintf("allow %s%s", all_list, is_known ? "" : ", unless the program is static");
	if (fatal->n)
		lint_add_as(lint, severity, LINT_LOADER_CALLS_MISSING, lint_default_place(lint), hint,
			"%s can't start: %s %s refused%s%s", who, fatal_list, fatal->n > 1 ? "are" : "is",
			!asked->n       ? ""
			: asked->n == 1 ? ", as is "
					: ", as are ",
			asked_list);
	else
		lint_add_as(lint, severity, LINT_LOADER_CALLS_MISSING, lint_default_place(lint), hint,
			"%s can't start if it has libraries other than musl itself: %s %s refused", who,
			asked_list, asked->n > 1 ? "are" : "is");
}

static void lint_one_loader(const struct lint *lint, enum loader loader)
{
	struct missing fatal = {.n = 0}, asked = {.n = 0};

	for (size_t i = 0; i < array_length(needs); i++) {
		bool is_fatal = needs[i].loaders & OF(loader);
		const char *name;

		if (!is_fatal && !(needs[i].asking & OF(loader)))
			continue;
		if (!is_missing(lint, &needs[i], &name))
			continue;
		if (is_fatal)
			fatal.calls[fatal.n++] = name;
		else
			asked.calls[asked.n++] = name;
	}
	/* glibc without access or brk alone is no trouble worth a line. */
	if (fatal.n || (asked.n && loader == LOADER_MUSL))
		report_missing(lint, loader, &fatal, &asked);
}

void lint_loader(const struct lint *lint)
{
	enum loader known = lint->subject->loader;

	for (int loader = LOADER_NONE; loader <= LOADER_MUSL; loader++) {
		/* What a static program needs, the others need as well, and it has been said with theirs. */
		if (known == LOADER_UNKNOWN ? loader != LOADER_NONE : (int)known == loader)
			lint_one_loader(lint, (enum loader)loader);
	}
}

/*
 * Calls that do the same: which of them a program makes is mostly its libc's choice. On x86-64 glibc 2.36 and musl 1.2.3
 * choose differently in most of these rows (stat(3) is newfstatat in one, stat in the other; fork(3) clone or fork).
 * A "-" marks those that only programs of long ago call: nobody misses them, but they do what the others do.
 */
struct family {
	const char *calls[MOST_ALIKE];
	bool is_deed; /* refusing one is in vain while another goes through */
	bool is_chosen_by_libc; /* allowing one is in vain while another is refused */
};

static const struct family families[] = {
	{{"mkdir", "mkdirat"}, true, true},
	{{"rmdir", "unlinkat"}, true, true},
	{{"unlink", "unlinkat"}, true, true},
	{{"rename", "renameat", "renameat2"}, true, true},
	{{"link", "linkat"}, true, true},
	{{"symlink", "symlinkat"}, true, true},
	{{"mknod", "mknodat"}, true, true},
	{{"open", "openat", "openat2"}, true, true},
	{{"chmod", "fchmodat", "fchmodat2"}, true, true},
	{{"chown", "fchownat"}, true, true},
	{{"-utime", "-utimes", "-futimesat", "utimensat"}, true, true},
	{{"fork", "clone", "clone3"}, true, true},
	{{"vfork", "clone", "clone3"}, true, false},
	{{"newfstatat", "stat", "lstat", "fstat", "statx"}, false, true},
	{{"access", "faccessat", "faccessat2"}, false, true},
	{{"readlink", "readlinkat"}, false, true},
	{{"-getdents", "getdents64"}, false, true},
	{{"dup", "dup2", "dup3"}, false, true},
	{{"pipe", "pipe2"}, false, true},
	{{"select", "pselect6"}, false, true},
	{{"poll", "ppoll"}, false, true},
	{{"epoll_create", "epoll_create1"}, false, true},
	{{"epoll_wait", "epoll_pwait", "epoll_pwait2"}, false, true},
	{{"-eventfd", "eventfd2"}, false, true},
	{{"-signalfd", "signalfd4"}, false, true},
	{{"inotify_init", "inotify_init1"}, false, true},
	{{"-getrlimit", "-setrlimit", "prlimit64"}, false, true},
	{{"nanosleep", "clock_nanosleep"}, false, true},
	{{"accept", "accept4"}, true, false},
	{{"mount", "move_mount"}, true, false},
	{{"init_module", "finit_module"}, true, false},
	{{"kexec_load", "kexec_file_load"}, true, false},
	{{"kill", "tkill", "tgkill", "pidfd_send_signal"}, true, false},
	{{"setuid", "setreuid", "setresuid"}, true, false},
	{{"setgid", "setregid", "setresgid"}, true, false},
	{{"setxattr", "lsetxattr", "fsetxattr", "setxattrat"}, true, false},
	{{"sendmsg", "sendmmsg"}, true, false},
	{{"recvmsg", "recvmmsg"}, true, false},
};

static bool is_historic(const char *member)
{
	return member[0] == '-';
}

static const char *call_of(const char *member)
{
	return member + is_historic(member);
}

static bool has(const struct family *family, const char *call)
{
	for (size_t i = 0; i < MOST_ALIKE && family->calls[i]; i++)
		if (!strcmp(call_of(family->calls[i]), call))
			return true;
	return false;
}

void lint_each_alike(const char *call, void (*each)(void *data, const char *alike), void *data)
{
	each(data, call);
	for (size_t i = 0; i < array_length(families); i++) {
		if (!families[i].is_deed || !has(&families[i], call))
			continue;
		for (size_t j = 0; j < MOST_ALIKE && families[i].calls[j]; j++)
			if (strcmp(call_of(families[i].calls[j]), call) != 0)
				each(data, call_of(families[i].calls[j]));
	}
}

/* The members of a family by what becomes of them. */
struct sides {
	struct missing allowed, refused;
	struct verdict allowing, refusing; /* of the first of each */
	bool is_refused_by_rule; /* one of the refused is meant: it has a rule, or the default is to allow */
};

static void add_member(struct missing *side, const char *call)
{
	if (side->n < array_length(side->calls))
		side->calls[side->n++] = call;
}

static void divide(const struct lint *lint, const struct family *family, struct sides *sides)
{
	for (size_t i = 0; i < MOST_ALIKE && family->calls[i]; i++) {
		const char *call = call_of(family->calls[i]);
		struct verdict verdict = lint_verdict(lint, call);

		/* Where ENOSYS comes a program takes another of them, as on an old kernel: nothing is halved by that. */
		if (!verdict.exists || (verdict.refused && verdict.is_enosys))
			continue;
		if (verdict.allowed) {
			if (!sides->allowed.n)
				sides->allowing = verdict;
			add_member(&sides->allowed, call);
			continue;
		}
		/* lint_clone3 has more to say of it. */
		if (!verdict.refused || !strcmp(call, "clone3") ||
			(is_historic(family->calls[i]) && !verdict.rule))
			continue;
		/* The one with a rule is the one to point at. */
		if (!sides->refused.n || (verdict.rule && !sides->refusing.rule))
			sides->refusing = verdict;
		add_member(&sides->refused, call);
		sides->is_refused_by_rule |= verdict.rule != NULL;
	}
}

static void lint_family(const struct lint *lint, const struct family *family)
{
	struct sides sides = {.is_refused_by_rule = false};
	cleanup_free char *allowed = NULL;
	cleanup_free char *refused = NULL;
	cleanup_free char *hint = NULL;

	divide(lint, family, &sides);
	if (!sides.allowed.n || !sides.refused.n)
		return;
	allowed = list_all(&sides.allowed);
	refused = list_all(&sides.refused);
	if (family->is_deed && sides.is_refused_by_rule) {
		hint = xasprintf("refuse %s too", allowed);
		lint_add(lint, LINT_HALF_DENIED, lint_place(lint, &sides.refusing), hint,
			"%s %s refused, but %s, which %s as much, %s allowed", refused,
			sides.refused.n > 1 ? "are" : "is", allowed, sides.allowed.n > 1 ? "do" : "does",
			sides.allowed.n > 1 ? "are" : "is");
	} else if (family->is_chosen_by_libc) {
		hint = xasprintf("allow %s too%s", refused, family->is_deed ? ", or none of them" : "");
		lint_add_as(lint, family->is_deed ? SEVERITY_WARNING : SEVERITY_INFO, LINT_HALF_FAMILY,
			lint_place(lint, &sides.allowing), hint,
			"%s %s allowed without %s: which of them a program calls is up to its libc", allowed,
			sides.allowed.n > 1 ? "are" : "is", refused);
	}
}

void lint_families(const struct lint *lint)
{
	for (size_t i = 0; i < array_length(families); i++)
		lint_family(lint, &families[i]);
}

/* glibc from 2.34 on falls back to clone only where it is told that there is no clone3. */
void lint_clone3(const struct lint *lint)
{
	struct verdict clone3 = lint_verdict(lint, "clone3"), clone = lint_verdict(lint, "clone");
	cleanup_free char *how = NULL;

	if (!clone3.exists || !clone3.refused || clone3.is_enosys || clone.refused)
		return;
	if ((clone3.action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
		const char *name = strerrorname_np((int)(clone3.action & SECCOMP_RET_DATA));

		how = xasprintf("with %s", name ? name : "an error");
	} else {
		how = xasprintf("by %s", seccomp_action_text(clone3.action));
	}
	lint_add(lint, LINT_CLONE3_EPERM, lint_place(lint, &clone3),
		"refuse it with \"errnoRet\": 38 (ENOSYS), or allow it",
		"clone3 is refused %s: glibc falls back to clone on ENOSYS only, so no thread can be started",
		how);
}
