#include "base/memory.h"
#include "base/thread.h"
#include "contract/store_cases.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct message_draft keyed(const char *key, const char *fingerprint) {
    return (struct message_draft){.recipient = TEXT_LITERAL(RECIPIENT),
                                  .content = TEXT_LITERAL("hello"),
                                  .key = text_of(key),
                                  .fingerprint = text_of(fingerprint)};
}

static struct message_id insert_keyed(struct store_fixture *fixture, const char *key) {
    struct message_draft draft = keyed(key, "a fingerprint");
    return insert_draft(fixture, &draft);
}

static void find_keys(struct store_fixture *fixture, struct store_key *keys, size_t count) {
    assert_ok(store_find_keys(fixture->session, keys, count, &fixture->error), &fixture->error);
}

static bool is_found(struct store_fixture *fixture, const char *key) {
    struct store_key found = {.key = text_of(key)};
    find_keys(fixture, &found, 1);
    return found.found;
}

static void assert_key(struct store_fixture *fixture, const char *key, struct message_id id) {
    struct store_key found = {.key = text_of(key)};
    find_keys(fixture, &found, 1);
    assert_true(found.found);
    assert_string_equal(found.id.text, id.text);
}

static void assert_conflict(struct store_fixture *fixture, const struct message_draft *drafts,
                            size_t count) {
    struct message_id ids[8];
    fixture->error.text[0] = '\0';
    assert_int_equal(store_insert(fixture->session, drafts, count, ids, &fixture->error),
                     STATUS_CONFLICT);
    assert_true(fixture->error.text[0] != '\0');
}

static int64_t count_all(struct store_fixture *fixture) {
    struct store_query query = {0};
    return read_total(fixture, &query).count;
}

static void a_key_leads_to_its_message(struct store_fixture *fixture) {
    insert_messages(fixture, 3, NULL);
    struct message_draft draft = keyed("order-7", "sha256 of it");
    struct message_id id = insert_draft(fixture, &draft);
    struct store_key key = {.key = TEXT_LITERAL("order-7")};
    find_keys(fixture, &key, 1);
    assert_true(key.found);
    assert_string_equal(key.id.text, id.text);
    assert_string_equal(key.fingerprint, "sha256 of it");
    settle_everything_due(fixture, sent(""));
    assert_key(fixture, "order-7", id);
}

static void keys_are_answered_in_the_order_of_the_question(struct store_fixture *fixture) {
    struct message_draft drafts[4] = {keyed("d", "4"), keyed("b", ""), keyed(NULL, NULL),
                                      keyed("a", "1")};
    struct message_id ids[4];
    assert_ok(store_insert(fixture->session, drafts, 4, ids, &fixture->error), &fixture->error);
    struct store_key keys[] = {
        {.key = TEXT_LITERAL("a")}, {.key = TEXT_LITERAL("unknown"), .found = true},
        {.key = TEXT_LITERAL("b")}, {.key = TEXT_LITERAL("a")},
        {.key = TEXT_LITERAL("d")},
    };
    static const int places[] = {3, -1, 1, 3, 0};
    find_keys(fixture, keys, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(keys[i].found, places[i] >= 0);
        if (places[i] < 0)
            continue;
        assert_string_equal(keys[i].id.text, ids[places[i]].text);
        assert_true(text_equal_string(drafts[places[i]].fingerprint, keys[i].fingerprint));
    }
}

static void a_key_that_is_taken_undoes_the_whole_batch(struct store_fixture *fixture) {
    struct message_id first = insert_keyed(fixture, "taken");
    struct message_draft again[4] = {keyed(NULL, NULL), keyed("new", ""), keyed("taken", ""),
                                     keyed(NULL, NULL)};
    assert_conflict(fixture, again, 4);
    assert_conflict(fixture, &again[2], 1);
    assert_int_equal(count_all(fixture), 1);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_PENDING], 1);
    assert_false(is_found(fixture, "new"));
    assert_key(fixture, "taken", first);
    struct claim *claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &first, 1);
    struct message_id second = insert_keyed(fixture, "new");
    assert_true(id_is_later(second, first));
    assert_key(fixture, "new", second);
}

static void a_key_stands_once_in_a_batch(struct store_fixture *fixture) {
    struct message_draft drafts[3] = {keyed("same", "1"), keyed("other", "2"), keyed("same", "1")};
    assert_conflict(fixture, drafts, 3);
    assert_int_equal(count_all(fixture), 0);
    assert_false(is_found(fixture, "same"));
    assert_false(is_found(fixture, "other"));
    insert_keyed(fixture, "same");
}

static void messages_without_a_key_have_none_in_common(struct store_fixture *fixture) {
    struct message_draft drafts[3] = {keyed(NULL, NULL), keyed("", ""), keyed("", "x")};
    struct message_id ids[3];
    assert_ok(store_insert(fixture->session, drafts, 3, ids, &fixture->error), &fixture->error);
    assert_ok(store_insert(fixture->session, drafts, 3, ids, &fixture->error), &fixture->error);
    assert_int_equal(count_all(fixture), 6);
}

static void keys_are_told_apart_by_every_byte(struct store_fixture *fixture) {
    static const char *const keys[] = {
        "a",  "A",  "a ",         " a",   "ab",   "\xC3\xA4", "a\xCC\x88", "\xC3\x84",         "'",
        "\"", "\\", "{a,b}",      "NULL", "null", "%",        "_",         "\xF4\x8F\xBF\xBF", "1",
        "01", "\n", "$1::text[]",
    };
    enum { COUNT = sizeof keys / sizeof keys[0] };
    struct message_id ids[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        ids[i] = insert_keyed(fixture, keys[i]);
    for (size_t i = 0; i < COUNT; i++)
        assert_key(fixture, keys[i], ids[i]);
}

static void the_longest_key_is_kept_whole(struct store_fixture *fixture) {
    char key[MESSAGE_KEY_BYTES_MAX + 1] = "", fingerprint[MESSAGE_FINGERPRINT_BYTES_MAX + 1] = "";
    memset(key, 'k', sizeof key - 1);
    memset(fingerprint, 'f', sizeof fingerprint - 1);
    struct message_draft draft = keyed(key, fingerprint);
    struct message_id id = insert_draft(fixture, &draft);
    struct store_key found = {.key = text_of(key)};
    find_keys(fixture, &found, 1);
    assert_true(found.found);
    assert_string_equal(found.id.text, id.text);
    assert_string_equal(found.fingerprint, fingerprint);
    key[sizeof key - 2] = 'l';
    assert_false(is_found(fixture, key));
    insert_keyed(fixture, key);
}

static void a_key_is_forgotten_after_its_time(struct store_fixture *fixture) {
    struct message_id first = insert_keyed(fixture, "old");
    fake_clock_advance_ms(&fixture->clock, STORE_KEY_AGE_MS);
    struct message_id second = insert_keyed(fixture, "young");
    assert_key(fixture, "old", first);
    fake_clock_advance_ms(&fixture->clock, 1);
    insert_keyed(fixture, "youngest");
    assert_false(is_found(fixture, "old"));
    assert_key(fixture, "young", second);
    struct message_id again = insert_keyed(fixture, "old");
    assert_key(fixture, "old", again);
    assert_true(id_is_later(again, second));
    assert_int_equal(count_all(fixture), 4);
}

static void many_keys_are_forgotten_a_few_at_a_time(struct store_fixture *fixture) {
    enum { MANY = 500, TURNS_MAX = 50 };
    struct message_draft drafts[MANY];
    struct message_id ids[MANY];
    struct store_key keys[MANY] = {0};
    char names[MANY][16];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "key-%zu", i);
        drafts[i] = keyed(names[i], "");
        keys[i].key = text_of(names[i]);
    }
    assert_ok(store_insert(fixture->session, drafts, MANY, ids, &fixture->error), &fixture->error);
    fake_clock_advance_ms(&fixture->clock, STORE_KEY_AGE_MS + 1);
    size_t left = MANY;
    for (size_t turn = 0; left > 0 && turn < TURNS_MAX; turn++) {
        char name[16];
        snprintf(name, sizeof name, "new-%zu", turn);
        insert_keyed(fixture, name);
        find_keys(fixture, keys, MANY);
        left = 0;
        for (size_t i = 0; i < MANY; i++)
            left += keys[i].found;
    }
    assert_int_equal(left, 0);
    assert_true(is_found(fixture, "new-0"));
}

/* Two threads insert under the same keys, each key at the same moment. */
#define RACES 100
#define RACERS 2
struct race {
    _Atomic size_t arrived;
    struct racer {
        struct race *race;
        struct store_session *session;
        struct thread thread;
        enum status outcomes[RACES];
        struct message_id ids[RACES];
    } racers[RACERS];
};

static void run_race(void *argument) {
    struct racer *racer = argument;
    for (size_t i = 0; i < RACES; i++) {
        char name[16];
        struct error error;
        snprintf(name, sizeof name, "race-%zu", i);
        struct message_draft draft = keyed(name, "");
        atomic_fetch_add(&racer->race->arrived, 1);
        while (atomic_load(&racer->race->arrived) < RACERS * (i + 1))
            sched_yield();
        racer->outcomes[i] = store_insert(racer->session, &draft, 1, &racer->ids[i], &error);
    }
}

static void of_two_with_one_key_one_wins(struct store_fixture *fixture) {
    static struct race race;
    race = (struct race){.racers = {{.session = fixture->session}, {.session = fixture->other}}};
    for (size_t i = 0; i < RACERS; i++) {
        race.racers[i].race = &race;
        assert_ok(thread_start(&race.racers[i].thread, "racer", run_race, &race.racers[i],
                               &fixture->error),
                  &fixture->error);
    }
    for (size_t i = 0; i < RACERS; i++)
        thread_join(&race.racers[i].thread);
    for (size_t i = 0; i < RACES; i++) {
        char name[16];
        snprintf(name, sizeof name, "race-%zu", i);
        const struct racer *first = &race.racers[0], *second = &race.racers[1];
        const struct racer *winner = first->outcomes[i] == STATUS_OK ? first : second;
        const struct racer *loser = winner == first ? second : first;
        assert_int_equal(winner->outcomes[i], STATUS_OK);
        assert_int_equal(loser->outcomes[i], STATUS_CONFLICT);
        assert_key(fixture, name, winner->ids[i]);
    }
    assert_int_equal(count_all(fixture), RACES);
}

static void a_large_batch_may_be_full_of_keys(struct store_fixture *fixture) {
    enum { MANY = 10000 };
    struct message_draft *drafts = memory_zeroed(MANY, sizeof *drafts);
    struct message_id *ids = memory_zeroed(MANY, sizeof *ids);
    char(*names)[16] = memory_zeroed(MANY, sizeof *names);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        drafts[i] = keyed(names[i], "");
    }
    assert_ok(store_insert(fixture->session, drafts, MANY, ids, &fixture->error), &fixture->error);
    assert_key(fixture, "0", ids[0]);
    assert_key(fixture, "5555", ids[5555]);
    assert_key(fixture, "9999", ids[MANY - 1]);
    free(drafts);
    free(ids);
    free(names);
}

static const struct store_case cases[] = {
    STORE_CASE(a_key_leads_to_its_message),
    STORE_CASE(keys_are_answered_in_the_order_of_the_question),
    STORE_CASE(a_key_that_is_taken_undoes_the_whole_batch),
    STORE_CASE(a_key_stands_once_in_a_batch),
    STORE_CASE(messages_without_a_key_have_none_in_common),
    STORE_CASE(keys_are_told_apart_by_every_byte),
    STORE_CASE(the_longest_key_is_kept_whole),
    STORE_CASE(a_key_is_forgotten_after_its_time),
    STORE_CASE(many_keys_are_forgotten_a_few_at_a_time),
    STORE_CASE(of_two_with_one_key_one_wins),
    STORE_CASE(a_large_batch_may_be_full_of_keys),
};

const struct store_cases store_cases_keys = STORE_CASES(cases);
