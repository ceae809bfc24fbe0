/*
 * Where the kernel's audit records about AppArmor are read, without blocking.
 *
 * Theory of operation. The kernel's audit hands each record to whoever has joined the netlink group AUDIT_NLGRP_READLOG, be
 * auditd there or not. It takes CAP_AUDIT_READ in the initial user namespace, and the initial network namespace. A filter on
 * the socket lets only AppArmor's records through (type 1400, AUDIT_AVC), so that a host that audits much doesn't wake us.
 * Where that can't be had /dev/kmsg will do: without auditd the kernel prints the records there, but no more than ten in five
 * seconds. Either source can lose records, which is counted: nobody may take "nothing was told" for "nothing was refused".
 *
 * What can be trusted: the kernel alone sends records of that type to the group (programs with CAP_AUDIT_WRITE send those of
 * other types), and what programs write to /dev/kmsg is marked as theirs.
 *
 * See netlink(7), and kernel/audit.c and Documentation/ABI/testing/dev-kmsg of Linux.
 */
#ifndef SECURITY_AUDIT_H
#define SECURITY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AUDIT_BUFFER 9216 /* bytes; MAX_AUDIT_MESSAGE_LENGTH is 8970 */

struct audit_source {
	int fd; /* readable when there is a record; -1: closed */
	int control; /* netlink: for asking how the audit stands, or -1 */
	bool is_kmsg;
	bool is_rated; /* the audit's rate limit is set: what it drops is counted as lost */
	uint32_t lost_before; /* the kernel's counter when we began */
	uint64_t lost; /* records that never came to us */
	char buffer[AUDIT_BUFFER];
};

/* Opens the better source that can be had; an error has a remedy as its hint. Only what comes from then on is read. */
int audit_open(struct audit_source *source, struct error *err);
void audit_close(struct audit_source *source);

/*
 * Takes the next record, without waiting; *text is what apparmor_record_parse takes, and lies in the source. Returns 1; 0 if
 * there is none; -1 if there will never be one again.
 */
int audit_next(struct audit_source *source, const char **text, size_t *size);

/*
 * Waits until the kernel has handed out what it had queued, so that audit_next finds the records of what has happened
 * until now. A millisecond as a rule, and at most a tenth of a second.
 */
void audit_settle(struct audit_source *source);

/* For tests: the record in a line of /dev/kmsg, unescaped in place; NULL if there is none. *lost grows by what it says. */
char *audit_of_kmsg(char *line, size_t size, uint64_t *lost);

#endif
