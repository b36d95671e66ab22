#include "api/server_internal.h"

#include "base/check.h"

#include <string.h>

/* libmicrohttpd copies from us in pieces of what is left of its SERVER_CONNECTION_BYTES; this is
 * for HTTP/1.0, where it takes a buffer of its own. */
#define PIECE_BYTES ((size_t)16 * 1024)

/* An old client takes any end of the connection for the end of the answer, but not a reset. */
static ssize_t break_off(const struct request *request) {
    if (request->is_old)
        request_reset_connection(request);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t take(struct request *request, char *out, size_t out_size) {
    size_t len = request->chunk.len - request->chunk_sent;
    if (len > out_size)
        len = out_size;
    memcpy(out, request->chunk.data + request->chunk_sent, len);
    request->chunk_sent += len;
    return (ssize_t)len;
}

static enum stream_step ask(struct request *request) {
    buffer_clear(&request->chunk);
    request->chunk_sent = 0;
    atomic_fetch_and(&request->flags, ~(unsigned)REQUEST_WOKEN);
    enum stream_step step = request->stream.next(request->stream.context, &request->chunk);
    check(step != STREAM_MORE || request->chunk.len > 0 || request->chunk.overflowed);
    return request->chunk.overflowed ? STREAM_ABORT : step;
}

/* Asks until there is something to send, an end, or the stream is parked. */
static ssize_t read_stream(void *context, uint64_t position, char *out, size_t out_size) {
    (void)position;
    struct request *request = context;
    if (request->chunk_sent < request->chunk.len)
        return take(request, out, out_size);
    if (request->stream_ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    while (!request->hung_up) {
        enum stream_step step = ask(request);
        request->stream_ended = step == STREAM_END;
        if (step == STREAM_ABORT)
            break;
        if (step != STREAM_WAIT && request->chunk.len > 0)
            return take(request, out, out_size);
        if (step == STREAM_END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        buffer_deinit(&request->chunk); /* many may wait */
        if (atomic_load(&request->server->stopping))
            break;
        if (request_park(request, REQUEST_WOKEN))
            return 0;
    }
    return break_off(request);
}

struct MHD_Response *request_make_stream(struct request *request) {
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES,
                                                                      read_stream, request, NULL);
    /* To a HEAD request libmicrohttpd 0.9.75 would send the last chunk, which is a body. */
    if (response != NULL && request->is_head)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

void request_end_stream(struct request *request) {
    if (request->stream.done != NULL)
        request->stream.done(request->stream.context);
    request->stream = (struct answer_stream){0};
}

void request_wake_stream(struct request *request) {
    request_signal(request, REQUEST_WOKEN);
}
