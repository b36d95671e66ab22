#include "support/test.h"

#include "store/sqlite/sqlite_ids.h"

#include <stdio.h>

static struct sqlite_ids parsed(const char *json) {
    struct sqlite_ids ids = {0};
    sqlite_ids_parse(&ids, text_of(json));
    return ids;
}

static void a_list_is_read(void **state) {
    (void)state;
    struct sqlite_ids ids = parsed("[7,-8,9223372036854775807]");
    assert_int_equal(ids.count, 3);
    assert_int_equal(ids.items[0], 7);
    assert_int_equal(ids.items[1], -8);
    assert_int_equal(ids.items[2], INT64_MAX);
    sqlite_ids_deinit(&ids);
    assert_int_equal(ids.count, 0);
}

static void what_is_no_number_is_passed_over(void **state) {
    (void)state;
    static const struct {
        const char *json;
        size_t count;
    } cases[] = {
        {"", 0},      {"[", 0},      {"[]", 0},  {"null", 0},
        {"7", 0},     {"[x]", 0},    {"[,]", 0}, {"[1,x,2]", 2},
        {"[1.5]", 0}, {"[1,,2]", 2}, {"[1", 0},  {"[99999999999999999999,3]", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sqlite_ids ids = parsed(cases[i].json);
        assert_int_equal(ids.count, cases[i].count);
        sqlite_ids_deinit(&ids);
    }
}

static void ids_are_found_in_any_order(void **state) {
    (void)state;
    struct sqlite_ids ids = {0};
    assert_false(sqlite_ids_contain(&ids, 1));
    for (int64_t id = 10000; id > 0; id -= 2)
        sqlite_ids_add(&ids, id);
    sqlite_ids_parse(&ids, TEXT_LITERAL("[20001,20003]"));
    sqlite_ids_sort(&ids);
    for (int64_t id = 0; id <= 10002; id++)
        assert_int_equal(sqlite_ids_contain(&ids, id), id > 0 && id <= 10000 && id % 2 == 0);
    assert_true(sqlite_ids_contain(&ids, 20001));
    assert_true(sqlite_ids_contain(&ids, 20003));
    sqlite_ids_deinit(&ids);
}

static void sorting_nothing_is_fine(void **state) {
    (void)state;
    struct sqlite_ids ids = {0};
    sqlite_ids_sort(&ids);
    assert_false(sqlite_ids_contain(&ids, 0));
    sqlite_ids_deinit(&ids);
}

/* The largest claim with the longest ids: what is written fits, and reads back. */
static void a_claim_is_written_without_what_is_settled(void **state) {
    (void)state;
    struct claim *claim = claim_create(CLAIM_MESSAGES_MAX);
    struct buffer json;
    buffer_init(&json, SQLITE_IDS_JSON_BYTES_MAX);
    claim->count = CLAIM_MESSAGES_MAX;
    for (size_t i = 0; i < claim->count; i++)
        snprintf(claim->messages[i].id.text, sizeof claim->messages[i].id.text, "%lld",
                 (long long)(INT64_MAX - (int64_t)i));
    sqlite_ids_write_unsettled(&json, claim);
    assert_false(json.overflowed);
    struct sqlite_ids ids = parsed(json.data);
    assert_int_equal(ids.count, CLAIM_MESSAGES_MAX);
    assert_int_equal(ids.items[999], INT64_MAX - 999);
    sqlite_ids_deinit(&ids);

    for (size_t i = 0; i < claim->count; i++)
        claim->settled[i] = i != 3 && i != 5;
    buffer_clear(&json);
    sqlite_ids_write_unsettled(&json, claim);
    assert_text(buffer_view(&json), "[9223372036854775804,9223372036854775802]");
    claim->settled[3] = claim->settled[5] = true;
    buffer_clear(&json);
    sqlite_ids_write_unsettled(&json, claim);
    assert_text(buffer_view(&json), "[]");
    buffer_deinit(&json);
    claim_destroy(claim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(what_is_no_number_is_passed_over),
        cmocka_unit_test(ids_are_found_in_any_order),
        cmocka_unit_test(sorting_nothing_is_fine),
        cmocka_unit_test(a_claim_is_written_without_what_is_settled),
    };
    return cmocka_run_group_tests_name("sqlite_ids", tests, NULL, NULL);
}
