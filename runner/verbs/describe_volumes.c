/* The volumes of a pod as kubectl describes them (describeVolumes of its pkg/describe). */
#include <string.h>

#include "runner/verbs/describe.h"

static const char *flag(struct json_object *source)
{
	return json_object_get_boolean(json_at(source, "optional")) ? "true" : "false";
}

static void print_empty_dir(struct json_object *empty, FILE *out)
{
	const char *limit = text_at(empty, "sizeLimit");

	fprintf(out, "    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)\n");
	fprintf(out, "    Medium:     %s\n", text_at(empty, "medium"));
	fprintf(out, "    SizeLimit:  %s\n", *limit ? limit : "<unset>");
}

static void print_host_path(struct json_object *host, FILE *out)
{
	fprintf(out, "    Type:          HostPath (bare host directory volume)\n");
	fprintf(out, "    Path:          %s\n", text_at(host, "path"));
	fprintf(out, "    HostPathType:  %s\n", text_at(host, "type"));
}

static void print_config_map(struct json_object *map, FILE *out)
{
	fprintf(out, "    Type:      ConfigMap (a volume populated by a ConfigMap)\n");
	fprintf(out, "    Name:      %s\n", text_at(map, "name"));
	fprintf(out, "    Optional:  %s\n", flag(map));
}

static void print_secret(struct json_object *secret, FILE *out)
{
	fprintf(out, "    Type:        Secret (a volume populated by a Secret)\n");
	fprintf(out, "    SecretName:  %s\n", text_at(secret, "secretName"));
	fprintf(out, "    Optional:    %s\n", flag(secret));
}

static void print_downward(struct json_object *downward, FILE *out)
{
	struct json_object *items = json_at(downward, "items");

	fprintf(out, "    Type:  DownwardAPI (a volume populated by information about the pod)\n");
	fprintf(out, "    Items:\n");
	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *field = text_at(item, "fieldRef.fieldPath");

		fprintf(out, "      %s -> %s\n", *field ? field : text_at(item, "resourceFieldRef.resource"),
			text_at(item, "path"));
	}
}

/* The widest of the words before a colon decides where the values stand. */
static void print_projected(struct json_object *projected, FILE *out)
{
	struct json_object *sources = json_at(projected, "sources");
	size_t n = sources ? json_object_array_length(sources) : 0;
	int width = (int)strlen("Type:");

	for (size_t i = 0; i < n; i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		const char *widest = json_at(source, "configMap") ? "ConfigMapName:"
				     : json_at(source, "secret")  ? "SecretName:"
								  : "DownwardAPI:";

		width = (int)strlen(widest) > width ? (int)strlen(widest) : width;
	}
	fprintf(out, "    %-*s  Projected (a volume that contains injected data from multiple sources)\n",
		width, "Type:");
	for (size_t i = 0; i < n; i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		struct json_object *map = json_at(source, "configMap"), *secret = json_at(source, "secret");

		if (map || secret)
			fprintf(out, "    %-*s  %s\n    %-*s  %s\n", width,
				map ? "ConfigMapName:" : "SecretName:", text_at(map ? map : secret, "name"),
				width, "Optional:", flag(map ? map : secret));
		else if (json_at(source, "downwardAPI"))
			fprintf(out, "    %-*s  true\n", width, "DownwardAPI:");
	}
}

static const struct {
	const char *source;
	void (*print)(struct json_object *source, FILE *out);
} kinds[] = {
	{"emptyDir", print_empty_dir},
	{"hostPath", print_host_path},
	{"configMap", print_config_map},
	{"secret", print_secret},
	{"projected", print_projected},
	{"downwardAPI", print_downward},
};

static void print_volume(struct json_object *volume, FILE *out)
{
	fprintf(out, "  %s:\n", text_at(volume, "name"));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (json_at(volume, kinds[i].source)) {
			kinds[i].print(json_at(volume, kinds[i].source), out);
			return;
		}
	json_object_object_foreach(volume, key, unused)
	{
		(void)unused;
		if (strcmp(key, "name") != 0)
			fprintf(out, "    Type:  %s\n", key);
	}
}

void describe_volumes(struct json_object *pod, FILE *out)
{
	struct json_object *list = json_at(pod, "spec.volumes");

	if (!list || !json_object_array_length(list)) {
		fprintf(out, "Volumes:                     <none>\n");
		return;
	}
	fprintf(out, "Volumes:\n");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_volume(json_object_array_get_idx(list, i), out);
}
