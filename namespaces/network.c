/* The pod's network: its loopback, brought up. */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

int network_loopback_up(struct error *err)
{
	/* Any socket carries the ioctl (netdevice(7)); one of AF_UNIX is there whatever the kernel was built with. */
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	/* The kernel gives a loopback that comes up its addresses, 127.0.0.1 and ::1. */
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot bring the pod's loopback up");
		if (errno == EPERM || errno == EACCES)
			error_hint(err,
				"something takes the capabilities of a new user namespace away; where it is "
				"AppArmor: sysctl kernel.apparmor_restrict_unprivileged_userns=0");
		return -1;
	}
	return 0;
}
