#include "api/server_internal.h"

#include "base/check.h"
#include "base/clock.h"

bool connection_is_suspended(const struct connection *connection) {
    return MHD_get_connection_info(connection->handle, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED)
               ->suspended == MHD_YES;
}

static enum MHD_Result refuse(struct request *request) {
    request->connection->reading_since_us = 0;
    request_drop_body(request);
    request_refuse(request);
    return request_send(request);
}

static bool bodies_are_full(struct server *server, size_t more) {
    size_t bytes = atomic_load_explicit(&server->bodies_bytes, memory_order_relaxed);
    return bytes > SERVER_BODIES_BYTES_MAX || more > SERVER_BODIES_BYTES_MAX - bytes;
}

static int64_t announced_length(const struct request *request) {
    int64_t announced = 0;
    struct text length = request_header(request, "Content-Length");
    return length.data != NULL && text_to_int64(length, &announced) ? announced : 0;
}

/* True when a client that is refused need not send the body at all. */
static bool may_leave_unread(const struct request *request) {
    return request_header(request, "Expect").data != NULL ||
           announced_length(request) > SERVER_DISCARD_BYTES_MAX;
}

/* It may not leave libmicrohttpd the room for an answer. */
static bool is_head_too_large(struct MHD_Connection *handle) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    int fields = MHD_get_connection_values(
        handle, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, NULL, NULL);
    size_t bytes = info != NULL ? info->header_size : 0;
    return bytes + (size_t)fields * SERVER_FIELD_BYTES > SERVER_HEAD_BYTES_MAX;
}

static void judge_head(struct request *request, bool is_cramped) {
    int64_t announced = announced_length(request);
    if (request->connection->url_too_long)
        request->refusal = &refusal_url_too_long;
    else if (is_cramped)
        request->refusal = &refusal_head_too_large;
    else if (request->streamed || announced <= 0)
        return;
    else if ((uint64_t)announced > request->server->options.body_bytes_max)
        request->refusal = &refusal_body_too_large;
    else if ((uint64_t)announced > SERVER_BODY_KEPT_BYTES_MAX &&
             bodies_are_full(request->server, (size_t)announced))
        request->refusal = &refusal_without_room;
}

/* How much a full buffer takes at once: it doubles. */
static size_t growth(const struct buffer *buffer, size_t more) {
    size_t needed = buffer->len + more + 1;
    if (needed <= buffer->size)
        return 0;
    return (needed > buffer->size * 2 ? needed : buffer->size * 2) - buffer->size;
}

static void collect(struct request *request, struct text part) {
    struct server *server = request->server;
    if (request->refusal != NULL)
        return;
    if (part.len > server->options.body_bytes_max - request->body.len)
        request->refusal = &refusal_body_too_large;
    else if (bodies_are_full(server, growth(&request->body, part.len)) ||
             !buffer_append(&request->body, part))
        request->refusal = &refusal_without_room;
    if (request->refusal != NULL) {
        request_drop_body(request);
    } else if (request->body.size > request->body_counted) {
        atomic_fetch_add(&server->bodies_bytes, request->body.size - request->body_counted);
        request->body_counted = request->body.size;
    }
}

static void hand_over(struct request *request) {
    struct server *server = request->server;
    request->connection->reading_since_us = 0;
    request->handed_over = true;
    atomic_fetch_add(&server->under_way, 1);
    server->options.handle(request, server->options.context);
}

/* It is parked until there is a sink, so that no client goes of whom nobody would hear. The head is
 * then shown again. */
static enum MHD_Result go_on_with_head(struct request *request) {
    request->head_parked = false;
    if (request_has(request, REQUEST_ANSWERED) &&
        (request->response == NULL || may_leave_unread(request))) {
        request_end_sink(request, false);
        return request_send(request);
    }
    request->head_parked = request_park(request, REQUEST_ANSWERED | REQUEST_READ_ON);
    return MHD_YES;
}

static enum MHD_Result hand_over_head(struct request *request) {
    request->paused = true;
    hand_over(request);
    check(request->deferred || request_has(request, REQUEST_ANSWERED | REQUEST_READ_ON));
    return go_on_with_head(request);
}

void request_read_body(struct request *request, const struct body_sink *sink) {
    check(request->streamed && request->sink.part == NULL);
    check(sink != NULL && sink->part != NULL && sink->end != NULL);
    request->sink = *sink;
    request_signal(request, REQUEST_READ_ON);
}

void request_read_on(struct request *request) {
    request_signal(request, REQUEST_READ_ON);
}

void request_end_sink(struct request *request, bool whole) {
    if (request->sink_ended || request->sink.end == NULL)
        return;
    request->sink_ended = true;
    request->sink.end(request->sink.context, whole);
}

static enum MHD_Result drop(struct request *request, size_t len) {
    struct connection *connection = request->connection;
    if (connection->reading_since_us == 0)
        connection->reading_since_us = clock_monotonic_us(&clock_system);
    request_end_sink(request, false);
    request->dropped += len;
    return request->dropped <= SERVER_DISCARD_BYTES_MAX ? MHD_YES : MHD_NO;
}

/* What comes after an answer, or is one: NULL aborts at once. */
static enum MHD_Result after_answer(struct request *request, size_t *data_len) {
    size_t len = *data_len;
    *data_len = 0;
    if (len > 0 && request->response != NULL)
        return drop(request, len);
    request->connection->reading_since_us = 0;
    request_end_sink(request, len == 0);
    return request_send(request);
}

static bool may_read(struct request *request) {
    if (request->paused && request_has(request, REQUEST_READ_ON))
        request->paused = false;
    return !request->paused;
}

static void give_part(struct request *request, struct text part) {
    atomic_fetch_and(&request->flags, ~(unsigned)REQUEST_READ_ON);
    request->paused = !request->sink.part(request->sink.context, part);
    if (request->paused)
        request_park(request, REQUEST_READ_ON | REQUEST_ANSWERED);
}

static enum MHD_Result go_on_streaming(struct request *request, const char *data,
                                       size_t *data_len) {
    unsigned until = REQUEST_ANSWERED | (request->sink_ended ? 0 : REQUEST_READ_ON);
    while (!request_has(request, REQUEST_ANSWERED)) {
        bool reads = !request->sink_ended && may_read(request);
        if (reads && *data_len > 0) {
            give_part(request, (struct text){data, *data_len});
            *data_len = 0;
            return MHD_YES;
        }
        if (reads) {
            request_end_sink(request, true);
            until = REQUEST_ANSWERED;
        } else if (request_park(request, until)) {
            return MHD_YES;
        }
    }
    return after_answer(request, data_len);
}

static enum MHD_Result begin(struct request *request) {
    struct connection *connection = request->connection;
    const struct server_options *options = &request->server->options;
    request->streamed = options->streams != NULL && options->streams(request, options->context);
    connection->active = true;
    if (connection->reading_since_us == 0)
        connection->reading_since_us = request->started_us;
    bool is_cramped = is_head_too_large(request->handle);
    judge_head(request, is_cramped);
    if (is_cramped && request->server->tls == NULL) {
        connection_cut_off(connection, request->refusal);
        return MHD_NO;
    }
    if (request->refusal != NULL)
        return may_leave_unread(request) ? refuse(request) : MHD_YES;
    return request->streamed ? hand_over_head(request) : MHD_YES;
}

/* Called once for the head, then for each part of the body, then once for its end, then again
 * after every resume; and, with what it has read already, even while it is suspended. */
enum MHD_Result server_on_request(void *context, struct MHD_Connection *handle, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **request_context) {
    struct request *request = *request_context;
    if (request == NULL) {
        request = *request_context = connection_of(handle)->request;
        check(request != NULL && request->server == context);
        request_begin(request, method, path, version);
        return begin(request);
    }
    if (connection_is_suspended(request->connection))
        return MHD_YES;
    if (request->head_parked)
        return go_on_with_head(request);
    request->received = *data_len == 0;
    if (request->streamed && request->refusal == NULL)
        return go_on_streaming(request, data, data_len);
    if (*data_len > 0) {
        collect(request, (struct text){data, *data_len});
        *data_len = 0;
        return MHD_YES;
    }
    if (request->refusal != NULL)
        return refuse(request);
    if (!request->handed_over)
        hand_over(request);
    check(request->deferred || request_has(request, REQUEST_ANSWERED));
    return request_park(request, REQUEST_ANSWERED) ? MHD_YES : request_send(request);
}
