/* What the cache remembers of messages that the store has listed. */
#ifndef API_ENRICH_H
#define API_ENRICH_H

#include "base/json_writer.h"
#include "cache/cache.h"
#include "message/message.h"

/* One entry per message, looked up in one exchange; those that are not sent, or that it does not
 * know, are not found. NULL where there is no cache. In the arena. */
struct cache_entry *enrich_find(struct cache *cache, const struct message *messages, size_t count,
                                struct arena *arena);
/* "message_id" and "cached_at", where the entry is found. */
void enrich_members(struct json_writer *json, const struct cache_entry *entry);

#endif
