/*
 * The cache of compiled filters: a folder with one file for each, found by the digest of all it depends on.
 *
 * To compile and verify a profile takes longer than to start a container. A hit costs a digest of the text, one open,
 * one fstat and one read. An entry is believed only if it is a regular file of our own that nobody else can write,
 * if its header holds the very key it was looked up by (so renaming entries achieves nothing), and if its checksum
 * is right. Anything else is as if it weren't there: the filter is compiled again and the entry replaced.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/seccomp.h"

#define FORMAT      "minirun seccomp 1"
#define SUFFIX      ".bpf"
#define ENTRY_MAX   (256U << 10) /* bytes: 4,096 instructions are 32 KiB, the rest is room for warnings */
#define NAME_LENGTH (2 * sizeof(struct seccomp_cache_key) + sizeof(SUFFIX) - 1)
#define ABANDONED   60 /* seconds after which a half-written file is nobody's any more */

struct header {
	char format[24];
	uint8_t key[32];
	uint8_t checksum[32]; /* of all that follows it in the file */
	uint32_t n_insns, flags, n_allowed, n_warnings;
};

/* After the instructions, for each warning: line and column, then path, hint and text, each ending in NUL. */
struct place {
	uint32_t line, column;
};

/* Another build may compile otherwise: the linker's build id is part of the key. Returns 1 if there is one. */
static int add_build_id(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const char *at = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
		const char *end = at + info->dlpi_phdr[i].p_memsz;

		while (info->dlpi_phdr[i].p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
			ElfW(Nhdr) note;
			const char *value;

			memcpy(&note, at, sizeof(note));
			value = at + sizeof(note) + ((note.n_namesz + 3) & ~3U);
			if (note.n_type == NT_GNU_BUILD_ID && value + note.n_descsz <= end) {
				SHA256Update(context, (const uint8_t *)value, note.n_descsz);
				return 1;
			}
			at = value + ((note.n_descsz + 3) & ~3U);
		}
	}
	return -1; /* the first object is the program itself: no need to look at others */
}

void seccomp_cache_key(
	const char *text, size_t size, const struct seccomp_subject *subject, struct seccomp_cache_key *key)
{
	const struct scmp_version *version = seccomp_version();
	struct utsname system = {0};
	SHA2_CTX context;
	size_t ignored;

	uname(&system);
	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)FORMAT, sizeof(FORMAT));
	SHA256Update(&context, (const uint8_t *)version, sizeof(*version));
	SHA256Update(&context, (const uint8_t *)system.release, sizeof(system.release));
	SHA256Update(&context, (const uint8_t *)system.machine, sizeof(system.machine));
	SHA256Update(&context, (const uint8_t *)&subject->capabilities, sizeof(subject->capabilities));
	/* The build id covers the text that is part of the program, and its digest is most of what a hit costs. */
	if (dl_iterate_phdr(add_build_id, &context) == 1 && text == seccomp_runtime_default(&ignored))
		SHA256Update(&context, (const uint8_t *)"RuntimeDefault", sizeof("RuntimeDefault"));
	else
		SHA256Update(&context, (const uint8_t *)text, size);
	SHA256Final(key->digest, &context);
}

static void entry_name(const struct seccomp_cache_key *key, char name[NAME_LENGTH + 1])
{
	for (size_t i = 0; i < sizeof(key->digest); i++)
		snprintf(name + 2 * i, 3, "%02x", key->digest[i]);
	memcpy(name + 2 * sizeof(key->digest), SUFFIX, sizeof(SUFFIX));
}

static void checksum(const char *entry, size_t size, uint8_t digest[32])
{
	size_t from = offsetof(struct header, n_insns);
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)entry + from, size - from);
	SHA256Final(digest, &context);
}

/* Reads an entry whole, if it is a file that only we can have written. */
static char *read_entry(int cachefd, const char *name, size_t *size)
{
	cleanup_fd int fd = openat(cachefd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_free char *entry = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		(st.st_mode & 022))
		return NULL;
	if (st.st_size < (off_t)sizeof(struct header) || st.st_size > ENTRY_MAX)
		return NULL;
	*size = (size_t)st.st_size;
	entry = xcalloc(*size + 1, 1);
	if (read(fd, entry, *size) != st.st_size)
		return NULL;
	return steal_pointer(&entry);
}

/* The next of the NUL-terminated strings between *at and end, or NULL. */
static const char *next_string(const char **at, const char *end)
{
	const char *string = *at;
	const char *nul = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return string;
}

static bool repeat_warnings(const char *at, const char *end, uint32_t n, struct findings *findings)
{
	while (n--) {
		const char *path, *hint, *text;
		struct place place;

		if ((size_t)(end - at) < sizeof(place))
			return false;
		memcpy(&place, at, sizeof(place));
		at += sizeof(place);
		path = next_string(&at, end);
		hint = next_string(&at, end);
		text = next_string(&at, end);
		if (!text)
			return false;
		findings_add(findings, SEVERITY_WARNING, place.line, place.column, *path ? path : NULL,
			*hint ? hint : NULL, "%s", text);
	}
	return at == end;
}

bool seccomp_cache_get(int cachefd, const struct seccomp_cache_key *key, struct seccomp_filter *filter,
	unsigned int *n_allowed, struct findings *findings)
{
	char name[NAME_LENGTH + 1];
	cleanup_free char *entry = NULL;
	struct header header;
	uint8_t sum[32];
	size_t size, bytes;

	entry_name(key, name);
	entry = read_entry(cachefd, name, &size);
	if (!entry)
		return false;
	memcpy(&header, entry, sizeof(header));
	checksum(entry, size, sum);
	if (strncmp(header.format, FORMAT, sizeof(header.format)) != 0 ||
		memcmp(header.key, key->digest, sizeof(header.key)) != 0 ||
		memcmp(header.checksum, sum, sizeof(sum)) != 0)
		return false;
	bytes = header.n_insns * sizeof(*filter->insns);
	if (!header.n_insns || header.n_insns > BPF_MAXINSNS || bytes > size - sizeof(header))
		return false;
	if (!repeat_warnings(entry + sizeof(header) + bytes, entry + size, header.n_warnings, findings))
		return false;
	filter->insns = xreallocarray(NULL, header.n_insns, sizeof(*filter->insns));
	memcpy(filter->insns, entry + sizeof(header), bytes);
	filter->length = (unsigned short)header.n_insns;
	filter->flags = header.flags;
	*n_allowed = header.n_allowed;
	return true;
}

struct buffer {
	char *data;
	size_t size;
};

static void append(struct buffer *buffer, const void *data, size_t size)
{
	buffer->data = xreallocarray(buffer->data, buffer->size + size + 1, 1);
	if (size)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static void append_string(struct buffer *buffer, const char *string)
{
	append(buffer, string ? string : "", string ? strlen(string) + 1 : 1);
}

/* Removes what writers that were killed left behind, and, beyond the limit, the oldest entry. */
static void evict(int cachefd)
{
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char oldest[NAME_LENGTH + 1] = "";
	struct timespec oldest_time = {0};
	const struct dirent *file;
	unsigned int n = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((file = readdir(dir))) {
		struct stat st;

		if (fstatat(cachefd, file->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (file->d_name[0] == '.' && text_ends_with(file->d_name, ".new") &&
			st.st_mtime + ABANDONED < time(NULL))
			unlinkat(cachefd, file->d_name, 0);
		if (strlen(file->d_name) != NAME_LENGTH || !text_ends_with(file->d_name, SUFFIX))
			continue;
		n++;
		if (!*oldest || st.st_mtim.tv_sec < oldest_time.tv_sec ||
			(st.st_mtim.tv_sec == oldest_time.tv_sec &&
				st.st_mtim.tv_nsec < oldest_time.tv_nsec)) {
			oldest_time = st.st_mtim;
			memcpy(oldest, file->d_name, NAME_LENGTH + 1);
		}
	}
	if (n > SECCOMP_CACHE_ENTRIES)
		unlinkat(cachefd, oldest, 0);
}

void seccomp_cache_put(int cachefd, const struct seccomp_cache_key *key, const struct seccomp_filter *filter,
	unsigned int n_allowed, const struct findings *findings, size_t first_finding)
{
	struct header header = {.format = FORMAT,
		.n_insns = filter->length,
		.flags = filter->flags,
		.n_allowed = n_allowed,
		.n_warnings = (uint32_t)(findings->n - first_finding)};
	struct buffer buffer = {0};
	struct error ignored;

	memcpy(header.key, key->digest, sizeof(header.key));
	append(&buffer, &header, sizeof(header));
	append(&buffer, filter->insns, filter->length * sizeof(*filter->insns));
	for (size_t i = first_finding; i < findings->n; i++) {
		struct place place = {findings->items[i].line, findings->items[i].column};

		append(&buffer, &place, sizeof(place));
		append_string(&buffer, findings->items[i].path);
		append_string(&buffer, findings->items[i].hint);
		append_string(&buffer, findings->items[i].text);
	}
	if (buffer.size <= ENTRY_MAX) {
		char name[NAME_LENGTH + 1];

		checksum(buffer.data, buffer.size, header.checksum);
		memcpy(buffer.data, &header, sizeof(header));
		entry_name(key, name);
		if (file_replace(cachefd, name, 0600, buffer.data, buffer.size, &ignored) == 0)
			evict(cachefd);
	}
	free(buffer.data);
}
