#include "contract/store_cases.h"

#include <stdio.h>
#include <string.h>

static struct store_audit add_audit(struct store_fixture *fixture, const char *action) {
    struct store_audit entry = {.action = text_of(action)};
    assert_ok(store_audit_add(fixture->session, &entry, &fixture->error), &fixture->error);
    return entry;
}

static struct store_audit_page read_audit(struct store_fixture *fixture, int64_t before,
                                          size_t limit) {
    struct store_audit_page page;
    assert_ok(store_audit_list(fixture->session, &(struct store_audit_query){before, limit},
                               &fixture->arena, &page, &fixture->error),
              &fixture->error);
    return page;
}

static void an_audit_entry_is_read_back(struct store_fixture *fixture) {
    struct store_audit stop = {.action = TEXT_LITERAL("pause"),
                               .actor = TEXT_LITERAL("J\xC3\xBCrgen"),
                               .address = TEXT_LITERAL("2001:db8::1"),
                               .request_id = TEXT_LITERAL("req'\"\\$1"),
                               .subject = TEXT_LITERAL("\xE4\xBD\xA0\xE5\xA5\xBD"),
                               .detail = TEXT_LITERAL("{\"why\":\"test\"}\n"),
                               .start_id = add_audit(fixture, "start").id};
    fake_clock_advance_ms(&fixture->clock, 1234);
    assert_ok(store_audit_add(fixture->session, &stop, &fixture->error), &fixture->error);
    assert_true(stop.id > stop.start_id);
    assert_int_equal(stop.at_ms, FAKE_CLOCK_START_MS + 1234);
    struct store_audit_page page = read_audit(fixture, 0, 10);
    assert_int_equal(page.count, 2);
    assert_false(page.more);
    const struct store_audit *read = &page.entries[0];
    assert_int_equal(read->id, stop.id);
    assert_int_equal(read->at_ms, stop.at_ms);
    assert_int_equal(read->start_id, stop.start_id);
    assert_text(read->action, "pause");
    assert_text(read->actor, "J\xC3\xBCrgen");
    assert_text(read->address, "2001:db8::1");
    assert_text(read->request_id, "req'\"\\$1");
    assert_text(read->subject, "\xE4\xBD\xA0\xE5\xA5\xBD");
    assert_text(read->detail, "{\"why\":\"test\"}\n");
    assert_int_equal(page.entries[1].id, stop.start_id);
    assert_int_equal(page.entries[1].at_ms, FAKE_CLOCK_START_MS);
    assert_int_equal(page.entries[1].start_id, 0);
    assert_text(page.entries[1].actor, "");
    assert_text(page.entries[1].detail, "");
}

static void an_empty_audit_has_no_entries(struct store_fixture *fixture) {
    struct store_audit_page page = read_audit(fixture, 0, 1);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
    page = read_audit(fixture, 77, STORE_LIST_LIMIT_MAX);
    assert_int_equal(page.count, 0);
}

static void the_audit_has_pages(struct store_fixture *fixture) {
    int64_t ids[7], before = 0;
    for (size_t i = 0; i < 7; i++)
        ids[i] = add_audit(fixture, "action").id;
    size_t left = 7;
    for (bool more = true; more;) {
        struct store_audit_page page = read_audit(fixture, before, 3);
        assert_in_range(page.count, 1, left);
        for (size_t i = 0; i < page.count; i++)
            assert_int_equal(page.entries[i].id, ids[--left]);
        more = page.more;
        before = page.entries[page.count - 1].id;
        add_audit(fixture, "meanwhile");
    }
    assert_int_equal(left, 0);
    assert_int_equal(read_audit(fixture, ids[0], 3).count, 0);
    assert_false(read_audit(fixture, ids[3], 3).more);
    assert_true(read_audit(fixture, ids[4], 3).more);
}

static void long_texts_of_the_audit_are_cut(struct store_fixture *fixture) {
    char text[2 * STORE_AUDIT_TEXT_BYTES_MAX];
    memset(text, 'x', sizeof text);
    memcpy(text + STORE_AUDIT_TEXT_BYTES_MAX - 1, "\xC3\xBC", 2);
    struct text whole = {text, STORE_AUDIT_TEXT_BYTES_MAX - 1}, much = {text, sizeof text};
    struct store_audit entry = {.action = much,
                                .actor = much,
                                .address = whole,
                                .request_id = much,
                                .subject = {text + STORE_AUDIT_TEXT_BYTES_MAX + 1, 3},
                                .detail = much};
    assert_ok(store_audit_add(fixture->session, &entry, &fixture->error), &fixture->error);
    struct store_audit read = read_audit(fixture, 0, 1).entries[0];
    assert_true(text_equal(read.action, whole));
    assert_true(text_equal(read.actor, whole));
    assert_true(text_equal(read.address, whole));
    assert_true(text_equal(read.request_id, whole));
    assert_text(read.subject, "xxx");
    assert_true(text_equal(read.detail, whole));
}

/* Addresses and subjects come from outside. */
static void odd_bytes_in_the_audit_are_no_failure(struct store_fixture *fixture) {
    static const struct text odd[] = {
        {"a\0b", 3}, {"a\xFF\xFE", 3}, {"a\xC3", 2}, {"\xED\xA0\x80", 3}, {"a\x01\x7F", 3}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct store_audit entry = {.action = TEXT_LITERAL("odd"),
                                    .actor = odd[i],
                                    .address = odd[i],
                                    .subject = odd[i],
                                    .detail = odd[i]};
        assert_ok(store_audit_add(fixture->session, &entry, &fixture->error), &fixture->error);
        struct store_audit read = read_audit(fixture, 0, 1).entries[0];
        assert_int_equal(read.id, entry.id);
        assert_int_equal(read.subject.len, odd[i].len);
        if (odd[i].data[0] == 'a')
            assert_int_equal(read.subject.data[0], 'a');
    }
}

static struct store_job create_job(struct store_fixture *fixture, const char *filter) {
    struct store_job job = {
        .filter = text_of(filter), .actor = TEXT_LITERAL("operator"), .rate = 7, .matched = 1000};
    assert_ok(store_job_create(fixture->session, &job, &fixture->error), &fixture->error);
    return job;
}

static struct store_job read_job(struct store_fixture *fixture, int64_t id) {
    struct store_job job;
    assert_ok(store_job_get(fixture->session, id, &fixture->arena, &job, &fixture->error),
              &fixture->error);
    assert_int_equal(job.id, id);
    return job;
}

static enum status advance(struct store_fixture *fixture, const struct store_job *job,
                           enum store_job_state state, const char *cursor) {
    struct store_job_step step = {.state = state, .retried = 5, .pause_ms = 2500};
    snprintf(step.cursor.text, sizeof step.cursor.text, "%s", cursor);
    return store_job_advance(fixture->session, job, &step, &fixture->error);
}

static void assert_jobs(struct store_fixture *fixture, bool running, size_t limit,
                        const int64_t *ids, size_t count) {
    struct store_job_list list;
    assert_ok(store_job_list(fixture->session,
                             &(struct store_job_query){.running = running, .limit = limit},
                             &fixture->arena, &list, &fixture->error),
              &fixture->error);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list.jobs[i].id, ids[i]);
}

static void a_job_is_read_back(struct store_fixture *fixture) {
    static const char filter[] =
        "{\"states\":[\"failed\"],\"content\":\"gr\xC3\xBC\xC3\x9F'\\\"\"}";
    struct store_job made = create_job(fixture, filter);
    assert_true(made.id > 0);
    assert_int_equal(made.created_at_ms, FAKE_CLOCK_START_MS);
    fake_clock_advance_ms(&fixture->clock, 10);
    struct store_job job = read_job(fixture, made.id);
    assert_int_equal(job.state, STORE_JOB_RUNNING);
    assert_text(job.filter, filter);
    assert_text(job.actor, "operator");
    assert_int_equal(job.rate, 7);
    assert_int_equal(job.matched, 1000);
    assert_int_equal(job.retried, 0);
    assert_int_equal(job.created_at_ms, FAKE_CLOCK_START_MS);
    assert_int_equal(job.updated_at_ms, FAKE_CLOCK_START_MS);
    assert_string_equal(job.cursor.text, "");
    assert_int_equal(job.next_step_in_ms, 0);
}

static void the_longest_filter_is_kept_whole(struct store_fixture *fixture) {
    char filter[STORE_JOB_FILTER_BYTES_MAX + 1] = "";
    memset(filter, 'f', sizeof filter - 1);
    assert_text(read_job(fixture, create_job(fixture, filter).id).filter, filter);
}

static void a_new_job_is_at_its_beginning(struct store_fixture *fixture) {
    struct store_job job = {.state = STORE_JOB_STOPPED,
                            .filter = TEXT_LITERAL("{}"),
                            .retried = 9,
                            .cursor = {"17"},
                            .next_step_in_ms = 1000};
    assert_ok(store_job_create(fixture->session, &job, &fixture->error), &fixture->error);
    job = read_job(fixture, job.id);
    assert_int_equal(job.state, STORE_JOB_RUNNING);
    assert_int_equal(job.retried, 0);
    assert_string_equal(job.cursor.text, "");
    assert_int_equal(job.next_step_in_ms, 0);
}

static void an_unknown_job_is_not_found(struct store_fixture *fixture) {
    static const int64_t ids[] = {0, -1, 12345, INT64_MAX};
    create_job(fixture, "{}");
    for (size_t i = 0; i < 4; i++) {
        struct store_job job = {.id = ids[i]};
        assert_int_equal(
            store_job_get(fixture->session, ids[i], &fixture->arena, &job, &fixture->error),
            STATUS_NOT_FOUND);
        job.id = ids[i];
        assert_int_equal(advance(fixture, &job, STORE_JOB_RUNNING, "1"), STATUS_CONFLICT);
    }
}

static void jobs_are_listed_newest_first(struct store_fixture *fixture) {
    assert_jobs(fixture, false, 10, NULL, 0);
    assert_jobs(fixture, true, 10, NULL, 0);
    struct store_job jobs[4];
    for (size_t i = 0; i < 4; i++)
        jobs[i] = create_job(fixture, "{}");
    assert_ok(advance(fixture, &jobs[1], STORE_JOB_DONE, "5"), &fixture->error);
    assert_ok(advance(fixture, &jobs[2], STORE_JOB_STOPPED, "5"), &fixture->error);
    const int64_t all[] = {jobs[3].id, jobs[2].id, jobs[1].id, jobs[0].id};
    const int64_t running[] = {jobs[3].id, jobs[0].id};
    assert_jobs(fixture, false, 10, all, 4);
    assert_jobs(fixture, false, 2, all, 2);
    assert_jobs(fixture, true, 10, running, 2);
    assert_jobs(fixture, true, 1, running, 1);
    assert_int_equal(read_job(fixture, jobs[1].id).state, STORE_JOB_DONE);
    assert_int_equal(read_job(fixture, jobs[2].id).state, STORE_JOB_STOPPED);
}

static void a_job_goes_on_step_by_step(struct store_fixture *fixture) {
    struct store_job job = create_job(fixture, "{}");
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_ok(advance(fixture, &job, STORE_JOB_RUNNING, "100"), &fixture->error);
    job = read_job(fixture, job.id);
    assert_int_equal(job.state, STORE_JOB_RUNNING);
    assert_string_equal(job.cursor.text, "100");
    assert_int_equal(job.retried, 5);
    assert_int_equal(job.created_at_ms, FAKE_CLOCK_START_MS);
    assert_int_equal(job.updated_at_ms, FAKE_CLOCK_START_MS + 1000);
    assert_int_equal(job.next_step_in_ms, 2500);
    fake_clock_advance_ms(&fixture->clock, 2499);
    assert_int_equal(read_job(fixture, job.id).next_step_in_ms, 1);
    fake_clock_advance_ms(&fixture->clock, 1);
    assert_int_equal(read_job(fixture, job.id).next_step_in_ms, 0);
    fake_clock_advance_ms(&fixture->clock, 100000);
    assert_int_equal(read_job(fixture, job.id).next_step_in_ms, 0);
    assert_ok(advance(fixture, &job, STORE_JOB_DONE, "123e4567-e89b-42d3-a456-426614174000"),
              &fixture->error);
    job = read_job(fixture, job.id);
    assert_int_equal(job.state, STORE_JOB_DONE);
    assert_string_equal(job.cursor.text, "123e4567-e89b-42d3-a456-426614174000");
    assert_int_equal(job.retried, 10);
}

/* Two programs work on one job, and only one takes each step. */
static void a_step_is_taken_once(struct store_fixture *fixture) {
    struct store_job job = create_job(fixture, "{}"), other = create_job(fixture, "{}");
    assert_ok(advance(fixture, &job, STORE_JOB_RUNNING, "100"), &fixture->error);
    assert_int_equal(advance(fixture, &job, STORE_JOB_RUNNING, "200"), STATUS_CONFLICT);
    struct store_job wrong = read_job(fixture, job.id);
    snprintf(wrong.cursor.text, sizeof wrong.cursor.text, "99");
    assert_int_equal(advance(fixture, &wrong, STORE_JOB_STOPPED, "200"), STATUS_CONFLICT);
    struct store_job now = read_job(fixture, job.id);
    assert_int_equal(now.state, STORE_JOB_RUNNING);
    assert_string_equal(now.cursor.text, "100");
    assert_int_equal(now.retried, 5);
    assert_string_equal(read_job(fixture, other.id).cursor.text, "");
}

static void a_job_that_is_over_does_not_go_on(struct store_fixture *fixture) {
    static const enum store_job_state over[] = {STORE_JOB_DONE, STORE_JOB_STOPPED};
    for (size_t i = 0; i < 2; i++) {
        struct store_job job = create_job(fixture, "{}");
        assert_ok(advance(fixture, &job, over[i], ""), &fixture->error);
        job = read_job(fixture, job.id);
        assert_int_equal(advance(fixture, &job, STORE_JOB_RUNNING, "1"), STATUS_CONFLICT);
        assert_int_equal(read_job(fixture, job.id).state, over[i]);
    }
}

static const struct store_case cases[] = {
    STORE_CASE(an_audit_entry_is_read_back),
    STORE_CASE(an_empty_audit_has_no_entries),
    STORE_CASE(the_audit_has_pages),
    STORE_CASE(long_texts_of_the_audit_are_cut),
    STORE_CASE(odd_bytes_in_the_audit_are_no_failure),
    STORE_CASE(a_job_is_read_back),
    STORE_CASE(the_longest_filter_is_kept_whole),
    STORE_CASE(a_new_job_is_at_its_beginning),
    STORE_CASE(an_unknown_job_is_not_found),
    STORE_CASE(jobs_are_listed_newest_first),
    STORE_CASE(a_job_goes_on_step_by_step),
    STORE_CASE(a_step_is_taken_once),
    STORE_CASE(a_job_that_is_over_does_not_go_on),
};

const struct store_cases store_cases_office = STORE_CASES(cases);

static void drafts_outlive_the_program(struct store_fixture *fixture) {
    struct message_draft draft = {.recipient = TEXT_LITERAL(RECIPIENT),
                                  .content = TEXT_LITERAL("hello"),
                                  .due_at_ms = FAKE_CLOCK_START_MS + 5000,
                                  .expires_at_ms = FAKE_CLOCK_START_MS + 90000,
                                  .max_attempts = 3,
                                  .metadata = TEXT_LITERAL("{\"a\": \"\xC3\xBC\"}"),
                                  .provider = TEXT_LITERAL("backup"),
                                  .key = TEXT_LITERAL("key"),
                                  .fingerprint = TEXT_LITERAL("print")};
    struct message_id id = insert_draft(fixture, &draft);
    reopen_store(fixture);
    struct message message = read_message(fixture, id);
    assert_int_equal(message.due_at_ms, draft.due_at_ms);
    assert_int_equal(message.expires_at_ms, draft.expires_at_ms);
    assert_int_equal(message.max_attempts, 3);
    assert_text(message.metadata, "{\"a\": \"\xC3\xBC\"}");
    assert_text(message.provider, "backup");
    struct store_key key = {.key = TEXT_LITERAL("key")};
    assert_ok(store_find_keys(fixture->session, &key, 1, &fixture->error), &fixture->error);
    assert_true(key.found);
    assert_string_equal(key.id.text, id.text);
    assert_string_equal(key.fingerprint, "print");
    struct message_id again;
    assert_int_equal(store_insert(fixture->session, &draft, 1, &again, &fixture->error),
                     STATUS_CONFLICT);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
    fake_clock_advance_ms(&fixture->clock, 5000);
    claim_all(fixture, 1);
}

static void changes_outlive_the_program(struct store_fixture *fixture) {
    struct message_id ids[3];
    insert_messages(fixture, 3, ids);
    struct claim *claim = claim_all(fixture, 3);
    assert_true(settle(fixture, claim, 0, 1, expired(1, ATTEMPT_EXPIRED)));
    assert_true(settle(fixture, claim, 1, 1, failed(1, ATTEMPT_DNS)));
    assert_true(settle(fixture, claim, 2, 1, released()));
    assert_int_equal(change_messages(fixture, STORE_CANCEL, ids, 3), 1);
    assert_int_equal(change_messages(fixture, STORE_RETRY, &ids[1], 1), 1);
    reopen_store(fixture);
    assert_state(fixture, ids[0], MESSAGE_EXPIRED);
    assert_state(fixture, ids[1], MESSAGE_PENDING);
    assert_state(fixture, ids[2], MESSAGE_CANCELLED);
    assert_int_equal(read_attempts(fixture, ids[0]).items[0].class, ATTEMPT_EXPIRED);
    struct store_depth depth = read_depth(fixture);
    assert_int_equal(depth.messages[MESSAGE_EXPIRED], 1);
    assert_int_equal(depth.messages[MESSAGE_PENDING], 1);
    assert_int_equal(depth.messages[MESSAGE_CANCELLED], 1);
    claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &ids[1], 1);
}

static void the_office_outlives_the_program(struct store_fixture *fixture) {
    struct store_audit entry = add_audit(fixture, "start");
    struct store_job job = create_job(fixture, "{\"a\":1}"), over = create_job(fixture, "{}");
    assert_ok(advance(fixture, &job, STORE_JOB_RUNNING, "42"), &fixture->error);
    assert_ok(advance(fixture, &over, STORE_JOB_DONE, ""), &fixture->error);
    reopen_store(fixture);
    struct store_audit_page page = read_audit(fixture, 0, 10);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.entries[0].id, entry.id);
    assert_text(page.entries[0].action, "start");
    assert_true(add_audit(fixture, "stop").id > entry.id);
    job = read_job(fixture, job.id);
    assert_text(job.filter, "{\"a\":1}");
    assert_string_equal(job.cursor.text, "42");
    assert_int_equal(job.next_step_in_ms, 2500);
    assert_jobs(fixture, true, 10, &job.id, 1);
    assert_ok(advance(fixture, &job, STORE_JOB_DONE, "43"), &fixture->error);
    assert_true(create_job(fixture, "{}").id > over.id);
}

static const struct store_case kept_cases[] = {
    STORE_CASE(drafts_outlive_the_program),
    STORE_CASE(changes_outlive_the_program),
    STORE_CASE(the_office_outlives_the_program),
};

const struct store_cases store_cases_kept = STORE_CASES(kept_cases);
