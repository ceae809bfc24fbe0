/* The patterns of AppArmor's path rules. See "Globbing" in apparmor.d(5). */
#ifndef SECURITY_APPARMOR_PATTERN_H
#define SECURITY_APPARMOR_PATTERN_H

#include <stdbool.h>

/* Whether a pattern may match a path; one with variables in it may match anything that the rest leaves open. */
bool apparmor_pattern_matches(const char *pattern, const char *path);

#endif
