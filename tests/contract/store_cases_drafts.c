#include "base/memory.h"
#include "contract/store_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct message_draft plain_draft(void) {
    return (struct message_draft){.recipient = TEXT_LITERAL(RECIPIENT),
                                  .content = TEXT_LITERAL("hello")};
}

static void assert_same(struct text actual, struct text expected) {
    if (!text_equal(actual, expected))
        fail_msg("\"%.*s\" is not \"%.*s\"", TEXT_ARGUMENT(actual), TEXT_ARGUMENT(expected));
}

/* What does not change while a message waits and leaves. */
static void assert_is_of(const struct message *message, const struct message_draft *draft) {
    assert_same(message->recipient, draft->recipient);
    assert_same(message->content, draft->content);
    assert_int_equal(message->priority, draft->priority);
    assert_int_equal(message->expires_at_ms, draft->expires_at_ms);
    assert_int_equal(message->max_attempts, draft->max_attempts);
    assert_same(message->metadata, draft->metadata);
    assert_same(message->provider, draft->provider);
}

/* The only message, read in each of the ways there are, the last of which claims it. */
static void assert_read_back(struct store_fixture *fixture, struct message_id id,
                             const struct message_draft *draft) {
    struct message message = read_message(fixture, id);
    assert_is_of(&message, draft);
    assert_int_equal(message.due_at_ms, draft->due_at_ms);
    struct store_page page = read_state(fixture, MESSAGE_PENDING);
    assert_messages(page.messages, page.count, &id, 1);
    assert_is_of(&page.messages[0], draft);
    assert_int_equal(page.messages[0].due_at_ms, draft->due_at_ms);
    if (draft->due_at_ms > 0)
        fake_clock_advance_ms(&fixture->clock, draft->due_at_ms - FAKE_CLOCK_START_MS);
    struct claim *claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &id, 1);
    assert_is_of(&claim->messages[0], draft);
    assert_int_equal(claim->messages[0].due_at_ms, 0);
}

static void a_draft_is_read_back_whole(struct store_fixture *fixture) {
    struct message_draft draft = plain_draft();
    draft.priority = -3;
    draft.due_at_ms = FAKE_CLOCK_START_MS + 1234;
    draft.expires_at_ms = FAKE_CLOCK_START_MS + 987654321;
    draft.max_attempts = 17;
    draft.metadata = TEXT_LITERAL("{\"order\":7}");
    draft.provider = TEXT_LITERAL("backup");
    struct message_id id = insert_draft(fixture, &draft);
    assert_int_equal(read_message(fixture, id).created_at_ms, FAKE_CLOCK_START_MS);
    assert_read_back(fixture, id, &draft);
}

static void what_a_draft_leaves_out_is_nothing(struct store_fixture *fixture) {
    struct message_draft draft = plain_draft();
    assert_read_back(fixture, insert_draft(fixture, &draft), &draft);
}

static void metadata_comes_back_as_it_was(struct store_fixture *fixture) {
    static const char *const metadata[] = {
        "{}",
        "{\"name\":\"J\xC3\xBCrgen \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80\"}",
        "{\"quotes\":\"'\\\"\\\\ $1 $q$ ''\"}",
        "{\"escaped\":\"\\u00e9\\n\\t\\/\\ud83d\\ude00\"}",
        " { \"spaces\" :\t[ 1 , 2.50 , -0 , 1e3 ] }\n",
        "{\"twice\":1,\"twice\":2,\"b\":null,\"a\":true}",
        "{\"braces\":\"{id} {table} }{\",\"in\":{\"side\":{\"deep\":[{}]}}}",
        "{\"n\":9,\"key\":\"k\",\"provider\":\"p\",\"due_at_ms\":5}",
        "{\"large\":123456789012345678901234567890}",
    };
    for (size_t i = 0; i < sizeof metadata / sizeof metadata[0]; i++) {
        struct message_draft draft = plain_draft();
        draft.metadata = text_of(metadata[i]);
        struct message_id id = insert_draft(fixture, &draft);
        assert_same(read_message(fixture, id).metadata, draft.metadata);
    }
}

static void metadata_may_be_as_long_as_is_allowed(struct store_fixture *fixture) {
    char metadata[MESSAGE_METADATA_BYTES_MAX];
    memset(metadata, 'x', sizeof metadata);
    memcpy(metadata, "{\"a\":\"", 6);
    memcpy(metadata + sizeof metadata - 2, "\"}", 2);
    struct message_draft draft = plain_draft();
    draft.metadata = (struct text){metadata, sizeof metadata};
    assert_read_back(fixture, insert_draft(fixture, &draft), &draft);
}

static void a_message_is_not_claimed_before_its_time(struct store_fixture *fixture) {
    struct message_draft draft = plain_draft();
    draft.due_at_ms = FAKE_CLOCK_START_MS + 5000;
    struct message_id later = insert_draft(fixture, &draft);
    struct message_id now = insert_message(fixture, TEXT_LITERAL("now"), 0);
    struct claim *claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &now, 1);
    assert_true(settle(fixture, claim, 0, 1, sent("")));
    assert_state(fixture, later, MESSAGE_PENDING);
    assert_true(read_depth(fixture).oldest_due_age_ms < 0);
    fake_clock_advance_ms(&fixture->clock, 4999);
    struct claim_result nothing = claim_in(fixture, fixture->session, 1);
    assert_null(nothing.claim);
    assert_int_equal(nothing.next_due_in_ms, 1);
    fake_clock_advance_ms(&fixture->clock, 1);
    claim = claim_all(fixture, 1);
    assert_messages(claim->messages, claim->count, &later, 1);
}

static void a_time_that_is_over_is_no_time_to_wait_for(struct store_fixture *fixture) {
    static const int64_t times[] = {1, FAKE_CLOCK_START_MS - 1, FAKE_CLOCK_START_MS};
    struct message_id ids[3];
    for (size_t i = 0; i < 3; i++) {
        struct message_draft draft = plain_draft();
        draft.due_at_ms = times[i];
        ids[i] = insert_draft(fixture, &draft);
        assert_int_equal(read_message(fixture, ids[i]).due_at_ms, 0);
    }
    struct claim *claim = claim_all(fixture, 3);
    assert_messages(claim->messages, claim->count, ids, 3);
}

static void what_has_waited_leaves_in_its_turn(struct store_fixture *fixture) {
    struct message_draft draft = plain_draft();
    struct message_id order[4];
    draft.due_at_ms = FAKE_CLOCK_START_MS + 2000;
    order[1] = insert_draft(fixture, &draft);
    draft.due_at_ms = FAKE_CLOCK_START_MS + 1000;
    order[2] = insert_draft(fixture, &draft);
    order[3] = insert_message(fixture, TEXT_LITERAL("now"), 0);
    draft.priority = 5;
    order[0] = insert_draft(fixture, &draft);
    fake_clock_advance_ms(&fixture->clock, 2000);
    struct claim *claim = claim_all(fixture, 4);
    assert_messages(claim->messages, claim->count, order, 4);
}

/* Of a thousand drafts each has something else, or nothing. */
#define MIXED 1000
struct mixed {
    struct message_draft drafts[MIXED];
    struct message_id ids[MIXED];
    char metadata[MIXED][32];
    char providers[MIXED][16];
};

static void mix(struct mixed *mixed) {
    for (size_t i = 0; i < MIXED; i++) {
        struct message_draft *draft = &mixed->drafts[i];
        *draft = plain_draft();
        snprintf(mixed->metadata[i], sizeof mixed->metadata[i], "{\"place\":%zu}", i);
        snprintf(mixed->providers[i], sizeof mixed->providers[i], "p%zu", i % 50);
        draft->expires_at_ms = i % 2 == 0 ? FAKE_CLOCK_START_MS + (int64_t)i + 1 : 0;
        draft->max_attempts = i % 3 == 0 ? (int64_t)i + 1 : 0;
        draft->metadata = text_of(i % 5 == 0 ? mixed->metadata[i] : NULL);
        draft->provider = text_of(i % 7 == 0 ? mixed->providers[i] : NULL);
    }
}

static void a_batch_may_be_of_all_sorts(struct store_fixture *fixture) {
    struct mixed *mixed = memory_zeroed(1, sizeof *mixed);
    mix(mixed);
    assert_ok(store_insert(fixture->session, mixed->drafts, MIXED, mixed->ids, &fixture->error),
              &fixture->error);
    struct claim *claim = claim_all(fixture, MIXED);
    assert_messages(claim->messages, claim->count, mixed->ids, MIXED);
    for (size_t i = 0; i < MIXED; i++)
        assert_is_of(&claim->messages[i], &mixed->drafts[i]);
    free(mixed);
}

static void what_expires_is_the_claimers_to_see(struct store_fixture *fixture) {
    struct message_draft draft = plain_draft();
    draft.expires_at_ms = FAKE_CLOCK_START_MS + 1;
    struct message_id id = insert_draft(fixture, &draft);
    fake_clock_advance_ms(&fixture->clock, 1000);
    assert_state(fixture, id, MESSAGE_PENDING);
    struct claim *claim = claim_all(fixture, 1);
    assert_int_equal(claim->messages[0].expires_at_ms, FAKE_CLOCK_START_MS + 1);
}

static void an_expired_message_is_settled_with_its_reason(struct store_fixture *fixture) {
    struct message_id ids[2];
    insert_messages(fixture, 2, ids);
    settle_everything_due(fixture, retry(1, 1000));
    fake_clock_advance_ms(&fixture->clock, 1000);
    struct claim *claim = claim_all(fixture, 2);
    assert_true(settle(fixture, claim, 0, 1, expired(2, ATTEMPT_EXPIRED)));
    assert_true(settle(fixture, claim, 1, 1, expired(2, ATTEMPT_HTTP_5XX)));
    for (size_t i = 0; i < 2; i++) {
        struct message message = read_message(fixture, ids[i]);
        assert_int_equal(message.state, MESSAGE_EXPIRED);
        assert_int_equal(message.attempts, i == 0 ? 1 : 2);
        assert_int_equal(message.due_at_ms, 0);
        assert_text(message.error, "its time was over");
        struct attempt_list attempts = read_attempts(fixture, ids[i]);
        assert_int_equal(attempts.count, 2);
        assert_int_equal(attempts.items[0].class, ATTEMPT_HTTP_5XX);
        assert_int_equal(attempts.items[1].number, 2);
        assert_int_equal(attempts.items[1].class, i == 0 ? ATTEMPT_EXPIRED : ATTEMPT_HTTP_5XX);
        assert_string_equal(attempts.items[1].excerpt, "its time was over");
    }
    struct message_id newest_first[2] = {ids[1], ids[0]};
    struct store_page page = read_state(fixture, MESSAGE_EXPIRED);
    assert_messages(page.messages, page.count, newest_first, 2);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_EXPIRED], 2);
    assert_int_equal(read_depth(fixture).messages[MESSAGE_SENDING], 0);
    assert_null(claim_in(fixture, fixture->session, 1).claim);
}

static const struct store_case cases[] = {
    STORE_CASE(a_draft_is_read_back_whole),
    STORE_CASE(what_a_draft_leaves_out_is_nothing),
    STORE_CASE(metadata_comes_back_as_it_was),
    STORE_CASE(metadata_may_be_as_long_as_is_allowed),
    STORE_CASE(a_message_is_not_claimed_before_its_time),
    STORE_CASE(a_time_that_is_over_is_no_time_to_wait_for),
    STORE_CASE(what_has_waited_leaves_in_its_turn),
    STORE_CASE(a_batch_may_be_of_all_sorts),
    STORE_CASE(what_expires_is_the_claimers_to_see),
    STORE_CASE(an_expired_message_is_settled_with_its_reason),
};

const struct store_cases store_cases_drafts = STORE_CASES(cases);
