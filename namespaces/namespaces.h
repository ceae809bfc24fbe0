/*
 * The wing of namespaces: what a process can see and use.
 *
 * Theory of operation
 *
 * The supervisor is minirun itself. It stays in the host's namespaces (or, for an ordinary user, in a user and
 * mount namespace that userns_enter made first; from then on everything is as for root, law "rootless is the root
 * path inside a user namespace").
 *
 * The *sandbox* is one process a pod, a fork of the supervisor, pid 1 of a pid namespace that encloses all pid
 * namespaces of the containers (unless hostPID). It owns the pod's network, ipc and uts namespaces. It runs
 * trusted code only and no container can see it, for containers live in nested pid namespaces of their own. It
 * waits for the supervisor's death, and then ends everything in its namespace and calls the runner's clean-up; so
 * that nothing of a pod outlives a supervisor that was killed with SIGKILL. If the sandbox itself is killed, the
 * kernel ends all that is in its pid namespace.
 * With shareProcessNamespace a second process, the *pause*, is pid 1 of the namespace that the containers share. It
 * has no capabilities, an empty root and no descriptors, because containers can see (and with SYS_PTRACE, enter) it.
 *
 * A container is made in three steps: the supervisor resolves everything that needs the host (volumes, the overlay
 * of the rootfs) into *detached mounts*, descriptors that are attached nowhere; isolation_clone makes the process
 * with its namespaces; and the child, in isolation_enter, joins the pod's namespaces, attaches the mounts below its
 * new root, each on a target that was resolved in-root to a descriptor, and pivots into it. No mount is ever
 * attached in the host's mount namespace.
 */
#ifndef NAMESPACES_NAMESPACES_H
#define NAMESPACES_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "namespaces/cgroup.h"
#include "namespaces/users.h"

/* ---- user namespace (userns.c) ---- */

/* Whether this process lives in a user namespace other than the first (its uid_map isn't the identity of all). */
bool userns_inside(void);
#define USERNS_NOBODY 65534 /* what an id shows as that this user namespace hasn't: kernel.overflowuid */

/*
 * Moves this process into a new user and mount namespace in which it is root: with newuidmap and newgidmap for the
 * ranges that /etc/subuid and /etc/subgid grant the user (by name or number; id 0 is the user itself, 1 and up are
 * the range), else with the user's own id alone mapped to 0 (setgroups denied). What newuidmap says on stderr goes
 * into the error. Errors name what forbids user namespaces here (user.max_user_namespaces,
 * kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns) and the remedy.
 * Falls back to the single id when newuidmap fails or is missing; then *note (may be NULL) gets one line that says why, to
 * be freed by the caller.
 */
int userns_enter(char **note, struct error *err);

/* Adds to an error about user namespaces which of the switches that forbid them is on, and the remedy. Returns -1. */
int userns_explain(struct error *err);

/*
 * For a process that is root already: makes a mount namespace of its own if it may not mount in the one it is in, as in
 * `unshare -r`, whose mount namespace belongs to the host. After userns_enter it does nothing.
 */
int userns_claim_mounts(struct error *err);

/* Whether id has a meaning in this user namespace, from /proc/self/uid_map (or gid_map). */
bool userns_maps_uid(int64_t uid);
bool userns_maps_gid(int64_t gid);
/* What the user namespace around this one calls that user; -1 if it has no meaning here. */
int64_t userns_outer_uid(int64_t uid);
/* Whether setgroups(2) is allowed here. */
bool userns_allows_setgroups(void);
/* "0-65536" or "0": the ids there are, for messages. */
const char *userns_describe_uids(char *buffer, size_t size);
const char *userns_describe_gids(char *buffer, size_t size);

/* Which sysctl forbids user namespaces here, or NULL. */
struct userns_switch {
	const char *path;
	long forbids; /* the value that does */
	const char *name;
	const char *remedy; /* a command, for root */
	bool is_own; /* each user namespace has one of its own */
};
const struct userns_switch *userns_find_switch(void);

/*
 * ids_advice.c: the command by which root grants the user count ids more, none of which anybody has: of both kinds, or of the one
 * of which there are none yet. To be freed; NULL where that would be too many, or others have all.
 */
char *ids_advice(uid_t uid, int64_t count);

/* ---- the pod's sandbox (sandbox.c, network.c, sysctl.c) ---- */

struct sysctl {
	const char *name, *value; /* "net.ipv4.ip_unprivileged_port_start" or with slashes */
};

struct sandbox_spec {
	const char *hostname; /* set unless host_network (as Kubernetes: then the host's) */
	bool host_network, host_pid, host_ipc;
	bool share_process_namespace;
	const struct pod_users *users; /* the pod's own, or NULL; to outlive the sandbox */
	const struct sysctl *sysctls;
	size_t n_sysctls;
	/*
	 * Called in the sandbox after the supervisor died and every process of the pod is gone (with hostPID: only the
	 * supervisor; kill the rest by its cgroup). It runs with all signals blocked, / as working folder and
	 * /dev/null as 0, 1 and 2, in a copy of the memory that the supervisor had when it called sandbox_start.
	 * Of the descriptors only those in keep (at most 14) are open.
	 */
	void (*on_orphaned)(void *data);
	void *data;
	const int *keep;
	size_t n_keep;
};

struct sandbox {
	pid_t pid;
	int pidfd;
	pid_t pause; /* 0 unless share_process_namespace */
	int pause_pidfd;
	int ready; /* what sandbox_wait waits for; -1 afterwards */
	bool host_network, host_pid, host_ipc, share_process_namespace;
	const struct pod_users *users; /* the spec's */
};

/*
 * Starts the sandbox: namespaces, hostname, loopback up, sysctls (written through a private procfs; only those of
 * the pod's own namespaces: net.*, kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*; another, or one whose
 * namespace is the host's, is an error that says so). Sets net.ipv4.ip_unprivileged_port_start=0 and
 * ping_group_range as containerd does, where the network is the pod's.
 */
int sandbox_start(const struct sandbox_spec *spec, struct sandbox *sandbox, struct error *err);

/*
 * The same in two steps. Most of a pod's start is the kernel making a network namespace; between the steps the supervisor
 * has something better to do than to wait for that. sandbox_wait must have returned 0 before the first isolation_clone;
 * when it fails, the sandbox is gone.
 */
int sandbox_begin(const struct sandbox_spec *spec, struct sandbox *sandbox, struct error *err);
int sandbox_wait(struct sandbox *sandbox, struct error *err);

/*
 * Gives what a process of the pod is to have as standard input or output to the pod's root, if the pod has users of its own:
 * that one can then give it to the user whom the program has. Only a pipe; anything else may be the caller's file.
 */
void sandbox_give_pipe(const struct sandbox *sandbox, int fd);

/*
 * Kills it, and with it all that lives in its pid namespace; waits until they are gone. Closes the descriptors. Containers
 * are the caller's children: those that it has not waited for by now are reaped here (else the kernel would keep the
 * namespace, and its init, for ever), and their exit status is lost.
 */
void sandbox_stop(struct sandbox *sandbox);
/*
 * Of a pod whose containers have ended and are reaped: ends what else is in a process namespace that they shared. The
 * sandbox itself stays, to clear up should the supervisor be killed while it does so itself; then comes sandbox_stop.
 */
void sandbox_end_processes(struct sandbox *sandbox);

/*
 * Waits for the end of a child that was killed, and meanwhile reaps all children, since the init of a pid namespace ends
 * only when all in it are reaped. If another process traces it, it isn't reaped itself.
 */
void process_await(int pidfd);

/* Whether this process is in the first pid namespace, so that the numbers by which the kernel names processes mean something. (clone.c) */
bool process_sees_first_pids(void);

/*
 * The pid of what a pidfd refers to, as procfd's pid namespace counts (-1: the one of /proc). 0 if it can't be
 * known, -1 if it has ended and was reaped. (clone.c)
 */
pid_t process_of_pidfd(int procfd, int pidfd);

/* ---- published ports (pasta.c) ---- */

struct published_port {
	const char *path; /* where the manifest asks for it, for messages */
	bool udp;
	const char *address; /* of this machine, as a number; NULL: all of IPv4 */
	unsigned int host, container;
};

/*
 * Gives the pod an interface by pasta(1) and publishes these ports, at least one, on the host; no others, in either direction.
 * Returns when they are reachable. What the pod sends out goes out as by a process of the host, whose loopback it can't reach.
 * *pidfd is readable when that has ended, which it does with this process at the latest. *local_only: there is no default route, so
 * that the ports are reached from this machine alone, and nothing goes out.
 * Errors name the port that is taken or not allowed.
 */
int network_publish(const struct sandbox *sandbox, const struct published_port *ports, size_t n,
	bool *local_only, int *pidfd, struct error *err);

/* Ends it. A pidfd that is negative is left alone. */
void network_unpublish(int *pidfd);

/* ---- volumes (volumes.c, volume_files.c, usage.c) ---- */

/*
 * On a kernel before 6.15 gives the supervisor a mount namespace of its own, without which volumes in memory can't be
 * cloned; else does nothing. To be called once, before any folder or volume is opened (a descriptor from the old
 * namespace can't be cloned in the new one) and after sandbox_start's fork or before it alike, if the pod has an emptyDir
 * in memory or uses volume_make_shm or volume_make_files.
 */
int volumes_private_mounts(struct error *err);

/*
 * Makes the folder of an emptyDir as name below the pod's folder: mode 0777 whatever the umask; with fs_group >= 0
 * owned by that group and setgid (02777). memory: a tmpfs of size_limit bytes (0: half the memory) instead, for which
 * nothing is made in the pod's folder (podfd isn't used). Returns a descriptor of the folder.
 */
int volume_make_empty_dir(
	int podfd, const char *name, bool memory, uint64_t size_limit, int64_t fs_group, struct error *err);

struct volume_file {
	const char *path; /* relative, without "." and ".." */
	const void *data;
	size_t size;
	mode_t mode; /* permissions */
};

/*
 * Makes a volume in memory that holds files, in the kubelet's layout; no path may be above another. It needs
 * volumes_private_mounts, and is to be cloned read-only. With fs_group >= 0 that group may read all of it. Returns a descriptor of
 * its folder. All of it belongs to root, the pod's own if it has users of its own. (volume_files.c)
 */
int volume_make_files(const char *name, const struct volume_file *files, size_t n, int64_t fs_group,
	const struct pod_users *users, struct error *err);

/* "ext4": the file system that fd is on; into buffer the number that the kernel has for it, where we have no name. */
const char *file_system_name(int fd, char *buffer, size_t size);

enum volume_host_type { /* hostPath.type, in Kubernetes' words; the same order as the manifest's */
	VOLUME_HOST_UNCHECKED,
	VOLUME_HOST_DIRECTORY_OR_CREATE,
	VOLUME_HOST_DIRECTORY,
	VOLUME_HOST_FILE_OR_CREATE,
	VOLUME_HOST_FILE,
	VOLUME_HOST_SOCKET,
	VOLUME_HOST_CHAR_DEVICE,
	VOLUME_HOST_BLOCK_DEVICE,
};

/*
 * Makes a /dev/shm that the containers of a pod share, as their ipc namespace: a tmpfs of size bytes (0: 64 MiB), mode
 * 1777, noexec. name must differ from those of the emptyDirs. Each container gets it by volume_clone and a struct mount for
 * "/dev/shm". A pod with one container alone doesn't need it, nor one with hostIPC (isolation_enter gives it the host's).
 */
int volume_make_shm(const char *name, uint64_t size, struct error *err);

/*
 * The bytes on disk in a volume, hard links counted once, for sizeLimit. The volume is hostile and may change meanwhile:
 * the walk stops after max_entries files, goes 128 folders deep, and returns 1 with *bytes so far if that wasn't all, else 0.
 */
int volume_usage(int volumefd, size_t max_entries, uint64_t *bytes, struct error *err);

/*
 * Opens a path of the host for a hostPath volume, checking its type in the kubelet's words ("hostPath type check
 * failed: /x is not a directory"). Unchecked and missing: a folder is made, as the runtimes do. Returns an O_PATH
 * descriptor.
 */
int volume_open_host_path(const char *path, enum volume_host_type type, struct error *err);

/*
 * A detached clone of (what is at sub_path of) a volume, to be attached once. The volume is hostile: sub_path is
 * resolved in-root; missing it is made as a folder (with the volume's own mode, as the kubelet does). A sub_path that goes through a
 * symbolic link that leaves the volume stays in it (CVE-2017-1002101, CVE-2021-25741). read_only is set on the
 * whole clone (mount_setattr, recursive); nosuid and nodev are set on emptyDirs (trusted is false), nodev on what is at a
 * sub_path too. *is_dir says what the target has to be.
 */
int volume_clone(
	int volumefd, const char *sub_path, bool read_only, bool trusted, bool *is_dir, struct error *err);

/* ---- terminals (terminal.c) ---- */

/* The two ends of a pty: what the program has is the slave. -1, -1: none. */
struct terminal {
	int master, slave;
};

/*
 * Makes a terminal in the running container that this process has entered: rootfd is its root, procfd what isolation_join
 * gave. Its owner is root: the caller gives it to the container's user. Both ends are close-on-exec.
 */
int terminal_open(int rootfd, int procfd, struct terminal *terminal, struct error *err);
void terminal_close(struct terminal *terminal);

/*
 * Tells the program that nothing more is typed, by the character that its terminal has for that, if it is one that reads lines:
 * twice, for the first only ends a line that was begun.
 */
void terminal_say_end(int master);

/* ---- the container (rootfs.c, isolation.c, mounts.c, devices.c, proc.c) ---- */

/*
 * The overlay of a container's rootfs as a detached mount: lowers (topmost first, as overlayfs counts) below upper and work
 * (folders of one file system, made by the caller, fresh: the overlay is volatile, and the kernel mounts none on what one
 * has left). Where the kernel refuses overlayfs, the error says on which file system.
 */
int rootfs_overlay(const int *lowers, size_t n, int upperfd, int workfd, struct error *err);

/* A rootfs without an overlay: a folder that holds all of it, and is written to itself. */
int rootfs_plain(int folder, struct error *err);

/* Something to attach in the container. */
struct mount {
	int source; /* a detached mount; owned by whoever made the list. -1: what is at target is mounted on
		     * itself, so that it stays writable in a read-only root (a volume that an image wants) */
	const char
		*target; /* absolute path in the container; made in-root if missing (folder or empty file) */
	bool is_dir;
};

struct isolation {
	const struct sandbox *sandbox;
	int rootfs; /* detached mount, as from rootfs_overlay */
	bool read_only_root; /* set after all mount points are made */
	const char *folder; /* made, if missing, while that can be done (the working folder); or NULL */
	const struct mount *
		mounts; /* volumes and /etc files; attached after /proc, /sys and /dev, in this order. A target
				     * on or below /proc or /sys is refused (CVE-2019-16884), one on or below /dev isn't.
				     * Unless privileged, no device in them can be opened, but one that is the source itself.
				     * One for "/dev/shm" (volume_make_shm) takes the place of the container's own */
	size_t n_mounts;
	bool privileged; /* /sys writable, nothing masked, all of the host's devices */
	bool unmasked; /* procMount: Unmasked (later) */
	const struct cgroup *cgroup; /* to be born in and to enter, or NULL */
	uint64_t shm_size; /* bytes of /dev/shm; 0: 64 MiB */
};

/*
 * Whether a volume may be mounted on path, as far as the path alone tells; for the plan. Errors are of class
 * ERROR_MANIFEST.
 */
int isolation_check_target(const char *path, struct error *err);

/*
 * clone3 with the container's own namespaces: mount, cgroup, and pid unless the pod shares its own or the host's.
 * In the parent returns the pid, and its pidfd; in the child 0. The supervisor's later children are not affected.
 */
pid_t isolation_clone(const struct isolation *isolation, int *pidfd, struct error *err);

/*
 * In the child, stages 2 and 3: joins the sandbox's network, ipc and uts, makes the mounts, pivots. Afterwards the
 * working folder is /, nothing of the host's tree is reachable, and *procfd is the procfs of this pid namespace, in
 * which nobody can have covered anything (close-on-exec). Masked and read-only paths are Kubernetes' lists. The first thing it does is
 * setsid(2) and a fresh umask 0022. With terminal not NULL it also makes one in the container's devpts, and mounts the program's end
 * on /dev/console, as the OCI runtimes do.
 */
int isolation_enter(
	const struct isolation *isolation, struct terminal *terminal, int *procfd, struct error *err);

/*
 * For exec: clone into the pid namespace of the running container that pidfd refers to. In the parent returns the pid, and
 * its pidfd; in the child 0, and its first act must be isolation_join.
 */
pid_t isolation_clone_into(int container_pidfd, const struct cgroup *cgroup, int *pidfd, struct error *err);

/*
 * In that child: what isolation_enter is to a container's own. First closes every descriptor but 0, 1, 2 and those in keep
 * (CVE-2016-9962, CVE-2024-21626; at most 12), and starts a session. On return it is in the container's own mount, network,
 * ipc, uts and cgroup namespaces, its root as / and as working folder, and *procfd is a private procfs. container_pidfd is
 * closed. On an error the process may be anywhere in between: it must end.
 */
int isolation_join(int container_pidfd, const struct cgroup *cgroup, const int *keep, size_t n_keep,
	int *procfd, struct error *err);

/* ---- /etc files of a pod (etc_files.c) ---- */

struct etc_alias {
	const char *ip;
	char *const *hostnames;
};

/*
 * Writes hosts (with the kubelet's header lines), hostname and resolv.conf (the host's; empty if it has none) into the pod's
 * folder, once a pod; each container gets them by volume_clone.
 * host_network: hosts is the host's own, with the aliases appended, as the kubelet does.
 */
int etc_files_write(int podfd, const char *hostname, bool host_network, const struct etc_alias *aliases,
	size_t n, struct error *err);

#endif
