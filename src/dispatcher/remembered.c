#include "dispatcher/remembered.h"

#include "cache/cache_key.h"
#include "log/log.h"

#include <stdio.h>

#define ARENA_BYTES_MAX (CACHE_BATCH_MAX * (size_t)1024)

struct keys {
    char items[CACHE_BATCH_MAX][CACHE_KEY_BYTES];
    struct text views[CACHE_BATCH_MAX];
    size_t count;
};

/* `keys` has room: a round and a claim hold CACHE_BATCH_MAX messages at most. */
static struct text add_key(struct keys *keys, const struct message *message) {
    char *key = keys->items[keys->count];
    cache_key_of(message, key);
    return keys->views[keys->count++] = text_of(key);
}

void remembered_tell(struct dispatcher *dispatcher, struct delivery *const *deliveries,
                     size_t count) {
    static _Thread_local struct keys keys;
    static _Thread_local struct cache_delivery accepted[CACHE_BATCH_MAX];
    if (dispatcher->options.cache == NULL)
        return;
    keys.count = 0;
    for (size_t i = 0; i < count && keys.count < CACHE_BATCH_MAX; i++) {
        const struct outcome *outcome = &deliveries[i]->outcome;
        if (outcome->kind != OUTCOME_SENT)
            continue;
        size_t place = keys.count;
        accepted[place] = (struct cache_delivery){
            .message_id = add_key(&keys, delivery_message(deliveries[i])),
            .provider_id = text_of(outcome->provider_id),
            .accepted_at_ms = outcome->attempt.at_ms + outcome->attempt.duration_ms,
        };
    }
    if (keys.count > 0)
        cache_put(dispatcher->options.cache, accepted, keys.count);
}

/* The store says so in the message's last error. Of one that was sent before, and is to be sent
 * again because somebody wants it so, the cache may know that earlier time. */
static bool came_from_lost_claim(const struct message *message) {
    return message->sent_at_ms == 0 &&
           text_equal_string(message->error, ATTEMPT_LEASE_EXPIRED_TEXT);
}

static void decide(struct delivery *delivery, const struct cache_entry *entry) {
    struct outcome *outcome = &delivery->outcome;
    *outcome = (struct outcome){
        .kind = OUTCOME_SENT,
        .attempt = {.class = ATTEMPT_LEASE_EXPIRED, .at_ms = entry->accepted_at_ms}};
    snprintf(outcome->provider_id, sizeof outcome->provider_id, "%.*s",
             TEXT_ARGUMENT(entry->provider_id));
    log_info("accepted before its process died; not sent again",
             LOG_STRING("message", delivery_message(delivery)->id.text));
}

void remembered_ask(struct dispatcher *dispatcher, struct batch *batch) {
    static _Thread_local struct keys keys;
    static _Thread_local size_t indexes[CACHE_BATCH_MAX];
    static _Thread_local struct cache_entry entries[CACHE_BATCH_MAX];
    const struct claim *claim = batch->claim;
    keys.count = 0;
    for (size_t i = 0; i < claim->count && dispatcher->options.cache != NULL; i++)
        if (came_from_lost_claim(&claim->messages[i])) {
            indexes[keys.count] = i;
            add_key(&keys, &claim->messages[i]);
        }
    if (keys.count == 0)
        return;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    bool asked = cache_get(dispatcher->options.cache, keys.views, keys.count, &arena, entries);
    for (size_t i = 0; asked && i < keys.count; i++)
        if (entries[i].found)
            decide(&batch->deliveries[indexes[i]], &entries[i]);
    arena_deinit(&arena);
}
