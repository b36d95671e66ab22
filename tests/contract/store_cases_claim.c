#include "contract/store_cases.h"

#include <string.h>

static void due_messages_leave_by_priority_then_id(struct store_fixture *fixture) {
    static const int64_t priorities[] = {0, 5, -3, 5, 0, 9};
    static const size_t order[] = {5, 1, 3, 0, 4, 2};
    struct message_id ids[6], expected[6];
    for (size_t i = 0; i < 6; i++)
        ids[i] = insert_message(fixture, TEXT_LITERAL("hello"), priorities[i]);
    for (size_t i = 0; i < 6; i++)
        expected[i] = ids[order[i]];
    struct claim *claim = claim_all(fixture, 6);
    assert_messages(claim->messages, claim->count, expected, 6);
}

static void a_claim_gives_at_most_what_was_asked_for(struct store_fixture *fixture) {
    struct message_id ids[5];
    insert_messages(fixture, 5, ids);
    struct claim *first = claim_in(fixture, fixture->session, 2).claim;
    assert_messages(first->messages, first->count, ids, 2);
    struct claim *second = claim_in(fixture, fixture->session, 3).claim;
    assert_messages(second->messages, second->count, ids + 2, 3);
    assert_null(claim_in(fixture, fixture->session, 3).claim);
}

static void a_claim_says_what_it_holds(struct store_fixture *fixture) {
    insert_message(fixture, TEXT_LITERAL("hello"), 4);
    struct claim *claim = claim_all(fixture, 1);
    assert_int_equal(claim->unsettled, 1);
    assert_false(claim->settled[0]);
    const struct message *message = &claim->messages[0];
    assert_text(message->recipient, RECIPIENT);
    assert_text(message->content, "hello");
    assert_int_equal(message->priority, 4);
    assert_int_equal(message->attempts, 0);
    assert_int_equal(message->created_at_ms, FAKE_CLOCK_START_MS);
    assert_int_equal(message->state, MESSAGE_SENDING);
}

static void a_claim_counts_the_attempts_made_before(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    settle_everything_due(fixture, retry(1, 1000));
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_int_equal(claim_all(fixture, 1)->messages[0].attempts, 1);
}

static void two_claims_never_overlap(struct store_fixture *fixture) {
    struct message_id ids[10];
    insert_messages(fixture, 10, ids);
    struct claim *claims[4];
    for (size_t i = 0; i < 4; i++)
        claims[i] = claim_in(fixture, i % 2 == 0 ? fixture->session : fixture->other, 3).claim;
    for (size_t i = 0; i < 4; i++)
        assert_messages(claims[i]->messages, claims[i]->count, ids + 3 * i, i < 3 ? 3 : 1);
    assert_null(claim_in(fixture, fixture->other, 3).claim);
}

static void every_claim_has_a_token_of_its_own(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    struct claim *first = claim_in(fixture, fixture->session, 1).claim;
    struct claim *second = claim_in(fixture, fixture->session, 1).claim;
    assert_int_equal(strlen(first->token), UUID_TEXT_BYTES - 1);
    assert_int_equal(strlen(second->token), UUID_TEXT_BYTES - 1);
    assert_string_not_equal(first->token, second->token);
    assert_true(first->id != second->id);
}

static void claimed_messages_show_as_sending(struct store_fixture *fixture) {
    struct message_id ids[3], newest_first[2];
    insert_messages(fixture, 3, ids);
    newest_first[0] = ids[1];
    newest_first[1] = ids[0];
    claim_in(fixture, fixture->session, 2);
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_state(fixture, ids[1], MESSAGE_SENDING);
    assert_state(fixture, ids[2], MESSAGE_PENDING);
    struct store_page sending = read_state(fixture, MESSAGE_SENDING);
    assert_messages(sending.messages, sending.count, newest_first, 2);
    assert_int_equal(sending.messages[0].state, MESSAGE_SENDING);
    struct store_page pending = read_state(fixture, MESSAGE_PENDING);
    assert_messages(pending.messages, pending.count, &ids[2], 1);
    struct store_query query = {.limit = 10};
    struct store_page any = read_page(fixture, &query);
    assert_int_equal(any.count, 3);
    assert_int_equal(any.messages[0].state, MESSAGE_PENDING);
    assert_int_equal(any.messages[1].state, MESSAGE_SENDING);
    assert_int_equal(any.messages[2].state, MESSAGE_SENDING);
}

static void the_next_due_time_is_that_of_the_earliest_retry(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    struct claim *claim = claim_all(fixture, 2);
    assert_true(settle(fixture, claim, 0, 1, retry(1, 9000)));
    assert_true(settle(fixture, claim, 1, 1, retry(1, 4000)));
    assert_int_equal(claim_in(fixture, fixture->session, 1).next_due_in_ms, 4000);
    fake_clock_advance_ms(&fixture->clock, 1500);
    assert_int_equal(claim_in(fixture, fixture->other, 1).next_due_in_ms, 2500);
}

static void the_next_due_time_is_that_of_the_earliest_lease(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    claim_in(fixture, fixture->session, 1);
    fake_clock_advance_ms(&fixture->clock, 1000);
    claim_in(fixture, fixture->session, 1);
    struct claim_result none = claim_in(fixture, fixture->other, 1);
    assert_null(none.claim);
    assert_int_equal(none.next_due_in_ms, LEASE_MS - 1000);
}

static void the_next_due_time_is_the_earlier_of_lease_and_retry(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    struct claim *claim = claim_all(fixture, 2);
    assert_true(settle(fixture, claim, 0, 1, retry(1, LEASE_MS + 5)));
    assert_int_equal(claim_in(fixture, fixture->other, 1).next_due_in_ms, LEASE_MS);
    assert_true(settle(fixture, claim, 1, 1, retry(1, LEASE_MS + 9)));
    assert_int_equal(claim_in(fixture, fixture->other, 1).next_due_in_ms, LEASE_MS + 5);
}

/* Whoever waits for the next due time must not be woken by what he holds already. */
static void what_a_claim_takes_is_no_longer_awaited(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    settle_everything_due(fixture, retry(1, 1000));
    fake_clock_advance_ms(&fixture->clock, 1000);
    struct claim_result taken = claim_in(fixture, fixture->session, 1);
    assert_non_null(taken.claim);
    assert_true(taken.next_due_in_ms < 0 || taken.next_due_in_ms == LEASE_MS);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    struct claim_result taken_over = claim_in(fixture, fixture->other, 1);
    assert_non_null(taken_over.claim);
    assert_true(taken_over.next_due_in_ms < 0 || taken_over.next_due_in_ms == LEASE_MS);
}

static void as_many_as_are_allowed_come_in_one_claim(struct store_fixture *fixture) {
    insert_messages(fixture, CLAIM_MESSAGES_MAX + 1, NULL);
    struct claim *claim = claim_all(fixture, CLAIM_MESSAGES_MAX);
    assert_true(settle(fixture, claim, 0, CLAIM_MESSAGES_MAX, sent("")));
    assert_int_equal(claim_all(fixture, 1)->count, 1);
}

static const struct store_case cases[] = {
    STORE_CASE(due_messages_leave_by_priority_then_id),
    STORE_CASE(a_claim_gives_at_most_what_was_asked_for),
    STORE_CASE(a_claim_says_what_it_holds),
    STORE_CASE(a_claim_counts_the_attempts_made_before),
    STORE_CASE(two_claims_never_overlap),
    STORE_CASE(every_claim_has_a_token_of_its_own),
    STORE_CASE(claimed_messages_show_as_sending),
    STORE_CASE(the_next_due_time_is_that_of_the_earliest_retry),
    STORE_CASE(the_next_due_time_is_that_of_the_earliest_lease),
    STORE_CASE(the_next_due_time_is_the_earlier_of_lease_and_retry),
    STORE_CASE(what_a_claim_takes_is_no_longer_awaited),
    STORE_CASE(as_many_as_are_allowed_come_in_one_claim),
};

const struct store_cases store_cases_claim = STORE_CASES(cases);
