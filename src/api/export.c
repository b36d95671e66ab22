/* GET /api/v1/messages/export: every message of a filter, as CSV or NDJSON. Pages are read while
 * the client takes them; between two of them nothing is held, neither memory nor a transaction. */
#include "api/csv_reader.h"
#include "api/message_json.h"
#include "api/message_read.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MESSAGES 500
#define PAGE_ARENA_BYTES_MAX ((size_t)64 << 20)
#define CHUNK_BYTES_ENOUGH (SERVER_CHUNK_BYTES_MAX / 4)
#define FILTER_BYTES_MAX (4 * 4096)

struct export {
    struct api *api;
    struct request *request;
    struct store_query query; /* its texts are copies in `texts` */
    struct arena texts;
    bool csv;
    bool begun, ended;
    struct message_id after;
    /* the page that is being written */
    struct arena arena;
    struct store_page page;
    size_t written;
};

static void append_time(struct buffer *chunk, int64_t at_ms) {
    char text[TIMESTAMP_BYTES] = "";
    if (at_ms > 0)
        timestamp_format(at_ms, text);
    csv_append_field(chunk, text_of(text));
}

static void append_csv(struct buffer *chunk, const struct message *message) {
    const struct text texts[] = {text_of(message->id.text), message->recipient, message->content,
                                 text_of(message_state_name(message->state))};
    const int64_t times[] = {message->created_at_ms, message->due_at_ms, message->expires_at_ms,
                             message->sent_at_ms};
    const struct text ends[] = {message->provider, message->provider_id, message->error,
                                message->metadata};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        csv_append_field(chunk, texts[i]);
        buffer_append_byte(chunk, ',');
    }
    buffer_printf(chunk, "%lld,%lld,", (long long)message->priority, (long long)message->attempts);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        append_time(chunk, times[i]);
        buffer_append_byte(chunk, ',');
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        csv_append_field(chunk, ends[i]);
        buffer_append_string(chunk, i + 1 < sizeof ends / sizeof ends[0] ? "," : "\r\n");
    }
}

static void append_json(struct buffer *chunk, const struct message *message) {
    struct json_writer json = json_writer_on(chunk);
    json_object_open(&json);
    message_json_members(&json, message);
    json_object_close(&json);
    buffer_append_byte(chunk, '\n');
}

/* The next page in place of the one that is written. */
static enum status turn_page(struct export *export, struct error *error) {
    arena_deinit(&export->arena);
    export->written = 0;
    export->query.after = text_of(export->after.text);
    enum status status =
        message_read_once(export->api, &export->query, &export->arena, &export->page, error);
    export->ended = status == STATUS_OK && !export->page.more;
    if (status == STATUS_OK && export->page.more)
        export->after = export->page.next;
    return status;
}

static enum stream_step next_chunk(void *context, struct buffer *chunk) {
    struct export *export = context;
    struct error error;
    if (export->csv && !export->begun)
        buffer_append_string(chunk, "id,to,content,status,priority,attempt_count,created_at,due_at,"
                                    "expires_at,sent_at,provider,provider_id,error,metadata\r\n");
    bool first = !export->begun;
    export->begun = true;
    if (export->written == export->page.count && !first && export->ended)
        return STREAM_END;
    if (export->written == export->page.count && turn_page(export, &error) != STATUS_OK) {
        log_warn("export broken off", LOG_STRING("reason", error.text));
        return STREAM_ABORT;
    }
    while (export->written < export->page.count && chunk->len < CHUNK_BYTES_ENOUGH) {
        const struct message *message = &export->page.messages[export->written++];
        if (export->csv)
            append_csv(chunk, message);
        else
            append_json(chunk, message);
    }
    if (chunk->len > 0)
        return STREAM_MORE;
    if (export->ended)
        return STREAM_END;
    /* Filters left this page empty: others of this thread have their turn before the next one. */
    request_wake_stream(export->request);
    return STREAM_WAIT;
}

static void destroy(void *context) {
    struct export *export = context;
    arena_deinit(&export->arena);
    arena_deinit(&export->texts);
    free(export);
}

/* The views of the request end with it; ours have to last. */
static void keep_texts(struct export *export) {
    struct text *const texts[] = {&export->query.recipient, &export->query.provider,
                                  &export->query.content};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = arena_copy(&export->texts, *texts[i]);
}

static bool read_format(struct call *call, bool *csv) {
    struct text format = request_query(call->request, "format");
    *csv = text_equal_string(format, "csv");
    if (format.len == 0 || *csv || text_equal_string(format, "ndjson"))
        return true;
    answer_error(call->request, 422, "invalid_field", "must be ndjson or csv", "format");
    return false;
}

void messages_export(struct call *call) {
    struct store_query query;
    bool csv = false;
    if (!read_format(call, &csv) || !message_read_query(call, &query))
        return;
    struct export *export = memory_zeroed(1, sizeof *export);
    export->api = call->api;
    export->request = call->request;
    export->csv = csv;
    export->query = query;
    export->query.limit = PAGE_MESSAGES;
    arena_init(&export->texts, FILTER_BYTES_MAX);
    arena_init(&export->arena, PAGE_ARENA_BYTES_MAX);
    keep_texts(export);
    const struct answer_stream stream = {next_chunk, destroy, export};
    metrics_add(METRIC_HTTP_2XX, 1);
    request_add_header(call->request, "Content-Disposition",
                       csv ? "attachment; filename=\"messages.csv\""
                           : "attachment; filename=\"messages.ndjson\"");
    request_respond_stream(call->request, 200,
                           csv ? "text/csv; charset=utf-8" : "application/x-ndjson", &stream);
}
