/* GET /api/v1/events: what happens, as server-sent events (https://html.spec.whatwg.org,
 * "Server-sent events"). */
#include "api/api_internal.h"
#include "base/memory.h"
#include "metrics/metrics.h"

#include <stdlib.h>

#define EVENTS_AT_ONCE 256
#define HEARTBEAT_US 15000000
#define RETRY_MS 2000 /* after which a browser that lost the connection asks again */

struct event_stream {
    struct event_listener listener; /* first: a listener is an event stream */
    struct events *events;
    struct request *request;
    struct event_cursor cursor;
    unsigned kinds; /* bits; those that are wanted */
    bool begun, lost;
    int64_t spoke_us;
};

static void write_data(struct buffer *chunk, const struct event *event) {
    struct json_writer json = json_writer_on(chunk);
    json_object_open(&json);
    json_member_time_ms(&json, "at", event->at_ms);
    if (event->message.text[0] != '\0')
        json_member_string(&json, "message_id", event->message.text);
    if (event->detail[0] != '\0')
        json_member_string(&json, "detail", event->detail);
    json_object_close(&json);
}

static void write_event(struct buffer *chunk, const struct events *events,
                        const struct event *event) {
    char id[EVENT_ID_BYTES];
    event_id_write(events, event->number, id);
    buffer_printf(chunk, "id: %s\nevent: %s\ndata: ", id, event_kind_name(event->kind));
    write_data(chunk, event);
    buffer_append_string(chunk, "\n\n");
}

/* Who listens must know that something is missing. */
static void write_lost(struct buffer *chunk) {
    buffer_append_string(chunk, "event: lost\ndata: {\"detail\":\"events before this are no more"
                                " there\"}\n\n");
}

static void write_news(struct event_stream *stream, struct buffer *chunk) {
    struct event found[EVENTS_AT_ONCE];
    bool lost = false;
    size_t count = events_read(stream->events, &stream->cursor, found, EVENTS_AT_ONCE, &lost);
    if (lost || stream->lost)
        write_lost(chunk);
    stream->lost = false;
    for (size_t i = 0; i < count; i++)
        if ((stream->kinds & (1U << found[i].kind)) != 0)
            write_event(chunk, stream->events, &found[i]);
    /* There may be more of them, or only such as are not wanted. */
    if (count == EVENTS_AT_ONCE && chunk->len == 0)
        request_wake_stream(stream->request);
}

static enum stream_step next_chunk(void *context, struct buffer *chunk) {
    struct event_stream *stream = context;
    int64_t now_us = clock_monotonic_us(&clock_system);
    if (!stream->begun)
        buffer_printf(chunk, "retry: %d\n\n", RETRY_MS);
    stream->begun = true;
    write_news(stream, chunk);
    if (chunk->len == 0 && now_us - stream->spoke_us >= HEARTBEAT_US)
        buffer_append_string(chunk, ": still here\n\n");
    if (chunk->len == 0)
        return STREAM_WAIT;
    stream->spoke_us = now_us;
    return STREAM_MORE;
}

static void wake(void *context) {
    const struct event_stream *stream = context;
    request_wake_stream(stream->request);
}

static void destroy(void *context) {
    struct event_stream *stream = context;
    events_unlisten(stream->events, &stream->listener);
    free(stream);
}

/* ?types=sent,failed; all where none is named. */
static bool read_kinds(struct call *call, unsigned *kinds) {
    struct text types = request_query(call->request, "types");
    *kinds = types.len > 0 ? 0 : ~0U;
    for (struct text rest = types; rest.len > 0;) {
        enum event_kind kind;
        if (!event_kind_from_name(text_trim(text_cut(&rest, ',')), &kind)) {
            answer_error(call->request, 422, "invalid_field",
                         "must be of accepted, sent, retried, failed, expired, cancelled, started,"
                         " stopped, paused, breaker; several are separated by commas",
                         "types");
            return false;
        }
        *kinds |= 1U << kind;
    }
    return true;
}

static void set_cursor(struct event_stream *stream) {
    struct text last = request_header(stream->request, "Last-Event-ID");
    if (last.len == 0)
        last = request_query(stream->request, "last_event_id");
    if (last.len == 0)
        events_cursor_now(stream->events, &stream->cursor);
    else
        stream->lost = events_cursor_after(stream->events, last, &stream->cursor) == CURSOR_LOST;
}

void events_get(struct call *call) {
    unsigned kinds = 0;
    if (!read_kinds(call, &kinds))
        return;
    struct event_stream *stream = memory_zeroed(1, sizeof *stream);
    stream->events = call->api->options.events;
    stream->request = call->request;
    stream->kinds = kinds;
    stream->listener.wake = wake;
    stream->listener.context = stream;
    set_cursor(stream);
    metrics_add(METRIC_HTTP_2XX, 1);
    const struct answer_stream answer = {next_chunk, destroy, stream};
    request_respond_stream(call->request, 200, "text/event-stream", &answer);
    events_listen(stream->events, &stream->listener);
}
