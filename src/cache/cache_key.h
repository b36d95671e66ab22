/* Under which name the cache knows a message: its id and a fingerprint of recipient and content,
 * "42:1f2e3d4c5b6a7988", so that two databases whose ids begin at 1 may share a cache. */
#ifndef CACHE_CACHE_KEY_H
#define CACHE_CACHE_KEY_H

#include "message/message.h"

#define CACHE_KEY_BYTES (MESSAGE_ID_BYTES_MAX + 18)

/* The fingerprint is 64-bit FNV-1a over the recipient, a NUL, and the content. (Fowler, Noll, Vo:
 * draft-eastlake-fnv.) */
void cache_key_of(const struct message *message, char key[CACHE_KEY_BYTES]);

#endif
