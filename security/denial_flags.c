/*
 * What the flags of system calls are called, which may be combined. Numbers that glibc may lack or that differ from the kernel's
 * stand here as numbers.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "security/denial_argument.h"

static const struct denial_bit open_flags[] = {
	{O_WRONLY, "O_WRONLY"}, /* O_RDONLY is no bit: see denial.c */
	DENIAL_NAMED(O_RDWR),
	DENIAL_NAMED(O_CREAT),
	DENIAL_NAMED(O_EXCL),
	DENIAL_NAMED(O_NOCTTY),
	DENIAL_NAMED(O_TRUNC),
	DENIAL_NAMED(O_APPEND),
	DENIAL_NAMED(O_NONBLOCK),
	{020000000 | O_DIRECTORY, "O_TMPFILE"},
	{04010000, "O_SYNC"},
	{010000, "O_DSYNC"},
	DENIAL_NAMED(O_DIRECT),
	DENIAL_NAMED(O_DIRECTORY),
	DENIAL_NAMED(O_NOFOLLOW),
	DENIAL_NAMED(O_NOATIME),
	DENIAL_NAMED(O_CLOEXEC),
	DENIAL_NAMED(O_PATH),
	{0100000, "O_LARGEFILE"},
};
static const struct denial_bit access_modes[] = {DENIAL_NAMED(R_OK), DENIAL_NAMED(W_OK), DENIAL_NAMED(X_OK)};
static const struct denial_bit at_flags[] = {
	DENIAL_NAMED(AT_SYMLINK_NOFOLLOW),
	{AT_REMOVEDIR, "AT_REMOVEDIR"}, /* also AT_EACCESS, which faccessat2 has in its place */
	DENIAL_NAMED(AT_SYMLINK_FOLLOW),
	DENIAL_NAMED(AT_NO_AUTOMOUNT),
	DENIAL_NAMED(AT_EMPTY_PATH),
};
/* What clone and unshare have in common. */
#define SHARED_FLAGS                                                                                 \
	DENIAL_NAMED(CLONE_NEWNS), DENIAL_NAMED(CLONE_NEWCGROUP), DENIAL_NAMED(CLONE_NEWUTS),        \
		DENIAL_NAMED(CLONE_NEWIPC), DENIAL_NAMED(CLONE_NEWUSER), DENIAL_NAMED(CLONE_NEWPID), \
		DENIAL_NAMED(CLONE_NEWNET), DENIAL_NAMED(CLONE_VM), DENIAL_NAMED(CLONE_FS),          \
		DENIAL_NAMED(CLONE_FILES), DENIAL_NAMED(CLONE_SIGHAND)

static const struct denial_bit clone_flags[] = {
	SHARED_FLAGS,
	DENIAL_NAMED(CLONE_PIDFD),
	DENIAL_NAMED(CLONE_PTRACE),
	DENIAL_NAMED(CLONE_VFORK),
	DENIAL_NAMED(CLONE_PARENT),
	DENIAL_NAMED(CLONE_THREAD),
	DENIAL_NAMED(CLONE_SYSVSEM),
	DENIAL_NAMED(CLONE_SETTLS),
	DENIAL_NAMED(CLONE_PARENT_SETTID),
	DENIAL_NAMED(CLONE_CHILD_CLEARTID),
	DENIAL_NAMED(CLONE_DETACHED),
	DENIAL_NAMED(CLONE_UNTRACED),
	DENIAL_NAMED(CLONE_CHILD_SETTID),
	DENIAL_NAMED(CLONE_IO),
	DENIAL_NAMED(CLONE_CLEAR_SIGHAND),
	DENIAL_NAMED(CLONE_INTO_CGROUP),
};
static const struct denial_bit unshare_flags[] = {
	{0x80, "CLONE_NEWTIME"}, /* where clone has its signal */
	SHARED_FLAGS,
	DENIAL_NAMED(CLONE_THREAD),
	DENIAL_NAMED(CLONE_SYSVSEM),
};
static const struct denial_bit mount_flags[] = {
	DENIAL_NAMED(MS_RDONLY),
	DENIAL_NAMED(MS_NOSUID),
	DENIAL_NAMED(MS_NODEV),
	DENIAL_NAMED(MS_NOEXEC),
	DENIAL_NAMED(MS_SYNCHRONOUS),
	DENIAL_NAMED(MS_REMOUNT),
	DENIAL_NAMED(MS_MANDLOCK),
	DENIAL_NAMED(MS_DIRSYNC),
	DENIAL_NAMED(MS_NOSYMFOLLOW),
	DENIAL_NAMED(MS_NOATIME),
	DENIAL_NAMED(MS_NODIRATIME),
	DENIAL_NAMED(MS_BIND),
	DENIAL_NAMED(MS_MOVE),
	DENIAL_NAMED(MS_REC),
	DENIAL_NAMED(MS_SILENT),
	DENIAL_NAMED(MS_UNBINDABLE),
	DENIAL_NAMED(MS_PRIVATE),
	DENIAL_NAMED(MS_SLAVE),
	DENIAL_NAMED(MS_SHARED),
	DENIAL_NAMED(MS_RELATIME),
	DENIAL_NAMED(MS_STRICTATIME),
	DENIAL_NAMED(MS_LAZYTIME),
};
static const struct denial_bit protections[] = {
	{0x1, "PROT_READ"},
	{0x2, "PROT_WRITE"},
	{0x4, "PROT_EXEC"},
	{0x01000000, "PROT_GROWSDOWN"},
	{0x02000000, "PROT_GROWSUP"},
};
static const struct denial_bit map_flags[] = {
	{0x03, "MAP_SHARED_VALIDATE"},
	{0x01, "MAP_SHARED"},
	{0x02, "MAP_PRIVATE"},
	DENIAL_NAMED(MAP_FIXED),
	DENIAL_NAMED(MAP_ANONYMOUS),
	{0x40, "MAP_32BIT"},
	DENIAL_NAMED(MAP_GROWSDOWN),
	DENIAL_NAMED(MAP_DENYWRITE),
	DENIAL_NAMED(MAP_LOCKED),
	DENIAL_NAMED(MAP_NORESERVE),
	DENIAL_NAMED(MAP_POPULATE),
	DENIAL_NAMED(MAP_NONBLOCK),
	DENIAL_NAMED(MAP_STACK),
	DENIAL_NAMED(MAP_HUGETLB),
	{0x100000, "MAP_FIXED_NOREPLACE"},
};
static const struct denial_set sets[128] = {
	DENIAL_SET('o', open_flags, true),
	DENIAL_SET('a', access_modes, true),
	DENIAL_SET('F', at_flags, true),
	DENIAL_SET('c', clone_flags, true),
	DENIAL_SET('N', unshare_flags, true),
	DENIAL_SET('y', mount_flags, true),
	DENIAL_SET('P', protections, true),
	DENIAL_SET('M', map_flags, true),
};

const struct denial_set *denial_flags(char letter)
{
	const struct denial_set *set = &sets[(unsigned char)letter & 127];

	return set->n ? set : NULL;
}

const struct denial_set *denial_names(char letter)
{
	const struct denial_set *flags = denial_flags(letter);

	return flags ? flags : denial_constants(letter);
}
