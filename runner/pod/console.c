/* The user's own terminal. See console.h. */
#include "runner/pod/console.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"

static void fill_signals(sigset_t *set)
{
	static const int taken[] = {SIGWINCH, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

	sigemptyset(set);
	for (size_t i = 0; i < array_length(taken); i++)
		sigaddset(set, taken[i]);
}

static int make_raw(const struct console *console)
{
	struct termios raw = console->saved;

	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

bool console_is_there(void)
{
	return isatty(STDIN_FILENO);
}

struct winsize console_size(void)
{
	struct winsize size = {0};

	ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	return size;
}

int console_open(struct console *console, struct error *err)
{
	sigset_t set;

	*console = (struct console){.signals = -1};
	fill_signals(&set);
	/* Before it is raw: a signal that comes in between is taken, and all is restored. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set(err, ERROR_HOST, errno, "sigprocmask");
	console->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (console->signals < 0)
		return error_set(err, ERROR_HOST, errno, "signalfd");
	if (tcgetattr(STDIN_FILENO, &console->saved) < 0 || make_raw(console) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set the mode of the terminal");
	console->raw = true;
	return 0;
}

void console_close(struct console *console)
{
	if (console->raw) {
		/* A shell may have taken the terminal meanwhile: it would stop us, and nothing be restored. */
		signal(SIGTTOU, SIG_IGN);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &console->saved);
	}
	console->raw = false;
	cleanup_fd_fn(&console->signals);
	console->signals = -1;
}

void console_take_signal(struct console *console)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (read(console->signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGWINCH)
		return;
	if (info.ssi_signo == SIGCONT) {
		/* Who stopped us made it what a shell wants. */
		make_raw(console);
		return;
	}
	console_close(console);
	signal((int)info.ssi_signo, SIG_DFL);
	fill_signals(&set);
	kill(getpid(), (int)info.ssi_signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
