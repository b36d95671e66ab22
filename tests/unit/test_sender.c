#include "support/test.h"

#include "sender/sender.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS 1767225600000 /* 2026-01-01T00:00:00Z */

static struct sender *make_sender(const char *key) {
    const struct sender_options options = {.provider = "webhook",
                                           .webhook_url = "http://127.0.0.1:1/send",
                                           .webhook_auth_header = "X-Key",
                                           .webhook_auth_key = key,
                                           .webhook_timeout_ms = 1500};
    struct sender *sender = NULL;
    struct error error;
    assert_int_equal(sender_create(&sender, &options, &error), STATUS_OK);
    return sender;
}

static int set_up(void **state) {
    *state = make_sender("");
    return 0;
}

static int tear_down(void **state) {
    sender_destroy(*state);
    return 0;
}

static struct http_request empty_request(void) {
    struct http_request request = {0};
    buffer_init(&request.body, HTTP_REQUEST_BODY_BYTES_MAX);
    buffer_init(&request.headers, HTTP_HEADERS_BYTES_MAX);
    return request;
}

static bool has_header(const struct http_request *request, const char *line) {
    const char *at = request->headers.data;
    for (size_t i = 0; i < request->header_count; i++, at += strlen(at) + 1)
        if (strcmp(at, line) == 0)
            return true;
    return false;
}

static void build(struct sender *sender, struct text content, struct http_request *request) {
    const struct message message = {
        .id = {"42"}, .recipient = TEXT_LITERAL("+15551234567"), .content = content};
    struct error error;
    *request = empty_request();
    assert_int_equal(sender_build(sender, &message, NOW_MS, request, &error), STATUS_OK);
}

static void end(struct http_request *request) {
    buffer_deinit(&request->body);
    buffer_deinit(&request->headers);
}

static void a_request_is_a_post_of_json(void **state) {
    struct http_request request;
    build(*state, TEXT_LITERAL("say \"hi\"\n\\ \xF0\x9F\x98\x80"), &request);
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.url, "http://127.0.0.1:1/send");
    assert_int_equal(request.timeout_ms, 1500);
    assert_string_equal(request.body.data,
                        "{\"to\":\"+15551234567\",\"content\":\"say \\\"hi\\\"\\n\\\\ "
                        "\xF0\x9F\x98\x80\"}");
    assert_true(has_header(&request, "Content-Type: application/json"));
    assert_true(has_header(&request, "Idempotency-Key: 42"));
    assert_int_equal(request.header_count, 2);
    end(&request);
}

static void what_has_to_be_escaped_is(void **state) {
    struct http_request request;
    build(*state, (struct text){"\0\x01\t\x1F\x7F/<\xFF", 8}, &request);
    assert_text(buffer_view(&request.body),
                "{\"to\":\"+15551234567\",\"content\":\"\\u0000\\u0001\\t\\u001f\x7F/<"
                "\xEF\xBF\xBD\"}");
    end(&request);
}

/* Every byte of it takes six in JSON. */
static void the_largest_content_fits(void **state) {
    struct http_request request;
    char *content = malloc(MESSAGE_CONTENT_BYTES_MAX);
    assert_non_null(content);
    memset(content, 1, MESSAGE_CONTENT_BYTES_MAX);
    build(*state, (struct text){content, MESSAGE_CONTENT_BYTES_MAX}, &request);
    assert_true(request.body.len > (size_t)6 * MESSAGE_CONTENT_BYTES_MAX);
    end(&request);
    free(content);
}

static void a_key_is_sent_in_its_header(void **state) {
    (void)state;
    struct sender *sender = make_sender("secret");
    struct http_request request;
    build(sender, TEXT_LITERAL("x"), &request);
    assert_true(has_header(&request, "X-Key: secret"));
    end(&request);
    sender_destroy(sender);
}

static void headers_cannot_be_broken_out_of(void **state) {
    (void)state;
    struct http_request request = empty_request();
    assert_false(http_request_add_header(&request, TEXT_LITERAL("A"), TEXT_LITERAL("b\r\nC: d")));
    assert_false(http_request_add_header(&request, TEXT_LITERAL("A\n"), TEXT_LITERAL("b")));
    assert_false(http_request_add_header(&request, TEXT_LITERAL(""), TEXT_LITERAL("b")));
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        assert_true(http_request_add_header(&request, TEXT_LITERAL("A"), TEXT_LITERAL("b")));
    assert_false(http_request_add_header(&request, TEXT_LITERAL("A"), TEXT_LITERAL("b")));
    end(&request);
}

static void a_key_that_breaks_out_of_its_header_is_not_sent(void **state) {
    (void)state;
    struct sender *sender = make_sender("secret\r\nX-Other: 1");
    struct http_request request = empty_request();
    struct error error;
    const struct message message = {.id = {"42"}, .recipient = TEXT_LITERAL("+15551234567")};
    assert_int_equal(sender_build(sender, &message, NOW_MS, &request, &error), STATUS_INVALID);
    assert_null(strstr(error.text, "secret"));
    end(&request);
    sender_destroy(sender);
}

static struct verdict judge(struct sender *sender, const struct http_response *response,
                            struct attempt *attempt) {
    struct verdict verdict;
    sender_judge(sender, response, NOW_MS, &verdict, attempt);
    return verdict;
}

static void every_status_has_its_verdict(void **state) {
    for (int status = 100; status < 600; status++) {
        enum attempt_class class = status >= 500   ? ATTEMPT_HTTP_5XX
                                   : status >= 400 ? ATTEMPT_HTTP_4XX
                                   : status >= 300 ? ATTEMPT_HTTP_3XX
                                   : status >= 200 ? ATTEMPT_ACCEPTED
                                                   : ATTEMPT_HTTP_3XX;
        const struct http_response response = {.status = status, .class = class};
        struct attempt attempt;
        enum verdict_kind kind = judge(*state, &response, &attempt).kind;
        bool passing = status == 408 || status == 425 || status == 429;
        enum verdict_kind expected = status / 100 == 2               ? VERDICT_ACCEPTED
                                     : status / 100 == 4 && !passing ? VERDICT_PERMANENT
                                                                     : VERDICT_RETRY;
        assert_int_equal(kind, expected);
        assert_int_equal(attempt.class, class);
        assert_int_equal(attempt.http_status, status);
    }
}

static void what_went_wrong_on_the_way_is_retried(void **state) {
    for (int class = ATTEMPT_DNS; class <= ATTEMPT_BODY_LIMIT; class ++) {
        const struct http_response response = {.class = (enum attempt_class) class,
                                               .error = "in words"};
        struct attempt attempt;
        assert_int_equal(judge(*state, &response, &attempt).kind, VERDICT_RETRY);
        assert_int_equal(attempt.class, class);
        assert_string_equal(attempt.excerpt, "in words");
    }
}

static void a_status_of_success_counts_even_if_the_body_breaks_off(void **state) {
    const struct http_response response = {.status = 202, .class = ATTEMPT_READ_TIMEOUT};
    struct attempt attempt;
    assert_int_equal(judge(*state, &response, &attempt).kind, VERDICT_ACCEPTED);
    assert_int_equal(attempt.class, ATTEMPT_ACCEPTED);
}

static void retry_after_is_seconds_or_a_date(void **state) {
    static const struct {
        const char *header;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {"Thu, 01 Jan 2026 00:00:30 GMT", 30000},
        {"Thu, 01 Jan 2015 00:00:00 GMT", 0},
        {"", -1},
        {"-5", -1},
        {"soon", -1},
        {"1.5", -1},
        {"9999999999999999", INT64_MAX},
        {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_response response = {
            .status = 503, .class = ATTEMPT_HTTP_5XX, .retry_after = text_of(cases[i].header)};
        struct attempt attempt;
        assert_int_equal(judge(*state, &response, &attempt).retry_after_ms, cases[i].ms);
    }
}

static void the_id_of_the_provider_is_found_where_it_is(void **state) {
    static const struct {
        const char *body;
        const char *id;
    } cases[] = {
        {"{\"message\":\"Accepted\",\"messageId\":\"m-1\"}", "m-1"},
        {"{\"message_id\":\"m-2\",\"id\":\"x\"}", "m-2"},
        {"{\"id\":17}", "17"},
        {"{\"messageId\":\"\",\"id\":\"second\"}", "second"},
        {"{\"messageId\":null}", ""},
        {"{\"messageId\":{\"a\":1}}", ""},
        {"{\"data\":{\"messageId\":\"x\"}}", ""},
        {"{\"messageId\":true,\"message_id\":[],\"id\":1.5}", ""},
        {"{\"id\":-9223372036854775808}", "-9223372036854775808"},
        {"{\"id\":99999999999999999999}", ""},
        {"{\"id\":\"a\\u0000b\"}", ""},
        {"{\"id\":\"\xFF\"}", ""},
        {"{\"id\":\"m-3\"} and more", "m-3"},
        {"{\"id\":\"\xC3\xA9\"}", "\xC3\xA9"},
        {"{\"messageId\":\"cut of", ""},
        {"[\"messageId\"]", ""},
        {"OK", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_response response = {.status = 200, .body = text_of(cases[i].body)};
        struct attempt attempt;
        assert_string_equal(judge(*state, &response, &attempt).provider_id, cases[i].id);
    }
}

static void an_id_that_is_too_long_is_none(void **state) {
    struct buffer body;
    buffer_init(&body, 4096);
    buffer_append_string(&body, "{\"messageId\":\"");
    for (int i = 0; i <= OUTCOME_PROVIDER_ID_BYTES_MAX; i++)
        buffer_append_byte(&body, 'x');
    buffer_append_string(&body, "\"}");
    const struct http_response response = {.status = 200, .body = buffer_view(&body)};
    struct attempt attempt;
    assert_string_equal(judge(*state, &response, &attempt).provider_id, "");
    buffer_deinit(&body);
}

static void an_unknown_provider_is_refused(void **state) {
    (void)state;
    const struct sender_options options = {.provider = "pigeon"};
    struct sender *sender = NULL;
    struct error error;
    assert_int_equal(sender_create(&sender, &options, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "pigeon"));
}

static void with_a_secret_it_is_signed(void **state) {
    (void)state;
    struct sender_options options = {.provider = "webhook",
                                     .webhook_url = "http://127.0.0.1:1/send",
                                     .webhook_auth_header = "X-Key",
                                     .webhook_auth_key = "",
                                     .webhook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                     .webhook_timeout_ms = 1500};
    struct sender *sender = NULL;
    struct http_request request;
    struct error error;
    assert_int_equal(sender_create(&sender, &options, &error), STATUS_OK);
    build(sender, TEXT_LITERAL("hi"), &request);
    assert_true(has_header(&request, "webhook-id: 42"));
    assert_true(has_header(&request, "webhook-timestamp: 1767225600"));
    assert_true(has_header(&request, "webhook-signature: "
                                     "v1,+LG+zh7CXCKhYISEZjTFb0m7OuAFbl50EQgNj4drrq0="));
    end(&request);
    sender_destroy(sender);
    options.webhook_secret = "hunter2";
    assert_int_equal(sender_create(&sender, &options, &error), STATUS_INVALID);
    assert_null(strstr(error.text, "hunter2"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_a_post_of_json),
        TEST(what_has_to_be_escaped_is),
        TEST(the_largest_content_fits),
        TEST(a_key_is_sent_in_its_header),
        TEST(a_key_that_breaks_out_of_its_header_is_not_sent),
        TEST(headers_cannot_be_broken_out_of),
        TEST(every_status_has_its_verdict),
        TEST(what_went_wrong_on_the_way_is_retried),
        TEST(a_status_of_success_counts_even_if_the_body_breaks_off),
        TEST(retry_after_is_seconds_or_a_date),
        TEST(the_id_of_the_provider_is_found_where_it_is),
        TEST(an_id_that_is_too_long_is_none),
        TEST(an_unknown_provider_is_refused),
        TEST(with_a_secret_it_is_signed),
    };
    return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
