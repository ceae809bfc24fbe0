/* Timers of the loop. */
#include "runner/pod/timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static void on_expiry(struct watch *watch, void *data)
{
	struct timer *timer = data;
	uint64_t expirations;

	/* Nothing to read: it was set anew between the loop's look at it and ours. */
	if (read(watch->fd, &expirations, sizeof(expirations)) < 0 || !timer->armed)
		return;
	timer->armed = false;
	timer->fire(timer->data);
}

int timer_init(
	struct loop *loop, struct timer *timer, void (*fire)(void *data), void *data, struct error *err)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	*timer = (struct timer){.watch.fd = -1, .fire = fire, .data = data};
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "timerfd_create");
	if (loop_add(loop, &timer->watch, fd, on_expiry, timer, err) == 0)
		return 0;
	close(fd);
	return -1;
}

void timer_arm(struct timer *timer, int64_t milliseconds)
{
	struct itimerspec in = {
		.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000000},
	};

	if (milliseconds <= 0)
		in.it_value = (struct timespec){0, 1}; /* zero would disarm it */
	timer->armed = true;
	timerfd_settime(timer->watch.fd, 0, &in, NULL);
}

void timer_disarm(struct timer *timer)
{
	const struct itimerspec never = {0};

	if (!timer->armed)
		return;
	timer->armed = false;
	timerfd_settime(timer->watch.fd, 0, &never, NULL);
}

void timer_close(struct loop *loop, struct timer *timer)
{
	timer->armed = false;
	loop_remove(loop, &timer->watch);
}

int64_t timer_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
