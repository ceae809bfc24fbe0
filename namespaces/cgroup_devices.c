/*
 * Which devices a container may use, by its cgroup.
 *
 * Theory of operation
 *
 * It is a second lock: as everything that a container can write to is mounted nodev, and so is what it finds in volumes (devices.c),
 * it can open no node that it makes. A container to which the manifest gives CAP_SYS_ADMIN can mount without nodev; this is
 * what it meets then.
 *
 * In version 2 a BPF program of ours says so (device_program.h), and notes what it refuses (device_refusals.h). In version 1 the same
 * rules are written as text, and the kernel tells nobody what it refuses by them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"
#include "namespaces/device_program.h"
#include "namespaces/device_refusals.h"
#include "namespaces/namespaces.h"

#define ANY DEVICE_ANY
#define ALL DEVICE_ALL

/* The default devices of the OCI runtime specification (config-linux.md), and what runc lets any container make. */
static const struct device_rule common[] = {
	{BPF_DEVCG_DEV_CHAR, ANY, ANY, BPF_DEVCG_ACC_MKNOD},
	{BPF_DEVCG_DEV_BLOCK, ANY, ANY, BPF_DEVCG_ACC_MKNOD}, {BPF_DEVCG_DEV_CHAR, 1, 3, ALL}, /* null */
	{BPF_DEVCG_DEV_CHAR, 1, 5, ALL}, /* zero */
	{BPF_DEVCG_DEV_CHAR, 1, 7, ALL}, /* full */
	{BPF_DEVCG_DEV_CHAR, 1, 8, ALL}, /* random */
	{BPF_DEVCG_DEV_CHAR, 1, 9, ALL}, /* urandom */
	{BPF_DEVCG_DEV_CHAR, 5, 0, ALL}, /* tty */
	{BPF_DEVCG_DEV_CHAR, 5, 1, ALL}, /* console */
	{BPF_DEVCG_DEV_CHAR, 5, 2, ALL}, /* ptmx */
	{BPF_DEVCG_DEV_CHAR, 136, ANY, ALL}, /* pts */
};

static int refused(const char *what, struct error *err)
{
	error_set(err, ERROR_HOST, errno, "the container's devices can't be restricted: %s", what);
	error_check(err, "devices");
	if (err->errnum == EPERM)
		error_hint(err,
			"start minirun with CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, and allow bpf(2) "
			"in the seccomp filter around it");
	return -1;
}

/* Loads the program that notes what it refuses, if it can; else the plain one. Returns a descriptor, or -1 with errno. */
static int load(const struct device_rule *rules, size_t n, struct device_refusals *refusals)
{
	int fd = -1;

	if (refusals && refusals->ring >= 0) {
		fd = device_program_load(rules, n, refusals->ring, refusals->lost);
		refusals->unnoted = fd < 0 ? errno : 0;
	}
	return fd >= 0 ? fd : device_program_load(rules, n, -1, -1);
}

static int allow_unified(int cgroupfd, const struct device_rule *rules, size_t n,
	struct device_refusals *refusals, struct error *err)
{
	cleanup_fd int fd = load(rules, n, refusals);
	int errnum = errno;

	/* A kernel without such programs: then it is the mounts alone. One that has them, and declines this, leaves nobody without. */
	if (fd < 0 && !device_program_exists())
		return 1;
	errno = errnum;
	if (fd < 0)
		return refused("the kernel takes no BPF program", err);
	if (device_program_attach(cgroupfd, fd) < 0)
		return refused("the BPF program can't be attached to the cgroup", err);
	return 0;
}

static void number(int value, char *buffer, size_t size)
{
	if (value == ANY)
		snprintf(buffer, size, "*");
	else
		snprintf(buffer, size, "%d", value);
}

static int allow_legacy(int cgroupfd, const struct device_rule *rules, size_t n, struct error *err)
{
	int errnum = cgroup_write(cgroupfd, "devices.deny", "a");

	for (size_t i = 0; i < n && errnum == 0; i++) {
		const struct device_rule *rule = &rules[i];
		char text[64], major[16], minor[16];

		number(rule->major, major, sizeof(major));
		number(rule->minor, minor, sizeof(minor));
		snprintf(text, sizeof(text), "%c %s:%s %s", rule->type == BPF_DEVCG_DEV_BLOCK ? 'b' : 'c',
			major, minor, rule->access == ALL ? "rwm" : "m");
		errnum = cgroup_write(cgroupfd, "devices.allow", text);
	}
	errno = errnum;
	return errnum ? refused("cgroup devices", err) : 0;
}

int cgroup_allow_devices(const struct cgroup *cgroup, const struct device *more, size_t n_more,
	struct device_refusals *refusals, struct error *err)
{
	cleanup_free struct device_rule *rules = xcalloc(array_length(common) + n_more, sizeof(*rules));
	size_t n = array_length(common);

	if (userns_inside())
		return 1;
	memcpy(rules, common, sizeof(common));
	for (size_t i = 0; i < n_more; i++)
		rules[n++] = (struct device_rule){
			.type = more[i].is_block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
			.major = (int)more[i].major,
			.minor = (int)more[i].minor,
			.access = ALL,
		};
	if (cgroup->fd[CGROUP_UNIFIED] >= 0)
		return allow_unified(cgroup->fd[CGROUP_UNIFIED], rules, n, refusals, err);
	if (cgroup->fd[CGROUP_DEVICES] >= 0)
		return allow_legacy(cgroup->fd[CGROUP_DEVICES], rules, n, err);
	return 1;
}

int cgroup_can_note_devices(struct error *err)
{
	cleanup_free char *own = cgroup_own("");
	struct device_refusals refusals;
	int fd;

	if (!own)
		return error_set(err, ERROR_HOST, 0, "cgroup version 1 tells nobody");
	if (device_refusals_open(&refusals, err) < 0)
		return -1;
	fd = device_program_load(common, array_length(common), refusals.ring, refusals.lost);
	device_refusals_close(&refusals);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "the kernel takes no program that notes them");
	close(fd);
	return 0;
}
