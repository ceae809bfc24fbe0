/* Signals by name, as images and manifests write them. */
#ifndef RUNNER_SIGNALS_H
#define RUNNER_SIGNALS_H

/*
 * "SIGTERM", "TERM", "15", "SIGRTMIN+3", "RTMAX-2", in any case: what Docker and containerd take in an image's StopSignal
 * (moby/sys/signal), Kubernetes' lifecycle.stopSignal among it. Returns the number, or -1.
 */
int signal_parse(const char *text);

#endif
