#include "contract/store_cases.h"

#include <string.h>

static void expire(struct store_fixture *fixture) {
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
}

static void a_lease_holds_until_its_end(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    claim_all(fixture, 1);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS - 1);
    struct claim_result none = claim_in(fixture, fixture->other, 1);
    assert_null(none.claim);
    assert_int_equal(none.next_due_in_ms, 1);
}

static void an_expired_claim_is_taken_over(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *lost = claim_all(fixture, 2);
    expire(fixture);
    struct claim_result result = claim_in(fixture, fixture->other, 10);
    assert_non_null(result.claim);
    assert_int_equal(result.taken_over, 2);
    assert_messages(result.claim->messages, result.claim->count, ids, 2);
    assert_string_not_equal(result.claim->token, lost->token);
    assert_int_equal(result.claim->messages[0].attempts, 1);
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_true(settle(fixture, result.claim, 0, 2, sent("second")));
    assert_int_equal(read_message(fixture, ids[1]).attempts, 2);
}

static void a_take_over_counts_and_records_one_attempt(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, retry(1, 0)));
    claim_all(fixture, 1);
    expire(fixture);
    claim_all(fixture, 1);
    struct message message = read_message(fixture, id);
    assert_int_equal(message.attempts, 2);
    assert_text(message.error, ATTEMPT_LEASE_EXPIRED_TEXT);
    struct attempt_list attempts = read_attempts(fixture, id);
    assert_int_equal(attempts.count, 2);
    assert_int_equal(attempts.items[1].number, 2);
    assert_int_equal(attempts.items[1].class, ATTEMPT_LEASE_EXPIRED);
    assert_int_equal(attempts.items[1].at_ms, FAKE_CLOCK_START_MS + LEASE_MS + 1);
    assert_int_equal(attempts.items[1].http_status, 0);
    assert_string_equal(attempts.items[1].excerpt, ATTEMPT_LEASE_EXPIRED_TEXT);
}

static void an_expired_claim_is_taken_over_whole(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 3, ids);
    struct claim *lost = claim_all(fixture, 3);
    expire(fixture);
    struct claim_result result = claim_in(fixture, fixture->other, 1);
    assert_int_equal(result.taken_over, 3);
    assert_int_equal(result.claim->count, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(read_message(fixture, ids[i]).attempts, 1);
    assert_state(fixture, ids[2], MESSAGE_PENDING);
    assert_false(settle(fixture, lost, 2, 1, sent("late")));
    assert_state(fixture, ids[2], MESSAGE_PENDING);
    assert_int_equal(claim_in(fixture, fixture->other, 10).taken_over, 0);
}

static void messages_taken_over_keep_their_place(struct store_fixture *fixture) {
    struct message_id ids[4], expected[5];
    insert_messages(fixture, 3, ids);
    claim_in(fixture, fixture->session, 2);
    insert_messages(fixture, 1, &ids[3]);
    expected[0] = insert_message(fixture, TEXT_LITERAL("urgent"), 1);
    memcpy(expected + 1, ids, sizeof ids);
    expire(fixture);
    struct claim *claim = claim_all(fixture, 5);
    assert_messages(claim->messages, claim->count, expected, 5);
}

static void a_late_settle_writes_nothing(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 3, ids);
    struct claim *lost = claim_all(fixture, 3);
    expire(fixture);
    struct claim *holder = claim_in(fixture, fixture->other, 10).claim;
    assert_false(settle(fixture, lost, 0, 1, sent("late")));
    assert_false(settle(fixture, lost, 1, 1, failed(1, ATTEMPT_HTTP_4XX)));
    assert_false(settle(fixture, lost, 2, 1, retry(1, 0)));
    for (size_t i = 0; i < 3; i++) {
        struct message message = read_message(fixture, ids[i]);
        assert_int_equal(message.state, MESSAGE_SENDING);
        assert_int_equal(message.attempts, 1);
        assert_int_equal(message.provider_id.len, 0);
        assert_int_equal(read_attempts(fixture, ids[i]).count, 1);
    }
    assert_true(settle(fixture, holder, 0, 3, sent("in time")));
    assert_text(read_message(fixture, ids[0]).provider_id, "in time");
}

static void a_late_release_does_not_free_what_another_holds(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    struct claim *lost = claim_all(fixture, 1);
    expire(fixture);
    assert_non_null(claim_in(fixture, fixture->other, 1).claim);
    assert_false(settle(fixture, lost, 0, 1, released()));
    assert_null(claim_in(fixture, fixture->session, 1).claim);
}

static void a_settle_is_late_even_when_the_message_is_done(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct claim *lost = claim_all(fixture, 1);
    expire(fixture);
    settle_everything_due(fixture, sent("in time"));
    assert_false(settle(fixture, lost, 0, 1, failed(1, ATTEMPT_HTTP_4XX)));
    assert_state(fixture, id, MESSAGE_SENT);
    assert_int_equal(read_attempts(fixture, id).count, 1);
}

static void a_late_settlement_does_not_hinder_the_others(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 1, &ids[0]);
    struct claim *lost = claim_all(fixture, 1);
    expire(fixture);
    assert_non_null(claim_in(fixture, fixture->other, 1).claim);
    insert_messages(fixture, 1, &ids[1]);
    struct claim *live = claim_all(fixture, 1);
    struct outcome accepted = sent("x");
    const size_t index = 0;
    const struct outcome *outcome = &accepted;
    struct settlement settlements[] = {{lost, &index, &outcome, 1, false},
                                       {live, &index, &outcome, 1, true}};
    assert_ok(store_settle(fixture->session, settlements, 2, &fixture->error), &fixture->error);
    assert_true(settlements[0].conflict);
    assert_false(settlements[1].conflict);
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_state(fixture, ids[1], MESSAGE_SENT);
}

/* Only a take-over ends a claim: until then its token still proves that nobody else has it. */
static void
after_its_end_a_claim_still_settles_while_nobody_took_it(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *claim = claim_all(fixture, 2);
    expire(fixture);
    assert_true(settle(fixture, claim, 0, 1, sent("late but alone")));
    assert_ok(store_extend(fixture->session, claim, LEASE_MS, &fixture->error), &fixture->error);
    assert_null(claim_in(fixture, fixture->other, 1).claim);
    assert_true(settle(fixture, claim, 1, 1, sent("late but alone")));
    assert_int_equal(read_message(fixture, ids[1]).attempts, 1);
}

static void extending_prolongs_the_lease(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    struct claim *claim = claim_all(fixture, 1);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS / 2);
    assert_ok(store_extend(fixture->other, claim, LEASE_MS, &fixture->error), &fixture->error);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS - 1);
    struct claim_result none = claim_in(fixture, fixture->other, 1);
    assert_null(none.claim);
    assert_int_equal(none.next_due_in_ms, 1);
    fake_clock_advance_ms(&fixture->clock, 2);
    assert_int_equal(claim_in(fixture, fixture->other, 1).taken_over, 1);
}

static void extending_a_lost_claim_is_a_conflict(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    struct claim *lost = claim_all(fixture, 1);
    expire(fixture);
    struct claim *holder = claim_in(fixture, fixture->other, 1).claim;
    assert_int_equal(store_extend(fixture->session, lost, 10 * LEASE_MS, &fixture->error),
                     STATUS_CONFLICT);
    assert_true(fixture->error.text[0] != '\0');
    assert_int_equal(claim_in(fixture, fixture->session, 1).next_due_in_ms, LEASE_MS);
    assert_ok(store_extend(fixture->other, holder, LEASE_MS, &fixture->error), &fixture->error);
}

static void a_claim_is_proven_by_its_token(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct claim *claim = claim_all(fixture, 1);
    claim->token[0] = claim->token[0] == '0' ? '1' : '0';
    assert_int_equal(store_extend(fixture->session, claim, 10 * LEASE_MS, &fixture->error),
                     STATUS_CONFLICT);
    assert_false(settle(fixture, claim, 0, 1, sent("forged")));
    assert_state(fixture, id, MESSAGE_SENDING);
    expire(fixture);
    assert_int_equal(claim_in(fixture, fixture->other, 1).taken_over, 1);
}

static void a_retry_keeps_its_time_when_its_claim_expires(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 3, ids);
    struct claim *claim = claim_all(fixture, 3);
    assert_true(settle(fixture, claim, 0, 1, retry(1, 3 * LEASE_MS)));
    assert_true(settle(fixture, claim, 2, 1, sent("done")));
    expire(fixture);
    struct claim_result result = claim_in(fixture, fixture->other, 10);
    assert_int_equal(result.taken_over, 1);
    assert_messages(result.claim->messages, result.claim->count, &ids[1], 1);
    struct message waiting = read_message(fixture, ids[0]);
    assert_int_equal(waiting.state, MESSAGE_PENDING);
    assert_int_equal(waiting.due_at_ms, FAKE_CLOCK_START_MS + 3 * LEASE_MS);
    assert_int_equal(waiting.attempts, 1);
    assert_state(fixture, ids[2], MESSAGE_SENT);
    assert_int_equal(read_message(fixture, ids[2]).attempts, 1);
}

/* Losing the process again and again is no reason to drop a message. */
static void expiring_alone_never_fails_a_message(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    for (int round = 0; round < 100; round++) {
        assert_int_equal(claim_all(fixture, 1)->messages[0].attempts, round);
        expire(fixture);
    }
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, sent("")));
    assert_int_equal(read_message(fixture, id).attempts, 101);
    assert_int_equal(read_attempts(fixture, id).count, 100);
}

static void many_expired_claims_come_back_together(struct store_fixture *fixture) {
    struct message_id ids[20];
    insert_messages(fixture, 20, ids);
    for (int i = 0; i < 5; i++)
        claim_in(fixture, fixture->session, 3);
    fake_clock_advance_ms(&fixture->clock, LEASE_MS / 2);
    struct claim *live = claim_in(fixture, fixture->session, 3).claim;
    fake_clock_advance_ms(&fixture->clock, LEASE_MS / 2 + 1);
    struct claim_result result = claim_in(fixture, fixture->other, 15);
    assert_int_equal(result.taken_over, 15);
    assert_messages(result.claim->messages, result.claim->count, ids, 15);
    assert_true(settle(fixture, live, 0, 3, sent("")));
    struct claim *rest = claim_all(fixture, 2);
    assert_messages(rest->messages, rest->count, ids + 18, 2);
}

static const struct store_case cases[] = {
    STORE_CASE(a_lease_holds_until_its_end),
    STORE_CASE(an_expired_claim_is_taken_over),
    STORE_CASE(a_take_over_counts_and_records_one_attempt),
    STORE_CASE(an_expired_claim_is_taken_over_whole),
    STORE_CASE(messages_taken_over_keep_their_place),
    STORE_CASE(a_late_settle_writes_nothing),
    STORE_CASE(a_late_release_does_not_free_what_another_holds),
    STORE_CASE(a_settle_is_late_even_when_the_message_is_done),
    STORE_CASE(a_late_settlement_does_not_hinder_the_others),
    STORE_CASE(after_its_end_a_claim_still_settles_while_nobody_took_it),
    STORE_CASE(extending_prolongs_the_lease),
    STORE_CASE(extending_a_lost_claim_is_a_conflict),
    STORE_CASE(a_claim_is_proven_by_its_token),
    STORE_CASE(a_retry_keeps_its_time_when_its_claim_expires),
    STORE_CASE(expiring_alone_never_fails_a_message),
    STORE_CASE(many_expired_claims_come_back_together),
};

const struct store_cases store_cases_lease = STORE_CASES(cases);
