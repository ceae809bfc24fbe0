/* What a probe or a hook does, as it is done. See task.h. */
#include "runner/pod/task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/guard.h"
#include "runner/pod/prober.h"
#include "runner/pod/supervise.h"

#define OUTPUT_PIECE 4096

static void on_exit_ready(struct watch *watch, void *data);

static struct loop *loop_of(const struct task *task)
{
	return &task->member->supervisor->loop;
}

static void set_text(struct task *task, const char *text)
{
	size_t n = strlen(text);

	task->used = n < TASK_TEXT ? n : TASK_TEXT;
	memcpy(task->text, text, task->used);
	task->text[task->used] = '\0';
}

/* Lets go of what it had but the process that may be left. */
static void let_go(struct task *task)
{
	timer_disarm(&task->timer);
	loop_remove(loop_of(task), &task->notice);
	loop_remove(loop_of(task), &task->output);
	task->launched.notice = -1;
	task->running = false;
	task->dying = task->exit.fd >= 0;
}

static void finish(struct task *task, enum task_result result)
{
	task->result = result;
	let_go(task);
	if (!task->dying) {
		launch_close(&task->launched);
		denials_close(&task->denials);
	}
	task->done(task, task->data);
}

static void kill_process(const struct task *task)
{
	if (task->exit.fd >= 0)
		pidfd_send_signal(task->exit.fd, SIGKILL, NULL, 0);
}

static char *command_line(char *const *command)
{
	char *text = xstrdup("");

	for (char *const *word = command; *word; word++) {
		char *longer = xasprintf("%s%s%s", text, *text ? " " : "", *word);

		free(text);
		text = longer;
	}
	return text;
}

/* A command whose program doesn't run yet has no watch for its end. */
static void watch_end(struct task *task)
{
	struct error ignored;

	if (task->exit.fd < 0 && task->launched.pidfd >= 0)
		loop_add(loop_of(task), &task->exit, steal_fd(&task->launched.pidfd), on_exit_ready, task,
			&ignored);
}

/* Its time is over, or, of a pause, it has passed. */
static void on_time(void *data)
{
	struct task *task = data;
	cleanup_free char *what = NULL;
	cleanup_free char *text = NULL;

	if (task->handler->kind == HANDLER_SLEEP) {
		finish(task, TASK_SUCCESS);
		return;
	}
	watch_end(task);
	kill_process(task);
	if (task->handler->kind == HANDLER_EXEC) {
		what = command_line(task->handler->command);
		text = xasprintf(
			"command timed out: \"%s\" timed out after %llds", what, (long long)task->seconds);
	} else {
		what = prober_address(task->handler);
		text = task->handler->kind == HANDLER_HTTP
			       ? xasprintf("Get \"%s\": context deadline exceeded (Client.Timeout exceeded "
					   "while awaiting headers)",
					 what)
			       : xasprintf("dial tcp %s: i/o timeout", what);
	}
	set_text(task, text);
	finish(task, TASK_FAILURE);
}

int task_init(struct task *task, struct member *member, void (*done)(struct task *task, void *data),
	void *data, struct error *err)
{
	*task = (struct task){
		.member = member,
		.done = done,
		.data = data,
		.timer.watch.fd = -1,
		.notice.fd = -1,
		.exit.fd = -1,
		.output.fd = -1,
		.launched = {.pidfd = -1, .notice = -1, .terminal = -1},
		.denials.watch.fd = -1,
	};
	return timer_init(&member->supervisor->loop, &task->timer, on_time, task, err);
}

/* What is there now; more than fits is read and dropped, so that nothing has to wait for us. */
static bool read_output(struct task *task)
{
	char piece[OUTPUT_PIECE];
	ssize_t n = read(task->output.fd, piece, sizeof(piece));
	size_t room = TASK_TEXT - task->used;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	room = room < (size_t)n ? room : (size_t)n;
	memcpy(task->text + task->used, piece, room);
	task->used += room;
	task->text[task->used] = '\0';
	return true;
}

static void on_output(struct watch *watch, void *data)
{
	struct task *task = data;

	if (!read_output(task))
		loop_remove(loop_of(task), watch);
}

static void read_rest(struct task *task)
{
	int left = 0;

	if (task->output.fd < 0)
		return;
	ioctl(task->output.fd, FIONREAD, &left);
	for (; left > 0 && read_output(task); left -= OUTPUT_PIECE)
		;
}

/* Of a request: "+" or "-" and the text. */
static enum task_result take_answer(struct task *task)
{
	bool good = task->text[0] == '+';

	if (!task->used) {
		set_text(task, "the process that asks was killed");
		return TASK_ERROR;
	}
	memmove(task->text, task->text + 1, task->used);
	task->used--;
	return good ? TASK_SUCCESS : TASK_FAILURE;
}

static void on_exit_ready(struct watch *watch, void *data)
{
	struct task *task = data;
	siginfo_t info = {0};

	/* Then it is looked at again with the next SIGCHLD. */
	task->held = !launch_reap(watch->fd, &info);
	if (task->held) {
		loop_pause(loop_of(task), watch);
		return;
	}
	loop_remove(loop_of(task), watch);
	if (task->dying) {
		task->dying = false;
		launch_close(&task->launched);
		denials_close(&task->denials);
		return;
	}
	read_rest(task);
	if (task->handler->kind == HANDLER_EXEC)
		finish(task, info.si_code == CLD_EXITED && info.si_status == 0 ? TASK_SUCCESS : TASK_FAILURE);
	else
		finish(task, take_answer(task));
}

static void fail(struct task *task, enum task_result result, const struct error *err)
{
	set_text(task, err->message);
	watch_end(task);
	kill_process(task);
	finish(task, result);
}

static void on_notice(struct watch *watch, void *data)
{
	struct task *task = data;
	struct error err = {0};
	int result;

	if (!supervisor_take_notice(task->member->supervisor, &task->launched, &task->denials))
		return;
	result = launch_result(&task->container, &task->launched, &err);
	loop_remove(loop_of(task), watch);
	task->launched.notice = -1;
	if (result < 0) {
		siginfo_t info;

		waitid(P_PIDFD, (id_t)task->launched.pidfd, &info, WEXITED);
		close(steal_fd(&task->launched.pidfd));
		fail(task, TASK_ERROR, &err);
		return;
	}
	if (loop_add(loop_of(task), &task->exit, steal_fd(&task->launched.pidfd), on_exit_ready, task, &err) <
		0)
		fail(task, TASK_ERROR, &err);
}

static int open_output(struct task *task, int *write_end, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*write_end = ends[1];
	if (loop_add(loop_of(task), &task->output, ends[0], on_output, task, err) == 0)
		return 0;
	close(ends[0]);
	return -1;
}

static int start_command(struct task *task, int output, struct error *err)
{
	struct member *member = task->member;
	struct supervisor *supervisor = member->supervisor;
	const int stdio[3] = {-1, output, output};

	if (member->exit.fd < 0)
		return error_set(err, ERROR_HOST, 0, "the container is not running");
	task->container = member->item->container;
	task->container.argv = task->handler->command;
	task->container.join_pidfd = member->exit.fd;
	task->container.isolation.cgroup = &member->cgroup;
	task->container.isolation.sandbox = &supervisor->sandbox;
	if (!supervisor->naming)
		task->container.locks.naming = NULL;
	supervisor_init_denials(supervisor, member->item, &task->denials);
	if (guard_launch(member, &task->container, stdio, &task->launched, &task->denials, err) < 0)
		return -1;
	return loop_add(&supervisor->loop, &task->notice, task->launched.notice, on_notice, task, err);
}

static int start_request(struct task *task, int output, struct error *err)
{
	pid_t pid = fork();
	int pidfd;

	if (pid == 0)
		prober_run(task->handler, &task->member->supervisor->sandbox, output);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "cannot fork");
	pidfd = pidfd_open(pid, 0);
	if (pidfd >= 0 && loop_add(loop_of(task), &task->exit, pidfd, on_exit_ready, task, err) == 0)
		return 0;
	error_set(err, ERROR_HOST, errno, "pidfd_open");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

void task_start(struct task *task, const struct handler *handler, int64_t limit)
{
	struct error err = {0};
	int output = -1;
	int result;

	task->handler = handler;
	task->running = true;
	task->used = 0;
	task->text[0] = '\0';
	task->seconds = limit;
	task->milliseconds = supervisor_scaled(task->member->supervisor, limit);
	if (task->dying) {
		task->running = false;
		task->result = TASK_ERROR;
		set_text(task, "the last one has not ended yet");
		task->done(task, task->data);
		return;
	}
	if (handler->kind == HANDLER_SLEEP) {
		timer_arm(&task->timer, supervisor_scaled(task->member->supervisor, handler->seconds));
		return;
	}
	result = open_output(task, &output, &err);
	if (result == 0)
		result = handler->kind == HANDLER_EXEC ? start_command(task, output, &err)
						       : start_request(task, output, &err);
	if (output >= 0)
		close(output);
	timer_arm(&task->timer, task->milliseconds);
	if (result < 0)
		fail(task, TASK_ERROR, &err);
}

void task_cancel(struct task *task)
{
	if (!task->running)
		return;
	watch_end(task);
	kill_process(task);
	let_go(task);
}

void task_retry(struct task *task)
{
	if (task->held)
		on_exit_ready(&task->exit, task);
}

void task_close(struct task *task)
{
	kill_process(task);
	if (task->launched.pidfd >= 0)
		pidfd_send_signal(task->launched.pidfd, SIGKILL, NULL, 0);
	let_go(task);
	loop_remove(loop_of(task), &task->exit);
	timer_close(loop_of(task), &task->timer);
	launch_close(&task->launched);
	denials_close(&task->denials);
}
