#include "api/audit.h"

#include "log/log.h"

#include <stdio.h>

#define LIST_LIMIT_DEFAULT 50

struct audit_note audit_note_of(const struct call *call) {
    return (struct audit_note){
        .actor = caller_name(&call->caller),
        .address = call->caller.address,
        .request_id = request_id(call->request),
    };
}

int64_t audit_write(struct api *api, const struct audit_note *note) {
    struct store_audit entry = {
        .action = text_of(note->action),
        .actor = text_of(note->actor),
        .address = text_of(note->address),
        .request_id = note->request_id,
        .subject = note->subject,
        .detail = text_of(note->detail),
        .start_id = note->start_id,
    };
    struct store_session *session = NULL;
    struct error error;
    enum status status = api_borrow_session(api, &session, &error);
    if (status == STATUS_OK) {
        status = store_audit_add(session, &entry, &error);
        api_return_session(api, session);
    }
    if (status == STATUS_OK)
        return entry.id;
    log_error("not recorded in the audit", LOG_STRING("action", note->action),
              LOG_STRING("actor", note->actor), LOG_STRING("reason", error.text));
    return 0;
}

void audit_refusal(const struct call *call, const char *reason) {
    struct rate_verdict verdict = rate_limit_take(call->api->refusals, TEXT_LITERAL("refusals"),
                                                  clock_monotonic_us(&clock_system));
    log_warn("key refused", LOG_STRING("reason", reason),
             LOG_STRING("address", call->caller.address),
             LOG_STRING("actor", caller_name(&call->caller)),
             LOG_TEXT("request_id", request_id(call->request)));
    if (!verdict.allowed)
        return;
    struct audit_note note = audit_note_of(call);
    note.action = "refused";
    note.subject = request_path(call->request);
    note.detail = reason;
    audit_write(call->api, &note);
}

static void write_entry(struct json_writer *json, const struct store_audit *entry) {
    json_object_open(json);
    json_member_int64(json, "id", entry->id);
    json_member_time_ms(json, "at", entry->at_ms);
    json_member_text(json, "action", entry->action);
    json_member_text(json, "actor", entry->actor);
    json_member_text(json, "address", entry->address);
    json_member_text(json, "request_id", entry->request_id);
    json_member_text(json, "subject", entry->subject);
    json_member_text(json, "detail", entry->detail);
    json_key(json, "start_id");
    if (entry->start_id > 0)
        json_value_int64(json, entry->start_id);
    else
        json_value_null(json);
    json_object_close(json);
}

static void send_page(struct call *call, const struct store_audit_page *page) {
    struct answer answer;
    answer_init(&answer);
    struct json_writer *json = &answer.json;
    json_object_open(json);
    json_key(json, "entries");
    json_array_open(json);
    for (size_t i = 0; i < page->count; i++)
        write_entry(json, &page->entries[i]);
    json_array_close(json);
    json_key(json, "next_before");
    if (page->more)
        json_value_int64(json, page->entries[page->count - 1].id);
    else
        json_value_null(json);
    json_object_close(json);
    answer_send(&answer, call->request, 200);
}

void audit_list(struct call *call) {
    int64_t limit = LIST_LIMIT_DEFAULT, before = 0;
    if (!query_number(call, "limit", 1, STORE_LIST_LIMIT_MAX, &limit) ||
        !query_number(call, "before", 1, INT64_MAX, &before))
        return;
    struct store_audit_page page;
    struct store_session *session = NULL;
    struct error error;
    enum status status = api_borrow_session(call->api, &session, &error);
    if (status == STATUS_OK) {
        const struct store_audit_query query = {before, (size_t)limit};
        status = store_audit_list(session, &query, request_arena(call->request), &page, &error);
        api_return_session(call->api, session);
    }
    if (status == STATUS_OK)
        send_page(call, &page);
    else
        answer_failure(call->request, &error);
}
