/* The devices that a container was refused by its cgroup. Theory of operation: device_refusals.h. */
#include "namespaces/device_refusals.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "namespaces/device_program.h"

#define RING_SIZE 16384 /* bytes: 341 notes */

const struct device_refusals device_refusals_closed = {.ring = -1, .lost = -1};

static int make_ring(size_t size)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_RINGBUF,
		.max_entries = (uint32_t)size,
		.map_name = "minirun_devices"};

	return device_bpf(BPF_MAP_CREATE, &attr);
}

static int make_counter(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint64_t),
		.max_entries = 1,
		.map_name = "minirun_lost",
	};

	return device_bpf(BPF_MAP_CREATE, &attr);
}

static void *map(int fd, size_t size, int protection, size_t offset)
{
	void *address = mmap(NULL, size, protection, MAP_SHARED, fd, (off_t)offset);

	return address == MAP_FAILED ? NULL : address;
}

int device_refusals_open(struct device_refusals *refusals, struct error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page > RING_SIZE ? page : RING_SIZE;

	*refusals = device_refusals_closed;
	refusals->page = page;
	refusals->size = size;
	refusals->ring = make_ring(size);
	if (refusals->ring >= 0)
		refusals->lost = make_counter();
	if (refusals->lost >= 0)
		refusals->consumer = map(refusals->ring, page, PROT_READ | PROT_WRITE, 0);
	if (refusals->consumer)
		refusals->producer = map(refusals->ring, page + 2 * size, PROT_READ, page);
	if (refusals->producer)
		return 0;
	error_set(err, ERROR_HOST, errno, "the kernel gives no BPF map for it");
	device_refusals_close(refusals);
	return -1;
}

void device_refusals_close(struct device_refusals *refusals)
{
	if (refusals->consumer)
		munmap(refusals->consumer, refusals->page);
	if (refusals->producer)
		munmap(refusals->producer, refusals->page + 2 * refusals->size);
	cleanup_fd_fn(&refusals->ring);
	cleanup_fd_fn(&refusals->lost);
	*refusals = device_refusals_closed;
}

static void decode(const struct device_note *note, struct device_refusal *refusal)
{
	*refusal = (struct device_refusal){
		.is_block = note->type == BPF_DEVCG_DEV_BLOCK,
		.major = note->major,
		.minor = note->minor,
		.access = note->access,
		.pid = (pid_t)(note->pid_tgid >> 32),
	};
	memcpy(refusal->program, note->program, sizeof(refusal->program) - 1);
}

/* A record is a length of 32 bits, 32 bits for the kernel alone, and what was put; each begins at a multiple of 8. */
int device_refusals_next(struct device_refusals *refusals, struct device_refusal *refusal)
{
	const char *data;

	if (refusals->ring < 0)
		return -1;
	data = (const char *)refusals->producer + refusals->page;
	while (refusals->position < __atomic_load_n(refusals->producer, __ATOMIC_ACQUIRE)) {
		const char *record = data + (refusals->position & (refusals->size - 1));
		uint32_t length = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		bool is_discarded = length & BPF_RINGBUF_DISCARD_BIT;
		struct device_note note;

		/* It is being written just now. */
		if (length & BPF_RINGBUF_BUSY_BIT)
			return 0;
		length &= ~BPF_RINGBUF_DISCARD_BIT;
		if (length != sizeof(note))
			return -1;
		memcpy(&note, record + BPF_RINGBUF_HDR_SZ, sizeof(note));
		refusals->position += BPF_RINGBUF_HDR_SZ + sizeof(note);
		__atomic_store_n(refusals->consumer, refusals->position, __ATOMIC_RELEASE);
		if (is_discarded)
			continue;
		decode(&note, refusal);
		return 1;
	}
	return 0;
}

uint64_t device_refusals_lost(struct device_refusals *refusals)
{
	const uint32_t key = 0;
	uint64_t lost = 0, before = refusals->lost_before;
	union bpf_attr attr = {
		.map_fd = (uint32_t)refusals->lost, .key = (uintptr_t)&key, .value = (uintptr_t)&lost};

	if (refusals->lost < 0 || device_bpf(BPF_MAP_LOOKUP_ELEM, &attr) < 0 || lost < before)
		return 0;
	refusals->lost_before = lost;
	return lost - before;
}
