/*
 * Work on the store that may be ended at any moment, by Ctrl-C above all: in a process of its own. We, who stay, clear up what it
 * left.
 */
#include "runner/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What both share. */
struct page {
	int result;
	struct error err;
};

/* Waits for the worker, passing on what should end us. Returns the signal that ended it, or 0. */
static int await(pid_t worker, const sigset_t *signals, int *status)
{
	for (;;) {
		int number = sigwaitinfo(signals, NULL);

		if (number > 0 && number != SIGCHLD)
			kill(worker, number);
		if (waitpid(worker, status, WNOHANG) == worker)
			return WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
	}
}

static int start(pid_t *worker, sigset_t *signals, sigset_t *before, struct error *err)
{
	pid_t parent = getpid();

	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, before);
	fflush(NULL);
	*worker = fork();
	if (*worker < 0) {
		error_set(err, ERROR_HOST, errno, "fork");
		sigprocmask(SIG_SETMASK, before, NULL);
		return -1;
	}
	if (*worker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			raise(SIGKILL);
		sigprocmask(SIG_SETMASK, before, NULL);
	}
	return 0;
}

int worker_run(
	const struct store *store, int (*work)(void *data, struct error *err), void *data, struct error *err)
{
	struct page *page =
		mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t signals, before;
	int number, result, status = 0;
	pid_t worker;

	if (page == MAP_FAILED)
		return error_set(err, ERROR_HOST, errno, "mmap");
	if (start(&worker, &signals, &before, err) < 0) {
		munmap(page, sizeof(*page));
		return -1;
	}
	if (worker == 0) {
		page->result = work(data, &page->err);
		fflush(NULL);
		_exit(0);
	}
	number = await(worker, &signals, &status);
	result = page->result;
	if (result < 0)
		*err = page->err;
	munmap(page, sizeof(*page));
	if (!number && WEXITSTATUS(status) == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return result;
	}
	/* Also out of memory, for which the worker's exit is 125 with its own word about it. */
	store_sweep(store);
	if (!number)
		return error_set(err, ERROR_INTERNAL, 0, "the work on the store ended early");
	signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	raise(number);
	return error_set(err, ERROR_HOST, 0, "ended by signal %d, %s", number, strsignal(number));
}
