/* The commands' side of the control socket. */
#include "runner/verbs/client.h"

#include <errno.h>

#include "base/cleanup.h"
#include "runner/pod/state.h"
#include "runner/pod/wire.h"
#include "runner/verbs/catalog.h"

int client_connect(const char *root, const char *namespace, const char *name, struct error *err)
{
	cleanup_fd int run = -1;
	struct record record;
	int socket;

	if (catalog_read(root, namespace, name, &record, err) < 0)
		return -1;
	record_free(&record);
	run = state_open_running(root, name, err);
	if (run < 0)
		return -1;
	socket = wire_connect(run, CONTROL_NAME, err);
	if (socket < 0 && (err->errnum == ECONNREFUSED || err->errnum == ENOENT)) {
		/* Its supervisor is gone or not there yet; the folder is still, or already, there. */
		error_set(err, ERROR_HOST, 0, "pods \"%s\" not found", name);
		error_hint(err, "it is just starting or ending");
	}
	return socket;
}

struct json_object *client_request(const struct invocation *invocation)
{
	struct json_object *request = json_object_new_object();

	if (invocation->value[OPTION_CONTAINER])
		json_object_object_add(
			request, "container", json_object_new_string(invocation->value[OPTION_CONTAINER]));
	return request;
}
