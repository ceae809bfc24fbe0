/* What a container's 0, 1 and 2 are. See stdio.h. */
#include "runner/pod/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/pod/supervise.h"

static const struct container_spec *spec_of(const struct member *member)
{
	return member->item->spec;
}

/* Of its terminal; -1: none. */
static int terminal_of(const struct member *member)
{
	return spec_of(member)->tty ? member->streams[0].watch.fd : -1;
}

int stdio_open(struct member *member, int ends[3], struct error *err)
{
	int in[2];

	member->stdio = (struct stdio){.in = -1, .slave = -1};
	if (spec_of(member)->tty)
		return 0;
	if (spec_of(member)->stdin_open) {
		if (pipe2(in, O_CLOEXEC) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
		ends[0] = in[0];
		member->stdio.in = in[1];
	}
	for (int i = 0; i < 2; i++)
		if (stream_open(&member->streams[i], &ends[i + 1], err) < 0)
			return -1;
	return 0;
}

int stdio_take_terminal(struct member *member, struct error *err)
{
	struct terminal terminal;

	if (!spec_of(member)->tty)
		return 0;
	if (launch_take_terminal(&member->launched, &terminal, err) < 0)
		return -1;
	member->stdio.slave = terminal.slave;
	return stream_adopt(&member->streams[0], terminal.master, err);
}

bool stdio_has_input(const struct member *member, const char **why)
{
	const char *reason = NULL;

	if (!spec_of(member)->stdin_open)
		reason = "its standard input is empty: its manifest lacks stdin: true";
	else if (member->stdio.taken)
		reason = "its standard input was another's, and ended with it (stdinOnce)";
	else if (terminal_of(member) < 0 && member->stdio.in < 0)
		reason = "its standard input is closed";
	if (why)
		*why = reason;
	return !reason;
}

int stdio_give_input(struct member *member, bool only, struct error *err)
{
	int terminal = terminal_of(member);
	int fd = fcntl(terminal >= 0 ? terminal : member->stdio.in, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot pass on the container's standard input");
	if (only) {
		member->stdio.taken = true;
		cleanup_fd_fn(&member->stdio.in);
		member->stdio.in = -1;
	}
	return fd;
}

void stdio_input_ended(const struct member *member)
{
	int terminal = terminal_of(member);
	if (terminal >= 0)
		terminal_say_end(terminal);
}

void stdio_close(struct member *member)
{
	cleanup_fd_fn(&member->stdio.in);
	cleanup_fd_fn(&member->stdio.slave);
	member->stdio.in = member->stdio.slave = -1;
}
