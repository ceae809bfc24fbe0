/* Within the wing: overlays of many layers, on kernels before 6.8. */
#ifndef NAMESPACES_OVERLAY_H
#define NAMESPACES_OVERLAY_H

#include <stddef.h>

#include "base/error.h"

/*
 * The overlay of n descriptors, lowers (topmost first), then upper and work, as a detached mount. Errors are of class
 * ERROR_HOST.
 */
int overlay_mount(const int *fds, size_t n, struct error *err);

#endif
