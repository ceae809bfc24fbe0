/* Unit tests of base/caller: whose hands a remedy takes, for each kind of caller. */
#include <string.h>

#include "base/caller.h"
#include "tests/unit/unit.h"

static const struct {
	struct caller caller;
	const char *system, *machine, *as_root; /* how they begin, and how the last ends */
} callers[] = {
	{{.is_root = true}, "", "", "CAP_SYS_ADMIN among them"},
	{{.is_root = false}, "as root: ", "as root: ", "run minirun as root"},
	{{.no_new_privs = true}, "as root, in a shell without no_new_privs: ",
		"as root, in a shell without no_new_privs: ", "from a shell without no_new_privs"},
	{{.is_root = true, .inside = true, .nested = true}, "outside of this user namespace, as root: ",
		"outside of this user namespace, as root: ", "outside of this user namespace"},
	{{.is_root = true, .contained = true}, "",
		"outside of the container, as root: ", "start the container with --privileged"},
	{{.contained = true, .container_weak = true}, "as root: ", "outside of the container, as root: ",
		"--privileged, and run minirun as its root"},
	{{.contained = true}, "as root: ", "outside of the container, as root: ", "run minirun as root"},
	{{.is_root = true, .contained = true, .inside = true}, "",
		"outside of the container, as root: ", "outside of the container"},
	{{.is_root = true, .contained = true, .inside = true, .nested = true},
		"outside of this user namespace, as root: ", "outside of the container, as root: ",
		"outside of this user namespace"},
};

static bool ends_in(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

static void hands(void)
{
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
		const struct caller *caller = &callers[i].caller;

		expect(!strcmp(caller_by(caller, HAND_OWN), ""));
		expect(!strcmp(caller_by(caller, HAND_SYSTEM), callers[i].system));
		expect(!strcmp(caller_by(caller, HAND_MACHINE), callers[i].machine));
		expect(ends_in(caller_as_root(caller), callers[i].as_root));
	}
}

static void calls(void)
{
	static const struct {
		struct caller caller;
		const char *part;
	} cases[] = {
		{{.contained = true, .confined = true}, "apparmor=unconfined"},
		{{.contained = true, .filtered = true, .container_filtered = true}, "seccomp=unconfined"},
		{{.contained = true, .filtered = true}, "the seccomp filter around it"},
		{{.filtered = true}, "the seccomp filter around it"},
		{{.is_old = true}, "boot Linux 6.1"},
		{{.contained = true}, "outside of the container"},
		{{.is_root = true}, "own kernel"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(strstr(caller_allow_call(&cases[i].caller), cases[i].part));
}

int main(void)
{
	group(hands);
	group(calls);
	return unit_done();
}
