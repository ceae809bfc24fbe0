/* AppArmor as far as texts go: names, labels, lists, profile files, and what is said of the kernel's answers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "security/apparmor.h"
#include "tests/unit/unit.h"

static void stacks_are_listed_by_their_least(void)
{
	static const char list[] =
		"web (enforce)\nweb//worker (enforce)\nloose (complain)\nbare (unconfined)\n";

	expect(apparmor_listed(list, "web") == APPARMOR_ENFORCE);
	expect(apparmor_listed(list, "web//worker") == APPARMOR_ENFORCE);
	expect(apparmor_listed(list, "web//other") == APPARMOR_NOT_LOADED);
	expect(apparmor_listed(list, "web//&loose") == APPARMOR_COMPLAIN);
	expect(apparmor_listed(list, "bare//&web//&loose") == APPARMOR_UNCONFINED);
	expect(apparmor_listed(list, "web//&none") == APPARMOR_NOT_LOADED);
	expect(apparmor_listed(list, "none//&web") == APPARMOR_NOT_LOADED);
	expect(apparmor_listed(list, "web//&") == APPARMOR_NOT_LOADED);
	expect(apparmor_listed(list, "web (enforce)\nloose") == APPARMOR_NOT_LOADED);
	expect_text(apparmor_mode_name(APPARMOR_UNKNOWN), "unknown");
	expect_text(apparmor_mode_name(APPARMOR_NOT_LOADED), "not loaded");
	expect_text(apparmor_mode_name(APPARMOR_COMPLAIN), "complain");
}

static void labels(void)
{
	expect(apparmor_label_has("web (enforce)", "web"));
	expect(apparmor_label_has("web (enforce)\n", "web"));
	expect(apparmor_label_has("web", "web"));
	expect(apparmor_label_has("outer//&web (enforce)", "web"));
	expect(apparmor_label_has("outer//&web (mixed)", "outer"));
	/* The kernel orders the names of a stack as it likes. */
	expect(apparmor_label_has("b//&a (enforce)", "a//&b"));
	expect(apparmor_label_has("odd (x) (enforce)", "odd (x)"));
	expect(!apparmor_label_has("odd (x) (enforce)", "odd"));
	expect(!apparmor_label_has("web (enforce)", "we"));
	expect(!apparmor_label_has("web2 (enforce)", "web"));
	expect(!apparmor_label_has("web//worker (enforce)", "web"));
	expect(!apparmor_label_has("a (enforce)", "a//&b"));
	expect(!apparmor_label_has("unconfined", "web"));
	expect(!apparmor_label_has("", "web"));
	expect(!apparmor_label_has("web (enforce)", "enforce"));

	expect(apparmor_label_is_unconfined("unconfined"));
	expect(apparmor_label_is_unconfined("unconfined\n"));
	expect(apparmor_label_is_unconfined("minirun (unconfined)"));
	expect(!apparmor_label_is_unconfined("web (enforce)"));
	expect(!apparmor_label_is_unconfined("unconfined-not (enforce)"));
	expect(!apparmor_label_is_unconfined("a//&unconfined-b (mixed)"));
}

static void near_names(void)
{
	static const char list[] = "/usr/bin/man (enforce)\nk8s-deny-write (enforce)\nk8s-nginx "
				   "(complain)\nwebserver (enforce)\n";
	static const struct {
		const char *name, *near;
	} cases[] = {
		{"k8s-deny-writes", "k8s-deny-write"},
		{"K8S-nginx", "k8s-nginx"},
		{"k8s", "k8s-deny-write, k8s-nginx"},
		{"web", "webserver"},
		{"quite-else", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *near = apparmor_near(list, cases[i].name);

		expect_text(near ? near : "", cases[i].near ? cases[i].near : "");
	}
	expect(apparmor_near("", "x") == NULL);
}

static void files_that_declare(void)
{
	static const struct {
		const char *text, *name;
		bool declares;
	} cases[] = {
		{"profile web { }\n", "web", true},
		{"#include <tunables/global>\n\nprofile web flags=(attach_disconnected) {\n}\n", "web", true},
		{"\tprofile\tweb {\n}\n", "web", true},
		{"profile \"a name\" {\n}\n", "a name", true},
		{"profile web /usr/sbin/{nginx,httpd} flags=(complain) {\n}\n", "web", true},
		{"profile web\n{\n}\n", "web", true},
		{"profile web{\n}\n", "web", true},
		{"/usr/sbin/nginx {\n}\n", "/usr/sbin/nginx", true},
		{"\"/opt/a b\" flags=(complain) {\n}\n", "/opt/a b", true},
		{"profile one {\n  /etc/x r,\n}\nprofile two { }\n", "two", true},
		{"# profile web {\n", "web", false},
		{"profile website {\n}\n", "web", false},
		{"profile web { }\n", "website", false},
		{"profile one {\n  /etc/x r,\n}\n", "/etc/x", false},
		{"profile one {\n  /etc/{x,y} r,\n}\n", "/etc/{x,y}", false},
		{"web {\n}\n", "web", false},
		{"profile web", "web", false},
		{"profile ", "", false},
		{"", "web", false},
		{"{\"defaultAction\": \"SCMP_ACT_ALLOW\"}\n", "web", false},
	};

	for (size_t i = 0; i < array_length(cases); i++)
		if (apparmor_declares(cases[i].text, cases[i].name) != cases[i].declares)
			expect_text(cases[i].text, cases[i].declares ? "declares" : "does not declare");
}

static void answers_of_the_kernel(void)
{
	static const struct {
		int errnum;
		const char *own;
		enum error_class class;
		const char *hint;
	} cases[] = {
		{ENOENT, "unconfined", ERROR_PROFILE, "minirun apparmor load FILE"},
		{EACCES, "outer (enforce)", ERROR_HOST,
			"minirun itself is confined, by \"outer (enforce)\", which does not let it stack "
			"this one: "
			"it "
			"lacks the rule \"change_profile -> &web,\""},
		{EACCES, "unconfined", ERROR_HOST, "traced"},
		{EPERM, "outer (enforce)\n", ERROR_HOST, "\"outer (enforce)\""},
		{EINVAL, NULL, ERROR_HOST, "AppArmor is not enabled in this kernel"},
		{EBUSY, NULL, ERROR_HOST, "traced"},
		{ENAMETOOLONG, NULL, ERROR_HOST, "longer names"},
		{EIO, NULL, ERROR_HOST, ""},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct error err = {0};

		expect(apparmor_explain("web", cases[i].own, cases[i].errnum, &err) < 0);
		expect(err.class == cases[i].class && err.errnum == cases[i].errnum);
		expect(strstr(err.message, "cannot enter AppArmor profile \"web\": ") == err.message);
		if (!strstr(err.hint, cases[i].hint))
			expect_text(err.hint, cases[i].hint);
	}
}

/* What the default profile must say, whatever its wording: refusals that speak, and its own name in its own rules. */
static void default_profile(void)
{
	cleanup_free char *text = apparmor_default_text();
	bool has_abi = access("/etc/apparmor.d/abi/3.0", R_OK) == 0;
	char *rest = text, *line;

	expect(apparmor_declares(text, APPARMOR_DEFAULT));
	expect(!strncmp(text, "abi <abi/3.0>,\n", strlen("abi <abi/3.0>,\n")) == has_abi);
	expect(strstr(text, "audit deny mount,") && strstr(text, "  file,\n") &&
		strstr(text, "  network,\n"));
	expect(strstr(text, "peer={**//&,}" APPARMOR_DEFAULT "{//&**,}"));
	expect(!strstr(text, "change_profile"));
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line + strspn(line, " "), "deny ", strlen("deny ")))
			expect_text(line, "audit deny");
}

/* Neither a folder that isn't procfs nor a procfs in which we aren't gets the write. */
static void only_procfs_is_written_to(void)
{
	char folder[] = "/tmp/minirun-apparmor-XXXXXX";
	struct error err = {0};
	cleanup_fd int fd = -1;

	expect(mkdtemp(folder) != NULL);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect(apparmor_enter_at_exec("web", fd, &err) < 0 && err.class == ERROR_HOST);
	expect_text(err.message,
		"cannot enter AppArmor profile \"web\": what should be procfs is something else");
	expect(apparmor_verify("web", fd, getpid(), &err) < 0);
	expect(strstr(err.message, "cannot tell whether the program is under AppArmor profile \"web\"") ==
		err.message);
	expect(apparmor_enter_at_exec("web", -1, &err) < 0 && apparmor_verify("web", -1, 1, &err) < 0);
	expect(rmdir(folder) == 0);
}

/* In the virtual machine: a program that isn't under its profile isn't taken for one that is (law R3). */
static void the_label_is_read_back(void)
{
	struct error err = {0};
	cleanup_fd int procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	expect(apparmor_verify("vm-none", procfd, getpid(), &err) < 0 && err.class == ERROR_HOST);
	if (!apparmor_available()) {
		expect(strstr(err.message, "cannot tell whether the program is under") == err.message);
		return;
	}
	expect_text(err.message,
		"Cannot enforce AppArmor: the program runs as \"unconfined\", not under profile \"vm-none\"");
	expect(apparmor_verify("vm-none", procfd, 0, &err) < 0);
	expect(apparmor_enter_at_exec("vm-none", procfd, &err) < 0 && err.class == ERROR_PROFILE);
	expect_text(err.message, "cannot enter AppArmor profile \"vm-none\": No such file or directory");
}

int main(void)
{
	group(stacks_are_listed_by_their_least);
	group(labels);
	group(near_names);
	group(files_that_declare);
	group(answers_of_the_kernel);
	group(default_profile);
	group(only_procfs_is_written_to);
	group(the_label_is_read_back);
	return unit_done();
}
