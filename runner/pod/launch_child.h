/* The two sides of a launch: what they share, and the child's. For launch.c, which is the parent's. */
#ifndef RUNNER_LAUNCH_CHILD_H
#define RUNNER_LAUNCH_CHILD_H

#include "runner/pod/launch.h"

/* What parent and child share. No pointers: they would mean nothing on the other side. */
struct launch_page {
	volatile int ready; /* the child has come as far as execve */
	struct exec_report report;
	char program[256]; /* the path given to execve, for the message; cut if longer */
	struct error error;
};

/* The caller's descriptors in the child. */
struct launch_ends {
	const int *stdio;
	int notice;
	int terminal; /* the socket by which a terminal is sent; -1: there is none */
};

/* The child's whole life up to execve. Returns only on an error that is in page->error. */
void launch_child(
	const struct container *container, const struct launch_ends *ends, struct launch_page *page);

#endif
