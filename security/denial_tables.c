/*
 * What the arguments of system calls are, and what their flags are called.
 *
 * A call's signature is a letter for each argument; the prototypes are those of the section 2 man pages and of
 * include/linux/syscalls.h. Numbers that glibc may lack or that differ from the kernel's stand here as numbers.
 */
#include "security/denial.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 *	p a string (path, name)       n signed number               z size, unsigned number
 *	d descriptor                  D the same, or AT_FDCWD       x pointer that says nothing
 *	h number, in hexadecimal      m mode, octal                 u user or group id, may be -1
 *	g signal                      A socket address, with z next H struct open_how
 *	v number or pointer: a large one is taken for a pointer
 *	C struct clone_args           and the letters of the sets below
 */
static const char signatures[] =
	/* files by path */
	"access:pa acct:p chdir:p chmod:pm chown:puu chroot:p creat:pm execve:pxx execveat:DpxxF "
	"faccessat:Dpa "
	"faccessat2:DpaF fanotify_mark:dhhDp fchmodat:Dpm fchmodat2:DpmF fchownat:DpuuF file_getattr:DpxzF "
	"file_setattr:DpxzF futimesat:Dpx getxattr:ppxz getxattrat:DpFpxz inotify_add_watch:dph lchown:puu "
	"lgetxattr:ppxz link:pp linkat:DpDpF listxattr:pxz listxattrat:DpFxz llistxattr:pxz lremovexattr:pp "
	"lsetxattr:ppxzh lstat:px lstat64:px mkdir:pm mkdirat:Dpm mknod:pmh mknodat:Dpmh "
	"name_to_handle_at:DpxxF "
	"newfstatat:DpxF fstatat64:DpxF oldlstat:px oldstat:px open:pom openat:Dpom openat2:DpHz "
	"open_tree:Dph "
	"open_tree_attr:Dphxz pivot_root:pp quotactl:hpnx readlink:pxz readlinkat:Dpxz removexattr:pp "
	"removexattrat:DpFp rename:pp renameat:DpDp renameat2:DpDph rmdir:p setxattr:ppxzh setxattrat:DpFpxz "
	"stat:px stat64:px statfs:px statfs64:pzx statx:DpFhx swapoff:p swapon:ph symlink:pp symlinkat:pDp "
	"truncate:pz truncate64:pz umount:p umount2:ph unlink:p unlinkat:DpF uselib:p utime:px "
	"utimensat:DpxF "
	"utimensat_time64:DpxF utimes:px memfd_create:ph memfd_secret:h mq_open:pomx mq_unlink:p "
	/* mounts */
	"fsconfig:dnpxn fsmount:dhh fsopen:ph fspick:Dph mount:pppyx mount_setattr:Dphxz move_mount:DpDph "
	"statmount:xxzh listmount:xxzh listns:xxzh "
	/* descriptors */
	"close:d close_range:ddh copy_file_range:dxdxzh dup:d dup2:dd dup3:ddo epoll_create:n "
	"epoll_create1:o "
	"epoll_ctl:dndx epoll_ctl_old:nnnx epoll_pwait:dxnnxz epoll_pwait2:dxnxxz epoll_wait:dxnn "
	"epoll_wait_old:nxnn eventfd:z eventfd2:zo fadvise64:dzzn fadvise64_64:dzzn fallocate:dhzz "
	"fanotify_init:hh fchdir:d fchmod:dm fchown:duu fcntl:dOv fcntl64:dOv fdatasync:d fgetxattr:dpxz "
	"flistxattr:dxz flock:dh fremovexattr:dp fsetxattr:dpxzh fstat:dx fstat64:dx oldfstat:dx fstatfs:dx "
	"fstatfs64:dzx fsync:d ftruncate:dz ftruncate64:dz getdents:dxz getdents64:dxz inotify_init: "
	"inotify_init1:o inotify_rm_watch:dn ioctl:div lseek:dnW _llseek:dzzxW open_by_handle_at:dxo pipe:x "
	"pipe2:xo poll:xzn ppoll:xzxxz ppoll_time64:xzxxz pread64:dxzz preadv:dxzzz preadv2:dxzzzh "
	"pselect6:nxxxxx "
	"pselect6_time64:nxxxxx pwrite64:dxzz pwritev:dxzzz pwritev2:dxzzzh read:dxz readahead:dzz "
	"readdir:dxz "
	"readv:dxz select:nxxxx _newselect:nxxxx sendfile:ddxz sendfile64:ddxz signalfd:dxz signalfd4:dxzo "
	"splice:dxdxzh sync: syncfs:d sync_file_range:dzzh tee:ddzh timerfd_create:Ko timerfd_gettime:dx "
	"timerfd_gettime64:dx timerfd_settime:dhxx timerfd_settime64:dhxx umask:m userfaultfd:o "
	"vmsplice:dxzh "
	"write:dxz writev:dxz quotactl_fd:dhnx cachestat:dxxh "
	/* memory */
	"brk:x get_mempolicy:xxzxh madvise:xzn map_shadow_stack:hzh mbind:xznxzh migrate_pages:nzxx "
	"mincore:xzx "
	"mlock:xz mlock2:xzh mlockall:h mmap:xzPMdh mmap2:xzPMdh modify_ldt:nxz move_pages:nzxxxh "
	"mprotect:xzP "
	"mremap:xzzhx mseal:xzh msync:xzh munlock:xz munlockall: munmap:xz pkey_alloc:hh pkey_free:n "
	"pkey_mprotect:xzPn process_madvise:dxznh process_mrelease:dh process_vm_readv:nxzxzh "
	"process_vm_writev:nxzxzh remap_file_pages:xzhzh set_mempolicy:nxz set_mempolicy_home_node:xzzh "
	"shmat:nxh "
	"shmctl:nnx shmdt:x shmget:hzh swapcontext:xx "
	/* processes and threads */
	"arch_prctl:hv capget:xx capset:xx clone:cxxxx clone3:Cz exit:n exit_group:n fork: futex:xUzxxz "
	"futex_time64:xUzxxz futex_requeue:xhnn futex_wait:xzzhxK futex_waitv:xzhxK futex_wake:xznh "
	"get_robust_list:nxx getcpu:xxx getegid: getegid32: geteuid: geteuid32: getgid: getgid32: "
	"getgroups:nx "
	"getgroups32:nx getitimer:nx getpgid:n getpgrp: getpid: getppid: getpriority:nn getresgid:xxx "
	"getresgid32:xxx getresuid:xxx getresuid32:xxx getrlimit:Rx ugetrlimit:Rx getrusage:nx getsid:n "
	"gettid: "
	"getuid: getuid32: ioprio_get:nn ioprio_set:nnh kcmp:nnnhh kill:ng membarrier:nhn nice:n "
	"pause: personality:h pidfd_getfd:ddh pidfd_open:nh pidfd_send_signal:dgxh prctl:qvvvv "
	"prlimit64:nRxx "
	"ptrace:tnvv restart_syscall: riscv_flush_icache:xxh rseq:xzhh rseq_slice_yield: rt_sigaction:gxxz "
	"rt_sigpending:xz "
	"rt_sigprocmask:nxxz rt_sigqueueinfo:ngx rt_sigreturn: rt_sigsuspend:xz rt_sigtimedwait:xxxz "
	"rt_sigtimedwait_time64:xxxz rt_tgsigqueueinfo:nngx sched_get_priority_max:n "
	"sched_get_priority_min:n "
	"sched_getaffinity:nzx sched_getattr:nxzh sched_getparam:nx sched_getscheduler:n "
	"sched_rr_get_interval:nx sched_rr_get_interval_time64:nx sched_setaffinity:nzx sched_setattr:nxh "
	"sched_setparam:nx sched_setscheduler:nnx sched_yield: seccomp:nhx set_robust_list:xz "
	"set_thread_area:x get_thread_area:x set_tid_address:x setfsgid:u setfsgid32:u setfsuid:u "
	"setfsuid32:u "
	"setgid:u setgid32:u setgroups:zx setgroups32:zx setitimer:nxx setns:dN setpgid:nn setpriority:nnn "
	"setregid:uu setregid32:uu setresgid:uuu setresgid32:uuu setresuid:uuu setresuid32:uuu setreuid:uu "
	"setreuid32:uu setrlimit:Rx setsid: setuid:u setuid32:u sigaction:gxx sigaltstack:xx signal:gx "
	"sgetmask: "
	"ssetmask:h sigpending:x sigprocmask:nxx sigreturn: sigsuspend:nnx tgkill:nng tkill:ng unshare:N "
	"vfork: vhangup: wait4:nxhx waitid:nnxhx waitpid:nxh lsm_get_self_attr:nxxh lsm_list_modules:xxh "
	"lsm_set_self_attr:nxzh landlock_add_rule:dnxh landlock_create_ruleset:xzh landlock_restrict_self:dh "
	/* sockets */
	"accept:dxx accept4:dxxS bind:dAz connect:dAz getpeername:dxx getsockname:dxx getsockopt:dnnxx "
	"listen:dn "
	"recv:dxzh recvfrom:dxzhxx recvmmsg:dxzhx recvmmsg_time64:dxzhx recvmsg:dxh send:dxzh sendmmsg:dxzh "
	"sendmsg:dxh sendto:dxzhAz setsockopt:dnnxz shutdown:dn socket:fSn socketpair:fSnx socketcall:kx "
	"ipc:lnnnxn "
	/* time */
	"adjtimex:x alarm:z clock_adjtime:Kx clock_adjtime64:Kx clock_getres:Kx clock_getres_time64:Kx "
	"clock_gettime:Kx clock_gettime64:Kx clock_nanosleep:Khxx clock_nanosleep_time64:Khxx "
	"clock_settime:Kx "
	"clock_settime64:Kx gettimeofday:xx nanosleep:xx settimeofday:xx stime:x time:x timer_create:Kxx "
	"timer_delete:n timer_getoverrun:n timer_gettime:nx timer_gettime64:nx timer_settime:nhxx "
	"timer_settime64:nhxx times:x "
	/* queues, keys, asynchronous input and output */
	"add_key:ppxzn io_cancel:hxx io_destroy:h io_getevents:hnnxx io_pgetevents:hnnxxx "
	"io_pgetevents_time64:hnnxxx "
	"io_setup:zx io_submit:hnx io_uring_enter:dzzhxz io_uring_register:dnxz io_uring_setup:zx "
	"keyctl:Evvvv "
	"mq_getsetattr:dxx mq_notify:dx mq_timedreceive:dxzxx mq_timedreceive_time64:dxzxx "
	"mq_timedsend:dxzzx "
	"mq_timedsend_time64:dxzzx msgctl:nnx msgget:hh msgrcv:nxznh msgsnd:nxzh request_key:pppn "
	"semctl:nnnv "
	"semget:hnh semop:nxz semtimedop:nxzx semtimedop_time64:nxzx "
	/* the machine */
	"_sysctl:x bpf:Bxz create_module:pz delete_module:ph finit_module:dph get_kernel_syms:x getcwd:xz "
	"getrandom:xzh init_module:xzp ioperm:zzn iopl:n kexec_file_load:ddzph kexec_load:xzxh "
	"lookup_dcookie:zxz "
	"nfsservctl:nxx perf_event_open:xnnnh query_module:pnxzx reboot:hhhx setdomainname:pz sethostname:pz "
	"sysfs:npx sysinfo:x syslog:nxz uname:x olduname:x oldolduname:x uprobe: uretprobe: ustat:hx vm86:hv "
	"vm86old:x vserver: tuxcall: security: afs_syscall: getpmsg: putpmsg: bdflush:nh ";

const char *denial_signature(const char *name, size_t *n)
{
	size_t length = strlen(name);

	for (const char *at = signatures; *at; at += strcspn(at, " "), at += *at == ' ') {
		if (strncmp(at, name, length) != 0 || at[length] != ':')
			continue;
		*n = strcspn(at + length + 1, " ");
		return at + length + 1;
	}
	return NULL;
}

#define NAMED(x)                  \
	{                         \
		(uint64_t)(x), #x \
	}

static const struct denial_bit open_flags[] = {
	{O_WRONLY, "O_WRONLY"}, /* O_RDONLY is no bit: see denial.c */
	NAMED(O_RDWR),
	NAMED(O_CREAT),
	NAMED(O_EXCL),
	NAMED(O_NOCTTY),
	NAMED(O_TRUNC),
	NAMED(O_APPEND),
	NAMED(O_NONBLOCK),
	{020000000 | O_DIRECTORY, "O_TMPFILE"},
	{04010000, "O_SYNC"},
	{010000, "O_DSYNC"},
	NAMED(O_DIRECT),
	NAMED(O_DIRECTORY),
	NAMED(O_NOFOLLOW),
	NAMED(O_NOATIME),
	NAMED(O_CLOEXEC),
	NAMED(O_PATH),
	{0100000, "O_LARGEFILE"},
};
static const struct denial_bit access_modes[] = {NAMED(R_OK), NAMED(W_OK), NAMED(X_OK)};
static const struct denial_bit at_flags[] = {
	NAMED(AT_SYMLINK_NOFOLLOW),
	{AT_REMOVEDIR, "AT_REMOVEDIR"}, /* also AT_EACCESS, which faccessat2 has in its place */
	NAMED(AT_SYMLINK_FOLLOW),
	NAMED(AT_NO_AUTOMOUNT),
	NAMED(AT_EMPTY_PATH),
};
static const struct denial_bit clone_flags[] = {
	NAMED(CLONE_NEWNS),
	NAMED(CLONE_NEWCGROUP),
	NAMED(CLONE_NEWUTS),
	NAMED(CLONE_NEWIPC),
	NAMED(CLONE_NEWUSER),
	NAMED(CLONE_NEWPID),
	NAMED(CLONE_NEWNET),
	NAMED(CLONE_VM),
	NAMED(CLONE_FS),
	NAMED(CLONE_FILES),
	NAMED(CLONE_SIGHAND),
	NAMED(CLONE_PIDFD),
	NAMED(CLONE_PTRACE),
	NAMED(CLONE_VFORK),
	NAMED(CLONE_PARENT),
	NAMED(CLONE_THREAD),
	NAMED(CLONE_SYSVSEM),
	NAMED(CLONE_SETTLS),
	NAMED(CLONE_PARENT_SETTID),
	NAMED(CLONE_CHILD_CLEARTID),
	NAMED(CLONE_DETACHED),
	NAMED(CLONE_UNTRACED),
	NAMED(CLONE_CHILD_SETTID),
	NAMED(CLONE_IO),
	NAMED(CLONE_CLEAR_SIGHAND),
	NAMED(CLONE_INTO_CGROUP),
};
static const struct denial_bit unshare_flags[] = {
	{0x80, "CLONE_NEWTIME"}, /* where clone has its signal */
	NAMED(CLONE_NEWNS),
	NAMED(CLONE_NEWCGROUP),
	NAMED(CLONE_NEWUTS),
	NAMED(CLONE_NEWIPC),
	NAMED(CLONE_NEWUSER),
	NAMED(CLONE_NEWPID),
	NAMED(CLONE_NEWNET),
	NAMED(CLONE_VM),
	NAMED(CLONE_FS),
	NAMED(CLONE_FILES),
	NAMED(CLONE_SIGHAND),
	NAMED(CLONE_THREAD),
	NAMED(CLONE_SYSVSEM),
};
static const struct denial_bit mount_flags[] = {
	NAMED(MS_RDONLY),
	NAMED(MS_NOSUID),
	NAMED(MS_NODEV),
	NAMED(MS_NOEXEC),
	NAMED(MS_SYNCHRONOUS),
	NAMED(MS_REMOUNT),
	NAMED(MS_MANDLOCK),
	NAMED(MS_DIRSYNC),
	NAMED(MS_NOSYMFOLLOW),
	NAMED(MS_NOATIME),
	NAMED(MS_NODIRATIME),
	NAMED(MS_BIND),
	NAMED(MS_MOVE),
	NAMED(MS_REC),
	NAMED(MS_SILENT),
	NAMED(MS_UNBINDABLE),
	NAMED(MS_PRIVATE),
	NAMED(MS_SLAVE),
	NAMED(MS_SHARED),
	NAMED(MS_RELATIME),
	NAMED(MS_STRICTATIME),
	NAMED(MS_LAZYTIME),
};
static const struct denial_bit families[] = {
	NAMED(AF_UNSPEC),
	NAMED(AF_UNIX),
	NAMED(AF_INET),
	NAMED(AF_AX25),
	NAMED(AF_IPX),
	NAMED(AF_APPLETALK),
	NAMED(AF_X25),
	NAMED(AF_INET6),
	NAMED(AF_KEY),
	NAMED(AF_NETLINK),
	NAMED(AF_PACKET),
	NAMED(AF_RDS),
	NAMED(AF_CAN),
	NAMED(AF_TIPC),
	NAMED(AF_BLUETOOTH),
	NAMED(AF_ALG),
	NAMED(AF_NFC),
	NAMED(AF_VSOCK),
	NAMED(AF_XDP),
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
	NAMED(MAP_FIXED),
	NAMED(MAP_ANONYMOUS),
	{0x40, "MAP_32BIT"},
	NAMED(MAP_GROWSDOWN),
	NAMED(MAP_DENYWRITE),
	NAMED(MAP_LOCKED),
	NAMED(MAP_NORESERVE),
	NAMED(MAP_POPULATE),
	NAMED(MAP_NONBLOCK),
	NAMED(MAP_STACK),
	NAMED(MAP_HUGETLB),
	{0x100000, "MAP_FIXED_NOREPLACE"},
};
static const struct denial_bit ioctls[] = {
	NAMED(TCGETS),
	NAMED(TCSETS),
	NAMED(TCSETSW),
	NAMED(TCSETSF),
	NAMED(TIOCGWINSZ),
	NAMED(TIOCSWINSZ),
	NAMED(TIOCGPGRP),
	NAMED(TIOCSPGRP),
	NAMED(TIOCGSID),
	NAMED(TIOCSCTTY),
	NAMED(TIOCNOTTY),
	NAMED(TIOCSTI),
	NAMED(TIOCLINUX),
	NAMED(TIOCGPTN),
	NAMED(TIOCSPTLCK),
	NAMED(TIOCGPTPEER),
	NAMED(TIOCEXCL),
	NAMED(FIONREAD),
	NAMED(FIONBIO),
	NAMED(FIOASYNC),
	NAMED(FIOCLEX),
	NAMED(FIONCLEX),
	{0x40049409, "FICLONE"},
	{0x4020940d, "FICLONERANGE"},
	{0x80086601, "FS_IOC_GETFLAGS"},
	{0x40086602, "FS_IOC_SETFLAGS"},
	{0x801c581f, "FS_IOC_FSGETXATTR"},
	{0xc020660b, "FS_IOC_FIEMAP"},
	{0x8912, "SIOCGIFCONF"},
	{0x8913, "SIOCGIFFLAGS"},
	{0x8914, "SIOCSIFFLAGS"},
	{0x8915, "SIOCGIFADDR"},
	{0x8916, "SIOCSIFADDR"},
	{0x8927, "SIOCGIFHWADDR"},
	{0x8933, "SIOCGIFINDEX"},
	{0x400454ca, "TUNSETIFF"},
	{0xc0481273, "BLKPG"},
	{0x80081272, "BLKGETSIZE64"},
	{0x1260, "BLKGETSIZE"},
	{0x1268, "BLKSSZGET"},
	{0x4c00, "LOOP_SET_FD"},
	{0xae01, "KVM_CREATE_VM"},
};
static const struct denial_bit fcntls[] = {
	{0, "F_DUPFD"},
	{1, "F_GETFD"},
	{2, "F_SETFD"},
	{3, "F_GETFL"},
	{4, "F_SETFL"},
	{5, "F_GETLK"},
	{6, "F_SETLK"},
	{7, "F_SETLKW"},
	{8, "F_SETOWN"},
	{9, "F_GETOWN"},
	{10, "F_SETSIG"},
	{11, "F_GETSIG"},
	{12, "F_GETLK64"},
	{13, "F_SETLK64"},
	{14, "F_SETLKW64"},
	{36, "F_OFD_GETLK"},
	{37, "F_OFD_SETLK"},
	{38, "F_OFD_SETLKW"},
	{1024, "F_SETLEASE"},
	{1025, "F_GETLEASE"},
	{1026, "F_NOTIFY"},
	{1030, "F_DUPFD_CLOEXEC"},
	{1031, "F_SETPIPE_SZ"},
	{1032, "F_GETPIPE_SZ"},
	{1033, "F_ADD_SEALS"},
	{1034, "F_GET_SEALS"},
};
static const struct denial_bit whences[] = {
	{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}};
static const struct denial_bit clocks[] = {
	{0, "CLOCK_REALTIME"},
	{1, "CLOCK_MONOTONIC"},
	{2, "CLOCK_PROCESS_CPUTIME_ID"},
	{3, "CLOCK_THREAD_CPUTIME_ID"},
	{4, "CLOCK_MONOTONIC_RAW"},
	{5, "CLOCK_REALTIME_COARSE"},
	{6, "CLOCK_MONOTONIC_COARSE"},
	{7, "CLOCK_BOOTTIME"},
	{8, "CLOCK_REALTIME_ALARM"},
	{9, "CLOCK_BOOTTIME_ALARM"},
	{11, "CLOCK_TAI"},
};
static const struct denial_bit limits[] = {
	{0, "RLIMIT_CPU"},
	{1, "RLIMIT_FSIZE"},
	{2, "RLIMIT_DATA"},
	{3, "RLIMIT_STACK"},
	{4, "RLIMIT_CORE"},
	{5, "RLIMIT_RSS"},
	{6, "RLIMIT_NPROC"},
	{7, "RLIMIT_NOFILE"},
	{8, "RLIMIT_MEMLOCK"},
	{9, "RLIMIT_AS"},
	{10, "RLIMIT_LOCKS"},
	{11, "RLIMIT_SIGPENDING"},
	{12, "RLIMIT_MSGQUEUE"},
	{13, "RLIMIT_NICE"},
	{14, "RLIMIT_RTPRIO"},
	{15, "RLIMIT_RTTIME"},
};
static const struct denial_bit prctls[] = {
	NAMED(PR_SET_PDEATHSIG),
	NAMED(PR_GET_PDEATHSIG),
	NAMED(PR_GET_DUMPABLE),
	NAMED(PR_SET_DUMPABLE),
	NAMED(PR_GET_KEEPCAPS),
	NAMED(PR_SET_KEEPCAPS),
	NAMED(PR_SET_NAME),
	NAMED(PR_GET_NAME),
	NAMED(PR_GET_SECCOMP),
	NAMED(PR_SET_SECCOMP),
	NAMED(PR_CAPBSET_READ),
	NAMED(PR_CAPBSET_DROP),
	NAMED(PR_GET_SECUREBITS),
	NAMED(PR_SET_SECUREBITS),
	NAMED(PR_SET_TIMERSLACK),
	NAMED(PR_SET_MM),
	NAMED(PR_SET_PTRACER),
	NAMED(PR_SET_CHILD_SUBREAPER),
	NAMED(PR_GET_CHILD_SUBREAPER),
	NAMED(PR_SET_NO_NEW_PRIVS),
	NAMED(PR_GET_NO_NEW_PRIVS),
	NAMED(PR_SET_THP_DISABLE),
	NAMED(PR_CAP_AMBIENT),
	NAMED(PR_GET_SPECULATION_CTRL),
	NAMED(PR_SET_SPECULATION_CTRL),
	{0x53564d41, "PR_SET_VMA"},
};
static const struct denial_bit ptraces[] = {
	{0, "PTRACE_TRACEME"},
	{1, "PTRACE_PEEKTEXT"},
	{2, "PTRACE_PEEKDATA"},
	{3, "PTRACE_PEEKUSER"},
	{4, "PTRACE_POKETEXT"},
	{5, "PTRACE_POKEDATA"},
	{7, "PTRACE_CONT"},
	{8, "PTRACE_KILL"},
	{9, "PTRACE_SINGLESTEP"},
	{12, "PTRACE_GETREGS"},
	{13, "PTRACE_SETREGS"},
	{16, "PTRACE_ATTACH"},
	{17, "PTRACE_DETACH"},
	{24, "PTRACE_SYSCALL"},
	{0x4200, "PTRACE_SETOPTIONS"},
	{0x4204, "PTRACE_GETREGSET"},
	{0x4206, "PTRACE_SEIZE"},
	{0x4207, "PTRACE_INTERRUPT"},
};
static const struct denial_bit bpf_commands[] = {
	{0, "BPF_MAP_CREATE"},
	{1, "BPF_MAP_LOOKUP_ELEM"},
	{2, "BPF_MAP_UPDATE_ELEM"},
	{3, "BPF_MAP_DELETE_ELEM"},
	{4, "BPF_MAP_GET_NEXT_KEY"},
	{5, "BPF_PROG_LOAD"},
	{6, "BPF_OBJ_PIN"},
	{7, "BPF_OBJ_GET"},
	{8, "BPF_PROG_ATTACH"},
	{9, "BPF_PROG_DETACH"},
	{10, "BPF_PROG_TEST_RUN"},
	{18, "BPF_BTF_LOAD"},
	{28, "BPF_LINK_CREATE"},
};
static const struct denial_bit keyctls[] = {
	{0, "KEYCTL_GET_KEYRING_ID"},
	{1, "KEYCTL_JOIN_SESSION_KEYRING"},
	{2, "KEYCTL_UPDATE"},
	{3, "KEYCTL_REVOKE"},
	{5, "KEYCTL_SETPERM"},
	{6, "KEYCTL_DESCRIBE"},
	{7, "KEYCTL_CLEAR"},
	{8, "KEYCTL_LINK"},
	{9, "KEYCTL_UNLINK"},
	{10, "KEYCTL_SEARCH"},
	{11, "KEYCTL_READ"},
};
static const struct denial_bit socketcalls[] = {
	{1, "SYS_SOCKET"},
	{2, "SYS_BIND"},
	{3, "SYS_CONNECT"},
	{4, "SYS_LISTEN"},
	{5, "SYS_ACCEPT"},
	{6, "SYS_GETSOCKNAME"},
	{7, "SYS_GETPEERNAME"},
	{8, "SYS_SOCKETPAIR"},
	{9, "SYS_SEND"},
	{10, "SYS_RECV"},
	{11, "SYS_SENDTO"},
	{12, "SYS_RECVFROM"},
	{13, "SYS_SHUTDOWN"},
	{14, "SYS_SETSOCKOPT"},
	{15, "SYS_GETSOCKOPT"},
	{16, "SYS_SENDMSG"},
	{17, "SYS_RECVMSG"},
	{18, "SYS_ACCEPT4"},
	{19, "SYS_RECVMMSG"},
	{20, "SYS_SENDMMSG"},
};
static const struct denial_bit ipcs[] = {
	{1, "SEMOP"},
	{2, "SEMGET"},
	{3, "SEMCTL"},
	{4, "SEMTIMEDOP"},
	{11, "MSGSND"},
	{12, "MSGRCV"},
	{13, "MSGGET"},
	{14, "MSGCTL"},
	{21, "SHMAT"},
	{22, "SHMDT"},
	{23, "SHMGET"},
	{24, "SHMCTL"},
};
/* With FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME taken off: see denial.c. */
static const struct denial_bit futexes[] = {
	{0, "FUTEX_WAIT"},
	{1, "FUTEX_WAKE"},
	{3, "FUTEX_REQUEUE"},
	{4, "FUTEX_CMP_REQUEUE"},
	{5, "FUTEX_WAKE_OP"},
	{6, "FUTEX_LOCK_PI"},
	{7, "FUTEX_UNLOCK_PI"},
	{9, "FUTEX_WAIT_BITSET"},
	{10, "FUTEX_WAKE_BITSET"},
	{0x80, "FUTEX_WAIT_PRIVATE"},
	{0x81, "FUTEX_WAKE_PRIVATE"},
	{0x89, "FUTEX_WAIT_BITSET_PRIVATE"},
	{0x189, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME"},
};

#define SET(letter, table, flags) [letter] = {table, array_length(table), flags}

static const struct denial_set sets[128] = {
	SET('o', open_flags, true),
	SET('a', access_modes, true),
	SET('F', at_flags, true),
	SET('c', clone_flags, true),
	SET('N', unshare_flags, true),
	SET('y', mount_flags, true),
	SET('f', families, false),
	SET('P', protections, true),
	SET('M', map_flags, true),
	SET('i', ioctls, false),
	SET('O', fcntls, false),
	SET('W', whences, false),
	SET('K', clocks, false),
	SET('R', limits, false),
	SET('q', prctls, false),
	SET('t', ptraces, false),
	SET('B', bpf_commands, false),
	SET('E', keyctls, false),
	SET('k', socketcalls, false),
	SET('l', ipcs, false),
	SET('U', futexes, false),
};

const struct denial_set *denial_names(char letter)
{
	const struct denial_set *set = &sets[(unsigned char)letter & 127];

	return set->n ? set : NULL;
}
