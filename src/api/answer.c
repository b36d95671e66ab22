#include "api/api_internal.h"
#include "log/log.h"
#include "metrics/metrics.h"

#define RETRY_AFTER_SECONDS "1"

static void count_status(unsigned status) {
    if (status >= 500)
        metrics_add(METRIC_HTTP_5XX, 1);
    else
        metrics_add(status >= 400 ? METRIC_HTTP_4XX : METRIC_HTTP_2XX, 1);
}

void answer_init(struct answer *answer) {
    buffer_init(&answer->buffer, API_ANSWER_BYTES_MAX);
    answer->json = json_writer_on(&answer->buffer);
}

void answer_send(struct answer *answer, struct request *request, unsigned status) {
    count_status(status);
    request_respond(request, status, "application/json", buffer_view(&answer->buffer));
    buffer_deinit(&answer->buffer);
}

void answer_error(struct request *request, unsigned status, const char *code, const char *message,
                  const char *field) {
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_key(json, "error");
    json_object_open(json);
    json_member_string(json, "code", code);
    json_member_string(json, "message", message);
    if (field != NULL) {
        json_member_string(json, "field", field);
    }
    json_object_close(json);
    json_object_close(json);
    answer_send(&answer, request, status);
}

const char *answer_words(const struct request *request, const struct error *error) {
    log_warn("request failed", LOG_STRING("reason", error->text),
             LOG_TEXT("request_id", request_id(request)));
    switch (error->status) {
    case STATUS_INVALID: return "the table of messages does not take this; the log says why";
    case STATUS_FULL: return "there is no room at the moment; try again later";
    default: return "the store does not answer; try again later";
    }
}

void answer_failure(struct request *request, const struct error *error) {
    switch (error->status) {
    case STATUS_NOT_FOUND: answer_error(request, 404, "not_found", error->text, NULL); return;
    case STATUS_CONFLICT: answer_error(request, 409, "conflict", error->text, NULL); return;
    case STATUS_INVALID:
        answer_error(request, 422, "invalid", answer_words(request, error), NULL);
        return;
    default:
        request_add_header(request, "Retry-After", RETRY_AFTER_SECONDS);
        answer_error(request, 503, "unavailable", answer_words(request, error), NULL);
    }
}
