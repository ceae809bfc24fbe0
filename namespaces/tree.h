/*
 * The mounts of a container that are not volumes: what isolation.c puts together. Internal to this wing.
 *
 * Each of /dev, /proc and /sys goes in two steps. *_prepare runs while the host's tree is still there, and makes
 * or clones what it needs as detached mounts. *_attach runs when the container's root is / and the host's tree is gone
 * from the namespace, so that no mistake in it can reach the host.
 */
#ifndef NAMESPACES_TREE_H
#define NAMESPACES_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "namespaces/namespaces.h"

#define DEVICES_MAX 256

/* A device of the host, cloned for a user namespace, where mknod(2) is forbidden. */
struct device_clone {
	char *name; /* below /dev */
	int mount;
};

/* Detached mounts, -1 for what isn't used; they are closed on exec, and go with the process if it fails. */
struct tree {
	const struct isolation *isolation;
	struct terminal *terminal; /* to be made; NULL: none */
	int root; /* the rootfs */
	int dev, pts, shm, mqueue;
	int proc, sys, cgroup;
	struct device_clone *clones;
	size_t n_clones;
};

/* Opens /NAME in the root, making the folder if it is missing. A link or a file there is refused (CVE-2019-19921). */
int tree_open_base(const struct tree *tree, const char *name, struct error *err);

/* devices.c */
int devices_prepare(struct tree *tree, struct error *err);
int devices_attach(struct tree *tree, struct error *err);

/* terminal.c: makes a terminal in the devpts that pts is the root of. */
int terminal_make(int pts, struct terminal *terminal, struct error *err);

/* proc.c: *_attach also puts a descriptor of the procfs into *procfd. */
int proc_prepare(struct tree *tree, struct error *err);
int proc_attach(struct tree *tree, int *procfd, struct error *err);
/* Covers and restricts the paths of Kubernetes' lists. After the volumes: so none of them can end up in between. */
int proc_protect(const struct tree *tree, struct error *err);

#endif
