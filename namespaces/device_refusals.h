/*
 * The devices that a container was refused by its cgroup: what the program there (device_program.h) notes, read without blocking.
 *
 * Theory of operation. The program puts a note of each refusal into a ring buffer of the container's own (BPF_MAP_TYPE_RINGBUF), which
 * we have mapped: the kernel writes, its pages of data are read-only to us, and how far we have read is told in a page of ours. If there
 * is no room it puts nothing and counts it in a map of one number, so that no container waits for us. Both maps stay as long as
 * the program or we have them, whatever becomes of the cgroup.
 *
 * What can be trusted: a container has no descriptor of either map. One that has CAP_SYS_ADMIN, and may call bpf(2), can get one by its
 * number, and do to it what it likes; but then it can take the program from the cgroup, too. Its data can't be written to all the same; the
 * position is kept by us and never read back; and a length that isn't that of a note ends the reading.
 *
 * See Documentation/bpf/ringbuf.rst of Linux.
 */
#ifndef NAMESPACES_DEVICE_REFUSALS_H
#define NAMESPACES_DEVICE_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct device_refusals {
	int ring; /* readable when there is a note; -1: closed */
	int lost; /* the map that counts what found no room */
	size_t page, size; /* bytes: of a page, and of the ring's data */
	uint64_t *consumer; /* how far we have read: a page of its own */
	uint64_t *producer; /* how far the kernel has written: a page, after which the data comes, twice */
	uint64_t position, lost_before;
	int unnoted; /* set by cgroup_allow_devices: why its program notes nothing, an errno; 0: it does */
};

extern const struct device_refusals device_refusals_closed;

struct device_refusal {
	bool is_block;
	unsigned int major, minor;
	unsigned int access; /* BPF_DEVCG_ACC_* */
	pid_t pid; /* the process, as the first pid namespace counts; process_sees_first_pids() */
	char program[16]; /* the thread's name, which it may have chosen itself */
};

/* Makes the maps. An error says why there are none. */
int device_refusals_open(struct device_refusals *refusals, struct error *err);
void device_refusals_close(struct device_refusals *refusals);

/* Takes the next one, without waiting. Returns 1; 0 if there is none; -1 if there will never be one again. */
int device_refusals_next(struct device_refusals *refusals, struct device_refusal *refusal);

/* How many were lost since this was last asked. Whenever some were, the ring was full: so it is asked after reading. */
uint64_t device_refusals_lost(struct device_refusals *refusals);

/* device_text.c: "/dev/kmsg", as it is called by the kernel or by tradition; NULL if it has no name. A fresh string. */
char *device_name(bool is_block, unsigned int major, unsigned int minor);

/* device_text.c: "read", "read, write", "make". Into buffer. */
const char *device_access(unsigned int access, char *buffer, size_t size);

/* device_text.c: "open /dev/kmsg (c 1:11: read)", "open c 250:7 (read, write)". name: from device_name. A fresh string. */
char *device_refusal_what(const struct device_refusal *refusal, const char *name);

#endif
