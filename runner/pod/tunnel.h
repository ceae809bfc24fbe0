/*
 * A tunnel: two connected sockets, and what comes out of each goes into the other.
 *
 * The end of one direction is passed on as such (shutdown(2)), and the other goes on. A connection that breaks on one side is
 * broken on the other. At most 64 KiB a direction are held: a side that doesn't read stops the other from being read.
 */
#ifndef RUNNER_TUNNEL_H
#define RUNNER_TUNNEL_H

#include "runner/pod/loop.h"

struct tunnel;

/*
 * Takes both sockets, which don't block; the connect(2) of far may still be on its way. over(data, errnum) is called once: when both
 * directions are at their end (0), or when far could not be connected (its errno; then nothing was taken from near, which stays
 * the caller's, and may be used for another try). The tunnel is freed after it. On an error both sockets are still the caller's.
 */
struct tunnel *tunnel_open(struct loop *loop, int near, int far,
	void (*over)(void *data, int errnum, int near), void *data, struct error *err);

/* Breaks it without calling over. */
void tunnel_close(struct tunnel *tunnel);

#endif
