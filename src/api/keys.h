/* API keys: who may do what. A ring is made once at the start and never changes, so that all
 * threads may read it. It holds only the hashes of the secrets; the text that they were read from
 * is the caller's, and the caller's to wipe. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "base/error.h"
#include "base/crypto.h"
#include "base/text.h"

#include <stdbool.h>

#define KEYS_MAX 1000
#define KEYS_NAME_BYTES_MAX 64
#define KEYS_SECRET_BYTES_MIN 16
#define KEYS_SECRET_BYTES_MAX 256

enum right {
    RIGHT_NONE, /* open to all */
    RIGHT_READ,
    RIGHT_SEND,
    RIGHT_CONTROL,
    RIGHT_ADMIN, /* includes all others */
};

/* "none", "read", "send", "control" or "admin". */
const char *right_name(enum right right);

/* Ask for its rights by key_has_right. */
struct key {
    char name[KEYS_NAME_BYTES_MAX + 1]; /* may be shown and logged */
    unsigned rights;                    /* one bit each: 1 << right */
    unsigned char digest[SHA256_BYTES];
};

struct key_ring;

/* Reads keys from both, of which either may be empty:
 *   `list`: `name:rights:secret` separated by commas (NULL counts as empty);
 *   `file`: the same, one on each line; blank lines and those that begin with '#' do not count.
 * White space around a key does not count. A name is 1 to KEYS_NAME_BYTES_MAX of [A-Za-z0-9_.-].
 * Rights are joined by '+'. A secret is KEYS_SECRET_BYTES_MIN to KEYS_SECRET_BYTES_MAX visible
 * ASCII characters without a comma, or "sha256:" and the 64 hexadecimal digits of its SHA-256. No
 * name and no secret stands twice; there are at most KEYS_MAX keys.
 *
 * STATUS_INVALID for what breaks these rules: the error says which key of the list or line of the
 * file, and its name, but quotes nothing that is as long as a secret, in case one stands in the
 * wrong place; there is then no ring. On success `*ring` is the caller's to destroy. */
enum status key_ring_create(struct key_ring **ring, const char *list, struct text file,
                            struct error *error);
/* NULL does nothing. */
void key_ring_destroy(struct key_ring *ring);

/* True when nobody has a key; whether all is then open or closed is for the caller to say. */
bool key_ring_is_empty(const struct key_ring *ring);
/* Whose secret was presented, as long as the ring lives; NULL: nobody's. How long it takes depends
 * on the length of `presented` and the number of keys only. Nothing presented is nobody's. */
const struct key *key_ring_find(const struct key_ring *ring, struct text presented);

/* A key of NULL, which is that of a stranger, has RIGHT_NONE only. */
bool key_has_right(const struct key *key, enum right right);

/* The secret in `Authorization: Bearer <secret>`, or else in `X-API-Key: <secret>`; data == NULL
 * where there is none. An absent header has data == NULL. `*malformed`: there is an Authorization
 * that is not of this form, and no X-API-Key beside it. */
struct text key_presented(struct text authorization, struct text x_api_key, bool *malformed);

#endif
