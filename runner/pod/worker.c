/*
 * Work that may be ended at any moment, by Ctrl-C above all, or that takes its time: in a process of its own. We, who stay, clear up
 * what it left in the store.
 */
#include "runner/pod/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What both share. */
struct worker_page {
	int result;
	struct error err;
};

static struct worker_page *make_page(void)
{
	struct worker_page *page =
		mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* In the child: does the work. Never returns. */
static void be_worker(struct worker_page *page, pid_t parent, const sigset_t *mask,
	int (*work)(void *data, struct error *err), void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		raise(SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	page->result = work(data, &page->err);
	fflush(NULL);
	_exit(0);
}

/* After its end: what it has to say. */
static int take_result(
	struct worker_page *page, pid_t worker, int status, const struct store *store, struct error *err)
{
	int result = page->result;

	if (result < 0)
		*err = page->err;
	munmap(page, sizeof(*page));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return result;
	/* Also out of memory, for which the worker's exit is 125 with its own word about it. */
	if (store)
		store_sweep(store, worker);
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_HOST, 0, "ended by signal %d, %s", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return error_set(err, ERROR_INTERNAL, 0, "a process of minirun's ended early");
}

/* Waits for the worker, passing on what should end us. */
static void await(pid_t worker, const sigset_t *signals, int *status)
{
	for (;;) {
		int number = sigwaitinfo(signals, NULL);

		if (number > 0 && number != SIGCHLD)
			kill(worker, number);
		if (waitpid(worker, status, WNOHANG) == worker)
			return;
	}
}

static void block_signals(sigset_t *signals, sigset_t *before)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, before);
}

int worker_run(
	const struct store *store, int (*work)(void *data, struct error *err), void *data, struct error *err)
{
	struct worker_page *page = make_page();
	pid_t parent = getpid();
	sigset_t signals, before;
	int result, status = 0;
	pid_t worker;

	if (!page)
		return error_set(err, ERROR_HOST, errno, "mmap");
	block_signals(&signals, &before);
	fflush(NULL);
	worker = fork();
	if (worker == 0)
		be_worker(page, parent, &before, work, data);
	if (worker < 0) {
		error_set(err, ERROR_HOST, errno, "fork");
		munmap(page, sizeof(*page));
		sigprocmask(SIG_SETMASK, &before, NULL);
		return -1;
	}
	await(worker, &signals, &status);
	result = take_result(page, worker, status, store, err);
	if (WIFSIGNALED(status))
		signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	return result;
}

int worker_start(
	struct worker *worker, int (*work)(void *data, struct error *err), void *data, struct error *err)
{
	struct worker_page *page = make_page();
	pid_t parent = getpid();
	sigset_t none;

	*worker = (struct worker){.page = page, .pidfd = -1};
	if (!page)
		return error_set(err, ERROR_HOST, errno, "mmap");
	sigemptyset(&none);
	worker->pid = fork();
	if (worker->pid == 0)
		be_worker(page, parent, &none, work, data);
	if (worker->pid > 0)
		worker->pidfd = pidfd_open(worker->pid, 0);
	if (worker->pidfd >= 0)
		return 0;
	error_set(err, ERROR_HOST, errno, "cannot start a process");
	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
	}
	munmap(page, sizeof(*page));
	*worker = (struct worker){.pidfd = -1};
	return -1;
}

int worker_finish(struct worker *worker, const struct store *store, struct error *err)
{
	struct worker ended = *worker;
	int status = 0;

	*worker = (struct worker){.pidfd = -1};
	while (waitpid(ended.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ended.pidfd >= 0)
		close(ended.pidfd);
	return take_result(ended.page, ended.pid, status, store, err);
}

void worker_stop(struct worker *worker, const struct store *store)
{
	struct error ignored;

	if (!worker->pid)
		return;
	kill(worker->pid, SIGKILL);
	worker_finish(worker, store, &ignored);
}
