/*
 * The volumes of a manifest, and the mounts of its containers.
 *
 * After ValidateVolumes and ValidateVolumeMounts of pkg/apis/core/validation. A volume whose source we don't know how
 * to fill is an error where it is mounted, since the program would run without what it needs, else a warning.
 */
#include "runner/manifest/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/fields.h"
#include "runner/manifest/names.h"
#include "runner/manifest/quantity.h"

static const struct choice mediums[] = {
	{"", false},
	{"Memory", true},
};

static const struct choice recursions[] = {
	{"Disabled", 0},
	{"Enabled", 1},
	{"IfPossible", 2},
};

/* In the order of the API server's message. */
static const struct choice host_path_types[] = {
	{"", HOST_PATH_UNCHECKED},
	{"BlockDevice", HOST_PATH_BLOCK_DEVICE},
	{"CharDevice", HOST_PATH_CHAR_DEVICE},
	{"Directory", HOST_PATH_DIRECTORY},
	{"DirectoryOrCreate", HOST_PATH_DIRECTORY_OR_CREATE},
	{"File", HOST_PATH_FILE},
	{"FileOrCreate", HOST_PATH_FILE_OR_CREATE},
	{"Socket", HOST_PATH_SOCKET},
};

static void read_empty_dir(const struct cursor *at, struct volume *volume)
{
	struct cursor medium = cursor_get(at, "medium"), limit = cursor_get(at, "sizeLimit");
	const char *text = limit.node ? limit.node->text : NULL, *wrong;
	bool negative;

	volume->kind = VOLUME_EMPTY_DIR;
	volume->memory = cursor_choice(&medium, mediums, array_length(mediums), false);
	if (!text || limit.node->kind == NODE_BOOL)
		return;
	wrong = quantity_parse(text, &negative, &volume->size_limit);
	if (wrong)
		cursor_invalid(&limit, "%s", wrong);
	else if (negative && volume->size_limit > 0)
		cursor_forbidden(&limit, "SizeLimit field must be a valid resource quantity");
}

static void read_host_path(const struct cursor *at, struct volume *volume)
{
	struct cursor path = cursor_get(at, "path"), type = cursor_get(at, "type");
	const char *text = cursor_string(&path);

	volume->kind = VOLUME_HOST_PATH;
	if (!path.node || (text && !*text))
		cursor_required(&path, NULL);
	else
		names_check_absolute(&path);
	volume->host_path = xstrdup(text);
	volume->host_path_type = (enum host_path_type)cursor_choice(
		&type, host_path_types, array_length(host_path_types), HOST_PATH_UNCHECKED);
}

/* What is filled by manifest_projection.c, once it is known who mounts it. */
static const struct choice filled[] = {
	{"configMap", VOLUME_CONFIG_MAP},
	{"downwardAPI", VOLUME_DOWNWARD},
	{"projected", VOLUME_PROJECTED},
	{"secret", VOLUME_SECRET},
};

static enum volume_kind kind_of(const char *source)
{
	for (size_t i = 0; i < array_length(filled); i++)
		if (!strcmp(source, filled[i].word))
			return (enum volume_kind)filled[i].value;
	return VOLUME_UNSUPPORTED;
}

void volume_free(struct volume *volume)
{
	free(volume->name);
	free(volume->host_path);
	for (size_t i = 0; i < volume->n_entries; i++) {
		free(volume->entries[i].path);
		free(volume->entries[i].owned);
		free(volume->entries[i].source);
	}
	free(volume->entries);
}

/* The sources of a volume, of which there may be one; with none it is an emptyDir (SetDefaults_Volume). */
static void read_sources(const struct cursor *at, struct volume *volume)
{
	size_t sources = 0;

	for (size_t i = 0; i < cursor_entries(at); i++) {
		struct cursor source = cursor_entry(at, i);

		source.bracket = false;
		if (!source.node || !strcmp(source.key, "name") || !fields_find(&fields_volume, source.key))
			continue;
		if (++sources > 1) {
			cursor_forbidden(&source, "may not specify more than 1 volume type");
			continue;
		}
		if (!strcmp(source.key, "emptyDir"))
			read_empty_dir(&source, volume);
		else if (!strcmp(source.key, "hostPath"))
			read_host_path(&source, volume);
		else
			volume->kind = kind_of(source.key);
	}
	if (sources == 0)
		volume->kind = VOLUME_EMPTY_DIR;
}

static const struct volume *find_volume(const struct pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->n_volumes; i++)
		if (pod->volumes[i].name && !strcmp(pod->volumes[i].name, name))
			return &pod->volumes[i];
	return NULL;
}

/* The volume that was meant by a name that none has; NULL: none is near. */
static const char *nearest_volume(const struct pod *pod, const char *name)
{
	cleanup_free const char **names = xcalloc(pod->n_volumes + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < pod->n_volumes; i++)
		if (pod->volumes[i].name)
			names[n++] = pod->volumes[i].name;
	return text_nearest(name, names, n);
}

void manifest_volumes(const struct cursor *spec, struct pod *pod)
{
	struct cursor list = cursor_get(spec, "volumes");

	pod->volumes = xcalloc(cursor_items(&list), sizeof(*pod->volumes));
	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i), name = cursor_get(&item, "name");
		const char *text = cursor_string(&name);
		struct volume *volume = &pod->volumes[pod->n_volumes];

		if (!name.node || (text && !*text))
			cursor_required(&name, NULL);
		else if (text && find_volume(pod, text))
			cursor_duplicate(&name);
		else
			names_check_label(&name);
		volume->name = xstrdup(text);
		read_sources(&item, volume);
		pod->n_volumes++;
	}
}

/* /proc and what is below it: a volume there would answer in the kernel's name (CVE-2019-16884). */
static bool is_in_proc(const char *path)
{
	while (path[0] == '/' && (path[1] == '/' || (path[1] == '.' && (path[2] == '/' || !path[2]))))
		path += path[1] == '/' ? 1 : 2;
	return text_starts_with(path, "/proc") && (path[5] == '/' || !path[5]);
}

static void check_mount_path(const struct cursor *at, const struct container_spec *spec)
{
	const char *path = cursor_string(at);
	const char *wrong = NULL;

	if (!at->node || (path && !*path)) {
		cursor_required(at, NULL);
		return;
	}
	if (!path)
		return;
	for (size_t i = 0; i < spec->n_mounts && !wrong; i++)
		if (spec->mounts[i].mount_path && !strcmp(spec->mounts[i].mount_path + (*path != '/'), path))
			wrong = "must be unique";
	if (!wrong && strchr(path, ':'))
		wrong = "must not contain ':'";
	if (!wrong && names_has_backsteps(path))
		wrong = "must not contain '..'";
	if (!wrong && strspn(path, "/.") == strlen(path))
		wrong = "must not be the root of the container";
	if (!wrong && is_in_proc(path))
		wrong = "must not be inside /proc";
	if (wrong)
		cursor_invalid(at, "%s", wrong);
}

/* A read-only mount is always so with what is mounted below it: there is nothing to act on, but much to get wrong. */
static void check_recursion(const struct cursor *at, bool read_only)
{
	struct cursor recursion = cursor_get(at, "recursiveReadOnly");
	struct cursor propagation = cursor_get(at, "mountPropagation");
	const char *mode = cursor_string(&propagation);

	if (!recursion.node)
		return;
	cursor_choice(&recursion, recursions, array_length(recursions), 0);
	if (!read_only)
		cursor_forbidden(&recursion, "may only be specified when readOnly is true");
	if (mode && *mode && strcmp(mode, "None") != 0)
		cursor_forbidden(
			&recursion, "may only be specified when mountPropagation is None or not specified");
}

static void read_mount(const struct cursor *at, struct container_spec *spec, const struct pod *pod)
{
	struct cursor name = cursor_get(at, "name"), path = cursor_get(at, "mountPath");
	struct cursor sub_path = cursor_get(at, "subPath"), read_only = cursor_get(at, "readOnly");
	const char *volume_name = cursor_string(&name), *text = cursor_string(&path);
	const char *sub = cursor_string(&sub_path);
	const struct volume *volume = volume_name ? find_volume(pod, volume_name) : NULL;
	struct volume_mount *mount = &spec->mounts[spec->n_mounts];

	if (!name.node || (volume_name && !*volume_name))
		cursor_required(&name, NULL);
	else if (volume_name && !volume)
		cursor_not_found(&name, nearest_volume(pod, volume_name));
	check_mount_path(&path, spec);
	names_check_descending(&sub_path);
	mount->name = xstrdup(volume_name);
	/* A relative one hangs from the root (the kubelet's MakeAbsolutePath). */
	if (text)
		mount->mount_path = xasprintf("%s%s", *text == '/' ? "" : "/", text);
	mount->sub_path = sub && *sub ? xstrdup(sub) : NULL;
	mount->read_only = cursor_bool(&read_only, false);
	check_recursion(at, mount->read_only);
	mount->volume = volume ? (size_t)(volume - pod->volumes) : 0;
	spec->n_mounts++;
}

void manifest_mounts(const struct cursor *container, struct container_spec *spec, const struct pod *pod)
{
	struct cursor list = cursor_get(container, "volumeMounts");

	spec->mounts = xcalloc(cursor_items(&list), sizeof(*spec->mounts));
	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i);

		read_mount(&item, spec, pod);
	}
}

/* The init containers first. */
static const struct container_spec *container_at(const struct pod *pod, size_t index)
{
	return index < pod->n_init_containers ? &pod->init_containers[index]
					      : &pod->containers[index - pod->n_init_containers];
}

/* The name of the first container that mounts a volume, or NULL. */
static const char *find_user(const struct pod *pod, const struct volume *volume)
{
	for (size_t i = 0; volume->name && i < pod->n_init_containers + pod->n_containers; i++) {
		const struct container_spec *container = container_at(pod, i);

		for (size_t j = 0; j < container->n_mounts; j++)
			if (container->mounts[j].name && !strcmp(container->mounts[j].name, volume->name))
				return container->name ? container->name : "?";
	}
	return NULL;
}

static bool is_of_cluster(const struct volume *volume)
{
	return volume->name && text_starts_with(volume->name, "kube-api-access-");
}

static void report_source(const struct cursor *source, const struct volume *volume, const char *user)
{
	const struct field *field = fields_find(&fields_volume, source->key);

	if (!user)
		cursor_warn(source,
			"known, not supported here: nothing mounts the volume, so nothing is missing");
	else
		cursor_add(source, SEVERITY_ERROR,
			is_of_cluster(volume)
				? "the cluster added this volume: remove it and its volumeMounts"
				: "put the files into a folder and use hostPath",
			"known, not supported here: %s from container \"%s\"",
			is_of_cluster(volume) ? "its content would be missing" : field->note, user);
}

/* As under the kubelet, a subPath that isn't there becomes an empty folder; nobody means that in a volume of files. */
static void check_sub_paths(const struct cursor *spec, const struct pod *pod, bool init)
{
	struct cursor list = cursor_get(spec, init ? "initContainers" : "containers");

	for (size_t i = 0; i < (init ? pod->n_init_containers : pod->n_containers); i++) {
		const struct container_spec *container =
			init ? &pod->init_containers[i] : &pod->containers[i];
		struct cursor item = cursor_item(&list, i), mounts = cursor_get(&item, "volumeMounts");

		for (size_t j = 0; j < container->n_mounts; j++) {
			struct cursor mount = cursor_item(&mounts, j), at = cursor_get(&mount, "subPath");
			const struct volume *volume =
				pod->n_volumes ? &pod->volumes[container->mounts[j].volume] : NULL;

			if (container->mounts[j].sub_path && volume && volume_has_entries(volume) &&
				!volume_has_path(volume, container->mounts[j].sub_path))
				cursor_warn(&at, "the volume has no such file: an empty folder is mounted in "
						 "its place");
		}
	}
}

void manifest_sources(const struct cursor *spec, struct pod *pod)
{
	struct cursor list = cursor_get(spec, "volumes");

	for (size_t i = 0; i < pod->n_volumes; i++) {
		struct cursor item = cursor_item(&list, i);
		const char *user = find_user(pod, &pod->volumes[i]);

		for (size_t j = 0; j < cursor_entries(&item); j++) {
			struct cursor source = cursor_entry(&item, j);
			const struct field *field = fields_find(&fields_volume, source.key);

			source.bracket = false;
			if (!source.node || !field)
				continue;
			if (field->use == USE_SOURCE ||
				(is_of_cluster(&pod->volumes[i]) && !strcmp(source.key, "projected")))
				report_source(&source, &pod->volumes[i], user);
			else if (kind_of(source.key) == pod->volumes[i].kind)
				manifest_projection(&source, spec, pod, user != NULL, &pod->volumes[i]);
		}
	}
	check_sub_paths(spec, pod, true);
	check_sub_paths(spec, pod, false);
}
