/*
 * What this wing needs of a machine, tried (base/trial.h): each function runs in a process of its own, and may leave it in any
 * namespace. All but those for users expect to be root, be it in a user namespace (userns_enter).
 */
#ifndef NAMESPACES_TRIALS_H
#define NAMESPACES_TRIALS_H

#include <sys/types.h>

#include "base/trial.h"

/* trial_calls.c: openat2(2) in a root; clone3(2), pidfd_open(2) and their kin; each namespace; mounts by descriptor. */
void trial_openat2(const struct trial_place *place, struct trial *trial);
void trial_pidfd(const struct trial_place *place, struct trial *trial);
void trial_namespaces(const struct trial_place *place, struct trial *trial);
void trial_mounts(const struct trial_place *place, struct trial *trial);

/* trial_users.c: whether an ordinary user gets a user namespace; trial_ids.c: which ids there are; newuidmap's rights. */
void trial_user_namespaces(const struct trial_place *place, struct trial *trial);
void trial_ids(const struct trial_place *place, struct trial *trial);
void trial_newuidmap(const struct trial_place *place, struct trial *trial);
/* For other trials: becomes root of a user namespace, as an ordinary user does; who is root becomes one first. */
int trial_become_user(const struct trial_place *place, struct error *err);

/* trial_files.c: an overlay on the store's file system, by who we are and by an ordinary user; idmapped mounts of it. */
void trial_overlay(const struct trial_place *place, struct trial *trial);
void trial_overlay_user(const struct trial_place *place, struct trial *trial);
void trial_idmapped(const struct trial_place *place, struct trial *trial);

/*
 * trial_cgroups.c: a cgroup below our own, with a process born in it; the controllers it has; a BPF program for its devices;
 * holding it still.
 */
void trial_cgroup(const struct trial_place *place, struct trial *trial);
void trial_limits(const struct trial_place *place, struct trial *trial);
void trial_devices(const struct trial_place *place, struct trial *trial);
void trial_hold(const struct trial_place *place, struct trial *trial);
/* Removes what they leave if they are killed. parent: the process whose children they were. */
void trial_cgroup_sweep(pid_t parent);

#endif
