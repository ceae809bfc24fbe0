/* The table of what `minirun check` tries, and the trying. Theory of operation: check.h. */
#include "runner/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/trials.h"
#include "runner/privilege.h"
#include "runner/starter.h"
#include "security/trials.h"

#define PATIENCE 30 /* seconds a trial; none takes one on a machine that isn't emulated */

#define BOOT_CGROUP2 "boot with systemd.unified_cgroup_hierarchy=1"

const struct check checks[] = {
	{"kernel", "Linux", NEED_NOT, false, trial_linux,
		"minirun is written for 6.1 and later; what an older one lacks shows below", HAND_MACHINE,
		"boot Linux 6.1 or later"},
	{NULL, "configuration", NEED_NOT, false, trial_configuration,
		"what isn't built in can't be had; all of it is tried below as well", HAND_MACHINE,
		"boot a kernel that is built with it, such as your distribution's own"},
	{NULL, "openat2", NEED_ALWAYS, false, trial_openat2,
		"paths in images and volumes are resolved by it, so that none leads out", HAND_OWN, NULL},
	{NULL, "pidfd", NEED_ALWAYS, false, trial_pidfd,
		"containers are started, watched and killed by it, never the wrong process", HAND_OWN, NULL},
	{NULL, "namespaces", NEED_ALWAYS, true, trial_namespaces,
		"they are what a container sees instead of the machine", HAND_OWN, NULL},
	{NULL, "mounts", NEED_ALWAYS, true, trial_mounts,
		"a container's file systems are put together by descriptor", HAND_OWN, NULL},
	{NULL, "AppArmor", NEED_NOT, false, trial_apparmor,
		"a manifest that asks for an AppArmor profile is refused without it", HAND_OWN, NULL},
	{NULL, "AppArmor notices", NEED_NOT, true, trial_audit,
		"without them what a profile refuses is refused, but not named", HAND_OWN, NULL},
	{NULL, "seccomp", NEED_ALWAYS, true, trial_seccomp,
		"without it a manifest that asks for a seccomp profile is refused", HAND_OWN, NULL},
	{NULL, "seccomp notices", NEED_NOT, true, trial_naming,
		"without it what a profile refuses is refused, but not named", HAND_OWN, NULL},
	{"users", "user namespaces", NEED_USERS, false, trial_user_namespaces,
		"in one an ordinary user is root, and runs pods", HAND_OWN, NULL},
	{NULL, "user ids", NEED_USERS, false, trial_ids,
		"with id 0 alone a pod whose runAsUser or fsGroup is another is refused", HAND_SYSTEM,
		"grant ids in /etc/subuid and /etc/subgid, and apt-get install uidmap"},
	{NULL, "newuidmap", NEED_NOT, false, trial_newuidmap, "it maps a user's ids beyond the one",
		HAND_SYSTEM, "apt-get install uidmap"},
	{"files", "store", NEED_ALWAYS, false, trial_store, "images and what containers write are kept there",
		HAND_OWN, "name another place: --store DIR, or MINIRUN_STORE"},
	{NULL, "overlayfs", NEED_ALWAYS, true, trial_overlay,
		"a container's files are a layer of its own over its image, or else a copy of it", HAND_OWN,
		"keep the store on ext4, xfs, btrfs or tmpfs: --store DIR"},
	{NULL, "users' overlayfs", NEED_NOT, false, trial_overlay_user,
		"the same in a user namespace, for pods of ordinary users", HAND_OWN,
		"keep the store on ext4, xfs, btrfs or tmpfs: --store DIR"},
	{NULL, "idmapped mounts", NEED_NOT, true, trial_idmapped,
		"they give a pod with ids of its own (hostUsers: false) its files without a copy", HAND_OWN,
		"keep the store on ext4, xfs, btrfs or, since Linux 6.3, tmpfs: --store DIR"},
	{"cgroups", "version", NEED_NOT, true, trial_cgroup,
		"all processes of a container are known, and killed at once, by its cgroup", HAND_MACHINE,
		BOOT_CGROUP2},
	{NULL, "limits", NEED_NOT, true, trial_limits,
		"resources.limits of a manifest are kept by controllers, or else refused (--no-limits)",
		HAND_MACHINE, BOOT_CGROUP2},
	{NULL, "devices", NEED_NOT, true, trial_devices,
		"a container that may mount is kept by it from devices that aren't its own", HAND_OWN, NULL},
	{NULL, "holding still", NEED_NOT, true, trial_hold,
		"without it a container with SYS_PTRACE reaches minirun's process during an exec",
		HAND_MACHINE, BOOT_CGROUP2},
	{"tools", "skopeo", NEED_NOT, false, trial_skopeo, "it fetches images from registries", HAND_SYSTEM,
		"apt-get install skopeo"},
	{NULL, "pasta", NEED_NOT, false, trial_pasta, "it carries a pod's traffic in and out", HAND_SYSTEM,
		"apt-get install passt"},
	{NULL, "apparmor_parser", NEED_NOT, false, trial_apparmor_parser, "it loads AppArmor profiles",
		HAND_SYSTEM, "apt-get install apparmor"},
	{"minirun", "container", NEED_NOT, false, trial_container,
		"what a container forbids, minirun in it can't give", HAND_OWN,
		"run minirun outside of it, or start it with more rights: --privileged"},
	{NULL, "capabilities", NEED_NOT, true, trial_capabilities,
		"no container can have what minirun lacks (capabilities.add, privileged)", HAND_OWN, NULL},
	{NULL, "no_new_privs", NEED_NOT, false, trial_no_new_privs,
		"setuid programs do nothing then: newuidmap's, and those in containers", HAND_OWN, NULL},
	{NULL, "seccomp filter", NEED_NOT, false, trial_outer_filter,
		"what it refuses, minirun and its containers are refused, and nobody names it", HAND_OWN,
		NULL},
	{"all", "a pod", NEED_ALWAYS, false, trial_pod, "this is the demo in small", HAND_OWN,
		"mend what is missing above"},
};
const size_t n_checks = array_length(checks);

bool check_is_needed(const struct check *check, const struct trial_place *place)
{
	return check->need == NEED_ALWAYS || (check->need == NEED_USERS && !place->is_root);
}

/* What the trial's process does. Nothing of ours is to be seen or written by it. */
static void __attribute__((noreturn))
child(const struct check *check, const struct trial_place *place, pid_t parent, struct trial *trial)
{
	struct error err = {0};
	sigset_t none;
	int null;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (check->as_root && privilege_become_root(&err) < 0) {
		/* Root of a user namespace wanted a mount namespace alone. */
		if (place->is_root)
			trial_fail(trial, TRIAL_MISSING, &err);
		else
			trial_untried(trial, "a user namespace", "user namespaces");
		_exit(0);
	}
	/* Changing ids has cleared it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	check->try(place, trial);
	_exit(0);
}

/* Waits for the child's end, without pidfds, which may be what is missing; leaves it unreaped. False: it takes too long. */
static bool await(pid_t pid, siginfo_t *info)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		*info = (siginfo_t){0};
		if (waitid(P_PID, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT) < 0 || info->si_pid)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begin.tv_sec >= PATIENCE)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* It could not tell any more; what it was about to do it has told. */
static void judge_death(struct trial *trial, int signal_number)
{
	char what[sizeof(trial->detail)];

	memcpy(what, trial->detail, sizeof(what));
	what[sizeof(what) - 1] = '\0';
	if (signal_number == SIGSYS)
		trial_set(trial, TRIAL_MISSING, "%s%sa seccomp filter around minirun kills whoever tries it",
			what, *what ? ": " : "");
	else
		trial_set(trial, TRIAL_MISSING, "%s%swhoever tried it was ended by signal %d, %s", what,
			*what ? ": " : "", signal_number, strsignal(signal_number));
}

void check_try(const struct check *check, const struct trial_place *place, struct trial *trial)
{
	struct trial *page =
		mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	siginfo_t info;
	pid_t pid, parent = getpid();

	if (page == MAP_FAILED) {
		trial_set(trial, TRIAL_MISSING, "cannot be tried: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0)
		child(check, place, parent, page);
	if (pid < 0)
		trial_set(page, TRIAL_MISSING, "cannot be tried: %s", strerror(errno));
	else if (!await(pid, &info))
		trial_set(page, TRIAL_MISSING, "no answer within %d s", PATIENCE);
	else if (info.si_code != CLD_EXITED)
		judge_death(page, info.si_status);
	if (pid > 0) {
		/* It, and what it may have left. Only then is it reaped: until then nobody else has its number. */
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	*trial = *page;
	if (trial->state != TRIAL_OK && !*trial->mend)
		trial_mend_by(trial, place, check->hand, "%s",
			check->mend ? check->mend : caller_allow_call(&place->caller));
	munmap(page, sizeof(*page));
}

void check_begin(struct scratch *scratch, const char *store, struct trial_place *place)
{
	scratch_open(scratch, store);
	*place = (struct trial_place){
		.store = store,
		.scratch = scratch->fd,
		.scratch_path = scratch->fd >= 0 ? scratch->path : NULL,
		.scratch_error = &scratch->error,
		.ids_note = privilege_note(),
		.keeper = scratch->keeper,
		.alive = scratch->alive,
		.is_root = privilege_is_root(),
	};
	starter_find(&place->caller);
}

void check_try_all(const struct trial_place *place, struct trial *trials)
{
	for (size_t i = 0; i < n_checks; i++)
		check_try(&checks[i], place, &trials[i]);
}

static bool print_failed(const struct check *check, const struct trial_place *place, const struct error *err)
{
	struct trial trial;

	check_try(check, place, &trial);
	/* What is only limited here is no reason for just anything. */
	if (trial.state == TRIAL_OK || (trial.state == TRIAL_LIMITED && !*err->check))
		return false;
	check_print_line(check, &trial, false, false, stderr);
	return *err->hint && strstr(trial.mend, err->hint);
}

/* By which a kernel, a seccomp filter or a security module says that there is no such thing, or that it is not for us. */
static const int refusals[] = {
	EPERM, EACCES, ENOSYS, EINVAL, ENODEV, EOPNOTSUPP, ENOPROTOOPT, EAFNOSUPPORT, EPROTONOSUPPORT};

/* Whether a failed call of the system may be the machine's fault. A file that isn't there, a full disk or a busy port is not. */
static bool may_be_refusal(const struct error *err)
{
	for (size_t i = 0; i < array_length(refusals); i++)
		if (err->errnum == refusals[i])
			return err->class == ERROR_HOST && !*err->hint;
	return false;
}

/* Whether the list of names, with commas between, has this one. */
static bool is_named(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, name, n) && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

bool check_explain(const char *store, const struct error *err)
{
	struct scratch scratch;
	struct trial_place place;
	bool told = false;

	if (!*err->check && !may_be_refusal(err))
		return false;
	check_begin(&scratch, store, &place);

	for (size_t i = 0; i < n_checks; i++) {
		bool concerned = *err->check ? is_named(err->check, checks[i].name)
					     : checks[i].need == NEED_ALWAYS && checks[i].try != trial_pod;

		if (concerned)
			told |= print_failed(&checks[i], &place, err);
	}
	scratch_close(&scratch);
	return told;
}
