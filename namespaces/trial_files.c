/* Trials of file systems: overlays and idmapped mounts where the store is. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "namespaces/mounts.h"
#include "namespaces/namespaces.h"
#include "namespaces/trials.h"

#define WHERE ", where the store is"

static int make_folder(int dirfd, const char *name)
{
	return mkdirat(dirfd, name, 0700) < 0 ? -1 : openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes a folder of the trial's own in the scratch folder. */
static int open_scratch(const struct trial_place *place, const char *name, struct trial *trial)
{
	int fd = place->scratch < 0 ? -1 : make_folder(place->scratch, name);

	if (place->scratch < 0)
		trial_untried(trial, "a folder", "store");
	else if (fd < 0)
		trial_set(trial, TRIAL_MISSING, "cannot make a folder to try it in: %s", strerror(errno));
	return fd;
}

/* An overlay in which a file of the lower folder is written to. users: the lower folder is shown to them; or NULL. */
static int try_overlay(int folder, const struct pod_users *users, struct error *err)
{
	cleanup_fd int lower = make_folder(folder, "lower");
	cleanup_fd int upper = make_folder(folder, "upper");
	cleanup_fd int work = make_folder(folder, "work");
	cleanup_fd int file = lower < 0 ? -1 : openat(lower, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cleanup_fd int mount = -1;
	cleanup_fd int copy = -1;

	if (upper < 0 || work < 0 || file < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the folders of an overlay");
	if (users) {
		int mapped = pod_users_map_layer(users, lower, err);

		mount = mapped < 0 ? -1 : rootfs_overlay(&mapped, 1, upper, work, err);
		if (mapped >= 0)
			pod_users_unmap_layer(mapped);
	} else {
		mount = rootfs_overlay(&lower, 1, upper, work, err);
	}
	if (mount < 0)
		return -1;
	copy = openat(mount, "file", O_WRONLY | O_CLOEXEC);
	if (copy < 0 || fd_write_all(copy, "x", 1) < 0 || mkdirat(mount, "folder", 0700) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot write to an overlay");
	return 0;
}

/* It works, on what kind of file system. */
static void praise(int folder, const char *more, struct trial *trial)
{
	char name[32];

	trial_set(trial, TRIAL_OK, "on %s%s", file_system_name(folder, name, sizeof(name)), more);
}

static void fail(const struct trial_place *place, const struct error *err, struct trial *trial)
{
	trial_fail(trial, TRIAL_LIMITED, err);
	if (err->errnum == ENODEV)
		trial_mend_by(trial, place, HAND_MACHINE, "%s", err->hint);
}

void trial_overlay(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int folder = open_scratch(place, "overlay", trial);

	if (folder < 0)
		return;
	if (try_overlay(folder, NULL, &err) < 0)
		fail(place, &err, trial);
	else
		praise(folder, WHERE, trial);
}

/* In root's store an ordinary user has no business: it gets a file system of its own. */
static int make_place(struct error *err)
{
	cleanup_fd int mount = mount_new("tmpfs", NULL, 0, MOUNT_HARMLESS, err);
	cleanup_fd int target = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Attached, since kernels before 6.15 take nothing from a mount that isn't. */
	if (mount < 0 || target < 0 || mount_attach(mount, target, "", "/", err) < 0)
		return -1;
	return steal_fd(&mount);
}

void trial_overlay_user(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int folder = -1;

	if (trial_become_user(place, &err) < 0) {
		trial_untried(trial, "a user namespace", "user namespaces");
		return;
	}
	folder = place->is_root ? make_place(&err) : open_scratch(place, "overlay-user", trial);
	if (folder < 0 && !place->is_root)
		return;
	if (folder < 0 || try_overlay(folder, NULL, &err) < 0)
		fail(place, &err, trial);
	else
		praise(folder, place->is_root ? "" : WHERE, trial);
}

/* It takes the right to mount in the user namespace that the file system was mounted in, and one that can. */
static void mend_idmapped(const struct trial_place *place, int errnum, struct trial *trial)
{
	const char *as_root = caller_as_root(&place->caller);

	trial->mend[0] = '\0';
	if (errnum == EPERM)
		trial_mend(trial, "%s", as_root);
	else if (userns_inside())
		trial_mend(
			trial, "%s, with the store on ext4, xfs, btrfs or, since Linux 6.3, tmpfs", as_root);
}

void trial_idmapped(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int folder = open_scratch(place, "idmapped", trial);
	cleanup_fd int mount = -1;
	/* Id 0 is what id 1 is here; 0 where there is no other. */
	struct pod_users users = {.lock = -1, .first = userns_maps_uid(1) && userns_maps_gid(1) ? 1 : 0};
	struct stat st;

	if (folder < 0)
		return;
	users.fd = userns_make(users.first, 1, &err);
	mount = users.fd < 0 ? -1 : mount_clone(folder, "", false, &err);
	if (mount >= 0 && pod_users_map(&users, mount, false, &err) == 0 &&
		(fstat(mount, &st) < 0 || st.st_uid != users.first))
		error_set(&err, ERROR_HOST, 0, "ids are not mapped");
	if (err.class == ERROR_NONE && volumes_private_mounts(&err) == 0)
		try_overlay(folder, &users, &err);
	if (err.class != ERROR_NONE) {
		trial_fail(trial, TRIAL_LIMITED, &err);
		mend_idmapped(place, err.errnum, trial);
	} else {
		praise(folder, WHERE ", and below overlays", trial);
	}
	pod_users_close(&users);
}
