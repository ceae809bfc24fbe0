/* What a program in an image is started by: the dynamic loader that its ELF file names, or none. */
#include "runner/manifest/loader.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"

#define MOST_HEADERS 64 /* program headers looked at; programs have about ten */
#define MOST_SCRIPTS 4 /* as the kernel: interpreters that are scripts themselves */
#define LINE_SIZE    256 /* of a script's first line, as the kernel reads it */

static enum loader by_interpreter(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	if (!strncmp(base, "ld-musl-", strlen("ld-musl-")))
		return LOADER_MUSL;
	if (!strncmp(base, "ld-linux", strlen("ld-linux")) || !strncmp(base, "ld64.so", strlen("ld64.so")))
		return LOADER_GLIBC;
	return LOADER_UNKNOWN;
}

static enum loader read_elf(int fd, const Elf64_Ehdr *header)
{
	Elf64_Phdr programs[MOST_HEADERS];
	char interpreter[PATH_MAX];
	ssize_t size;

	/* A 32-bit program makes other calls altogether. */
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
		header->e_phentsize != sizeof(programs[0]) || header->e_phnum > MOST_HEADERS ||
		header->e_phoff > INT64_MAX)
		return LOADER_UNKNOWN;
	size = (ssize_t)(header->e_phnum * sizeof(programs[0]));
	if (pread(fd, programs, (size_t)size, (off_t)header->e_phoff) != size)
		return LOADER_UNKNOWN;
	for (size_t i = 0; i < header->e_phnum; i++) {
		if (programs[i].p_type != PT_INTERP)
			continue;
		if (!programs[i].p_filesz || programs[i].p_filesz > sizeof(interpreter) ||
			programs[i].p_offset > INT64_MAX)
			return LOADER_UNKNOWN;
		size = (ssize_t)programs[i].p_filesz;
		if (pread(fd, interpreter, (size_t)size, (off_t)programs[i].p_offset) != size ||
			interpreter[size - 1] != '\0')
			return LOADER_UNKNOWN;
		return by_interpreter(interpreter);
	}
	return LOADER_NONE;
}

enum loader loader_read(int fd, char **script)
{
	union {
		char text[LINE_SIZE + 1];
		Elf64_Ehdr elf;
	} start = {{0}};
	ssize_t size = pread(fd, start.text, LINE_SIZE, 0);

	*script = NULL;
	if (size > 2 && start.text[0] == '#' && start.text[1] == '!') {
		char *path = start.text + 2 + strspn(start.text + 2, " \t");

		path[strcspn(path, " \t\n")] = '\0';
		*script = *path ? xstrdup(path) : NULL;
		return LOADER_UNKNOWN;
	}
	if (size < (ssize_t)sizeof(start.elf) || memcmp(start.elf.e_ident, ELFMAG, SELFMAG) != 0)
		return LOADER_UNKNOWN;
	return read_elf(fd, &start.elf);
}

/* Opens a regular file, and nothing else: what opening a fifo or a device does is not ours to find out. */
static int open_regular(int rootfd, const char *path)
{
	struct error ignored;
	struct stat st;
	char own[32];
	cleanup_fd int fd = inroot_open(rootfd, path, O_PATH | O_CLOEXEC, &ignored);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	return open(own, O_RDONLY | O_CLOEXEC);
}

struct layers {
	int *fds; /* lowest first */
	size_t n;
};

static int open_in(const struct layers *layers, const char *path)
{
	for (size_t i = layers->n; i-- > 0;) {
		int fd = open_regular(layers->fds[i], path);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static const char *path_of(char *const *env)
{
	for (; env && *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return "";
}

/* A descriptor of the program, and its path. */
static int find(const struct layers *layers, const char *name, char *const *env, const char *cwd, char **path)
{
	cleanup_free char *folders = xstrdup(path_of(env));
	char *rest = folders;
	const char *folder;

	if (strchr(name, '/')) {
		*path = name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", cwd, name);
		return open_in(layers, *path);
	}
	while ((folder = strsep(&rest, ":"))) {
		cleanup_free char *candidate = xasprintf("%s/%s", *folder ? folder : cwd, name);
		int fd = open_in(layers, candidate);

		if (fd >= 0) {
			*path = steal_pointer(&candidate);
			return fd;
		}
	}
	return -1;
}

static enum loader find_loader(const struct layers *layers, const char *name, char *const *env,
	const char *cwd, char **program, bool *is_script)
{
	enum loader loader;
	cleanup_free char *script = NULL;
	cleanup_fd int fd = find(layers, name, env, cwd, program);

	if (fd < 0) {
		free(*program);
		*program = NULL;
		return LOADER_UNKNOWN;
	}
	loader = loader_read(fd, &script);
	*is_script = script != NULL;
	for (unsigned int i = 0; script && i < MOST_SCRIPTS; i++) {
		cleanup_fd int next = open_in(layers, script);
		cleanup_free char *interpreter = NULL;

		loader = next < 0 ? LOADER_UNKNOWN : loader_read(next, &interpreter);
		free(script);
		script = steal_pointer(&interpreter);
	}
	return script ? LOADER_UNKNOWN : loader;
}

static void open_layers(
	const struct store *store, const struct image *image, struct layers *layers, int **locks)
{
	struct error ignored;
	size_t n = 0;

	*layers = (struct layers){NULL, 0};
	while (image->layers[n])
		n++;
	layers->fds = xcalloc(n, sizeof(*layers->fds));
	*locks = xcalloc(n, sizeof(**locks));
	if (image_open_layers(store, image, layers->fds, *locks, &ignored) == 0)
		layers->n = n;
}

static void close_layers(struct layers *layers, int *locks)
{
	for (size_t i = 0; i < layers->n; i++) {
		close(layers->fds[i]);
		close(locks[i]);
	}
	free(layers->fds);
	free(locks);
}

enum loader loader_find(const struct store *store, const struct image *image, const char *name,
	char *const *env, const char *cwd, char **program, bool *is_script)
{
	struct layers layers;
	enum loader loader;
	bool ignored = false;
	int *locks;

	*program = NULL;
	is_script = is_script ? is_script : &ignored;
	*is_script = false;
	open_layers(store, image, &layers, &locks);
	loader = find_loader(&layers, name, env, cwd, program, is_script);
	close_layers(&layers, locks);
	return loader;
}

bool loader_has(const struct store *store, const struct image *image, const char *path)
{
	struct layers layers;
	bool found = false;
	int *locks;

	open_layers(store, image, &layers, &locks);
	for (size_t i = 0; i < layers.n && !found; i++) {
		struct error ignored;
		cleanup_fd int fd = inroot_open(layers.fds[i], path, O_PATH | O_CLOEXEC, &ignored);

		found = fd >= 0;
	}
	close_layers(&layers, locks);
	return found;
}
