/* The process that makes the requests of probes and hooks, in the pod's network and with no rights. */
#ifndef RUNNER_PROBER_H
#define RUNNER_PROBER_H

#include "namespaces/namespaces.h"
#include "runner/manifest/manifest.h"

/*
 * Makes one request (HANDLER_HTTP) or connection (HANDLER_TCP). What comes of it is written to out: a byte, '+' or '-', and
 * then a text in the kubelet's words. Doesn't return.
 */
void __attribute__((noreturn))
prober_run(const struct handler *handler, const struct sandbox *sandbox, int out);

/* "http://127.0.0.1:80/" or "127.0.0.1:80", for messages; to be freed. */
char *prober_address(const struct handler *handler);

#endif
