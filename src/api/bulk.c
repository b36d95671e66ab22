#include "api/bulk.h"

#include "api/bulk_line.h"
#include "api/csv_reader.h"
#include "api/line_reader.h"
#include "base/memory.h"
#include "base/spool.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_ARENA_BYTES_MAX ((size_t)64 << 20)
#define REPORT_LINE_BYTES_MAX 4096

/* One message of a group; its draft's views point into `root`. */
struct bulk_entry {
    int64_t line;
    json_t *root;
};

/* A stream under way. It belongs to the server's thread, except while a group is being stored,
 * when the client waits: then to the acceptor's. */
struct bulk {
    struct acceptance acceptance; /* first: an acceptance is a bulk */
    /* set once */
    struct api *api;
    struct request *request;
    enum bulk_kind kind;
    char *owner, *key; /* of the whole request */
    /* changes */
    struct csv_reader csv;
    struct line_reader lines;
    struct bulk_columns columns;
    struct spool report;
    struct error trouble; /* the report cannot be written any more */
    int64_t accepted, repeated, refused;
    bool ended, whole;
    /* the group that is being gathered or stored */
    struct arena arena;
    struct message_draft *drafts;
    struct message_id *ids;
    struct bulk_entry *entries;
    size_t count, size;
    size_t single; /* the one of them that is being stored alone; == count: all together */
};

enum bulk_kind bulk_kind_of(const struct request *request) {
    static const struct {
        const char *type;
        enum bulk_kind kind;
    } kinds[] = {
        {"application/json", BULK_JSON},          {"application/x-ndjson", BULK_NDJSON},
        {"application/ndjson", BULK_NDJSON},      {"application/jsonl", BULK_NDJSON},
        {"application/x-jsonlines", BULK_NDJSON}, {"text/csv", BULK_CSV},
    };
    struct text type = request_header(request, "Content-Type");
    if (type.data == NULL)
        return BULK_JSON;
    struct text name = text_trim(text_cut(&type, ';'));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (text_equal_ignoring_case(name, text_of(kinds[i].type)))
            return kinds[i].kind;
    return BULK_NONE;
}

bool bulk_is_wanted(const struct request *request) {
    enum bulk_kind kind = bulk_kind_of(request);
    return kind == BULK_NDJSON || kind == BULK_CSV;
}

static void write_report(struct bulk *bulk, const struct buffer *line) {
    if (bulk->trouble.status == STATUS_OK)
        spool_write(&bulk->report, buffer_view(line), &bulk->trouble);
}

static void report_id(struct bulk *bulk, int64_t line, const struct message_id *id) {
    struct buffer text;
    buffer_init(&text, REPORT_LINE_BYTES_MAX);
    struct json_writer json = json_writer_on(&text);
    json_object_open(&json);
    json_member_int64(&json, "line", line);
    json_member_string(&json, "id", id->text);
    json_object_close(&json);
    buffer_append_byte(&text, '\n');
    write_report(bulk, &text);
    buffer_deinit(&text);
    bulk->accepted++;
}

static void report_fault(struct bulk *bulk, int64_t line, const struct bulk_fault *fault) {
    struct buffer text;
    buffer_init(&text, REPORT_LINE_BYTES_MAX);
    struct json_writer json = json_writer_on(&text);
    json_object_open(&json);
    json_member_int64(&json, "line", line);
    json_key(&json, "error");
    bulk_fault_write(&json, fault);
    json_object_close(&json);
    buffer_append_byte(&text, '\n');
    write_report(bulk, &text);
    buffer_deinit(&text);
    bulk->refused++;
    metrics_add(METRIC_REFUSED, 1);
}

static void empty_group(struct bulk *bulk) {
    for (size_t i = 0; i < bulk->count; i++)
        json_decref(bulk->entries[i].root);
    bulk->count = bulk->single = 0;
    arena_deinit(&bulk->arena);
}

static void destroy(struct bulk *bulk) {
    empty_group(bulk);
    csv_reader_deinit(&bulk->csv);
    line_reader_deinit(&bulk->lines);
    bulk_columns_deinit(&bulk->columns);
    spool_deinit(&bulk->report);
    free(bulk->drafts);
    free(bulk->ids);
    free(bulk->entries);
    free(bulk->owner);
    free(bulk->key);
    free(bulk);
}

static enum stream_step next_of_report(void *context, struct buffer *chunk) {
    struct bulk *bulk = context;
    struct error error;
    if (spool_read(&bulk->report, chunk, SERVER_CHUNK_BYTES_MAX / 2, &error) != STATUS_OK)
        return STREAM_ABORT;
    return chunk->len > 0 ? STREAM_MORE : STREAM_END;
}

static void end_of_report(void *context) {
    destroy(context);
}

static void report_sums(struct bulk *bulk) {
    struct buffer text;
    buffer_init(&text, REPORT_LINE_BYTES_MAX);
    struct json_writer json = json_writer_on(&text);
    json_object_open(&json);
    json_member_int64(&json, "accepted", bulk->accepted);
    json_member_int64(&json, "repeated", bulk->repeated);
    json_member_int64(&json, "refused", bulk->refused);
    json_object_close(&json);
    buffer_append_byte(&text, '\n');
    write_report(bulk, &text);
    buffer_deinit(&text);
}

/* All is stored, or nothing more comes. */
static void answer(struct bulk *bulk) {
    report_sums(bulk);
    if (!bulk->whole) {
        request_abort(bulk->request, false);
        destroy(bulk);
    } else if (bulk->trouble.status != STATUS_OK) {
        log_error("no report on a stream of messages", LOG_STRING("reason", bulk->trouble.text));
        answer_failure(bulk->request, &bulk->trouble);
        destroy(bulk);
    } else {
        const struct answer_stream stream = {next_of_report, end_of_report, bulk};
        metrics_add(METRIC_HTTP_2XX, 1);
        request_respond_stream(bulk->request, 200, "application/x-ndjson", &stream);
    }
}

/* Stores the group, or one of it. What comes of it is told to on_stored. */
static void submit(struct bulk *bulk) {
    bool alone = bulk->single < bulk->count;
    size_t first = alone ? bulk->single : 0;
    bulk->acceptance.drafts = bulk->drafts + first;
    bulk->acceptance.ids = bulk->ids + first;
    bulk->acceptance.count = alone ? 1 : bulk->count;
    if (acceptor_submit(bulk->api->acceptor, &bulk->acceptance))
        return;
    struct error error;
    error_set(&error, STATUS_FULL, "too many messages wait to be stored; try again");
    bulk->acceptance.done(&bulk->acceptance, &error);
}

static void report_group(struct bulk *bulk, const struct error *error) {
    const struct acceptance *acceptance = &bulk->acceptance;
    size_t first = (size_t)(acceptance->ids - bulk->ids);
    struct bulk_fault fault = bulk_fault_of(error);
    bool good = error == NULL && !acceptance->mismatch;
    bulk->repeated += good ? (int64_t)acceptance->repeated : 0;
    for (size_t i = first; i < first + acceptance->count; i++) {
        if (good)
            report_id(bulk, bulk->entries[i].line, &bulk->ids[i]);
        else
            report_fault(bulk, bulk->entries[i].line, &fault);
    }
}

/* Called by the acceptor's thread. One that is refused does not take the others of its group with
 * it: then each of them goes alone. */
static void on_stored(struct acceptance *acceptance, const struct error *error) {
    struct bulk *bulk = (struct bulk *)acceptance;
    bool refused = acceptance->mismatch || (error != NULL && error->status == STATUS_INVALID);
    bool together = bulk->single == bulk->count;
    if (refused && together && bulk->count > 1) {
        bulk->single = 0;
        submit(bulk);
        return;
    }
    report_group(bulk, error);
    if (!together && ++bulk->single < bulk->count) {
        submit(bulk);
        return;
    }
    empty_group(bulk);
    if (bulk->ended)
        answer(bulk);
    else
        request_read_on(bulk->request);
}

static void make_room(struct bulk *bulk) {
    if (bulk->count < bulk->size)
        return;
    bulk->size = bulk->size > 0 ? bulk->size * 2 : BULK_GROUP_MESSAGES;
    bulk->drafts = memory_resize(bulk->drafts, bulk->size, sizeof *bulk->drafts);
    bulk->ids = memory_resize(bulk->ids, bulk->size, sizeof *bulk->ids);
    bulk->entries = memory_resize(bulk->entries, bulk->size, sizeof *bulk->entries);
}

/* Takes `root` over. */
static void add_message(struct bulk *bulk, int64_t line, json_t *root) {
    struct bulk_fault fault;
    const struct message_rules rules = api_message_rules(bulk->api);
    const struct idempotency key = {.owner = text_of(bulk->owner), .key = text_of(bulk->key)};
    make_room(bulk);
    struct message_draft *draft = &bulk->drafts[bulk->count];
    if (!bulk_line_read(root, &rules, &bulk->arena, draft, &fault)) {
        report_fault(bulk, line, &fault);
        json_decref(root);
        return;
    }
    if (!idempotency_apply_line(&key, draft, line, &bulk->arena)) {
        fault = bulk_fault_named("too_large", "it takes too much memory");
        report_fault(bulk, line, &fault);
        json_decref(root);
        return;
    }
    bulk->entries[bulk->count++] = (struct bulk_entry){line, root};
}

static bool on_line(void *context, int64_t number, struct text line, bool too_long) {
    struct bulk *bulk = context;
    struct bulk_fault fault;
    json_t *root = too_long ? NULL : bulk_line_parse(line, &fault);
    if (too_long)
        fault = bulk_fault_named("too_large", "the line is longer than 256 KiB");
    if (root != NULL)
        add_message(bulk, number, root);
    else
        report_fault(bulk, number, &fault);
    return true;
}

static bool on_record(void *context, const struct csv_record *record) {
    struct bulk *bulk = context;
    struct bulk_fault fault;
    if (record->fault != NULL) {
        fault = bulk_fault_named("invalid_csv", record->fault);
        report_fault(bulk, record->line, &fault);
    } else if (bulk->columns.count == 0) {
        bulk_columns_read(&bulk->columns, record);
    } else {
        json_t *root = bulk_columns_apply(&bulk->columns, record, &fault);
        if (root != NULL)
            add_message(bulk, record->line, root);
        else
            report_fault(bulk, record->line, &fault);
    }
    return true;
}

static bool on_part(void *context, struct text part) {
    struct bulk *bulk = context;
    if (bulk->kind == BULK_CSV)
        csv_reader_feed(&bulk->csv, part);
    else
        line_reader_feed(&bulk->lines, part);
    if (bulk->count < BULK_GROUP_MESSAGES)
        return true;
    bulk->single = bulk->count;
    submit(bulk);
    return false;
}

static void on_end(void *context, bool whole) {
    struct bulk *bulk = context;
    bulk->ended = true;
    bulk->whole = whole;
    if (whole && bulk->kind == BULK_CSV)
        csv_reader_end(&bulk->csv);
    else if (whole)
        line_reader_end(&bulk->lines);
    bulk->single = bulk->count;
    if (bulk->count > 0)
        submit(bulk);
    else
        answer(bulk);
}

void bulk_read(struct call *call, const struct idempotency *key, enum bulk_kind kind) {
    struct bulk *bulk = memory_zeroed(1, sizeof *bulk);
    bulk->acceptance.done = on_stored;
    bulk->api = call->api;
    bulk->request = call->request;
    bulk->kind = kind;
    bulk->owner = memory_copy_string(key->owner.len > 0 ? key->owner.data : "");
    bulk->key = memory_copy_string(key->key.len > 0 ? key->key.data : "");
    csv_reader_init(&bulk->csv, BULK_LINE_BYTES_MAX, on_record, bulk);
    line_reader_init(&bulk->lines, BULK_LINE_BYTES_MAX, on_line, bulk);
    arena_init(&bulk->arena, GROUP_ARENA_BYTES_MAX);
    spool_init(&bulk->report);
    const struct body_sink sink = {on_part, on_end, bulk};
    request_read_body(call->request, &sink);
}
