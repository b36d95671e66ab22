#include "base/memory.h"
#include "contract/store_cases.h"

#include <stdlib.h>
#include <string.h>

static void an_empty_store_gives_nothing(struct store_fixture *fixture) {
    struct claim_result result = claim_in(fixture, fixture->session, 10);
    assert_null(result.claim);
    assert_true(result.next_due_in_ms < 0);
    assert_int_equal(result.taken_over, 0);
    struct store_depth depth = read_depth(fixture);
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        assert_int_equal(depth.messages[i], 0);
    assert_true(depth.oldest_due_age_ms < 0);
    struct store_query query = {.limit = 10};
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
}

static void it_says_its_kind(struct store_fixture *fixture) {
    assert_string_equal(store_kind(fixture->store), fixture->back_end->name);
}

static void ids_rise_in_the_order_of_the_drafts(struct store_fixture *fixture) {
    struct message_id ids[12];
    insert_messages(fixture, 12, ids);
    for (size_t i = 1; i < 12; i++)
        assert_true(id_is_later(ids[i], ids[i - 1]));
}

static void ids_are_later_than_those_of_every_insert_before(struct store_fixture *fixture) {
    struct message_id before[3], after[3];
    insert_messages(fixture, 3, before);
    struct store_session *session = fixture->session;
    fixture->session = fixture->other;
    fixture->other = session;
    insert_messages(fixture, 3, after);
    assert_true(id_is_later(after[0], before[2]));
}

static void what_was_inserted_is_read_back(struct store_fixture *fixture) {
    fake_clock_advance_ms(&fixture->clock, 123);
    struct message_id id = insert_message(fixture, TEXT_LITERAL("hello"), 7);
    fake_clock_advance_ms(&fixture->clock, 1000);
    struct message message = read_message(fixture, id);
    assert_text(message.recipient, RECIPIENT);
    assert_text(message.content, "hello");
    assert_int_equal(message.priority, 7);
    assert_int_equal(message.created_at_ms, FAKE_CLOCK_START_MS + 123);
    assert_int_equal(message.state, MESSAGE_PENDING);
    assert_int_equal(message.attempts, 0);
    assert_int_equal(message.due_at_ms, 0);
    assert_int_equal(message.sent_at_ms, 0);
    assert_int_equal(message.provider_id.len, 0);
    assert_int_equal(message.error.len, 0);
    assert_int_equal(read_attempts(fixture, id).count, 0);
}

/* The same bytes whichever way the message is read. */
static void assert_content_survives(struct store_fixture *fixture, struct text content) {
    struct message_id id = insert_message(fixture, content, 0);
    assert_true(text_equal(read_message(fixture, id).content, content));
    struct store_query query = {.limit = 1};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, &id, 1);
    assert_true(text_equal(page.messages[0].content, content));
    struct claim *claim = claim_all(fixture, 1);
    assert_string_equal(claim->messages[0].id.text, id.text);
    assert_text(claim->messages[0].recipient, RECIPIENT);
    assert_true(text_equal(claim->messages[0].content, content));
    assert_true(settle(fixture, claim, 0, 1, sent("")));
}

static void any_content_survives(struct store_fixture *fixture) {
    static const struct text contents[] = {
        {"'quoted' \"twice\" `thrice`", 25},
        {"'); DROP TABLE messages; --", 27},
        {"a\0b", 3},
        {"\0", 1},
        {"ends with NUL\0", 14},
        {"ğüşiöçıİ ĞÜŞÖÇ", 26},
        {"\xF0\x9F\x98\x80 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80", 16},
        {"line\r\nline\ttab \\ backslash %s %n $1 ?1 :x", 42},
        {"12345", 5},
        {"x'00ff'", 7},
        {" ", 1},
    };
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++)
        assert_content_survives(fixture, contents[i]);
}

static void content_of_the_largest_size_survives(struct store_fixture *fixture) {
    char *bytes = memory_zeroed(1, MESSAGE_CONTENT_BYTES_MAX);
    memset(bytes, 'x', MESSAGE_CONTENT_BYTES_MAX);
    memcpy(bytes + MESSAGE_CONTENT_BYTES_MAX - 4, "\xF0\x9F\x98\x80", 4);
    struct text largest = {bytes, MESSAGE_CONTENT_BYTES_MAX};
    assert_content_survives(fixture, largest);
    assert_content_survives(fixture, (struct text){bytes, MESSAGE_CONTENT_BYTES_MAX - 4});
    free(bytes);
}

static void priorities_of_any_size_survive(struct store_fixture *fixture) {
    static const int64_t priorities[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    struct message_id ids[5], falling[5];
    for (size_t i = 0; i < 5; i++) {
        ids[i] = insert_message(fixture, TEXT_LITERAL("hello"), priorities[i]);
        falling[4 - i] = ids[i];
        assert_true(read_message(fixture, ids[i]).priority == priorities[i]);
    }
    struct claim *claim = claim_all(fixture, 5);
    assert_messages(claim->messages, claim->count, falling, 5);
}

static void as_many_as_are_allowed_go_in_at_once(struct store_fixture *fixture) {
    insert_messages(fixture, STORE_INSERT_MESSAGES_MAX, NULL);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_PENDING], STORE_INSERT_MESSAGES_MAX);
}

static const struct store_case cases[] = {
    STORE_CASE(an_empty_store_gives_nothing),
    STORE_CASE(it_says_its_kind),
    STORE_CASE(ids_rise_in_the_order_of_the_drafts),
    STORE_CASE(ids_are_later_than_those_of_every_insert_before),
    STORE_CASE(what_was_inserted_is_read_back),
    STORE_CASE(any_content_survives),
    STORE_CASE(content_of_the_largest_size_survives),
    STORE_CASE(priorities_of_any_size_survive),
    STORE_CASE(as_many_as_are_allowed_go_in_at_once),
};

const struct store_cases store_cases_insert = STORE_CASES(cases);
