/*
 * A record of the kernel's audit about AppArmor, as text, taken apart.
 *
 * The text says what was asked and what was refused, of whom: "audit(1700000000.123:45): apparmor="DENIED"
 * operation="open" profile="p" name="/etc/shadow" pid=7 comm="cat" requested_mask="r" denied_mask="r" ...". Names in it are
 * chosen by the program: the kernel writes those with odd bytes in hexadecimal. libapparmor's log parser reads the values;
 * what it gets are only the keys that its oldest version knows, since one that it doesn't know (a newer kernel's
 * class="file") makes it give up on the whole record.
 *
 * See apparmor.d(5) for the rights, and security/apparmor/audit.c of Linux.
 */
#ifndef SECURITY_APPARMOR_RECORD_H
#define SECURITY_APPARMOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum apparmor_class {
	APPARMOR_FILE,
	APPARMOR_CAPABILITY,
	APPARMOR_NETWORK,
	APPARMOR_MOUNT,
	APPARMOR_PTRACE,
	APPARMOR_SIGNAL,
	APPARMOR_OTHER, /* change_profile, rlimits, user namespaces, D-Bus, and what is still to come */
};

/* All strings are owned, and hostile: any bytes but NUL. NULL where the record has none. */
struct apparmor_record {
	bool complain; /* it was let through, and would have been refused in enforce mode */
	bool audited; /* it is permitted, by a rule that wants it recorded: no refusal at all */
	enum apparmor_class class;
	pid_t pid; /* the thread group, in the initial pid namespace; 0: not said */
	char *operation; /* "open", "capable", "create", ... */
	char *profile; /* "p", "p//hat", "p//null-/bin/sh" */
	char *namespace; /* of profiles, if it isn't the machine's own */
	char *program; /* the thread's name, up to 15 bytes */
	char *name; /* the path, a capability's name ("net_admin"), a mount point */
	char *target; /* the other path of a link or rename, the profile of an exec */
	char *requested, *denied; /* the rights: letters for files, words for the rest */
	char *info; /* the kernel's remark: "failed flags match" */
	char *peer, *signal; /* of signal and ptrace: the other side's profile */
	char *family, *sock_type, *protocol; /* of network: "inet", "stream", "tcp" */
	char *fstype, *source, *flags; /* of mount */
	bool owner; /* the file belongs to who asked */
};

/*
 * Takes apart the text of one record, from "audit(" on. False if it is none of a refusal, nor of an audited access:
 * another event, half a record, no record at all. apparmor_record_free afterwards, also then.
 */
bool apparmor_record_parse(const char *text, size_t size, struct apparmor_record *record);
void apparmor_record_free(struct apparmor_record *record);

/* What was refused, in one line: `mkdir "/srv/x/"`, "capability net_admin". A fresh string, safe to print, UTF-8. */
char *apparmor_record_what(const struct apparmor_record *record);

/*
 * The rights that were refused: "c: create", "r: read, of rw asked for", "send", or the kernel's remark. A fresh string,
 * likewise; NULL if there is nothing to say.
 */
char *apparmor_record_rights(const struct apparmor_record *record);

#endif
