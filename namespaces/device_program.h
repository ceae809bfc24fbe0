/*
 * The BPF program that says which devices the processes of a cgroup of version 2 may use, and notes what it refuses.
 *
 * Theory of operation
 *
 * The kernel runs a program of type BPF_PROG_TYPE_CGROUP_DEVICE for each open and mknod of a device by a process of the cgroup
 * or below. It gets a struct bpf_cgroup_dev_ctx, and returns 1 to let it pass. It is made from the table of rules, one after another:
 *
 *	r2 = type, r3 = access, r4 = major, r5 = minor
 *	for each rule:  if (r2 != its type) goto next
 *	                if (r3 & ~its access) goto next
 *	                if (r4 != its major) goto next         unless it is any
 *	                if (r5 != its minor) goto next         unless it is any
 *	                return 1
 *	note what it was in the ring, or add one to what was lost
 *	return 0
 *
 * The note is for people only: nothing that happens to it lets a device pass.
 *
 * Mustn't: call a function of the kernel's that is for programs under the GPL alone. (bpf_get_current_pid_tgid, bpf_get_current_comm and
 * bpf_ringbuf_output aren't.) Before Linux 6.1 the first two weren't there for such programs: then there are no notes.
 */
#ifndef NAMESPACES_DEVICE_PROGRAM_H
#define NAMESPACES_DEVICE_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_ANY (-1)
#define DEVICE_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

struct device_rule {
	int type; /* BPF_DEVCG_DEV_* */
	int major, minor; /* or DEVICE_ANY */
	int access; /* BPF_DEVCG_ACC_* */
};

/* What is noted of a refusal. */
struct device_note {
	uint64_t
		pid_tgid; /* as the first pid namespace has them: the process, shifted left by 32, and the thread */
	uint32_t type, access, major, minor;
	char program[16]; /* the thread's name, ended by a NUL */
};

/* bpf(2). */
int device_bpf(enum bpf_cmd command, union bpf_attr *attr);

/* Loads the program. ring, lost: maps as device_refusals.h has them, or -1: nothing is noted. Returns a descriptor, or -1 with errno. */
int device_program_load(const struct device_rule *rules, size_t n, int ring, int lost);

/*
 * After a load has failed: whether the kernel has programs of that type at all, as it will then take one without any rule. False
 * without CONFIG_CGROUP_BPF, or where bpf(2) itself isn't there.
 */
bool device_program_exists(void);

/*
 * Attaches it to a cgroup, with which it goes; beside those that systemd, or a container around us, has further up: each of them must
 * agree. Returns 0, or -1 with errno.
 */
int device_program_attach(int cgroupfd, int programfd);

#endif
