/* The end of a container in words: for the report, the status, the pod's last line. */
#ifndef RUNNER_POD_MEMBER_REPORT_H
#define RUNNER_POD_MEMBER_REPORT_H

#include <stdint.h>

#include "runner/pod/member.h"

/* It has failed: finds what is to be said of why, into cause. */
void member_find_cause(struct member *member);

/* It could not be started, for what err says: sets its exit code, reason and cause, and tells them. */
void member_report_failure(struct member *member, const struct error *err);

/* Its program has ended after so many microseconds: tells that, and what it left as its termination message. */
void member_report_exit(struct member *member, int64_t ran);

#endif
