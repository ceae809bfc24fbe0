/* Within the wing: taking away from a process what reading an archive doesn't need. */
#ifndef IMAGES_CONFINEMENT_H
#define IMAGES_CONFINEMENT_H

#include <stddef.h>

#include "base/error.h"

/*
 * From now on this process, and whatever takes it over, can read from and write to the descriptors it has, get memory, start
 * threads, and end: nothing else. All descriptors but these go, so do the standard ones. Whoever calls this has loaded what it
 * needs.
 */
int confinement_begin(const int *keep, size_t n, struct error *err);

#endif
