/*
 * The wing of security: AppArmor.
 *
 *   apparmor.c         what is loaded in the kernel, and whether what was asked for can be enforced
 *   apparmor_entry.c   the profile of the next exec, written by the child; and after exec, read back by its parent
 *   apparmor_load.c    profiles into the kernel, by apparmor_parser(8), and out of it; our own for RuntimeDefault
 *   apparmor_text.c    what the text of a profile's file and a process's label say
 *
 * A name may be that of a profile ("web"), of a hat or child ("web//worker"), or of a stack of them ("web//&strict"): each
 * of a stack is looked at.
 */
#ifndef SECURITY_APPARMOR_H
#define SECURITY_APPARMOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* What RuntimeDefault stands for: made from security/minirun-default.apparmor. */
#define APPARMOR_DEFAULT "minirun-default"

enum apparmor_mode {
	APPARMOR_UNKNOWN = -1, /* the kernel's list can't be read */
	APPARMOR_NOT_LOADED,
	APPARMOR_ENFORCE, /* kill mode too */
	APPARMOR_COMPLAIN, /* refuses nothing, records what it would have refused */
	APPARMOR_UNCONFINED, /* a profile by name only: refuses nothing */
};

/* ---- what is loaded (apparmor.c) ---- */

/* Whether the kernel has it and it is enabled. */
bool apparmor_available(void);
/* Fills err with the kubelet's words for a machine that doesn't have it. Returns -1. */
int apparmor_explain_absence(struct error *err);
/*
 * The kernel's list of loaded profiles, "NAME (MODE)" a line; NULL if it can't be read. To be freed. Only root may read
 * securityfs's apparmor/profiles; for others it is put together from the folders beside it, which all may read.
 */
char *apparmor_list(void);
/* How a profile is loaded, by such a list. Of a stack, the least that one of it is. */
enum apparmor_mode apparmor_listed(const char *list, const char *name);
/* The same, of the kernel's list now. */
enum apparmor_mode apparmor_loaded(const char *name);
/* "enforce", "complain", "unconfined", "not loaded", "unknown" */
const char *apparmor_mode_name(enum apparmor_mode mode);
/* The names of a list that resemble name, at most three: "web, webserver"; NULL if none does. To be freed. */
char *apparmor_near(const char *list, const char *name);
/*
 * For the planner, before anything runs: whether a profile that was asked for can be enforced, in the words of the
 * kubelet (pkg/security/apparmor). Where the list can't be read it says yes: then the kernel decides at exec.
 */
int apparmor_check(const char *profile, struct error *err);

/* ---- entering (apparmor_entry.c) ---- */

/*
 * Asks the kernel to put this process under profile at its next exec (as aa_change_onexec(2)). procfd is a private procfs:
 * that it is one is checked. A process that is confined already stacks the profile on its own instead, as with
 * no_new_privs the kernel lets nobody leave a profile (and as whoever confined minirun wants its containers confined).
 */
int apparmor_enter_at_exec(const char *profile, int procfd, struct error *err);

/* The same at once (as aa_change_profile(2)), for a process of our own that stays in a container and executes nothing. */
int apparmor_enter_now(const char *profile, int procfd, struct error *err);
/* Why the kernel refused that. own is the label of the process that asked, or NULL. Returns -1. */
int apparmor_explain(const char *profile, const char *own, int errnum, struct error *err);
/*
 * After exec: whether process pid of a procfs runs under profile. A profile whose own rules have by then led the program
 * into another one is as good; to be unconfined, or still what minirun is, is an error.
 */
int apparmor_verify(const char *profile, int procfd, pid_t pid, struct error *err);

/* ---- texts (apparmor_text.c) ---- */

/* Whether each profile of name is among those of a label ("outer//&web (enforce)"). */
bool apparmor_label_has(const char *label, const char *name);
/* Whether a label is that of an unconfined process: "unconfined", or a profile in that mode. */
bool apparmor_label_is_unconfined(const char *label);
/* Whether the text of a profile's file declares a profile of that name; comments don't count. */
bool apparmor_declares(const char *text, const char *name);

/* ---- loading (apparmor_load.c) ---- */

/*
 * Loads what is in a file of profiles, replacing those of the same names. On success *names are they, to be freed with strv_free.
 */
int apparmor_load_file(const char *path, char ***names, struct error *err);
/* Takes one profile out of the kernel. Processes under it become unconfined. */
int apparmor_unload(const char *name, struct error *err);
/*
 * Sees to it that minirun-default is loaded; for root only. If it isn't, it is loaded; if an earlier version of ours is, it is
 * replaced; one that somebody else loaded under that name is left alone, unless force is set. Any number of miniruns
 * may do so at once.
 */
int apparmor_load_default(bool force, struct error *err);
/* The text of minirun-default as it is loaded here. To be freed. */
char *apparmor_default_text(void);

#endif
