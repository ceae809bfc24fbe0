/* The BPF program of a cgroup's devices: made, loaded, attached. Theory of operation: device_program.h. */
#include "namespaces/device_program.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define RULE_MAX  8 /* instructions of a rule */
#define FRAME_MAX 40 /* those around the rules */

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

static void add_number(struct program *program, int to, int32_t value)
{
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

static void add_return(struct program *program, int32_t value)
{
	add_number(program, BPF_REG_0, value);
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

static void add_rule(struct program *program, const struct device_rule *rule)
{
	const int unequal = BPF_JMP | BPF_JNE | BPF_K, any_bit = BPF_JMP | BPF_JSET | BPF_K;
	uint32_t first = program->n;

	add(program, unequal, BPF_REG_2, 0, 0, rule->type);
	if (rule->access != DEVICE_ALL)
		add(program, any_bit, BPF_REG_3, 0, 0, DEVICE_ALL & ~rule->access);
	if (rule->major != DEVICE_ANY)
		add(program, unequal, BPF_REG_4, 0, 0, rule->major);
	if (rule->minor != DEVICE_ANY)
		add(program, unequal, BPF_REG_5, 0, 0, rule->minor);
	add_return(program, 1);
	/* Their jumps go past the return. */
	for (uint32_t i = first; i + 2 < program->n; i++)
		program->insns[i].off = (int16_t)(program->n - i - 1);
}

/* Where a member of the note lies from the frame pointer on. */
static int of_note(size_t offset)
{
	return (int)offset - (int)sizeof(struct device_note);
}

static void add_address(struct program *program, int to, size_t offset)
{
	add(program, BPF_ALU64 | BPF_MOV | BPF_X, to, BPF_REG_10, 0, 0);
	add(program, BPF_ALU64 | BPF_ADD, to, 0, 0, of_note(offset));
}

static void add_store(struct program *program, int size, int from, size_t offset)
{
	add(program, BPF_STX | BPF_MEM | size, BPF_REG_10, from, of_note(offset), 0);
}

/* A constant of 64 bits, of two instructions: a map, or its first value. */
static void add_map(struct program *program, int to, int how, int fd)
{
	add(program, BPF_LD | BPF_IMM | BPF_DW, to, how, 0, fd);
	add(program, 0, 0, 0, 0, 0);
}

static void add_call(struct program *program, int function)
{
	add(program, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

static void add_note(struct program *program, int ring, int lost)
{
	uint32_t jump;

	add_store(program, BPF_W, BPF_REG_2, offsetof(struct device_note, type));
	add_store(program, BPF_W, BPF_REG_3, offsetof(struct device_note, access));
	add_store(program, BPF_W, BPF_REG_4, offsetof(struct device_note, major));
	add_store(program, BPF_W, BPF_REG_5, offsetof(struct device_note, minor));
	add_call(program, BPF_FUNC_get_current_pid_tgid);
	add_store(program, BPF_DW, BPF_REG_0, offsetof(struct device_note, pid_tgid));
	add_address(program, BPF_REG_1, offsetof(struct device_note, program));
	add_number(program, BPF_REG_2, sizeof(((struct device_note *)NULL)->program));
	add_call(program, BPF_FUNC_get_current_comm);

	add_map(program, BPF_REG_1, BPF_PSEUDO_MAP_FD, ring);
	add_address(program, BPF_REG_2, 0);
	add_number(program, BPF_REG_3, sizeof(struct device_note));
	add_number(program, BPF_REG_4, 0);
	add_call(program, BPF_FUNC_ringbuf_output);
	/* It is full. */
	jump = program->n;
	add(program, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	add_map(program, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, lost);
	add_number(program, BPF_REG_2, 1);
	add(program, BPF_STX | BPF_XADD | BPF_DW, BPF_REG_1, BPF_REG_2, 0, 0);
	program->insns[jump].off = (int16_t)(program->n - jump - 1);
}

int device_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct program *program)
{
	static const char license[] = "Apache-2.0";
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program->insns,
		.insn_cnt = program->n,
		.license = (uintptr_t)license,
		.prog_name = "minirun_devices",
	};

	return device_bpf(BPF_PROG_LOAD, &attr);
}

int device_program_load(const struct device_rule *rules, size_t n, int ring, int lost)
{
	cleanup_free struct bpf_insn *insns = xcalloc(FRAME_MAX + n * RULE_MAX, sizeof(*insns));
	struct program program = {.insns = insns};

	add_begin(&program);
	for (size_t i = 0; i < n; i++)
		add_rule(&program, &rules[i]);
	if (ring >= 0)
		add_note(&program, ring, lost);
	add_return(&program, 0);
	return load(&program);
}

bool device_program_exists(void)
{
	struct bpf_insn insns[2];
	struct program program = {.insns = insns};
	cleanup_fd int fd = -1;

	add_return(&program, 0);
	fd = load(&program);
	return fd >= 0 || (errno != EINVAL && errno != ENOSYS);
}

int device_program_attach(int cgroupfd, int programfd)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroupfd,
		.attach_bpf_fd = (uint32_t)programfd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	return device_bpf(BPF_PROG_ATTACH, &attr);
}
