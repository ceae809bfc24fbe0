/* The records of a parcel. See parcel.h. */
#include "runner/pod/parcel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* As it stands in the pipe; the name and the text follow. Both ends are one machine's. */
struct header {
	uint32_t kind, mode;
	int64_t seconds;
	uint32_t nanoseconds;
	uint16_t name, text; /* bytes */
};

static int put(int fd, const void *data, size_t size, struct error *err)
{
	return fd_write_all(fd, data, size) < 0
		       ? error_set(err, ERROR_HOST, errno, "cannot write to the other side")
		       : 0;
}

int parcel_put(int fd, const struct parcel *parcel, struct error *err)
{
	char all[sizeof(struct header) + sizeof(parcel->name) + sizeof(parcel->text)];
	const struct header header = {
		.kind = parcel->kind,
		.mode = parcel->mode,
		.seconds = parcel->time.tv_sec,
		.nanoseconds = (uint32_t)parcel->time.tv_nsec,
		.name = (uint16_t)strnlen(parcel->name, sizeof(parcel->name) - 1),
		.text = (uint16_t)strnlen(parcel->text, sizeof(parcel->text) - 1),
	};

	memcpy(all, &header, sizeof(header));
	memcpy(all + sizeof(header), parcel->name, header.name);
	memcpy(all + sizeof(header) + header.name, parcel->text, header.text);
	return put(fd, all, sizeof(header) + header.name + header.text, err);
}

int parcel_say(int fd, enum parcel_kind kind, const char *text, struct error *err)
{
	struct parcel parcel = {.kind = kind};

	strncpy(parcel.text, text, sizeof(parcel.text) - 1);
	return parcel_put(fd, &parcel, err);
}

int parcel_read(int fd, void *data, size_t size, struct error *err)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, (char *)data + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, ERROR_HOST, errno, "cannot read from the other side");
		if (n == 0)
			return used ? error_set(err, ERROR_HOST, 0, "the other side ended in the middle") : 0;
		used += (size_t)n;
	}
	return 1;
}

static int read_text(int fd, char *text, size_t size, size_t max, struct error *err)
{
	if (size >= max)
		return error_set(err, ERROR_INTERNAL, 0, "the other side sent what is no record");
	text[size] = '\0';
	if (size && parcel_read(fd, text, size, err) <= 0)
		return err->class ? -1 : error_set(err, ERROR_HOST, 0, "the other side ended in the middle");
	return strlen(text) == size
		       ? 0
		       : error_set(err, ERROR_INTERNAL, 0, "the other side sent what is no record");
}

int parcel_get(int fd, struct parcel *parcel, struct error *err)
{
	struct header header;
	int result;

	*err = (struct error){0};
	result = parcel_read(fd, &header, sizeof(header), err);
	if (result <= 0)
		return result;
	parcel->kind = (enum parcel_kind)header.kind;
	parcel->mode = header.mode;
	parcel->time = (struct timespec){header.seconds, header.nanoseconds};
	if (!header.kind || header.kind > 'z' || !strchr("DPFLWXE", (int)header.kind) ||
		header.nanoseconds > 999999999)
		return error_set(err, ERROR_INTERNAL, 0, "the other side sent what is no record");
	if (read_text(fd, parcel->name, header.name, sizeof(parcel->name), err) < 0 ||
		read_text(fd, parcel->text, header.text, sizeof(parcel->text), err) < 0)
		return -1;
	return 1;
}

int parcel_put_size(int fd, int64_t size, struct error *err)
{
	return put(fd, &size, sizeof(size), err);
}

int parcel_get_size(int fd, int64_t *size, struct error *err)
{
	int result;

	*err = (struct error){0};
	result = parcel_read(fd, size, sizeof(*size), err);
	return result == 0 ? error_set(err, ERROR_HOST, 0, "the other side ended in the middle") : result;
}
