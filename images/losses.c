/* What a load couldn't keep. */
#include "images/losses.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* Of one, and of more. */
static const struct {
	const char *one, *more;
} texts[LOSS_COUNT] = {
	[LOSS_DEVICE] = {"device node left out: an ordinary user can't make it",
		"device nodes left out: an ordinary user can't make them"},
	[LOSS_OWNER] = {"owner not kept, it became root: this user namespace has no such id",
		"owners not kept, they became root: this user namespace has no such ids"},
	[LOSS_SETID] = {"setuid or setgid bit dropped, since its owner could not be kept",
		"setuid or setgid bits dropped, since their owner could not be kept"},
	[LOSS_XATTR] = {"extended attribute not kept: the file system or the user namespace refuses it",
		"extended attributes not kept: the file system or the user namespace refuses them"},
	[LOSS_OTHER_XATTR] = {"ACL or label left out", "ACLs and labels left out"},
	[LOSS_OVERLAY_XATTR] = {"attribute of overlayfs dropped: in an image it would hide or redirect files",
		"attributes of overlayfs dropped: in an image they would hide or redirect files"},
	[LOSS_SOCKET] = {"socket left out", "sockets left out"},
	[LOSS_MOUNT] = {"folder left empty, since another file system is mounted there",
		"folders left empty, since another file system is mounted there"},
	[LOSS_AUFS] = {"note of aufs (.wh..wh.) left out: it is no part of an image",
		"notes of aufs (.wh..wh.) left out: they are no part of an image"},
	[LOSS_READER] = {"warning from libarchive", "warnings from libarchive"},
};

void losses_add(struct losses *losses, enum loss loss, const char *what)
{
	if (losses->of[loss].n++ == 0)
		losses->of[loss].first = *what ? text_printable(what, strnlen(what, 100)) : xstrdup("/");
}

void losses_tell(const struct losses *losses, const struct load_watcher *watcher)
{
	if (!watcher || !watcher->warn)
		return;
	for (size_t i = 0; i < LOSS_COUNT; i++) {
		cleanup_free char *line = NULL;

		if (!losses->of[i].n)
			continue;
		line = xasprintf("%llu %s (%s%s)", (unsigned long long)losses->of[i].n,
			losses->of[i].n == 1 ? texts[i].one : texts[i].more,
			losses->of[i].n == 1 ? "" : "first: ", losses->of[i].first);
		watcher->warn(watcher->data, line);
	}
}

void losses_free(struct losses *losses)
{
	for (size_t i = 0; i < LOSS_COUNT; i++)
		free(losses->of[i].first);
	*losses = (struct losses){0};
}
