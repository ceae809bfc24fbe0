/*
 * What the arguments of system calls are.
 *
 * A call's signature is a letter for each argument; the prototypes are those of the section 2 man pages and of
 * include/linux/syscalls.h.
 */
#include <string.h>

#include "security/denial_argument.h"

/*
 *	p a string (path, name)       n signed number               z size, unsigned number
 *	d descriptor                  D the same, or AT_FDCWD       x pointer that says nothing
 *	h number, in hexadecimal      m mode, octal                 u user or group id, may be -1
 *	g signal                      A socket address, with z next H struct open_how
 *	v number or pointer: a large one is taken for a pointer
 *	C struct clone_args           and the letters of denial_flags.c and denial_constants.c
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
