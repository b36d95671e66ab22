#include "api/rate_limit.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/crypto.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

/* Each microsecond adds `per_minute` drops, and a minute's worth of microseconds of them are a
 * token: so everything is whole numbers, and nothing is lost by rounding. */
#define DROPS_IN_TOKEN INT64_C(60000000)
#define US_PER_S INT64_C(1000000)
#define NOBODY UINT32_MAX

struct slot {
    char caller[RATE_LIMIT_CALLER_BYTES];
    size_t caller_len;
    int64_t drops; /* at `at_us` */
    int64_t at_us;
    uint32_t next;         /* in its chain */
    uint32_t newer, older; /* in the order of use */
};

struct rate_limit {
    /* set once */
    int64_t per_minute;
    int64_t burst;
    size_t slots_max;
    size_t chains_max; /* a power of two */
    uint64_t seed;
    /* guarded by the monitor */
    struct monitor monitor;
    struct slot *slots;
    size_t slots_used;
    uint32_t *chains; /* the first slot of each */
    uint32_t newest, oldest;
};

struct rate_limit *rate_limit_create(const struct rate_limit_options *options) {
    check(options->per_minute >= 1 && options->per_minute <= RATE_LIMIT_TOKENS_MAX);
    check(options->burst >= 0 && options->burst <= RATE_LIMIT_TOKENS_MAX);
    check(options->callers_max >= 1 && options->callers_max <= RATE_LIMIT_CALLERS_MAX);
    struct rate_limit *limit = memory_zeroed(1, sizeof *limit);
    struct random random = random_from_system();
    *limit = (struct rate_limit){
        .per_minute = options->per_minute,
        .burst = options->burst > 0 ? options->burst : options->per_minute,
        .slots_max = options->callers_max,
        .chains_max = 1,
        .seed = random_next(&random),
        .newest = NOBODY,
        .oldest = NOBODY,
    };
    while (limit->chains_max < limit->slots_max)
        limit->chains_max *= 2;
    limit->slots = memory_zeroed(limit->slots_max, sizeof *limit->slots);
    limit->chains = memory_zeroed(limit->chains_max, sizeof *limit->chains);
    for (size_t i = 0; i < limit->chains_max; i++)
        limit->chains[i] = NOBODY;
    monitor_init(&limit->monitor);
    return limit;
}

void rate_limit_destroy(struct rate_limit *limit) {
    if (limit == NULL)
        return;
    monitor_deinit(&limit->monitor);
    free(limit->slots);
    free(limit->chains);
    free(limit);
}

/* FNV-1a, from a beginning that nobody outside knows. */
static uint32_t *chain_of(struct rate_limit *limit, struct text caller) {
    uint64_t hash = limit->seed;
    for (size_t i = 0; i < caller.len; i++)
        hash = (hash ^ (unsigned char)caller.data[i]) * 1099511628211u;
    return &limit->chains[(hash ^ hash >> 32) & (limit->chains_max - 1)];
}

static struct text caller_of(const struct slot *slot) {
    return (struct text){slot->caller, slot->caller_len};
}

/* Where the number of the caller's slot stands, or NOBODY at the end of its chain. */
static uint32_t *find(struct rate_limit *limit, struct text caller) {
    uint32_t *place = chain_of(limit, caller);
    while (*place != NOBODY && !text_equal(caller_of(&limit->slots[*place]), caller))
        place = &limit->slots[*place].next;
    return place;
}

static void unlink_use(struct rate_limit *limit, const struct slot *slot) {
    *(slot->newer != NOBODY ? &limit->slots[slot->newer].older : &limit->newest) = slot->older;
    *(slot->older != NOBODY ? &limit->slots[slot->older].newer : &limit->oldest) = slot->newer;
}

static void link_newest(struct rate_limit *limit, uint32_t number) {
    struct slot *slot = &limit->slots[number];
    slot->newer = NOBODY;
    slot->older = limit->newest;
    *(limit->newest != NOBODY ? &limit->slots[limit->newest].newer : &limit->oldest) = number;
    limit->newest = number;
}

/* A slot that stands in no chain and no order. */
static uint32_t free_slot(struct rate_limit *limit) {
    if (limit->slots_used < limit->slots_max)
        return (uint32_t)limit->slots_used++;
    uint32_t number = limit->oldest;
    struct slot *slot = &limit->slots[number];
    uint32_t *place = find(limit, caller_of(slot));
    check(*place == number);
    *place = slot->next;
    unlink_use(limit, slot);
    return number;
}

static struct slot *slot_of(struct rate_limit *limit, struct text caller, int64_t now_us) {
    uint32_t number = *find(limit, caller);
    if (number != NOBODY) {
        unlink_use(limit, &limit->slots[number]);
        link_newest(limit, number);
        return &limit->slots[number];
    }
    number = free_slot(limit);
    uint32_t *chain = chain_of(limit, caller);
    struct slot *slot = &limit->slots[number];
    *slot = (struct slot){
        .caller_len = caller.len,
        .drops = limit->burst * DROPS_IN_TOKEN,
        .at_us = now_us,
        .next = *chain,
    };
    if (caller.len > 0)
        memcpy(slot->caller, caller.data, caller.len);
    *chain = number;
    link_newest(limit, number);
    return slot;
}

static int64_t divide_up(int64_t value, int64_t by) {
    return value / by + (value % by > 0);
}

static void refill(const struct rate_limit *limit, struct slot *slot, int64_t now_us) {
    if (now_us <= slot->at_us)
        return;
    int64_t missing = limit->burst * DROPS_IN_TOKEN - slot->drops;
    int64_t elapsed_us = now_us - slot->at_us;
    /* Asked first, because the product below could overflow. */
    bool is_full = elapsed_us >= divide_up(missing, limit->per_minute);
    slot->drops += is_full ? missing : elapsed_us * limit->per_minute;
    slot->at_us = now_us;
}

static int64_t seconds_for(const struct rate_limit *limit, int64_t drops) {
    return divide_up(drops, limit->per_minute * US_PER_S);
}

static struct rate_verdict take(const struct rate_limit *limit, struct slot *slot) {
    bool allowed = slot->drops >= DROPS_IN_TOKEN;
    if (allowed)
        slot->drops -= DROPS_IN_TOKEN;
    return (struct rate_verdict){
        .allowed = allowed,
        .limit = limit->burst,
        .remaining = slot->drops / DROPS_IN_TOKEN,
        .reset_s = seconds_for(limit, limit->burst * DROPS_IN_TOKEN - slot->drops),
        .retry_after_s = allowed ? 0 : seconds_for(limit, DROPS_IN_TOKEN - slot->drops),
    };
}

struct rate_verdict rate_limit_take(struct rate_limit *limit, struct text caller, int64_t now_us) {
    unsigned char digest[SHA256_BYTES];
    if (caller.len > RATE_LIMIT_CALLER_BYTES) {
        sha256(caller, digest);
        caller = (struct text){(const char *)digest, sizeof digest};
    }
    monitor_lock(&limit->monitor);
    struct slot *slot = slot_of(limit, caller, now_us);
    refill(limit, slot, now_us);
    struct rate_verdict verdict = take(limit, slot);
    monitor_unlock(&limit->monitor);
    return verdict;
}
