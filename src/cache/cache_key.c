#include "cache/cache_key.h"

#include <stdio.h>

#define FNV_OFFSET 14695981039346656037u
#define FNV_PRIME 1099511628211u

static uint64_t mix(uint64_t hash, struct text bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.data[i]) * FNV_PRIME;
    return hash;
}

void cache_key_of(const struct message *message, char key[CACHE_KEY_BYTES]) {
    uint64_t hash = mix(FNV_OFFSET, message->recipient);
    hash = mix(mix(hash, TEXT_LITERAL("\0")), message->content);
    snprintf(key, CACHE_KEY_BYTES, "%s:%016llx", message->id.text, (unsigned long long)hash);
}
