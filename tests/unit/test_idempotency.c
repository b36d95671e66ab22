#include "support/test.h"

#include "api/idempotency.h"

#define ARENA_BYTES_MAX 65536

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, ARENA_BYTES_MAX);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct message_draft draft(const char *content, const char *key) {
    return (struct message_draft){.recipient = TEXT_LITERAL("+15551234567"),
                                  .content = text_of(content),
                                  .key = text_of(key)};
}

static struct idempotency request(const char *owner, const char *key, const char *body) {
    return (struct idempotency){text_of(owner), text_of(key), text_of(body)};
}

static void without_a_key_there_is_none(void **state) {
    (void)state;
    struct message_draft one = draft("a", "");
    const struct idempotency none = request("shop", "", "x");
    assert_true(idempotency_apply(&none, &one, 1, &arena));
    assert_int_equal(one.key.len, 0);
    assert_int_equal(one.fingerprint.len, 0);
}

static void a_request_key_is_each_ones_with_the_body(void **state) {
    (void)state;
    struct message_draft all[2] = {draft("a", ""), draft("b", "own")}, again = draft("a", "");
    const struct idempotency first = request("shop", "k", "body"),
                             other = request("shop", "k", "x");
    assert_true(idempotency_apply(&first, all, 2, &arena));
    assert_text(all[0].key, "shop/request/k/0");
    assert_text(all[1].key, "shop/request/k/1");
    assert_true(text_equal(all[0].fingerprint, all[1].fingerprint));
    assert_int_equal(all[0].fingerprint.len, 64);
    assert_true(idempotency_apply(&other, &again, 1, &arena));
    assert_false(text_equal(all[0].fingerprint, again.fingerprint));
}

static void an_own_key_goes_with_its_own_words(void **state) {
    (void)state;
    struct message_draft one = draft("a", "k"), same = draft("a", "k"), other = draft("b", "k");
    const struct idempotency first = request("", "", "body"), second = request("shop", "", "else");
    assert_true(idempotency_apply(&first, &one, 1, &arena));
    assert_true(idempotency_apply(&second, &same, 1, &arena));
    assert_true(idempotency_apply(&first, &other, 1, &arena));
    assert_text(one.key, "/own/k");
    assert_text(same.key, "shop/own/k");
    assert_true(text_equal(one.fingerprint, same.fingerprint));
    assert_false(text_equal(one.fingerprint, other.fingerprint));
}

static void every_part_of_a_message_counts(void **state) {
    (void)state;
    struct message_draft all[8];
    const struct idempotency none = request("", "", "");
    for (size_t i = 0; i < 8; i++)
        all[i] = draft("a", "k");
    all[1].content = TEXT_LITERAL("b");
    all[2].recipient = TEXT_LITERAL("+15551234568");
    all[3].priority = 1;
    all[4].due_at_ms = 1;
    all[5].expires_at_ms = 1;
    all[6].max_attempts = 1;
    all[7].metadata = TEXT_LITERAL("{}");
    assert_true(idempotency_apply(&none, all, 8, &arena));
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(text_equal(all[i].fingerprint, all[j].fingerprint));
}

static void a_line_goes_with_its_number_and_words(void **state) {
    (void)state;
    struct message_draft one = draft("a", ""), same = draft("a", "");
    const struct idempotency key = request("", "k", "");
    assert_true(idempotency_apply_line(&key, &one, 7, &arena));
    assert_true(idempotency_apply_line(&key, &same, 8, &arena));
    assert_text(one.key, "/request/k/7");
    assert_text(same.key, "/request/k/8");
    assert_true(text_equal(one.fingerprint, same.fingerprint));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_a_key_there_is_none),           TEST(a_request_key_is_each_ones_with_the_body),
        TEST(an_own_key_goes_with_its_own_words),    TEST(every_part_of_a_message_counts),
        TEST(a_line_goes_with_its_number_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
