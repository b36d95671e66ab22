/* Runs the same cases on every back end of the cache; see cache.h. */
#include "base/memory.h"
#include "cache/cache.h"
#include "support/fake_clock.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TTL_MS 3600000
#define TIMEOUT_MS 5000
#define PATIENCE_MS 20000
#define NAME_BYTES_MAX 160
#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define AT_MS 1760000000123

struct fixture {
    struct cache *cache;
    struct fake_clock clock;
    struct arena arena;
    char prefix[64]; /* of this case's ids: the server is shared */
    char ids[CACHE_BATCH_MAX][96];
    struct text views[CACHE_BATCH_MAX];
    struct cache_entry entries[CACHE_BATCH_MAX];
};

struct cache_case {
    const char *name;
    void (*run)(struct fixture *fixture);
};

struct run {
    const char *back_end;
    const struct cache_case *item;
    char name[NAME_BYTES_MAX];
    struct fixture *fixture;
};

static struct text id_of(struct fixture *fixture, size_t number) {
    snprintf(fixture->ids[number], sizeof fixture->ids[number], "%s-%zu", fixture->prefix, number);
    return fixture->views[number] = text_of(fixture->ids[number]);
}

static void put(struct fixture *fixture, size_t number, const char *provider_id) {
    const struct cache_delivery delivery = {id_of(fixture, number), text_of(provider_id),
                                            AT_MS + (int64_t)number};
    cache_put(fixture->cache, &delivery, 1);
}

static void flush(struct fixture *fixture) {
    assert_true(cache_flush(fixture->cache, PATIENCE_MS));
}

static void look_up(struct fixture *fixture, size_t count) {
    for (size_t i = 0; i < count; i++)
        id_of(fixture, i);
    assert_true(
        cache_get(fixture->cache, fixture->views, count, &fixture->arena, fixture->entries));
}

static void what_was_put_is_found(struct fixture *fixture) {
    put(fixture, 0, "67f2f8a8-ea58-4ed0-a6f9-ff217df4d849");
    flush(fixture);
    look_up(fixture, 1);
    assert_true(fixture->entries[0].found);
    assert_text(fixture->entries[0].provider_id, "67f2f8a8-ea58-4ed0-a6f9-ff217df4d849");
    assert_int_equal(fixture->entries[0].accepted_at_ms, AT_MS);
}

static void what_was_not_put_is_not_found(struct fixture *fixture) {
    put(fixture, 1, "x");
    flush(fixture);
    look_up(fixture, 3);
    assert_false(fixture->entries[0].found);
    assert_true(fixture->entries[1].found);
    assert_false(fixture->entries[2].found);
}

static void a_provider_id_may_be_missing(struct fixture *fixture) {
    put(fixture, 0, "");
    flush(fixture);
    look_up(fixture, 1);
    assert_true(fixture->entries[0].found);
    assert_int_equal(fixture->entries[0].provider_id.len, 0);
}

static void any_provider_id_survives(struct fixture *fixture) {
    static const char *const ids[] = {"\"quoted\"", "back\\slash", "ğü \xF0\x9F\x98\x80", "{}",
                                      "line\r\nend"};
    for (size_t i = 0; i < 5; i++)
        put(fixture, i, ids[i]);
    flush(fixture);
    look_up(fixture, 5);
    for (size_t i = 0; i < 5; i++)
        assert_text(fixture->entries[i].provider_id, ids[i]);
}

static void the_last_one_put_counts(struct fixture *fixture) {
    put(fixture, 0, "first");
    put(fixture, 0, "second");
    flush(fixture);
    look_up(fixture, 1);
    assert_text(fixture->entries[0].provider_id, "second");
}

static void the_largest_batch_goes_through(struct fixture *fixture) {
    static struct cache_delivery deliveries[CACHE_BATCH_MAX];
    for (size_t i = 0; i < CACHE_BATCH_MAX; i++)
        deliveries[i] = (struct cache_delivery){id_of(fixture, i), TEXT_LITERAL("provider"),
                                                AT_MS + (int64_t)i};
    cache_put(fixture->cache, deliveries, CACHE_BATCH_MAX);
    cache_put(fixture->cache, deliveries, CACHE_BATCH_MAX);
    flush(fixture);
    look_up(fixture, CACHE_BATCH_MAX);
    for (size_t i = 0; i < CACHE_BATCH_MAX; i++) {
        assert_true(fixture->entries[i].found);
        assert_int_equal(fixture->entries[i].accepted_at_ms, AT_MS + (int64_t)i);
    }
}

static void a_batch_may_be_empty(struct fixture *fixture) {
    const struct cache_delivery none = {0};
    cache_put(fixture->cache, &none, 0);
    flush(fixture);
}

static void it_is_healthy_and_says_its_kind(struct fixture *fixture) {
    struct error error;
    assert_true(cache_is_healthy(fixture->cache, &error));
    const char *kind = cache_kind(fixture->cache);
    assert_true(strcmp(kind, "memory") == 0 || strcmp(kind, "redis") == 0);
}

static void what_it_is_given_is_copied(struct fixture *fixture) {
    char id[96], provider[16] = "before";
    snprintf(id, sizeof id, "%s-0", fixture->prefix);
    const struct cache_delivery delivery = {text_of(id), text_of(provider), AT_MS};
    cache_put(fixture->cache, &delivery, 1);
    memset(provider, 'x', sizeof provider);
    memset(id, 'x', sizeof id);
    flush(fixture);
    look_up(fixture, 1);
    assert_text(fixture->entries[0].provider_id, "before");
}

#define CASE(function)                                                                             \
    { #function, function }

static const struct cache_case shared_cases[] = {
    CASE(what_was_put_is_found),        CASE(what_was_not_put_is_not_found),
    CASE(a_provider_id_may_be_missing), CASE(any_provider_id_survives),
    CASE(the_last_one_put_counts),      CASE(the_largest_batch_goes_through),
    CASE(a_batch_may_be_empty),         CASE(it_is_healthy_and_says_its_kind),
    CASE(what_it_is_given_is_copied),
};
#define SHARED_CASES (sizeof shared_cases / sizeof shared_cases[0])

/* The memory cache alone: its clock can be moved, and its size is known. */

static void an_entry_is_gone_after_its_time(struct fixture *fixture) {
    put(fixture, 0, "x");
    fake_clock_advance_ms(&fixture->clock, TTL_MS - 1);
    look_up(fixture, 1);
    assert_true(fixture->entries[0].found);
    fake_clock_advance_ms(&fixture->clock, 1);
    look_up(fixture, 1);
    assert_false(fixture->entries[0].found);
}

static void the_wall_clock_does_not_end_it(struct fixture *fixture) {
    put(fixture, 0, "x");
    fake_clock_jump_wall_ms(&fixture->clock, 2 * (int64_t)TTL_MS);
    look_up(fixture, 1);
    assert_true(fixture->entries[0].found);
    fake_clock_jump_wall_ms(&fixture->clock, -4 * (int64_t)TTL_MS);
    fake_clock_advance_ms(&fixture->clock, TTL_MS);
    look_up(fixture, 1);
    assert_false(fixture->entries[0].found);
}

static void the_oldest_make_room(struct fixture *fixture) {
    char id[32];
    for (int i = 0; i < CACHE_MEMORY_ENTRIES_MAX + 2; i++) {
        snprintf(id, sizeof id, "many-%d", i);
        const struct cache_delivery delivery = {text_of(id), TEXT_LITERAL("x"), AT_MS};
        cache_put(fixture->cache, &delivery, 1);
    }
    const struct text ids[] = {TEXT_LITERAL("many-0"), TEXT_LITERAL("many-1"),
                               TEXT_LITERAL("many-2"), text_of(id)};
    assert_true(cache_get(fixture->cache, ids, 4, &fixture->arena, fixture->entries));
    assert_false(fixture->entries[0].found);
    assert_false(fixture->entries[1].found);
    assert_true(fixture->entries[2].found);
    assert_true(fixture->entries[3].found);
}

static const struct cache_case memory_cases[] = {
    CASE(an_entry_is_gone_after_its_time),
    CASE(the_wall_clock_does_not_end_it),
    CASE(the_oldest_make_room),
};
#define MEMORY_CASES (sizeof memory_cases / sizeof memory_cases[0])

static int set_up(void **state) {
    static int fixtures;
    struct run *run = *state;
    struct fixture *fixture = memory_zeroed(1, sizeof *fixture);
    struct error error;
    fake_clock_init(&fixture->clock);
    arena_init(&fixture->arena, ARENA_BYTES_MAX);
    snprintf(fixture->prefix, sizeof fixture->prefix, "case-%d-%d", (int)getpid(), ++fixtures);
    const struct cache_options options = {.url = run->back_end,
                                          .ttl_ms = TTL_MS,
                                          .timeout_ms = TIMEOUT_MS,
                                          .clock = &fixture->clock.clock};
    run->fixture = fixture;
    if (cache_create(&fixture->cache, &options, &error) == STATUS_OK)
        return 0;
    print_error("%s\n", error.text);
    return 1;
}

static int tear_down(void **state) {
    struct run *run = *state;
    cache_destroy(run->fixture->cache);
    arena_deinit(&run->fixture->arena);
    free(run->fixture);
    return 0;
}

static void run_case(void **state) {
    struct run *run = *state;
    run->item->run(run->fixture);
}

static struct CMUnitTest make_test(struct run *run, const char *back_end,
                                   const struct cache_case *item) {
    *run = (struct run){.back_end = back_end, .item = item};
    int kind = (int)strcspn(back_end, ":");
    snprintf(run->name, sizeof run->name, "%.*s: %s", kind, back_end, item->name);
    for (char *at = run->name; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return (struct CMUnitTest){run->name, run_case, set_up, tear_down, run};
}

int main(void) {
    static struct run runs[2 * SHARED_CASES + MEMORY_CASES];
    struct CMUnitTest tests[2 * SHARED_CASES + MEMORY_CASES];
    const char *redis = getenv("POSTHASTE_TEST_REDIS_URL");
    size_t count = 0;
    if (redis == NULL) {
        fprintf(stderr, "POSTHASTE_TEST_REDIS_URL is not set; run the tests with tests/run.py\n");
        return 1;
    }
    for (size_t i = 0; i < SHARED_CASES; i++, count++)
        tests[count] = make_test(&runs[count], "memory:", &shared_cases[i]);
    for (size_t i = 0; i < SHARED_CASES; i++, count++)
        tests[count] = make_test(&runs[count], redis, &shared_cases[i]);
    for (size_t i = 0; i < MEMORY_CASES; i++, count++)
        tests[count] = make_test(&runs[count], "memory:", &memory_cases[i]);
    return _cmocka_run_group_tests("cache", tests, count, NULL, NULL);
}
