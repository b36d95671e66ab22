/* What is remembered of deliveries beside the store: the contract of all caches.
 *
 * For each accepted delivery the provider's message id and the time. It enriches lists, and after a
 * crash it tells whether a message whose outcome was never settled had been accepted. Nothing
 * depends on it: what cannot be written is counted and forgotten, what cannot be read is not there,
 * and no call fails.
 *
 * A `struct cache` may be shared by threads. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#define CACHE_BATCH_MAX 1000            /* deliveries in one call */
#define CACHE_WAITING_MAX 100000        /* deliveries not yet written; beyond it they are dropped */
#define CACHE_MEMORY_ENTRIES_MAX 100000 /* in the memory cache; the oldest goes first */

struct cache;

struct cache_options {
    const char *url;           /* "redis://[user][:password@]host[:port][/db]", "memory:", "none" */
    int64_t ttl_ms;            /* how long an entry stays */
    int64_t timeout_ms;        /* for one exchange with a server */
    const char *key_style;     /* what is written to Redis beside our own: see redis_style.h */
    const struct clock *clock; /* for the memory cache */
};

struct cache_delivery {
    struct text message_id;  /* ours */
    struct text provider_id; /* the provider's; may be empty */
    int64_t accepted_at_ms;
};

struct cache_entry {
    bool found;
    struct text provider_id;
    int64_t accepted_at_ms;
};

/* Fails with STATUS_INVALID only, for a URL that is none. A server that is away is no failure: it
 * is looked for until it is there. `*cache` is the caller's to destroy. */
enum status cache_create(struct cache **cache, const struct cache_options *options,
                         struct error *error);
/* NULL is passed over. What is not written yet is dropped; cache_flush first where it matters. */
void cache_destroy(struct cache *cache);
/* "redis", "memory", "none" */
const char *cache_kind(const struct cache *cache);

/* Hands deliveries over to be written soon, and never waits; copies what it is given. */
void cache_put(struct cache *cache, const struct cache_delivery *deliveries, size_t count);
/* Waits until what was put has been written or dropped, for at most `wait_ms`. True: all was. */
bool cache_flush(struct cache *cache, int64_t wait_ms);

/* Looks all up in one exchange that takes `timeout_ms` at most, a new connection included where one
 * is needed (but for what the system takes to look up its host), and fills entries[i] for ids[i];
 * the texts live in `arena`. Returns false when the cache could not be asked; then nothing is
 * found. */
bool cache_get(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
               struct cache_entry *entries);

/* Whether it works at present; if not, `error` says why. */
bool cache_is_healthy(struct cache *cache, struct error *error);

#endif
