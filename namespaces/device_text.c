/* Devices in words: what a number is called, and what of it was refused. */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/device_refusals.h"

#define UEVENT_LIMIT    4096 /* bytes */
#define MINORS_OF_DISK  16 /* of major 8: a disk and its partitions */
#define LETTERS_OF_DISK 26

/* Those whose numbers are fixed, be there a driver or not: Documentation/admin-guide/devices.txt of Linux. */
static const struct {
	bool is_block;
	unsigned int major, first, last; /* minors */
	const char *name; /* followed by which of them it is, if there are more than one */
} known[] = {
	{false, 1, 1, 1, "mem"},
	{false, 1, 2, 2, "kmem"},
	{false, 1, 4, 4, "port"},
	{false, 1, 11, 11, "kmsg"},
	{false, 4, 0, 63, "tty"},
	{false, 4, 64, 255, "ttyS"},
	{false, 10, 200, 200, "net/tun"},
	{false, 10, 229, 229, "fuse"},
	{false, 10, 232, 232, "kvm"},
	{false, 10, 237, 237, "loop-control"},
	{true, 1, 0, 255, "ram"},
	{true, 7, 0, 255, "loop"},
};

static char *known_name(bool is_block, unsigned int major, unsigned int minor)
{
	for (size_t i = 0; i < array_length(known); i++) {
		if (known[i].is_block != is_block || known[i].major != major || minor < known[i].first ||
			minor > known[i].last)
			continue;
		if (known[i].first == known[i].last)
			return xasprintf("/dev/%s", known[i].name);
		return xasprintf("/dev/%s%u", known[i].name, minor - known[i].first);
	}
	return NULL;
}

/* sda, sda1 to sda15, sdb, ... */
static char *disk_name(unsigned int minor)
{
	unsigned int disk = minor / MINORS_OF_DISK, partition = minor % MINORS_OF_DISK;

	if (disk >= LETTERS_OF_DISK)
		return NULL;
	return partition ? xasprintf("/dev/sd%c%u", 'a' + (char)disk, partition)
			 : xasprintf("/dev/sd%c", 'a' + (char)disk);
}

/* What this machine's driver calls it: "DEVNAME=vda" in its uevent. */
static char *driver_name(bool is_block, unsigned int major, unsigned int minor)
{
	cleanup_free char *path =
		xasprintf("/sys/dev/%s/%u:%u/uevent", is_block ? "block" : "char", major, minor);
	cleanup_free char *text = NULL;
	cleanup_free char *name = NULL;
	struct error ignored;

	if (file_read(path, UEVENT_LIMIT, ERROR_HOST, &text, NULL, &ignored) < 0)
		return NULL;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (!text_starts_with(line, "DEVNAME="))
			continue;
		line += strlen("DEVNAME=");
		name = text_printable(line, strcspn(line, "\n"));
		return xasprintf("/dev/%s", name);
	}
	return NULL;
}

char *device_name(bool is_block, unsigned int major, unsigned int minor)
{
	char *name = is_block && major == 8 ? disk_name(minor) : known_name(is_block, major, minor);

	return name ? name : driver_name(is_block, major, minor);
}

const char *device_access(unsigned int access, char *buffer, size_t size)
{
	static const struct {
		unsigned int bit;
		const char *word;
	} words[] = {
		{BPF_DEVCG_ACC_READ, "read"},
		{BPF_DEVCG_ACC_WRITE, "write"},
		{BPF_DEVCG_ACC_MKNOD, "make"},
	};
	size_t n = 0;

	*buffer = '\0';
	for (size_t i = 0; i < array_length(words) && n < size; i++)
		if (access & words[i].bit)
			n += (size_t)snprintf(buffer + n, size - n, "%s%s", n ? ", " : "", words[i].word);
	return buffer;
}

char *device_refusal_what(const struct device_refusal *refusal, const char *name)
{
	char access[32];
	cleanup_free char *number =
		xasprintf("%c %u:%u", refusal->is_block ? 'b' : 'c', refusal->major, refusal->minor);
	const char *verb = refusal->access & BPF_DEVCG_ACC_MKNOD ? "mknod" : "open";

	device_access(refusal->access, access, sizeof(access));
	return name ? xasprintf("%s %s (%s: %s)", verb, name, number, access)
		    : xasprintf("%s %s (%s)", verb, number, access);
}
