/* What a container may do, told to people: capabilities, the locks and what lint says of them, limits. */
#include "runner/verbs/explain.h"

#include <string.h>

#include "base/cleanup.h"
#include "runner/plan/limits.h"

static void print_capabilities(const struct planned *item, FILE *out)
{
	capability_set set = item->container.credentials.capabilities;
	unsigned int n = 0;

	explain_label("capabilities", out);
	if (!set)
		fputs("none", out);
	for (unsigned int i = 0; i < 64; i++) {
		const char *name = set >> i & 1 ? capability_name(i) : NULL;

		if (!name)
			continue;
		if (n && n % 7 == 0) {
			putc('\n', out);
			explain_label("", out);
		} else if (n) {
			putc(' ', out);
		}
		fputs(name, out);
		n++;
	}
	putc('\n', out);
}

/* The earlier container of which the same is to be said, or index. */
static size_t first_alike(const struct explanation *explanation, size_t index)
{
	const struct findings *own = &explanation->findings[index];

	for (size_t i = 0; i < index; i++) {
		const struct findings *other = &explanation->findings[i];
		size_t same = 0;

		if (explanation->plan->items[i].profile != explanation->plan->items[index].profile ||
			other->n != own->n)
			continue;
		while (same < own->n && !strcmp(own->items[same].text, other->items[same].text))
			same++;
		if (same == own->n)
			return i;
	}
	return index;
}

/* What lint says: errors and warnings whole, the rest by number. */
static void print_findings(const struct explanation *explanation, size_t index, FILE *out)
{
	const struct findings *findings = &explanation->findings[index];
	size_t alike = first_alike(explanation, index);
	size_t infos = 0;

	if (alike != index && findings->n) {
		explain_label("", out);
		fprintf(out, "what lint says of it: see %s\n", explanation->plan->items[alike].spec->name);
		return;
	}
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];

		if (f->severity == SEVERITY_INFO) {
			infos++;
			continue;
		}
		explain_label("", out);
		fprintf(out, "%s: line %u: %s%s%s%s [%s]\n", severity_name(f->severity), f->line, f->text,
			f->hint ? " (" : "", f->hint ? f->hint : "", f->hint ? ")" : "", f->code);
	}
	if (infos) {
		explain_label("", out);
		fprintf(out, "and %zu remark%s: minirun lint %s\n", infos, infos == 1 ? "" : "s",
			findings->file);
	}
}

static void print_seccomp(const struct explanation *explanation, size_t index, FILE *out)
{
	const struct planned *item = &explanation->plan->items[index];
	const struct planned_profile *profile = item->profile;
	enum profile_type type = explain_seccomp_choice(explanation, index)->type;

	explain_label("seccomp", out);
	if (!profile)
		fprintf(out, "unconfined%s\n",
			item->privileged && type != PROFILE_UNSET ? ": the container is privileged"
			: type == PROFILE_UNSET                   ? ": no seccompProfile is given"
								  : "");
	else if (type == PROFILE_LOCALHOST && !profile->source)
		fprintf(out, "%s, which wasn't found\n", profile->name);
	else if (!profile->filter.insns)
		fprintf(out, "%s, which can't be used\n", profile->name);
	else if (profile->allowed == SECCOMP_ALLOWS_BY_DEFAULT)
		fprintf(out, "%s allows by default\n", profile->name);
	else
		fprintf(out, "%s allows %u calls by name (this architecture has %u)\n", profile->name,
			profile->allowed, seccomp_known_calls());
	if (profile && profile->source) {
		explain_label("", out);
		fprintf(out, "found at %s\n", profile->source);
	}
	print_findings(explanation, index, out);
}

/* Of a container that may mount: of others it is their mounts that refuse. */
static void print_devices(FILE *out)
{
	struct error err = {0};
	bool named = cgroup_can_note_devices(&err) == 0;

	explain_label("devices", out);
	fputs("the usual, and those that volumes mount by name; its cgroup refuses others, which ", out);
	if (named)
		fputs("is named\n", out);
	else
		fprintf(out, "can't be named here: %s\n", err.message);
}

void explain_locks(const struct explanation *explanation, size_t index, FILE *out)
{
	const struct planned *item = &explanation->plan->items[index];
	const struct profile_choice *apparmor = explain_apparmor_choice(explanation, index);
	cleanup_free char *told = plan_apparmor_told(item, apparmor->type);
	cleanup_free char *limits = NULL;

	if (item->privileged) {
		explain_label("privileged", out);
		fputs("yes: the container can do to the host whatever its user can\n", out);
	}
	print_capabilities(item, out);
	explain_label("no_new_privs", out);
	fputs(item->locks.no_new_privs
			? "on: allowPrivilegeEscalation is false\n"
			: "off: setuid programs work; allowPrivilegeEscalation: false sets it\n",
		out);
	explain_label("AppArmor", out);
	fprintf(out, "%s\n", told);
	if (plan_names_devices(explanation->plan, item))
		print_devices(out);
	print_seccomp(explanation, index, out);
	limits = limits_describe(&item->limits, item->storage_limit);
	explain_label("limits", out);
	fprintf(out, "%s\n", limits);
}
