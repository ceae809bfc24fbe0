/* What a load couldn't keep. */
#include "images/losses.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

static const char *const texts[LOSS_COUNT] = {
	[LOSS_DEVICE] = "device nodes left out: an ordinary user can't make them",
	[LOSS_OWNER] = "owners not kept, they became root: this user namespace has no such ids",
	[LOSS_SETID] = "setuid or setgid bits dropped, since their owner could not be kept",
	[LOSS_XATTR] = "extended attributes not kept: the file system or the user namespace refuses them",
	[LOSS_OTHER_XATTR] = "ACLs and labels left out",
	[LOSS_OVERLAY_XATTR] =
		"attributes of overlayfs dropped: in an image they would hide or redirect files",
	[LOSS_SOCKET] = "sockets left out",
	[LOSS_MOUNT] = "folders left empty, since another file system is mounted there",
	[LOSS_AUFS] = "notes of aufs (.wh..wh.) left out: they are no part of an image",
	[LOSS_READER] = "warnings from libarchive",
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
		line = xasprintf("%llu %s (first: %s)", (unsigned long long)losses->of[i].n, texts[i],
			losses->of[i].first);
		watcher->warn(watcher->data, line);
	}
}

void losses_free(struct losses *losses)
{
	for (size_t i = 0; i < LOSS_COUNT; i++)
		free(losses->of[i].first);
	*losses = (struct losses){0};
}
