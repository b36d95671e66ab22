/* The keys under which messages were inserted: found by a hash, forgotten by age. Guarded by the
 * store's monitor. */
#ifndef STORE_MEMORY_KEYS_H
#define STORE_MEMORY_KEYS_H

#include "store/store.h"

struct key_entry {
    struct key_entry *next;            /* in its bucket */
    struct key_entry *older, *younger; /* by age */
    char *key, *fingerprint;
    int64_t message_id;
    int64_t created_at_ms;
};

/* Zeroed it is empty. */
struct memory_keys {
    struct key_entry **buckets;
    size_t buckets_count, count;
    struct key_entry *oldest, *youngest;
};

/* Forgets all; it is then empty. */
void memory_keys_deinit(struct memory_keys *keys);
/* NULL: no message was inserted under it. */
const struct key_entry *memory_keys_find(const struct memory_keys *keys, struct text key);
/* Adds the keys of those drafts that have one, for messages from `first_id` on; false: one of them
 * is there already, or twice among them, and none is added. */
bool memory_keys_add(struct memory_keys *keys, const struct message_draft *drafts, size_t count,
                     int64_t first_id, int64_t now_ms);
/* Those that are older than STORE_KEY_AGE_MS. */
void memory_keys_forget(struct memory_keys *keys, int64_t now_ms);

#endif
