/*
 * The judge of AppArmor profiles: what apparmor_parser(8) says of the syntax, and what is right as text but isn't what its author
 * can have meant.
 *
 *   syntax               apparmor_parser refuses it
 *   not-compiled         there is no apparmor_parser here
 *   deny-silent          what a plain `deny` refuses is in no record, so nobody can name it
 *   complain-mode        the profile refuses nothing
 *   file-rule-missing    no rule permits any file
 *   exec-rule-missing    no rule permits to start a program
 *   entrypoint-refused   the container's program can't start under it
 *   host-path            a rule about a path of the machine, which a volume has elsewhere in the container
 *
 * What AppArmor needs of a program that minirun starts was tried under Linux 6.1: the program itself, and its dynamic loader, are
 * opened before the profile counts, and need no rule. A script's interpreter opens it afterwards, and the loader its libraries.
 * A path is what the program would call it, in its own root, volumes included, with symbolic links resolved.
 */
#ifndef SECURITY_APPARMOR_LINT_H
#define SECURITY_APPARMOR_LINT_H

#include "security/security.h"

struct apparmor_mount {
	const char *volume, *host; /* its name, and the folder on the machine */
	const char *inside; /* where it is in the container */
	bool image_has_host; /* the image has a path of the host folder's name, too, which rules may mean */
};

/* Whom a profile is judged for. */
struct apparmor_subject {
	const char *profile; /* only this one of the text; NULL: all */
	const char *program; /* of the container, as path in the image; NULL: unknown */
	bool is_script;
	enum loader loader;
	const struct apparmor_mount *mounts;
	size_t n_mounts;
};

/* path: the file that the text is of; NULL for standard input. subject may be NULL. Findings aren't sorted. */
void apparmor_lint(const char *text, const char *path, const struct apparmor_subject *subject,
	struct findings *findings);

#endif
