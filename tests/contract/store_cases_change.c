#include "contract/store_cases.h"

#include <string.h>

static size_t cancel(struct store_fixture *fixture, struct message_id id) {
    return change_messages(fixture, STORE_CANCEL, &id, 1);
}

static size_t retry_now(struct store_fixture *fixture, struct message_id id) {
    return change_messages(fixture, STORE_RETRY, &id, 1);
}

static void assert_depth(struct store_fixture *fixture, enum message_state state, int64_t count) {
    assert_int_equal(read_depth(fixture).messages[state], count);
}

static void assert_nothing_is_due(struct store_fixture *fixture) {
    struct claim_result nothing = claim_in(fixture, fixture->session, 1);
    assert_null(nothing.claim);
    assert_true(nothing.next_due_in_ms < 0);
}

static void a_cancelled_message_is_never_claimed(struct store_fixture *fixture) {
    struct message_draft delayed = {.recipient = TEXT_LITERAL(RECIPIENT),
                                    .content = TEXT_LITERAL("later"),
                                    .due_at_ms = FAKE_CLOCK_START_MS + 5000};
    struct message_id ids[3];
    insert_messages(fixture, 2, ids);
    ids[2] = insert_draft(fixture, &delayed);
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, 3), 3);
    for (size_t i = 0; i < 3; i++) {
        struct message message = read_message(fixture, ids[i]);
        assert_int_equal(message.state, MESSAGE_CANCELLED);
        assert_int_equal(message.due_at_ms, 0);
        assert_int_equal(message.attempts, 0);
    }
    assert_depth(fixture, MESSAGE_CANCELLED, 3);
    assert_depth(fixture, MESSAGE_PENDING, 0);
    assert_true(read_depth(fixture).oldest_due_age_ms < 0);
    assert_nothing_is_due(fixture);
    fake_clock_advance_ms(&fixture->clock, 6000);
    assert_nothing_is_due(fixture);
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, 3), 0);
}

static void what_waits_for_another_try_can_be_cancelled(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, retry(1, 1000));
    assert_int_equal(cancel(fixture, id), 1);
    fake_clock_advance_ms(&fixture->clock, 2000);
    assert_nothing_is_due(fixture);
    assert_int_equal(read_message(fixture, id).attempts, 1);
    assert_int_equal(read_attempts(fixture, id).count, 1);
}

static void only_what_waits_can_be_cancelled(struct store_fixture *fixture) {
    struct message_id ids[6];
    insert_messages(fixture, 6, ids);
    struct claim *claim = claim_all(fixture, 6);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_true(settle(fixture, claim, 1, 1, failed(1, ATTEMPT_DNS)));
    assert_true(settle(fixture, claim, 2, 1, expired(1, ATTEMPT_EXPIRED)));
    assert_true(settle(fixture, claim, 3, 1, released()));
    assert_true(settle(fixture, claim, 4, 1, retry(1, 1000)));
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, 6), 2);
    assert_state(fixture, ids[0], MESSAGE_SENT);
    assert_state(fixture, ids[1], MESSAGE_FAILED);
    assert_state(fixture, ids[2], MESSAGE_EXPIRED);
    assert_state(fixture, ids[3], MESSAGE_CANCELLED);
    assert_state(fixture, ids[4], MESSAGE_CANCELLED);
    assert_state(fixture, ids[5], MESSAGE_SENDING);
    assert_true(settle(fixture, claim, 5, 1, sent("")));
    assert_depth(fixture, MESSAGE_CANCELLED, 2);
    assert_depth(fixture, MESSAGE_SENT, 2);
    assert_depth(fixture, MESSAGE_PENDING, 0);
    assert_depth(fixture, MESSAGE_SENDING, 0);
}

/* A lease that is over ends a claim when somebody takes it; see store.h. */
static void what_a_lost_claim_held_can_be_cancelled(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct claim *lost = claim_all(fixture, 1);
    assert_int_equal(cancel(fixture, id), 0);
    struct message_id urgent = insert_message(fixture, TEXT_LITERAL("urgent"), 9);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    struct claim_result taken = claim_in(fixture, fixture->other, 1);
    assert_int_equal(taken.taken_over, 1);
    assert_messages(taken.claim->messages, taken.claim->count, &urgent, 1);
    assert_int_equal(cancel(fixture, id), 1);
    assert_state(fixture, id, MESSAGE_CANCELLED);
    assert_false(settle(fixture, lost, 0, 1, sent("")));
    assert_state(fixture, id, MESSAGE_CANCELLED);
    assert_int_equal(read_message(fixture, id).attempts, 1);
    assert_depth(fixture, MESSAGE_CANCELLED, 1);
}

/* Each of those that are over and were not sent; `expires_at_ms` was set. */
static void insert_over(struct store_fixture *fixture, struct message_id ids[3]) {
    for (size_t i = 0; i < 3; i++) {
        struct message_draft draft = {.recipient = TEXT_LITERAL(RECIPIENT),
                                      .content = TEXT_LITERAL("again"),
                                      .max_attempts = 2,
                                      .metadata = TEXT_LITERAL("{\"a\":1}"),
                                      .expires_at_ms = FAKE_CLOCK_START_MS + 900000};
        ids[i] = insert_draft(fixture, &draft);
    }
    settle_everything_due(fixture, retry(1, 1000));
    fake_clock_advance_ms(&fixture->clock, 1000);
    struct claim *claim = claim_all(fixture, 3);
    assert_true(settle(fixture, claim, 0, 1, failed(2, ATTEMPT_DNS)));
    assert_true(settle(fixture, claim, 1, 1, expired(2, ATTEMPT_HTTP_5XX)));
    assert_true(settle(fixture, claim, 2, 1, retry(2, 60000)));
    assert_int_equal(cancel(fixture, ids[2]), 1);
}

static void what_is_over_can_be_sent_again(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_over(fixture, ids);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(read_message(fixture, ids[i]).attempts, 2);
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, 3), 3);
    for (size_t i = 0; i < 3; i++) {
        struct message message = read_message(fixture, ids[i]);
        assert_int_equal(message.state, MESSAGE_PENDING);
        assert_int_equal(message.attempts, 0);
        assert_int_equal(message.due_at_ms, 0);
        assert_int_equal(message.expires_at_ms, 0);
        assert_int_equal(message.max_attempts, 2);
        assert_int_equal(message.metadata.len, 7);
        assert_int_equal(read_attempts(fixture, ids[i]).count, 2);
    }
    assert_depth(fixture, MESSAGE_PENDING, 3);
    assert_depth(fixture, MESSAGE_FAILED, 0);
    assert_depth(fixture, MESSAGE_EXPIRED, 0);
    assert_depth(fixture, MESSAGE_CANCELLED, 0);
    struct claim *claim = claim_all(fixture, 3);
    assert_messages(claim->messages, claim->count, ids, 3);
    assert_true(settle(fixture, claim, 0, 3, sent("")));
    assert_nothing_is_due(fixture);
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, 3), 0);
    assert_depth(fixture, MESSAGE_SENT, 3);
}

static void only_what_is_over_can_be_sent_again(struct store_fixture *fixture) {
    struct message_id ids[4];
    insert_messages(fixture, 4, ids);
    struct claim *claim = claim_all(fixture, 4);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_true(settle(fixture, claim, 1, 1, retry(1, 60000)));
    assert_true(settle(fixture, claim, 2, 1, released()));
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, 4), 0);
    assert_state(fixture, ids[0], MESSAGE_SENT);
    struct message delayed = read_message(fixture, ids[1]);
    assert_int_equal(delayed.due_at_ms, FAKE_CLOCK_START_MS + 60000);
    assert_int_equal(delayed.attempts, 1);
    assert_state(fixture, ids[2], MESSAGE_PENDING);
    assert_state(fixture, ids[3], MESSAGE_SENDING);
}

static void what_failed_can_be_sent_again_while_its_claim_goes_on(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 3, ids);
    struct claim *claim = claim_all(fixture, 3);
    assert_true(settle(fixture, claim, 0, 1, failed(1, ATTEMPT_DNS)));
    assert_true(settle(fixture, claim, 1, 1, expired(1, ATTEMPT_EXPIRED)));
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, 3), 2);
    assert_state(fixture, ids[0], MESSAGE_PENDING);
    assert_state(fixture, ids[1], MESSAGE_PENDING);
    struct claim *again = claim_all(fixture, 2);
    assert_messages(again->messages, again->count, ids, 2);
    assert_true(settle(fixture, claim, 2, 1, sent("")));
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_true(settle(fixture, again, 0, 2, sent("")));
    assert_depth(fixture, MESSAGE_SENT, 3);
}

static void a_message_cancelled_and_sent_again_is_claimed_once(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cancel(fixture, ids[0]), 1);
        assert_int_equal(retry_now(fixture, ids[0]), 1);
    }
    assert_depth(fixture, MESSAGE_PENDING, 2);
    assert_depth(fixture, MESSAGE_CANCELLED, 0);
    struct claim *claim = claim_all(fixture, 2);
    assert_messages(claim->messages, claim->count, ids, 2);
    assert_int_equal(cancel(fixture, ids[0]), 0);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
    assert_true(settle(fixture, claim, 0, 2, sent("")));
    assert_nothing_is_due(fixture);
}

/* What operators give back is found, however far the claims have come meanwhile. */
static void what_is_sent_again_leaves_before_what_came_later(struct store_fixture *fixture) {
    struct message_id ids[40];
    insert_messages(fixture, 40, ids);
    assert_int_equal(cancel(fixture, ids[0]), 1);
    for (size_t i = 0; i < 4; i++) {
        struct claim *claim = claim_in(fixture, fixture->session, 5).claim;
        assert_non_null(claim);
        assert_true(settle(fixture, claim, 0, claim->count, sent("")));
    }
    assert_int_equal(retry_now(fixture, ids[0]), 1);
    struct claim *claim = claim_in(fixture, fixture->session, 1).claim;
    assert_non_null(claim);
    assert_messages(claim->messages, claim->count, &ids[0], 1);
}

static void ids_of_nothing_change_nothing(struct store_fixture *fixture) {
    static const struct message_id odd[] = {{""},
                                            {"0"},
                                            {"007"},
                                            {"-1"},
                                            {"987654321"},
                                            {"x"},
                                            {"1 "},
                                            {"1' OR '1'='1"},
                                            {"\xFF\xFE"},
                                            {"99999999999999999999"},
                                            {"123e4567-e89b-42d3-a456-426614174000"}};
    enum { COUNT = sizeof odd / sizeof odd[0] };
    struct message_id ids[COUNT + 3];
    memcpy(ids, odd, sizeof odd);
    insert_messages(fixture, 2, &ids[COUNT]);
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, COUNT), 0);
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, COUNT), 0);
    ids[COUNT + 2] = ids[COUNT];
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, COUNT + 3), 2);
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, COUNT + 3), 2);
    assert_depth(fixture, MESSAGE_PENDING, 2);
}

static void the_most_messages_change_at_once(struct store_fixture *fixture) {
    static struct message_id ids[STORE_CHANGE_MESSAGES_MAX];
    insert_messages(fixture, STORE_CHANGE_MESSAGES_MAX, ids);
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, STORE_CHANGE_MESSAGES_MAX),
                     STORE_CHANGE_MESSAGES_MAX);
    assert_depth(fixture, MESSAGE_CANCELLED, STORE_CHANGE_MESSAGES_MAX);
    assert_nothing_is_due(fixture);
    assert_int_equal(change_messages(fixture, STORE_RETRY, ids, STORE_CHANGE_MESSAGES_MAX),
                     STORE_CHANGE_MESSAGES_MAX);
    struct claim *claim = claim_all(fixture, STORE_CHANGE_MESSAGES_MAX);
    assert_messages(claim->messages, claim->count, ids, STORE_CHANGE_MESSAGES_MAX);
}

static const struct store_case cases[] = {
    STORE_CASE(a_cancelled_message_is_never_claimed),
    STORE_CASE(what_waits_for_another_try_can_be_cancelled),
    STORE_CASE(only_what_waits_can_be_cancelled),
    STORE_CASE(what_a_lost_claim_held_can_be_cancelled),
    STORE_CASE(what_is_over_can_be_sent_again),
    STORE_CASE(only_what_is_over_can_be_sent_again),
    STORE_CASE(what_failed_can_be_sent_again_while_its_claim_goes_on),
    STORE_CASE(a_message_cancelled_and_sent_again_is_claimed_once),
    STORE_CASE(what_is_sent_again_leaves_before_what_came_later),
    STORE_CASE(ids_of_nothing_change_nothing),
    STORE_CASE(the_most_messages_change_at_once),
};

const struct store_cases store_cases_change = STORE_CASES(cases);
