/* The cache in Redis, under "posthaste:delivery:<message id>" the JSON object
 * {"message_id": the provider's id, "sent_at": RFC 3339 time}.
 *
 * One thread writes what was put; readers share one connection of their own. Whoever finds that
 * Redis does not do its part opens the breaker: from then on nothing is asked of it but by the
 * thread, which looks again and again until a write succeeds. */
#include "base/buffer.h"
#include "base/check.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/queue.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "cache/cache_ops.h"
#include "cache/redis_client.h"
#include "cache/redis_style.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "posthaste:delivery:"
#define VALUE_BYTES_MAX 4096
#define BACKOFF_US_MIN 100000
#define BACKOFF_US_MAX 5000000
#define IDLE_US 1000000 /* without anything to write, it is seen whether Redis is still there */

/* A delivery on its way to Redis; the provider's id follows the NUL of the message's. */
struct item {
    int64_t accepted_at_ms;
    size_t id_len, provider_len;
    char text[];
};

struct redis_cache {
    struct cache cache; /* first: it is the base */
    /* set once */
    struct redis_address address;
    int64_t ttl_ms, timeout_ms;
    enum redis_style style;
    struct thread thread;
    struct queue waiting;
    _Atomic bool up; /* read by all, changed under the monitor */
    /* guarded by the monitor */
    struct monitor monitor;
    struct error trouble;
    uint64_t put, done; /* deliveries handed over, and written or dropped since */
    bool ending;
    /* the thread's */
    struct redis_client writer;
    struct random random;
    int64_t backoff_us;
    struct item *items[CACHE_BATCH_MAX];
    /* guarded by `reading` */
    struct monitor reading;
    struct redis_client reader;
};

static struct redis_cache *redis_cache_of(struct cache *cache) {
    return (struct redis_cache *)cache;
}

/* True when that is news. Reader and writer may disagree at the same moment; the gauge goes with
 * the breaker, and before it, so that who sees the one sees the other. */
static bool turn(struct redis_cache *redis, bool up, const struct error *trouble) {
    monitor_lock(&redis->monitor);
    if (trouble != NULL)
        redis->trouble = *trouble;
    bool changed = atomic_load(&redis->up) != up;
    metrics_set(METRIC_CACHE_UP, up);
    atomic_store(&redis->up, up);
    monitor_unlock(&redis->monitor);
    return changed;
}

/* Opens the breaker; said once. */
static void go_down(struct redis_cache *redis, const struct error *error) {
    if (turn(redis, false, error))
        log_warn("the cache is away; going on without", LOG_STRING("reason", error->text));
}

static void come_up(struct redis_cache *redis) {
    if (turn(redis, true, NULL))
        log_info("the cache is back", LOG_NONE);
}

static void note_done(struct redis_cache *redis, size_t written, size_t dropped) {
    if (written > 0)
        metrics_add(METRIC_CACHE_WRITTEN, written);
    if (dropped > 0)
        metrics_add(METRIC_CACHE_DROPPED, dropped);
    monitor_lock(&redis->monitor);
    redis->done += written + dropped;
    monitor_signal(&redis->monitor);
    monitor_unlock(&redis->monitor);
}

static struct item *make_item(const struct cache_delivery *delivery) {
    size_t id = delivery->message_id.len, provider = delivery->provider_id.len;
    struct item *item = memory_zeroed(1, sizeof *item + id + provider + 2);
    item->accepted_at_ms = delivery->accepted_at_ms;
    item->id_len = id;
    item->provider_len = provider;
    memcpy(item->text, delivery->message_id.data, id);
    if (provider > 0)
        memcpy(item->text + id + 1, delivery->provider_id.data, provider);
    return item;
}

static void put(struct cache *cache, const struct cache_delivery *deliveries, size_t count) {
    struct redis_cache *redis = redis_cache_of(cache);
    size_t dropped = 0;
    monitor_lock(&redis->monitor);
    redis->put += count;
    monitor_unlock(&redis->monitor);
    for (size_t i = 0; i < count; i++) {
        if (!atomic_load(&redis->up)) {
            dropped++;
            continue;
        }
        struct item *item = make_item(&deliveries[i]);
        if (queue_push(&redis->waiting, item))
            continue;
        free(item);
        dropped++;
    }
    if (dropped > 0)
        note_done(redis, 0, dropped);
}

static bool flush(struct cache *cache, int64_t wait_ms) {
    struct redis_cache *redis = redis_cache_of(cache);
    int64_t end_us = clock_monotonic_us(&clock_system) + wait_ms * 1000;
    monitor_lock(&redis->monitor);
    uint64_t goal = redis->put;
    while (redis->done < goal) {
        int64_t left_us = end_us - clock_monotonic_us(&clock_system);
        if (left_us <= 0)
            break;
        monitor_wait_for(&redis->monitor, left_us);
    }
    bool all = redis->done >= goal;
    monitor_unlock(&redis->monitor);
    return all;
}

/* Writing */

/* Keys and values of a batch, one after the other in one buffer: our own, then a seed's. */
#define PAIRS_MAX (2 * CACHE_BATCH_MAX)
struct batch {
    struct buffer text;
    size_t starts[2 * PAIRS_MAX + 1];
    struct redis_pair pairs[PAIRS_MAX];
    size_t count;
};

static void write_own(struct batch *batch, const struct item *item) {
    size_t *starts = &batch->starts[2 * batch->count++];
    starts[0] = batch->text.len;
    buffer_append_string(&batch->text, KEY_PREFIX);
    buffer_append(&batch->text, (struct text){item->text, item->id_len});
    starts[1] = batch->text.len;
    struct json_writer json = json_writer_on(&batch->text);
    json_object_open(&json);
    json_member_text(&json, "message_id",
                     (struct text){item->text + item->id_len + 1, item->provider_len});
    json_member_time_ms(&json, "sent_at", item->accepted_at_ms);
    json_object_close(&json);
    starts[2] = batch->text.len;
}

/* The id that a seed's reader knows has no fingerprint. */
static void write_styled(struct batch *batch, enum redis_style style, const struct item *item) {
    struct text id = {item->text, item->id_len};
    const char *colon = memrchr(id.data, ':', id.len);
    if (colon != NULL)
        id.len = (size_t)(colon - id.data);
    const struct redis_style_delivery delivery = {
        id, {item->text + item->id_len + 1, item->provider_len}, item->accepted_at_ms};
    size_t *starts = &batch->starts[2 * batch->count];
    starts[0] = batch->text.len;
    if (!redis_style_write_key(style, &delivery, &batch->text))
        return;
    starts[1] = batch->text.len;
    redis_style_write_value(style, &delivery, &batch->text);
    starts[2] = batch->text.len;
    batch->count++;
}

static void make_pairs(struct batch *batch) {
    const char *data = batch->text.data;
    for (size_t i = 0; i < batch->count; i++) {
        const size_t *starts = &batch->starts[2 * i];
        batch->pairs[i].key = (struct text){data + starts[0], starts[1] - starts[0]};
        batch->pairs[i].value = (struct text){data + starts[1], starts[2] - starts[1]};
    }
}

static size_t write_batch(struct redis_cache *redis, size_t count, struct error *error) {
    static _Thread_local struct batch batch;
    struct redis_batch set = {batch.pairs, 0, redis->ttl_ms, 0};
    batch.count = 0;
    buffer_init(&batch.text, PAIRS_MAX * (size_t)VALUE_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        write_own(&batch, redis->items[i]);
    for (size_t i = 0; i < count; i++)
        write_styled(&batch, redis->style, redis->items[i]);
    if (!batch.text.overflowed) {
        make_pairs(&batch);
        set.count = batch.count;
        redis_client_allow(&redis->writer, redis->timeout_ms);
        redis_client_set(&redis->writer, &set, error);
    }
    buffer_deinit(&batch.text);
    return set.taken < count ? set.taken : count;
}

static void drop_items(struct redis_cache *redis, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(redis->items[i]);
}

/* True when the connection is there. */
static bool connect_writer(struct redis_cache *redis) {
    struct error error;
    if (redis->writer.link != NULL && atomic_load(&redis->up))
        return true;
    redis_client_allow(&redis->writer, redis->timeout_ms);
    if (redis_client_open(&redis->writer, &redis->address, &error) == STATUS_OK &&
        redis_client_probe(&redis->writer, &error) == STATUS_OK) {
        come_up(redis);
        return true;
    }
    go_down(redis, &error);
    return false;
}

static bool is_ending(struct redis_cache *redis) {
    monitor_lock(&redis->monitor);
    bool ending = redis->ending;
    monitor_unlock(&redis->monitor);
    return ending;
}

/* What waits while Redis is away is of no use later: others come. */
static void drop_waiting(struct redis_cache *redis) {
    size_t count;
    while ((count = queue_pop(&redis->waiting, (void **)redis->items, CACHE_BATCH_MAX, 0)) > 0) {
        drop_items(redis, count);
        note_done(redis, 0, count);
    }
}

/* Each wait about twice as long as the one before, and by a quarter not quite alike. */
static void pause_before_retry(struct redis_cache *redis) {
    redis->backoff_us = redis->backoff_us == 0 ? BACKOFF_US_MIN : redis->backoff_us * 2;
    if (redis->backoff_us > BACKOFF_US_MAX)
        redis->backoff_us = BACKOFF_US_MAX;
    uint64_t spread = random_below(&redis->random, (uint64_t)redis->backoff_us / 4);
    int64_t end_us = clock_monotonic_us(&clock_system) + redis->backoff_us - (int64_t)spread;
    monitor_lock(&redis->monitor);
    while (!redis->ending && clock_monotonic_us(&clock_system) < end_us)
        monitor_wait_for(&redis->monitor, end_us - clock_monotonic_us(&clock_system));
    monitor_unlock(&redis->monitor);
}

/* A batch, or where there is none, a probe. False when Redis does not do its part. */
static bool write_waiting(struct redis_cache *redis) {
    size_t count = queue_pop(&redis->waiting, (void **)redis->items, CACHE_BATCH_MAX, IDLE_US);
    size_t taken = 0;
    struct error error;
    if (count > 0) {
        taken = write_batch(redis, count, &error);
    } else {
        redis_client_allow(&redis->writer, redis->timeout_ms);
        redis_client_probe(&redis->writer, &error);
    }
    bool works = redis->writer.link != NULL;
    if (!works)
        go_down(redis, &error);
    drop_items(redis, count);
    note_done(redis, taken, count - taken);
    return works;
}

static void run(void *argument) {
    struct redis_cache *redis = argument;
    while (!is_ending(redis)) {
        bool connected = connect_writer(redis);
        if (connected && write_waiting(redis)) {
            redis->backoff_us = 0;
            continue;
        }
        if (!connected)
            drop_waiting(redis);
        pause_before_retry(redis);
    }
}

/* Reading */

static bool parse_value(struct text value, struct arena *arena, struct cache_entry *entry) {
    if (value.data == NULL || value.len > VALUE_BYTES_MAX)
        return false;
    json_t *root = json_loadb(value.data, value.len, 0, NULL);
    const char *id = json_string_value(json_object_get(root, "message_id"));
    const char *at = json_string_value(json_object_get(root, "sent_at"));
    bool good = id != NULL && at != NULL && timestamp_parse(text_of(at), &entry->accepted_at_ms);
    if (good)
        entry->provider_id = arena_copy(arena, text_of(id));
    json_decref(root);
    return good && entry->provider_id.data != NULL;
}

/* "posthaste:delivery:…" of each id, in the arena. */
static struct text *make_keys(const struct text *ids, size_t count, struct arena *arena) {
    struct text *keys = arena_alloc(arena, count * sizeof *keys);
    for (size_t i = 0; keys != NULL && i < count; i++) {
        size_t length = sizeof KEY_PREFIX - 1 + ids[i].len;
        char *key = arena_alloc(arena, length + 1);
        if (key == NULL)
            return NULL;
        memcpy(key, KEY_PREFIX, sizeof KEY_PREFIX - 1);
        memcpy(key + sizeof KEY_PREFIX - 1, ids[i].data, ids[i].len);
        keys[i] = (struct text){key, length};
    }
    return keys;
}

/* Called with `reading` locked. */
static enum status ask(struct redis_cache *redis, const struct text *keys, size_t count,
                       struct text *values, struct error *error) {
    enum status status = STATUS_OK;
    redis_client_allow(&redis->reader, redis->timeout_ms);
    if (!redis_client_is_open(&redis->reader))
        status = redis_client_open(&redis->reader, &redis->address, error);
    if (status == STATUS_OK)
        status = redis_client_get(&redis->reader, keys, count, values, error);
    return status;
}

static bool get(struct cache *cache, const struct text *ids, size_t count, struct arena *arena,
                struct cache_entry *entries) {
    struct redis_cache *redis = redis_cache_of(cache);
    const struct text *keys = make_keys(ids, count, arena);
    struct text *values = arena_alloc(arena, count * sizeof *values);
    struct error error;
    if (keys == NULL || values == NULL)
        return false;
    monitor_lock(&redis->reading);
    /* Whoever waited for one that found it away need not find out himself. */
    bool asked = atomic_load(&redis->up) && ask(redis, keys, count, values, &error) == STATUS_OK;
    if (!asked && atomic_load(&redis->up))
        go_down(redis, &error);
    for (size_t i = 0; asked && i < count; i++)
        entries[i].found = parse_value(values[i], arena, &entries[i]);
    monitor_unlock(&redis->reading);
    return asked;
}

static bool is_healthy(struct cache *cache, struct error *error) {
    struct redis_cache *redis = redis_cache_of(cache);
    if (atomic_load(&redis->up))
        return true;
    monitor_lock(&redis->monitor);
    *error = redis->trouble;
    monitor_unlock(&redis->monitor);
    return false;
}

static void destroy(struct cache *cache) {
    struct redis_cache *redis = redis_cache_of(cache);
    monitor_lock(&redis->monitor);
    redis->ending = true;
    monitor_signal(&redis->monitor);
    monitor_unlock(&redis->monitor);
    queue_close(&redis->waiting);
    thread_join(&redis->thread);
    drop_waiting(redis);
    queue_deinit(&redis->waiting);
    redis_client_close(&redis->writer);
    redis_client_close(&redis->reader);
    redis_address_deinit(&redis->address);
    monitor_deinit(&redis->monitor);
    monitor_deinit(&redis->reading);
    free(redis);
}

static const struct cache_ops redis_ops = {
    .kind = "redis",
    .destroy = destroy,
    .put = put,
    .flush = flush,
    .get = get,
    .is_healthy = is_healthy,
};

enum status cache_redis_create(struct cache **cache, const struct cache_options *options,
                               struct error *error) {
    struct redis_address address;
    enum redis_style style = REDIS_STYLE_OWN;
    if (options->key_style != NULL && !redis_style_from_name(options->key_style, &style))
        return error_set(error, STATUS_INVALID, "REDIS_KEY_STYLE must be posthaste or 000 to 004");
    enum status status = redis_address_init(&address, options->url, error);
    if (status != STATUS_OK)
        return status;
    struct redis_cache *redis = memory_zeroed(1, sizeof *redis);
    redis->cache.ops = &redis_ops;
    redis->address = address;
    redis->ttl_ms = options->ttl_ms;
    redis->timeout_ms = options->timeout_ms;
    redis->style = style;
    redis->random = random_from_system();
    atomic_init(&redis->up, true);
    monitor_init(&redis->monitor);
    monitor_init(&redis->reading);
    queue_init(&redis->waiting, CACHE_WAITING_MAX);
    metrics_set(METRIC_CACHE_UP, 1);
    status = thread_start(&redis->thread, "cache", run, redis, error);
    if (status != STATUS_OK)
        destroy(&redis->cache);
    else
        *cache = &redis->cache;
    return status;
}
