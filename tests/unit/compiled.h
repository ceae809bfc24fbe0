/* A profile that is compiled, and what calls get of its filter, for the tests of the compiler. */
#ifndef TESTS_UNIT_COMPILED_H
#define TESTS_UNIT_COMPILED_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "security/seccomp.h"
#include "tests/unit/unit.h"

#define X32_BIT   0x40000000
#define NO_ACTION 0xdeadbeef
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

struct compiled {
	struct seccomp_filter filter;
	struct findings findings;
	struct error err;
	unsigned int n_allowed;
	int result;
};

static inline void compile_for(struct compiled *c, const char *text, capability_set capabilities)
{
	const struct seccomp_subject subject = {capabilities};

	*c = (struct compiled){0};
	findings_init(&c->findings, "f");
	c->result = seccomp_compile(
		text, strlen(text), "p.json", &subject, -1, &c->filter, &c->n_allowed, &c->findings, &c->err);
	if (c->result < 0 && c->err.class == ERROR_INTERNAL)
		printf("# %s\n", c->err.message);
}

static inline void done(struct compiled *c)
{
	seccomp_filter_free(&c->filter);
	findings_free(&c->findings);
}

static inline void compile(struct compiled *c, const char *text)
{
	compile_for(c, text, capabilities_default());
}

static inline uint32_t on(const struct compiled *c, uint32_t arch, long nr, uint64_t first, uint64_t second)
{
	const uint64_t args[6] = {first, second};

	return c->filter.length ? seccomp_simulate(&c->filter, arch, (int)nr, args, 0) : NO_ACTION;
}

static inline uint32_t of(const struct compiled *c, long nr)
{
	return on(c, NATIVE, nr, 0, 0);
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define ALLOW    SECCOMP_RET_ALLOW
/* One entry beside the execve that a profile needs. */
#define PROFILE(more)                                                                                       \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"execve\",\"statx\"],\"action\":" \
	"\"SCMP_ACT_ALLOW\"}" more "]}"
#define IF(index, op, value, two) \
	"{\"index\":" #index ",\"value\":" #value ",\"valueTwo\":" #two ",\"op\":\"SCMP_CMP_" #op "\"}"

struct written {
	char *start;
	size_t size;
};

/* A profile to be written to, rule by rule, that lets execve be called. */
static inline FILE *open_profile(struct written *text, const char *members)
{
	FILE *out = open_memstream(&text->start, &text->size);

	fprintf(out, "{%s,\"syscalls\":[{\"names\":[\"execve\"],\"action\":\"SCMP_ACT_ALLOW\"}", members);
	return out;
}

static inline void compile_written(struct compiled *c, FILE *out, struct written *text)
{
	fputs("]}", out);
	fclose(out);
	compile(c, text->start);
	free(text->start);
}

#endif
