#include "contract/store_cases.h"

#include <stdio.h>

/* One message in each state that settling leads to, and one of them is claimed. */
struct mixture {
    struct message_id by_state[MESSAGE_STATES];
    struct claim *claim; /* of the sending one */
};

static struct mixture insert_mixture(struct store_fixture *fixture) {
    struct mixture mixture = {0};
    struct message_id ids[4];
    insert_messages(fixture, 4, ids);
    struct claim *claim = claim_all(fixture, 4);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_true(settle(fixture, claim, 1, 1, failed(1, ATTEMPT_DNS)));
    assert_true(settle(fixture, claim, 2, 1, retry(1, 60000)));
    mixture.by_state[MESSAGE_SENT] = ids[0];
    mixture.by_state[MESSAGE_FAILED] = ids[1];
    mixture.by_state[MESSAGE_PENDING] = ids[2];
    mixture.by_state[MESSAGE_SENDING] = ids[3];
    mixture.claim = claim;
    return mixture;
}

static void assert_not_found(struct store_fixture *fixture, struct text id) {
    struct message message;
    struct error *error = &fixture->error;
    error->text[0] = '\0';
    enum status status = store_get(fixture->session, id, &fixture->arena, &message, error);
    if (status != STATUS_NOT_FOUND)
        print_error("get of the id \"%.*s\": %s\n", TEXT_ARGUMENT(id), status_name(status));
    assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(error->status, STATUS_NOT_FOUND);
    assert_true(error->text[0] != '\0');
}

static void an_unknown_id_is_not_found(struct store_fixture *fixture) {
    assert_not_found(fixture, TEXT_LITERAL("1"));
    insert_messages(fixture, 1, NULL);
    assert_not_found(fixture, TEXT_LITERAL("987654321"));
}

static void an_id_of_odd_shape_is_not_found(struct store_fixture *fixture) {
    static const struct text odd[] = {
        {"", 0},
        {"abc", 3},
        {"-1", 2},
        {"0", 1},
        {"99999999999999999999", 20},
        {"9223372036854775807", 19},
        {"-9223372036854775808", 20},
        {"123456789012345678901234567890123456", 36},
        {"123e4567-e89b-42d3-a456-426614174000", 36},
        {"1234567890123456789012345678901234567", 37},
        {"1 ", 2},
        {" 1", 2},
        {"1\0", 2},
        {"+1", 2},
        {"1.0", 3},
        {"1e0", 3},
        {"0x1", 3},
        {"1' OR '1'='1", 12},
        {"\xFF\xFE", 2},
    };
    insert_messages(fixture, 2, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_not_found(fixture, odd[i]);
        struct attempt_list attempts;
        assert_ok(
            store_attempts(fixture->session, odd[i], &fixture->arena, &attempts, &fixture->error),
            &fixture->error);
        assert_int_equal(attempts.count, 0);
    }
}

/* Ids are text: another way to write the same number is no second name of the message. */
static void an_id_is_found_only_as_it_was_given(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    char padded[MESSAGE_ID_BYTES_MAX + 2];
    snprintf(padded, sizeof padded, "0%s", id.text);
    assert_not_found(fixture, text_of(padded));
}

static void a_list_is_newest_first(struct store_fixture *fixture) {
    struct message_id ids[3], newest_first[3];
    for (size_t i = 0; i < 3; i++) {
        ids[i] = insert_message(fixture, TEXT_LITERAL("hello"), i == 0 ? 9 : 0);
        newest_first[2 - i] = ids[i];
    }
    struct store_query query = {.limit = 10};
    struct store_page page = read_page(fixture, &query);
    assert_messages(page.messages, page.count, newest_first, 3);
    assert_false(page.more);
    assert_int_equal(page.messages[2].priority, 9);
}

static void a_list_has_more_only_when_there_is_more(struct store_fixture *fixture) {
    insert_messages(fixture, 5, NULL);
    struct store_query query = {.limit = 4};
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, 4);
    assert_true(page.more);
    query.limit = 5;
    page = read_page(fixture, &query);
    assert_int_equal(page.count, 5);
    assert_false(page.more);
}

static void the_longest_list_is_allowed(struct store_fixture *fixture) {
    insert_messages(fixture, STORE_LIST_LIMIT_MAX + 1, NULL);
    struct store_query query = {.states = MESSAGE_STATE_BIT(MESSAGE_PENDING),
                                .limit = STORE_LIST_LIMIT_MAX};
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, STORE_LIST_LIMIT_MAX);
    assert_true(page.more);
}

/* Goes through a list by its cursor while new messages come in, and sees each message that was
 * there at the beginning once. */
static void the_cursor_is_stable_under_inserts(struct store_fixture *fixture) {
    struct message_id ids[11];
    insert_messages(fixture, 11, ids);
    struct message_id before = {""};
    size_t left = 11;
    for (bool more = true; more;) {
        struct store_query query = {.after = text_of(before.text), .limit = 3};
        struct store_page page = read_page(fixture, &query);
        for (size_t i = 0; i < page.count; i++)
            assert_string_equal(page.messages[i].id.text, ids[--left].text);
        more = page.more;
        before = page.messages[page.count - 1].id;
        insert_messages(fixture, 2, NULL);
    }
    assert_int_equal(left, 0);
}

static void nothing_is_before_the_first_message(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct store_query query = {.after = text_of(ids[0].text), .limit = 3};
    struct store_page page = read_page(fixture, &query);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
}

static void a_list_is_filtered_by_each_state(struct store_fixture *fixture) {
    struct mixture mixture = insert_mixture(fixture);
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        struct store_page page = read_state(fixture, (enum message_state)i);
        size_t expected = mixture.by_state[i].text[0] != '\0' ? 1 : 0;
        assert_messages(page.messages, page.count, &mixture.by_state[i], expected);
        assert_false(page.more);
        if (expected > 0)
            assert_int_equal(page.messages[0].state, i);
    }
}

static void what_is_no_id_is_no_cursor(struct store_fixture *fixture) {
    static const char *const odd[] = {"007", "x", "1 ", "' OR 1", "99999999999999999999"};
    insert_messages(fixture, 2, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct store_query query = {.after = text_of(odd[i]), .limit = 3};
        struct store_page page;
        assert_int_equal(
            store_list(fixture->session, &query, &fixture->arena, &page, &fixture->error),
            STATUS_INVALID);
    }
}

static enum message_state one_of_three(size_t index) {
    static const enum message_state states[] = {MESSAGE_SENT, MESSAGE_FAILED, MESSAGE_PENDING};
    return states[index % 3];
}

/* Thirty messages of three states, interleaved; every list by cursor has its ten, in order. */
static void a_filtered_list_has_pages_too(struct store_fixture *fixture) {
    struct message_id ids[30];
    insert_messages(fixture, 30, ids);
    struct claim *claim = claim_all(fixture, 30);
    for (size_t i = 0; i < 30; i++) {
        enum message_state state = one_of_three(i);
        assert_true(settle(fixture, claim, i, 1,
                           state == MESSAGE_SENT     ? sent("")
                           : state == MESSAGE_FAILED ? failed(1, ATTEMPT_DNS)
                                                     : retry(1, i % 2 == 0 ? 60000 : 0)));
    }
    for (size_t kind = 0; kind < 3; kind++) {
        struct store_query query = {.states = MESSAGE_STATE_BIT(one_of_three(kind)), .limit = 7};
        struct store_page first = read_page(fixture, &query);
        assert_int_equal(first.count, 7);
        assert_true(first.more);
        query.after = text_of(first.messages[6].id.text);
        struct store_page second = read_page(fixture, &query);
        assert_int_equal(second.count, 3);
        assert_false(second.more);
        for (size_t i = 0; i < 10; i++) {
            const struct message *message = i < 7 ? &first.messages[i] : &second.messages[i - 7];
            assert_string_equal(message->id.text, ids[27 + kind - 3 * i].text);
        }
    }
}

static void the_depth_counts_every_state(struct store_fixture *fixture) {
    struct mixture mixture = insert_mixture(fixture);
    insert_messages(fixture, 2, NULL);
    struct store_depth depth = read_depth(fixture);
    assert_int_equal(depth.messages[MESSAGE_PENDING], 3);
    assert_int_equal(depth.messages[MESSAGE_SENDING], 1);
    assert_int_equal(depth.messages[MESSAGE_SENT], 1);
    assert_int_equal(depth.messages[MESSAGE_FAILED], 1);
    assert_int_equal(depth.messages[MESSAGE_CANCELLED], 0);
    assert_int_equal(depth.messages[MESSAGE_UNKNOWN], 0);
    assert_true(settle(fixture, mixture.claim, 3, 1, released()));
    depth = read_depth(fixture);
    assert_int_equal(depth.messages[MESSAGE_PENDING], 4);
    assert_int_equal(depth.messages[MESSAGE_SENDING], 0);
}

static void the_depth_stays_right_through_a_take_over(struct store_fixture *fixture) {
    insert_messages(fixture, 5, NULL);
    claim_all(fixture, 5);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    claim_in(fixture, fixture->other, 2);
    struct store_depth depth = read_depth(fixture);
    assert_int_equal(depth.messages[MESSAGE_PENDING], 3);
    assert_int_equal(depth.messages[MESSAGE_SENDING], 2);
}

static void the_oldest_due_message_has_an_age(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    fake_clock_advance_ms(&fixture->clock, 700);
    insert_messages(fixture, 1, NULL);
    fake_clock_advance_ms(&fixture->clock, 300);
    assert_int_equal(read_depth(fixture).oldest_due_age_ms, 1000);
    struct claim *claim = claim_in(fixture, fixture->session, 1).claim;
    assert_int_equal(read_depth(fixture).oldest_due_age_ms, 300);
    claim_in(fixture, fixture->session, 1);
    assert_true(read_depth(fixture).oldest_due_age_ms < 0);
    assert_true(settle(fixture, claim, 0, 1, released()));
    assert_int_equal(read_depth(fixture).oldest_due_age_ms, 1000);
}

static void the_oldest_due_message_need_not_be_the_next_to_leave(struct store_fixture *fixture) {
    insert_message(fixture, TEXT_LITERAL("old"), 0);
    fake_clock_advance_ms(&fixture->clock, 5000);
    insert_message(fixture, TEXT_LITERAL("new and urgent"), 9);
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_int_equal(read_depth(fixture).oldest_due_age_ms, 6000);
}

static void a_message_that_waits_for_its_time_is_not_due(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    settle_everything_due(fixture, retry(1, 2000));
    assert_true(read_depth(fixture).oldest_due_age_ms < 0);
    fake_clock_advance_ms(&fixture->clock, 1999);
    assert_true(read_depth(fixture).oldest_due_age_ms < 0);
}

static void the_age_of_a_retry_counts_since_it_was_created(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    settle_everything_due(fixture, retry(1, 2000));
    fake_clock_advance_ms(&fixture->clock, 2500);
    assert_int_equal(read_depth(fixture).oldest_due_age_ms, 2500);
}

static void an_open_store_is_at_the_newest_version(struct store_fixture *fixture) {
    struct store_version version;
    assert_ok(store_version(fixture->store, &version, &fixture->error), &fixture->error);
    assert_int_equal(version.current, version.known);
    assert_int_equal(version.known > 0, fixture->back_end->has_schema);
}

static const struct store_case cases[] = {
    STORE_CASE(an_unknown_id_is_not_found),
    STORE_CASE(an_id_of_odd_shape_is_not_found),
    STORE_CASE(an_id_is_found_only_as_it_was_given),
    STORE_CASE(a_list_is_newest_first),
    STORE_CASE(a_list_has_more_only_when_there_is_more),
    STORE_CASE(the_longest_list_is_allowed),
    STORE_CASE(the_cursor_is_stable_under_inserts),
    STORE_CASE(nothing_is_before_the_first_message),
    STORE_CASE(what_is_no_id_is_no_cursor),
    STORE_CASE(a_list_is_filtered_by_each_state),
    STORE_CASE(a_filtered_list_has_pages_too),
    STORE_CASE(the_depth_counts_every_state),
    STORE_CASE(the_depth_stays_right_through_a_take_over),
    STORE_CASE(the_oldest_due_message_has_an_age),
    STORE_CASE(the_oldest_due_message_need_not_be_the_next_to_leave),
    STORE_CASE(a_message_that_waits_for_its_time_is_not_due),
    STORE_CASE(the_age_of_a_retry_counts_since_it_was_created),
    STORE_CASE(an_open_store_is_at_the_newest_version),
};

const struct store_cases store_cases_read = STORE_CASES(cases);
