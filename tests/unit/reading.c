/* images/: the process that reads archives: what it can't do any more, and what it may say. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/confinement.h"
#include "images/messages.h"
#include "tests/unit/unit.h"

static void *say_hello(void *data)
{
	*(int *)data = 1;
	return NULL;
}

/* What is still possible, a bit each; 0 if nothing is that shouldn't be. */
static int try_all(int fd)
{
	char program[] = "/bin/true";
	char *const argv[] = {program, NULL};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	int hello = 0, found = 0;

	found |= open("/", O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 0;
	found |= socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 2 : 0;
	found |= kill(getppid(), 0) == 0 || kill(1, 0) == 0 ? 4 : 0;
	found |= page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? 8 : 0;
	found |= mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
			 ? 16
			 : 0;
	/* Descriptors: only the one that was kept. Without fcntl, reading tells. */
	for (int i = 0; i < 64; i++)
		found |= i != fd && (read(i, page, 0) == 0 || errno != EBADF) ? 32 : 0;
	found |= fork() >= 0 || execve(argv[0], argv, argv + 1) == 0 ? 64 : 0;
	/* And what has to be possible. */
	if (pthread_create(&thread, NULL, say_hello, &hello) != 0 || pthread_join(thread, NULL) != 0 ||
		!hello || write(fd, "x", 1) != 1)
		found |= 128;
	return found;
}

static void takes_all_but_memory_and_descriptors(void)
{
	int ends[2];
	int status = -1;
	char byte = 0;
	pid_t pid;

	expect(pipe2(ends, O_CLOEXEC) == 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct error err = {0};

		if (confinement_begin(&ends[1], 1, &err) < 0)
			_exit(200);
		_exit(try_all(ends[1]));
	}
	close(ends[1]);
	expect(read(ends[0], &byte, 1) == 1 && byte == 'x');
	expect(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		printf("# found %d\n", WEXITSTATUS(status));
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(ends[0]);
}

/* Sends an entry through a pipe and takes it out again. */
static void brings_an_entry_over(void)
{
	const struct xattr xattr = {"user.what", "a\0b", 3};
	const struct entry sent = {.path = "a/b",
		.target = "",
		.mode = S_IFLNK | 0777,
		.uid = -1,
		.gid = 7,
		.size = 5,
		.mtime = {12, UTIME_OMIT},
		.xattrs = &xattr,
		.n_xattrs = 1};
	struct message_header header;
	struct receiver receiver;
	struct sender sender;
	struct entry got;
	struct error err = {0};
	const void *data;
	int ends[2];

	expect(pipe2(ends, O_CLOEXEC) == 0);
	sender_init(&sender, ends[1]);
	receiver_init(&receiver, ends[0]);
	expect(sender_entry(&sender, &sent, &err) == 0);
	sender_put(&sender, MESSAGE_END, NULL, 0);
	sender_flush(&sender);
	close(ends[1]);
	expect(receiver_next(&receiver, &header, &data, &err) == 1 && header.kind == MESSAGE_ENTRY);
	expect(receiver_entry(&receiver, data, header.size, &got, &err) == 0);
	expect(receiver_next(&receiver, &header, &data, &err) == 1 && header.kind == MESSAGE_END);
	/* It lives on. */
	expect_text(got.path, "a/b");
	expect_text(got.target, "");
	expect(!got.hard_link && got.uid == -1 && got.gid == 7 && got.size == 5 && got.mode == sent.mode);
	expect(got.mtime.tv_nsec == UTIME_OMIT && got.n_xattrs == 1 && got.xattrs[0].size == 3);
	expect_text(got.xattrs[0].name, "user.what");
	expect(!memcmp(got.xattrs[0].value, "a\0b", 3));
	expect(receiver_next(&receiver, &header, &data, &err) == 0);
	free(sender.buffer);
	close(ends[0]);
	receiver_free(&receiver);
}

/* Bytes as an entry. */
static int read_entry(const void *data, size_t size)
{
	struct receiver receiver;
	struct entry entry;
	struct error err = {0};
	int result;

	receiver_init(&receiver, -1);
	result = receiver_entry(&receiver, data, size, &entry, &err);
	receiver_free(&receiver);
	return result;
}

static void believes_no_lengths(void)
{
	struct {
		struct message_entry entry;
		char bytes[64];
	} whole = {.entry = {.path = 4}, .bytes = "abc"};
	struct receiver receiver;
	struct message_header header = {MESSAGE_DATA, MESSAGE_LIMIT + 1};
	struct error err = {0};
	const void *data;
	int ends[2];

	expect(read_entry(&whole, sizeof(whole)) == 0);
	expect(read_entry(&whole, sizeof(whole.entry) + 4) == 0);
	expect(read_entry(&whole, sizeof(whole.entry) + 3) < 0);
	expect(read_entry(&whole, sizeof(whole.entry) - 1) < 0);
	expect(read_entry(&whole, 0) < 0);
	whole.entry.path = 0;
	expect(read_entry(&whole, sizeof(whole)) < 0);
	whole.entry.path = UINT32_MAX;
	expect(read_entry(&whole, sizeof(whole)) < 0);
	whole.entry.path = 3; /* without its NUL */
	expect(read_entry(&whole, sizeof(whole)) < 0);
	whole.entry.path = 4;
	whole.entry.n_xattrs = UINT32_MAX;
	expect(read_entry(&whole, sizeof(whole)) < 0);
	whole.entry.n_xattrs = 1; /* without a name */
	expect(read_entry(&whole, sizeof(whole)) < 0);
	expect(pipe2(ends, O_CLOEXEC) == 0);
	expect(write(ends[1], &header, sizeof(header)) == sizeof(header));
	receiver_init(&receiver, ends[0]);
	expect(receiver_next(&receiver, &header, &data, &err) < 0);
	receiver_free(&receiver);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	group(takes_all_but_memory_and_descriptors);
	group(brings_an_entry_over);
	group(believes_no_lengths);
	return unit_done();
}
