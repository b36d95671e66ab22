/* The API of seed 002, "Automated Message Sending System". */
#include "api/seed_answer.h"

void seed_002_start(struct call *call) {
    if (seed_start(call))
        seed_answer(call->request, 200, "status", "started", "message",
                    "Message processing started successfully", NULL);
    else
        seed_answer(call->request, 200, "status", "running", "message",
                    "Message processing is already running", NULL);
}

void seed_002_stop(struct call *call) {
    bool stopped = seed_stop(call);
    seed_answer(call->request, 200, "status", "stopped", "message",
                stopped ? "Message processing stopped successfully"
                        : "Message processing is not running",
                NULL);
}
