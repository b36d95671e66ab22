/* The API of seed 004, "Auto Message Sender API". */
#include "api/seed_answer.h"

static void answer_change(struct call *call, bool active, const char *time_key,
                          const char *message) {
    struct answer answer;
    answer_init(&answer);
    json_object_open(&answer.json);
    json_key(&answer.json, "is_active");
    json_value_bool(&answer.json, active);
    json_member_string(&answer.json, time_key, seed_now(call).text);
    json_member_string(&answer.json, "message", message);
    json_object_close(&answer.json);
    answer_send(&answer, call->request, 200);
}

void seed_004_start(struct call *call) {
    if (seed_start(call))
        answer_change(call, true, "started_at", "Scheduler started successfully");
    else
        seed_answer(call->request, 400, "error", "Scheduler is already running", NULL);
}

void seed_004_stop(struct call *call) {
    if (seed_stop(call))
        answer_change(call, false, "stopped_at", "Scheduler stopped successfully");
    else
        seed_answer(call->request, 400, "error", "Scheduler is not running", NULL);
}
