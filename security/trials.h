/*
 * What this wing needs of a machine, and by what minirun itself is confined, tried (base/trial.h). Each function runs in a
 * process of its own, whose locks it may change.
 */
#ifndef SECURITY_TRIALS_H
#define SECURITY_TRIALS_H

#include "base/trial.h"

/* trial_locks.c: a filter that is loaded and refuses; a refusal that is named; AppArmor. As root. */
void trial_seccomp(const struct trial_place *place, struct trial *trial);
void trial_naming(const struct trial_place *place, struct trial *trial);
void trial_apparmor(const struct trial_place *place, struct trial *trial);
/* Whether what AppArmor refuses can be told: by the kernel's audit records. */
void trial_audit(const struct trial_place *place, struct trial *trial);

/* trial_confinement.c: what whoever started minirun took from it. */
void trial_no_new_privs(const struct trial_place *place, struct trial *trial);
void trial_outer_filter(const struct trial_place *place, struct trial *trial);
/* As root, be it in a user namespace. */
void trial_capabilities(const struct trial_place *place, struct trial *trial);

#endif
