/* Records of AppArmor, as kernels wrote them and as nobody should, and the lines of /dev/kmsg that they come in. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "security/apparmor_record.h"
#include "security/audit.h"
#include "tests/unit/unit.h"

#define STAMP "audit(1795520847.268:4): "

static void expect_said(const char *text, const char *what, const char *rights)
{
	struct apparmor_record record;
	bool is_one = apparmor_record_parse(text, strlen(text), &record);
	cleanup_free char *got_what = NULL;
	cleanup_free char *got_rights = NULL;

	if (!is_one)
		printf("# no record: %s\n", text);
	expect(is_one);
	if (is_one) {
		got_what = apparmor_record_what(&record);
		got_rights = apparmor_record_rights(&record);
		expect_text(got_what, what);
		if (rights)
			expect_text(got_rights, rights);
		else
			expect(!got_rights);
	}
	apparmor_record_free(&record);
}

static void expect_none(const char *text)
{
	struct apparmor_record record;

	expect(!apparmor_record_parse(text, strlen(text), &record));
	apparmor_record_free(&record);
}

/* Linux 6.1, from netlink. */
static void names_what_was_refused(void)
{
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"mkdir\" profile=\"t\" name=\"/tmp/no1/\" pid=165 "
			  "comm=\"mkdir\" "
			  "requested_mask=\"c\" denied_mask=\"c\" fsuid=0 ouid=0",
		"mkdir \"/tmp/no1/\"", "c: create");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/x\" pid=1 comm=\"sh\" "
		"requested_mask=\"wrc\" denied_mask=\"wc\" fsuid=0 ouid=0",
		"open \"/x\"", "wc: write, create, of wrc asked for");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"rename_src\" profile=\"a\" name=\"/x\" pid=4 comm=\"mv\" "
		"requested_mask=\"wrd\" denied_mask=\"wrd\" fsuid=0 ouid=0 target=\"/y\"",
		"rename_src \"/x\" -> \"/y\"", "wrd: write, read, delete");
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"capable\" profile=\"t\" pid=168 comm=\"chown\" "
			  "capability=0  "
			  "capname=\"chown\"",
		"capability chown", NULL);
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"mount\" info=\"failed mntpnt match\" error=-13 "
		"profile=\"t\" "
		"name=\"/mnt/\" pid=169 comm=\"mount\" fstype=\"tmpfs\" srcname=\"x\" flags=\"ro, nosuid\"",
		"mount tmpfs \"x\" on \"/mnt/\"", "failed mntpnt match");
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"signal\" profile=\"t\" pid=164 comm=\"sh\" "
			  "requested_mask=\"send\" denied_mask=\"send\" signal=kill peer=\"unconfined\"",
		"signal kill to unconfined", "send");
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"ptrace\" profile=\"t\" pid=170 comm=\"cat\" "
			  "requested_mask=\"read\" denied_mask=\"read\" peer=\"unconfined\"",
		"ptrace of unconfined", "read");
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"create\" profile=\"t\" pid=173 comm=\"perl\" "
			  "family=\"inet\" "
			  "sock_type=\"stream\" protocol=6 requested_mask=\"create\" denied_mask=\"create\"",
		"network inet stream tcp", "create");
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"change_profile\" info=\"no new privs\" error=-1 "
			  "profile=\"a\" "
			  "name=\"b\" pid=9 comm=\"sh\"",
		"change_profile \"b\"", "no new privs");
	/* Complain mode's own profile for the program says nothing. */
	expect_said(STAMP
		"apparmor=\"ALLOWED\" operation=\"exec\" profile=\"a\" name=\"/bin/ls\" pid=9 comm=\"sh\" "
		"requested_mask=\"x\" denied_mask=\"x\" fsuid=0 ouid=0 target=\"a//null-/bin/ls\"",
		"exec \"/bin/ls\"", "x: execute");
}

/* What libapparmor 3.0 gives up on: keys that came later, and a verdict. */
static void reads_newer_kernels(void)
{
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"open\" class=\"file\" profile=\"t\" name=\"/x\" pid=1 "
		"comm=\"sh\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
		"open \"/x\"", "r: read");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"userns_create\" class=\"namespace\" info=\"Userns create\" "
		"error=-13 profile=\"t\" pid=1 comm=\"unshare\" requested=\"userns_create\" "
		"denied=\"userns_create\" target=\"unprivileged_userns\"",
		"userns_create -> \"unprivileged_userns\"", "userns_create; Userns create");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"connect\" class=\"net\" profile=\"a\" pid=1 comm=\"sh\" "
		"family=\"unix\" sock_type=\"stream\" protocol=0 requested_mask=\"send receive connect\" "
		"denied_mask=\"send\" addr=none peer_addr=\"@x\" peer=\"y\"",
		"network unix stream", "send, of send receive connect asked for");
	expect_said(STAMP
		"apparmor=\"KILLED\" operation=\"open\" profile=\"t\" name=\"/x\" pid=1 comm=\"sh\" "
		"requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
		"open \"/x\"", "r: read");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"setrlimit\" profile=\"t\" pid=1 comm=\"sh\" rlimit=nofile "
		"value=100",
		"setrlimit", NULL);
}

static void keeps_the_fields(void)
{
	static const char text[] =
		STAMP "apparmor=\"ALLOWED\" operation=\"open\" namespace=\"root//n\" profile=\"p//hat\" "
		      "name=\"/x\" pid=77 comm=6120623A requested_mask=\"r\" denied_mask=\"r\" "
		      "fsuid=7 ouid=0";
	struct apparmor_record record;

	expect(apparmor_record_parse(text, strlen(text), &record));
	expect(record.complain && record.pid == 77 && record.class == APPARMOR_FILE && !record.owner);
	expect_text(record.profile, "p//hat");
	expect_text(record.namespace, "root//n");
	expect_text(record.program, "a b:");
	apparmor_record_free(&record);
	expect(!record.profile);
}

/* Names are the programs' own: the kernel writes the odd ones in hexadecimal, and what we say of them is printable UTF-8. */
static void shows_hostile_names(void)
{
	char text[2000];

	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" "
		"name=2F746D702F610A6465706C6F7965641B5B326D225C pid=1 comm=\"sh\" requested_mask=\"r\" "
		"denied_mask=\"r\" fsuid=0 ouid=0",
		"open \"/tmp/a\\x0adeployed\\x1b[2m\\\"\\\\\"", "r: read");
	/* Not UTF-8, C1 controls, and what is. */
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=2FFFC29BC3BC pid=1 comm=\"sh\" "
		"requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
		"open \"/\\xff\\xc2\\x9b\xc3\xbc\"", "r: read");
	/* A name that plays a record: it ends at its quote, or stays hexadecimal. */
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" "
		"name=2F2220706964 pid=1 comm=\"sh\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
		"open \"/\\\" pid\"", "r: read");
	/* Nor does one that libapparmor can't read there keep its record from being read. */
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"rename_src\" profile=\"a\" name=\"/x\" pid=4 comm=\"mv\" "
		"requested_mask=\"wrd\" denied_mask=\"wrd\" fsuid=0 ouid=0 target=2F612062",
		"rename_src \"/x\" -> \"/a b\"", "wrd: write, read, delete");
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"mount\" info=\"failed mntpnt match\" error=-13 "
		"profile=\"t\" "
		"name=2F6D20 pid=169 comm=\"mount\" fstype=7820 srcname=7820 flags=\"ro\" info=7820",
		"mount x  \"x \" on \"/m \"", "failed mntpnt match");
	/* The kernel doesn't escape a backslash, libapparmor takes one for an escape. */
	expect_said(STAMP
		"apparmor=\"DENIED\" operation=\"mkdir\" profile=\"t\" name=\"/x\\\" pid=4 comm=\"m\\\" "
		"requested_mask=\"c\" denied_mask=\"c\" fsuid=0 ouid=0 target=\"/y\\\"",
		"mkdir \"/x\\\\\" -> \"/y\\\\\"", "c: create");
	memset(text, 0, sizeof(text));
	snprintf(text, sizeof(text),
		STAMP "apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/%01000d\" pid=1", 0);
	{
		struct apparmor_record record;
		cleanup_free char *what = NULL;

		expect(apparmor_record_parse(text, strlen(text), &record));
		what = apparmor_record_what(&record);
		expect(strlen(what) < 300 && text_ends_with(what, "..."));
		apparmor_record_free(&record);
	}
}

static void refuses_what_is_none(void)
{
	expect_none("");
	expect_none("audit(");
	expect_none("audit(1:2):");
	expect_none(STAMP);
	expect_none(STAMP "apparmor");
	expect_none(STAMP "apparmor=\"");
	expect_none(STAMP "apparmor=\"DENIED\"");
	expect_none(STAMP "apparmor=\"DENIED\" operation=\"open\"");
	expect_none(STAMP
		"apparmor=\"STATUS\" operation=\"profile_load\" profile=\"unconfined\" name=\"t\" pid=159");
	expect_none(STAMP "avc:  denied  { read } for  pid=1 comm=\"sh\" name=\"x\"");
	expect_none("type=AVC msg=" STAMP "apparmor=\"DENIED\" operation=\"open\" profile=\"t\" pid=1");
	expect_none("=====================");
	/* Cut off in the middle, as the kernel's log does it: what is whole counts. */
	expect_said(STAMP "apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/x\" pid=1 comm=\"s",
		"open \"/x\"", NULL);
	expect_none(STAMP "apparmor=\"DENIED\" operation=\"open\" prof");
}

static void expect_kmsg(const char *line, const char *record, uint64_t lost)
{
	char copy[512];
	uint64_t counted = 0;
	const char *got;

	snprintf(copy, sizeof(copy), "%s", line);
	got = audit_of_kmsg(copy, strlen(copy), &counted);
	if (record)
		expect_text(got, record);
	else
		expect(!got);
	expect(counted == lost);
}

static void reads_the_kernels_log(void)
{
	expect_kmsg("5,382,8338156,-;audit: type=1400 audit(1.2:4): apparmor=\"DENIED\" name=\"/a\\x5cb\"\n "
		    "SUBSYSTEM=x\n",
		"audit(1.2:4): apparmor=\"DENIED\" name=\"/a\\b\"", 0);
	/* Written by a program: facility 1, user. */
	expect_kmsg("13,382,8338156,-;audit: type=1400 audit(1.2:4): apparmor=\"DENIED\"\n", NULL, 0);
	expect_kmsg("5,382,8338156,-;audit: type=1300 audit(1.2:4): syscall=2\n", NULL, 0);
	expect_kmsg("4,383,9,-;kauditd_printk_skb: 12 callbacks suppressed\n", NULL, 12);
	expect_kmsg("12,383,9,-;kauditd_printk_skb: 12 callbacks suppressed\n", NULL, 0);
	expect_kmsg("6,383,9,-;usb: 12 callbacks suppressed\n", NULL, 0);
	expect_kmsg(";\n", NULL, 0);
	expect_kmsg("", NULL, 0);
	expect_kmsg("5,3,4,-;no newline", NULL, 0);
	expect_kmsg("5,3,4,-;audit: type=1400 \\x\n", "\\x", 0);
}

int main(void)
{
	group(names_what_was_refused);
	group(reads_newer_kernels);
	group(keeps_the_fields);
	group(shows_hostile_names);
	group(refuses_what_is_none);
	group(reads_the_kernels_log);
	return unit_done();
}
