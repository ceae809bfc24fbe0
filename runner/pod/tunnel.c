/* Two connected sockets, and what comes out of each goes into the other. See tunnel.h. */
#include "runner/pod/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define HELD_MAX 65536

enum {
	NEAR,
	FAR,
};

struct side {
	struct watch watch;
	char held[HELD_MAX]; /* read from here, not written to the other yet: from start, size bytes */
	size_t start, size;
	bool ended; /* nothing more comes from here */
	bool passed; /* and the other side has been told */
};

struct tunnel {
	struct loop *loop;
	struct side sides[2];
	bool connecting; /* the far side is */
	void (*over)(void *data, int errnum, int near);
	void *data;
};

void tunnel_close(struct tunnel *tunnel)
{
	loop_remove(tunnel->loop, &tunnel->sides[NEAR].watch);
	loop_remove(tunnel->loop, &tunnel->sides[FAR].watch);
	free(tunnel);
}

/* The peer shall see that something broke, and not take it for the end of what was to come. */
static void break_off(const struct tunnel *tunnel)
{
	const struct linger at_once = {.l_onoff = 1};

	for (int i = NEAR; i <= FAR; i++)
		setsockopt(tunnel->sides[i].watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void finish(struct tunnel *tunnel)
{
	void (*over)(void *data, int errnum, int near) = tunnel->over;
	void *data = tunnel->data;

	tunnel_close(tunnel);
	over(data, 0, -1);
}

/* For now or for good? */
static bool is_for_now(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Moves what can be moved from one side to the other. Returns -1 when the connection is broken. */
static int move(struct side *from, const struct side *to)
{
	ssize_t n;

	if (!from->size && !from->ended) {
		n = recv(from->watch.fd, from->held, sizeof(from->held), 0);
		if (n < 0 && !is_for_now())
			return -1;
		from->start = 0;
		from->size = n > 0 ? (size_t)n : 0;
		from->ended = n == 0;
	}
	if (from->size) {
		n = send(to->watch.fd, from->held + from->start, from->size, MSG_NOSIGNAL);
		if (n < 0 && !is_for_now())
			return -1;
		from->start += n > 0 ? (size_t)n : 0;
		from->size -= n > 0 ? (size_t)n : 0;
	}
	if (from->ended && !from->size && !from->passed) {
		if (shutdown(to->watch.fd, SHUT_WR) < 0)
			return -1;
		from->passed = true;
	}
	return 0;
}

/* A side that nothing is wanted of is out of the loop: its hang-up would be told again and again. */
static void choose_events(struct tunnel *tunnel)
{
	for (int i = NEAR; i <= FAR; i++) {
		struct side *side = &tunnel->sides[i], *other = &tunnel->sides[1 - i];
		bool in = !tunnel->connecting && !side->ended && !side->size;
		bool out = tunnel->connecting ? i == FAR : other->size > 0;

		loop_change(tunnel->loop, &side->watch, in, out);
	}
}

/* Whether the far side is connected; if not, the tunnel is gone. */
static bool is_connected(struct tunnel *tunnel)
{
	void (*over)(void *data, int errnum, int near) = tunnel->over;
	void *data = tunnel->data;
	int errnum = 0;
	int near;
	socklen_t size = sizeof(errnum);

	if (getsockopt(tunnel->sides[FAR].watch.fd, SOL_SOCKET, SO_ERROR, &errnum, &size) < 0)
		errnum = errno;
	if (!errnum)
		return true;
	near = loop_take(tunnel->loop, &tunnel->sides[NEAR].watch);
	tunnel_close(tunnel);
	over(data, errnum, near);
	return false;
}

static void on_ready(struct watch *watch, void *data)
{
	struct tunnel *tunnel = data;
	struct side *near = &tunnel->sides[NEAR], *far = &tunnel->sides[FAR];

	(void)watch;
	if (tunnel->connecting && !is_connected(tunnel))
		return;
	tunnel->connecting = false;
	if (move(near, far) < 0 || move(far, near) < 0) {
		break_off(tunnel);
		finish(tunnel);
		return;
	}
	if (near->passed && far->passed)
		finish(tunnel);
	else
		choose_events(tunnel);
}

struct tunnel *tunnel_open(struct loop *loop, int near, int far,
	void (*over)(void *data, int errnum, int near), void *data, struct error *err)
{
	struct tunnel *tunnel = xcalloc(1, sizeof(*tunnel));

	tunnel->loop = loop;
	tunnel->connecting = true;
	tunnel->over = over;
	tunnel->data = data;
	tunnel->sides[NEAR].watch.fd = tunnel->sides[FAR].watch.fd = -1;
	if (loop_add(loop, &tunnel->sides[NEAR].watch, near, on_ready, tunnel, err) < 0 ||
		loop_add(loop, &tunnel->sides[FAR].watch, far, on_ready, tunnel, err) < 0) {
		if (tunnel->sides[NEAR].watch.fd >= 0)
			loop_take(loop, &tunnel->sides[NEAR].watch);
		free(tunnel);
		return NULL;
	}
	choose_events(tunnel);
	return tunnel;
}
