/* Timers of the loop: a descriptor each, so that nothing wakes up while nothing is due. */
#ifndef RUNNER_TIMER_H
#define RUNNER_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/pod/loop.h"

/* Lies in its owner's struct and must stay there while it is in the loop. */
struct timer {
	struct watch watch;
	void (*fire)(void *data);
	void *data;
	bool armed;
};

/* Makes the timer, which is not armed yet. Afterwards arming it can't fail: who has to wait need not think of that. */
int timer_init(
	struct loop *loop, struct timer *timer, void (*fire)(void *data), void *data, struct error *err);

/* Calls fire(data) once, after that many milliseconds (0 and less: with the loop's next turn); replaces an earlier time. */
void timer_arm(struct timer *timer, int64_t milliseconds);
void timer_disarm(struct timer *timer);

/* Takes it out of the loop. A timer that was never made (its watch.fd is -1) is left alone. */
void timer_close(struct loop *loop, struct timer *timer);

/* Milliseconds of the monotonic clock. */
int64_t timer_now(void);

#endif
