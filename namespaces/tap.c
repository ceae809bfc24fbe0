/*
 * What a pod may send to pasta(1). See tap.h.
 *
 * Theory of operation
 *
 * pasta opens sockets of the host to whatever address a frame of the pod's names, and up to the versions of 2023 (Debian 12's
 * too) also to 127.0.0.1: the host's, then. The kernel sends such a frame for anybody who binds a socket to the interface
 * (SO_BINDTODEVICE), and who has NET_RAW writes frames as he likes. Routes and packet filters in the pod's network are of no
 * use against that one. The interface itself has a filter, though, which whoever holds it sets (TUNATTACHFILTER, tuntap.rst),
 * and which each frame has to pass, whatever way it came. So it is set on pasta's own descriptor (pidfd_getfd), before the
 * first container starts. The unspecified address is the loopback, too, for connect(2), and so are IPv4's in IPv6.
 */
#include "namespaces/tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FDS_MAX 1024 /* pasta's interface is among the first it opens */

/* Where things are in a frame. */
#define PROTOCOL 12
#define V4_TO    (ETH_HLEN + 16)
#define V6_TO    (ETH_HLEN + 24)

#define LOAD(size, at)   BPF_STMT(BPF_LD | (size) | BPF_ABS, at)
#define SAME(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)

/* Drops what goes to 127.0.0.0/8, 0.0.0.0/8 and ::/64 (that is ::1, :: and ::ffff:127.0.0.1), and what is too short to say. */
static int attach(int fd)
{
	static const struct sock_filter rules[] = {
		LOAD(BPF_H, PROTOCOL),
		SAME(ETH_P_IP, 0, 4),
		LOAD(BPF_W, V4_TO),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 24),
		SAME(127, 6, 0),
		SAME(0, 5, 6),
		SAME(ETH_P_IPV6, 0, 5),
		LOAD(BPF_W, V6_TO),
		SAME(0, 0, 3),
		LOAD(BPF_W, V6_TO + 4),
		SAME(0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	const struct sock_fprog program = {array_length(rules), (struct sock_filter *)(uintptr_t)rules};

	return ioctl(fd, TUNATTACHFILTER, &program);
}

int tap_confine(pid_t pasta)
{
	cleanup_fd int pidfd = pidfd_open(pasta, 0);
	int found = 0;

	if (pidfd < 0)
		return -1;
	for (int i = 0; i < FDS_MAX; i++) {
		cleanup_fd int fd = pidfd_getfd(pidfd, i, 0);
		struct ifreq about;

		if (fd < 0 && errno != EBADF)
			return -1;
		if (fd < 0 || ioctl(fd, TUNGETIFF, &about) < 0)
			continue;
		if (attach(fd) < 0)
			return -1;
		found++;
	}
	errno = ENOENT;
	return found ? 0 : -1;
}
