/* What a back end provides; cache.c is the only caller. Arguments have been checked, and the
 * contract is that of cache.h. A back end puts `struct cache` first in its own struct. */
#ifndef CACHE_CACHE_OPS_H
#define CACHE_CACHE_OPS_H

#include "cache/cache.h"

struct cache_ops {
    const char *kind;
    void (*destroy)(struct cache *cache);
    void (*put)(struct cache *cache, const struct cache_delivery *deliveries, size_t count);
    bool (*flush)(struct cache *cache, int64_t wait_ms);
    bool (*get)(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
                struct cache_entry *entries);
    bool (*is_healthy)(struct cache *cache, struct error *error);
};

struct cache {
    const struct cache_ops *ops;
};

/* Constructors of the back ends. */
enum status cache_memory_create(struct cache **cache, const struct cache_options *options,
                                struct error *error);
enum status cache_redis_create(struct cache **cache, const struct cache_options *options,
                               struct error *error);
enum status cache_none_create(struct cache **cache, const struct cache_options *options,
                              struct error *error);

#endif
