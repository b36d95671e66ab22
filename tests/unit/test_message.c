#include "support/test.h"

#include "base/memory.h"
#include "message/message.h"
#include "message/outcome.h"
#include "message/phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_MAX 160
#define NUMBER "+15551234567"

/* Rules of a message */

static bool content_is_valid(struct text content, struct message_fault *fault) {
    *fault = (struct message_fault){0};
    return message_is_valid(TEXT_LITERAL(NUMBER), content, CONTENT_MAX, fault);
}

static void assert_content_refused(struct text content, const char *words) {
    struct message_fault fault;
    assert_false(content_is_valid(content, &fault));
    assert_string_equal(fault.field, "content");
    if (strstr(fault.text, words) == NULL)
        print_error("\"%s\" lacks \"%s\"\n", fault.text, words);
    assert_non_null(strstr(fault.text, words));
}

/* `character`, `count` times; free() the data. */
static struct text repeated(const char *character, size_t count) {
    size_t bytes = strlen(character);
    char *data = memory_zeroed(count + 1, bytes);
    for (size_t i = 0; i < count; i++)
        memcpy(data + i * bytes, character, bytes);
    return (struct text){data, count * bytes};
}

static void an_ordinary_message_is_valid(void **state) {
    (void)state;
    struct message_fault fault;
    assert_true(content_is_valid(TEXT_LITERAL("hello"), &fault));
    assert_true(content_is_valid(TEXT_LITERAL("x"), &fault));
    assert_true(content_is_valid(TEXT_LITERAL("  spaced \n out  "), &fault));
}

/* A limit in bytes would refuse half of what a Turkish text may hold, three quarters of emoji. */
static void the_limit_counts_characters_and_not_bytes(void **state) {
    (void)state;
    static const char *const characters[] = {"a", "ş", "İ", "€", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        struct text longest = repeated(characters[i], CONTENT_MAX);
        struct text longer = repeated(characters[i], CONTENT_MAX + 1);
        struct message_fault fault;
        assert_true(content_is_valid(longest, &fault));
        assert_content_refused(longer, "161");
        assert_content_refused(longer, "160");
        free((char *)longest.data);
        free((char *)longer.data);
    }
}

/* A family of three is five code points: people, and the joiners between them. */
static void an_emoji_of_several_code_points_counts_each(void **state) {
    (void)state;
    struct text family = repeated("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D"
                                  "\xF0\x9F\x91\xA7",
                                  32);
    struct message_fault fault;
    assert_true(content_is_valid(family, &fault));
    struct text one_more = repeated("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D"
                                    "\xF0\x9F\x91\xA7",
                                    33);
    assert_content_refused(one_more, "165");
    free((char *)family.data);
    free((char *)one_more.data);
}

static void empty_content_is_refused(void **state) {
    (void)state;
    assert_content_refused(TEXT_LITERAL(""), "empty");
    assert_content_refused(TEXT_LITERAL(" \t\r\n "), "empty");
}

static void content_that_is_not_utf8_is_refused(void **state) {
    (void)state;
    static const char *const broken[] = {
        "\xFF", "a\xC3", "\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82 half"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_content_refused(text_of(broken[i]), "UTF-8");
}

static void content_of_which_we_read_nothing_is_too_long(void **state) {
    (void)state;
    assert_content_refused((struct text){0}, "65536 bytes");
}

static void the_limit_of_bytes_holds_whatever_the_limit_of_characters(void **state) {
    (void)state;
    struct text longest = repeated("x", MESSAGE_CONTENT_BYTES_MAX);
    struct text longer = repeated("x", MESSAGE_CONTENT_BYTES_MAX + 1);
    struct message_fault fault;
    struct text number = TEXT_LITERAL(NUMBER);
    assert_true(message_is_valid(number, longest, 10 * MESSAGE_CONTENT_BYTES_MAX, &fault));
    assert_false(message_is_valid(number, longer, 10 * MESSAGE_CONTENT_BYTES_MAX, &fault));
    assert_string_equal(fault.field, "content");
    free((char *)longest.data);
    free((char *)longer.data);
}

/* Whoever sent it reads the fault; it must not say that a limit was broken which was kept. */
static void the_fault_of_too_many_bytes_names_a_limit_that_was_broken(void **state) {
    (void)state;
    struct text longer = repeated("\xF0\x9F\x98\x80", MESSAGE_CONTENT_BYTES_MAX / 4 + 1);
    struct message_fault fault;
    int64_t content_max = MESSAGE_CONTENT_BYTES_MAX;
    assert_false(message_is_valid(TEXT_LITERAL(NUMBER), longer, content_max, &fault));
    free((char *)longer.data);
    assert_null(strstr(fault.text, "65536 characters"));
}

static void the_recipient_is_judged_first(void **state) {
    (void)state;
    struct message_fault fault;
    assert_false(message_is_valid(TEXT_LITERAL("nobody"), TEXT_LITERAL(""), CONTENT_MAX, &fault));
    assert_string_equal(fault.field, "recipient");
    assert_string_equal(fault.text, phone_fault(TEXT_LITERAL("nobody")));
}

static void only_our_own_way_to_write_a_number_is_an_id(void **state) {
    (void)state;
    int64_t number = 0;
    assert_true(message_id_to_number(TEXT_LITERAL("7"), &number));
    assert_int_equal(number, 7);
    assert_true(message_id_to_number(TEXT_LITERAL("9223372036854775807"), &number));
    assert_true(number == INT64_MAX);
    static const char *const odd[] = {"",    "0",   "07",  "-7",  "+7", " 7",
                                      "7 ",  "7.0", "7e0", "0x7", "a7", "9223372036854775808",
                                      "\xFF"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_false(message_id_to_number(text_of(odd[i]), &number));
    assert_false(message_id_to_number((struct text){0}, &number));
    assert_true(number == INT64_MAX);
}

/* E.164 */

static void numbers_in_international_form_are_taken(void **state) {
    (void)state;
    static const char *const good[] = {"+15551234567", "+10", "+905551234567", "+999999999999999",
                                       "+100000000000000"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(phone_fault(text_of(good[i])));
}

static void other_numbers_are_refused_in_words(void **state) {
    (void)state;
    static const struct {
        struct text number;
        const char *words;
    } cases[] = {
        {{"", 0}, "empty"},
        {{NULL, 0}, "empty"},
        {{"15551234567", 11}, "+"},
        {{"0015551234567", 13}, "+"},
        {{" +15551234567", 13}, "+"},
        {{"+15551234567 ", 13}, "digits"},
        {{"+1 555 123", 10}, "digits"},
        {{"+1-555-123", 10}, "digits"},
        {{"+(1)555123", 10}, "digits"},
        {{"++1555123", 9}, "digits"},
        {{"+1555123x", 9}, "digits"},
        {{"+1555\0123", 9}, "digits"},
        {{"+\xD9\xA1\xD9\xA2\xD9\xA3", 7}, "digits"},
        {{"+", 1}, "2 to 15"},
        {{"+1", 2}, "2 to 15"},
        {{"+1234567890123456", 17}, "2 to 15"},
        {{"+05551234567", 12}, "0"},
        {{"+00", 3}, "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *fault = phone_fault(cases[i].number);
        assert_non_null(fault);
        if (strstr(fault, cases[i].words) == NULL)
            print_error("case %d: \"%s\" lacks \"%s\"\n", (int)i, fault, cases[i].words);
        assert_non_null(strstr(fault, cases[i].words));
    }
}

static void numbers_are_taken_as_applications_write_them(void **state) {
    (void)state;
    static const char *const good[] = {
        "+15551234567", "15551234567", "012345678901", "+1 (555) 123-4567",
        "555.123.45",   "(0)55",       "12",           "12345678901234567890"};
    static const struct text bad[] = {{"", 0},
                                      {NULL, 0},
                                      {"nobody", 6},
                                      {"+", 1},
                                      {"1", 1},
                                      {"1+2", 3},
                                      {"55\0005512", 7},
                                      {"+1555x123", 9},
                                      {"123456789012345678901", 21},
                                      {"-15551234", 9},
                                      {"\xD9\xA1\xD9\xA2", 4}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(phone_written_fault(text_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(phone_written_fault(bad[i]));
}

/* States */

static bool is_in(enum message_state from, enum message_state to) {
    for (size_t i = 0; i < message_moves_count; i++)
        if (message_moves[i].from == from && message_moves[i].to == to)
            return true;
    return false;
}

/* Every pair of states: the table and the life of a message (ARCHITECTURE.md) say the same. */
static void the_moves_are_those_of_the_life_of_a_message(void **state) {
    (void)state;
    static const bool allowed[MESSAGE_STATES][MESSAGE_STATES] = {
        [MESSAGE_PENDING] = {[MESSAGE_SENDING] = true, [MESSAGE_CANCELLED] = true},
        [MESSAGE_SENDING] = {[MESSAGE_SENT] = true,
                             [MESSAGE_PENDING] = true,
                             [MESSAGE_FAILED] = true,
                             [MESSAGE_EXPIRED] = true,
                             [MESSAGE_UNKNOWN] = true},
        [MESSAGE_SENT] = {[MESSAGE_DELIVERED] = true, [MESSAGE_UNDELIVERED] = true},
        [MESSAGE_FAILED] = {[MESSAGE_PENDING] = true},
        [MESSAGE_CANCELLED] = {[MESSAGE_PENDING] = true},
        [MESSAGE_EXPIRED] = {[MESSAGE_PENDING] = true},
        [MESSAGE_UNKNOWN] = {[MESSAGE_PENDING] = true},
    };
    for (size_t from = 0; from < MESSAGE_STATES; from++)
        for (size_t to = 0; to < MESSAGE_STATES; to++) {
            enum message_state a = (enum message_state)from, b = (enum message_state)to;
            if (is_in(a, b) != allowed[from][to])
                print_error("%s to %s\n", message_state_name(a), message_state_name(b));
            assert_int_equal(is_in(a, b), allowed[from][to]);
            assert_int_equal(message_move_find(a, b) != NULL, allowed[from][to]);
        }
}

static void every_move_stands_once_with_its_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < message_moves_count; i++) {
        const struct message_move *move = &message_moves[i];
        assert_ptr_equal(message_move_find(move->from, move->to), move);
        assert_true(strlen(move->reason) > 0);
    }
}

static void a_move_changes_the_state(void **state) {
    (void)state;
    for (size_t i = 0; i < message_moves_count; i++) {
        enum message_state at = message_moves[i].from;
        message_state_move(&at, message_moves[i].to);
        assert_int_equal(at, message_moves[i].to);
    }
}

static void states_have_names_that_lead_back(void **state) {
    (void)state;
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        enum message_state found = MESSAGE_UNKNOWN;
        const char *name = message_state_name((enum message_state)i);
        assert_true(message_state_from_name(text_of(name), &found));
        assert_int_equal(found, i);
    }
    enum message_state kept = MESSAGE_SENT;
    static const char *const odd[] = {"", "send", "pendin", "pending ", "0"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_false(message_state_from_name(text_of(odd[i]), &kept));
    assert_int_equal(kept, MESSAGE_SENT);
}

static void the_table_is_printed_with_a_line_per_move(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8192);
    message_states_write_markdown(&buffer);
    assert_false(buffer.overflowed);
    size_t lines = 0;
    for (size_t i = 0; i < buffer.len; i++)
        lines += buffer.data[i] == '\n';
    assert_int_equal(lines, message_moves_count + 2);
    for (size_t i = 0; i < message_moves_count; i++) {
        char row[256];
        snprintf(row, sizeof row, "| %s | %s | %s |\n", message_state_name(message_moves[i].from),
                 message_state_name(message_moves[i].to), message_moves[i].reason);
        assert_non_null(strstr(buffer.data, row));
    }
    buffer_deinit(&buffer);
}

/* Outcomes */

/* Tests run where ARCHITECTURE.md is. */
static void the_table_in_the_docs_is_this_one(void **state) {
    (void)state;
    struct buffer page, table;
    char part[4096];
    buffer_init(&page, 1000000);
    buffer_init(&table, 100000);
    FILE *file = fopen("ARCHITECTURE.md", "r");
    assert_non_null(file);
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
        buffer_append(&page, (struct text){part, got});
    fclose(file);
    buffer_append_string(&table, "<!-- states: begin -->\n");
    message_states_write_markdown(&table);
    buffer_append_string(&table, "<!-- states: end -->\n");
    if (strstr(page.data, table.data) == NULL)
        fail_msg("put this into ARCHITECTURE.md:\n%s", table.data);
    buffer_deinit(&page);
    buffer_deinit(&table);
}

static void outcomes_lead_to_states_that_the_table_allows(void **state) {
    (void)state;
    assert_int_equal(outcome_state(OUTCOME_SENT), MESSAGE_SENT);
    assert_int_equal(outcome_state(OUTCOME_RETRY), MESSAGE_PENDING);
    assert_int_equal(outcome_state(OUTCOME_FAILED), MESSAGE_FAILED);
    assert_int_equal(outcome_state(OUTCOME_RELEASED), MESSAGE_PENDING);
    for (int kind = OUTCOME_SENT; kind <= OUTCOME_RELEASED; kind++)
        assert_non_null(message_move_find(MESSAGE_SENDING, outcome_state((enum outcome_kind)kind)));
}

static void only_what_was_tried_counts_as_an_attempt(void **state) {
    (void)state;
    for (size_t i = 0; i < ATTEMPT_CLASSES; i++) {
        struct outcome outcome = {.attempt = {.class = (enum attempt_class)i}};
        outcome.kind = OUTCOME_SENT;
        assert_int_equal(outcome_attempts(&outcome), i == ATTEMPT_LEASE_EXPIRED ? 0 : 1);
        outcome.kind = OUTCOME_RETRY;
        assert_int_equal(outcome_attempts(&outcome), 1);
        outcome.kind = OUTCOME_RELEASED;
        assert_int_equal(outcome_attempts(&outcome), 0);
        outcome.kind = OUTCOME_FAILED;
        bool untried = i == ATTEMPT_INVALID || i == ATTEMPT_EXPIRED;
        assert_int_equal(outcome_attempts(&outcome), untried ? 0 : 1);
        outcome.kind = OUTCOME_EXPIRED;
        assert_int_equal(outcome_attempts(&outcome), untried ? 0 : 1);
    }
}

/* Attempts */

static void classes_have_names_that_lead_back(void **state) {
    (void)state;
    for (size_t i = 0; i < ATTEMPT_CLASSES; i++) {
        enum attempt_class found = ATTEMPT_ACCEPTED;
        const char *name = attempt_class_name((enum attempt_class)i);
        assert_true(attempt_class_from_name(text_of(name), &found));
        assert_int_equal(found, i);
    }
    enum attempt_class kept = ATTEMPT_DNS;
    assert_false(attempt_class_from_name(TEXT_LITERAL("http_6xx"), &kept));
    assert_false(attempt_class_from_name(TEXT_LITERAL(""), &kept));
    assert_int_equal(kept, ATTEMPT_DNS);
}

static void assert_excerpt(struct text source, const char *expected) {
    struct attempt attempt;
    memset(&attempt, 'z', sizeof attempt);
    attempt_set_excerpt(&attempt, source);
    assert_string_equal(attempt.excerpt, expected);
}

static void a_short_answer_is_kept_whole(void **state) {
    (void)state;
    assert_excerpt(TEXT_LITERAL("no such number"), "no such number");
    assert_excerpt(TEXT_LITERAL("ğüş \xF0\x9F\x98\x80"), "ğüş \xF0\x9F\x98\x80");
    assert_excerpt(TEXT_LITERAL(""), "");
    assert_excerpt((struct text){0}, "");
}

static void a_long_answer_is_cut_at_a_code_point(void **state) {
    (void)state;
    static const struct {
        const char *character;
        size_t bytes_kept;
    } cases[] = {{"a", 255}, {"ş", 254}, {"€", 255}, {"\xF0\x9F\x98\x80", 252}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text answer = repeated(cases[i].character, 1000);
        struct attempt attempt;
        attempt_set_excerpt(&attempt, answer);
        assert_int_equal(strlen(attempt.excerpt), cases[i].bytes_kept);
        assert_memory_equal(attempt.excerpt, answer.data, cases[i].bytes_kept);
        assert_true(text_utf8_count(text_of(attempt.excerpt)) > 0);
        free((char *)answer.data);
    }
}

static void what_is_not_utf8_becomes_a_question_mark(void **state) {
    (void)state;
    assert_excerpt(TEXT_LITERAL("caf\xE9"), "caf?");
    assert_excerpt(TEXT_LITERAL("\xFF\xFE"), "??");
    assert_excerpt(TEXT_LITERAL("a\0b"), "a?b");
}

/* One broken byte is no reason to lose the letters around it. */
static void what_is_utf8_stays_beside_what_is_not(void **state) {
    (void)state;
    assert_excerpt(TEXT_LITERAL("ş\xFFş"), "ş?ş");
}

static void an_excerpt_is_utf8_whatever_the_answer_is(void **state) {
    (void)state;
    unsigned char bytes[600];
    unsigned int seed = 1;
    for (int round = 0; round < 500; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1103515245u + 12345u;
            bytes[i] = (unsigned char)(seed >> 16);
        }
        struct attempt attempt;
        size_t length = (size_t)(seed >> 8) % sizeof bytes;
        attempt_set_excerpt(&attempt, (struct text){(const char *)bytes, length});
        assert_true(strlen(attempt.excerpt) <= ATTEMPT_EXCERPT_BYTES_MAX);
        assert_true(text_utf8_count(text_of(attempt.excerpt)) >= 0);
    }
}

static void numbers_are_read_as_people_write_them(void **state) {
    (void)state;
    static const struct {
        const char *written, *number;
    } cases[] = {
        {"+15551234567", "+15551234567"},
        {"+1 (555) 123-4567", "+15551234567"},
        {"0015551234567", "+15551234567"},
        {"00 1 555.123.4567", "+15551234567"},
        {"+90 555 123 45 67", "+905551234567"},
        {"5551234567", "5551234567"},
        {"+1555x1234567", "+1555x1234567"},
        {"+1555 ", "+1555 "},
        {"", ""},
        {"00", "+"},
    };
    char number[PHONE_NORMAL_BYTES], long_one[100] = "";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(phone_normalise(text_of(cases[i].written), number));
        assert_string_equal(number, cases[i].number);
    }
    memset(long_one, '1', PHONE_WRITTEN_BYTES_MAX + 1);
    assert_false(phone_normalise(text_of(long_one), number));
    assert_false(phone_normalise((struct text){"+1\0005", 4}, number));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_message_is_valid),
        cmocka_unit_test(the_limit_counts_characters_and_not_bytes),
        cmocka_unit_test(an_emoji_of_several_code_points_counts_each),
        cmocka_unit_test(empty_content_is_refused),
        cmocka_unit_test(content_that_is_not_utf8_is_refused),
        cmocka_unit_test(content_of_which_we_read_nothing_is_too_long),
        cmocka_unit_test(the_limit_of_bytes_holds_whatever_the_limit_of_characters),
        cmocka_unit_test(the_fault_of_too_many_bytes_names_a_limit_that_was_broken),
        cmocka_unit_test(the_recipient_is_judged_first),
        cmocka_unit_test(only_our_own_way_to_write_a_number_is_an_id),
        cmocka_unit_test(numbers_in_international_form_are_taken),
        cmocka_unit_test(other_numbers_are_refused_in_words),
        cmocka_unit_test(numbers_are_taken_as_applications_write_them),
        cmocka_unit_test(the_moves_are_those_of_the_life_of_a_message),
        cmocka_unit_test(every_move_stands_once_with_its_reason),
        cmocka_unit_test(a_move_changes_the_state),
        cmocka_unit_test(states_have_names_that_lead_back),
        cmocka_unit_test(the_table_is_printed_with_a_line_per_move),
        cmocka_unit_test(the_table_in_the_docs_is_this_one),
        cmocka_unit_test(outcomes_lead_to_states_that_the_table_allows),
        cmocka_unit_test(only_what_was_tried_counts_as_an_attempt),
        cmocka_unit_test(classes_have_names_that_lead_back),
        cmocka_unit_test(a_short_answer_is_kept_whole),
        cmocka_unit_test(a_long_answer_is_cut_at_a_code_point),
        cmocka_unit_test(what_is_not_utf8_becomes_a_question_mark),
        cmocka_unit_test(what_is_utf8_stays_beside_what_is_not),
        cmocka_unit_test(an_excerpt_is_utf8_whatever_the_answer_is),
        cmocka_unit_test(numbers_are_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
