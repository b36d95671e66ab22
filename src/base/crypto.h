/* SHA-256 (FIPS 180-4), HMAC (RFC 2104), Ed25519 (RFC 8032), and how to compare what must not be
 * guessed byte by byte. Any thread. The one place that knows libcrypto; when that has no memory
 * left, the process ends. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/text.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65 /* with the NUL */

/* Leaves nothing of `data` behind in memory. */
void sha256(struct text data, unsigned char digest[SHA256_BYTES]);
/* The same, as terminated hexadecimal digits in lower case. */
void sha256_hex(struct text data, char hex[SHA256_HEX_BYTES]);
/* Exactly 64 hexadecimal digits, in either case; false leaves `digest` undefined. */
bool sha256_from_hex(struct text hex, unsigned char digest[SHA256_BYTES]);

#define HMAC_SHA1_BYTES 20
#define ED25519_SEED_BYTES 32
#define ED25519_PUBLIC_BYTES 32
#define ED25519_SIGNATURE_BYTES 64

/* The code for `data` under `key`, of any lengths. */
void hmac_sha256(struct text key, struct text data, unsigned char code[SHA256_BYTES]);
/* The same with SHA-1, which some providers sign with. */
void hmac_sha1(struct text key, struct text data, unsigned char code[HMAC_SHA1_BYTES]);
/* The private key is what RFC 8032 makes of the seed. */
void ed25519_sign(const unsigned char seed[ED25519_SEED_BYTES], struct text data,
                  unsigned char signature[ED25519_SIGNATURE_BYTES]);
/* With which others verify. */
void ed25519_public_key(const unsigned char seed[ED25519_SEED_BYTES],
                        unsigned char key[ED25519_PUBLIC_BYTES]);

/* Takes as long whatever the bytes are. Of no bytes: equal. */
bool bytes_equal_constant_time(const void *a, const void *b, size_t len);

#endif
