/* What a hostile sender may try with a parcel, and what comes through of an honest one. */
#include "runner/pod/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "tests/unit/unit.h"

/* A folder with "outside", a canary, and "in", where parcels go. */
struct world {
	char path[64];
	char *in;
	int fd;
	struct error err;
};

static struct world world_make(void)
{
	struct world world = {.path = "/tmp/minirun-unit.XXXXXX"};
	int canary;

	if (!mkdtemp(world.path))
		abort();
	world.fd = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(world.fd, "outside", 0755);
	canary = openat(world.fd, "outside/canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	fd_write_all(canary, "alive", 5);
	close(canary);
	world.in = xasprintf("%s/in", world.path);
	return world;
}

static void world_drop(struct world *world)
{
	struct error err;

	inroot_remove_tree(AT_FDCWD, world->path, &err);
	close(world->fd);
	free(world->in);
}

static char *text_of(const struct world *world, const char *name)
{
	cleanup_fd int fd = openat(world->fd, name, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t size;
	struct error err;

	if (fd < 0 || fd_read_all(fd, name, 4096, ERROR_HOST, &text, &size, &err) < 0)
		return xstrdup("nothing");
	return text;
}

struct line {
	enum parcel_kind kind;
	const char *name, *text; /* text: of a file, its content */
};

/* Receives what the lines say. They fit into a pipe. */
static int receive(struct world *world, const struct line *lines, size_t n, bool strict)
{
	const struct parcel_place place = {.path = world->in, .base = "x", .strict = strict, .mode = 0777};
	int ends[2], result;
	bool incomplete;
	struct error err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		struct parcel parcel = {.kind = lines[i].kind, .mode = 06751};

		strcpy(parcel.name, lines[i].name);
		if (lines[i].kind != PARCEL_FILE)
			strcpy(parcel.text, lines[i].text ? lines[i].text : "");
		parcel_put(ends[1], &parcel, &err);
		if (lines[i].kind != PARCEL_FILE)
			continue;
		parcel_put_size(ends[1], (int64_t)strlen(lines[i].text), &err);
		fd_write_all(ends[1], lines[i].text, strlen(lines[i].text));
		parcel_put_size(ends[1], 0, &err);
	}
	close(ends[1]);
	result = parcel_receive(ends[0], &place, &incomplete, &world->err);
	close(ends[0]);
	return result;
}

#define FOLDER                          \
	{                               \
		PARCEL_FOLDER, "", NULL \
	}
#define END                          \
	{                            \
		PARCEL_END, "", NULL \
	}
#define LINES(...) ((const struct line[]){__VA_ARGS__}), array_length(((const struct line[]){__VA_ARGS__}))

static void takes_a_tree(void)
{
	struct world world = world_make();
	struct stat st;
	cleanup_free char *text = NULL;

	expect(receive(&world,
		       LINES(FOLDER, {PARCEL_FOLDER, "a", NULL}, {PARCEL_FILE, "a/f", "hello"},
			       {PARCEL_LEAVE, "a", NULL}, {PARCEL_LEAVE, "", NULL}, END),
		       true) == 0);
	text = text_of(&world, "in/a/f");
	expect_text(text, "hello");
	/* Neither setuid nor setgid comes out. */
	expect(fstatat(world.fd, "in/a/f", &st, 0) == 0 && (st.st_mode & 07777) == 0751);
	expect(fstatat(world.fd, "in/a", &st, 0) == 0 && (st.st_mode & 07777) == 0751);
	world_drop(&world);
}

/* Each of these, after the folder itself, is refused, and the canary lives. */
static void refuses_what_leads_out(void)
{
	static const struct line cases[] = {
		{PARCEL_FILE, "../outside/canary", "dead"},
		{PARCEL_FILE, "a/../../outside/canary", "dead"},
		{PARCEL_FILE, "/tmp/x", "dead"},
		{PARCEL_FILE, "..", "dead"},
		{PARCEL_FILE, ".", "dead"},
		{PARCEL_FILE, "a//b", "dead"},
		{PARCEL_FILE, "link/canary", "dead"},
		{PARCEL_FILE, "file-link", "dead"},
		{PARCEL_FILE, "fifo", "dead"},
		{PARCEL_FILE, "", "dead"},
		{PARCEL_FOLDER, "link", NULL},
		{PARCEL_FOLDER, "link/new", NULL},
		{PARCEL_FOLDER, "../new", NULL},
		{PARCEL_FOLDER, "", NULL},
		{PARCEL_LINK, "new", "../outside"},
		{PARCEL_LEAVE, "link", NULL},
		{PARCEL_LEAVE, "a", NULL},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct world world = world_make();
		cleanup_free char *text = NULL;
		struct stat st;

		mkdirat(world.fd, "in", 0755);
		mkdirat(world.fd, "in/a", 0755);
		symlinkat("../outside", world.fd, "in/link");
		symlinkat("../outside/canary", world.fd, "in/file-link");
		mkfifoat(world.fd, "in/fifo", 0644);
		if (receive(&world, LINES(FOLDER, cases[i], END), true) == 0)
			printf("# case %zu was taken\n", i);
		expect(world.err.class != ERROR_NONE);
		text = text_of(&world, "outside/canary");
		expect_text(text, "alive");
		expect(fstatat(world.fd, "new", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
			fstatat(world.fd, "in/new", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
			fstatat(world.fd, "outside/new", &st, AT_SYMLINK_NOFOLLOW) < 0);
		world_drop(&world);
	}
}

static void believes_no_stream(void)
{
	struct world world = world_make();
	static const char *const bytes[] = {"", "x", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};

	for (size_t i = 0; i < array_length(bytes); i++) {
		const struct parcel_place place = {.path = world.in, .strict = true};
		int ends[2];
		bool incomplete;

		if (pipe2(ends, O_CLOEXEC) < 0)
			abort();
		fd_write_all(ends[1], bytes[i], strlen(bytes[i]));
		close(ends[1]);
		expect(parcel_receive(ends[0], &place, &incomplete, &world.err) < 0);
		close(ends[0]);
	}
	/* It begins with what is in a folder; it ends too early; it says that it failed. */
	expect(receive(&world, LINES({PARCEL_FILE, "a", "b"}, END), true) < 0);
	expect(receive(&world, LINES(FOLDER), true) < 0);
	expect(receive(&world, LINES(FOLDER, {PARCEL_ERROR, "", "it broke"}), true) < 0);
	expect_text(world.err.message, "it broke");
	world_drop(&world);
}

static void puts_into_a_container(void)
{
	struct world world = world_make();
	cleanup_free char *text = NULL, *beside = NULL;

	/* A folder that is there takes it by its name; links are made, and give way. */
	mkdirat(world.fd, "in", 0755);
	mkdirat(world.fd, "in/x", 0755);
	symlinkat("nowhere", world.fd, "in/x/l");
	symlinkat("../../outside/canary", world.fd, "in/x/f");
	expect(receive(&world,
		       LINES(FOLDER, {PARCEL_LINK, "l", "f"}, {PARCEL_FILE, "f", "new"},
			       {PARCEL_LEAVE, "", NULL}, END),
		       false) == 0);
	text = text_of(&world, "in/x/l");
	expect_text(text, "new");
	beside = text_of(&world, "outside/canary");
	expect_text(beside, "alive");
	world_drop(&world);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	group(takes_a_tree);
	group(refuses_what_leads_out);
	group(believes_no_stream);
	group(puts_into_a_container);
	return unit_done();
}
