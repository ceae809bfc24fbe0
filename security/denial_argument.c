/*
 * One argument of a refused call in words.
 *
 * The arguments are the program's, and so is the memory that they point to: all of it is hostile. Strings are cut, bytes
 * that a terminal would obey are escaped, and nothing read here decides anything.
 */
#include "security/denial_argument.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* One argument as it is written. Room for the longest string, each byte escaped, with its quotes. */
struct word {
	char text[4 * DENIAL_STRING + 64];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct word *word, const char *format, ...)
{
	size_t room = sizeof(word->text) - word->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(word->text + word->n, room, format, args);
	va_end(args);
	if (n > 0)
		word->n += (size_t)n < room ? (size_t)n : room - 1;
}

static void put_quoted(struct word *word, const char *bytes, size_t n, size_t max)
{
	cleanup_free char *quoted = text_quoted(bytes, n, max);

	put(word, "%s", quoted);
}

static void put_string(struct word *word, uint64_t address, const struct denial_reader *reader)
{
	char bytes[DENIAL_STRING + 1];
	ssize_t got;
	size_t n;

	if (!address) {
		put(word, "NULL");
		return;
	}
	got = reader->read(reader->data, address, bytes, sizeof(bytes));
	if (got <= 0) {
		put(word, "0x%llx", (unsigned long long)address);
		return;
	}
	n = strnlen(bytes, (size_t)got);
	put_quoted(word, bytes, n, DENIAL_STRING);
	/* It goes on where we can't read. */
	if (n == (size_t)got && n <= DENIAL_STRING)
		put(word, "...");
}

static void put_set(struct word *word, const struct denial_set *set, uint64_t value)
{
	const char *between = "";

	for (size_t i = 0; i < set->n; i++) {
		const struct denial_bit *bit = &set->items[i];

		if (!set->is_flags && bit->value == value) {
			put(word, "%s", bit->name);
			return;
		}
		if (set->is_flags && bit->value && (value & bit->value) == bit->value) {
			put(word, "%s%s", between, bit->name);
			value &= ~bit->value;
			between = "|";
		}
	}
	if (value || !*between)
		put(word, value < 10 ? "%s%llu" : "%s0x%llx", between, (unsigned long long)value);
}

static void put_signal(struct word *word, int signal)
{
	const char *name = sigabbrev_np(signal);

	if (name)
		put(word, "SIG%s", name);
	else
		put(word, "%d", signal);
}

static void put_descriptor(struct word *word, int fd, const struct denial_reader *reader)
{
	char target[DENIAL_STRING];

	/* As a descriptor it is as wrong as -1: nobody passes it by accident. */
	if (fd == AT_FDCWD) {
		put(word, "AT_FDCWD");
		return;
	}
	put(word, "%d", fd);
	if (fd < 0 || !reader->descriptor(reader->data, fd, target, sizeof(target)))
		return;
	put(word, "<");
	/* A path can have any byte in it. */
	for (const char *c = target; *c; c++)
		put(word, (unsigned char)*c < 0x20 || *c == 0x7f ? "\\x%02x" : "%c", (unsigned char)*c);
	put(word, ">");
}

static void put_open_flags(struct word *word, uint64_t flags)
{
	if ((flags & O_ACCMODE) == O_RDONLY)
		put(word, flags & ~(uint64_t)O_ACCMODE ? "O_RDONLY|" : "O_RDONLY");
	if (flags)
		put_set(word, denial_names('o'), flags);
}

static void put_clone_flags(struct word *word, uint64_t flags)
{
	uint64_t signal = flags & 0xff;

	if (flags & ~(uint64_t)0xff)
		put_set(word, denial_names('c'), flags & ~(uint64_t)0xff);
	if (signal || !flags) {
		put(word, flags & ~(uint64_t)0xff ? "|" : "");
		put_signal(word, (int)signal);
	}
}

/* struct clone_args, of which the flags come first and the signal is the fifth. */
static void put_clone_args(struct word *word, uint64_t address, const struct denial_reader *reader)
{
	uint64_t fields[5];

	if (reader->read(reader->data, address, fields, sizeof(fields)) != (ssize_t)sizeof(fields)) {
		put(word, address ? "0x%llx" : "NULL", (unsigned long long)address);
		return;
	}
	put(word, "{flags=");
	if (fields[0])
		put_set(word, denial_names('c'), fields[0]);
	else
		put(word, "0");
	put(word, ", exit_signal=");
	put_signal(word, (int)fields[4]);
	put(word, "}");
}

static void put_open_how(struct word *word, uint64_t address, const struct denial_reader *reader)
{
	uint64_t how[3]; /* flags, mode, resolve */

	if (reader->read(reader->data, address, how, sizeof(how)) != (ssize_t)sizeof(how)) {
		put(word, address ? "0x%llx" : "NULL", (unsigned long long)address);
		return;
	}
	put(word, "{flags=");
	put_open_flags(word, how[0]);
	put(word, ", mode=0%llo, resolve=0x%llx}", (unsigned long long)how[1], (unsigned long long)how[2]);
}

static void put_address(
	struct word *word, uint64_t address, uint64_t length, const struct denial_reader *reader)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} peer = {0};
	char text[INET6_ADDRSTRLEN];
	ssize_t got;

	if (length > sizeof(peer))
		length = sizeof(peer);
	got = address && length >= 2 ? reader->read(reader->data, address, &peer, length) : -1;
	if (got == (ssize_t)length && peer.any.sa_family == AF_INET && got >= (ssize_t)sizeof(peer.in)) {
		put(word, "%s:%u", inet_ntop(AF_INET, &peer.in.sin_addr, text, sizeof(text)),
			ntohs(peer.in.sin_port));
	} else if (got == (ssize_t)length && peer.any.sa_family == AF_INET6 &&
		   got >= (ssize_t)offsetof(struct sockaddr_in6, sin6_scope_id)) {
		put(word, "[%s]:%u", inet_ntop(AF_INET6, &peer.in6.sin6_addr, text, sizeof(text)),
			ntohs(peer.in6.sin6_port));
	} else if (got == (ssize_t)length && peer.any.sa_family == AF_UNIX && got > 2) {
		size_t n = (size_t)got - offsetof(struct sockaddr_un, sun_path);
		bool is_abstract = !peer.un.sun_path[0];

		/* The name of an abstract socket begins with a NUL byte, for which people write @. */
		put(word, is_abstract ? "@" : "");
		put_quoted(word, peer.un.sun_path + is_abstract,
			is_abstract ? n - 1 : strnlen(peer.un.sun_path, n), n);
	} else {
		put(word, address ? "..." : "NULL");
	}
}

uint64_t denial_argument_value(const struct denial_call *call, size_t i)
{
	return call->is_32bit ? call->data->args[i] & UINT32_MAX : call->data->args[i];
}

/* What another argument of the same call says; 0 if there is none of that kind. */
static uint64_t argument_of_kind(const struct denial_call *call, char letter)
{
	for (size_t i = 0; i < call->n; i++)
		if (call->signature[i] == letter)
			return denial_argument_value(call, i);
	return 0;
}

static void put_socket_type(struct word *word, uint64_t value)
{
	static const char *const types[] = {"0", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM",
		"SOCK_SEQPACKET", "SOCK_DCCP", "7", "8", "9", "SOCK_PACKET"};
	uint64_t type = value & 0xf;

	/* accept4 has the flags alone. */
	if (type || !(value & (SOCK_CLOEXEC | SOCK_NONBLOCK)))
		put(word, "%s%s", type < array_length(types) ? types[type] : "?",
			value & ~(uint64_t)0xf ? "|" : "");
	if (value & SOCK_CLOEXEC)
		put(word, value & SOCK_NONBLOCK ? "SOCK_CLOEXEC|" : "SOCK_CLOEXEC");
	if (value & SOCK_NONBLOCK)
		put(word, "SOCK_NONBLOCK");
	value &= ~(uint64_t)(0xf | SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (value)
		put(word, "0x%llx", (unsigned long long)value);
}

/* An address would make the same call another one each time. */
static void put_number_or_pointer(struct word *word, uint64_t value, bool is_32bit)
{
	int64_t number = is_32bit ? (int32_t)value : (int64_t)value;

	if (number >= -4096 && number < 65536)
		put(word, "%lld", (long long)number);
	else
		put(word, "...");
}

static void put_argument(struct word *word, const struct denial_call *call, size_t i)
{
	uint64_t value = denial_argument_value(call, i);
	char letter = call->signature[i];

	switch (letter) {
	case 'p':
		put_string(word, value, call->reader);
		break;
	case 'D':
	case 'd':
		put_descriptor(word, (int)value, call->reader);
		break;
	case 'n':
	case 'u':
		put(word, "%d", (int)value);
		break;
	case 'z':
		put(word, "%llu", (unsigned long long)value);
		break;
	case 'x':
		put(word, value ? "..." : "NULL");
		break;
	case 'h':
		put(word, value < 10 ? "%llu" : "0x%llx", (unsigned long long)value);
		break;
	case 'v':
		put_number_or_pointer(word, value, call->is_32bit);
		break;
	case 'm':
		put(word, "0%o", (unsigned int)value);
		break;
	case 'g':
		put_signal(word, (int)value);
		break;
	case 'o':
		put_open_flags(word, value & UINT32_MAX);
		break;
	case 'c':
		put_clone_flags(word, value);
		break;
	case 'C':
		put_clone_args(word, value, call->reader);
		break;
	case 'H':
		put_open_how(word, value, call->reader);
		break;
	case 'A':
		put_address(
			word, value, i + 1 < call->n ? denial_argument_value(call, i + 1) : 0, call->reader);
		break;
	case 'S':
		put_socket_type(word, value & UINT32_MAX);
		break;
	default:
		/* The kernel takes flags and commands as int, where they are one. */
		put_set(word, denial_names(letter),
			letter == 'y' || letter == 'M' ? value : value & UINT32_MAX);
	}
}

bool denial_argument_is_void(const struct denial_call *call, size_t i)
{
	return call->signature[i] == 'm' && i && call->signature[i - 1] == 'o' &&
	       !(argument_of_kind(call, 'o') & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
}

char *denial_argument(const struct denial_call *call, size_t i)
{
	struct word word = {0};

	put_argument(&word, call, i);
	return xstrdup(word.text);
}
