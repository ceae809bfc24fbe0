/* `minirun describe`: a pod in full, in kubectl's layout, with what was refused to each container. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/describe.h"
#include "runner/plan/paths.h"
#include "runner/verbs/targets.h"

static void print_pairs(const char *title, struct json_object *pairs, FILE *out)
{
	const char *head = title;

	if (!pairs || !json_object_object_length(pairs)) {
		fprintf(out, "%-18s<none>\n", title);
		return;
	}
	json_object_object_foreach(pairs, key, value)
	{
		bool label = !strncmp(title, "Labels", 6);

		fprintf(out, "%-18s%s%s%s\n", head, key, label ? "=" : ": ", json_object_get_string(value));
		head = "";
	}
}

static void print_head(const struct record *record, FILE *out)
{
	struct json_object *pod = record->pod;
	char host[HOST_NAME_MAX + 1] = "";
	char time[64];

	gethostname(host, sizeof(host) - 1);
	fprintf(out, "%-18s%s\n", "Name:", record->name);
	fprintf(out, "%-18s%s\n", "Namespace:", text_at(pod, "metadata.namespace"));
	fprintf(out, "%-18s%s\n", "Priority:", "0");
	fprintf(out, "%-18s%s\n", "Node:", host);
	fprintf(out, "%-18s%s\n",
		"Start Time:", describe_time(time_at(pod, "status.startTime"), time, sizeof(time)));
	print_pairs("Labels:", json_at(pod, "metadata.labels"), out);
	print_pairs("Annotations:", json_at(pod, "metadata.annotations"), out);
	if (json_at(pod, "metadata.deletionTimestamp")) {
		cleanup_free char *age = human_age(time_at(pod, "metadata.deletionTimestamp"));

		fprintf(out, "%-18sTerminating (lasts %s)\n", "Status:", age);
		fprintf(out, "%-18s%ss\n",
			"Termination Grace Period:", text_at(pod, "metadata.deletionGracePeriodSeconds"));
	} else {
		fprintf(out, "%-18s%s\n", "Status:", text_at(pod, "status.phase"));
	}
	if (*text_at(pod, "status.reason"))
		fprintf(out, "%-18s%s\n", "Reason:", text_at(pod, "status.reason"));
	if (*text_at(pod, "status.message"))
		fprintf(out, "%-18s%s\n", "Message:", text_at(pod, "status.message"));
	describe_seccomp(json_at(pod, "spec"), "", 18, out);
	fprintf(out, "%-18s\n%-18s<none>\n", "IP:", "IPs:");
}

static void print_gates(struct json_object *pod, FILE *out)
{
	struct json_object *gates = json_at(pod, "spec.readinessGates");
	size_t n = gates ? json_object_array_length(gates) : 0;

	if (n)
		fprintf(out, "Readiness Gates:\n  Type  Status\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %s   <none> \n",
			text_at(json_object_array_get_idx(gates, i), "conditionType"));
}

static void print_conditions(struct json_object *pod, FILE *out)
{
	struct json_object *list = json_at(pod, "status.conditions");
	int width = (int)strlen("Type");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		int n = (int)strlen(text_at(json_object_array_get_idx(list, i), "type"));

		width = n > width ? n : width;
	}
	fprintf(out, "Conditions:\n  %-*s   Status\n", width, "Type");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *condition = json_object_array_get_idx(list, i);

		fprintf(out, "  %-*s   %s \n", width, text_at(condition, "type"),
			text_at(condition, "status"));
	}
}

static int describe(const char *root, const char *namespace, const char *name, struct error *err)
{
	struct record record;

	if (catalog_read(root, namespace, name, &record, err) < 0)
		return -1;
	print_head(&record, stdout);
	describe_containers(&record, true, stdout);
	describe_containers(&record, false, stdout);
	print_gates(record.pod, stdout);
	print_conditions(record.pod, stdout);
	describe_volumes(record.pod, stdout);
	printf("%-29s%s\n", "QoS Class:", text_at(record.pod, "status.qosClass"));
	printf("%-29s%s\n", "Node-Selectors:", "<none>");
	printf("%-29s%s\n", "Tolerations:", "<none>");
	describe_events(&record, stdout);
	record_free(&record);
	return 0;
}

/* All of them, unless some are meant. */
static int name_all(const char *root, struct targets *targets, struct error *err)
{
	struct record *records;
	size_t n;

	if (catalog_list(root, targets->namespace, &records, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		strv_push(&targets->names, xstrdup(records[i].name));
		record_free(&records[i]);
	}
	free(records);
	return 0;
}

int cmd_describe(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	cleanup_targets struct targets targets = {0};
	int result = 0;

	if (!root || targets_read(invocation, root, &targets, err) < 0 ||
		(targets.none && name_all(root, &targets, err) < 0))
		return -1;
	if (!targets.names.n)
		catalog_mention_none(targets.namespace);
	for (size_t i = 0; i < targets.names.n && result == 0; i++) {
		printf("%s", i ? "\n\n" : "");
		result = describe(root, targets.namespace, targets.names.items[i], err);
	}
	return result;
}
