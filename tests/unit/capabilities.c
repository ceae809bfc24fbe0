/* Names of capabilities, and what a container's add and drop come to. */
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include "security/security.h"
#include "tests/unit/unit.h"

#define BIT(n) ((capability_set)1 << (n))

/* What this process may hand on: the tests must hold on a machine that lacks some. */
static capability_set own(void)
{
	capability_set set = 0;

	if (geteuid() != 0)
		return capabilities_all();
	for (unsigned int i = 0; i < 64; i++)
		if (cap_get_bound((cap_value_t)i) > 0)
			set |= BIT(i);
	return set;
}

static void names_both_ways(void)
{
	const char *nearest;

	for (unsigned int i = 0; i <= CAP_CHECKPOINT_RESTORE; i++) {
		char prefixed[64];

		snprintf(prefixed, sizeof(prefixed), "cap_%s", capability_name(i));
		expect(capability_number(capability_name(i), NULL) == (int)i);
		expect(capability_number(prefixed, NULL) == (int)i);
	}
	expect(capability_name(41) == NULL);
	expect(capability_number("NET_ADMN", &nearest) == -1);
	expect_text(nearest, "NET_ADMIN");
	expect(capability_number("cap_sys_admim", &nearest) == -1);
	expect_text(nearest, "SYS_ADMIN");
	expect(capability_number("xyzzy", &nearest) == -1 && nearest == NULL);
	expect(capability_number("", &nearest) == -1);
	expect(capability_number("CAP_", &nearest) == -1);
}

static void default_is_containerds(void)
{
	expect(__builtin_popcountll(capabilities_default()) == 14);
	expect(capabilities_default() & BIT(CAP_AUDIT_WRITE));
	expect(!(capabilities_default() & BIT(CAP_SYS_ADMIN)));
	expect((capabilities_all() & capabilities_default()) == capabilities_default());
	/* A floor of Linux 6.1 knows all that we name. */
	expect(capabilities_all() >= BIT(CAP_CHECKPOINT_RESTORE));
}

static capability_set choose(char *const *add, char *const *drop, bool privileged)
{
	struct error err = {0};
	capability_set set = ~(capability_set)0;

	expect(capabilities_choose(add, drop, privileged, &set, &err) == 0);
	expect_text(err.message, "");
	return set;
}

#define LIST(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static void adding_and_dropping(void)
{
	capability_set usual = capabilities_default() & own();

	expect(choose(NULL, NULL, false) == usual);
	expect(choose(LIST("NET_ADMIN"), NULL, false) == (usual | BIT(CAP_NET_ADMIN)));
	expect(choose(NULL, LIST("CHOWN", "KILL"), false) == (usual & ~(BIT(CAP_CHOWN) | BIT(CAP_KILL))));
	expect(choose(NULL, LIST("ALL"), false) == 0);
	expect(choose(NULL, LIST("all"), false) == 0);
	/* As containerd: ALL first, whatever the order; then the names of add, then those of drop. */
	expect(choose(LIST("NET_BIND_SERVICE"), LIST("ALL"), false) == BIT(CAP_NET_BIND_SERVICE));
	expect(choose(LIST("ALL"), LIST("CHOWN"), false) == (own() & ~BIT(CAP_CHOWN)));
	expect(choose(LIST("ALL"), LIST("ALL"), false) == 0);
	expect(choose(LIST("CHOWN"), LIST("CHOWN"), false) == (usual & ~BIT(CAP_CHOWN)));
	expect(choose(NULL, NULL, true) == own());
}

static void unknown_names_are_refused(void)
{
	struct error err = {0};
	capability_set set;

	expect(capabilities_choose(LIST("NET_ADMN"), NULL, false, &set, &err) < 0);
	expect(err.class == ERROR_MANIFEST);
	expect_text(err.message, "capabilities.add: unknown capability \"NET_ADMN\"");
	expect_text(err.hint, "did you mean \"NET_ADMIN\"?");
	expect(capabilities_choose(NULL, LIST("SYS_ADMN"), true, &set, &err) < 0);
	expect_text(err.message, "capabilities.drop: unknown capability \"SYS_ADMN\"");
}

/* Root that lacks a capability itself; in a child, since a bounding set never grows again. */
static void unavailable_ones_are_refused(void)
{
	pid_t child;
	int status;

	if (geteuid() != 0) {
		printf("# not root: others begin a user namespace with all there is\n");
		return;
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		struct error err = {0};
		capability_set set;
		unsigned int before = unit_failures;

		cap_drop_bound(CAP_SYS_BOOT);
		expect(capabilities_choose(LIST("SYS_BOOT"), NULL, false, &set, &err) < 0);
		expect(err.class == ERROR_HOST);
		expect(strstr(err.message, "SYS_BOOT is not in minirun's own bounding set"));
		expect(choose(LIST("ALL"), NULL, false) == own());
		expect(choose(NULL, NULL, true) == own());
		expect(!(choose(NULL, NULL, true) & BIT(CAP_SYS_BOOT)));
		/* What is taken away again need not be there. */
		expect(choose(LIST("SYS_BOOT"), LIST("SYS_BOOT"), false) == (capabilities_default() & own()));
		fflush(stdout);
		_exit(unit_failures != before);
	}
	waitpid(child, &status, 0);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	group(names_both_ways);
	group(default_is_containerds);
	group(adding_and_dropping);
	group(unknown_names_are_refused);
	group(unavailable_ones_are_refused);
	return unit_done();
}
