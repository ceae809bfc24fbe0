/* Durations as Go writes them: "30s", "1m30s", "1.5h", "100ms". */
#ifndef RUNNER_DURATION_H
#define RUNNER_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* In milliseconds. A number alone is seconds, as kubectl has it for --timeout. False: it isn't one. */
bool duration_parse(const char *text, int64_t *ms);

/* "812ms", "1.5s", "2m3.25s", "1h0m0s": as time.Duration.String writes whole milliseconds. To be freed. */
char *duration_text(int64_t ms);

#endif
