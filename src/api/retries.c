/* /api/v1/retries: jobs that send all messages of a filter again. */
#include "api/audit.h"
#include "api/bulk.h"
#include "api/json_input.h"
#include "api/message_read.h"
#include "api/retrier.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE_MAX 1000000
#define LIST_LIMIT_DEFAULT 50

/* What a client asks for. */
struct wish {
    json_t *root;   /* owned; the query's texts point into it */
    json_t *filter; /* a part of it, or NULL */
    struct store_query query;
    int64_t rate;
    bool preview;
};

static bool refuse(const struct call *call, const char *field, const char *text) {
    answer_error(call->request, 422, "invalid_field", text, field);
    return false;
}

static bool read_member(const struct call *call, struct wish *wish, const char *name,
                        json_t *value) {
    struct text key = text_of(name);
    if (text_equal_string(key, "filter")) {
        wish->filter = value;
        return json_is_object(value) || refuse(call, name, "must be an object of filters");
    }
    if (text_equal_string(key, "rate")) {
        wish->rate = json_integer_value(value);
        bool good = json_is_integer(value) && wish->rate >= 0 && wish->rate <= RATE_MAX;
        return good || refuse(call, name, "must be a whole number from 0 to 1000000");
    }
    if (text_equal_string(key, "preview")) {
        wish->preview = json_is_true(value);
        return json_is_boolean(value) || refuse(call, name, "must be true or false");
    }
    return refuse(call, name, "is not a known field; known are filter, rate and preview");
}

static bool read_members(const struct call *call, struct wish *wish) {
    const char *name;
    json_t *value;
    if (!json_is_object(wish->root))
        return refuse(call, NULL, "must be an object like {\"filter\":{\"status\":\"failed\"}}");
    json_object_foreach(wish->root, name, value) {
        if (!read_member(call, wish, name, value))
            return false;
    }
    const char *field, *text;
    json_t *empty = json_object();
    bool good = retrier_read_filter(wish->filter != NULL ? wish->filter : empty, &wish->query,
                                    &field, &text);
    json_decref(empty);
    return good || refuse(call, field, text);
}

/* False when it has answered; else `wish->root` is the caller's to json_decref. */
static bool read_wish(const struct call *call, struct wish *wish) {
    char fault[JSON_INPUT_FAULT_BYTES];
    *wish = (struct wish){0};
    if (bulk_kind_of(call->request) != BULK_JSON) {
        answer_error(call->request, 415, "unsupported_media_type", "send application/json", NULL);
        return false;
    }
    wish->root = json_input_parse(request_body(call->request), fault);
    if (wish->root == NULL) {
        answer_error(call->request, 400, "invalid_json", fault, NULL);
        return false;
    }
    if (read_members(call, wish))
        return true;
    json_decref(wish->root);
    return false;
}

static void write_job(struct json_writer *json, const struct store_job *job) {
    json_object_open(json);
    json_member_int64(json, "id", job->id);
    json_member_string(json, "state", store_job_state_name(job->state));
    json_key(json, "filter");
    json_value_raw(json, job->filter);
    json_member_int64(json, "rate", job->rate);
    json_member_int64(json, "matched", job->matched);
    json_member_int64(json, "retried", job->retried);
    json_member_text(json, "actor", job->actor);
    json_member_time_ms(json, "created_at", job->created_at_ms);
    json_member_time_ms(json, "updated_at", job->updated_at_ms);
    json_object_close(json);
}

static void send_job(const struct call *call, unsigned status, const struct store_job *job) {
    struct answer answer;
    answer_init(&answer);
    write_job(&answer.json, job);
    answer_send(&answer, call->request, status);
}

static void send_preview(const struct call *call, const struct store_total *total) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_member_int64(&answer.json, "matched", total->count);
    json_key(&answer.json, "matched_is_exact");
    json_value_bool(&answer.json, total->exact);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

static enum status store_wish(struct call *call, const struct wish *wish, struct store_job *job,
                              struct error *error) {
    struct store_session *session = NULL;
    enum status status = api_borrow_session(call->api, &session, error);
    if (status != STATUS_OK)
        return status;
    char *filter = wish->filter != NULL ? json_dumps(wish->filter, JSON_COMPACT) : NULL;
    job->filter = text_of(filter != NULL ? filter : "{}");
    if (job->filter.len > STORE_JOB_FILTER_BYTES_MAX)
        status = error_set(error, STATUS_INVALID, "the filter is too long");
    else
        status = store_job_create(session, job, error);
    job->filter = arena_copy(request_arena(call->request), job->filter);
    free(filter);
    api_return_session(call->api, session);
    return status;
}

static void create(struct call *call, const struct wish *wish, const struct store_total *total) {
    struct store_job job = {
        .actor = text_of(caller_name(&call->caller)),
        .rate = wish->rate,
        .matched = total->count,
    };
    struct error error;
    if (store_wish(call, wish, &job, &error) != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    char subject[32];
    snprintf(subject, sizeof subject, "job %lld", (long long)job.id);
    struct audit_note note = audit_note_of(call);
    note.action = "retry";
    note.subject = text_of(subject);
    note.detail = job.filter.data;
    audit_write(call->api, &note);
    retrier_wake(call->api->retrier);
    send_job(call, 202, &job);
}

void retries_create(struct call *call) {
    struct wish wish;
    struct store_total total;
    struct error error;
    if (!read_wish(call, &wish))
        return;
    if (message_read_total(call->api, &wish.query, &total, &error) != STATUS_OK)
        answer_failure(call->request, &error);
    else if (wish.preview)
        send_preview(call, &total);
    else
        create(call, &wish, &total);
    json_decref(wish.root);
}

static void send_jobs(const struct call *call, const struct store_job_list *list) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_key(&answer.json, "retries");
    json_array_open(&answer.json);
    for (size_t i = 0; i < list->count; i++)
        write_job(&answer.json, &list->jobs[i]);
    json_array_close(&answer.json);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void retries_list(struct call *call) {
    int64_t limit = LIST_LIMIT_DEFAULT;
    struct store_job_list list;
    struct store_session *session = NULL;
    struct error error;
    if (!query_number(call, "limit", 1, STORE_LIST_LIMIT_MAX, &limit))
        return;
    enum status status = api_borrow_session(call->api, &session, &error);
    if (status == STATUS_OK) {
        const struct store_job_query query = {.limit = (size_t)limit};
        status = store_job_list(session, &query, request_arena(call->request), &list, &error);
        api_return_session(call->api, session);
    }
    if (status == STATUS_OK)
        send_jobs(call, &list);
    else
        answer_failure(call->request, &error);
}

static enum status get_job(struct call *call, struct store_job *job, struct error *error) {
    struct store_session *session = NULL;
    int64_t id = 0;
    if (!message_id_to_number(call->id, &id))
        return error_set(error, STATUS_NOT_FOUND, "there is no job with this id");
    enum status status = api_borrow_session(call->api, &session, error);
    if (status != STATUS_OK)
        return status;
    status = store_job_get(session, id, request_arena(call->request), job, error);
    api_return_session(call->api, session);
    return status;
}

void retries_get(struct call *call) {
    struct store_job job;
    struct error error;
    if (get_job(call, &job, &error) == STATUS_OK)
        send_job(call, 200, &job);
    else
        answer_failure(call->request, &error);
}

/* The job may take a step while it is looked at; then it is looked at again. */
static enum status stop_job(struct call *call, struct store_job *job, struct error *error) {
    for (;;) {
        struct store_session *session = NULL;
        enum status status = get_job(call, job, error);
        if (status == STATUS_OK && job->state != STORE_JOB_RUNNING)
            return error_set(error, STATUS_CONFLICT, "the job does not run; it is %s",
                             store_job_state_name(job->state));
        if (status == STATUS_OK)
            status = api_borrow_session(call->api, &session, error);
        if (status != STATUS_OK)
            return status;
        const struct store_job_step stop = {.state = STORE_JOB_STOPPED, .cursor = job->cursor};
        status = store_job_advance(session, job, &stop, error);
        api_return_session(call->api, session);
        if (status != STATUS_CONFLICT)
            return status;
    }
}

void retries_stop(struct call *call) {
    struct store_job job;
    struct error error;
    if (stop_job(call, &job, &error) != STATUS_OK) {
        answer_failure(call->request, &error);
        return;
    }
    char subject[32];
    snprintf(subject, sizeof subject, "job %lld", (long long)job.id);
    struct audit_note note = audit_note_of(call);
    note.action = "stop";
    note.subject = text_of(subject);
    audit_write(call->api, &note);
    job.state = STORE_JOB_STOPPED;
    send_job(call, 200, &job);
}
