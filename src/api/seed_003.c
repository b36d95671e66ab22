/* The API of seed 003, "Messaging Server". */
#include "api/seed_answer.h"

#include <jansson.h>
#include <string.h>

void seed_003_welcome(struct call *call) {
    seed_answer(call->request, 200, "message", "Welcome to Messaging Server V1!", NULL);
}

/* A start or stop of what is started or stopped already is answered alike. */
static void control(struct call *call, const char *action) {
    if (action != NULL && strcmp(action, "start") == 0) {
        seed_start(call);
        seed_answer(call->request, 200, "message", "Cron job started", NULL);
    } else if (action != NULL && strcmp(action, "stop") == 0) {
        seed_stop(call);
        seed_answer(call->request, 202, "message", "Cron job will be stopped", NULL);
    } else {
        seed_answer(call->request, 400, "error", "action must be 'start' or 'stop'", NULL);
    }
}

void seed_003_control(struct call *call) {
    struct text body = request_body(call->request);
    json_t *root = json_loadb(body.data != NULL ? body.data : "", body.len, 0, NULL);
    if (json_is_object(root))
        control(call, json_string_value(json_object_get(root, "action")));
    else
        seed_answer(call->request, 400, "error", "invalid JSON payload", NULL);
    json_decref(root);
}
