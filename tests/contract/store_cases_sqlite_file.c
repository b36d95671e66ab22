/* The file itself: its schema, its owners, and files that are something else. */
#include "contract/store_cases.h"
#include "contract/store_sql.h"

#include <stdio.h>
#include <string.h>

static void a_restart_keeps_everything(struct store_fixture *fixture) {
    struct message_id ids[4];
    insert_messages(fixture, 4, ids);
    struct claim *claim = claim_all(fixture, 4);
    assert_true(settle(fixture, claim, 0, 1, sent("provider-1")));
    assert_true(settle(fixture, claim, 1, 1, failed(1, ATTEMPT_TLS)));
    assert_true(settle(fixture, claim, 2, 1, retry(1, 5000)));
    assert_true(settle(fixture, claim, 3, 1, released()));
    reopen_store(fixture);
    struct message message = read_message(fixture, ids[0]);
    assert_int_equal(message.state, MESSAGE_SENT);
    assert_int_equal(message.sent_at_ms, FAKE_CLOCK_START_MS);
    assert_text(message.provider_id, "provider-1");
    assert_text(read_message(fixture, ids[1]).error, "no such number");
    assert_int_equal(read_attempts(fixture, ids[1]).items[0].class, ATTEMPT_TLS);
    assert_int_equal(read_message(fixture, ids[2]).due_at_ms, FAKE_CLOCK_START_MS + 5000);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_PENDING], 2);
    claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &ids[3], 1);
    assert_int_equal(claim->messages[0].attempts, 0);
}

static void ids_rise_over_a_restart_and_deletions(struct store_fixture *fixture) {
    struct message_id before[3], after;
    insert_messages(fixture, 3, before);
    sql(fixture, "DELETE FROM messages");
    reopen_store(fixture);
    insert_messages(fixture, 1, &after);
    assert_true(id_is_later(after, before[2]));
}

static void the_claims_of_a_dead_owner_are_taken_over_at_once(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    claim_all(fixture, 2);
    reopen_store(fixture);
    struct claim_result result = claim_in(fixture, fixture->session, 10);
    assert_int_equal(result.taken_over, 2);
    assert_non_null(result.claim);
    assert_messages(result.claim->messages, result.claim->count, ids, 2);
    struct attempt_list attempts = read_attempts(fixture, ids[0]);
    assert_int_equal(attempts.count, 1);
    assert_int_equal(attempts.items[0].class, ATTEMPT_LEASE_EXPIRED);
}

struct second_store {
    struct store *store;
    struct store_session *session;
};

static struct second_store open_second(struct store_fixture *fixture) {
    struct store_options options = {.url = fixture->url, .clock = &fixture->clock.clock};
    struct second_store second;
    assert_ok(store_open(&second.store, &options, &fixture->error), &fixture->error);
    assert_ok(store_session_open(&second.session, second.store, &fixture->error), &fixture->error);
    return second;
}

static void close_second(struct second_store *second) {
    store_session_close(second->session);
    store_close(second->store);
}

static void the_claims_of_a_living_owner_are_left_alone(struct store_fixture *fixture) {
    insert_messages(fixture, 2, NULL);
    struct claim *claim = claim_in(fixture, fixture->session, 1).claim;
    struct second_store second = open_second(fixture);
    struct claim_result result = claim_in(fixture, second.session, 10);
    assert_int_equal(result.taken_over, 0);
    assert_int_equal(result.claim->count, 1);
    close_second(&second);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_int_equal(claim_in(fixture, fixture->session, 10).taken_over, 1);
}

/* The owner of a lost claim may come back as the same process with the same memory. */
static void a_claim_taken_from_a_dead_owner_is_fenced(struct store_fixture *fixture) {
    struct message_id id;
    insert_messages(fixture, 1, &id);
    struct second_store second = open_second(fixture);
    struct claim *lost = claim_in(fixture, second.session, 1).claim;
    close_second(&second);
    assert_non_null(claim_all(fixture, 1));
    assert_false(settle(fixture, lost, 0, 1, sent("late")));
    assert_state(fixture, id, MESSAGE_SENDING);
}

static void assert_refused(struct store_fixture *fixture, enum status expected, const char *words) {
    struct store_options options = {.url = fixture->url, .clock = &fixture->clock.clock};
    enum status status = store_open(&fixture->store, &options, &fixture->error);
    if (status == STATUS_OK || strstr(fixture->error.text, words) == NULL)
        print_error("\"%s\" lacks \"%s\"\n", fixture->error.text, words);
    assert_int_equal(status, expected);
    assert_non_null(strstr(fixture->error.text, words));
}

static void a_newer_schema_is_refused_with_advice(struct store_fixture *fixture) {
    insert_messages(fixture, 1, NULL);
    close_store(fixture);
    sql(fixture, "INSERT INTO schema_migrations(version, name) VALUES(9999, 'from the future')");
    assert_refused(fixture, STATUS_BROKEN, "newer posthaste");
    assert_non_null(strstr(fixture->error.text, "9999"));
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM messages"), 1);
}

static void a_newer_schema_is_left_alone_by_the_migrations(struct store_fixture *fixture) {
    close_store(fixture);
    sql(fixture, "INSERT INTO schema_migrations(version, name) VALUES(9999, 'from the future')");
    struct store_options options = {
        .url = fixture->url, .clock = &fixture->clock.clock, .leave_schema = true};
    assert_ok(store_open(&fixture->store, &options, &fixture->error), &fixture->error);
    struct store_version version;
    assert_ok(store_version(fixture->store, &version, &fixture->error), &fixture->error);
    assert_int_equal(version.current, 9999);
    assert_true(version.known < 9999);
    struct buffer report;
    buffer_init(&report, 4096);
    assert_int_equal(store_migrate_up(fixture->store, &report, &fixture->error), STATUS_BROKEN);
    assert_int_equal(store_migrate_down(fixture->store, &report, &fixture->error), STATUS_BROKEN);
    buffer_deinit(&report);
}

static size_t lines_of(const struct buffer *report) {
    size_t lines = 0;
    for (size_t i = 0; i < report->len; i++)
        lines += report->data[i] == '\n';
    return lines;
}

static int64_t current_version(struct store_fixture *fixture) {
    struct store_version version;
    assert_ok(store_version(fixture->store, &version, &fixture->error), &fixture->error);
    return version.current;
}

static void the_schema_goes_down_and_up_step_by_step(struct store_fixture *fixture) {
    int64_t newest = current_version(fixture);
    struct buffer down, up;
    buffer_init(&down, 4096);
    buffer_init(&up, 4096);
    for (int64_t version = newest; version > 0; version--) {
        assert_int_equal(current_version(fixture), version);
        assert_ok(store_migrate_down(fixture->store, &down, &fixture->error), &fixture->error);
    }
    assert_int_equal(current_version(fixture), 0);
    assert_int_equal(lines_of(&down), newest);
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM sqlite_master WHERE name IN"
                                         " ('messages', 'attempts', 'claims', 'counts')"),
                     0);
    assert_ok(store_migrate_down(fixture->store, &down, &fixture->error), &fixture->error);
    assert_int_equal(lines_of(&down), newest);
    assert_ok(store_migrate_up(fixture->store, &up, &fixture->error), &fixture->error);
    assert_int_equal(current_version(fixture), newest);
    assert_int_equal(lines_of(&up), newest);
    assert_ok(store_migrate_up(fixture->store, &up, &fixture->error), &fixture->error);
    assert_int_equal(lines_of(&up), newest);
    buffer_deinit(&down);
    buffer_deinit(&up);
    reopen_store(fixture);
    insert_messages(fixture, 1, NULL);
    claim_all(fixture, 1);
}

static void opening_can_leave_the_schema_as_it_is(struct store_fixture *fixture) {
    close_store(fixture);
    temporary_join(&fixture->temporary, "fresh.db", fixture->file);
    snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->file);
    struct store_options options = {
        .url = fixture->url, .clock = &fixture->clock.clock, .leave_schema = true};
    assert_ok(store_open(&fixture->store, &options, &fixture->error), &fixture->error);
    assert_int_equal(current_version(fixture), 0);
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM sqlite_master"), 0);
}

static void a_file_that_is_no_database_is_refused(struct store_fixture *fixture) {
    close_store(fixture);
    char text[4096];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    temporary_write(&fixture->temporary, "letter.txt", text);
    temporary_join(&fixture->temporary, "letter.txt", fixture->file);
    snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->file);
    assert_refused(fixture, STATUS_BROKEN, "not a database");
    assert_non_null(strstr(fixture->error.text, "letter.txt"));
}

static void a_database_of_another_program_is_refused(struct store_fixture *fixture) {
    close_store(fixture);
    temporary_join(&fixture->temporary, "foreign.db", fixture->file);
    snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->file);
    sql(fixture, "CREATE TABLE messages(sender TEXT); INSERT INTO messages VALUES('somebody')");
    assert_refused(fixture, STATUS_BROKEN, "another file");
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM messages"), 1);
    assert_int_equal(sql_number(fixture, "SELECT count(*) FROM sqlite_master"), 1);
}

static void a_missing_folder_is_named(struct store_fixture *fixture) {
    close_store(fixture);
    temporary_join(&fixture->temporary, "no-such-folder/queue.db", fixture->file);
    snprintf(fixture->url, sizeof fixture->url, "sqlite:%s", fixture->file);
    assert_refused(fixture, STATUS_UNAVAILABLE, "no-such-folder");
}

static void an_unknown_scheme_is_invalid(struct store_fixture *fixture) {
    close_store(fixture);
    static const char *const urls[] = {"", "queue.db", "mysql://example.com/queue", "sqlite:"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        snprintf(fixture->url, sizeof fixture->url, "%s", urls[i]);
        assert_refused(fixture, STATUS_INVALID, "STORE_URL");
    }
}

static const struct store_case cases[] = {
    STORE_CASE(a_restart_keeps_everything),
    STORE_CASE(ids_rise_over_a_restart_and_deletions),
    STORE_CASE(the_claims_of_a_dead_owner_are_taken_over_at_once),
    STORE_CASE(the_claims_of_a_living_owner_are_left_alone),
    STORE_CASE(a_claim_taken_from_a_dead_owner_is_fenced),
    STORE_CASE(a_newer_schema_is_refused_with_advice),
    STORE_CASE(a_newer_schema_is_left_alone_by_the_migrations),
    STORE_CASE(the_schema_goes_down_and_up_step_by_step),
    STORE_CASE(opening_can_leave_the_schema_as_it_is),
    STORE_CASE(a_file_that_is_no_database_is_refused),
    STORE_CASE(a_database_of_another_program_is_refused),
    STORE_CASE(a_missing_folder_is_named),
    STORE_CASE(an_unknown_scheme_is_invalid),
};

const struct store_cases store_cases_sqlite_file = STORE_CASES(cases);
