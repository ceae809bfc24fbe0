/* The one epoll loop of a supervisor. */
#include "runner/pod/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int loop_init(struct loop *loop, struct error *err)
{
	*loop = (struct loop){0};
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? error_set(err, ERROR_HOST, errno, "epoll_create1") : 0;
}

void loop_close(struct loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

int loop_add(struct loop *loop, struct watch *watch, int fd, void (*ready)(struct watch *, void *),
	void *data, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

	*watch = (struct watch){fd, ready, data};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		watch->fd = -1;
		return error_set(err, ERROR_HOST, errno, "epoll_ctl");
	}
	return 0;
}

void loop_pause(struct loop *loop, const struct watch *watch)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

void loop_change(struct loop *loop, struct watch *watch, bool readable, bool writable)
{
	struct epoll_event event = {
		.events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U), .data.ptr = watch};

	if (!event.events)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	else if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0 && errno == ENOENT)
		epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event);
}

int loop_take(struct loop *loop, struct watch *watch)
{
	int fd = watch->fd;

	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	watch->fd = -1;
	return fd;
}

void loop_remove(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	/* By hand: closing alone does not, as long as a child holds a copy. */
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	close(watch->fd);
	watch->fd = -1;
}

int loop_run(struct loop *loop, struct error *err)
{
	while (!loop->done) {
		struct epoll_event event;
		struct watch *watch;
		int n = epoll_wait(loop->epoll, &event, 1, -1);

		if (n < 0 && errno != EINTR)
			return error_set(err, ERROR_HOST, errno, "epoll_wait");
		if (n <= 0)
			continue;
		watch = event.data.ptr;
		watch->ready(watch, watch->data);
		if (loop->after)
			loop->after(loop->data);
	}
	return 0;
}
