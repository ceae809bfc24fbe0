/* Base64 (RFC 4648), as Go's encoding/json reads it: the data of a Secret, the binaryData of a ConfigMap. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/*
 * Decodes text, padding required, line breaks ignored. Returns 0, *data (to be freed; a NUL follows it) and *size; or -1, and in *at
 * the byte of the text at which Go would say that it is illegal.
 */
int base64_decode(const char *text, char **data, size_t *size, size_t *at);

#endif
