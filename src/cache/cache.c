#include "base/check.h"
#include "cache/cache_ops.h"
#include "metrics/metrics.h"

#include <string.h>

static const struct {
    const char *beginning;
    enum status (*create)(struct cache **, const struct cache_options *, struct error *);
} back_ends[] = {
    {"memory:", cache_memory_create},
    {"redis://", cache_redis_create},
    {"redis+unix://", cache_redis_create},
    {"none", cache_none_create},
};

enum status cache_create(struct cache **cache, const struct cache_options *options,
                         struct error *error) {
    check(cache != NULL && options != NULL && options->url != NULL && options->clock != NULL);
    check(options->ttl_ms > 0 && options->timeout_ms > 0);
    for (size_t i = 0; i < sizeof back_ends / sizeof back_ends[0]; i++)
        if (text_starts_with(text_of(options->url), back_ends[i].beginning))
            return back_ends[i].create(cache, options, error);
    return error_set(error, STATUS_INVALID,
                     "CACHE_URL must be redis://HOST:PORT/DB, memory: or none");
}

void cache_destroy(struct cache *cache) {
    if (cache != NULL)
        cache->ops->destroy(cache);
}

const char *cache_kind(const struct cache *cache) {
    check(cache != NULL);
    return cache->ops->kind;
}

void cache_put(struct cache *cache, const struct cache_delivery *deliveries, size_t count) {
    check(cache != NULL && deliveries != NULL && count <= CACHE_BATCH_MAX);
    cache->ops->put(cache, deliveries, count);
}

bool cache_flush(struct cache *cache, int64_t wait_ms) {
    check(cache != NULL && wait_ms >= 0);
    return cache->ops->flush(cache, wait_ms);
}

bool cache_get(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
               struct cache_entry *entries) {
    check(cache != NULL && ids != NULL && arena != NULL && entries != NULL);
    check(count > 0 && count <= CACHE_BATCH_MAX);
    memset(entries, 0, count * sizeof *entries);
    if (!cache->ops->get(cache, ids, count, arena, entries)) {
        memset(entries, 0, count * sizeof *entries);
        return false;
    }
    size_t hits = 0;
    for (size_t i = 0; i < count; i++)
        hits += entries[i].found;
    metrics_add(METRIC_CACHE_HITS, hits);
    metrics_add(METRIC_CACHE_MISSES, count - hits);
    return true;
}

bool cache_is_healthy(struct cache *cache, struct error *error) {
    check(cache != NULL && error != NULL);
    return cache->ops->is_healthy(cache, error);
}
