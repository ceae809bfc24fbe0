/*
 * What the commands and the supervisor say to each other: one JSON object a message, on a SOCK_SEQPACKET socket at
 * ROOT/NAME/control, a path and not an abstract name, so that its folder's mode protects it (CVE-2020-15257).
 *
 * request  {"container": NAME?, "argv": [...]} with three descriptors: the program's 0, 1 and 2 (or two: without 0)
 *          the same with "terminal": {"rows": N, "columns": N} and no descriptors: it gets a terminal
 *          {"container": NAME?, "attach": {"stdin": B?}} with two descriptors: what is to get the container's output
 *          {"delete": {"gracePeriodSeconds": N?}} ends the pod for good
 *          {"portForward": {}} answered by {} and one descriptor, a channel (connector.h); the connection stays open
 *          {"top": true} asks what the containers use
 *          {"container": NAME?, "copy": {...}} with two descriptors: see copying.h
 * before the answer
 *          {"terminal": true, "saysEnd": B?} with both ends of the program's terminal: it runs; saysEnd: the end of standard
 *          input is to be told to it
 *          {"terminal": true} with the outer end alone, or {"stdin": true} with a pipe's: where standard input goes, attached
 *          {"told": "..."} a line to be shown: about a call that was refused, about standard input
 * answer   {"exitCode": N} (attached: 0, when the container ends), or {"error": {"class": N, "errno": N, "message": "...", "hint": "..."}}
 *          to top: {"exitCode": 0, "at": MILLISECONDS, "containers": [{"name": "...", "cpu": MICROSECONDS, "memory": BYTES,
 *          "processes": N, "milliCPULimit": N, "memoryLimit": N, "processesLimit": N}], and the limits of the pod}; what
 *          isn't known or limited is left out
 */
#ifndef RUNNER_WIRE_H
#define RUNNER_WIRE_H

#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"

#define WIRE_LIMIT   ((size_t)128 * 1024) /* bytes of a message */
#define CONTROL_NAME "control"

/* Opens a listening (or connected) socket at name below dirfd, however long the folder's path is. */
int wire_listen(int dirfd, const char *name, struct error *err);
int wire_connect(int dirfd, const char *name, struct error *err);

/* Sends a message, with n descriptors. Takes the object. */
int wire_send(int fd, struct json_object *message, const int *fds, size_t n, struct error *err);

/*
 * Receives a message and up to n descriptors (the rest are -1, what is too many is closed). Returns the object, or
 * NULL: at the end of the connection err->class is ERROR_NONE.
 */
struct json_object *wire_receive(int fd, int *fds, size_t n, struct error *err);

/* The answer that carries an error, and the error that such an answer carries. */
struct json_object *wire_error(const struct error *error);
int wire_to_error(struct json_object *answer, struct error *err);

#endif
