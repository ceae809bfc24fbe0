/*
 * Sends what no route leads to, for tests/ports.bats: `frames ADDRESS PORT` sends datagrams there, of IPv4 or IPv6, out of eth0,
 * whatever the routes say: by a socket that is bound to it, and in frames.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define TEXT_SIZE 8 /* bytes of a datagram in a frame */

static uint16_t checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void send_bound(const void *to, socklen_t size, int family)
{
	int fd = socket(family, SOCK_DGRAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 4) < 0 ||
		sendto(fd, "bound\n", 6, 0, to, size) < 0)
		perror("bound");
}

/* Writes a datagram behind the header of its protocol out of eth0, as it stands. */
static void send_frame(uint16_t protocol, const void *ip, size_t ip_size, in_port_t port)
{
	const struct sockaddr_ll link = {.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex("eth0"),
		.sll_halen = ETH_ALEN};
	struct ether_header ether = {.ether_dhost = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, .ether_shost = {2}};
	const struct udphdr udp = {
		.source = htons(4444), .dest = port, .len = htons(sizeof(udp) + TEXT_SIZE)};
	const struct iovec parts[] = {{&ether, sizeof(ether)}, {(void *)(uintptr_t)ip, ip_size},
		{(void *)(uintptr_t)&udp, sizeof(udp)}, {(void *)(uintptr_t) "framed\n", TEXT_SIZE}};
	const struct msghdr message = {.msg_name = (void *)(uintptr_t)&link,
		.msg_namelen = sizeof(link),
		.msg_iov = (struct iovec *)(uintptr_t)parts,
		.msg_iovlen = sizeof(parts) / sizeof(*parts)};

	ether.ether_type = htons(protocol);
	if (sendmsg(socket(AF_PACKET, SOCK_RAW, 0), &message, 0) < 0)
		perror("framed");
}

static void send_both6(const char *address, const char *port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	struct ip6_hdr ip = {
		.ip6_plen = htons(sizeof(struct udphdr) + TEXT_SIZE), .ip6_nxt = IPPROTO_UDP, .ip6_hlim = 64};

	ip.ip6_vfc = 6 << 4;
	inet_pton(AF_INET6, address, &to.sin6_addr);
	inet_pton(AF_INET6, "2001:db8::2", &ip.ip6_src);
	ip.ip6_dst = to.sin6_addr;
	send_bound(&to, sizeof(to), AF_INET6);
	send_frame(ETH_P_IPV6, &ip, sizeof(ip), to.sin6_port);
}

static void send_both(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};

	inet_aton(address, &to.sin_addr);
	ip.tot_len = htons(sizeof(ip) + sizeof(struct udphdr) + TEXT_SIZE);
	ip.saddr = inet_addr("10.254.0.2");
	ip.daddr = to.sin_addr.s_addr;
	ip.check = checksum(&ip);
	send_bound(&to, sizeof(to), AF_INET);
	send_frame(ETH_P_IP, &ip, sizeof(ip), to.sin_port);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "frames: see the top of its source\n");
		return 2;
	}
	if (strchr(argv[1], ':'))
		send_both6(argv[1], argv[2]);
	else
		send_both(argv[1], argv[2]);
	return 0;
}
