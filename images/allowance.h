/* Within the wing: how much memory reading an archive may take. */
#ifndef IMAGES_ALLOWANCE_H
#define IMAGES_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"

/*
 * While it holds, this process (all of its threads) gets at most so many bytes more than it has. A decompressor's dictionary is
 * what needs them, and its size is the archive's choice: xz -9 has 64 MiB, and 4 GiB may be asked for. It is reserved at once,
 * so that it is refused at once.
 */
struct allowance {
	bool holds;
	struct rlimit before;
};
void allowance_begin(struct allowance *allowance, uint64_t bytes);
void allowance_end(const struct allowance *allowance);

/* If libarchive's words say that it got no memory: fills err with that, and returns true. */
bool allowance_explain(const char *text, uint64_t bytes, struct error *err);

#endif
