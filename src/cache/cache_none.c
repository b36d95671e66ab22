/* The cache that remembers nothing. */
#include "base/memory.h"
#include "cache/cache_ops.h"

#include <stdlib.h>

static void destroy(struct cache *cache) {
    free(cache);
}

static void put(struct cache *cache, const struct cache_delivery *deliveries, size_t count) {
    (void)cache;
    (void)deliveries;
    (void)count;
}

static bool flush(struct cache *cache, int64_t wait_ms) {
    (void)cache;
    (void)wait_ms;
    return true;
}

static bool get(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
                struct cache_entry *entries) {
    (void)cache;
    (void)ids;
    (void)count;
    (void)arena;
    (void)entries;
    return false;
}

static bool is_healthy(struct cache *cache, struct error *error) {
    (void)cache;
    (void)error;
    return true;
}

static const struct cache_ops none_ops = {
    .kind = "none",
    .destroy = destroy,
    .put = put,
    .flush = flush,
    .get = get,
    .is_healthy = is_healthy,
};

enum status cache_none_create(struct cache **cache, const struct cache_options *options,
                              struct error *error) {
    (void)options;
    (void)error;
    *cache = memory_zeroed(1, sizeof **cache);
    (*cache)->ops = &none_ops;
    return STATUS_OK;
}
