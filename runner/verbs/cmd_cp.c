/*
 * `minirun cp`: copies files and folders into a running container, and out of one.
 *
 * What is in the container is read and written by a process in it (copying.h); this one reads and writes here, as the user who
 * started it. What comes out is the container's word: no name in it leads out of the copy, no link is followed or made.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/client.h"
#include "runner/command.h"
#include "runner/pod/parcel.h"
#include "runner/plan/paths.h"
#include "runner/pod/wire.h"

/* "[[NAMESPACE/]POD:]PATH" */
struct place {
	char *namespace, *pod; /* NULL: it is here */
	const char *path;
};

struct copy {
	struct place from, to;
	char *base; /* the last name of the source; NULL: it has none */
	int control, in, out; /* the ends of both pipes */
};

static void warn(void *data, const char *text)
{
	cleanup_free char *safe = text_printable(text, strlen(text));

	(void)data;
	fprintf(stderr, "minirun: warning: %s\n", safe);
}

/* kubectl's rule: a colon makes it a pod's, but for what begins as a path does. */
static int read_place(const char *text, struct place *place, struct error *err)
{
	const char *colon = strchr(text, ':'), *slash;

	*place = (struct place){.path = text};
	if (!*text)
		return error_set(err, ERROR_USAGE, 0, "filepath can not be empty");
	if (!colon || *text == '/' || text_starts_with(text, "./") || text_starts_with(text, "../"))
		return 0;
	slash = memchr(text, '/', (size_t)(colon - text));
	if (slash)
		place->namespace = xstrndup(text, (size_t)(slash - text));
	else
		slash = text - 1;
	place->pod = xstrndup(slash + 1, (size_t)(colon - slash - 1));
	place->path = colon + 1;
	if (!*place->pod || strchr(place->pod, '/') || (place->namespace && !*place->namespace)) {
		error_set(err, ERROR_USAGE, 0,
			"filespec must match the canonical format: [[namespace/]pod:]file/path");
		return error_hint(err, "a file here whose name has a colon: ./%s", text);
	}
	return *place->path ? 0 : error_set(err, ERROR_USAGE, 0, "filepath can not be empty");
}

static void place_free(struct place *place)
{
	free(place->namespace);
	free(place->pod);
}

/* "b" of "/a/b/"; NULL of "/", "." and "a/..", whose content alone is meant. */
static char *base_of(const char *path)
{
	size_t n = strlen(path), start;

	while (n && path[n - 1] == '/')
		n--;
	start = n;
	while (start && path[start - 1] != '/')
		start--;
	if (n - start == 0 || (n - start <= 2 && !strncmp(path + start, "..", n - start)))
		return NULL;
	return xstrndup(path + start, n - start);
}

static struct json_object *make_request(const struct invocation *invocation, const struct copy *copy)
{
	struct json_object *request = json_object_new_object(), *options = json_object_new_object();
	const char *container = invocation->value[OPTION_CONTAINER];

	json_object_object_add(request, "copy", options);
	if (container)
		json_object_object_add(request, "container", json_object_new_string(container));
	if (copy->from.pod) {
		json_object_object_add(options, "from", json_object_new_string(copy->from.path));
		return request;
	}
	json_object_object_add(options, "to", json_object_new_string(copy->to.path));
	if (copy->base)
		json_object_object_add(options, "base", json_object_new_string(copy->base));
	json_object_object_add(
		options, "preserve", json_object_new_boolean(invocation->value[OPTION_NO_PRESERVE] == NULL));
	return request;
}

static int begin(const struct invocation *invocation, const char *root, struct copy *copy, struct error *err)
{
	const struct place *remote = copy->from.pod ? &copy->from : &copy->to;
	int to[2], from[2], sent;

	copy->control = client_connect(root,
		remote->namespace ? remote->namespace : catalog_namespace(invocation), remote->pod, err);
	if (copy->control < 0)
		return -1;
	if (pipe2(to, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	copy->out = to[1];
	if (pipe2(from, O_CLOEXEC) < 0) {
		close(to[0]);
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	}
	copy->in = from[0];
	sent = wire_send(
		copy->control, make_request(invocation, copy), (const int[]){to[0], from[1]}, 2, err);
	close(to[0]);
	close(from[1]);
	return sent;
}

/* The stream broke off: the supervisor knows why, if the process in the container didn't say. Keeps err if it doesn't. */
static int explain(const struct copy *copy, struct error *err)
{
	struct error ignored;
	struct json_object *answer = wire_receive(copy->control, NULL, 0, &ignored);

	if (!answer)
		error_set(err, ERROR_HOST, 0, "the container has ended, and the copying with it");
	else if (json_object_object_get(answer, "error"))
		wire_to_error(answer, err);
	json_object_put(answer);
	return -1;
}

static int tell_incomplete(bool incomplete, struct error *err)
{
	return incomplete ? error_set(err, ERROR_HOST, 0, "not all could be copied: see the warnings") : 0;
}

static int copy_out(struct copy *copy, struct error *err)
{
	mode_t mask = umask(0);
	struct parcel_place place = {
		.path = copy->to.path,
		.base = copy->base,
		.strict = true,
		.mode = 0777 & ~mask,
		.warn = warn,
	};
	bool incomplete = false;

	umask(mask);
	if (parcel_receive(copy->in, &place, &incomplete, err) < 0)
		return err->errnum == 0 && strstr(err->message, "the other side ended") ? explain(copy, err)
											: -1;
	return tell_incomplete(incomplete, err);
}

static int copy_in(struct copy *copy, struct error *err)
{
	const struct parcel_source source = {
		.path = copy->from.path, .root = -1, .links = true, .warn = warn};
	struct parcel answer;
	unsigned int left_out = 0;
	int result = parcel_send(copy->out, &source, &left_out, err);

	if (result == 0)
		result = parcel_say(copy->out, PARCEL_END, "", err);
	/* What is wrong here is not the other side's. */
	if (result < 0 && err->errnum != EPIPE)
		return -1;
	if (parcel_get(copy->in, &answer, err) <= 0)
		return explain(copy, err);
	if (answer.kind != PARCEL_END)
		return error_set(err, ERROR_HOST, 0, "%s", answer.text);
	return tell_incomplete(left_out > 0, err);
}

static int check_operands(const struct invocation *invocation, struct copy *copy, struct error *err)
{
	struct stat st;

	if (invocation->n_operands != 2) {
		error_set(err, ERROR_USAGE, 0, "source and destination are required");
		return error_hint(err, "minirun cp FILE POD:PATH, or minirun cp POD:PATH FILE");
	}
	if (read_place(invocation->operands[0], &copy->from, err) < 0 ||
		read_place(invocation->operands[1], &copy->to, err) < 0)
		return -1;
	if (copy->from.pod && copy->to.pod)
		return error_set(
			err, ERROR_USAGE, 0, "one of src or dest must be a local file specification");
	if (!copy->from.pod && !copy->to.pod) {
		error_set(err, ERROR_USAGE, 0, "one of src or dest must be a remote file specification");
		return error_hint(err, "a file in a pod is called POD:PATH");
	}
	if (!copy->from.pod && stat(copy->from.path, &st) < 0)
		return error_set(err, ERROR_USAGE, errno, "%s", copy->from.path);
	copy->base = base_of(copy->from.path);
	return 0;
}

int cmd_cp(const struct invocation *invocation, struct error *err)
{
	struct copy copy = {.control = -1, .in = -1, .out = -1};
	cleanup_free char *root = path_of_root(invocation, err);
	int result = -1;

	/* The other side may end while we have more for it. */
	signal(SIGPIPE, SIG_IGN);
	if (root && check_operands(invocation, &copy, err) == 0 && begin(invocation, root, &copy, err) == 0)
		result = copy.from.pod ? copy_out(&copy, err) : copy_in(&copy, err);
	cleanup_fd_fn(&copy.control);
	cleanup_fd_fn(&copy.in);
	cleanup_fd_fn(&copy.out);
	place_free(&copy.from);
	place_free(&copy.to);
	free(copy.base);
	return result;
}
