/* The plan of a pod, told to tools: one JSON document. Its names are those of the manifest where it has one. */
#include <stdlib.h>
#include <string.h>

#include "runner/verbs/explain.h"
#include "runner/plan/limits.h"
#include "runner/verbs/lint.h"

static void add_string(struct json_object *json, const char *key, const char *value)
{
	json_object_object_add(json, key, value ? json_object_new_string(value) : NULL);
}

static void add_bool(struct json_object *json, const char *key, bool value)
{
	json_object_object_add(json, key, json_object_new_boolean(value));
}

static void add_number(struct json_object *json, const char *key, int64_t value)
{
	json_object_object_add(json, key, json_object_new_int64(value));
}

static struct json_object *list(const char *const *words)
{
	struct json_object *json = json_object_new_array();

	for (; words && *words; words++)
		json_object_array_add(json, json_object_new_string(*words));
	return json;
}

static struct json_object *image_json(const struct planned *item)
{
	static const char *const policies[] = {
		[PULL_ALWAYS] = "Always", [PULL_IF_NOT_PRESENT] = "IfNotPresent", [PULL_NEVER] = "Never"};
	struct json_object *json = json_object_new_object();

	add_string(json, "name", item->image.name ? item->image.name : item->spec->image);
	add_bool(json, "stored", item->image.name != NULL);
	add_string(json, "pullPolicy", policies[plan_pull_policy(item->spec, &item->image)]);
	if (item->image.name) {
		add_string(json, "digest", item->image.digest);
		json_object_object_add(json, "size", json_object_new_uint64(item->image.size));
	}
	return json;
}

static struct json_object *user_json(const struct plan *plan, const struct planned *item)
{
	const struct credentials *credentials = &item->container.credentials;
	struct json_object *json = json_object_new_object();
	struct json_object *groups = json_object_new_array();

	/* A name is translated in the container: its number isn't known here. */
	if (item->container.user) {
		add_string(json, "name", item->container.user);
	} else {
		add_number(json, "uid", credentials->uid);
		/* A range of the pod's own is found when it starts. */
		if (!plan->own_users)
			add_number(json, "hostUid", userns_outer_uid(credentials->uid));
	}
	if (item->container.group)
		add_string(json, "group", item->container.group);
	else if (!item->container.user || !item->container.gid_from_image)
		add_number(json, "gid", credentials->gid);
	add_bool(json, "gidFromImage", item->container.gid_from_image);
	for (size_t i = 0; i < credentials->n_groups; i++)
		json_object_array_add(groups, json_object_new_int64(credentials->groups[i]));
	json_object_object_add(json, "supplementalGroups", groups);
	return json;
}

static struct json_object *namespaces_json(const struct pod *pod)
{
	struct json_object *json = json_object_new_object();
	struct namespaces_told told;

	explain_namespaces(pod, &told);
	json_object_object_add(json, "new", list(told.own));
	json_object_object_add(json, "pod", list(told.pod));
	json_object_object_add(json, "host", list(told.host));
	return json;
}

static struct json_object *mounts_json(const struct pod *pod, const struct planned *item)
{
	struct json_object *json = json_object_new_array();

	for (size_t i = 0; i < item->spec->n_mounts; i++) {
		const struct volume_mount *mount = &item->spec->mounts[i];
		const struct volume *volume = &pod->volumes[mount->volume];
		struct json_object *one = json_object_new_object();

		add_string(one, "mountPath", mount->mount_path);
		add_string(one, "volume", mount->name);
		if (mount->sub_path)
			add_string(one, "subPath", mount->sub_path);
		if (volume->kind == VOLUME_HOST_PATH)
			add_string(one, "hostPath", volume->host_path);
		add_bool(one, "readOnly",
			mount->read_only || volume_has_entries(&pod->volumes[mount->volume]));
		json_object_array_add(json, one);
	}
	return json;
}

static struct json_object *capabilities_json(capability_set set)
{
	struct json_object *json = json_object_new_array();

	for (unsigned int i = 0; i < 64; i++)
		if (set >> i & 1 && capability_name(i))
			json_object_array_add(json, json_object_new_string(capability_name(i)));
	return json;
}

static const char *type_name(enum profile_type type)
{
	static const char *const names[] = {
		[PROFILE_UNSET] = "Unconfined",
		[PROFILE_UNCONFINED] = "Unconfined",
		[PROFILE_RUNTIME_DEFAULT] = "RuntimeDefault",
		[PROFILE_LOCALHOST] = "Localhost",
	};

	return names[type];
}

static struct json_object *seccomp_json(const struct explanation *explanation, size_t index)
{
	const struct planned *item = &explanation->plan->items[index];
	const struct planned_profile *profile = item->profile;
	const struct profile_choice *choice = explain_seccomp_choice(explanation, index);
	struct json_object *json = json_object_new_object();
	struct json_object *findings = json_object_new_array();

	add_string(json, "type", type_name(profile ? choice->type : PROFILE_UNCONFINED));
	if (profile) {
		bool by_default = profile->allowed == SECCOMP_ALLOWS_BY_DEFAULT;

		add_string(json, "profile", profile->name);
		if (profile->source)
			add_string(json, "source", profile->source);
		add_bool(json, "usable", profile->filter.insns != NULL);
		add_bool(json, "allowsByDefault", by_default);
		if (!by_default)
			add_number(json, "allowed", profile->allowed);
		add_number(json, "known", seccomp_known_calls());
		add_number(json, "instructions", profile->filter.length);
	}
	lint_add_json(findings, &explanation->findings[index]);
	json_object_object_add(json, "findings", findings);
	return json;
}

/* What it comes to: without an appArmorProfile, AppArmor enabled, it is RuntimeDefault. */
static enum profile_type apparmor_type(const struct explanation *explanation, size_t index)
{
	enum profile_type type = explain_apparmor_choice(explanation, index)->type;

	if (!explanation->plan->items[index].locks.apparmor)
		return PROFILE_UNCONFINED;
	return type == PROFILE_UNSET ? PROFILE_RUNTIME_DEFAULT : type;
}

/* What the cgroup will be told: memory in bytes, cpu in thousandths of a processor; what isn't limited is left out. */
static struct json_object *limits_json(const struct cgroup_limits *limits, uint64_t storage)
{
	struct json_object *json = json_object_new_object();

	if (limits->memory)
		json_object_object_add(json, "memory", json_object_new_uint64(limits->memory));
	if (limits->cpu_quota)
		json_object_object_add(json, "milliCPU", json_object_new_uint64(limits->cpu_quota / 100));
	if (limits->pids)
		json_object_object_add(json, "pids", json_object_new_uint64(limits->pids));
	if (storage)
		json_object_object_add(json, "ephemeralStorage", json_object_new_uint64(storage));
	return json;
}

static struct json_object *container_json(const struct explanation *explanation, size_t index)
{
	const struct plan *plan = explanation->plan;
	const struct planned *item = &plan->items[index];
	struct json_object *json = json_object_new_object();
	struct json_object *apparmor = json_object_new_object();

	add_string(json, "name", item->spec->name);
	add_bool(json, "init", item->is_init);
	json_object_object_add(json, "image", image_json(item));
	json_object_object_add(json, "argv", list((const char *const *)item->argv_shown));
	add_string(json, "workingDir", item->container.cwd);
	json_object_object_add(json, "env", list((const char *const *)item->env_shown));
	json_object_object_add(json, "user", user_json(plan, item));
	json_object_object_add(json, "namespaces", namespaces_json(plan->pod));
	add_bool(json, "readOnlyRootFilesystem", item->read_only_root);
	json_object_object_add(json, "mounts", mounts_json(plan->pod, item));
	json_object_object_add(json, "imageVolumes", list((const char *const *)item->image.config.volumes));
	add_number(json, "stopSignal", item->stop_signal);
	add_bool(json, "privileged", item->privileged);
	json_object_object_add(
		json, "capabilities", capabilities_json(item->container.credentials.capabilities));
	add_bool(json, "noNewPrivs", item->locks.no_new_privs);
	add_string(apparmor, "type", type_name(apparmor_type(explanation, index)));
	if (item->locks.apparmor)
		add_string(apparmor, "profile", item->locks.apparmor);
	if (item->locks.apparmor && apparmor_available())
		add_string(apparmor, "mode", apparmor_mode_name(item->apparmor_mode));
	json_object_object_add(json, "appArmor", apparmor);
	if (plan_names_devices(plan, item))
		add_bool(json, "refusedDevicesNamed", cgroup_can_note_devices(&(struct error){0}) == 0);
	json_object_object_add(json, "seccomp", seccomp_json(explanation, index));
	json_object_object_add(json, "limits", limits_json(&item->limits, item->storage_limit));
	return json;
}

static struct json_object *files_json(const struct volume *volume)
{
	struct json_object *files = json_object_new_array();

	for (size_t i = 0; i < volume->n_entries; i++) {
		const struct volume_entry *entry = &volume->entries[i];
		struct json_object *file = json_object_new_object();

		add_string(file, "path", entry->path);
		add_number(file, "mode", entry->mode);
		add_number(file, "size", (int64_t)entry->size);
		add_string(file, "source", entry->source);
		json_object_array_add(files, file);
	}
	return files;
}

struct json_object *explain_json(const struct explanation *explanation)
{
	static const char *const policies[] = {
		[RESTART_ALWAYS] = "Always", [RESTART_ON_FAILURE] = "OnFailure", [RESTART_NEVER] = "Never"};
	static const char *const kinds[] = {
		[VOLUME_EMPTY_DIR] = "emptyDir",
		[VOLUME_HOST_PATH] = "hostPath",
		[VOLUME_CONFIG_MAP] = "configMap",
		[VOLUME_SECRET] = "secret",
		[VOLUME_DOWNWARD] = "downwardAPI",
		[VOLUME_PROJECTED] = "projected",
		[VOLUME_UNSUPPORTED] = "unsupported",
	};
	const struct pod *pod = explanation->plan->pod;
	struct json_object *json = json_object_new_object();
	struct json_object *volumes = json_object_new_array();
	struct json_object *containers = json_object_new_array();

	add_string(json, "pod", pod->name);
	add_string(json, "namespace", pod->namespace);
	add_string(json, "hostname", pod->hostname);
	add_string(json, "restartPolicy", policies[pod->restart_policy]);
	add_number(json, "terminationGracePeriodSeconds", pod->termination_grace_period);
	add_string(json, "qosClass", limits_qos_class(pod));
	json_object_object_add(
		json, "limits", limits_json(&explanation->plan->limits, explanation->plan->storage_limit));
	for (size_t i = 0; i < pod->n_volumes; i++) {
		struct json_object *one = json_object_new_object();

		add_string(one, "name", pod->volumes[i].name);
		add_string(one, "kind", kinds[pod->volumes[i].kind]);
		if (pod->volumes[i].host_path)
			add_string(one, "path", pod->volumes[i].host_path);
		add_bool(one, "memory", pod->volumes[i].memory);
		if (pod->volumes[i].size_limit)
			json_object_object_add(
				one, "sizeLimit", json_object_new_uint64(pod->volumes[i].size_limit));
		if (volume_has_entries(&pod->volumes[i]))
			json_object_object_add(one, "files", files_json(&pod->volumes[i]));
		json_object_array_add(volumes, one);
	}
	json_object_object_add(json, "volumes", volumes);
	for (size_t i = 0; i < explanation->plan->n; i++)
		json_object_array_add(containers, container_json(explanation, i));
	json_object_object_add(json, "containers", containers);
	return json;
}
