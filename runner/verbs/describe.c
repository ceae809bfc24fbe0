/* The parts of `minirun describe` that are long. See describe.h. */
#include "runner/verbs/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define DENIALS_SHOWN 10

const char *describe_time(time_t time, char *buffer, size_t size)
{
	struct tm tm;

	localtime_r(&time, &tm);
	strftime(buffer, size, "%a, %d %b %Y %H:%M:%S %z", &tm);
	return buffer;
}

static void line(FILE *out, const char *key, const char *value)
{
	fprintf(out, "    %-16s%s\n", key, value);
}

static void print_words(const char *title, struct json_object *words, FILE *out)
{
	if (!words)
		return;
	fprintf(out, "    %s:\n", title);
	for (size_t i = 0; i < json_object_array_length(words); i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(words, i));

		/* A script of several lines stays below its title, as kubectl has it. */
		fprintf(out, "      ");
		for (const char *p = word; *p; p++)
			fprintf(out, *p == '\n' ? "\n      " : "%c", *p);
		fprintf(out, "\n");
	}
}

static void print_run(const char *title, struct json_object *state, FILE *out)
{
	struct json_object *running = json_at(state, "running");
	struct json_object *terminated = json_at(state, "terminated");
	struct json_object *details = terminated ? terminated : json_at(state, "waiting");
	char time[64];

	line(out, title, running ? "Running" : terminated ? "Terminated" : "Waiting");
	if (running) {
		line(out, "  Started:", describe_time(time_at(running, "startedAt"), time, sizeof(time)));
		return;
	}
	if (*text_at(details, "reason"))
		line(out, "  Reason:", text_at(details, "reason"));
	if (*text_at(details, "message") && terminated) {
		cleanup_free char *message =
			text_printable(text_at(details, "message"), strlen(text_at(details, "message")));

		line(out, "  Message:", message);
	}
	if (!terminated)
		return;
	line(out, "  Exit Code:", text_at(details, "exitCode"));
	if (*text_at(details, "signal"))
		line(out, "  Signal:", text_at(details, "signal"));
	line(out, "  Started:", describe_time(time_at(details, "startedAt"), time, sizeof(time)));
	line(out, "  Finished:", describe_time(time_at(details, "finishedAt"), time, sizeof(time)));
}

static void print_ports_by(
	struct json_object *ports, const char *key, const char *one, const char *many, FILE *out)
{
	cleanup_free char *text = xstrdup("");
	size_t n = ports ? json_object_array_length(ports) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		const char *protocol = text_at(port, "protocol"), *number = text_at(port, key);
		char *longer = xasprintf("%s%s%s/%s", text, i ? ", " : "", *number ? number : "0",
			*protocol ? protocol : "TCP");

		free(text);
		text = longer;
	}
	line(out, n > 1 ? many : one, n ? text : "<none>");
}

static void print_ports(struct json_object *spec, FILE *out)
{
	struct json_object *ports = json_at(spec, "ports");

	print_ports_by(ports, "containerPort", "Port:", "Ports:", out);
	print_ports_by(ports, "hostPort", "Host Port:", "Host Ports:", out);
}

static void print_mounts(struct json_object *spec, FILE *out)
{
	struct json_object *list = json_at(spec, "volumeMounts");

	if (!list || !json_object_array_length(list)) {
		line(out, "Mounts:", "<none>");
		return;
	}
	fprintf(out, "    Mounts:\n");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *mount = json_object_array_get_idx(list, i);
		bool read_only = json_object_get_boolean(json_at(mount, "readOnly"));

		fprintf(out, "      %s from %s (%s", text_at(mount, "mountPath"), text_at(mount, "name"),
			read_only ? "ro" : "rw");
		if (*text_at(mount, "subPath"))
			fprintf(out, ",path=\"%s\"", text_at(mount, "subPath"));
		fprintf(out, ")\n");
	}
}

/* Ours alone: what the locks refused, the most frequent first. */
static void print_denials(struct json_object *denials, FILE *out)
{
	struct json_object *list = json_at(denials, "denied");
	size_t n = list ? json_object_array_length(list) : 0;

	if (!n)
		return;
	fprintf(out, "    Denials:        %s\n", text_at(denials, "total"));
	for (size_t i = 0; i < n && i < DENIALS_SHOWN; i++) {
		struct json_object *denial = json_object_array_get_idx(list, i);

		fprintf(out, "      %s (%s%s, %s", text_at(denial, "text"), text_at(denial, "lock"),
			json_at(denial, "enforced") ? " in complain mode: let through" : "",
			text_at(denial, "program"));
		if (json_object_get_int64(json_at(denial, "count")) > 1)
			fprintf(out, ", %s times", text_at(denial, "count"));
		fprintf(out, ")\n");
	}
	if (n > DENIALS_SHOWN)
		fprintf(out, "      and %zu more kinds\n", n - DENIALS_SHOWN);
	if (json_at(denials, "lost"))
		fprintf(out,
			"      and %s devices, of these or other kinds, faster than they could be read\n",
			text_at(denials, "lost"));
	/* The one that a program fails of is the last, and seldom the most frequent. */
	if (*text_at(denials, "last"))
		fprintf(out, "      the last: %s\n", text_at(denials, "last"));
}

static void print_container(
	const struct record *record, struct json_object *spec, struct json_object *status, FILE *out)
{
	const char *name = text_at(spec, "name");

	fprintf(out, "  %s:\n", name);
	line(out, "Container ID:", text_at(status, "containerID"));
	line(out, "Image:", text_at(spec, "image"));
	line(out, "Image ID:", text_at(status, "imageID"));
	print_ports(spec, out);
	describe_seccomp(spec, "    ", 16, out);
	if (*text_at(spec, "restartPolicy"))
		line(out, "Restart Policy:", text_at(spec, "restartPolicy"));
	print_words("Command", json_at(spec, "command"), out);
	print_words("Args", json_at(spec, "args"), out);
	print_run("State:", json_at(status, "state"), out);
	if (json_at(status, "lastState.terminated"))
		print_run("Last State:", json_at(status, "lastState"), out);
	line(out, "Ready:", json_object_get_boolean(json_at(status, "ready")) ? "True" : "False");
	line(out, "Restart Count:", text_at(status, "restartCount"));
	describe_rules(spec, out);
	describe_environment(record->pod, spec, out);
	print_mounts(spec, out);
	print_denials(json_at(record->denials, name), out);
}

void describe_containers(const struct record *record, bool init, FILE *out)
{
	struct json_object *specs = json_at(record->pod, init ? "spec.initContainers" : "spec.containers");
	struct json_object *statuses =
		json_at(record->pod, init ? "status.initContainerStatuses" : "status.containerStatuses");

	if (!specs || !json_object_array_length(specs))
		return;
	fprintf(out, init ? "Init Containers:\n" : "Containers:\n");
	for (size_t i = 0; i < json_object_array_length(specs); i++)
		print_container(record, json_object_array_get_idx(specs, i),
			json_object_array_get_idx(statuses, i), out);
}

/* ---- events ---- */

enum { EVENT_TYPE, EVENT_REASON, EVENT_AGE, EVENT_FROM, EVENT_MESSAGE, EVENT_COUNT };

static char *age_of(struct json_object *event)
{
	cleanup_free char *last = human_age(time_at(event, "lastTimestamp"));
	cleanup_free char *first = human_age(time_at(event, "firstTimestamp"));

	if (json_object_get_int(json_at(event, "count")) > 1)
		return xasprintf("%s (x%s over %s)", last, text_at(event, "count"), first);
	return xstrdup(first);
}

static void fill(char *cells[EVENT_COUNT], struct json_object *event)
{
	const char *path = text_at(event, "involvedObject.fieldPath");

	cells[EVENT_TYPE] = xstrdup(text_at(event, "type"));
	cells[EVENT_REASON] = xstrdup(text_at(event, "reason"));
	cells[EVENT_AGE] = age_of(event);
	cells[EVENT_FROM] = xstrdup(text_at(event, "source.component"));
	cells[EVENT_MESSAGE] = xasprintf("%s%s%s", path, *path ? ": " : "", text_at(event, "message"));
}

void describe_events(const struct record *record, FILE *out)
{
	static const char *const heads[][EVENT_COUNT] = {
		{"Type", "Reason", "Age", "From", "Message"}, {"----", "------", "----", "----", "-------"}};
	size_t n = record->events ? json_object_array_length(record->events) : 0;
	char *(*cells)[EVENT_COUNT] = xcalloc(n, sizeof(*cells));
	int widths[EVENT_COUNT];

	for (size_t i = 0; i < n; i++)
		fill(cells[i], json_object_array_get_idx(record->events, i));
	for (int c = 0; c < EVENT_COUNT; c++) {
		widths[c] = (int)strlen(heads[1][c]) > (int)strlen(heads[0][c]) ? (int)strlen(heads[1][c])
										: (int)strlen(heads[0][c]);
		for (size_t i = 0; i < n; i++)
			if ((int)strlen(cells[i][c]) > widths[c])
				widths[c] = (int)strlen(cells[i][c]);
	}
	fprintf(out, n ? "Events:\n" : "Events:                      <none>\n");
	for (size_t i = 0; n && i < n + 2; i++)
		for (int c = 0; c < EVENT_COUNT; c++) {
			const char *cell = i < 2 ? heads[i][c] : cells[i - 2][c];

			if (c + 1 < EVENT_COUNT)
				fprintf(out, "  %-*s", widths[c], cell);
			else
				fprintf(out, "  %s\n", cell);
		}
	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < EVENT_COUNT; c++)
			free(cells[i][c]);
	free(cells);
}
