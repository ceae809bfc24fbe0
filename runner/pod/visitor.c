/* A process of our own in the pod's network. See visitor.h. */
#include "runner/pod/visitor.h"

#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/fd.h"

int visitor_enter(const struct sandbox *sandbox, int keep)
{
	cap_t none = cap_init();
	int result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!sandbox->host_network && setns(sandbox->pidfd, CLONE_NEWNET) < 0)
		return -1;
	if (fd_close_others((const int[]){0, 1, 2, keep}, 4) < 0 || !none)
		return -1;
	result = cap_set_proc(none);
	cap_free(none);
	return result < 0 ? -1 : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
