/*
 * An echo, for tests of the network: echo PORT... Each port gets TCP and UDP, on IPv4 (a number alone) or on ::1 (6:NUMBER). TCP
 * sends back what comes, until its end; UDP answers each datagram with who sent it and what was in it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(const char *port, int type)
{
	int six = !strncmp(port, "6:", 2);
	in_port_t number = htons((in_port_t)atoi(six ? port + 2 : port));
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = number};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = number, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(six ? AF_INET6 : AF_INET, type, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, six ? sizeof(v6) : sizeof(v4)) <
			0 ||
		(type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)) {
		perror(port);
		exit(1);
	}
	return fd;
}

static void serve_tcp(int fd)
{
	char piece[65536];
	int connection;

	while ((connection = accept(fd, NULL, NULL)) >= 0) {
		ssize_t n;

		if (fork() == 0) {
			while ((n = read(connection, piece, sizeof(piece))) > 0)
				for (ssize_t done = 0, m; done < n; done += m)
					if ((m = write(connection, piece + done, (size_t)(n - done))) < 0)
						_exit(1);
			_exit(0);
		}
		close(connection);
	}
}

static void serve_udp(int fd)
{
	char piece[512], answer[1024];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t n;

	while ((n = recvfrom(fd, piece, sizeof(piece), 0, (struct sockaddr *)&peer, &size)) >= 0) {
		int length =
			snprintf(answer, sizeof(answer), "%s %.*s", inet_ntoa(peer.sin_addr), (int)n, piece);

		sendto(fd, answer, (size_t)length, 0, (struct sockaddr *)&peer, size);
		size = sizeof(peer);
	}
}

int main(int argc, char **argv)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		int tcp = open_socket(argv[i], SOCK_STREAM), udp = open_socket(argv[i], SOCK_DGRAM);

		if (fork() == 0)
			serve_tcp(tcp);
		if (fork() == 0)
			serve_udp(udp);
	}
	pause();
	return 0;
}
