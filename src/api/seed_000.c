/* The API of seed 000, "Go sender". */
#include "api/seed_answer.h"

void seed_000_start(struct call *call) {
    if (seed_start(call))
        seed_answer_empty(call->request, 200);
    else
        seed_answer(call->request, 400, "error", "sender is already running", NULL);
}

void seed_000_stop(struct call *call) {
    if (seed_stop(call))
        seed_answer_empty(call->request, 200);
    else
        seed_answer(call->request, 400, "error", "sender is not running", NULL);
}
