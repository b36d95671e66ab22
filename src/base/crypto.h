/* SHA-256 (FIPS 180-4), and how to compare what must not be guessed byte by byte. Any thread. The
 * one place that knows libcrypto; when that has no memory left, the process ends. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/text.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65 /* with the NUL */

/* Leaves nothing of `data` behind in memory. */
void sha256(struct text data, unsigned char digest[SHA256_BYTES]);
/* The same, as terminated hexadecimal digits in lower case. */
void sha256_hex(struct text data, char hex[SHA256_HEX_BYTES]);
/* Exactly 64 hexadecimal digits, in either case; false leaves `digest` undefined. */
bool sha256_from_hex(struct text hex, unsigned char digest[SHA256_BYTES]);

/* Takes as long whatever the bytes are. Of no bytes: equal. */
bool bytes_equal_constant_time(const void *a, const void *b, size_t len);

#endif
