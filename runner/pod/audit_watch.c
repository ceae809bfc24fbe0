/* What AppArmor refuses the containers of a pod. Theory of operation: audit_watch.h. */
#include "runner/pod/audit_watch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/learning.h"
#include "runner/pod/supervise.h"
#include "security/apparmor_record.h"
#include "security/audit.h"

#define AT_ONCE        32 /* records for each event of the loop */
#define SETTLE_RECORDS 4096 /* at the end of a container: others may go on making them */
#define ANCESTORS      64
#define LABEL_LIMIT    8192 /* bytes */
#define GONE_NOTE      "gone: of this pod, or of another under this profile"

struct audit_watch {
	struct audit_source source;
	struct watch watch;
	bool knows_pids; /* the numbers in the records mean something here */
	struct denials unsure; /* what could be another pod's */
	struct timespec foreign_asked; /* when the whole machine was last looked at, */
	char *foreign_profile; /* and for which profile */
	bool foreign_found;
};

enum owner {
	OWNER_CONTAINER,
	OWNER_OTHER, /* not of this pod */
	OWNER_GONE, /* its process isn't there any more */
	OWNER_UNSURE,
};

static const char *profile_of(const struct member *member)
{
	return member->item->container.locks.apparmor;
}

/* Of the profile itself, or of a hat or child profile of it: "p//hat". Of a stack, "p//&q", one is enough: each refuses by itself. */
static bool is_under(const char *profile, const char *label)
{
	while (profile) {
		const char *next = strstr(profile, "//&");
		size_t n = next ? (size_t)(next - profile) : strlen(profile);

		if (!strncmp(label, profile, n) && (label[n] == '\0' || !strncmp(label + n, "//", 2)))
			return true;
		profile = next ? next + 3 : NULL;
	}
	return false;
}

static bool is_alive(const struct member *member)
{
	return member->phase == MEMBER_STARTING || member->phase == MEMBER_RUNNING;
}

/* 0 if it is gone, or the first of all. */
static pid_t parent_of(pid_t pid)
{
	char path[64];
	cleanup_free char *text = NULL;
	struct error ignored;
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, 4096, ERROR_HOST, &text, NULL, &ignored) < 0)
		return 0;
	/* "PID (NAME) STATE PPID": the name can hold anything. */
	name_end = strrchr(text, ')');
	return name_end && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

/* The container that the process itself tells by. */
static struct member *member_of_process(struct supervisor *supervisor, pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/mnt", (int)pid);
	struct stat st = {0};
	bool known = stat(path, &st) == 0;

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		struct member *member = &supervisor->members[i];

		if (is_alive(member) && (member->denials.process == pid ||
						(known && member->denials.mount_namespace == st.st_ino)))
			return member;
	}
	return NULL;
}

static enum owner owner_by_process(struct supervisor *supervisor, pid_t pid, struct member **member)
{
	char path[64];
	pid_t self = getpid();

	/* A signal of ours that the container's profile refuses to receive: the record is of us. */
	if (pid == self)
		return OWNER_GONE;
	for (int depth = 0; depth < ANCESTORS && pid > 1 && pid != self; depth++) {
		*member = member_of_process(supervisor, pid);
		if (*member)
			return OWNER_CONTAINER;
		snprintf(path, sizeof(path), "/proc/%d", (int)pid);
		if (access(path, F_OK) < 0)
			return OWNER_GONE;
		pid = parent_of(pid);
	}
	/* A child of ours that has ended, of `minirun exec` say, has no namespaces to tell by. */
	return pid == self ? OWNER_GONE : OWNER_OTHER;
}

/* Whether the process is confined by the profile and isn't of this pod. */
static bool is_foreign_user(struct supervisor *supervisor, pid_t pid, const char *profile)
{
	static const char *const files[] = {"attr/apparmor/current", "attr/current"};
	struct member *member;

	for (size_t i = 0; i < array_length(files); i++) {
		cleanup_free char *path = xasprintf("/proc/%d/%s", (int)pid, files[i]);
		cleanup_free char *label = NULL;
		struct error ignored;
		char *mode;

		if (file_read(path, LABEL_LIMIT, ERROR_HOST, &label, NULL, &ignored) < 0)
			continue;
		/* "p (enforce)\n" */
		label[strcspn(label, "\n")] = '\0';
		mode = strrchr(label, '(');
		if (mode && mode > label && mode[-1] == ' ')
			mode[-1] = '\0';
		return is_under(profile, label) && owner_by_process(supervisor, pid, &member) == OWNER_OTHER;
	}
	return false;
}

/* Whether somebody else has the profile, now or a second ago: looking is dear. */
static bool has_foreign_user(struct supervisor *supervisor, const char *profile)
{
	struct audit_watch *audit = supervisor->audit;
	cleanup_dir DIR *proc = NULL;
	const struct dirent *entry;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (audit->foreign_profile && !strcmp(audit->foreign_profile, profile) &&
		now.tv_sec - audit->foreign_asked.tv_sec <= 1)
		return audit->foreign_found;
	proc = opendir("/proc");
	audit->foreign_found = proc == NULL;
	while (proc && !audit->foreign_found && (entry = readdir(proc)))
		audit->foreign_found =
			isdigit((unsigned char)entry->d_name[0]) &&
			is_foreign_user(supervisor, (pid_t)strtol(entry->d_name, NULL, 10), profile);
	free(audit->foreign_profile);
	audit->foreign_profile = xstrdup(profile);
	audit->foreign_asked = now;
	return audit->foreign_found;
}

/* The containers that run come before those that have ended; among these the last is the likeliest. */
static enum owner owner_by_profile(struct supervisor *supervisor, const char *label, struct member **member)
{
	size_t alive = 0;

	*member = NULL;
	for (size_t i = 0; i < supervisor->plan->n; i++) {
		struct member *candidate = &supervisor->members[i];

		if (!*candidate->status.id || !profile_of(candidate) ||
			!is_under(profile_of(candidate), label))
			continue;
		if (is_alive(candidate) && alive++ > 0)
			return OWNER_UNSURE;
		if (is_alive(candidate) || !alive)
			*member = candidate;
	}
	if (!*member)
		return OWNER_OTHER;
	return has_foreign_user(supervisor, profile_of(*member)) ? OWNER_UNSURE : OWNER_CONTAINER;
}

static enum owner owner_of(
	struct supervisor *supervisor, const struct apparmor_record *record, struct member **member)
{
	enum owner owner = OWNER_GONE;

	*member = NULL;
	if (supervisor->audit->knows_pids && record->pid)
		owner = owner_by_process(supervisor, record->pid, member);
	if (owner != OWNER_GONE)
		return owner;
	/* Profiles of another namespace of AppArmor's may be called as ours. */
	return record->namespace ? OWNER_OTHER : owner_by_profile(supervisor, record->profile, member);
}

/* One record. Returns as audit_next. */
static int serve(struct supervisor *supervisor)
{
	struct audit_watch *audit = supervisor->audit;
	struct apparmor_record record;
	struct member *member;
	const char *text;
	size_t size;
	int result = audit_next(&audit->source, &text, &size);

	if (result <= 0)
		return result;
	if (apparmor_record_parse(text, size, &record) && !learning_take_record(supervisor->plan, &record) &&
		!record.audited) {
		switch (owner_of(supervisor, &record, &member)) {
		case OWNER_CONTAINER:
			if (member->denials.before)
				member->denials.before(member->denials.data);
			denials_add_record(&member->denials, &record, NULL);
			break;
		case OWNER_UNSURE:
			denials_add_record(&audit->unsure, &record, GONE_NOTE);
			break;
		case OWNER_GONE:
		case OWNER_OTHER:
			break;
		}
	}
	apparmor_record_free(&record);
	return 1;
}

static void on_record(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	int result = 1;

	for (int i = 0; i < AT_ONCE && result > 0; i++)
		result = serve(supervisor);
	if (result < 0)
		loop_remove(&supervisor->loop, watch);
}

void audit_watch_settle(struct supervisor *supervisor)
{
	if (!supervisor->audit)
		return;
	audit_settle(&supervisor->audit->source);
	for (int i = 0; i < SETTLE_RECORDS && serve(supervisor) > 0; i++)
		;
}

static bool is_wanted(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (profile_of(&supervisor->members[i]))
			return true;
	return false;
}

/* A default that nobody asked for isn't worth a word of what it might refuse. */
static bool is_asked(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (profile_of(&supervisor->members[i]) && supervisor->members[i].item->apparmor_asked)
			return true;
	return false;
}

/* Where what is told can't be all, that is said before anything is. */
static void warn_of_kmsg(const struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};

	if (supervisor->audit->source.is_kmsg && is_asked(supervisor))
		report_event(supervisor->report, supervisor->plan->pod->name, &event,
			"what AppArmor denies is read from /dev/kmsg, where the kernel prints ten records in "
			"five "
			"seconds: not all of it will be told (hint: run minirun as root)");
}

void audit_watch_open(struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};
	struct audit_watch *audit;
	struct error err = {0};

	if (!is_wanted(supervisor))
		return;
	audit = xcalloc(1, sizeof(*audit));
	audit->watch.fd = -1;
	if (audit_open(&audit->source, &err) == 0) {
		audit->unsure = (struct denials){
			.report = supervisor->report,
			.pod = supervisor->plan->pod->name,
			.watch.fd = -1,
		};
		audit->knows_pids = process_sees_first_pids();
		supervisor->audit = audit;
		/* Its descriptor stays the source's: the loop's watch has a copy to close. */
		if (loop_add(&supervisor->loop, &audit->watch, fcntl(audit->source.fd, F_DUPFD_CLOEXEC, 3),
			    on_record, supervisor, &err) == 0) {
			warn_of_kmsg(supervisor);
			return;
		}
		audit_watch_close(supervisor);
	} else {
		free(audit);
	}
	if (!is_asked(supervisor))
		return;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"what AppArmor denies can't be named here: %s%s%s%s", err.message,
		err.hint[0] ? " (hint: " : "", err.hint, err.hint[0] ? ")" : "");
}

static void report_lost(const struct supervisor *supervisor)
{
	const struct audit_source *source = &supervisor->audit->source;
	struct event event = {.type = "warning", .tone = TONE_NOTE};

	if (!source->lost)
		return;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"at least %" PRIu64
		" of the machine's audit records were lost: AppArmor may have denied more than was "
		"told%s",
		source->lost,
		source->is_kmsg    ? " (read from /dev/kmsg, where the kernel prints few at a time)"
		: source->is_rated ? " (the audit has a rate limit: auditctl -r)"
				   : "");
}

void audit_watch_close(struct supervisor *supervisor)
{
	struct audit_watch *audit = supervisor->audit;

	if (!audit)
		return;
	denials_summarise(&audit->unsure);
	report_lost(supervisor);
	denials_close(&audit->unsure);
	loop_remove(&supervisor->loop, &audit->watch);
	audit_close(&audit->source);
	free(audit->foreign_profile);
	free(audit);
	supervisor->audit = NULL;
}
