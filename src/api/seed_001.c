/* The API of seed 001, "Go Message Dispatcher", where it is not v1's own. */
#include "api/api_internal.h"
#include "base/buffer.h"
#include "base/duration.h"
#include "base/memory.h"

#include <stdlib.h>

#define BATCH_DEFAULT 2
#define BATCH_MAX 10
#define DURATION_BYTES 48

static void write_duration(struct json_writer *json, const char *key, int64_t ms) {
    struct buffer text;
    buffer_init(&text, DURATION_BYTES);
    duration_write_go(&text, ms);
    json_member_text(json, key, buffer_view(&text));
    buffer_deinit(&text);
}

void seed_001_status(struct call *call) {
    struct dispatcher_status status;
    dispatcher_get_status(call->api->options.dispatcher, &status);
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_key(json, "isRunning");
    json_value_bool(json, status.state == DISPATCHER_RUNNING);
    json_key(json, "isCurrentlyProcessing");
    json_value_bool(json, status.claimed > 0);
    json_member_int64(json, "totalProcessed", status.sent + status.failed);
    json_member_int64(json, "totalSuccessful", status.sent);
    json_member_int64(json, "totalFailed", status.failed);
    if (status.last_settled_ms > 0)
        json_member_time_ms(json, "lastProcessingTime", status.last_settled_ms);
    if (status.next_batch_in_ms >= 0)
        write_duration(json, "nextProcessingIn", status.next_batch_in_ms);
    write_duration(json, "interval", status.interval_ms);
    json_member_int64(json, "batchSize", status.batch_size);
    json_object_close(json);
    answer_send(&answer, call->request, 200);
}

/* A batch that a client waits for. */
struct process {
    struct dispatcher_order order; /* first: an order is a process */
    struct request *request;
};

/* Called by a thread of the dispatcher. */
static void on_done(struct dispatcher_order *order, const struct dispatcher_result *result) {
    struct process *process = (struct process *)order;
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_member_int64(json, "processedCount", result->processed);
    json_member_int64(json, "successCount", result->sent);
    json_member_int64(json, "failedCount", result->failed);
    if (result->errors_count > 0) {
        json_key(json, "errors");
        json_array_open(json);
        for (size_t i = 0; i < result->errors_count; i++)
            json_value_string(json, result->errors[i]);
        json_array_close(json);
    }
    json_object_close(json);
    answer_send(&answer, process->request, 200);
    free(process);
}

/* A batch size that makes no sense is as if it were not there. */
void seed_001_process(struct call *call) {
    int64_t size = 0;
    struct text given = request_query(call->request, "batch_size");
    bool good = text_to_int64(given, &size) && size >= 1 && size <= BATCH_MAX;
    struct process *process = memory_zeroed(1, sizeof *process);
    process->order.messages_max = good ? (size_t)size : BATCH_DEFAULT;
    process->order.done = on_done;
    process->request = call->request;
    request_defer(call->request);
    if (dispatcher_submit(call->api->options.dispatcher, &process->order))
        return;
    free(process);
    answer_error(call->request, 503, "unavailable", "the program is about to end", NULL);
}
