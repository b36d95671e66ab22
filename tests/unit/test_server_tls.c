#include "support/certificate.h"
#include "support/dialogue.h"
#include "support/http.h"
#include "support/test.h"

#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/queue.h"
#include "base/thread.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 20L
#define BODY_BYTES 3000000L

struct fixture {
    struct temporary folder;
    char certificate[TEMPORARY_PATH_BYTES_MAX], key[TEMPORARY_PATH_BYTES_MAX];
    struct server_options options;
    struct server *server;
    size_t body_bytes;
    unsigned asked;
};

static bool on_part(void *context, struct text part) {
    struct fixture *fixture = context;
    fixture->body_bytes += part.len;
    return true;
}

/* Three steps, the second of which has to be waited for. */
static enum stream_step next(void *context, struct buffer *chunk) {
    struct fixture *fixture = context;
    fixture->asked++;
    if (fixture->asked == 2)
        return STREAM_WAIT;
    buffer_printf(chunk, "bytes=%zu;", fixture->body_bytes);
    return fixture->asked == 1 ? STREAM_MORE : STREAM_END;
}

static void done(void *context) {
    (void)context;
}

struct upload {
    struct fixture *fixture;
    struct request *request;
};

static bool on_upload_part(void *context, struct text part) {
    return on_part(((struct upload *)context)->fixture, part);
}

static void on_upload_end(void *context, bool whole) {
    struct upload *upload = context;
    const struct answer_stream stream = {next, done, upload->fixture};
    assert_true(whole);
    request_respond_stream(upload->request, 200, "text/plain", &stream);
    free(upload);
}

static bool streams(const struct request *request, void *context) {
    (void)context;
    return text_equal_string(request_path(request), "/stream");
}

static void handle(struct request *request, void *context) {
    struct fixture *fixture = context;
    if (!streams(request, context)) {
        request_respond(request, 200, "text/plain", TEXT_LITERAL("secret"));
        return;
    }
    struct upload *upload = memory_zeroed(1, sizeof *upload);
    *upload = (struct upload){fixture, request};
    fixture->body_bytes = fixture->asked = 0;
    const struct body_sink sink = {on_upload_part, on_upload_end, upload};
    request_read_body(request, &sink);
}

static int set_up(void **state) {
    struct fixture *fixture = memory_zeroed(1, sizeof *fixture);
    struct error error = {0};
    temporary_init(&fixture->folder);
    certificate_write(&fixture->folder, "first", "cert.pem", "key.pem");
    temporary_join(&fixture->folder, "cert.pem", fixture->certificate);
    temporary_join(&fixture->folder, "key.pem", fixture->key);
    fixture->options = (struct server_options){.bind = "127.0.0.1",
                                               .threads = 2,
                                               .connections_max = 10,
                                               .idle_timeout_s = 30,
                                               .request_timeout_s = 10,
                                               .body_bytes_max = 1000,
                                               .handle = handle,
                                               .streams = streams,
                                               .tls_certificate = fixture->certificate,
                                               .tls_key = fixture->key,
                                               .context = fixture};
    assert_int_equal(server_create(&fixture->server, &fixture->options, &error), STATUS_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    server_destroy(fixture->server);
    temporary_deinit(&fixture->folder);
    free(fixture);
    return 0;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *context) {
    bool fitted = buffer_append(context, (struct text){bytes, size * count});
    return fitted ? count : 0;
}

/* A client that trusts only what is in the certificate file `trusted`. */
static CURL *client_of(const struct fixture *fixture, const char *path, const char *trusted) {
    char url[100], file[TEMPORARY_PATH_BYTES_MAX];
    CURL *client = curl_easy_init();
    check(client != NULL);
    snprintf(url, sizeof url, "https://127.0.0.1:%u%s", server_port(fixture->server), path);
    temporary_join(&fixture->folder, trusted, file);
    curl_easy_setopt(client, CURLOPT_URL, url);
    curl_easy_setopt(client, CURLOPT_CAINFO, file);
    curl_easy_setopt(client, CURLOPT_TIMEOUT, PATIENCE_S);
    curl_easy_setopt(client, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client, CURLOPT_WRITEFUNCTION, on_answer);
    return client;
}

static CURLcode ask(CURL *client, const char *expected) {
    struct buffer answer;
    buffer_init(&answer, 100000);
    curl_easy_setopt(client, CURLOPT_WRITEDATA, &answer);
    CURLcode result = curl_easy_perform(client);
    if (result == CURLE_OK)
        assert_text(buffer_view(&answer), expected);
    buffer_deinit(&answer);
    return result;
}

static void speaks_tls_of_today(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        long versions;
        CURLcode result;
    } cases[] = {
        {CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3, CURLE_OK},
        {CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, CURLE_OK},
        {CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1, CURLE_SSL_CONNECT_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CURL *client = client_of(fixture, "/", "cert.pem");
        curl_easy_setopt(client, CURLOPT_SSLVERSION, cases[i].versions);
        curl_easy_setopt(client, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
        assert_int_equal(ask(client, "secret"), cases[i].result);
        curl_easy_cleanup(client);
    }
}

static void what_is_no_tls_is_ended(void **state) {
    struct fixture *fixture = *state;
    int client = http_dial(server_port(fixture->server));
    say(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_null(strstr(hear_until(client, "no such end"), "secret"));
    close(client);
}

/* The handshake is part of what has to come in time. */
static void a_slow_handshake_is_cut_off(void **state) {
    const struct fixture *fixture = *state;
    struct server_options options = fixture->options;
    struct server *server = NULL;
    struct error error = {0};
    options.request_timeout_s = 1;
    assert_int_equal(server_create(&server, &options, &error), STATUS_OK);
    int client = http_dial(server_port(server));
    assert_true(say_bytes(client, "\x16\x03\x01\x02", 4));
    assert_true(hear_end(client));
    close(client);
    server_destroy(server);
}

static void streams_both_ways(void **state) {
    struct fixture *fixture = *state;
    char *body = memory_zeroed(1, BODY_BYTES);
    CURL *client = client_of(fixture, "/stream", "cert.pem");
    for (int i = 0; i < 2; i++) {
        curl_easy_setopt(client, CURLOPT_POSTFIELDSIZE, BODY_BYTES);
        curl_easy_setopt(client, CURLOPT_POSTFIELDS, body);
        assert_int_equal(ask(client, "bytes=3000000;bytes=3000000;"), CURLE_OK);
    }
    curl_easy_cleanup(client);
    free(body);
}

static void a_certificate_can_be_replaced(void **state) {
    struct fixture *fixture = *state;
    struct error error = {0};
    long connects = -1;
    CURL *first = client_of(fixture, "/", "cert.pem");
    assert_int_equal(ask(first, "secret"), CURLE_OK);
    certificate_write(&fixture->folder, "second", "cert.pem", "key.pem");
    CURL *second = client_of(fixture, "/", "cert.pem");
    assert_int_equal(ask(second, "secret"), CURLE_PEER_FAILED_VERIFICATION);
    assert_int_equal(server_reload_certificate(fixture->server, &error), STATUS_OK);
    assert_int_equal(ask(second, "secret"), CURLE_OK);
    /* The first one is still open, under the certificate that was. */
    assert_int_equal(ask(first, "secret"), CURLE_OK);
    curl_easy_getinfo(first, CURLINFO_NUM_CONNECTS, &connects);
    assert_int_equal(connects, 0);
    curl_easy_cleanup(first);
    curl_easy_cleanup(second);
}

static void assert_kept(struct fixture *fixture, const char *expected) {
    struct error error = {0};
    assert_int_equal(server_reload_certificate(fixture->server, &error), STATUS_INVALID);
    assert_has(error.text, expected);
    CURL *client = client_of(fixture, "/", "trusted.pem");
    assert_int_equal(ask(client, "secret"), CURLE_OK);
    curl_easy_cleanup(client);
}

static void what_is_unusable_changes_nothing(void **state) {
    struct fixture *fixture = *state;
    struct error error = {0};
    certificate_write(&fixture->folder, "first", "cert.pem", "key.pem");
    char trusted[TEMPORARY_PATH_BYTES_MAX];
    temporary_join(&fixture->folder, "trusted.pem", trusted);
    assert_int_equal(server_reload_certificate(fixture->server, &error), STATUS_OK);
    assert_int_equal(link(fixture->certificate, trusted), 0);
    unlink(fixture->certificate);
    assert_kept(fixture, "read TLS_CERT \"");
    temporary_write(&fixture->folder, "cert.pem", "no certificate");
    assert_kept(fixture, "it must be a PEM file of 1 to 16 certificates");
    unlink(fixture->certificate);
    certificate_write(&fixture->folder, "second", "cert.pem", "other.pem");
    assert_kept(fixture, "TLS_KEY is not the key of the certificate in TLS_CERT");
    temporary_write(&fixture->folder, "key.pem", "no key");
    assert_kept(fixture, "read TLS_KEY \"");
    unlink(fixture->key);
    assert_kept(fixture, "read TLS_KEY \"");
}

static void an_unusable_one_cannot_start(void **state) {
    struct fixture *fixture = *state;
    struct server_options options = fixture->options;
    struct server *server = NULL;
    struct error error = {0};
    options.tls_key = NULL;
    assert_int_equal(server_create(&server, &options, &error), STATUS_INVALID);
    assert_has(error.text, "TLS_CERT and TLS_KEY belong together");
    options.tls_key = "/no/such/key.pem";
    assert_int_equal(server_create(&server, &options, &error), STATUS_INVALID);
    assert_has(error.text, "read TLS_KEY \"/no/such/key.pem\": No such file");
    assert_null(server);
}

struct reloader {
    struct fixture *fixture;
    atomic_bool over;
};

static void reload(void *argument) {
    struct reloader *reloader = argument;
    struct error error;
    while (!atomic_load(&reloader->over)) {
        enum status status = server_reload_certificate(reloader->fixture->server, &error);
        check(status == STATUS_OK);
    }
}

static void handshakes_outlive_reloads(void **state) {
    struct fixture *fixture = *state;
    struct thread thread = {0};
    struct error error;
    struct reloader reloader = {fixture, false};
    assert_int_equal(thread_start(&thread, "reload", reload, &reloader, &error), STATUS_OK);
    for (int i = 0; i < 30; i++) {
        CURL *client = client_of(fixture, "/", "cert.pem");
        assert_int_equal(ask(client, "secret"), CURLE_OK);
        curl_easy_cleanup(client);
    }
    atomic_store(&reloader.over, true);
    thread_join(&thread);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(speaks_tls_of_today),           TEST(what_is_no_tls_is_ended),
        TEST(a_slow_handshake_is_cut_off),   TEST(streams_both_ways),
        TEST(a_certificate_can_be_replaced), TEST(what_is_unusable_changes_nothing),
        TEST(an_unusable_one_cannot_start),  TEST(handshakes_outlive_reloads),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests_name("server_tls", tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
