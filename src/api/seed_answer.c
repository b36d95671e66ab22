#include "api/seed_answer.h"

#include "api/audit.h"
#include "api/control.h"
#include "base/timestamp.h"

#include <stdarg.h>

void seed_answer(struct request *request, unsigned status, ...) {
    struct answer answer;
    va_list members;
    answer_init(&answer);
    json_object_open(&answer.json);
    va_start(members, status);
    for (const char *key; (key = va_arg(members, const char *)) != NULL;)
        json_member_string(&answer.json, key, va_arg(members, const char *));
    va_end(members);
    json_object_close(&answer.json);
    answer_send(&answer, request, status);
}

void seed_answer_empty(struct request *request, unsigned status) {
    request_respond(request, status, NULL, TEXT_LITERAL(""));
}

struct seed_time seed_now(const struct call *call) {
    struct seed_time now;
    timestamp_format(clock_wall_ms(call->api->options.clock), now.text);
    return now;
}

bool seed_start(struct call *call) {
    struct error already;
    const struct audit_note by = audit_note_of(call);
    return control_start(call->api, &by, &already) == STATUS_OK;
}

bool seed_stop(struct call *call) {
    struct error already;
    const struct audit_note by = audit_note_of(call);
    return control_stop(call->api, &by, &already) == STATUS_OK;
}
