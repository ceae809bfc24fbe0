/* Within the wing: what a load couldn't keep. Counted, and told once, with the first entry that it happened to. */
#ifndef IMAGES_LOSSES_H
#define IMAGES_LOSSES_H

#include "images/images.h"

enum loss {
	LOSS_DEVICE,
	LOSS_OWNER,
	LOSS_SETID,
	LOSS_XATTR,
	LOSS_OTHER_XATTR,
	LOSS_OVERLAY_XATTR,
	LOSS_SOCKET,
	LOSS_MOUNT,
	LOSS_AUFS,
	LOSS_READER, /* what libarchive warned of */
	LOSS_COUNT,
};

struct losses {
	struct {
		uint64_t n;
		char *first;
	} of[LOSS_COUNT];
};

void losses_add(struct losses *losses, enum loss loss, const char *what);
/* Tells the watcher one line for each kind. */
void losses_tell(const struct losses *losses, const struct load_watcher *watcher);
void losses_free(struct losses *losses);

#endif
