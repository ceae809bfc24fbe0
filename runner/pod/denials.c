/* The refusals of one container: theory of operation in denials.h and security/denial.h. */
#include "runner/pod/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/learning.h"
#include "security/denial.h"
#include "security/recording.h"

static uint32_t hash_of(const char *program, const char *what)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (const char *c = program; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	hash *= 16777619U;
	for (const char *c = what; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return hash;
}

/* The thread's name: what exec made of the program's file name, unless the program renamed itself. */
static char *program_name(pid_t pid)
{
	char path[64], name[64];
	cleanup_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (n <= 0)
		return xstrdup("?");
	return text_printable(name, (size_t)(name[n - 1] == '\n' ? n - 1 : n));
}

/* The last number of a field of its status, "NStgid:"; 0 if that can't be told. */
static int status_number(pid_t pid, const char *field)
{
	char path[64], line[256];
	int number = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		const char *last = strrchr(line, '\t');

		if (last && text_starts_with(line, field))
			number = (int)strtol(last, NULL, 10);
	}
	if (status)
		fclose(status);
	return number;
}

/* Of a thread, too, the process is told: that is what ps shows. */
int denials_inner_pid(pid_t pid)
{
	return status_number(pid, "NStgid:");
}

static struct denial_kind *find_kind(
	struct denials *denials, const struct denial_note *note, uint32_t hash, const char *what)
{
	for (size_t i = 0; i < denials->n; i++) {
		struct denial_kind *kind = &denials->kinds[i];

		if (kind->hash == hash && kind->would_be == note->would_be &&
			!strcmp(kind->program, note->program) && !strcmp(kind->what, what))
			return kind;
	}
	return NULL;
}

static struct denial_kind *add_kind(
	struct denials *denials, const struct denial_note *note, uint32_t hash, const char *what)
{
	struct denial_kind *kind;

	if (denials->n == DENIALS_KINDS)
		return NULL;
	if (!denials->kinds)
		denials->kinds = xcalloc(DENIALS_KINDS, sizeof(*denials->kinds));
	kind = &denials->kinds[denials->n++];
	*kind = (struct denial_kind){
		.hash = hash,
		.lock = note->lock,
		.would_be = note->would_be,
		.program = xstrdup(note->program),
		.name = xstrdup(note->name),
		.what = xstrdup(what),
	};
	return kind;
}

static size_t variants(const struct denials *denials, const struct denial_note *note)
{
	size_t n = 0;

	for (size_t i = 0; i < denials->n; i++)
		n += !strcmp(denials->kinds[i].name, note->name) &&
		     !strcmp(denials->kinds[i].program, note->program);
	return n;
}

/*
 * Finds the kind of a call, or makes one; *is_new says which. A program that makes the same call with ever new arguments
 * has them all counted as one from some point on. NULL: there are too many kinds.
 */
static struct denial_kind *kind_of(struct denials *denials, const struct denial_note *note, bool *is_new)
{
	uint32_t hash = hash_of(note->program, note->what);
	struct denial_kind *kind = find_kind(denials, note, hash, note->what);

	*is_new = false;
	if (kind)
		return kind;
	if (variants(denials, note) >= DENIALS_VARIANTS) {
		hash = hash_of(note->program, note->others);
		kind = find_kind(denials, note, hash, note->others);
		if (kind)
			return kind;
		kind = add_kind(denials, note, hash, note->others);
	} else {
		kind = add_kind(denials, note, hash, note->what);
	}
	*is_new = kind != NULL;
	return kind;
}

const struct denial_kind *denials_count(struct denials *denials, const struct denial_note *note)
{
	bool is_new;
	struct denial_kind *kind = kind_of(denials, note, &is_new);

	if (note->would_be)
		denials->would_be++;
	else
		denials->total++;
	if (kind)
		kind->count++;
	else
		denials->beyond++;
	if (denials->counted)
		denials->counted(denials->data);
	return is_new ? kind : NULL;
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

/* A call, as it is told: everything about the first of its kind. */
struct told {
	const struct refused *refused;
	const struct denial_text *text;
	const char *program, *result;
	int process, inner; /* its number on the machine, and in its own pid namespace */
};

static struct json_object *told_json(
	const struct told *told, const char *rule, const char *profile, uint64_t count)
{
	struct json_object *object = json_object_new_object();
	struct json_object *args = json_object_new_array();
	bool kills = !strcmp(told->result, "SIGSYS");

	for (size_t i = 0; i < told->text->n_args; i++)
		json_object_array_add(args, json_object_new_string(told->text->args[i]));
	add_string(object, "lock", "seccomp");
	add_string(object, "call", told->text->name);
	json_object_object_add(object, "args", args);
	add_string(object, kills ? "killedBy" : "errno", told->result);
	json_object_object_add(object, "pid", json_object_new_int(told->process));
	json_object_object_add(object, "containerPid", json_object_new_int(told->inner));
	add_string(object, "program", told->program);
	add_string(object, "profile", profile);
	add_string(object, "rule", rule);
	json_object_object_add(object, "count", json_object_new_int64((int64_t)count));
	return object;
}

/* The first of its kind is told at once. */
static void tell(struct denials *denials, const struct told *told, const struct denial_kind *kind)
{
	const struct planned_profile *profile = denials->profile;
	const struct seccomp_subject subject = {.capabilities = profile->capabilities};
	const char *name = path_base(profile->name);
	cleanup_free char *rule = NULL;
	cleanup_free char *line = NULL;
	struct event event = {
		.type = "denied",
		.container = denials->container,
		.tone = TONE_BAD,
	};
	const char *text = profile->text;
	size_t size = profile->size;

	if (!text)
		text = seccomp_runtime_default(&size);
	rule = denials->learning
		       ? learning_rule(denials->learning, told->text->name)
		       : denial_rule(text, size, name, &subject, &told->refused->call, told->refused->action);
	event.more = told_json(told, rule, name, kind->count);
	line = xasprintf(
		"denied %s · seccomp, %s (%s, pid %d)", kind->what, rule, told->program, told->inner);
	report_event(denials->report, denials->pod, &event, "%s", line);
	if (denials->told)
		denials->told(denials->data, line);
	json_object_put(event.more);
}

void denials_remember(struct denials *denials, bool minor, const char *text)
{
	char **last = minor ? &denials->last_enosys : &denials->last;

	if (*last && !strcmp(*last, text))
		return;
	free(*last);
	*last = xstrdup(text);
}

static char *what_came(const struct told *told)
{
	if (!strcmp(told->result, "SIGSYS"))
		return xasprintf("%s, killed by SIGSYS", told->text->call);
	return xasprintf("%s = %s", told->text->call, told->result);
}

static void account(struct denials *denials, const struct told *told, const char *what)
{
	cleanup_free char *others = xasprintf("%s(...) with other arguments", told->text->name);
	cleanup_free char *last = xasprintf("seccomp denied %s", told->text->call);
	const struct denial_note note = {
		.program = told->program, .name = told->text->name, .what = what, .others = others};
	const struct denial_kind *kind = denials_count(denials, &note);

	denials_remember(denials, told->refused->action == (SECCOMP_RET_ERRNO | ENOSYS), last);
	if (kind)
		tell(denials, told, kind);
}

/* Answers a call of which all is known, and tells it then: the program needn't wait for that. */
static void answer(struct denials *denials, const struct told *told, const char *what)
{
	int fd = denials->watch.fd;
	pid_t process;

	/* Else it died meanwhile, and what we read may be of another process that has its number now. */
	if (!listener_is_waiting(fd, told->refused))
		return;
	if (listener_answer(fd, told->refused, &process) == CARRIED_OUT_SIGKILL && process == denials->main)
		denials->main_killed = true;
	account(denials, told, what);
}

static bool is_known(struct denials *denials, const char *program, const char *what)
{
	const struct denial_note note = {.program = program};

	return find_kind(denials, &note, hash_of(program, what), what) != NULL;
}

/* Reads what there is to know while the call waits, and answers it. */
static void refuse(struct denials *denials, const struct refused *refused)
{
	struct denial_reader reader = denial_process_reader;
	struct denial_text text;
	cleanup_free char *program = NULL;
	cleanup_free char *what = NULL;
	char buffer[32];
	struct told told = {.refused = refused, .text = &text};

	reader.data = &refused->pid;
	denial_describe(&refused->call, &reader, &text);
	program = program_name(refused->pid);
	told.program = program;
	told.result = denial_result(refused->action, buffer, sizeof(buffer));
	what = what_came(&told);
	if (!is_known(denials, program, what)) {
		told.process = status_number(refused->pid, "Tgid:");
		told.inner = denials_inner_pid(refused->pid);
	}
	answer(denials, &told, what);
	denial_text_free(&text);
}

/* One call, so that others get their turn. Returns as listener_take. */
static int serve(struct denials *denials)
{
	int fd = denials->watch.fd;
	struct refused refused;
	int result = denials->recording ? listener_take(fd, &refused)
					: listener_receive(fd, &denials->profile->filter, &refused);

	if (result <= 0)
		return result;
	if (denials->recording) {
		refused.action = recording_take(denials->recording, &refused.call);
		if (refused.action == SECCOMP_RET_ALLOW) {
			listener_let_go(fd, &refused);
			return result;
		}
	}
	refuse(denials, &refused);
	return result;
}

static void on_refusal(struct watch *watch, void *data)
{
	struct denials *denials = data;

	if (denials->before)
		denials->before(denials->data);
	/* That may have been the end of us: the listener is closed then. */
	if (watch->fd >= 0 && serve(denials) < 0)
		loop_remove(denials->loop, watch);
}

int denials_listen(struct denials *denials, int fd, pid_t main, struct error *err)
{
	loop_remove(denials->loop, &denials->watch);
	listener_tune(fd);
	denials->main = main;
	denials->main_killed = false;
	if (loop_add(denials->loop, &denials->watch, fd, on_refusal, denials, err) == 0)
		return 0;
	close(fd);
	return -1;
}

const char *denials_last(const struct denials *denials)
{
	return denials->last ? denials->last : denials->last_enosys;
}

char *denials_cause(const struct denials *denials, const char *end)
{
	const char *last = denials_last(denials);

	return last ? xasprintf("%s, after %s", end, last) : xstrdup(end);
}

void denials_restart(struct denials *denials)
{
	free(denials->last);
	free(denials->last_enosys);
	denials->last = denials->last_enosys = NULL;
	denials->main_killed = false;
}

void denials_close(struct denials *denials)
{
	if (denials->loop)
		loop_remove(denials->loop, &denials->watch);
	for (size_t i = 0; i < denials->n; i++) {
		free(denials->kinds[i].program);
		free(denials->kinds[i].name);
		free(denials->kinds[i].what);
	}
	free(denials->kinds);
	free(denials->last);
	free(denials->last_enosys);
	denials->kinds = NULL;
	denials->last = denials->last_enosys = NULL;
	denials->n = 0;
	denials->total = denials->beyond = denials->would_be = denials->lost = 0;
}
