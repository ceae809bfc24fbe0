/*
 * Which devices a container may use, by its cgroup.
 *
 * Theory of operation
 *
 * It is a second lock: as everything that a container can write to is mounted nodev, and so is what it finds in volumes (devices.c),
 * it can open no node that it makes. A container to which the manifest gives CAP_SYS_ADMIN can mount without nodev; this is
 * what it meets then.
 *
 * In version 2 the kernel runs a program of ours for each open and mknod of a device by a process of the cgroup or below
 * (BPF_PROG_TYPE_CGROUP_DEVICE). It gets a struct bpf_cgroup_dev_ctx, and returns 1 to let it pass. The program is made from
 * the table of rules, one after another:
 *
 *	r2 = type, r3 = access, r4 = major, r5 = minor
 *	for each rule:  if (r2 != its type) goto next
 *	                if (r3 & ~its access) goto next
 *	                if (r4 != its major) goto next         unless it is any
 *	                if (r5 != its minor) goto next         unless it is any
 *	                return 1
 *	return 0
 *
 * It is attached beside those that systemd or a container around us has further up (BPF_F_ALLOW_MULTI): each of them must agree.
 * It goes with the cgroup. In version 1 the same rules are written as text.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"
#include "namespaces/namespaces.h"

#define ANY       (-1)
#define ALL       (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define RULE_MAX  8 /* instructions of a rule */
#define FRAME_MAX 8 /* those around the rules */

struct rule {
	int type; /* BPF_DEVCG_DEV_* */
	int major, minor; /* or ANY */
	int access; /* BPF_DEVCG_ACC_* */
};

/* The default devices of the OCI runtime specification (config-linux.md), and what runc lets any container make. */
static const struct rule common[] = {
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

struct program {
	struct bpf_insn *insns;
	uint32_t n;
};

static void add(struct program *program, int code, int to, int from, int offset, int32_t value)
{
	program->insns[program->n++] = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = (uint8_t)(to & 15),
		.src_reg = (uint8_t)(from & 15),
		.off = (int16_t)offset,
		.imm = value,
	};
}

static void add_load(struct program *program, int to, size_t offset)
{
	add(program, BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_1, (int)offset, 0);
}

static void add_return(struct program *program, int32_t value)
{
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	add(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void add_begin(struct program *program)
{
	add_load(program, BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	add(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	add(program, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	add(program, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	add_load(program, BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	add_load(program, BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

static void add_rule(struct program *program, const struct rule *rule)
{
	const int unequal = BPF_JMP | BPF_JNE | BPF_K, any_bit = BPF_JMP | BPF_JSET | BPF_K;
	uint32_t first = program->n;

	add(program, unequal, BPF_REG_2, 0, 0, rule->type);
	if (rule->access != ALL)
		add(program, any_bit, BPF_REG_3, 0, 0, ALL & ~rule->access);
	if (rule->major != ANY)
		add(program, unequal, BPF_REG_4, 0, 0, rule->major);
	if (rule->minor != ANY)
		add(program, unequal, BPF_REG_5, 0, 0, rule->minor);
	add_return(program, 1);
	/* Their jumps go past the return. */
	for (uint32_t i = first; i + 2 < program->n; i++)
		program->insns[i].off = (int16_t)(program->n - i - 1);
}

static int call_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Returns a descriptor, or -1 with errno. */
static int load(const struct program *program)
{
	static const char license[] =
		"Apache-2.0"; /* none of the functions that are for the GPL alone is called */
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program->insns,
		.insn_cnt = program->n,
		.license = (uintptr_t)license,
		.prog_name = "minirun_devices",
	};

	return call_bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int cgroupfd, int programfd)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroupfd,
		.attach_bpf_fd = (uint32_t)programfd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	return call_bpf(BPF_PROG_ATTACH, &attr);
}

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

static int allow_unified(int cgroupfd, const struct rule *rules, size_t n, struct error *err)
{
	cleanup_free struct bpf_insn *insns = xcalloc(FRAME_MAX + n * RULE_MAX, sizeof(*insns));
	struct program program = {.insns = insns};
	cleanup_fd int fd = -1;

	add_begin(&program);
	for (size_t i = 0; i < n; i++)
		add_rule(&program, &rules[i]);
	add_return(&program, 0);
	fd = load(&program);
	/* A kernel without CONFIG_CGROUP_BPF: then it is the mounts alone. */
	if (fd < 0 && (errno == ENOSYS || errno == EINVAL))
		return 1;
	if (fd < 0)
		return refused("the kernel takes no BPF program", err);
	if (attach(cgroupfd, fd) < 0)
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

static int allow_legacy(int cgroupfd, const struct rule *rules, size_t n, struct error *err)
{
	int errnum = cgroup_write(cgroupfd, "devices.deny", "a");

	for (size_t i = 0; i < n && errnum == 0; i++) {
		const struct rule *rule = &rules[i];
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

int cgroup_allow_devices(
	const struct cgroup *cgroup, const struct device *more, size_t n_more, struct error *err)
{
	cleanup_free struct rule *rules = xcalloc(array_length(common) + n_more, sizeof(*rules));
	size_t n = array_length(common);

	if (userns_inside())
		return 1;
	memcpy(rules, common, sizeof(common));
	for (size_t i = 0; i < n_more; i++)
		rules[n++] = (struct rule){
			.type = more[i].is_block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
			.major = (int)more[i].major,
			.minor = (int)more[i].minor,
			.access = ALL,
		};
	if (cgroup->fd[CGROUP_UNIFIED] >= 0)
		return allow_unified(cgroup->fd[CGROUP_UNIFIED], rules, n, err);
	if (cgroup->fd[CGROUP_DEVICES] >= 0)
		return allow_legacy(cgroup->fd[CGROUP_DEVICES], rules, n, err);
	return 1;
}
