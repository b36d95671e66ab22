#include "contract/store_fixture.h"

#include "base/memory.h"
#include "contract/store_postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES_MAX ((size_t)512 << 20)

static enum status open_store(struct store_fixture *fixture) {
    struct store_options options = {.url = fixture->url,
                                    .clock = &fixture->clock.clock,
                                    .migrate = STORE_MIGRATE_ALWAYS,
                                    .listen = true};
    struct error *error = &fixture->error;
    enum status status = store_open(&fixture->store, &options, error);
    if (status == STATUS_OK && fixture->place != NULL)
        postgres_place_set_clock(fixture->place, &fixture->clock);
    if (status == STATUS_OK)
        status = store_session_open(&fixture->session, fixture->store, error);
    if (status == STATUS_OK)
        status = store_session_open(&fixture->other, fixture->store, error);
    return status;
}

int store_fixture_set_up(void **state) {
    struct store_fixture *fixture = memory_zeroed(1, sizeof *fixture);
    fixture->back_end = *state;
    temporary_init(&fixture->temporary);
    fake_clock_init(&fixture->clock);
    arena_init(&fixture->arena, ARENA_BYTES_MAX);
    temporary_join(&fixture->temporary, "queue.db", fixture->file);
    snprintf(fixture->url, sizeof fixture->url, "%s:%s", fixture->back_end->name,
             fixture->back_end->has_file ? fixture->file : "");
    if (fixture->back_end->is_server)
        fixture->place = postgres_place_create(fixture->url, sizeof fixture->url);
    *state = fixture;
    if (open_store(fixture) == STATUS_OK)
        return 0;
    print_error("%s\n", fixture->error.text);
    return 1;
}

void close_store(struct store_fixture *fixture) {
    store_session_close(fixture->session);
    store_session_close(fixture->other);
    store_close(fixture->store);
    fixture->session = fixture->other = NULL;
    fixture->store = NULL;
}

int store_fixture_tear_down(void **state) {
    struct store_fixture *fixture = *state;
    for (size_t i = 0; i < fixture->claims_count; i++)
        claim_destroy(fixture->claims[i]);
    arena_deinit(&fixture->arena);
    close_store(fixture);
    postgres_place_destroy(fixture->place);
    temporary_deinit(&fixture->temporary);
    free(fixture);
    return 0;
}

void reopen_store(struct store_fixture *fixture) {
    close_store(fixture);
    assert_ok(open_store(fixture), &fixture->error);
}

void assert_ok_at(enum status status, const struct error *error, const char *file, int line) {
    if (status == STATUS_OK)
        return;
    print_error("%s: %s\n", status_name(status), error->text);
    _fail(file, line);
}

struct message_id insert_message(struct store_fixture *fixture, struct text content,
                                 int64_t priority) {
    struct message_draft draft = {
        .recipient = TEXT_LITERAL(RECIPIENT), .content = content, .priority = priority};
    return insert_draft(fixture, &draft);
}

struct message_id insert_draft(struct store_fixture *fixture, const struct message_draft *draft) {
    struct message_id id;
    assert_ok(store_insert(fixture->session, draft, 1, &id, &fixture->error), &fixture->error);
    return id;
}

void insert_messages(struct store_fixture *fixture, size_t count, struct message_id *ids) {
    struct message_draft *drafts = memory_zeroed(count, sizeof *drafts);
    struct message_id *all = memory_zeroed(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        drafts[i] = (struct message_draft){.recipient = TEXT_LITERAL(RECIPIENT),
                                           .content = TEXT_LITERAL("hello")};
    enum status status = store_insert(fixture->session, drafts, count, all, &fixture->error);
    if (ids != NULL)
        memcpy(ids, all, count * sizeof *ids);
    free(drafts);
    free(all);
    assert_ok(status, &fixture->error);
}

struct claim_result claim_in(struct store_fixture *fixture, struct store_session *session,
                             size_t messages_max) {
    struct claim_request request = {.messages_max = messages_max, .lease_ms = LEASE_MS};
    struct claim_result result;
    assert_ok(store_claim(session, &request, &result, &fixture->error), &fixture->error);
    if (result.claim != NULL) {
        assert_true(fixture->claims_count < FIXTURE_CLAIMS_MAX);
        fixture->claims[fixture->claims_count++] = result.claim;
        assert_in_range(result.claim->count, 1, messages_max);
    }
    return result;
}

struct claim *claim_all(struct store_fixture *fixture, size_t count) {
    struct claim_result result = claim_in(fixture, fixture->session, CLAIM_MESSAGES_MAX);
    assert_non_null(result.claim);
    assert_int_equal(result.claim->count, count);
    return result.claim;
}

struct outcome sent(const char *provider_id) {
    struct outcome outcome = {.kind = OUTCOME_SENT,
                              .attempt = {.number = 1, .class = ATTEMPT_ACCEPTED}};
    snprintf(outcome.provider_id, sizeof outcome.provider_id, "%s", provider_id);
    return outcome;
}

struct outcome retry(int64_t number, int64_t delay_ms) {
    return (struct outcome){.kind = OUTCOME_RETRY,
                            .delay_ms = delay_ms,
                            .attempt = {.number = number,
                                        .at_ms = FAKE_CLOCK_START_MS,
                                        .duration_ms = 12,
                                        .http_status = 503,
                                        .class = ATTEMPT_HTTP_5XX,
                                        .excerpt = "try later"}};
}

struct outcome failed(int64_t number, enum attempt_class class) {
    return (struct outcome){.kind = OUTCOME_FAILED,
                            .attempt = {.number = number,
                                        .at_ms = FAKE_CLOCK_START_MS,
                                        .class = class,
                                        .excerpt = "no such number"}};
}

struct outcome expired(int64_t number, enum attempt_class class) {
    return (struct outcome){.kind = OUTCOME_EXPIRED,
                            .attempt = {.number = number,
                                        .at_ms = FAKE_CLOCK_START_MS,
                                        .class = class,
                                        .excerpt = "its time was over"}};
}

struct outcome released(void) {
    return (struct outcome){.kind = OUTCOME_RELEASED};
}

bool settle(struct store_fixture *fixture, struct claim *claim, size_t first, size_t count,
            struct outcome outcome) {
    size_t indexes[CLAIM_MESSAGES_MAX];
    const struct outcome *outcomes[CLAIM_MESSAGES_MAX];
    for (size_t i = 0; i < count; i++) {
        indexes[i] = first + i;
        outcomes[i] = &outcome;
    }
    struct settlement settlement = {claim, indexes, outcomes, count, false};
    assert_ok(store_settle(fixture->session, &settlement, 1, &fixture->error), &fixture->error);
    return !settlement.conflict;
}

void settle_everything_due(struct store_fixture *fixture, struct outcome outcome) {
    for (;;) {
        struct claim *claim = claim_in(fixture, fixture->session, CLAIM_MESSAGES_MAX).claim;
        if (claim == NULL)
            return;
        assert_true(settle(fixture, claim, 0, claim->count, outcome));
    }
}

struct message read_message(struct store_fixture *fixture, struct message_id id) {
    struct message message;
    assert_ok(
        store_get(fixture->session, text_of(id.text), &fixture->arena, &message, &fixture->error),
        &fixture->error);
    assert_string_equal(message.id.text, id.text);
    return message;
}

struct attempt_list read_attempts(struct store_fixture *fixture, struct message_id id) {
    struct attempt_list attempts;
    assert_ok(store_attempts(fixture->session, text_of(id.text), &fixture->arena, &attempts,
                             &fixture->error),
              &fixture->error);
    return attempts;
}

struct store_depth read_depth(struct store_fixture *fixture) {
    struct store_depth depth;
    assert_ok(store_depth(fixture->session, &depth, &fixture->error), &fixture->error);
    return depth;
}

struct store_page read_page(struct store_fixture *fixture, const struct store_query *query) {
    struct store_page page;
    assert_ok(store_list(fixture->session, query, &fixture->arena, &page, &fixture->error),
              &fixture->error);
    return page;
}

struct store_total read_total(struct store_fixture *fixture, const struct store_query *query) {
    struct store_total total;
    assert_ok(store_count(fixture->session, query, &total, &fixture->error), &fixture->error);
    return total;
}

size_t change_messages(struct store_fixture *fixture, enum store_change_kind kind,
                       const struct message_id *ids, size_t count) {
    struct store_change change = {.kind = kind, .ids = ids, .count = count};
    assert_ok(store_change(fixture->session, &change, &fixture->error), &fixture->error);
    return change.changed;
}

struct store_page read_state(struct store_fixture *fixture, enum message_state state) {
    struct store_query query = {.states = MESSAGE_STATE_BIT(state), .limit = STORE_LIST_LIMIT_MAX};
    return read_page(fixture, &query);
}

void assert_messages(const struct message *messages, size_t count, const struct message_id *ids,
                     size_t ids_count) {
    for (size_t i = 0; i < count && i < ids_count; i++)
        assert_string_equal(messages[i].id.text, ids[i].text);
    assert_int_equal(count, ids_count);
}

void assert_state(struct store_fixture *fixture, struct message_id id, enum message_state state) {
    enum message_state actual = read_message(fixture, id).state;
    assert_string_equal(message_state_name(actual), message_state_name(state));
}

bool id_is_later(struct message_id id, struct message_id than) {
    size_t length = strlen(id.text), other = strlen(than.text);
    return length != other ? length > other : strcmp(id.text, than.text) > 0;
}
