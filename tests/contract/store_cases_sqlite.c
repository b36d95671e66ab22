/* What others do to the tables with plain SQL. */
#include "contract/store_cases.h"
#include "contract/store_sql.h"

#include <stdio.h>
#include <string.h>

static struct message_id newest_id(struct store_fixture *fixture) {
    struct message_id id;
    snprintf(id.text, sizeof id.text, "%lld",
             (long long)sql_number(fixture, "SELECT max(id) FROM messages"));
    return id;
}

static void a_row_of_plain_sql_is_claimed(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content) VALUES('+15551234567','by hand')");
    struct claim *claim = claim_all(fixture, 1);
    assert_text(claim->messages[0].recipient, RECIPIENT);
    assert_text(claim->messages[0].content, "by hand");
    assert_int_equal(claim->messages[0].priority, 0);
    assert_int_equal(claim->messages[0].attempts, 0);
    int64_t age_ms = clock_wall_ms(&clock_system) - claim->messages[0].created_at_ms;
    assert_in_range(age_ms + 60000, 0, 120000);
    assert_true(settle(fixture, claim, 0, 1, sent("x")));
    assert_state(fixture, newest_id(fixture), MESSAGE_SENT);
}

static void a_row_of_plain_sql_may_be_due_later(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content,due_at)"
                 " VALUES('+15551234567','later', 1760000000000 + 5000)");
    struct claim_result none = claim_in(fixture, fixture->session, 1);
    assert_null(none.claim);
    assert_int_equal(none.next_due_in_ms, 5000);
    fake_clock_advance_ms(&fixture->clock, 5000);
    assert_text(claim_all(fixture, 1)->messages[0].content, "later");
}

static void a_row_of_plain_sql_may_be_long_overdue(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content,due_at) VALUES('+15551234567','a', 0),"
                 " ('+15551234567','b', -5), ('+15551234567','c', 1)");
    claim_all(fixture, 3);
}

static void content_that_is_too_long_comes_without_data(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content)"
                 " VALUES('+15551234567', printf('%.65536c', 'x')),"
                 "       ('+15551234567', printf('%.65537c', 'x')),"
                 "       ('+15551234567', printf('%.5000000c', 'x'))");
    struct claim *claim = claim_all(fixture, 3);
    assert_int_equal(claim->messages[0].content.len, MESSAGE_CONTENT_BYTES_MAX);
    assert_non_null(claim->messages[0].content.data);
    assert_null(claim->messages[1].content.data);
    assert_null(claim->messages[2].content.data);
    assert_null(read_message(fixture, claim->messages[2].id).content.data);
    assert_true(settle(fixture, claim, 0, 3, failed(0, ATTEMPT_INVALID)));
    struct store_page page = read_state(fixture, MESSAGE_FAILED);
    assert_int_equal(page.count, 3);
    assert_null(page.messages[0].content.data);
}

static void content_of_another_type_is_readable(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content) VALUES('+15551234567', 12345),"
                 " ('+15551234567', x'68C3BC00FF'), (15551234567, 1.5), ('', ''),"
                 " ('+15551234567', x'')");
    struct claim *claim = claim_all(fixture, 5);
    assert_text(claim->messages[0].content, "12345");
    assert_true(text_equal(claim->messages[1].content, (struct text){"h\xC3\xBC\0\xFF", 5}));
    assert_text(claim->messages[2].recipient, "15551234567");
    assert_text(claim->messages[2].content, "1.5");
    for (size_t i = 3; i < 5; i++) {
        assert_int_equal(claim->messages[i].content.len, 0);
        assert_non_null(claim->messages[i].content.data);
    }
    assert_true(settle(fixture, claim, 0, 5, sent("")));
}

static void fields_of_absurd_length_do_not_break_reading(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content,provider_id,error)"
                 " VALUES(printf('%.3000000c', '5'), 'x', printf('%.3000000c', 'p'),"
                 " printf('%.3000000c', 'e'))");
    struct claim *claim = claim_all(fixture, 1);
    assert_true(claim->messages[0].recipient.len > MESSAGE_RECIPIENT_BYTES_MAX);
    assert_true(settle(fixture, claim, 0, 1, failed(0, ATTEMPT_INVALID)));
    assert_int_equal(read_state(fixture, MESSAGE_FAILED).count, 1);
}

static void an_id_may_be_of_any_size(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(id,recipient,content) VALUES"
                 " (9223372036854775806, '+15551234567', 'large'),"
                 " (-5, '+15551234567', 'negative'), (0, '+15551234567', 'zero')");
    struct claim *claim = claim_all(fixture, 3);
    assert_text(claim->messages[0].content, "negative");
    assert_text(claim->messages[2].content, "large");
    assert_true(settle(fixture, claim, 0, 3, sent("")));
    assert_int_equal(read_depth(fixture).messages[MESSAGE_SENT], 3);
    assert_int_equal(read_state(fixture, MESSAGE_SENT).count, 3);
}

static void a_claimed_message_that_was_deleted_is_passed_over(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *claim = claim_all(fixture, 2);
    sql(fixture, "DELETE FROM messages WHERE id = (SELECT min(id) FROM messages)");
    assert_true(settle(fixture, claim, 0, 1, retry(1, 0)));
    assert_true(settle(fixture, claim, 1, 1, sent("")));
    assert_state(fixture, ids[1], MESSAGE_SENT);
    assert_int_equal(read_attempts(fixture, ids[0]).count, 0);
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM claims"), 0);
}

static void only_what_came_back_counts_as_taken_over(struct store_fixture *fixture) {
    insert_messages(fixture, 3, NULL);
    claim_all(fixture, 3);
    sql(fixture, "DELETE FROM messages WHERE id = (SELECT min(id) FROM messages)");
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    struct claim_result result = claim_in(fixture, fixture->other, 10);
    assert_int_equal(result.claim->count, 2);
    assert_int_equal(result.taken_over, 2);
}

/* Else whoever waits for the next due time would be told "now" for ever. */
static void an_expired_claim_without_messages_ends(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    claim_all(fixture, 2);
    sql(fixture, "DELETE FROM messages");
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    struct claim_result result = claim_in(fixture, fixture->other, 10);
    assert_null(result.claim);
    result = claim_in(fixture, fixture->other, 10);
    assert_true(result.next_due_in_ms < 0);
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM claims"), 0);
}

static void a_message_cancelled_while_it_is_sent_stays_cancelled(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *claim = claim_all(fixture, 2);
    sql(fixture, "UPDATE messages SET status = 'cancelled'");
    assert_state(fixture, ids[0], MESSAGE_CANCELLED);
    assert_true(settle(fixture, claim, 0, 1, retry(1, 0)));
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    assert_null(claim_in(fixture, fixture->other, 10).claim);
    for (size_t i = 0; i < 2; i++) {
        assert_state(fixture, ids[i], MESSAGE_CANCELLED);
        assert_int_equal(read_message(fixture, ids[i]).attempts, 0);
    }
    assert_int_equal(read_depth(fixture).messages[MESSAGE_CANCELLED], 2);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_SENDING], 0);
}

static void every_status_of_plain_sql_is_listed_and_counted(struct store_fixture *fixture) {
    sql(fixture, "INSERT INTO messages(recipient,content,status) VALUES"
                 " ('+15551234567','a','pending'), ('+15551234567','b','sent'),"
                 " ('+15551234567','c','failed'), ('+15551234567','d','cancelled'),"
                 " ('+15551234567','e','expired'), ('+15551234567','f','delivered'),"
                 " ('+15551234567','g','undelivered'), ('+15551234567','h','unknown')");
    claim_all(fixture, 1);
    struct store_depth depth = read_depth(fixture);
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        size_t expected = i == MESSAGE_PENDING ? 0 : 1;
        assert_int_equal(depth.messages[i], expected);
        struct store_page page = read_state(fixture, (enum message_state)i);
        assert_int_equal(page.count, expected);
        if (expected > 0)
            assert_int_equal(page.messages[0].state, i);
    }
}

static void assert_counts(struct store_fixture *fixture, int64_t pending, int64_t done,
                          int64_t refused) {
    struct store_depth depth = read_depth(fixture);
    assert_int_equal(depth.messages[MESSAGE_PENDING], pending);
    assert_int_equal(depth.messages[MESSAGE_SENT], done);
    assert_int_equal(depth.messages[MESSAGE_FAILED], refused);
}

static void counts_stay_right_when_rows_change_by_plain_sql(struct store_fixture *fixture) {
    insert_messages(fixture, 10, NULL);
    sql(fixture, "UPDATE messages SET status = 'sent' WHERE id % 2 = 0");
    assert_counts(fixture, 5, 5, 0);
    sql(fixture, "DELETE FROM messages WHERE status = 'sent' AND id % 4 = 0");
    assert_counts(fixture, 5, 3, 0);
    sql(fixture, "INSERT INTO messages(recipient,content,status)"
                 " VALUES('+15551234567','x','failed')");
    assert_counts(fixture, 5, 3, 1);
    sql(fixture, "UPDATE messages SET status = status, priority = 1");
    assert_counts(fixture, 5, 3, 1);
    sql(fixture, "UPDATE messages SET status = 'pending'");
    assert_counts(fixture, 9, 0, 0);
    sql(fixture, "BEGIN; DELETE FROM messages; ROLLBACK");
    assert_counts(fixture, 9, 0, 0);
    sql(fixture, "DELETE FROM messages");
    assert_counts(fixture, 0, 0, 0);
}

static void a_message_sent_again_by_sql_is_claimed_again(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    settle_everything_due(fixture, failed(1, ATTEMPT_HTTP_4XX));
    sql(fixture, "UPDATE messages SET status = 'pending'");
    assert_int_equal(claim_all(fixture, 1)->messages[0].attempts, 1);
}

/* The second of three is refused by the database, so none may stay. */
static void an_insert_that_fails_inserts_nothing(struct store_fixture *fixture) {
    sql(fixture, "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.content = 'poison'"
                 " BEGIN SELECT RAISE(ABORT, 'poisoned'); END");
    struct message_draft drafts[] = {
        {.recipient = TEXT_LITERAL(RECIPIENT), .content = TEXT_LITERAL("a")},
        {.recipient = TEXT_LITERAL(RECIPIENT), .content = TEXT_LITERAL("poison")},
        {.recipient = TEXT_LITERAL(RECIPIENT), .content = TEXT_LITERAL("b")}};
    struct message_id ids[3];
    assert_int_not_equal(store_insert(fixture->session, drafts, 3, ids, &fixture->error),
                         STATUS_OK);
    assert_non_null(strstr(fixture->error.text, "poisoned"));
    assert_counts(fixture, 0, 0, 0);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
    insert_message(fixture, TEXT_LITERAL("usable at once"), 0);
    claim_all(fixture, 1);
}

static void a_settle_that_fails_settles_nothing_and_can_be_repeated(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    struct claim *claim = claim_all(fixture, 2);
    sql(fixture, "CREATE TRIGGER poison BEFORE INSERT ON attempts"
                 " BEGIN SELECT RAISE(ABORT, 'poisoned'); END");
    struct outcome accepted = sent("x"), later = retry(1, 0);
    const size_t indexes[] = {0, 1};
    const struct outcome *outcomes[] = {&accepted, &later};
    struct settlement settlement = {claim, indexes, outcomes, 2, false};
    assert_int_not_equal(store_settle(fixture->session, &settlement, 1, &fixture->error),
                         STATUS_OK);
    assert_int_equal(claim->unsettled, 2);
    assert_state(fixture, ids[0], MESSAGE_SENDING);
    assert_state(fixture, ids[1], MESSAGE_SENDING);
    sql(fixture, "DROP TRIGGER poison");
    assert_ok(store_settle(fixture->session, &settlement, 1, &fixture->error), &fixture->error);
    assert_false(settlement.conflict);
    assert_state(fixture, ids[0], MESSAGE_SENT);
    assert_int_equal(claim->unsettled, 0);
}

static void a_take_over_that_fails_changes_nothing(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct claim *claim = claim_all(fixture, 1);
    sql(fixture, "CREATE TRIGGER poison BEFORE INSERT ON attempts"
                 " BEGIN SELECT RAISE(ABORT, 'poisoned'); END");
    fake_clock_advance_ms(&fixture->clock, LEASE_MS + 1);
    struct claim_request request = {.messages_max = 1, .lease_ms = LEASE_MS};
    struct claim_result result;
    assert_int_not_equal(store_claim(fixture->other, &request, &result, &fixture->error),
                         STATUS_OK);
    assert_null(result.claim);
    assert_int_equal(result.taken_over, 0);
    assert_int_equal(read_message(fixture, id).attempts, 0);
    assert_true(settle(fixture, claim, 0, 1, sent("still mine")));
}

static const struct store_case cases[] = {
    STORE_CASE(a_row_of_plain_sql_is_claimed),
    STORE_CASE(a_row_of_plain_sql_may_be_due_later),
    STORE_CASE(a_row_of_plain_sql_may_be_long_overdue),
    STORE_CASE(content_that_is_too_long_comes_without_data),
    STORE_CASE(content_of_another_type_is_readable),
    STORE_CASE(fields_of_absurd_length_do_not_break_reading),
    STORE_CASE(an_id_may_be_of_any_size),
    STORE_CASE(a_claimed_message_that_was_deleted_is_passed_over),
    STORE_CASE(only_what_came_back_counts_as_taken_over),
    STORE_CASE(an_expired_claim_without_messages_ends),
    STORE_CASE(a_message_cancelled_while_it_is_sent_stays_cancelled),
    STORE_CASE(every_status_of_plain_sql_is_listed_and_counted),
    STORE_CASE(counts_stay_right_when_rows_change_by_plain_sql),
    STORE_CASE(a_message_sent_again_by_sql_is_claimed_again),
    STORE_CASE(an_insert_that_fails_inserts_nothing),
    STORE_CASE(a_settle_that_fails_settles_nothing_and_can_be_repeated),
    STORE_CASE(a_take_over_that_fails_changes_nothing),
};

const struct store_cases store_cases_sqlite = STORE_CASES(cases);
