#include "store/memory/memory_keys.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64
#define FNV_OFFSET 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

static char *keep(struct text text) {
    char *bytes = memory_zeroed(text.len + 1, 1);
    if (text.len > 0)
        memcpy(bytes, text.data, text.len);
    return bytes;
}

/* FNV-1a. */
static size_t bucket_of(const struct memory_keys *keys, struct text key) {
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * FNV_PRIME;
    return hash % keys->buckets_count;
}

const struct key_entry *memory_keys_find(const struct memory_keys *keys, struct text key) {
    if (keys->buckets_count == 0)
        return NULL;
    const struct key_entry *entry = keys->buckets[bucket_of(keys, key)];
    while (entry != NULL && !text_equal_string(key, entry->key))
        entry = entry->next;
    return entry;
}

static void put_into_bucket(struct memory_keys *keys, struct key_entry *entry) {
    struct key_entry **bucket = &keys->buckets[bucket_of(keys, text_of(entry->key))];
    entry->next = *bucket;
    *bucket = entry;
}

static void grow(struct memory_keys *keys) {
    if (keys->count < keys->buckets_count)
        return;
    free(keys->buckets);
    keys->buckets_count = keys->buckets_count > 0 ? keys->buckets_count * 2 : BUCKETS_MIN;
    keys->buckets = memory_zeroed(keys->buckets_count, sizeof(struct key_entry *));
    for (struct key_entry *entry = keys->oldest; entry != NULL; entry = entry->younger)
        put_into_bucket(keys, entry);
}

static void add_entry(struct memory_keys *keys, struct key_entry *entry) {
    grow(keys);
    entry->older = keys->youngest;
    if (keys->youngest != NULL)
        keys->youngest->younger = entry;
    else
        keys->oldest = entry;
    keys->youngest = entry;
    keys->count++;
    put_into_bucket(keys, entry);
}

static void remove_entry(struct memory_keys *keys, struct key_entry *entry) {
    struct key_entry **link = &keys->buckets[bucket_of(keys, text_of(entry->key))];
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    if (entry->older != NULL)
        entry->older->younger = entry->younger;
    else
        keys->oldest = entry->younger;
    if (entry->younger != NULL)
        entry->younger->older = entry->older;
    else
        keys->youngest = entry->older;
    keys->count--;
    free(entry->key);
    free(entry->fingerprint);
    free(entry);
}

bool memory_keys_add(struct memory_keys *keys, const struct message_draft *drafts, size_t count,
                     int64_t first_id, int64_t now_ms) {
    size_t added = 0;
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].key.len == 0)
            continue;
        if (memory_keys_find(keys, drafts[i].key) != NULL) {
            while (added-- > 0)
                remove_entry(keys, keys->youngest);
            return false;
        }
        struct key_entry *entry = memory_zeroed(1, sizeof *entry);
        entry->key = keep(drafts[i].key);
        entry->fingerprint = keep(drafts[i].fingerprint);
        entry->message_id = first_id + (int64_t)i;
        entry->created_at_ms = now_ms;
        add_entry(keys, entry);
        added++;
    }
    return true;
}

void memory_keys_forget(struct memory_keys *keys, int64_t now_ms) {
    while (keys->oldest != NULL && keys->oldest->created_at_ms < now_ms - STORE_KEY_AGE_MS)
        remove_entry(keys, keys->oldest);
}

void memory_keys_deinit(struct memory_keys *keys) {
    while (keys->oldest != NULL)
        remove_entry(keys, keys->oldest);
    free(keys->buckets);
    *keys = (struct memory_keys){0};
}
