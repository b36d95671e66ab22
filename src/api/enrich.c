#include "api/enrich.h"

#include "cache/cache_key.h"

struct cache_entry *enrich_find(struct cache *cache, const struct message *messages, size_t count,
                                struct arena *arena) {
    if (cache == NULL || count == 0 || count > CACHE_BATCH_MAX)
        return NULL;
    struct text *keys = arena_alloc(arena, count * sizeof *keys);
    size_t *places = arena_alloc(arena, count * sizeof *places);
    struct cache_entry *found = arena_alloc(arena, count * sizeof *found);
    struct cache_entry *entries = arena_alloc(arena, count * sizeof *entries);
    size_t asked = 0;
    if (keys == NULL || places == NULL || found == NULL || entries == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        char *key = arena_alloc(arena, CACHE_KEY_BYTES);
        if (messages[i].state != MESSAGE_SENT || key == NULL)
            continue;
        cache_key_of(&messages[i], key);
        keys[asked] = text_of(key);
        places[asked++] = i;
    }
    if (asked > 0 && cache_get(cache, keys, asked, arena, found))
        for (size_t i = 0; i < asked; i++)
            entries[places[i]] = found[i];
    return entries;
}

void enrich_members(struct json_writer *json, const struct cache_entry *entry) {
    if (!entry->found)
        return;
    json_member_text(json, "message_id", entry->provider_id);
    json_member_time_ms(json, "cached_at", entry->accepted_at_ms);
}
