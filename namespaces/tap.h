/* What a pod may send to pasta(1). */
#ifndef NAMESPACES_TAP_H
#define NAMESPACES_TAP_H

#include <sys/types.h>

/*
 * Lets pasta, a child of ours that has made its interface (tap) in the pod's network, see nothing that is addressed to the loopback.
 * Returns -1 and errno if that can't be had; ENOENT: it has no tap.
 */
int tap_confine(pid_t pasta);

#endif
