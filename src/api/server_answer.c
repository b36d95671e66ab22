#include "api/server_internal.h"

#include "base/check.h"
#include "log/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ERROR_BYTES_MAX 256
#define REFUSAL_BYTES_MAX 4096

struct added_header {
    const char *name;
    const char *value;
    struct added_header *next;
};

const struct refusal refusal_body_too_large = {413, "Payload Too Large", "payload_too_large",
                                               "the body is larger than is allowed", false};
const struct refusal refusal_without_room = {503, "Service Unavailable", "overloaded",
                                             "too many large bodies are under way; try again",
                                             true};
const struct refusal refusal_url_too_long = {414, "URI Too Long", "url_too_long",
                                             "the path with its query is longer than is allowed",
                                             false};
const struct refusal refusal_head_too_large = {
    431, "Request Header Fields Too Large", "head_too_large",
    "the headers are larger, or more, than is allowed", false};
const struct refusal refusal_too_slow = {
    408, "Request Timeout", "request_timeout",
    "the request took too long to arrive; send it again, faster", false};
const struct refusal refusal_too_many = {503, "Service Unavailable", "overloaded",
                                         "there are too many connections; close some, or try again",
                                         true};

void request_add_header(struct request *request, const char *name, const char *value) {
    check(name != NULL && value != NULL);
    struct added_header *added = arena_alloc(&request->arena, sizeof *added);
    struct text name_copy = arena_copy(&request->arena, text_of(name));
    struct text value_copy = arena_copy(&request->arena, text_of(value));
    if (added == NULL || name_copy.data == NULL || value_copy.data == NULL) {
        request->headers_lost = true;
        return;
    }
    *added = (struct added_header){name_copy.data, value_copy.data, NULL};
    *request->headers_end = added;
    request->headers_end = &added->next;
}

static void set_header(struct request *request, const char *name, const char *value) {
    if (MHD_add_response_header(request->response, name, value) == MHD_YES)
        return;
    request->headers_lost = true;
    log_warn("header refused by libmicrohttpd", LOG_STRING("header", name));
}

static bool is_added(const struct request *request, const char *name) {
    for (const struct added_header *added = request->headers; added != NULL; added = added->next)
        if (strcasecmp(added->name, name) == 0)
            return true;
    return false;
}

static void set_headers(struct request *request, const char *content_type) {
    if (content_type != NULL)
        set_header(request, "Content-Type", content_type);
    if (request->id.len > 0)
        set_header(request, "X-Request-Id", request->id.data);
    const char *const *standard = request->server->options.headers;
    for (; standard != NULL && *standard != NULL; standard += 2)
        if (!is_added(request, standard[0]))
            set_header(request, standard[0], standard[1]);
    for (struct added_header *added = request->headers; added != NULL; added = added->next)
        set_header(request, added->name, added->value);
    if (atomic_load_explicit(&request->server->stopping, memory_order_relaxed))
        set_header(request, "Connection", "close");
}

/* Takes `response`; NULL, for want of memory, ends the connection. */
static void set_answer(struct request *request, unsigned status, const char *content_type,
                       struct MHD_Response *response) {
    request->status = status;
    request->response = response;
    if (response != NULL)
        set_headers(request, content_type);
}

static struct MHD_Response *response_of(struct text body) {
    return MHD_create_response_from_buffer(body.len, (void *)(body.data != NULL ? body.data : ""),
                                           MHD_RESPMEM_MUST_COPY);
}

static struct text error_of(const char *code, const char *message, char json[ERROR_BYTES_MAX]) {
    int length = snprintf(json, ERROR_BYTES_MAX, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                          code, message);
    check(length > 0 && length < ERROR_BYTES_MAX);
    return (struct text){json, (size_t)length};
}

static void set_error_answer(struct request *request, unsigned status, const char *code,
                             const char *message) {
    char json[ERROR_BYTES_MAX];
    set_answer(request, status, "application/json", response_of(error_of(code, message, json)));
}

/* Half an answer could mislead, so one that lost a header is replaced: what was asked for cannot
 * be sent. */
static void respond(struct request *request, unsigned status, const char *content_type,
                    struct MHD_Response *response) {
    set_answer(request, status, content_type, response);
    if (request->headers_lost) {
        if (request->response != NULL)
            MHD_destroy_response(request->response);
        request->headers = NULL;
        set_error_answer(request, 500, "internal", "the answer has a header that cannot be sent");
    }
    request_signal(request, REQUEST_ANSWERED);
}

void request_respond(struct request *request, unsigned status, const char *content_type,
                     struct text body) {
    check(status >= 200 && status <= 599 && request->response == NULL);
    respond(request, status, content_type, response_of(body));
}

void request_respond_stream(struct request *request, unsigned status, const char *content_type,
                            const struct answer_stream *stream) {
    check(status >= 200 && status <= 599 && request->response == NULL);
    check(stream != NULL && stream->next != NULL && stream->done != NULL);
    request->stream = *stream;
    respond(request, status, content_type, request_make_stream(request));
}

void request_defer(struct request *request) {
    check(!request->deferred);
    request->deferred = true;
}

void request_abort(struct request *request, bool reset) {
    check(request->response == NULL);
    request->reset = reset;
    request_signal(request, REQUEST_ANSWERED);
}

void request_refuse(struct request *request) {
    const struct refusal *refusal = request->refusal;
    if (refusal->again)
        request_add_header(request, "Retry-After", "1");
    set_error_answer(request, refusal->status, refusal->code, refusal->message);
}

/* libmicrohttpd would send an orderly FIN before it closes. To dissolve the association is what
 * makes the kernel send RST here and now; the linger is for what may still be unsent. */
void request_reset_connection(const struct request *request) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int descriptor = request_descriptor(request);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connect(descriptor, &nobody, sizeof nobody);
}

enum MHD_Result request_send(struct request *request) {
    request->received = true;
    if (request->response == NULL) {
        if (request->reset)
            request_reset_connection(request);
        return MHD_NO;
    }
    return MHD_queue_response(request->handle, request->status, request->response);
}

void server_send_refusal(const struct server *server, int descriptor,
                         const struct refusal *refusal) {
    char json[ERROR_BYTES_MAX];
    struct text body = error_of(refusal->code, refusal->message, json);
    struct buffer answer;
    buffer_init(&answer, REFUSAL_BYTES_MAX);
    buffer_printf(&answer, "HTTP/1.1 %u %s\r\nConnection: close\r\n", refusal->status,
                  refusal->reason);
    buffer_printf(&answer, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    if (refusal->again)
        buffer_append_string(&answer, "Retry-After: 1\r\n");
    const char *const *header = server->options.headers;
    for (; header != NULL && *header != NULL; header += 2)
        buffer_printf(&answer, "%s: %s\r\n", header[0], header[1]);
    buffer_append_string(&answer, "\r\n");
    buffer_append(&answer, body);
    if (!answer.overflowed &&
        send(descriptor, answer.data, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("refusal not sent", LOG_INT("status", refusal->status));
    buffer_deinit(&answer);
}
