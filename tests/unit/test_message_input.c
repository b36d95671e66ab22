#include "support/test.h"

#include "api/message_input.h"
#include "base/buffer.h"
#include "base/random.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BYTES_MAX (16 * 1024 * 1024)
#define CONTENT_MAX 10
#define NOW_MS 1769851800000 /* 2026-01-31T09:30:00Z */

static const struct message_rules rules = {
    .content_max = CONTENT_MAX, .now_ms = NOW_MS, .provider = "webhook"};

struct fixture {
    struct arena arena;
    struct message_input input;
    struct message_input_fault fault;
};

static int set_up(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){0};
    arena_init(&fixture.arena, ARENA_BYTES_MAX);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    arena_deinit(&((struct fixture *)*state)->arena);
    return 0;
}

static bool parse(struct fixture *fixture, struct text body) {
    return message_input_parse(&fixture->input, body, &rules, &fixture->arena, &fixture->fault);
}

static void accept(struct fixture *fixture, const char *body) {
    if (!parse(fixture, text_of(body)))
        fail_msg("%s: %s %s", body, fixture->fault.field, fixture->fault.text);
}

static void one_message_is_read(void **state) {
    struct fixture *fixture = *state;
    accept(fixture, " {\"to\":\"+15551234567\",\"content\":\"hi \xF0\x9F\x98\x80\\n\\u00e9\","
                    "\"priority\":-1000}\n");
    assert_false(fixture->input.many);
    assert_int_equal(fixture->input.count, 1);
    const struct message_draft *draft = &fixture->input.drafts[0];
    assert_text(draft->recipient, "+15551234567");
    assert_text(draft->content, "hi \xF0\x9F\x98\x80\n\xC3\xA9");
    assert_int_equal(draft->priority, -1000);
    message_input_deinit(&fixture->input);
    assert_null(fixture->input.root);
}

static void the_recipient_has_many_names(void **state) {
    static const char *const names[] = {"to", "recipient", "phone", "phone_number", "phoneNumber"};
    char body[200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(body, sizeof body, "{\"content\":\"x\",\"%s\":\"+15551234567\"}", names[i]);
        accept(*state, body);
        assert_text(((struct fixture *)*state)->input.drafts[0].recipient, "+15551234567");
        message_input_deinit(&((struct fixture *)*state)->input);
    }
}

static void a_list_keeps_its_order(void **state) {
    struct fixture *fixture = *state;
    accept(fixture, "{\"messages\":[{\"to\":\"+15551234567\",\"content\":\"a\"},"
                    "{\"phone\":\"+15551234567\",\"content\":\"b\",\"priority\":1000}]}");
    assert_true(fixture->input.many);
    assert_int_equal(fixture->input.count, 2);
    assert_text(fixture->input.drafts[0].content, "a");
    assert_int_equal(fixture->input.drafts[0].priority, 0);
    assert_text(fixture->input.drafts[1].content, "b");
    assert_int_equal(fixture->input.drafts[1].priority, 1000);
    message_input_deinit(&fixture->input);
}

#define TO "\"to\":\"+15551234567\""
#define GOOD "{" TO ",\"content\":\"x\"}"

static const struct {
    const char *body;
    const char *field;
    const char *part; /* of the words */
} refused[] = {
    {"null", "", "must be an object"},
    {"7", "", "must be an object"},
    {"\"text\"", "", "must be an object"},
    {"[" GOOD "]", "", "must be an object"},
    {"{}", "to", "is missing"},
    {"{\"content\":\"x\"}", "to", "is missing"},
    {"{" TO "}", "content", "is missing"},
    {"{" TO ",\"content\":null}", "content", "must be a string"},
    {"{" TO ",\"content\":[\"x\"]}", "content", "must be a string"},
    {"{" TO ",\"content\":\"\"}", "content", "is empty"},
    {"{" TO ",\"content\":\" \\n\\t\"}", "content", "is empty"},
    {"{" TO ",\"content\":\"12345678901\"}", "content", "has 11 characters; at most 10"},
    {"{\"to\":15551234567,\"content\":\"x\"}", "to", "must be a string"},
    {"{\"to\":\"15551234567\",\"content\":\"x\"}", "to", ""},
    {"{\"phoneNumber\":\"+1555x123\",\"content\":\"x\"}", "phoneNumber", ""},
    {"{" TO ",\"phone\":\"+15551234567\",\"content\":\"x\"}", "phone", "second time, beside to"},
    {"{\"phone\":\"a\",\"phone_number\":\"b\"}", "phone_number", "second time, beside phone"},
    {"{" TO ",\"content\":\"x\",\"To\":\"x\"}", "To", "is not a known field"},
    {"{" TO ",\"content\":\"x\",\"\":1}", "", "is not a known field"},
    {"{" TO ",\"content\":\"x\",\"%s%n\":1}", "%s%n", "is not a known field"},
    {"{" TO ",\"content\":\"x\",\"status\":\"sent\"}", "status", "is not a known field"},
    {"{" TO ",\"content\":\"x\",\"priority\":1001}", "priority", "from -1000 to 1000"},
    {"{" TO ",\"content\":\"x\",\"priority\":-1001}", "priority", "from -1000 to 1000"},
    {"{" TO ",\"content\":\"x\",\"priority\":1.0}", "priority", "whole number"},
    {"{" TO ",\"content\":\"x\",\"priority\":\"1\"}", "priority", "whole number"},
    {"{" TO ",\"content\":\"x\",\"priority\":null}", "priority", "whole number"},
    {"{" TO ",\"content\":\"x\",\"priority\":9223372036854775807}", "priority", "whole number"},
    {"{\"messages\":null}", "messages", "must be an array"},
    {"{\"messages\":" GOOD "}", "messages", "must be an array"},
    {"{\"messages\":[]}", "messages", "from 1 to 10000"},
    {"{\"messages\":[" GOOD "],\"priority\":1}", "messages", "must stand alone"},
    {"{\"messages\":[" GOOD ",null]}", "messages[1]", "must be an object"},
    {"{\"messages\":[[]]}", "messages[0]", "must be an object"},
    {"{\"messages\":[" GOOD "," GOOD ",{" TO "}]}", "messages[2].content", "is missing"},
    {"{\"messages\":[{\"recipient\":\"x\",\"content\":\"x\"}]}", "messages[0].recipient", ""},
    {"{\"messages\":[{\"messages\":[]}]}", "messages[0].messages", "is not a known field"},
};

static void what_is_wrong_is_named(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct message_input_fault *fault = &fixture->fault;
        if (parse(fixture, text_of(refused[i].body)) || fault->syntax || fault->text[0] == '\0' ||
            strcmp(fault->field, refused[i].field) != 0 ||
            strstr(fault->text, refused[i].part) == NULL)
            fail_msg("%s: \"%s\" \"%s\"", refused[i].body, fault->field, fault->text);
        assert_null(fixture->input.root);
    }
}

static void what_is_no_json_is_told_apart(void **state) {
    struct fixture *fixture = *state;
    const struct text bodies[] = {
        {NULL, 0},
        TEXT_LITERAL(""),
        TEXT_LITERAL("  \n"),
        TEXT_LITERAL("{"),
        TEXT_LITERAL("{} {}"),
        TEXT_LITERAL("{\"to\":\"+15551234567\",}"),
        TEXT_LITERAL("{'to':'x'}"),
        TEXT_LITERAL("to=x&content=y"),
        TEXT_LITERAL("{\"to\":\"a\",\"to\":\"b\"}"),
        TEXT_LITERAL("{\"content\":\"\\u0000\"}"),
        TEXT_LITERAL("{\"\\u0000\":1}"),
        TEXT_LITERAL("{\"content\":\"\0\"}"),
        TEXT_LITERAL("{\"content\":\"\\ud83d\"}"),
        TEXT_LITERAL("{\"content\":\"\xFF\"}"),
        TEXT_LITERAL("{\"content\":\"\xED\xA0\x80\"}"),
        TEXT_LITERAL("{\"priority\":99999999999999999999}"),
        TEXT_LITERAL("\xEF\xBB\xBF" GOOD),
        TEXT_LITERAL("{\"content\":\"line\nbreak\"}"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        if (parse(fixture, bodies[i]) || !fixture->fault.syntax || fixture->fault.field[0] != '\0')
            fail_msg("%.*s: %s", TEXT_ARGUMENT(bodies[i]), fixture->fault.text);
        assert_text(text_cut(&(struct text){fixture->fault.text, 5}, ' '), "line");
        assert_null(fixture->input.root);
    }
}

static void nesting_without_end_is_refused(void **state) {
    struct fixture *fixture = *state;
    char body[100000];
    memset(body, '[', sizeof body);
    assert_false(parse(fixture, (struct text){body, sizeof body}));
    assert_true(fixture->fault.syntax);
    for (size_t i = 0; i + 5 <= sizeof body; i += 5)
        memcpy(body + i, "{\"a\":", 5);
    assert_false(parse(fixture, (struct text){body, sizeof body}));
    assert_true(fixture->fault.syntax);
}

static void a_field_that_is_too_long_to_name_is_cut(void **state) {
    struct fixture *fixture = *state;
    struct buffer body;
    buffer_init(&body, 100000);
    buffer_append_string(&body, "{\"messages\":[{\"");
    for (int i = 0; i < 5000; i++)
        buffer_append_string(&body, "\xC3\xA9");
    buffer_append_string(&body, "\":1}]}");
    assert_false(parse(fixture, buffer_view(&body)));
    assert_int_equal(strlen(fixture->fault.field), MESSAGE_INPUT_FIELD_BYTES_MAX);
    assert_true(text_starts_with(text_of(fixture->fault.field), "messages[0].\xC3\xA9"));
    buffer_deinit(&body);
}

static bool parse_many(struct fixture *fixture, size_t count) {
    struct buffer body;
    buffer_init(&body, 1000000);
    buffer_append_string(&body, "{\"messages\":[");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&body, "%s{" TO ",\"content\":\"%zu\"}", i > 0 ? "," : "", i);
    buffer_append_string(&body, "]}");
    assert_false(body.overflowed);
    bool accepted = parse(fixture, buffer_view(&body));
    buffer_deinit(&body);
    return accepted;
}

static void the_most_is_taken_and_no_more(void **state) {
    struct fixture *fixture = *state;
    assert_true(parse_many(fixture, MESSAGE_INPUT_MESSAGES_MAX));
    assert_int_equal(fixture->input.count, MESSAGE_INPUT_MESSAGES_MAX);
    assert_text(fixture->input.drafts[9999].content, "9999");
    message_input_deinit(&fixture->input);
    assert_false(parse_many(fixture, MESSAGE_INPUT_MESSAGES_MAX + 1));
    assert_string_equal(fixture->fault.field, "messages");
}

static void without_memory_it_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct arena small;
    arena_init(&small, 10);
    assert_false(
        message_input_parse(&fixture->input, TEXT_LITERAL(GOOD), &rules, &small, &fixture->fault));
    assert_non_null(strstr(fixture->fault.text, "too much memory"));
    assert_null(fixture->input.root);
    arena_deinit(&small);
}

/* Good input with a few bytes changed: it is read, or refused in words, and what is read keeps
 * the rules. */
static void broken_input_is_read_or_refused(void **state) {
    struct fixture *fixture = *state;
    static const char good[] = "{\"messages\":[{\"to\":\"+15551234567\",\"content\":\"h\\u00e9y\","
                               "\"priority\":10},{\"content\":\"x\",\"phone\":\"+4912\"}]}";
    static const char letters[] = "{}[]\",:\\u01+-.eE \x01\x80\xC3\xFFnt";
    struct random random = random_from_seed(5);
    int64_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char body[sizeof good];
        memcpy(body, good, sizeof good);
        for (uint64_t changes = 1 + random_below(&random, 3); changes > 0; changes--)
            body[random_below(&random, sizeof good - 1)] =
                letters[random_below(&random, sizeof letters - 1)];
        struct message_fault fault;
        bool taken = parse(fixture, (struct text){body, sizeof good - 1});
        accepted += taken;
        assert_int_equal(taken, fixture->fault.text[0] == '\0');
        for (size_t i = 0; i < fixture->input.count; i++)
            assert_true(message_is_valid(fixture->input.drafts[i].recipient,
                                         fixture->input.drafts[i].content, CONTENT_MAX, &fault));
        message_input_deinit(&fixture->input);
    }
    assert_true(accepted > 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_message_is_read),
        TEST(the_recipient_has_many_names),
        TEST(a_list_keeps_its_order),
        TEST(what_is_wrong_is_named),
        TEST(what_is_no_json_is_told_apart),
        TEST(nesting_without_end_is_refused),
        TEST(a_field_that_is_too_long_to_name_is_cut),
        TEST(the_most_is_taken_and_no_more),
        TEST(without_memory_it_is_refused),
        TEST(broken_input_is_read_or_refused),
    };
    return cmocka_run_group_tests_name("message_input", tests, NULL, NULL);
}
