/* Which sentences are said too often. A small fixed table of those said last, found by their
 * address; a sentence that has to make room takes its count with it, into a line of its own. */
#ifndef LOG_REPEATS_H
#define LOG_REPEATS_H

#include "log/log.h"

/* What was held back of one sentence and not told yet. */
struct repeats_held {
    const char *sentence;
    enum log_level level;
    uint64_t lines; /* 0: nothing to tell */
};

/* Forgets all. Before the first thread is started. */
void repeats_clear(void);

/* True when a line with this sentence may pass at `now_us` (monotonic). `held->lines` is then what
 * was held back of it. Either way `*evicted` is what another sentence left behind. Any thread. */
bool repeats_admit(struct repeats_held *held, int64_t now_us, struct repeats_held *evicted);

/* Takes what one sentence has held back; false when there is nothing left. Any thread. */
bool repeats_take(struct repeats_held *held);

#endif
