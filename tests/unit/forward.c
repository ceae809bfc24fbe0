/* What `minirun port-forward` is asked for, taken apart; and what a tunnel does with its two ends. */
#include "runner/verbs/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/pod/tunnel.h"
#include "tests/unit/unit.h"

static const char manifest[] =
	"{\"metadata\": {\"name\": \"web\"}, \"spec\": {\"initContainers\": [{\"ports\": ["
	"{\"name\": \"side\", \"containerPort\": 9090}]}], \"containers\": [{}, {\"ports\": ["
	"{\"name\": \"http\", \"containerPort\": 80, \"protocol\": \"TCP\"}, "
	"{\"name\": \"dns\", \"containerPort\": 53, \"protocol\": \"UDP\"}]}]}}";

static void reads_ports(void)
{
	static const struct {
		const char *text;
		unsigned int local, remote;
	} cases[] = {
		{"80", 80, 80},
		{"8080:80", 8080, 80},
		{":80", 0, 80},
		{"0:80", 0, 80},
		{"http", 80, 80},
		{"8080:http", 8080, 80},
		{":side", 0, 9090},
	};
	struct json_object *pod = json_tokener_parse(manifest);
	struct error err = {0};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct forward forward = {0};

		expect(forward_parse(cases[i].text, pod, &forward, &err) == 0);
		expect(forward.local == cases[i].local && forward.remote == cases[i].remote);
	}
	json_object_put(pod);
}

static void refuses_what_is_no_port(void)
{
	static const char *const cases[][2] = {
		{"", "invalid port format ''"},
		{"80:", "invalid port format '80:'"},
		{"1:2:3", "invalid port format '1:2:3'"},
		{"0", "remote port must be > 0"},
		{"+1:80", "error parsing local port '+1': it is no number from 0 to 65535"},
		{"65536", "error parsing remote port '65536': it is no number from 0 to 65535"},
		{"dns", "UDP protocol is not supported for dns"},
		{"htt", "Pod 'web' does not have a named port 'htt'"},
	};
	struct json_object *pod = json_tokener_parse(manifest);

	for (size_t i = 0; i < array_length(cases); i++) {
		struct forward forward = {0};
		struct error err = {0};

		expect(forward_parse(cases[i][0], pod, &forward, &err) < 0);
		expect_text(err.message, cases[i][1]);
	}
	json_object_put(pod);
	expect(!forward_is_named("8080:80") && !forward_is_named("80:") && forward_is_named("80:x"));
}

static void reads_addresses(void)
{
	struct forward_address addresses[16];
	struct error err = {0};

	expect(forward_addresses("localhost", addresses, 16, &err) == 2);
	expect_text(addresses[0].text, "127.0.0.1");
	expect_text(addresses[1].text, "[::1]");
	expect(addresses[0].either && addresses[1].either);
	expect(forward_addresses("0.0.0.0,::1,0.0.0.0", addresses, 16, &err) == 2);
	expect_text(addresses[0].text, "0.0.0.0");
	expect(!addresses[1].either);
	expect(forward_addresses("1.2.3.4,,", addresses, 16, &err) < 0);
	expect(forward_addresses("1.1.1.1,1.1.1.2,1.1.1.3", addresses, 3, &err) < 0);
}

struct outcome {
	int called, errnum, near;
};

static void note(void *data, int errnum, int near)
{
	struct outcome *outcome = data;

	*outcome = (struct outcome){outcome->called + 1, errnum, near};
}

static void end_round(void *data)
{
	struct loop *loop = data;

	loop->done = true;
}

/* One event at a time until the other end has something to be read. */
static ssize_t turn(struct loop *loop, int fd, char *buffer, size_t size)
{
	struct error err;
	ssize_t n = -1;

	for (int i = 0; i < 100 && (n = recv(fd, buffer, size, MSG_DONTWAIT)) < 0 && errno == EAGAIN; i++) {
		loop->done = false;
		loop_run(loop, &err);
	}
	return n;
}

static void tunnel_passes_on_ends_one_by_one(void)
{
	struct loop loop;
	struct error err = {0};
	struct outcome outcome = {0};
	char buffer[16];
	int near[2], far[2];

	loop_init(&loop, &err);
	loop.after = end_round;
	loop.data = &loop;
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, near);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, far);
	expect(tunnel_open(&loop, near[1], far[1], note, &outcome, &err) != NULL);
	send(near[0], "ask", 3, 0);
	shutdown(near[0], SHUT_WR);
	expect(turn(&loop, far[0], buffer, sizeof(buffer)) == 3);
	expect(turn(&loop, far[0], buffer, sizeof(buffer)) == 0);
	expect(outcome.called == 0);
	send(far[0], "answer", 6, 0);
	expect(turn(&loop, near[0], buffer, sizeof(buffer)) == 6);
	close(far[0]);
	expect(turn(&loop, near[0], buffer, sizeof(buffer)) == 0);
	expect(outcome.called == 1 && outcome.errnum == 0 && outcome.near == -1);
	close(near[0]);
	loop_close(&loop);
}

int main(void)
{
	group(reads_ports);
	group(refuses_what_is_no_port);
	group(reads_addresses);
	group(tunnel_passes_on_ends_one_by_one);
	return unit_done();
}
