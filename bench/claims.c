/* Drains a queue by claiming and settling alone, without a provider: the limit that a store sets.
 *
 * usage: bench_claims STORE_URL MESSAGES
 *
 * Prints one JSON object: messages/s, and the mean time of a claim in the first and the last tenth
 * of the run, which are alike where the cost does not grow with what is done. */
#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 500
#define INSERT_BATCH 10000
#define LEASE_MS 60000
#define CONTENT                                                                                    \
    "A message of one hundred and sixty characters, as long as the longest SMS may be, so that "   \
    "what is measured is no better than what will come: 0123456789 0123456789 end."

struct times {
    int64_t claims_us[2], claims[2]; /* in the first and in the last tenth */
    int64_t start_us, end_us;
    size_t settled;
};

static int64_t now_us(void) {
    return clock_monotonic_us(&clock_system);
}

static enum status fill(struct store_session *session, size_t count, struct error *error) {
    struct message_draft *drafts = memory_zeroed(INSERT_BATCH, sizeof *drafts);
    struct message_id *ids = memory_zeroed(INSERT_BATCH, sizeof *ids);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < INSERT_BATCH; i++)
        drafts[i] = (struct message_draft){.recipient = TEXT_LITERAL("+15551234567"),
                                           .content = TEXT_LITERAL(CONTENT)};
    for (size_t done = 0; done < count && status == STATUS_OK; done += INSERT_BATCH) {
        size_t some = count - done < INSERT_BATCH ? count - done : INSERT_BATCH;
        status = store_insert(session, drafts, some, ids, error);
    }
    free(drafts);
    free(ids);
    return status;
}

static enum status settle(struct store_session *session, struct claim *claim, struct error *error) {
    static const struct outcome sent = {.kind = OUTCOME_SENT,
                                        .provider_id = "67f2f8a8-ea58-4ed0-a6f9-ff217df4d849"};
    size_t indexes[BATCH];
    const struct outcome *outcomes[BATCH];
    for (size_t i = 0; i < claim->count; i++) {
        indexes[i] = i;
        outcomes[i] = &sent;
    }
    struct settlement settlement = {claim, indexes, outcomes, claim->count, false};
    return store_settle(session, &settlement, 1, error);
}

static void note_claim(struct times *times, size_t count, int64_t took_us) {
    int part = times->settled < count / 10 ? 0 : times->settled >= count - count / 10 ? 1 : -1;
    if (part < 0)
        return;
    times->claims_us[part] += took_us;
    times->claims[part]++;
}

static enum status drain(struct store_session *session, size_t count, struct times *times,
                         struct error *error) {
    enum status status = STATUS_OK;
    times->start_us = now_us();
    while (status == STATUS_OK && times->settled < count) {
        const struct claim_request request = {BATCH, LEASE_MS};
        struct claim_result result;
        int64_t begin_us = now_us();
        status = store_claim(session, &request, &result, error);
        if (status != STATUS_OK || result.claim == NULL)
            break;
        note_claim(times, count, now_us() - begin_us);
        status = settle(session, result.claim, error);
        times->settled += result.claim->count;
        claim_destroy(result.claim);
    }
    times->end_us = now_us();
    return status;
}

static void print(const struct times *times) {
    double seconds = (double)(times->end_us - times->start_us) / 1e6;
    double first =
        times->claims[0] > 0 ? (double)times->claims_us[0] / (double)times->claims[0] : 0;
    double last = times->claims[1] > 0 ? (double)times->claims_us[1] / (double)times->claims[1] : 0;
    printf("{\"messages_per_s\": %.0f, \"claim_us_first\": %.0f, \"claim_us_last\": %.0f}\n",
           (double)times->settled / seconds, first, last);
}

static enum status run(const char *url, size_t count, struct error *error) {
    const struct store_options options = {
        .url = url, .clock = &clock_system, .migrate = STORE_MIGRATE_ALWAYS};
    struct store *store = NULL;
    struct store_session *session = NULL;
    struct times times = {0};
    enum status status = store_open(&store, &options, error);
    if (status == STATUS_OK)
        status = store_session_open(&session, store, error);
    if (status == STATUS_OK)
        status = fill(session, count, error);
    if (status == STATUS_OK)
        status = drain(session, count, &times, error);
    store_session_close(session);
    store_close(store);
    if (status == STATUS_OK)
        print(&times);
    return status;
}

int main(int argc, char **argv) {
    struct error error;
    int64_t count = 0;
    if (argc != 3 || !text_to_int64(text_of(argv[2]), &count) || count < 1) {
        fprintf(stderr, "usage: bench_claims STORE_URL MESSAGES\n");
        return 2;
    }
    const struct log_options log_options = {.level = LOG_LEVEL_ERROR, .descriptor = STDERR_FILENO};
    log_init(&log_options);
    if (run(argv[1], (size_t)count, &error) == STATUS_OK)
        return 0;
    fprintf(stderr, "bench_claims: %s\n", error.text);
    return 1;
}
