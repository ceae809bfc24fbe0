/* images/: names, the store, finding, locking, removing. Archives are the business of tests/images.bats. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "images/descriptor.h"
#include "images/digest.h"
#include "images/images.h"
#include "images/layer.h"
#include "images/platform.h"
#include "images/reference.h"
#include "images/store.h"
#include "tests/unit/unit.h"

/* A store and a folder to load from. */
struct fixture {
	char path[64];
	int top;
	struct store store;
	char *source;
};

static struct fixture fixture_make(void)
{
	struct fixture f = {.path = "/tmp/minirun-unit.XXXXXX"};
	struct error err = {0};
	cleanup_free char *path = NULL;
	int fd;

	if (!mkdtemp(f.path))
		abort();
	f.top = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(f.top, "source", 0755);
	mkdirat(f.top, "source/etc", 0755);
	fd = openat(f.top, "source/etc/name", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "here\n", 5) != 5)
		abort();
	close(fd);
	f.source = xasprintf("%s/source", f.path);
	path = xasprintf("%s/deep/er/store", f.path);
	expect(store_open(&f.store, path, &err) == 0);
	return f;
}

static void fixture_remove(struct fixture *f)
{
	struct error err = {0};

	store_close(&f->store);
	free(f->source);
	expect(inroot_remove_tree(AT_FDCWD, f->path, &err) == 0);
	close(f->top);
}

static void load(struct fixture *f, const char *name)
{
	struct image image;
	struct error err = {0};

	expect(image_load(&f->store, f->source, name, NULL, NULL, NULL, &image, &err) == 0);
	image_free(&image);
}

static void shortens_names(void)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"nginx", "nginx"},
		{"nginx:latest", "nginx"},
		{"library/nginx", "nginx"},
		{"docker.io/library/nginx:latest", "nginx"},
		{"index.docker.io/library/nginx", "nginx"},
		{"docker.io/nginx", "nginx"},
		{"nginx:1.25", "nginx:1.25"},
		{"docker.io/who/what", "who/what"},
		{"localhost/library/x", "localhost/library/x"},
		{"localhost:5000/x:latest", "localhost:5000/x"},
		{"quay.io/a/b/c:T_1.x-y", "quay.io/a/b/c:T_1.x-y"},
		{"a__b/c---d/e.f_g", "a__b/c---d/e.f_g"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_reference struct reference reference = {0};
		struct error err = {0};

		expect(reference_parse(&reference, cases[i].text, &err) == 0);
		expect_text(reference.name, cases[i].name);
	}
}

static void refuses_bad_names(void)
{
	static const char *const cases[] = {"", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", ".hidden",
		"a.", "a..b", "a___b", "a:", "a:b:c", "a:-x", "A", "a/B", "a b", "a\nb", "-a", "a-", "a@",
		"a@sha256:12", "a@b@c", "ex ample.io/a", "x.io:/a", "\xc3\xbc"};
	cleanup_free char *long_name = xcalloc(400, 1);
	cleanup_reference struct reference reference = {0};
	struct error err = {0};

	memset(long_name, 'a', 399);
	expect(reference_parse(&reference, long_name, &err) < 0);
	for (size_t i = 0; i < array_length(cases); i++) {
		err = (struct error){0};
		expect(reference_parse(&reference, cases[i], &err) < 0);
		expect(err.class == ERROR_IMAGE && err.message[0]);
		reference_free(&reference);
	}
}

static void names_files_apart(void)
{
	cleanup_free char *a = reference_file("quay.io/a/b:c");
	cleanup_free char *b = reference_file("localhost:5000/a");

	expect_text(a, "quay.io+a+b=c.json");
	expect_text(b, "localhost=5000+a.json");
}

static void finds_by_any_form(void)
{
	struct fixture f = fixture_make();
	static const char *const forms[] = {
		"thing", "thing:latest", "docker.io/library/thing", "library/thing:latest"};
	struct image image;
	struct error err = {0};

	load(&f, "thing");
	for (size_t i = 0; i < array_length(forms); i++) {
		expect(image_find(&f.store, forms[i], &image, &err) == 0);
		expect_text(image.name, "thing");
		expect(image.size == 5 && image.entries == 3 && image.layers && image.layers[0] &&
			!image.layers[1]);
		image_free(&image);
	}
	expect(image_find(&f.store, "thign", &image, &err) < 0);
	expect(err.errnum == ENOENT && strstr(err.hint, "did you mean thing?"));
	expect(strstr(err.hint, "minirun image pull thign") != NULL);
	expect(image_find(&f.store, "thing:2", &image, &err) < 0);
	fixture_remove(&f);
}

static void refuses_a_store_of_others(void)
{
	struct fixture f = fixture_make();
	cleanup_free char *open_path = xasprintf("%s/open", f.path);
	struct store store;
	struct error err = {0};

	mkdirat(f.top, "open", 0700);
	fchmodat(f.top, "open", 0777, 0);
	expect(store_open(&store, open_path, &err) < 0);
	expect(strstr(err.message, "others may write to") != NULL);
	fixture_remove(&f);
}

static void keeps_a_layer_in_use(void)
{
	struct fixture f = fixture_make();
	struct image image;
	struct error err = {0};
	int fd, lock;

	load(&f, "one");
	expect(image_find(&f.store, "one", &image, &err) == 0);
	expect(image_open_layers(&f.store, &image, &fd, &lock, &err) == 0);
	expect(faccessat(fd, "etc/name", R_OK, 0) == 0);
	expect(image_remove(&f.store, "one", &err) < 0);
	expect(err.errnum == EBUSY && strstr(err.message, "used by a running pod"));
	/* Under another name it is no loss: the layer stays. */
	load(&f, "two");
	expect(image_remove(&f.store, "one", &err) == 0);
	expect(faccessat(fd, "etc/name", R_OK, 0) == 0);
	close(fd);
	close(lock);
	expect(image_remove(&f.store, "two", &err) == 0);
	expect(image_open_layers(&f.store, &image, &fd, &lock, &err) < 0);
	expect(strstr(err.hint, "load it again") != NULL);
	image_free(&image);
	fixture_remove(&f);
}

static void clears_what_the_dead_left(void)
{
	struct fixture f = fixture_make();
	struct workspace living;
	struct error err = {0};
	cleanup_free char *name = NULL;
	int tmp = store_folder(&f.store, STORE_TMP, &err);

	mkdirat(tmp, "dead", 0700);
	mkdirat(tmp, "dead/layer", 0700);
	expect(workspace_open(&living, &f.store, &err) == 0);
	expect(faccessat(tmp, "dead", F_OK, 0) < 0);
	name = xstrdup(living.name);
	load(&f, "one");
	expect(faccessat(tmp, name, F_OK, 0) == 0);
	workspace_close(&living);
	expect(faccessat(tmp, name, F_OK, 0) < 0);
	close(tmp);
	fixture_remove(&f);
}

/* A load's own child may hold its lock for a moment after it: that is waited for, and nobody else's is. */
static void waits_for_the_children_of_the_dead(void)
{
	const struct timespec moment = {.tv_nsec = 100000000};
	struct fixture f = fixture_make();
	struct error err = {0};
	int tmp = store_folder(&f.store, STORE_TMP, &err);
	int locked;
	pid_t holder;

	mkdirat(tmp, "4194305-1-1-0", 0700);
	locked = openat(tmp, "4194305-1-1-0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect(flock(locked, LOCK_EX | LOCK_NB) == 0);
	fflush(NULL);
	holder = fork();
	if (holder == 0) {
		nanosleep(&moment, NULL);
		_exit(0);
	}
	close(locked);
	store_sweep(&f.store, 4194306);
	expect(faccessat(tmp, "4194305-1-1-0", F_OK, 0) == 0);
	store_sweep(&f.store, 4194305);
	expect(faccessat(tmp, "4194305-1-1-0", F_OK, 0) < 0);
	waitpid(holder, NULL, 0);
	close(tmp);
	fixture_remove(&f);
}

static void names_a_damaged_record(void)
{
	struct fixture f = fixture_make();
	struct image image, *images;
	struct error err = {0};
	size_t n;
	int fd;

	load(&f, "one");
	fd = openat(f.store.fd, "images/one.json", O_WRONLY | O_TRUNC | O_CLOEXEC);
	expect(fd >= 0 && write(fd, "{\"name\": \"two\"}", 15) == 15);
	close(fd);
	expect(image_find(&f.store, "one", &image, &err) < 0);
	expect(strstr(err.message, "images/one.json is damaged") && err.hint[0]);
	expect(image_list(&f.store, &images, &n, &err) < 0);
	/* And loading it again mends it. */
	load(&f, "one");
	expect(image_find(&f.store, "one", &image, &err) == 0);
	image_free(&image);
	fixture_remove(&f);
}

static void refuses_to_load_the_store_into_itself(void)
{
	struct fixture f = fixture_make();
	struct image image;
	struct error err = {0};

	expect(image_load(&f.store, f.path, "self", NULL, NULL, NULL, &image, &err) < 0);
	expect(strstr(err.message, "the store itself is in it") != NULL);
	fixture_remove(&f);
}

static void hashes_as_published(void)
{
	/* FIPS 180-2, appendix B. */
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct digest digest;
	char hex[DIGEST_LENGTH + 1], plain[SHA256_DIGEST_STRING_LENGTH];
	char block[1000];
	SHA2_CTX md;

	for (size_t i = 0; i < array_length(cases); i++) {
		digest_of(cases[i].text, strlen(cases[i].text), hex);
		expect_text(hex, cases[i].hex);
	}
	/* In pieces of all sizes, and as libmd has it. */
	digest_init(&digest);
	SHA256Init(&md);
	for (size_t size = 0; size < sizeof(block); size += 7) {
		memset(block, (int)size, sizeof(block));
		digest_add(&digest, block, size);
		SHA256Update(&md, (uint8_t *)block, size);
	}
	digest_end(&digest, hex);
	expect_text(hex, SHA256End(&md, plain));
	expect(digest_is_hex(hex) && !digest_is_valid(hex));
	expect(!digest_is_hex("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"));
	expect(!digest_is_valid("sha256:../../../../../../../../../../../../../../../../../../../etc"));
}

static void knows_media_types(void)
{
	static const struct {
		const char *type;
		enum media media;
	} cases[] = {
		{"application/vnd.oci.image.index.v1+json", MEDIA_INDEX},
		{"application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX},
		{"application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST},
		{"application/vnd.oci.image.manifest.v1+jsonx", MEDIA_UNKNOWN},
		{"application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1},
		{"application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER},
		{"application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER},
		{"application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER},
		{"application/vnd.oci.image.layer.v1.tarball", MEDIA_UNKNOWN},
		{"application/vnd.oci.image.layer.v1.tar+gzip+encrypted", MEDIA_ENCRYPTED},
		{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_FOREIGN},
		{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_FOREIGN},
		{"application/vnd.oci.empty.v1+json", MEDIA_UNKNOWN},
		{"", MEDIA_UNKNOWN},
	};

	for (size_t i = 0; i < array_length(cases); i++)
		expect(media_of(cases[i].type) == cases[i].media);
}

static void prefers_the_plain_platform(void)
{
	char machine[64];
	struct json_object *json = json_object_new_object();
	unsigned int plain;

	platform_of_machine(machine, sizeof(machine));
	expect(platform_fit(NULL) > 0);
	json_object_object_add(json, "os", json_object_new_string("linux"));
	json_object_object_add(json, "architecture", json_object_new_string(strchr(machine, '/') + 1));
	plain = platform_fit(json);
	expect(plain > platform_fit(NULL));
	json_object_object_add(json, "variant", json_object_new_string("v99"));
	expect(platform_fit(json) == 0);
	json_object_object_add(json, "variant", json_object_new_string("\033"));
	expect(platform_fit(json) == 0);
	json_object_object_add(json, "os", json_object_new_string("windows"));
	json_object_object_del(json, "variant");
	expect(platform_fit(json) == 0);
	json_object_put(json);
}

/* A layout that is filled while it is loaded, as a pull does. */
struct late {
	int fd;
	const char *text, *path;
	unsigned int asked;
};

static int write_blob(int fd, const char *path, const char *text)
{
	cleanup_fd int file = openat(fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int wait_for_blob(void *data, const char *digest, uint64_t size, struct error *err)
{
	struct late *late = data;

	if (late->asked++ > 0)
		return error_set(err, ERROR_HOST, 0, "the line went dead");
	expect(strstr(late->path, digest + 7) && size == strlen(late->text));
	return write_blob(late->fd, late->path, late->text);
}

static void waits_for_blobs(void)
{
	struct fixture f = fixture_make();
	const char manifest[] =
		"{\"schemaVersion\": 2, \"config\": {\"digest\": \"sha256:"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", \"size\": 0, "
		"\"mediaType\": \"application/vnd.oci.image.config.v1+json\"}, \"layers\": []}";
	char hex[DIGEST_LENGTH + 1];
	cleanup_free char *index = NULL, *path = NULL;
	struct image image;
	struct error err = {0};
	struct late late = {.fd = f.top, .text = manifest};
	struct layout_options options = {.wait = wait_for_blob, .data = &late};

	digest_of(manifest, strlen(manifest), hex);
	late.path = path = xasprintf("blobs/sha256/%s", hex);
	index = xasprintf(
		"{\"manifests\": [{\"digest\": \"sha256:%s\", \"size\": %zu}]}", hex, strlen(manifest));
	expect(mkdirat(f.top, "blobs", 0755) == 0 && mkdirat(f.top, "blobs/sha256", 0755) == 0);
	expect(write_blob(f.top, "index.json", index) == 0);
	/* The manifest comes; what is waited for in vain, the configuration, is said. */
	late.asked = 0;
	expect(image_load_layout(&f.store, f.top, "late", &options, &image, &err) < 0);
	expect(late.asked == 2);
	expect_text(err.message, "the line went dead");
	fixture_remove(&f);
}

/* A file of a layer that holds its own layer's name. */
static void put(int dirfd, const char *name, mode_t mode)
{
	cleanup_fd int fd = -1;

	if (S_ISDIR(mode)) {
		expect(mkdirat(dirfd, name, mode & 07777) == 0 &&
			fchmodat(dirfd, name, mode & 07777, 0) == 0);
		return;
	}
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	expect(fd >= 0 && write(fd, name, strlen(name)) > 0 && fchmod(fd, mode) == 0);
}

static void hide(int dirfd, const char *name)
{
	expect(mknodat(dirfd, name, S_IFCHR, makedev(0, 0)) == 0);
}

static mode_t mode_of(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode : 0;
}

static void make_layers(int low, int high)
{
	put(low, "opaque", S_IFDIR | 0755);
	put(low, "opaque/low", 0644);
	put(low, "joined", S_IFDIR | 0755);
	put(low, "joined/low", 0644);
	put(low, "joined/gone", 0644);
	put(low, "hidden", S_IFDIR | 0755);
	put(low, "hidden/low", 0644);
	put(low, "becomes-folder", 0644);
	put(low, "becomes-file", S_IFDIR | 0755);
	put(low, "becomes-file/low", 0644);
	put(high, "opaque", S_IFDIR | 0700);
	put(high, "opaque/high", 0644);
	put(high, "joined", S_IFDIR | 01777);
	put(high, "joined/high", 04755);
	hide(high, "joined/gone");
	hide(high, "hidden");
	hide(high, "never-there");
	put(high, "becomes-folder", S_IFDIR | 0755);
	put(high, "becomes-folder/in", 0644);
	put(high, "becomes-file", 0600);
	expect(symlinkat("/etc/passwd", high, "link") == 0 && mkfifoat(high, "pipe", 0640) == 0);
	expect(linkat(high, "joined/high", high, "second", 0) == 0);
	expect(fchownat(high, "becomes-file", 0, 0, 0) == 0);
}

static void copies_what_an_overlay_would_show(void)
{
	struct fixture f = fixture_make();
	const struct image_ids as_they_are = {0};
	struct error err = {0};
	struct stat one, two;
	int layers[2], target, opaque;

	mkdirat(f.top, "low", 0755);
	mkdirat(f.top, "high", 0755);
	mkdirat(f.top, "target", 0755);
	layers[0] = openat(f.top, "high", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	layers[1] = openat(f.top, "low", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target = openat(f.top, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_layers(layers[1], layers[0]);
	opaque = openat(layers[0], "opaque", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect(fsetxattr(opaque, "trusted.overlay.opaque", "y", 1, 0) == 0 ||
		fsetxattr(opaque, "user.overlay.opaque", "y", 1, 0) == 0);
	close(opaque);
	expect(image_copy_layers(layers, 2, target, &as_they_are, &err) == 0);
	expect_text(err.message, "");
	expect(mode_of(target, "opaque") == (S_IFDIR | 0700) &&
		mode_of(target, "opaque/high") == (S_IFREG | 0644));
	expect(!mode_of(target, "opaque/low") && !mode_of(target, "hidden") &&
		!mode_of(target, "never-there"));
	expect(mode_of(target, "joined") == (S_IFDIR | 01777) &&
		mode_of(target, "joined/low") == (S_IFREG | 0644));
	expect(mode_of(target, "joined/high") == (S_IFREG | 04755) && !mode_of(target, "joined/gone"));
	expect(mode_of(target, "becomes-folder/in") == (S_IFREG | 0644));
	expect(mode_of(target, "becomes-file") == (S_IFREG | 0600));
	expect(S_ISLNK(mode_of(target, "link")) && mode_of(target, "pipe") == (S_IFIFO | 0640));
	expect(fstatat(target, "second", &one, 0) == 0 && fstatat(target, "joined/high", &two, 0) == 0);
	expect(one.st_ino == two.st_ino && one.st_size == (off_t)strlen("joined/high"));
	for (int i = 0; i < 2; i++)
		close(layers[i]);
	close(target);
	fixture_remove(&f);
}

int main(void)
{
	group(copies_what_an_overlay_would_show);
	group(hashes_as_published);
	group(knows_media_types);
	group(prefers_the_plain_platform);
	group(waits_for_blobs);
	group(shortens_names);
	group(refuses_bad_names);
	group(names_files_apart);
	group(finds_by_any_form);
	group(refuses_a_store_of_others);
	group(keeps_a_layer_in_use);
	group(clears_what_the_dead_left);
	group(waits_for_the_children_of_the_dead);
	group(names_a_damaged_record);
	group(refuses_to_load_the_store_into_itself);
	return unit_done();
}
