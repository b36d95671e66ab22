/* The cache of a single process: a table of CACHE_MEMORY_ENTRIES_MAX entries in a ring, the oldest
 * of which makes room for the next. */
#include "base/check.h"
#include "base/memory.h"
#include "base/thread.h"
#include "cache/cache_ops.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 131072 /* a power of two, more than there are entries */
#define NOBODY UINT32_MAX

struct entry {
    char *id; /* NULL: free; the provider's id follows its NUL */
    size_t id_len, provider_len;
    int64_t accepted_at_ms, expires_at_ms;
    uint32_t next; /* in its bucket */
};

struct memory_cache {
    struct cache cache; /* first: it is the base */
    /* set once */
    const struct clock *clock;
    int64_t ttl_ms;
    /* guarded by the monitor */
    struct monitor monitor;
    struct entry *entries;
    uint32_t *buckets;
    size_t oldest;
};

static struct memory_cache *memory_cache_of(struct cache *cache) {
    return (struct memory_cache *)cache;
}

/* FNV-1a. */
static size_t bucket_of(struct text id) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32) & (BUCKETS - 1);
}

static struct text id_of(const struct entry *entry) {
    return (struct text){entry->id, entry->id_len};
}

/* Where the number of the entry stands, or NOBODY at the end of the bucket. */
static uint32_t *find(struct memory_cache *memory, struct text id) {
    uint32_t *place = &memory->buckets[bucket_of(id)];
    while (*place != NOBODY && !text_equal(id_of(&memory->entries[*place]), id))
        place = &memory->entries[*place].next;
    return place;
}

static void forget(struct memory_cache *memory, struct entry *entry) {
    if (entry->id == NULL)
        return;
    uint32_t *place = find(memory, id_of(entry));
    if (*place != NOBODY && &memory->entries[*place] == entry)
        *place = entry->next;
    free(entry->id);
    entry->id = NULL;
}

static void remember(struct memory_cache *memory, const struct cache_delivery *delivery) {
    struct text id = delivery->message_id, provider = delivery->provider_id;
    uint32_t known = *find(memory, id);
    if (known != NOBODY)
        forget(memory, &memory->entries[known]);
    struct entry *entry = &memory->entries[memory->oldest];
    forget(memory, entry);
    char *copy = memory_zeroed(id.len + provider.len + 2, 1);
    memcpy(copy, id.data, id.len);
    if (provider.len > 0)
        memcpy(copy + id.len + 1, provider.data, provider.len);
    size_t bucket = bucket_of(id);
    *entry = (struct entry){
        .id = copy,
        .id_len = id.len,
        .provider_len = provider.len,
        .accepted_at_ms = delivery->accepted_at_ms,
        .expires_at_ms = clock_monotonic_ms(memory->clock) + memory->ttl_ms,
        .next = memory->buckets[bucket],
    };
    memory->buckets[bucket] = (uint32_t)memory->oldest;
    memory->oldest = (memory->oldest + 1) % CACHE_MEMORY_ENTRIES_MAX;
}

static void put(struct cache *cache, const struct cache_delivery *deliveries, size_t count) {
    struct memory_cache *memory = memory_cache_of(cache);
    monitor_lock(&memory->monitor);
    for (size_t i = 0; i < count; i++)
        remember(memory, &deliveries[i]);
    monitor_unlock(&memory->monitor);
    metrics_add(METRIC_CACHE_WRITTEN, count);
}

static bool flush(struct cache *cache, int64_t wait_ms) {
    (void)cache;
    (void)wait_ms;
    return true;
}

static bool recall(struct memory_cache *memory, struct text id, struct arena *arena,
                   struct cache_entry *found) {
    uint32_t number = *find(memory, id);
    if (number == NOBODY)
        return true;
    const struct entry *entry = &memory->entries[number];
    if (entry->expires_at_ms <= clock_monotonic_ms(memory->clock))
        return true;
    *found = (struct cache_entry){
        .found = true,
        .provider_id =
            arena_copy(arena, (struct text){entry->id + entry->id_len + 1, entry->provider_len}),
        .accepted_at_ms = entry->accepted_at_ms,
    };
    return found->provider_id.data != NULL;
}

static bool get(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
                struct cache_entry *entries) {
    struct memory_cache *memory = memory_cache_of(cache);
    bool fits = true;
    monitor_lock(&memory->monitor);
    for (size_t i = 0; i < count && fits; i++)
        fits = recall(memory, ids[i], arena, &entries[i]);
    monitor_unlock(&memory->monitor);
    return fits;
}

static bool is_healthy(struct cache *cache, struct error *error) {
    (void)cache;
    (void)error;
    return true;
}

static void destroy(struct cache *cache) {
    struct memory_cache *memory = memory_cache_of(cache);
    for (size_t i = 0; i < CACHE_MEMORY_ENTRIES_MAX; i++)
        free(memory->entries[i].id);
    free(memory->entries);
    free(memory->buckets);
    monitor_deinit(&memory->monitor);
    free(memory);
}

static const struct cache_ops memory_ops = {
    .kind = "memory",
    .destroy = destroy,
    .put = put,
    .flush = flush,
    .get = get,
    .is_healthy = is_healthy,
};

enum status cache_memory_create(struct cache **cache, const struct cache_options *options,
                                struct error *error) {
    (void)error;
    struct memory_cache *memory = memory_zeroed(1, sizeof *memory);
    memory->cache.ops = &memory_ops;
    memory->clock = options->clock;
    memory->ttl_ms = options->ttl_ms;
    memory->entries = memory_zeroed(CACHE_MEMORY_ENTRIES_MAX, sizeof *memory->entries);
    memory->buckets = memory_zeroed(BUCKETS, sizeof *memory->buckets);
    memset(memory->buckets, 0xFF, BUCKETS * sizeof *memory->buckets);
    monitor_init(&memory->monitor);
    metrics_set(METRIC_CACHE_UP, 1);
    *cache = &memory->cache;
    return STATUS_OK;
}
