/* What is said of a refused call: names, arguments, results, the rule that decided; and the filter that it comes by. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "security/denial_argument.h"
#include "tests/unit/unit.h"

/* The "program" is this one: its addresses are ours. Those below 4096 can't be read. */
static ssize_t read_here(const void *data, uint64_t address, void *buffer, size_t size)
{
	(void)data;
	if (address < 4096)
		return -1;
	memcpy(buffer, (const void *)(uintptr_t)address, size); // NOLINT(performance-no-int-to-ptr)
	return (ssize_t)size;
}

static bool descriptor_here(const void *data, int fd, char *buffer, size_t size)
{
	(void)data;
	snprintf(buffer, size, "/a\n%d", fd);
	return fd == 3;
}

static const struct denial_reader here = {read_here, descriptor_here, NULL};
static char texts[4][1024]; /* room for what is read beyond a text's end */

static uint64_t text(size_t i, const char *s)
{
	snprintf(texts[i], sizeof(texts[i]), "%s", s);
	return (uintptr_t)texts[i];
}

static void expect_call(uint32_t arch, int nr, const uint64_t args[6], const char *wanted)
{
	struct seccomp_data call = {.nr = nr, .arch = arch};
	struct denial_text said;

	memcpy(call.args, args, sizeof(call.args));
	denial_describe(&call, &here, &said);
	expect_text(said.call, wanted);
	denial_text_free(&said);
}

#define ARGS(...) ((const uint64_t[6]){__VA_ARGS__})
#define NATIVE    native()
#define CALL(name, wanted, ...) \
	expect_call(native(), seccomp_syscall_resolve_name(name), ARGS(__VA_ARGS__), wanted)

static uint32_t native(void)
{
	return seccomp_arch_native() == SCMP_ARCH_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64;
}

static void paths_and_modes(void)
{
	CALL("mkdirat", "mkdirat(AT_FDCWD, \"/usr/share/nginx/html\", 0777)", (uint32_t)AT_FDCWD,
		text(0, "/usr/share/nginx/html"), 0777);
	CALL("mkdirat", "mkdirat(AT_FDCWD, NULL, 0755)", (uint64_t)AT_FDCWD, 0, 0755);
	CALL("mkdirat", "mkdirat(3</a\\x0a3>, 0x10, 00)", 3, 16, 0);
	CALL("renameat2", "renameat2(4, \"a\", AT_FDCWD, \"b\", 1)", 4, text(0, "a"), (uint64_t)AT_FDCWD,
		text(1, "b"), 1);
	CALL("fchownat", "fchownat(AT_FDCWD, \"x\", -1, 1000, AT_SYMLINK_NOFOLLOW)", (uint64_t)AT_FDCWD,
		text(0, "x"), UINT32_MAX, 1000, AT_SYMLINK_NOFOLLOW);
}

static void strings_are_made_harmless(void)
{
	char longer[400], wanted[600];

	CALL("chdir", "chdir(\"q\\\"b\\\\e\\x1b[31m\\x0a\")", text(0, "q\"b\\e\033[31m\n"));
	CALL("chdir", "chdir(\"gr\xc3\xbc\xc3\x9f\")", text(0, "gr\xc3\xbc\xc3\x9f"));
	/* Not UTF-8: a lone byte, an overlong slash, a C1 control. */
	CALL("chdir", "chdir(\"\\xff\\xc0\\xaf\\xc2\\x9b\")", text(0, "\xff\xc0\xaf\xc2\x9b"));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	snprintf(wanted, sizeof(wanted), "chdir(\"%.*s\"...)", DENIAL_STRING, longer);
	CALL("chdir", wanted, text(0, longer));
	longer[DENIAL_STRING] = '\0';
	snprintf(wanted, sizeof(wanted), "chdir(\"%s\")", longer);
	CALL("chdir", wanted, text(0, longer));
}

static void flags_have_names(void)
{
	uint64_t how[3] = {O_RDWR | O_CREAT, 0600, 8};
	uint64_t clone[11] = {CLONE_VM | CLONE_NEWUSER, 0, 0, 0, SIGCHLD};

	CALL("openat", "openat(AT_FDCWD, \"/x\", O_RDONLY|O_CLOEXEC)", (uint64_t)AT_FDCWD, text(0, "/x"),
		O_CLOEXEC, 0123);
	CALL("openat", "openat(AT_FDCWD, \"/x\", O_RDONLY)", (uint64_t)AT_FDCWD, text(0, "/x"), 0);
	CALL("openat", "openat(AT_FDCWD, \"/x\", O_WRONLY|O_CREAT|O_TRUNC, 0644)", (uint64_t)AT_FDCWD,
		text(0, "/x"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CALL("openat", "openat(AT_FDCWD, \"/\", O_RDWR|O_TMPFILE, 0600)", (uint64_t)AT_FDCWD, text(0, "/"),
		O_RDWR | O_TMPFILE, 0600);
	CALL("openat2", "openat2(AT_FDCWD, \"/x\", {flags=O_RDWR|O_CREAT, mode=0600, resolve=0x8}, 24)",
		(uint64_t)AT_FDCWD, text(0, "/x"), (uintptr_t)how, 24);
	CALL("unshare", "unshare(CLONE_NEWNS|CLONE_NEWUSER)", CLONE_NEWNS | CLONE_NEWUSER);
	CALL("clone", "clone(CLONE_NEWPID|SIGCHLD, NULL, NULL, NULL, NULL)", CLONE_NEWPID | SIGCHLD);
	CALL("clone", "clone(SIGCHLD, NULL, NULL, NULL, NULL)", SIGCHLD);
	CALL("clone3", "clone3({flags=CLONE_NEWUSER|CLONE_VM, exit_signal=SIGCHLD}, 88)", (uintptr_t)clone,
		88);
	CALL("clone3", "clone3(NULL, 88)", 0, 88);
	CALL("mmap", "mmap(NULL, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)", 0, 4096,
		PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0);
	CALL("mprotect", "mprotect(..., 8192, 0)", 4096, 8192, 0);
	CALL("socket", "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6)", AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
		6);
	CALL("socket", "socket(AF_VSOCK, SOCK_DGRAM, 0)", AF_VSOCK, SOCK_DGRAM);
	CALL("socket", "socket(0x63, SOCK_RAW, 0)", 99, SOCK_RAW);
	CALL("ioctl", "ioctl(0, TIOCSTI, ...)", 0, 0x5412, 1 << 20);
	CALL("ioctl", "ioctl(5, 0x1234, 7)", 5, 0x1234, 7);
	CALL("kill", "kill(-1, SIGKILL)", UINT32_MAX, SIGKILL);
	CALL("prctl", "prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)", 38, 1);
	CALL("ptrace", "ptrace(PTRACE_ATTACH, 17, 0, 0)", 16, 17);
	CALL("mount", "mount(\"none\", \"/mnt\", \"tmpfs\", MS_NOSUID|MS_NODEV, NULL)", text(0, "none"),
		text(1, "/mnt"), text(2, "tmpfs"), 6, 0);
	CALL("faccessat", "faccessat(AT_FDCWD, \"/x\", R_OK|X_OK)", (uint64_t)AT_FDCWD, text(0, "/x"), 5);
	CALL("bpf", "bpf(BPF_PROG_LOAD, ..., 128)", 5, 4096, 128);
}

static void addresses_of_sockets(void)
{
	struct sockaddr_in in = {AF_INET, htons(80), {htonl(0x7f000001)}, {0}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	struct sockaddr_un un = {AF_UNIX, "/run/x"}, hidden = {AF_UNIX, "\0name"};

	in6.sin6_addr.s6_addr[15] = 1;
	CALL("connect", "connect(5, 127.0.0.1:80, 16)", 5, (uintptr_t)&in, sizeof(in));
	CALL("bind", "bind(5, [::1]:443, 28)", 5, (uintptr_t)&in6, sizeof(in6));
	CALL("connect", "connect(5, \"/run/x\", 110)", 5, (uintptr_t)&un, sizeof(un));
	CALL("connect", "connect(5, @\"name\", 7)", 5, (uintptr_t)&hidden, 7);
	CALL("connect", "connect(5, ..., 16)", 5, 16, 16);
	CALL("connect", "connect(5, ..., 1)", 5, (uintptr_t)&in, 1);
	CALL("connect", "connect(5, NULL, 16)", 5, 0, 16);
}

static void unknown_calls(void)
{
	expect_call(native(), 4711, ARGS(1, 0, 255), "call 4711(1, 0, 0xff)");
	expect_call(native(), -1, ARGS(0), "call -1()");
	expect_call(0x1234, 83, ARGS(0), "call 83() [foreign]");
	/* Newer than some libseccomp. */
	expect_call(native(), 462, ARGS(4096, 4096, 0), "mseal(..., 4096, 0)");
	expect_call(native(), 452, ARGS((uint64_t)AT_FDCWD, text(0, "x"), 0755, 0),
		"fchmodat2(AT_FDCWD, \"x\", 0755, 0)");
}

static void other_architectures(void)
{
	uint64_t path = text(0, "/x");

	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return;
	expect_call(AUDIT_ARCH_I386, 39, ARGS(0, 0777), "mkdir(NULL, 0777) [x86]");
	expect_call(AUDIT_ARCH_I386, 90, ARGS(4096), "mmap(...) [x86]");
	expect_call(
		AUDIT_ARCH_I386, 359, ARGS(AF_INET, SOCK_STREAM), "socket(AF_INET, SOCK_STREAM, 0) [x86]");
	expect_call(AUDIT_ARCH_I386, 102, ARGS(1, 4096), "socketcall(SYS_SOCKET, ...) [x86]");
	expect_call(AUDIT_ARCH_I386, 452, ARGS((uint32_t)AT_FDCWD, 0, 0755),
		"fchmodat2(AT_FDCWD, NULL, 0755, 0) [x86]");
	expect_call(AUDIT_ARCH_X86_64, 0x40000000 | 83, ARGS(path, 0777), "mkdir(\"/x\", 0777) [x32]");
	expect_call(AUDIT_ARCH_X86_64, 0x40000000 | 514, ARGS(3, 0x5401, 0),
		"ioctl(3</a\\x0a3>, TCGETS, 0) [x32]");
}

/* Nothing may break, whatever the arguments: they are the program's. Under the sanitizers this says more. */
static void any_call_with_any_arguments(void)
{
	static const uint64_t values[] = {0, 1, 16, 0xffffffff, 0x80000000, UINT64_MAX, 1ULL << 63};
	static const uint32_t arches[] = {
		AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM};
	struct denial_reader blind = {read_here, descriptor_here, NULL};
	unsigned int described = 0;

	for (size_t a = 0; a < array_length(arches); a++)
		for (int nr = -2; nr < 600; nr++)
			for (size_t v = 0; v < array_length(values); v++) {
				struct seccomp_data call = {.nr = nr, .arch = arches[a]};
				struct denial_text said;

				for (size_t i = 0; i < 6; i++)
					call.args[i] = values[v] < 4096 ? values[v] : 17;
				/* Where nothing is read, the extreme values themselves. */
				for (size_t i = 0; i < 6 && nr >= 300; i++)
					call.args[i] = values[v] < 4096 ? values[v] : 4095 - i;
				denial_describe(&call, &blind, &said);
				described += said.call != NULL;
				denial_text_free(&said);
			}
	expect(described == 4 * 602 * 7);
}

/* Each call of this machine has a signature, so that its arguments are decoded. */
static void every_known_call_has_a_signature(void)
{
	for (int nr = 0; nr < 500; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		size_t n;

		if (name && !denial_signature(name, &n)) {
			printf("# %s has none\n", name);
			expect(!"a signature");
		}
		free(name);
	}
}

static void results(void)
{
	char buffer[32];

	expect_text(denial_result(SECCOMP_RET_ERRNO | EPERM, buffer, sizeof(buffer)), "EPERM");
	expect_text(denial_result(SECCOMP_RET_ERRNO | ENOSYS, buffer, sizeof(buffer)), "ENOSYS");
	expect_text(denial_result(SECCOMP_RET_ERRNO, buffer, sizeof(buffer)), "0");
	expect_text(denial_result(SECCOMP_RET_ERRNO | 4000, buffer, sizeof(buffer)), "errno 4000");
	expect_text(denial_result(SECCOMP_RET_KILL_PROCESS, buffer, sizeof(buffer)), "SIGSYS");
	expect_text(denial_result(SECCOMP_RET_KILL_THREAD, buffer, sizeof(buffer)), "SIGSYS");
	expect_text(denial_result(SECCOMP_RET_TRACE | 7, buffer, sizeof(buffer)), "ENOSYS");
}

static const char profile[] =
	"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": [\"SCMP_ARCH_X86_64\", "
	"\"SCMP_ARCH_X86\"], \"syscalls\": [\n"
	"{\"names\": [\"execve\", \"write\", \"statx\"], \"action\": \"SCMP_ACT_ALLOW\"},\n"
	"{\"names\": [\"mkdir\", \"mkdirat\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13},\n"
	"{\"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\",\n"
	" \"args\": [{\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]},\n"
	"{\"names\": [\"personality\"], \"action\": \"SCMP_ACT_KILL_PROCESS\",\n"
	" \"args\": [{\"index\": 0, \"value\": 7, \"op\": \"SCMP_CMP_EQ\"}]},\n"
	"{\"names\": [\"a\", \"chroot\", \"swapon\", \"swapoff\", \"reboot\", \"acct\"], \"action\": "
	"\"SCMP_ACT_KILL\"},\n"
	"{\"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_TRAP\"},\n"
	"{\"names\": [\"getcwd\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 3}]}\n";

static void expect_rule(uint32_t arch, int nr, uint64_t first, uint32_t action, const char *wanted)
{
	const struct seccomp_data call = {.nr = nr, .arch = arch, .args = {first}};
	const struct seccomp_subject subject = {0};
	cleanup_free char *rule = denial_rule(profile, strlen(profile), "p.json", &subject, &call, action);

	expect_text(rule, wanted);
}

#define NUMBER(name) seccomp_syscall_resolve_name(name)
#define REFUSED      (SECCOMP_RET_ERRNO | EPERM)

static void the_rule_that_decided(void)
{
	expect_rule(native(), NUMBER("getpid"), 0, REFUSED, "defaultAction of p.json");
	expect_rule(native(), NUMBER("mkdirat"), 0, SECCOMP_RET_ERRNO | EACCES,
		"rule 2 of p.json, line 3: mkdir, mkdirat");
	expect_rule(native(), NUMBER("personality"), 1, REFUSED, "defaultAction of p.json");
	expect_rule(native(), NUMBER("personality"), 7, SECCOMP_RET_KILL_PROCESS,
		"rule 4 of p.json, line 6: personality");
	expect_rule(native(), NUMBER("chroot"), 0, SECCOMP_RET_KILL_THREAD,
		"rule 5 of p.json, line 8: chroot, ...");
	expect_rule(native(), NUMBER("statx") + 1 > 400 ? 460 : 462, 0, SECCOMP_RET_ERRNO | ENOSYS,
		"newer than statx, the newest call of p.json");
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return;
	expect_rule(AUDIT_ARCH_I386, 39, 0, SECCOMP_RET_ERRNO | EACCES,
		"rule 2 of p.json, line 3: mkdir, mkdirat");
	expect_rule(AUDIT_ARCH_X86_64, 0x40000000 | 83, 0, SECCOMP_RET_KILL_THREAD,
		"an architecture that p.json does not list");
}

/*
 * What the naming filter allows, the profile allows; what it refuses or hands to us, the profile refuses; and nothing
 * that the kernel would do by itself is given away.
 */
static void the_naming_filter_is_as_strict(void)
{
	const struct seccomp_subject subject = {0};
	static const uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0};
	struct seccomp_filter plain, naming;
	struct findings findings;
	struct error err = {0};
	unsigned int n_allowed, notified = 0;

	findings_init(&findings, "p.json");
	expect(seccomp_compile(profile, strlen(profile), "p.json", &subject, -1, &plain, &n_allowed,
		       &findings, &err) == 0);
	expect(naming_filter(&plain, &naming));
	expect(naming.length == plain.length && naming.flags == plain.flags);
	expect(filter_traps(&plain));
	for (size_t a = 0; a < array_length(arches); a++)
		for (int nr = 0; nr < 1200; nr++)
			for (uint64_t first = 0; first < 9; first++) {
				const uint64_t args[6] = {first};
				int number = nr < 600 ? nr : 0x40000000 | (nr - 600);
				uint32_t is = seccomp_simulate(&naming, arches[a], number, args, 0);
				uint32_t was = seccomp_simulate(&plain, arches[a], number, args, 0);

				notified += is == SECCOMP_RET_USER_NOTIF;
				if (was == SECCOMP_RET_ALLOW || was == SECCOMP_RET_TRAP)
					expect(is == was);
				else
					expect(is == SECCOMP_RET_USER_NOTIF);
			}
	expect(notified > 1000);
	seccomp_filter_free(&plain);
	seccomp_filter_free(&naming);
	findings_free(&findings);
}

static void some_filters_are_left_alone(void)
{
	struct sock_filter lenient[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_filter computed[] = {
		BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0)};
	const struct seccomp_filter allows = {lenient, 1, 0}, computes = {computed, 2, 0};
	struct seccomp_filter naming;

	expect(!naming_filter(&allows, &naming) && !naming.insns);
	expect(!naming_filter(&computes, &naming) && !naming.insns);
	expect(!filter_traps(&allows));
}

int main(void)
{
	group(paths_and_modes);
	group(strings_are_made_harmless);
	group(flags_have_names);
	group(addresses_of_sockets);
	group(unknown_calls);
	group(other_architectures);
	group(any_call_with_any_arguments);
	group(every_known_call_has_a_signature);
	group(results);
	group(the_rule_that_decided);
	group(the_naming_filter_is_as_strict);
	group(some_filters_are_left_alone);
	return unit_done();
}
