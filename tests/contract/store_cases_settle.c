#include "contract/store_cases.h"

#include <stdio.h>
#include <string.h>

static void a_sent_message_is_done(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct claim *claim = claim_all(fixture, 1);
    fake_clock_advance_ms(&fixture->clock, 250);
    assert_true(settle(fixture, claim, 0, 1, sent("provider-1")));
    struct message message = read_message(fixture, id);
    assert_int_equal(message.state, MESSAGE_SENT);
    assert_int_equal(message.sent_at_ms, FAKE_CLOCK_START_MS + 250);
    assert_text(message.provider_id, "provider-1");
    assert_int_equal(message.attempts, 1);
    assert_int_equal(message.error.len, 0);
    assert_int_equal(read_attempts(fixture, id).count, 0);
    fake_clock_advance_ms(&fixture->clock, 10 * LEASE_MS);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
}

static void a_sent_message_may_have_no_provider_id(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, sent(""));
    assert_int_equal(read_message(fixture, id).provider_id.len, 0);
}

static void the_longest_provider_id_and_excerpt_survive(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *claim = claim_all(fixture, 2);
    struct outcome accepted = sent(""), refused = failed(1, ATTEMPT_HTTP_4XX);
    memset(accepted.provider_id, 'p', OUTCOME_PROVIDER_ID_BYTES_MAX);
    memset(refused.attempt.excerpt, 'e', ATTEMPT_EXCERPT_BYTES_MAX);
    assert_true(settle(fixture, claim, 0, 1, accepted));
    assert_true(settle(fixture, claim, 1, 1, refused));
    assert_text(read_message(fixture, ids[0]).provider_id, accepted.provider_id);
    assert_text(read_message(fixture, ids[1]).error, refused.attempt.excerpt);
    assert_string_equal(read_attempts(fixture, ids[1]).items[0].excerpt, refused.attempt.excerpt);
}

static void a_retry_waits_for_its_time(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, retry(1, 5000));
    struct message message = read_message(fixture, id);
    assert_int_equal(message.state, MESSAGE_PENDING);
    assert_int_equal(message.due_at_ms, FAKE_CLOCK_START_MS + 5000);
    assert_int_equal(message.attempts, 1);
    assert_int_equal(message.sent_at_ms, 0);
    assert_text(message.error, "try later");
    fake_clock_advance_ms(&fixture->clock, 4999);
    assert_null(claim_in(fixture, fixture->other, 1).claim);
    fake_clock_advance_ms(&fixture->clock, 1);
    assert_string_equal(claim_all(fixture, 1)->messages[0].id.text, id.text);
}

/* A claim that takes what is due must not sweep up what will be due a moment later. */
static void a_retry_waits_while_others_are_claimed(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 1, &ids[0]);
    settle_everything_due(fixture, retry(1, 5000));
    fake_clock_advance_ms(&fixture->clock, 4999);
    insert_messages(fixture, 1, &ids[1]);
    struct claim_result result = claim_in(fixture, fixture->session, 10);
    assert_non_null(result.claim);
    assert_messages(result.claim->messages, result.claim->count, &ids[1], 1);
    assert_int_equal(result.next_due_in_ms, 1);
}

static void a_retry_without_delay_is_due_at_once(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, retry(1, 0)));
    claim_all(fixture, 1);
}

static void a_retry_that_has_come_due_takes_its_old_place(struct store_fixture *fixture) {
    struct message_id ids[4];
    insert_messages(fixture, 3, ids);
    struct claim *claim = claim_all(fixture, 3);
    assert_true(settle(fixture, claim, 0, 1, retry(1, 2000)));
    assert_true(settle(fixture, claim, 1, 1, retry(1, 1000)));
    assert_true(settle(fixture, claim, 2, 1, retry(1, 3000)));
    insert_messages(fixture, 1, &ids[3]);
    fake_clock_advance_ms(&fixture->clock, 3000);
    claim = claim_all(fixture, 4);
    assert_messages(claim->messages, claim->count, ids, 4);
}

static void a_failed_attempt_is_recorded_with_all_its_fields(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct outcome outcome = {.kind = OUTCOME_RETRY,
                              .delay_ms = 1,
                              .attempt = {.number = 1,
                                          .at_ms = FAKE_CLOCK_START_MS + 17,
                                          .duration_ms = 2345,
                                          .http_status = 429,
                                          .class = ATTEMPT_HTTP_4XX,
                                          .excerpt = "slow \"down\" ğ \xF0\x9F\x98\x80"}};
    settle_everything_due(fixture, outcome);
    struct attempt_list attempts = read_attempts(fixture, id);
    assert_int_equal(attempts.count, 1);
    const struct attempt *attempt = &attempts.items[0];
    assert_int_equal(attempt->number, 1);
    assert_int_equal(attempt->at_ms, FAKE_CLOCK_START_MS + 17);
    assert_int_equal(attempt->duration_ms, 2345);
    assert_int_equal(attempt->http_status, 429);
    assert_int_equal(attempt->class, ATTEMPT_HTTP_4XX);
    assert_string_equal(attempt->excerpt, outcome.attempt.excerpt);
    assert_text(read_message(fixture, id).error, outcome.attempt.excerpt);
}

static void every_class_of_attempt_survives(struct store_fixture *fixture) {
    struct message_id ids[ATTEMPT_CLASSES];
    insert_messages(fixture, ATTEMPT_CLASSES, ids);
    struct claim *claim = claim_all(fixture, ATTEMPT_CLASSES);
    for (size_t i = 0; i < ATTEMPT_CLASSES; i++)
        assert_true(settle(fixture, claim, i, 1, failed(1, (enum attempt_class)i)));
    for (size_t i = 0; i < ATTEMPT_CLASSES; i++) {
        struct attempt_list attempts = read_attempts(fixture, ids[i]);
        assert_int_equal(attempts.count, 1);
        assert_int_equal(attempts.items[0].class, i);
    }
}

static void attempts_come_oldest_first_and_belong_to_one_message(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    for (int64_t number = 1; number <= 9; number++) {
        struct claim *claim = claim_all(fixture, 2);
        struct outcome outcome = retry(number, 0);
        snprintf(outcome.attempt.excerpt, sizeof outcome.attempt.excerpt, "no. %d", (int)number);
        assert_true(settle(fixture, claim, 0, 1, outcome));
        assert_true(settle(fixture, claim, 1, 1, released()));
    }
    struct attempt_list attempts = read_attempts(fixture, ids[0]);
    assert_int_equal(attempts.count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(attempts.items[i].number, i + 1);
    assert_string_equal(attempts.items[8].excerpt, "no. 9");
    assert_text(read_message(fixture, ids[0]).error, "no. 9");
    assert_int_equal(read_message(fixture, ids[0]).attempts, 9);
    assert_int_equal(read_attempts(fixture, ids[1]).count, 0);
}

static void success_clears_the_error_and_keeps_the_attempts(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, retry(1, 0)));
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, sent("provider-2")));
    struct message message = read_message(fixture, id);
    assert_int_equal(message.error.len, 0);
    assert_int_equal(message.attempts, 2);
    assert_int_equal(message.due_at_ms, 0);
    assert_int_equal(read_attempts(fixture, id).count, 1);
}

static void a_failed_message_is_not_tried_again(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, failed(1, ATTEMPT_HTTP_4XX));
    struct message message = read_message(fixture, id);
    assert_int_equal(message.state, MESSAGE_FAILED);
    assert_int_equal(message.attempts, 1);
    assert_int_equal(message.sent_at_ms, 0);
    assert_text(message.error, "no such number");
    assert_int_equal(read_attempts(fixture, id).count, 1);
    fake_clock_advance_ms(&fixture->clock, 10 * LEASE_MS);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
}

static void an_invalid_message_fails_without_an_attempt(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, failed(0, ATTEMPT_INVALID));
    struct message message = read_message(fixture, id);
    assert_int_equal(message.state, MESSAGE_FAILED);
    assert_int_equal(message.attempts, 0);
    assert_text(message.error, "no such number");
}

static void a_released_message_is_as_if_never_claimed(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 2, ids);
    assert_true(settle(fixture, claim_all(fixture, 2), 0, 2, released()));
    struct message message = read_message(fixture, ids[0]);
    assert_int_equal(message.state, MESSAGE_PENDING);
    assert_int_equal(message.attempts, 0);
    assert_int_equal(message.due_at_ms, 0);
    assert_int_equal(message.error.len, 0);
    assert_int_equal(read_attempts(fixture, ids[0]).count, 0);
    insert_messages(fixture, 1, &ids[2]);
    struct claim *claim = claim_all(fixture, 3);
    assert_messages(claim->messages, claim->count, ids, 3);
}

static void a_release_keeps_what_earlier_attempts_left(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, retry(1, 0)));
    assert_true(settle(fixture, claim_all(fixture, 1), 0, 1, released()));
    assert_int_equal(read_message(fixture, id).attempts, 1);
    assert_text(read_message(fixture, id).error, "try later");
    assert_int_equal(claim_all(fixture, 1)->messages[0].attempts, 1);
}

static void a_claim_is_settled_in_parts(struct store_fixture *fixture) {
    struct message_id ids[4];
    insert_messages(fixture, 4, ids);
    struct claim *claim = claim_all(fixture, 4);
    assert_true(settle(fixture, claim, 2, 1, sent("c")));
    assert_int_equal(claim->unsettled, 3);
    assert_state(fixture, ids[2], MESSAGE_SENT);
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_true(settle(fixture, claim, 0, 2, sent("ab")));
    assert_state(fixture, ids[3], MESSAGE_SENDING);
    assert_int_equal(claim->unsettled, 1);
    assert_false(claim->settled[3]);
    assert_true(settle(fixture, claim, 3, 1, retry(1, 0)));
    assert_int_equal(claim->unsettled, 0);
    assert_state(fixture, ids[3], MESSAGE_PENDING);
}

static void what_was_settled_out_of_a_live_claim_may_go_to_another(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *first = claim_all(fixture, 2);
    assert_true(settle(fixture, first, 0, 1, retry(1, 0)));
    struct claim *second = claim_all(fixture, 1);
    assert_string_equal(second->messages[0].id.text, ids[0].text);
    assert_true(settle(fixture, first, 1, 1, sent("first")));
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_true(settle(fixture, second, 0, 1, sent("second")));
    assert_text(read_message(fixture, ids[0]).provider_id, "second");
    assert_text(read_message(fixture, ids[1]).provider_id, "first");
}

static void one_call_settles_several_claims(struct store_fixture *fixture) {
    struct message_id ids[4];
    insert_messages(fixture, 4, ids);
    struct claim *first = claim_in(fixture, fixture->session, 2).claim;
    struct claim *second = claim_in(fixture, fixture->session, 2).claim;
    struct outcome accepted = sent("x"), later = retry(1, 60000), refused = failed(1, ATTEMPT_TLS);
    const size_t backwards[] = {1, 0}, last[] = {1};
    const struct outcome *of_first[] = {&accepted, &later}, *of_second[] = {&refused};
    struct settlement settlements[] = {{first, backwards, of_first, 2, true},
                                       {second, last, of_second, 1, true}};
    assert_ok(store_settle(fixture->other, settlements, 2, &fixture->error), &fixture->error);
    assert_false(settlements[0].conflict || settlements[1].conflict);
    assert_state(fixture, ids[0], MESSAGE_PENDING);
    assert_state(fixture, ids[1], MESSAGE_SENT);
    assert_state(fixture, ids[2], MESSAGE_SENDING);
    assert_state(fixture, ids[3], MESSAGE_FAILED);
    assert_int_equal(first->unsettled, 0);
    assert_int_equal(second->unsettled, 1);
}

static void a_claim_ends_with_its_last_message(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    struct claim *claim = claim_all(fixture, 2);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_int_equal(claim_in(fixture, fixture->other, 1).next_due_in_ms, LEASE_MS);
    assert_true(settle(fixture, claim, 1, 1, sent("")));
    assert_true(claim_in(fixture, fixture->other, 1).next_due_in_ms < 0);
    assert_int_equal(store_extend(fixture->session, claim, LEASE_MS, &fixture->error),
                     STATUS_CONFLICT);
    fake_clock_advance_ms(&fixture->clock, 2 * LEASE_MS);
    assert_int_equal(claim_in(fixture, fixture->other, 1).taken_over, 0);
}

static const struct store_case cases[] = {
    STORE_CASE(a_sent_message_is_done),
    STORE_CASE(a_sent_message_may_have_no_provider_id),
    STORE_CASE(the_longest_provider_id_and_excerpt_survive),
    STORE_CASE(a_retry_waits_for_its_time),
    STORE_CASE(a_retry_waits_while_others_are_claimed),
    STORE_CASE(a_retry_without_delay_is_due_at_once),
    STORE_CASE(a_retry_that_has_come_due_takes_its_old_place),
    STORE_CASE(a_failed_attempt_is_recorded_with_all_its_fields),
    STORE_CASE(every_class_of_attempt_survives),
    STORE_CASE(attempts_come_oldest_first_and_belong_to_one_message),
    STORE_CASE(success_clears_the_error_and_keeps_the_attempts),
    STORE_CASE(a_failed_message_is_not_tried_again),
    STORE_CASE(an_invalid_message_fails_without_an_attempt),
    STORE_CASE(a_released_message_is_as_if_never_claimed),
    STORE_CASE(a_release_keeps_what_earlier_attempts_left),
    STORE_CASE(a_claim_is_settled_in_parts),
    STORE_CASE(what_was_settled_out_of_a_live_claim_may_go_to_another),
    STORE_CASE(one_call_settles_several_claims),
    STORE_CASE(a_claim_ends_with_its_last_message),
};

const struct store_cases store_cases_settle = STORE_CASES(cases);
