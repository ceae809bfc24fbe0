/* `minirun delete`: ends a pod, waits until it is gone, and clears what a supervisor that was killed has left. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/plan/paths.h"
#include "runner/pod/state.h"
#include "runner/verbs/targets.h"
#include "runner/pod/wire.h"

#define PAUSE_NS 20000000 /* between two looks whether it is gone */

static int read_grace(const struct invocation *invocation, int64_t *grace, struct error *err)
{
	*grace = invocation->value[OPTION_FORCE] ? 0 : invocation->value[OPTION_NOW] ? 1 : -1;
	if (!invocation->value[OPTION_GRACE_PERIOD])
		return 0;
	if (invocation->value[OPTION_NOW])
		return error_set(
			err, ERROR_USAGE, 0, "--now and --grace-period cannot be specified together");
	if (option_number(invocation, OPTION_GRACE_PERIOD, grace, err) < 0)
		return -1;
	/* Below 0 it is the pod's own, as with kubectl. */
	if (*grace > INT32_MAX)
		return error_set(err, ERROR_USAGE, 0, "--grace-period %lld: at most %d seconds",
			(long long)*grace, INT32_MAX);
	if (*grace > 0 && invocation->value[OPTION_FORCE])
		return error_set(err, ERROR_USAGE, 0,
			"--force and --grace-period greater than 0 cannot be specified together");
	/* Without --force kubectl takes 0 for 1: the pod may do what it has to. */
	if (*grace == 0 && !invocation->value[OPTION_FORCE])
		*grace = 1;
	return 0;
}

/* Asks the supervisor. One that is just ending doesn't answer, and need not. */
static int ask(int run, int64_t grace, struct error *err)
{
	struct json_object *request = json_object_new_object();
	struct json_object *options = json_object_new_object();
	struct json_object *answer;
	cleanup_fd int socket = wire_connect(run, CONTROL_NAME, err);

	if (grace >= 0)
		json_object_object_add(options, "gracePeriodSeconds", json_object_new_int64(grace));
	json_object_object_add(request, "delete", options);
	if (socket < 0) {
		json_object_put(request);
		return err->errnum == ECONNREFUSED || err->errnum == ENOENT ? 0 : -1;
	}
	if (wire_send(socket, request, NULL, 0, err) < 0)
		return err->errnum == EPIPE || err->errnum == ECONNRESET ? 0 : -1;
	answer = wire_receive(socket, NULL, 0, err);
	json_object_put(answer);
	return 0;
}

/* A pod of the same name that is started meanwhile has another folder. */
static void await_end(const char *root, const char *name)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	struct record record;
	struct error ignored;
	cleanup_free char *uid = NULL;

	while (catalog_read(root, NULL, name, &record, &ignored) == 0) {
		bool same = record.alive && (!uid || !strcmp(uid, text_at(record.pod, "metadata.uid")));

		if (!uid)
			uid = xstrdup(text_at(record.pod, "metadata.uid"));
		record_free(&record);
		if (!same)
			return;
		nanosleep(&pause, NULL);
	}
}

/* Clears what is left, once the supervisor, whose folder run is, is gone: it removes that last of all. */
static int await_removal(const char *root, const char *name, int run, struct error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	struct stat st;
	int result;

	while ((result = state_remove_dead(root, name, err)) > 0 && run >= 0 && fstat(run, &st) == 0 &&
		st.st_nlink > 0)
		nanosleep(&pause, NULL);
	return result < 0 ? -1 : 0;
}

/* One that was killed before it wrote a word is there, too: it has no namespace. */
static bool is_there(const char *root, const char *namespace, const char *name, struct error *err)
{
	struct error ignored;
	struct record record;
	bool there = catalog_read(root, namespace, name, &record, err) == 0;

	record_free(&record);
	if (there || !state_exists(root, name))
		return there;
	there = catalog_read(root, NULL, name, &record, &ignored) < 0;
	record_free(&record);
	return there;
}

static void tell(const struct invocation *invocation, const char *name)
{
	if (invocation->value[OPTION_OUTPUT])
		printf("pod/%s\n", name);
	else
		printf("pod \"%s\" %s\n", name,
			invocation->value[OPTION_FORCE] ? "force deleted" : "deleted");
}

static int delete_one(const struct invocation *invocation, const char *root, const char *namespace,
	const char *name, int64_t grace, struct error *err)
{
	struct error gone;
	cleanup_fd int run = -1;
	int result;

	if (!is_there(root, namespace, name, err))
		return invocation->value[OPTION_IGNORE_NOT_FOUND] ? 0 : -1;
	run = state_open_running(root, name, &gone);
	result = run < 0 ? 0 : ask(run, grace, err);
	/* With --wait=false it goes on ending by itself, but nobody else clears what a supervisor that was killed has left. */
	if (result == 0 && (run < 0 || invocation->value[OPTION_WAIT])) {
		await_end(root, name);
		if (await_removal(root, name, run, err) < 0)
			return -1;
	}
	if (result == 0)
		tell(invocation, name);
	return result;
}

/* One that isn't there keeps nobody from deleting the others: what is wrong with each is said, and main() says the last. */
static int delete_all(const struct invocation *invocation, const char *root, const struct targets *targets,
	int64_t grace, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < targets->names.n; i++) {
		struct error wrong = {0};

		if (delete_one(invocation, root, targets->namespace, targets->names.items[i], grace,
			    &wrong) == 0)
			continue;
		if (result < 0) {
			cleanup_free char *text = text_printable(err->message, strlen(err->message));

			fprintf(stderr, "minirun: %s\n", text);
		}
		*err = wrong;
		result = -1;
	}
	return result;
}

int cmd_delete(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	bool force = invocation->value[OPTION_FORCE] != NULL;
	cleanup_targets struct targets targets = {0};
	int64_t grace;

	if (!root || read_grace(invocation, &grace, err) < 0 ||
		targets_read(invocation, root, &targets, err) < 0)
		return -1;
	if (targets.none) {
		error_set(err, ERROR_USAGE, 0, "delete wants the name of a pod");
		return error_hint(err, "minirun delete NAME...; `minirun get` lists the pods");
	}
	if (!targets.names.n)
		printf("No resources found\n");
	if (force)
		fprintf(stderr,
			"Warning: Immediate deletion does not wait for confirmation that the running "
			"resource has been terminated. The resource may continue to run on the cluster "
			"indefinitely.\n");
	return delete_all(invocation, root, &targets, grace, err);
}
