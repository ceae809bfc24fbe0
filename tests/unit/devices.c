/* A cgroup's device program, run by an interpreter of our own; its notes, read from a ring that we fill; and what fails closed. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"
#include "namespaces/device_program.h"
#include "namespaces/device_refusals.h"
#include "tests/unit/unit.h"

#define INSNS_MAX 256
#define STACK     64
#define CGROUP    77
#define PROGRAM   78
#define PAGE      ((size_t)sysconf(_SC_PAGESIZE))
#define PID       4711

/* ---- a kernel, as far as bpf(2) goes ---- */

static struct {
	struct bpf_insn insns[INSNS_MAX];
	uint32_t n; /* of the program that was loaded last; 0: none was */
	bool attached;
	int unknown; /* errno of all loads: programs of the type are unknown, or bpf(2) is refused */
	int rejects; /* errno of the load of one with any rule */
	int no_notes; /* errno of the load of one that calls */
	int no_maps; /* errno of making a map */
	bool is_full; /* the ring */
	struct device_note note; /* that was put last */
	unsigned int notes;
	uint64_t lost;
} kernel;

static bool calls(const struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL))
			return true;
	return false;
}

static int load_program(const union bpf_attr *attr)
{
	const struct bpf_insn *insns =
		(const void *)(uintptr_t)attr->insns; // NOLINT(performance-no-int-to-ptr)

	expect(attr->prog_type == BPF_PROG_TYPE_CGROUP_DEVICE && attr->insn_cnt < INSNS_MAX);
	errno = kernel.unknown                                    ? kernel.unknown
		: kernel.rejects && attr->insn_cnt > 2            ? kernel.rejects
		: kernel.no_notes && calls(insns, attr->insn_cnt) ? kernel.no_notes
								  : 0;
	if (errno)
		return -1;
	kernel.n = attr->insn_cnt;
	memcpy(kernel.insns, insns, kernel.n * sizeof(*insns));
	return dup(STDERR_FILENO);
}

static int make_map(const union bpf_attr *attr)
{
	int fd;

	if (kernel.no_maps) {
		errno = kernel.no_maps;
		return -1;
	}
	fd = memfd_create("map", MFD_CLOEXEC);
	if (attr->map_type == BPF_MAP_TYPE_RINGBUF)
		expect(ftruncate(fd, (off_t)(2 * PAGE + 2 * attr->max_entries)) == 0);
	return fd;
}

/* Instead of the C library's. */
long syscall(long number, ...)
{
	int command;
	union bpf_attr *attr;
	va_list list;

	va_start(list, number);
	command = va_arg(list, int);
	attr = va_arg(list, union bpf_attr *);
	va_end(list);
	if (number != SYS_bpf)
		abort();
	switch (command) {
	case BPF_PROG_LOAD:
		return load_program(attr);
	case BPF_PROG_ATTACH:
		expect(attr->target_fd == CGROUP && attr->attach_type == BPF_CGROUP_DEVICE &&
			attr->attach_flags == BPF_F_ALLOW_MULTI);
		kernel.attached = true;
		return 0;
	case BPF_MAP_CREATE:
		return make_map(attr);
	case BPF_MAP_LOOKUP_ELEM:
		memcpy((void *)(uintptr_t)attr->value, &kernel.lost, // NOLINT(performance-no-int-to-ptr)
			sizeof(kernel.lost));
		return 0;
	default:
		abort();
	}
}

/* ---- its interpreter ---- */

struct machine {
	uint64_t r[11];
	char stack[STACK];
	struct bpf_cgroup_dev_ctx context;
};

/* A pointer is a number of this process. */
static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
}

static void call(struct machine *machine, int function)
{
	static const char name[16] = "dd";
	uint64_t *r = machine->r;

	switch (function) {
	case BPF_FUNC_get_current_pid_tgid:
		r[0] = (uint64_t)PID << 32 | (PID + 1);
		break;
	case BPF_FUNC_get_current_comm:
		expect(r[2] == sizeof(name));
		memcpy(at(r[1]), name, sizeof(name));
		r[0] = 0;
		break;
	case BPF_FUNC_ringbuf_output:
		expect(r[3] == sizeof(kernel.note) && r[4] == 0);
		memcpy(&kernel.note, at(r[2]), sizeof(kernel.note));
		kernel.notes += !kernel.is_full;
		r[0] = kernel.is_full ? (uint64_t)-EAGAIN : 0;
		break;
	default:
		abort();
	}
	/* As the verifier has it: what a call may have changed isn't to be used. */
	for (int i = 1; i <= 5; i++)
		r[i] = 0xdeaddeaddeaddeadULL;
}

static const struct bpf_insn *step(struct machine *machine, const struct bpf_insn *insn)
{
	uint64_t *to = &machine->r[insn->dst_reg], from = machine->r[insn->src_reg];

	switch (insn->code) {
	case BPF_LDX | BPF_MEM | BPF_W:
		*to = *(uint32_t *)at(from + (uint64_t)(int64_t)insn->off);
		break;
	case BPF_STX | BPF_MEM | BPF_W:
		*(uint32_t *)at(*to + (uint64_t)(int64_t)insn->off) = (uint32_t)from;
		break;
	case BPF_STX | BPF_MEM | BPF_DW:
		*(uint64_t *)at(*to + (uint64_t)(int64_t)insn->off) = from;
		break;
	case BPF_STX | BPF_XADD | BPF_DW:
		*(uint64_t *)at(*to) += from;
		break;
	case BPF_LD | BPF_IMM | BPF_DW:
		*to = insn->src_reg == BPF_PSEUDO_MAP_VALUE ? (uint64_t)(uintptr_t)&kernel.lost : 0;
		return insn + 2;
	case BPF_ALU64 | BPF_MOV | BPF_X:
		*to = from;
		break;
	case BPF_ALU64 | BPF_MOV | BPF_K:
		*to = (uint64_t)(int64_t)insn->imm;
		break;
	case BPF_ALU64 | BPF_ADD | BPF_K:
		*to += (uint64_t)(int64_t)insn->imm;
		break;
	case BPF_ALU64 | BPF_AND | BPF_K:
		*to &= (uint64_t)(int64_t)insn->imm;
		break;
	case BPF_ALU64 | BPF_RSH | BPF_K:
		*to >>= insn->imm;
		break;
	case BPF_JMP | BPF_JNE | BPF_K:
		return insn + 1 + (*to != (uint64_t)(int64_t)insn->imm ? insn->off : 0);
	case BPF_JMP | BPF_JEQ | BPF_K:
		return insn + 1 + (*to == (uint64_t)(int64_t)insn->imm ? insn->off : 0);
	case BPF_JMP | BPF_JSET | BPF_K:
		return insn + 1 + (*to & (uint64_t)(int64_t)insn->imm ? insn->off : 0);
	case BPF_JMP | BPF_CALL:
		call(machine, insn->imm);
		break;
	default:
		abort();
	}
	return insn + 1;
}

/* What the loaded program says. */
static bool passes(uint32_t type, uint32_t access, uint32_t major, uint32_t minor)
{
	struct machine machine = {.context = {access << 16 | type, major, minor}};
	const struct bpf_insn *insn = kernel.insns;

	machine.r[1] = (uintptr_t)&machine.context;
	machine.r[10] = (uintptr_t)(machine.stack + STACK);
	while (insn->code != (BPF_JMP | BPF_EXIT)) {
		insn = step(&machine, insn);
		expect(insn < kernel.insns + kernel.n);
	}
	return machine.r[0] == 1;
}

/* ---- what is tested ---- */

static const struct cgroup unified = {.fd = {[CGROUP_UNIFIED] = CGROUP}};
static const struct device fuse = {.major = 10, .minor = 229};

static int restrict_devices(struct device_refusals *refusals, struct error *err)
{
	kernel.n = 0;
	kernel.attached = false;
	*err = (struct error){0};
	return cgroup_allow_devices(&unified, &fuse, 1, refusals, err);
}

static void check_rules(void)
{
	const uint32_t c = BPF_DEVCG_DEV_CHAR, b = BPF_DEVCG_DEV_BLOCK;
	const uint32_t r = BPF_DEVCG_ACC_READ, w = BPF_DEVCG_ACC_WRITE, m = BPF_DEVCG_ACC_MKNOD;

	expect(passes(c, r | w, 1, 3) && passes(c, r, 1, 9) && passes(c, r | w | m, 5, 2));
	expect(passes(c, r | w, 136, 0) && passes(c, r | w, 136, 70000));
	expect(passes(c, m, 1, 1) && passes(b, m, 8, 0));
	expect(passes(c, r | w, 10, 229));
	expect(!passes(c, r, 1, 1) && !passes(c, w, 1, 11) && !passes(c, r, 10, 200));
	expect(!passes(b, r, 1, 3) && !passes(b, w, 8, 0) && !passes(b, r | m, 8, 0));
	expect(!passes(0, r, 1, 3));
}

static void allows_what_the_rules_say_and_nothing_else(void)
{
	struct error err;

	expect(restrict_devices(NULL, &err) == 0 && kernel.attached);
	expect(!calls(kernel.insns, kernel.n));
	check_rules();
}

static void notes_what_it_refuses(void)
{
	struct device_refusals refusals;
	struct error err;

	expect(device_refusals_open(&refusals, &err) == 0);
	expect(restrict_devices(&refusals, &err) == 0 && kernel.attached && !refusals.unnoted);
	check_rules();

	kernel.notes = 0;
	expect(passes(BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ, 1, 3) && !kernel.notes);
	expect(!passes(BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE, 7, 300));
	expect(kernel.notes == 1 && kernel.lost == 0);
	expect(kernel.note.type == BPF_DEVCG_DEV_BLOCK && kernel.note.major == 7 && kernel.note.minor == 300);
	expect(kernel.note.access == (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE));
	expect(kernel.note.pid_tgid >> 32 == PID);
	expect_text(kernel.note.program, "dd");

	kernel.is_full = true;
	for (int i = 0; i < 3; i++)
		expect(!passes(BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ, 1, 1));
	kernel.is_full = false;
	expect(kernel.notes == 1 && device_refusals_lost(&refusals) == 3);
	expect(device_refusals_lost(&refusals) == 0);
	/* The container that could has tampered with it. */
	kernel.lost = 1;
	expect(device_refusals_lost(&refusals) == 0);
	kernel.lost = 0;
	device_refusals_close(&refusals);
}

/* The kernel's side of the ring. */
static void put(
	const struct device_refusals *refusals, uint64_t position, uint32_t length, unsigned int minor)
{
	const struct device_note note = {.pid_tgid = (uint64_t)PID << 32,
		.type = BPF_DEVCG_DEV_CHAR,
		.access = BPF_DEVCG_ACC_READ,
		.major = 1,
		.minor = minor,
		.program = "fifteen bytes.."};
	char record[BPF_RINGBUF_HDR_SZ + sizeof(note)] = "";
	off_t begin = (off_t)(2 * PAGE);
	uint64_t end = position + sizeof(record);

	memcpy(record, &length, sizeof(length));
	memcpy(record + BPF_RINGBUF_HDR_SZ, &note, sizeof(note));
	/* The data is there twice, one after the other. */
	for (size_t i = 0; i < sizeof(record); i++)
		for (size_t twice = 0; twice < 2; twice++)
			expect(pwrite(refusals->ring, record + i, 1,
				       begin + (off_t)((position + i) % refusals->size +
						       twice * refusals->size)) == 1);
	expect(pwrite(refusals->ring, &end, sizeof(end), (off_t)PAGE) == sizeof(end));
}

static void reads_the_ring(void)
{
	const uint32_t whole = sizeof(struct device_note), step_size = BPF_RINGBUF_HDR_SZ + whole;
	struct device_refusals refusals;
	struct device_refusal refusal;
	struct error err;
	uint64_t position = 0;

	expect(device_refusals_open(&refusals, &err) == 0);
	expect(device_refusals_next(&refusals, &refusal) == 0);
	/* Round it three times. */
	for (unsigned int i = 0; i < 3 * refusals.size / step_size; i++, position += step_size) {
		put(&refusals, position, whole, i);
		expect(device_refusals_next(&refusals, &refusal) == 1 && refusal.minor == i);
		expect(*refusals.consumer == position + step_size);
	}
	expect(refusal.pid == PID && !refusal.is_block && refusal.major == 1);
	expect(refusal.access == BPF_DEVCG_ACC_READ);
	expect_text(refusal.program, "fifteen bytes..");
	expect(device_refusals_next(&refusals, &refusal) == 0);

	/* Half written; thrown away; and what no kernel writes. */
	put(&refusals, position, whole | BPF_RINGBUF_BUSY_BIT, 1);
	expect(device_refusals_next(&refusals, &refusal) == 0);
	put(&refusals, position, whole | BPF_RINGBUF_DISCARD_BIT, 1);
	put(&refusals, position + step_size, whole, 2);
	expect(device_refusals_next(&refusals, &refusal) == 1 && refusal.minor == 2);
	put(&refusals, position + 2 * step_size, 0, 3);
	expect(device_refusals_next(&refusals, &refusal) == -1);
	device_refusals_close(&refusals);
	expect(device_refusals_next(&refusals, &refusal) == -1);
}

static void does_without_notes_but_not_without_the_lock(void)
{
	struct device_refusals refusals;
	struct error err;

	/* A kernel before 6.1. */
	expect(device_refusals_open(&refusals, &err) == 0);
	kernel.no_notes = EINVAL;
	expect(restrict_devices(&refusals, &err) == 0 && kernel.attached && refusals.unnoted == EINVAL);
	check_rules();
	kernel.no_notes = 0;

	/* One that has such programs, and takes none of ours. */
	kernel.rejects = EINVAL;
	expect(restrict_devices(&refusals, &err) < 0 && !kernel.attached);
	expect(err.errnum == EINVAL);
	expect(strstr(err.message, "the kernel takes no BPF program") != NULL);
	kernel.rejects = EACCES;
	expect(restrict_devices(NULL, &err) < 0 && err.errnum == EACCES);
	kernel.rejects = 0;
	kernel.unknown = EPERM;
	expect(restrict_devices(&refusals, &err) < 0 && err.errnum == EPERM);

	/* One that has none: then it is the mounts alone. */
	kernel.unknown = EINVAL;
	expect(restrict_devices(&refusals, &err) == 1 && !kernel.attached);
	kernel.unknown = ENOSYS;
	expect(restrict_devices(NULL, &err) == 1 && !kernel.attached);
	kernel.unknown = 0;
	device_refusals_close(&refusals);

	kernel.no_maps = EPERM;
	expect(device_refusals_open(&refusals, &err) < 0 && err.errnum == EPERM && refusals.ring < 0);
	expect(restrict_devices(&refusals, &err) == 0 && kernel.attached);
	kernel.no_maps = 0;
}

static void expect_what(
	bool is_block, unsigned int major, unsigned int minor, unsigned int access, const char *wanted)
{
	const struct device_refusal refusal = {
		.is_block = is_block, .major = major, .minor = minor, .access = access};
	cleanup_free char *name = device_name(is_block, major, minor);
	cleanup_free char *what = device_refusal_what(&refusal, name);

	expect_text(what, wanted);
}

static void says_it_in_words(void)
{
	const unsigned int r = BPF_DEVCG_ACC_READ, w = BPF_DEVCG_ACC_WRITE, m = BPF_DEVCG_ACC_MKNOD;

	expect_what(false, 1, 11, r, "open /dev/kmsg (c 1:11: read)");
	expect_what(false, 1, 1, r | w, "open /dev/mem (c 1:1: read, write)");
	expect_what(false, 10, 232, w, "open /dev/kvm (c 10:232: write)");
	expect_what(false, 10, 229, w, "open /dev/fuse (c 10:229: write)");
	expect_what(false, 4, 65, w, "open /dev/ttyS1 (c 4:65: write)");
	expect_what(true, 7, 12, r, "open /dev/loop12 (b 7:12: read)");
	expect_what(true, 8, 0, r, "open /dev/sda (b 8:0: read)");
	expect_what(true, 8, 33, m, "mknod /dev/sdc1 (b 8:33: make)");
	/* None is called so by tradition, and no driver has such numbers. */
	expect_what(true, 8, 26 * 16, r, "open b 8:416 (read)");
	expect_what(false, 4095, 1048575, r | w | m, "mknod c 4095:1048575 (read, write, make)");
}

int main(void)
{
	group(allows_what_the_rules_say_and_nothing_else);
	group(notes_what_it_refuses);
	group(reads_the_ring);
	group(does_without_notes_but_not_without_the_lock);
	group(says_it_in_words);
	return unit_done();
}
