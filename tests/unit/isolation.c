/* namespaces/: a container's view of the world, seen by a shell in it. Run as root, and in `unshare -r`. */
#include <sys/mount.h>

#include "tests/unit/world.h"

static struct world world;

static void sandbox_starts(void)
{
	struct sandbox_spec spec = {.hostname = "pod-name"};
	int result = sandbox_start(&spec, &world.sandbox, &world.err);

	expect(result == 0);
	if (result < 0)
		printf("# %s (%s)\n", world.err.message, world.err.hint);
}

static void container_sees_itself_only(void)
{
	struct isolation isolation = plain();

	expect(world_run(&world, &isolation,
		       "echo pid $$; echo host $(busybox hostname); busybox ls -d /proc/[0-9]*; "
		       "busybox cat /proc/mounts; busybox ls /; busybox ip addr show lo; echo dev; busybox "
		       "ls -l /dev") == 0);
	expect_in("pid 1\n");
	expect_in("host pod-name\n");
	expect_in("127.0.0.1/8");
	if (getenv("SHOW"))
		puts(world.output);
}

int main(void)
{
	if (userns_claim_mounts(&world.err) < 0)
		return 1;
	world_make(&world);
	group(sandbox_starts);
	group(container_sees_itself_only);
	world_remove(&world);
	return unit_done();
}
