/* Within the wing: what skopeo's errors mean, and what to do about them. */
#ifndef IMAGES_REFUSAL_H
#define IMAGES_REFUSAL_H

#include "base/error.h"

/*
 * Fills err from the text that skopeo left on standard error when it couldn't have the image called name of the registry
 * host. Returns -1.
 */
int refusal_explain(const char *text, const char *name, const char *host, struct error *err);

#endif
