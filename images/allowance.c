/*
 * How much memory reading an archive may take. See allowance.h.
 *
 * By RLIMIT_DATA, which counts what is private and writable (setrlimit(2), since Linux 4.7): libarchive gives its decompressors
 * no limits, nor lets us. The sanitizers' own memory is counted too, and they end a process that gets none: not under them.
 */
#include "images/allowance.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#define OURS        (32ULL << 20) /* bytes: the thread's stack, blocks, zlib's and the formats' own */
#define STATM_LIMIT 256 /* bytes of /proc/self/statm */
#define DATA_FIELD  5 /* fields before it */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What the process has of it now, in bytes; 0 if that can't be told. */
static uint64_t used_now(void)
{
	struct error ignored;
	cleanup_free char *text = NULL;
	const char *next;

	/* size resident shared text lib data dirty, in pages: proc(5). */
	if (file_read("/proc/self/statm", STATM_LIMIT, ERROR_HOST, &text, NULL, &ignored) < 0)
		return 0;
	next = text;
	for (int field = 0; field < DATA_FIELD && next; field++)
		next = strchr(next + 1, ' ');
	return next ? strtoull(next, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void allowance_begin(struct allowance *allowance, uint64_t bytes)
{
	struct rlimit limit;
	uint64_t used;

	*allowance = (struct allowance){0};
	if (SANITIZED)
		return;
	used = used_now();
	if (!used || bytes > RLIM_INFINITY - used - OURS || getrlimit(RLIMIT_DATA, &allowance->before) < 0)
		return;
	limit = (struct rlimit){used + OURS + bytes, allowance->before.rlim_max};
	/* One that the user has set counts if it is lower. */
	if (limit.rlim_cur >= allowance->before.rlim_cur)
		return;
	allowance->holds = setrlimit(RLIMIT_DATA, &limit) == 0;
}

void allowance_end(const struct allowance *allowance)
{
	if (allowance->holds)
		setrlimit(RLIMIT_DATA, &allowance->before);
}

bool allowance_explain(const char *text, uint64_t bytes, struct error *err)
{
	char size[32];

	if (!text || (!strstr(text, "memory") && !strstr(text, "allocat") &&
			     !strstr(text, "stream initialization error")))
		return false;
	/* zstd's own limit, a window of 128 MiB, holds whatever ours is. */
	if (strstr(text, "Frame requires too much memory")) {
		error_set(err, ERROR_IMAGE, 0,
			"its zstd frames need a window of more than 128 MiB to be decompressed");
		error_hint(err, "compress it again without --long, or with --long=27");
		return true;
	}
	error_set(err, ERROR_IMAGE, 0, "it needs more memory to be decompressed than the limit of %s",
		text_size(bytes, size, sizeof(size)));
	error_hint(err, "if the archive can be trusted: --max-memory");
	return true;
}
