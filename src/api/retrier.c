#include "api/retrier.h"

#include "api/filter_input.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/thread.h"
#include "log/log.h"

#include <stdlib.h>

#define ARENA_BYTES_MAX ((size_t)64 << 20)

struct retrier {
    /* set once */
    struct store_session *session;
    void (*retried)(void *context);
    void *context;
    struct thread thread;
    /* guarded */
    struct monitor monitor;
    bool woken, ending;
};

bool retrier_read_filter(const json_t *filter, struct store_query *query, const char **field,
                         const char **text) {
    struct filter_fault fault;
    *query = (struct store_query){0};
    if (!filter_input_from_json(query, filter, &fault)) {
        *field = fault.field;
        *text = fault.text;
        return false;
    }
    if (query->states == 0)
        query->states = MESSAGE_STATE_BIT(MESSAGE_FAILED);
    *field = "status";
    *text = "must be of failed, cancelled, expired, unknown; others cannot be sent again";
    return (query->states & ~MESSAGE_STATES_RETRYABLE) == 0;
}

static size_t step_size(const struct store_job *job) {
    bool slow = job->rate > 0 && job->rate < RETRIER_STEP_MESSAGES_MAX;
    return slow ? (size_t)job->rate : RETRIER_STEP_MESSAGES_MAX;
}

static enum status retry_page(struct retrier *retrier, const struct store_page *page,
                              size_t *changed, struct error *error) {
    struct message_id ids[RETRIER_STEP_MESSAGES_MAX];
    for (size_t i = 0; i < page->count; i++)
        ids[i] = page->messages[i].id;
    if (page->count == 0)
        return STATUS_OK;
    struct store_change change = {.kind = STORE_RETRY, .ids = ids, .count = page->count};
    enum status status = store_change(retrier->session, &change, error);
    *changed = change.changed;
    if (status == STATUS_OK && *changed > 0)
        retrier->retried(retrier->context);
    return status;
}

/* From the cursor on: a page is retried, then the job goes on to its end. Who dies between the two
 * leaves a page that is looked at again, and finds nothing to retry there. */
static enum status take_step(struct retrier *retrier, const struct store_job *job,
                             const struct store_query *query, struct arena *arena,
                             struct error *error) {
    struct store_page page;
    size_t changed = 0;
    enum status status = store_list(retrier->session, query, arena, &page, error);
    if (status == STATUS_OK)
        status = retry_page(retrier, &page, &changed, error);
    if (status != STATUS_OK)
        return status;
    struct store_job_step step = {
        .state = page.more ? STORE_JOB_RUNNING : STORE_JOB_DONE,
        .cursor = page.more ? page.next : job->cursor,
        .retried = (int64_t)changed,
        .pause_ms = job->rate > 0 ? (int64_t)page.count * 1000 / job->rate : 0,
    };
    status = store_job_advance(retrier->session, job, &step, error);
    if (status == STATUS_OK && !page.more)
        log_info("retry job done", LOG_INT("job", job->id),
                 LOG_INT("retried", job->retried + (int64_t)changed));
    return status == STATUS_CONFLICT ? STATUS_OK : status;
}

static enum status work_on(struct retrier *retrier, const struct store_job *job,
                           struct arena *arena, struct error *error) {
    json_t *filter = json_loadb(job->filter.data, job->filter.len, 0, NULL);
    struct store_query query;
    const char *field, *text;
    enum status status = STATUS_OK;
    if (json_is_object(filter) && retrier_read_filter(filter, &query, &field, &text)) {
        query.after = text_of(job->cursor.text);
        query.limit = step_size(job);
        status = take_step(retrier, job, &query, arena, error);
    } else {
        log_error("retry job stopped: its filter cannot be read", LOG_INT("job", job->id));
        const struct store_job_step stop = {.state = STORE_JOB_STOPPED, .cursor = job->cursor};
        store_job_advance(retrier->session, job, &stop, error);
    }
    json_decref(filter);
    return status;
}

/* One step of each job whose time has come; how long until the next one's has. */
static int64_t work(struct retrier *retrier) {
    struct arena arena;
    struct store_job_list list = {0};
    struct error error;
    int64_t wait_us = RETRIER_LOOK_US;
    arena_init(&arena, ARENA_BYTES_MAX);
    const struct store_job_query query = {.running = true, .limit = RETRIER_JOBS_MAX};
    enum status status = store_job_list(retrier->session, &query, &arena, &list, &error);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        const struct store_job *job = &list.jobs[i];
        if (job->next_step_in_ms == 0)
            status = work_on(retrier, job, &arena, &error);
        if (job->next_step_in_ms * 1000 < wait_us)
            wait_us = job->next_step_in_ms * 1000;
    }
    if (status != STATUS_OK) {
        log_warn("retry jobs wait", LOG_STRING("reason", error.text));
        wait_us = RETRIER_LOOK_US;
    }
    arena_deinit(&arena);
    return wait_us;
}

/* False: it is to end. */
static bool wait_for(struct retrier *retrier, int64_t wait_us) {
    int64_t end_us = clock_monotonic_us(&clock_system) + wait_us;
    monitor_lock(&retrier->monitor);
    while (!retrier->ending && !retrier->woken &&
           monitor_wait_for(&retrier->monitor, end_us - clock_monotonic_us(&clock_system)))
        continue;
    retrier->woken = false;
    bool ending = retrier->ending;
    monitor_unlock(&retrier->monitor);
    return !ending;
}

static void run(void *argument) {
    struct retrier *retrier = argument;
    int64_t wait_us = 0;
    while (wait_for(retrier, wait_us))
        wait_us = work(retrier);
}

enum status retrier_create(struct retrier **retrier, struct store *store,
                           void (*retried)(void *context), void *context, struct error *error) {
    check(retrier != NULL && store != NULL && retried != NULL);
    struct retrier *created = memory_zeroed(1, sizeof *created);
    created->retried = retried;
    created->context = context;
    monitor_init(&created->monitor);
    enum status status = store_session_open(&created->session, store, error);
    if (status == STATUS_OK)
        status = thread_start(&created->thread, "retrier", run, created, error);
    if (status != STATUS_OK)
        retrier_destroy(created);
    else
        *retrier = created;
    return status;
}

void retrier_destroy(struct retrier *retrier) {
    if (retrier == NULL)
        return;
    monitor_lock(&retrier->monitor);
    retrier->ending = true;
    monitor_signal(&retrier->monitor);
    monitor_unlock(&retrier->monitor);
    thread_join(&retrier->thread);
    store_session_close(retrier->session);
    monitor_deinit(&retrier->monitor);
    free(retrier);
}

void retrier_wake(struct retrier *retrier) {
    monitor_lock(&retrier->monitor);
    retrier->woken = true;
    monitor_signal(&retrier->monitor);
    monitor_unlock(&retrier->monitor);
}
