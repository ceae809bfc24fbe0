/* A refused call in words: its name and its arguments, as strace would write them; and how a process is looked at for that. */
#include "security/denial.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/denial_argument.h"
#include "security/seccomp.h"

static void decode(const struct seccomp_data *data, const struct denial_reader *reader, uint32_t arch,
	struct denial_text *text)
{
	struct denial_call call = {
		.data = data,
		.reader = reader,
		.is_32bit = arch && seccomp_arch_is_32bit(arch) && arch != SCMP_ARCH_X32,
	};

	call.signature = denial_signature(text->name, &call.n);
	/* The old mmap and select of 32-bit x86 take a pointer to their arguments. */
	if (arch == SCMP_ARCH_X86 && (!strcmp(text->name, "mmap") || !strcmp(text->name, "select"))) {
		call.signature = "x";
		call.n = 1;
	}
	if (!call.signature) {
		call.signature = "hhhhhh";
		for (call.n = 6; call.n && !denial_argument_value(&call, call.n - 1); call.n--)
			;
	}
	for (size_t i = 0; i < call.n && !denial_argument_is_void(&call, i); i++)
		text->args[text->n_args++] = denial_argument(&call, i);
}

void denial_describe(
	const struct seccomp_data *call, const struct denial_reader *reader, struct denial_text *text)
{
	uint32_t arch = seccomp_arch_of_call(call->arch, call->nr);
	const char *arch_name = arch ? seccomp_arch_go_name(arch) : "foreign";
	cleanup_free char *list = xstrdup("");

	*text = (struct denial_text){0};
	text->name = arch ? seccomp_syscall_name(arch, call->nr) : NULL;
	if (!text->name)
		text->name = xasprintf("call %d", arch == SCMP_ARCH_X32 ? call->nr & ~X32_BIT : call->nr);
	decode(call, reader, arch, text);
	for (size_t i = 0; i < text->n_args; i++) {
		char *longer = xasprintf("%s%s%s", list, i ? ", " : "", text->args[i]);

		free(list);
		list = longer;
	}
	if (arch == seccomp_arch_native())
		text->call = xasprintf("%s(%s)", text->name, list);
	else
		text->call = xasprintf("%s(%s) [%s]", text->name, list, arch_name);
}

void denial_text_free(struct denial_text *text)
{
	for (size_t i = 0; i < text->n_args; i++)
		free(text->args[i]);
	free(text->name);
	free(text->call);
	*text = (struct denial_text){0};
}

const char *denial_result(uint32_t action, char *buffer, size_t size)
{
	int errnum = (int)(action & SECCOMP_RET_DATA);
	const char *name;

	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
		return "SIGSYS";
	case SECCOMP_RET_ERRNO:
		break;
	default:
		errnum = ENOSYS;
	}
	name = errnum ? strerrorname_np(errnum) : "0";
	if (name)
		snprintf(buffer, size, "%s", name);
	else
		snprintf(buffer, size, "errno %d", errnum);
	return buffer;
}

/* ---- looking at a process ---- */

static ssize_t read_process(const void *data, uint64_t address, void *buffer, size_t size)
{
	const pid_t *pid = data;
	size_t first = 4096 - address % 4096; /* up to the end of its page: the next may not be there */
	struct iovec local = {buffer, size};
	struct iovec remote[2] = {{(void *)(uintptr_t)address, size}}; // NOLINT(performance-no-int-to-ptr)
	unsigned long n = 1;

	if (first < size) {
		remote[0].iov_len = first;
		remote[1].iov_base =
			(void *)(uintptr_t)(address + first); // NOLINT(performance-no-int-to-ptr)
		remote[1].iov_len = size - first;
		n = 2;
	}
	return process_vm_readv(*pid, &local, 1, remote, n, 0);
}

static bool read_descriptor(const void *data, int fd, char *buffer, size_t size)
{
	const pid_t *pid = data;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)*pid, fd);
	n = readlink(path, buffer, size - 1);
	if (n < 0)
		return false;
	buffer[n] = '\0';
	return true;
}

const struct denial_reader denial_process_reader = {read_process, read_descriptor, NULL};
