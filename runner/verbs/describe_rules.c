/* What `minirun describe` says of a container's resources, probes and seccomp profile: see describe.h. After kubectl's describe.go. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/json_out.h"
#include "runner/verbs/describe.h"

static void print_quantities(const char *title, struct json_object *quantities, FILE *out)
{
	struct strv names = json_out_names(quantities);
	int width = 0;

	if (!names.n)
		return;
	for (size_t i = 0; i < names.n; i++)
		width = (int)strlen(names.items[i]) > width ? (int)strlen(names.items[i]) : width;
	fprintf(out, "    %s:\n", title);
	for (size_t i = 0; i < names.n; i++)
		fprintf(out, "      %s:%*s%s\n", names.items[i], width - (int)strlen(names.items[i]) + 2, "",
			json_object_get_string(json_object_object_get(quantities, names.items[i])));
	strv_free(names.items);
}

/* "exec [cat /ready]", "http-get http://:80/", "tcp-socket :80" */
static char *handler_text(struct json_object *probe)
{
	struct json_object *command = json_at(probe, "exec.command");
	struct json_object *http = json_at(probe, "httpGet");
	char *text;

	if (http) {
		const char *path = text_at(http, "path");

		return xasprintf("http-get http://%s:%s%s%s", text_at(http, "host"), text_at(http, "port"),
			*path == '/' || !*path ? "" : "/", path);
	}
	if (!command)
		return xasprintf("tcp-socket %s:%s", text_at(probe, "tcpSocket.host"),
			text_at(probe, "tcpSocket.port"));
	text = xstrdup("exec [");
	for (size_t i = 0; i < json_object_array_length(command); i++) {
		char *longer = xasprintf("%s%s%s", text, i ? " " : "",
			json_object_get_string(json_object_array_get_idx(command, i)));

		free(text);
		text = longer;
	}
	{
		char *whole = xasprintf("%s]", text);

		free(text);
		return whole;
	}
}

static int number_at(struct json_object *probe, const char *key, int otherwise)
{
	struct json_object *value = json_at(probe, key);

	return value ? json_object_get_int(value) : otherwise;
}

static void print_probe(const char *title, struct json_object *probe, FILE *out)
{
	cleanup_free char *handler = probe ? handler_text(probe) : NULL;

	if (probe)
		fprintf(out, "    %-16s%s delay=%ds timeout=%ds period=%ds #success=%d #failure=%d\n", title,
			handler, number_at(probe, "initialDelaySeconds", 0),
			number_at(probe, "timeoutSeconds", 1), number_at(probe, "periodSeconds", 10),
			number_at(probe, "successThreshold", 1), number_at(probe, "failureThreshold", 3));
}

/* What isn't requested is requested as it is limited (pkg/apis/core/v1/defaults.go). To be put. */
static struct json_object *requests_of(struct json_object *spec)
{
	const char *const sources[] = {"resources.limits", "resources.requests"};
	struct json_object *requests = json_object_new_object();

	for (size_t i = 0; i < array_length(sources); i++) {
		struct json_object *source = json_at(spec, sources[i]);

		if (!source)
			continue;
		json_object_object_foreach(source, name, quantity)
		{
			json_object_object_add(requests, name, json_object_get(quantity));
		}
	}
	return requests;
}

void describe_rules(struct json_object *spec, FILE *out)
{
	struct json_object *requests = requests_of(spec);

	print_quantities("Limits", json_at(spec, "resources.limits"), out);
	print_quantities("Requests", requests, out);
	json_object_put(requests);
	print_probe("Liveness:", json_at(spec, "livenessProbe"), out);
	print_probe("Readiness:", json_at(spec, "readinessProbe"), out);
	print_probe("Startup:", json_at(spec, "startupProbe"), out);
}

void describe_seccomp(struct json_object *spec, const char *indent, int width, FILE *out)
{
	const char *type = text_at(spec, "securityContext.seccompProfile.type");

	if (!*type)
		return;
	fprintf(out, "%s%-*s%s\n", indent, width, "SeccompProfile:", type);
	if (!strcmp(type, "Localhost"))
		fprintf(out, "%s%-*s%s\n", indent, width > 17 ? width : 18, "LocalhostProfile:",
			text_at(spec, "securityContext.seccompProfile.localhostProfile"));
}
