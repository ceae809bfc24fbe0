/* The readers of a container's output besides its log or the report. See attach.h. */
#include "runner/pod/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

static struct loop *loop_of(const struct attachment *attachment)
{
	return &attachment->member->supervisor->loop;
}

static size_t queued(const struct attachment *attachment)
{
	return attachment->outlets[0].used + attachment->outlets[1].used;
}

static void close_outlet(struct outlet *outlet)
{
	loop_remove(loop_of(outlet->attachment), &outlet->watch);
	free(outlet->data);
	outlet->data = NULL;
	outlet->used = outlet->room = 0;
}

/* The container's streams wait as long as a reader is behind. */
static void set_pace(struct member *member)
{
	bool behind = false;

	for (const struct attachment *a = member->attachments; a; a = a->next)
		behind |= queued(a) > ATTACH_BEHIND;
	for (int i = 0; i < 2; i++)
		stream_hold(&member->streams[i], behind);
}

void attach_stop(struct attachment *attachment)
{
	struct member *member = attachment->member;
	struct attachment **link;

	if (!member)
		return;
	for (link = &member->attachments; *link != attachment; link = &(*link)->next)
		;
	*link = attachment->next;
	for (int i = 0; i < 2; i++)
		close_outlet(&attachment->outlets[i]);
	timer_close(loop_of(attachment), &attachment->timer);
	attachment->member = NULL;
	set_pace(member);
}

static void finish(struct attachment *attachment, bool stuck)
{
	attach_stop(attachment);
	attachment->done(attachment, stuck, attachment->data);
}

static void on_patience(void *data)
{
	finish(data, true);
}

static void keep_rest(struct outlet *outlet, const char *text, size_t size)
{
	if (outlet->used + size > outlet->room) {
		outlet->room = (outlet->used + size) * 2;
		outlet->data = xreallocarray(outlet->data, outlet->room, 1);
	}
	memcpy(outlet->data + outlet->used, text, size);
	outlet->used += size;
}

/* A reader that closed one of its pipes doesn't want that stream. */
static ssize_t write_some(struct outlet *outlet, const char *text, size_t size)
{
	ssize_t n = write(outlet->watch.fd, text, size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && outlet->attachment->broken)
		*outlet->attachment->broken = true;
	if (n < 0)
		close_outlet(outlet);
	return n;
}

static void be_patient(struct attachment *attachment)
{
	if (attachment->patient)
		return;
	timer_arm(&attachment->timer, supervisor_scaled(attachment->member->supervisor, ATTACH_PATIENCE));
}

/* There is room in a pipe again. */
static void on_room(struct watch *watch, void *data)
{
	struct outlet *outlet = data;
	struct attachment *attachment = outlet->attachment;
	ssize_t n = write_some(outlet, outlet->data, outlet->used);

	if (n > 0) {
		outlet->used -= (size_t)n;
		memmove(outlet->data, outlet->data + n, outlet->used);
		be_patient(attachment);
	}
	if (n >= 0 && !outlet->used)
		loop_pause(loop_of(attachment), watch);
	if (queued(attachment)) {
		set_pace(attachment->member);
		return;
	}
	timer_disarm(&attachment->timer);
	if (attachment->ending)
		finish(attachment, false);
	else
		set_pace(attachment->member);
}

static void write_outlet(struct outlet *outlet, const char *text, size_t size)
{
	ssize_t n = 0;

	if (outlet->watch.fd < 0)
		return;
	if (!outlet->used) {
		n = write_some(outlet, text, size);
		if (n < 0 || (size_t)n == size)
			return;
		loop_change(loop_of(outlet->attachment), &outlet->watch, false, true);
		be_patient(outlet->attachment);
	}
	keep_rest(outlet, text + n, size - (size_t)n);
}

void attach_write(struct member *member, int number, const char *text, size_t size)
{
	if (!member->attachments)
		return;
	for (struct attachment *a = member->attachments; a; a = a->next)
		write_outlet(&a->outlets[number - 1], text, size);
	set_pace(member);
}

void attach_flush(struct attachment *attachment, int milliseconds)
{
	for (int i = 0; i < 2; i++) {
		struct outlet *outlet = &attachment->outlets[i];
		struct pollfd room = {.fd = outlet->watch.fd, .events = POLLOUT};

		while (attachment->member && outlet->used && poll(&room, 1, milliseconds) == 1) {
			ssize_t n = write_some(outlet, outlet->data, outlet->used);

			if (n > 0) {
				outlet->used -= (size_t)n;
				memmove(outlet->data, outlet->data + n, outlet->used);
			}
		}
	}
}

void attach_end(struct member *member)
{
	struct attachment *next;

	for (struct attachment *a = member->attachments; a; a = next) {
		next = a->next;
		a->ending = true;
		if (!queued(a))
			finish(a, false);
	}
}

int attach_start(struct attachment *attachment, struct member *member, const int fds[2],
	void (*done)(struct attachment *, bool stuck, void *), void *data, struct error *err)
{
	struct loop *loop = &member->supervisor->loop;

	*attachment = (struct attachment){.done = done, .data = data, .timer.watch.fd = -1};
	if (timer_init(loop, &attachment->timer, on_patience, attachment, err) < 0) {
		for (int i = 0; i < 2; i++)
			cleanup_fd_fn(&fds[i]);
		return -1;
	}
	for (int i = 0; i < 2; i++) {
		struct outlet *outlet = &attachment->outlets[i];

		outlet->attachment = attachment;
		outlet->watch = (struct watch){fds[i], on_room, outlet};
		if (fds[i] >= 0)
			fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
	}
	attachment->member = member;
	attachment->next = member->attachments;
	member->attachments = attachment;
	return 0;
}
