/* Records become the rules of a profile. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "security/apparmor_learned.h"
#include "security/apparmor_rules.h"
#include "tests/unit/unit.h"

#define OWN   "minirun-learn-1-0"
#define START "audit(1.2:3): apparmor=\"ALLOWED\" profile=\"" OWN "\" pid=7 comm=\"sh\" operation="

static void add(struct apparmor_learned *learned, const char *text)
{
	struct apparmor_record record;

	bool is_one = apparmor_record_parse(text, strlen(text), &record);

	expect(is_one);
	if (is_one)
		apparmor_learned_add(learned, &record, OWN);
	else
		printf("# no record: %s\n", text);
	apparmor_record_free(&record);
}

static void writes_rules(void)
{
	static const char *const records[] = {
		START "\"open\" name=\"/b\" requested_mask=\"wc\" denied_mask=\"wc\"",
		START "\"open\" name=\"/b\" requested_mask=\"r\" denied_mask=\"r\"",
		START "\"file_mmap\" name=\"/lib/c.so\" requested_mask=\"r\" denied_mask=\"r\"",
		"audit(1.2:3): apparmor=\"AUDIT\" operation=\"exec\" profile=\"" OWN
		"\" name=\"/bin/sh\" pid=7 comm=\"sh\" requested_mask=\"x\"",
		START "\"mkdir\" name=2F612062212F requested_mask=\"c\" denied_mask=\"c\"",
		START "\"open\" name=\"/x[*]\" requested_mask=\"r\" denied_mask=\"r\"",
		START "\"open\" name=\"/proc/123/stat\" requested_mask=\"r\" denied_mask=\"r\"",
		START "\"open\" name=\"/proc/99/stat\" requested_mask=\"r\" denied_mask=\"r\"",
		START "\"capable\" capability=0 capname=\"chown\"",
		START "\"create\" family=\"inet\" sock_type=\"stream\" protocol=6 requested_mask=\"create\" "
		      "denied_mask=\"create\"",
		START "\"signal\" requested_mask=\"send\" denied_mask=\"send\" signal=term peer=\"" OWN "\"",
		START "\"mount\" name=\"/mnt/\" fstype=\"tmpfs\" srcname=\"x\"",
	};
	struct apparmor_learned learned = {0}, all = {0};
	struct apparmor_rules rules;
	cleanup_free char *text = NULL;

	for (size_t i = 0; i < array_length(records); i++)
		add(&learned, records[i]);
	apparmor_learned_merge(&all, &learned);
	apparmor_learned_merge(&all, &learned);
	text = apparmor_learned_text(&all, "web", "by hand");
	expect_text(strstr(text, "profile"), "profile web flags=(attach_disconnected,mediate_deleted) {\n"
					     "  signal (receive) peer=unconfined,\n"
					     "\n  capability chown,\n"
					     "\n  network inet stream,\n"
					     "\n  mount fstype=tmpfs -> /mnt/,\n"
					     "\n  signal (send) set=(term) peer=@{profile_name},\n"
					     "\n  \"/a b!/\" w,\n"
					     "  /b rw,\n"
					     "  /bin/sh ix,\n"
					     "  /lib/c.so rm,\n"
					     "  /proc/[0-9]*/stat r,\n"
					     "  /x\\[\\*\\] r,\n"
					     "}\n");
	expect(text_starts_with(text, "# by hand\n"));
	expect(all.n == 10 && !all.beyond && !all.unknown);
	apparmor_rules_read(text, &rules);
	expect(rules.n == 11 && rules.n_profiles == 1);
	apparmor_rules_free(&rules);
	apparmor_learned_free(&learned);
	apparmor_learned_free(&all);
}

/* Names are the programs' own: none may end its rule, or its line. */
static void keeps_names_names(void)
{
	struct apparmor_learned learned = {0};
	cleanup_free char *text = NULL;
	struct apparmor_rules rules;

	/* "/a,\n  file,\n}\n", and a quote */
	add(&learned,
		START "\"open\" name=2F612C0A202066696C652C0A7D0A22 requested_mask=\"r\" denied_mask=\"r\"");
	add(&learned, START
		"\"signal\" requested_mask=\"send\" denied_mask=\"send\" signal=term peer=2C2066696C652C");
	add(&learned, START "\"capable\" capname=2C2066696C652C");
	text = apparmor_learned_text(&learned, "x\" {", NULL);
	expect(strstr(text, "profile \"x\\\" \\{\" flags"));
	expect(strstr(text, "  \"/a,\\012  file,\\012\\}\\012\\\"\" r,\n"));
	expect(!strstr(text, "\n  file"));
	expect(strstr(text, "  signal (send) set=(term),\n"));
	expect(learned.unknown != NULL);
	apparmor_rules_read(text, &rules);
	expect(rules.n == 3);
	apparmor_rules_free(&rules);
	apparmor_learned_free(&learned);
}

int main(void)
{
	group(writes_rules);
	group(keeps_names_names);
	return unit_done();
}
