/* The unit tests' helper: expect(), and one line of TAP for each group. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <stdio.h>
#include <string.h>

static unsigned int unit_groups, unit_failures;

/* Counts a failure and goes on, so that one run shows all of them. */
#define expect(condition)                                                                 \
	do {                                                                              \
		if (!(condition)) {                                                       \
			printf("# %s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
			unit_failures++;                                                  \
		}                                                                         \
	} while (0)

#define expect_text(got, wanted)                                                                        \
	do {                                                                                            \
		const char *unit_got = (got), *unit_wanted = (wanted);                                  \
		if (!unit_got || strcmp(unit_got, unit_wanted) != 0) {                                  \
			printf("# %s:%d: expected <%s>\n# got <%s>\n", __FILE__, __LINE__, unit_wanted, \
				unit_got ? unit_got : "NULL");                                          \
			unit_failures++;                                                                \
		}                                                                                       \
	} while (0)

/* Runs one group: group(reads_escapes) prints "ok 1 - reads_escapes". */
#define group(function) unit_run(#function, function)

static inline void unit_run(const char *name, void (*function)(void))
{
	unsigned int before = unit_failures;

	function();
	printf("%s %u - %s\n", unit_failures == before ? "ok" : "not ok", ++unit_groups, name);
}

/* `return unit_done();` ends main(). */
static inline int unit_done(void)
{
	printf("1..%u\n", unit_groups);
	return unit_failures != 0;
}

#endif
