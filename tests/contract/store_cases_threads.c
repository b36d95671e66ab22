#include "base/thread.h"
#include "contract/store_cases.h"

#include <sched.h>
#include <stdlib.h>

#define THREADS 2
#define MESSAGES 5000
#define BATCH 100
#define TIME_LIMIT_US 120000000

/* What two workers share. Cmocka's assertions belong to the main thread, so workers only note. */
struct job {
    struct store_fixture *fixture;
    _Atomic int claimed[MESSAGES]; /* by place in `ids` */
    struct message_id ids[MESSAGES];
    _Atomic size_t settled;
    _Atomic bool broken; /* an error, a conflict, or a message that nobody inserted */
};

struct worker {
    struct job *job;
    struct store_session *session;
    struct thread thread;
    struct error error;
};

static bool note_claimed(struct job *job, const struct claim *claim) {
    for (size_t i = 0; i < claim->count; i++) {
        int64_t number = 0, first = 0;
        if (!text_to_int64(text_of(claim->messages[i].id.text), &number) ||
            !text_to_int64(text_of(job->ids[0].text), &first) || number < first ||
            number >= first + MESSAGES)
            return false;
        atomic_fetch_add(&job->claimed[number - first], 1);
    }
    return true;
}

static bool settle_sent(struct worker *worker, struct claim *claim) {
    struct outcome outcome = sent("");
    size_t indexes[BATCH];
    const struct outcome *outcomes[BATCH];
    for (size_t i = 0; i < claim->count; i++) {
        indexes[i] = i;
        outcomes[i] = &outcome;
    }
    struct settlement settlement = {claim, indexes, outcomes, claim->count, false};
    return store_settle(worker->session, &settlement, 1, &worker->error) == STATUS_OK &&
           !settlement.conflict;
}

/* One turn: false when something is wrong. */
static bool claim_and_settle(struct worker *worker) {
    struct claim_request request = {.messages_max = BATCH, .lease_ms = LEASE_MS};
    struct claim_result result;
    if (store_claim(worker->session, &request, &result, &worker->error) != STATUS_OK)
        return false;
    if (result.claim == NULL) {
        sched_yield();
        return true;
    }
    bool good = note_claimed(worker->job, result.claim) && settle_sent(worker, result.claim);
    atomic_fetch_add(&worker->job->settled, result.claim->count);
    claim_destroy(result.claim);
    return good;
}

static void work(void *argument) {
    struct worker *worker = argument;
    struct job *job = worker->job;
    int64_t end_us = clock_monotonic_us(&clock_system) + TIME_LIMIT_US;
    while (atomic_load(&job->settled) < MESSAGES && !atomic_load(&job->broken))
        if (!claim_and_settle(worker) || clock_monotonic_us(&clock_system) > end_us)
            atomic_store(&job->broken, true);
}

static void assert_each_claimed_once(struct job *job) {
    assert_false(job->broken);
    for (size_t i = 0; i < MESSAGES; i++)
        assert_int_equal(job->claimed[i], 1);
    struct store_depth depth = read_depth(job->fixture);
    assert_int_equal(depth.messages[MESSAGE_SENT], MESSAGES);
    assert_int_equal(depth.messages[MESSAGE_PENDING], 0);
    assert_int_equal(depth.messages[MESSAGE_SENDING], 0);
    struct claim_result nothing = claim_in(job->fixture, job->fixture->session, 1);
    assert_null(nothing.claim);
    assert_true(nothing.next_due_in_ms < 0);
}

static void run_workers(struct job *job, struct store_session *const sessions[THREADS]) {
    struct worker workers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.job = job, .session = sessions[i]};
        assert_ok(thread_start(&workers[i].thread, "worker", work, &workers[i], &workers[i].error),
                  &workers[i].error);
    }
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&workers[i].thread);
    for (size_t i = 0; i < THREADS; i++)
        if (workers[i].error.text[0] != '\0')
            print_error("worker %d: %s\n", (int)i, workers[i].error.text);
}

static void two_threads_claim_every_message_once(struct store_fixture *fixture) {
    static struct job job;
    job = (struct job){.fixture = fixture};
    insert_messages(fixture, MESSAGES, job.ids);
    struct store_session *sessions[THREADS] = {fixture->session, fixture->other};
    run_workers(&job, sessions);
    assert_each_claimed_once(&job);
}

/* Two processes that share a store look like two stores opened on it. */
static void two_programs_claim_every_message_once(struct store_fixture *fixture) {
    static struct job job;
    job = (struct job){.fixture = fixture};
    insert_messages(fixture, MESSAGES, job.ids);
    struct store_options options = {.url = fixture->url, .clock = &fixture->clock.clock};
    struct store *second;
    struct store_session *session;
    assert_ok(store_open(&second, &options, &fixture->error), &fixture->error);
    assert_ok(store_session_open(&session, second, &fixture->error), &fixture->error);
    struct store_session *sessions[THREADS] = {fixture->session, session};
    run_workers(&job, sessions);
    store_session_close(session);
    store_close(second);
    assert_each_claimed_once(&job);
}

struct reader {
    struct store_session *session;
    _Atomic bool stop;
    bool bad;
    struct thread thread;
};

/* The numbers of one moment fit together: nothing is counted twice or missed. */
static void read_depths(void *argument) {
    struct reader *reader = argument;
    while (!atomic_load(&reader->stop)) {
        struct store_depth depth;
        struct error error;
        if (store_depth(reader->session, &depth, &error) != STATUS_OK)
            reader->bad = true;
        int64_t sum = 0;
        for (size_t i = 0; i < MESSAGE_STATES; i++) {
            reader->bad = reader->bad || depth.messages[i] < 0;
            sum += depth.messages[i];
        }
        reader->bad = reader->bad || sum != MESSAGES;
        sched_yield();
    }
}

static void the_depth_is_of_one_moment_while_others_work(struct store_fixture *fixture) {
    static struct job job;
    job = (struct job){.fixture = fixture};
    insert_messages(fixture, MESSAGES, job.ids);
    struct reader reader = {0};
    struct store_session *worker;
    struct error error;
    assert_ok(store_session_open(&reader.session, fixture->store, &error), &error);
    assert_ok(store_session_open(&worker, fixture->store, &error), &error);
    assert_ok(thread_start(&reader.thread, "reader", read_depths, &reader, &error), &error);
    struct store_session *sessions[THREADS] = {fixture->other, worker};
    run_workers(&job, sessions);
    atomic_store(&reader.stop, true);
    thread_join(&reader.thread);
    store_session_close(reader.session);
    store_session_close(worker);
    assert_each_claimed_once(&job);
    assert_false(reader.bad);
}

static const struct store_case cases[] = {
    STORE_CASE(two_threads_claim_every_message_once),
    STORE_CASE(the_depth_is_of_one_moment_while_others_work),
};

const struct store_cases store_cases_threads = STORE_CASES(cases);

static const struct store_case shared_cases[] = {
    STORE_CASE(two_programs_claim_every_message_once),
};

const struct store_cases store_cases_programs = STORE_CASES(shared_cases);
