/* Which of an image's platforms this machine is, in Go's names for processors. */
#include "images/platform.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "images/record.h"

/* uname(2)'s machines. variant is the newest that runs there; older ones do too. */
static const struct machine {
	const char *machine, *architecture;
	unsigned int variant;
} machines[] = {
	{"x86_64", "amd64", 1},
	{"aarch64", "arm64", 8},
	{"armv8l", "arm", 7},
	{"armv7l", "arm", 7},
	{"armv6l", "arm", 6},
	{"i686", "386", 0},
	{"i586", "386", 0},
	{"ppc64le", "ppc64le", 0},
	{"s390x", "s390x", 0},
	{"riscv64", "riscv64", 0},
	{"loongarch64", "loong64", 0},
	{"mips64", "mips64le", 0},
};

static const struct machine *this_machine(void)
{
	struct utsname name;

	uname(&name);
	for (size_t i = 0; i < array_length(machines); i++)
		if (!strcmp(machines[i].machine, name.machine))
			return &machines[i];
	return NULL;
}

unsigned int platform_fit(struct json_object *platform)
{
	const struct machine *machine = this_machine();
	const char *os = "", *architecture = "", *variant = "";
	int64_t number = 0;

	if (!json_object_is_type(platform, json_type_object))
		return 1;
	record_string(platform, "os", &os);
	record_string(platform, "architecture", &architecture);
	record_string(platform, "variant", &variant);
	if (!machine || strcmp(os, "linux") != 0 || strcmp(architecture, machine->architecture) != 0)
		return 0;
	if (!*variant)
		return 2 + machine->variant; /* as the architecture's usual one */
	if (*variant != 'v' || !text_to_integer(variant + 1, 1, 99, &number))
		return 0;
	/* amd64's v2 to v4 need what not each such machine has; there is always a plain one beside them. */
	return number <= machine->variant ? 2 + (unsigned int)number : 0;
}

const char *platform_name(struct json_object *platform, char *buffer, size_t size)
{
	const char *os = "unknown", *architecture = "unknown", *variant = "";
	cleanup_free char *safe = NULL;

	if (json_object_is_type(platform, json_type_object)) {
		record_string(platform, "os", &os);
		record_string(platform, "architecture", &architecture);
		record_string(platform, "variant", &variant);
	}
	snprintf(buffer, size, "%.20s/%.20s%s%.10s", os, architecture, *variant ? "/" : "", variant);
	safe = text_printable(buffer, strlen(buffer));
	snprintf(buffer, size, "%s", safe);
	return buffer;
}

const char *platform_of_machine(char *buffer, size_t size)
{
	const struct machine *machine = this_machine();

	snprintf(buffer, size, "linux/%s", machine ? machine->architecture : "unknown");
	return buffer;
}
