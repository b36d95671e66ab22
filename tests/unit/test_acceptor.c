#include "support/test.h"

#include "api/acceptor.h"
#include "base/thread.h"
#include "support/faulty_store.h"

#include <stdlib.h>
#include <string.h>

#define MANY 500
#define EACH 3

/* What one submit is waiting for. */
struct wish {
    struct acceptance acceptance; /* first: an acceptance is a wish */
    struct message_id ids[EACH];
    struct fixture *fixture;
    bool refused;
};

struct fixture {
    struct faults faults;
    struct store *store;
    struct acceptor *acceptor;
    struct wish wishes[MANY];
    /* guarded */
    struct monitor monitor;
    size_t answered;
    size_t committed;
};

static const struct message_draft drafts[EACH] = {
    {.recipient = {"+15551234567", 12}, .content = {"a", 1}},
    {.recipient = {"+15551234567", 12}, .content = {"b", 1}},
    {.recipient = {"+15551234567", 12}, .content = {"c", 1}},
};

static void on_committed(void *context) {
    struct fixture *fixture = context;
    monitor_lock(&fixture->monitor);
    fixture->committed++;
    monitor_unlock(&fixture->monitor);
}

static void on_done(struct acceptance *acceptance, const struct error *error) {
    struct wish *wish = (struct wish *)acceptance;
    wish->refused = error != NULL;
    monitor_lock(&wish->fixture->monitor);
    wish->fixture->answered++;
    monitor_signal(&wish->fixture->monitor);
    monitor_unlock(&wish->fixture->monitor);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error;
    monitor_init(&fixture->monitor);
    fixture->store = faulty_store_open(&fixture->faults);
    for (size_t i = 0; i < MANY; i++)
        fixture->wishes[i] = (struct wish){.acceptance = {.drafts = drafts,
                                                          .count = EACH,
                                                          .ids = fixture->wishes[i].ids,
                                                          .done = on_done},
                                           .fixture = fixture};
    *state = fixture;
    const struct acceptor_options options = {
        .store = fixture->store, .committed = on_committed, .context = fixture};
    return acceptor_create(&fixture->acceptor, &options, &error);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    acceptor_destroy(fixture->acceptor);
    store_close(fixture->store);
    monitor_deinit(&fixture->monitor);
    free(fixture);
    return 0;
}

static void submit(struct fixture *fixture, size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++) {
        bool taken = acceptor_submit(fixture->acceptor, &fixture->wishes[i].acceptance);
        assert_true(taken);
    }
}

static void wait_for_answers(struct fixture *fixture, size_t count) {
    monitor_lock(&fixture->monitor);
    while (fixture->answered < count)
        monitor_wait(&fixture->monitor);
    assert_int_equal(fixture->answered, count);
    monitor_unlock(&fixture->monitor);
}

static void all_that_is_submitted_is_answered_with_its_ids(void **state) {
    struct fixture *fixture = *state;
    submit(fixture, 0, MANY);
    wait_for_answers(fixture, MANY);
    for (size_t i = 0; i < MANY * EACH; i++) {
        int64_t number = 0;
        const struct wish *wish = &fixture->wishes[i / EACH];
        assert_false(wish->refused);
        assert_true(message_id_to_number(text_of(wish->ids[i % EACH].text), &number));
        assert_int_equal(number, i + 1);
    }
    acceptor_close(fixture->acceptor);
    assert_in_range(fixture->committed, 1, MANY);
}

static void a_group_that_fails_is_refused_whole(void **state) {
    struct fixture *fixture = *state;
    struct error error;
    struct store_session *session = NULL;
    struct store_depth depth;
    atomic_store(&fixture->faults.inserts, 1);
    submit(fixture, 0, 1);
    wait_for_answers(fixture, 1);
    assert_true(fixture->wishes[0].refused);
    submit(fixture, 1, 1);
    wait_for_answers(fixture, 2);
    assert_false(fixture->wishes[1].refused);
    assert_int_equal(fixture->committed, 1);
    assert_int_equal(store_session_open(&session, fixture->store, &error), STATUS_OK);
    assert_int_equal(store_depth(session, &depth, &error), STATUS_OK);
    assert_int_equal(depth.messages[MESSAGE_PENDING], EACH);
    store_session_close(session);
}

static void closing_answers_what_was_submitted_and_takes_no_more(void **state) {
    struct fixture *fixture = *state;
    submit(fixture, 0, MANY - 1);
    acceptor_close(fixture->acceptor);
    assert_int_equal(fixture->answered, MANY - 1);
    assert_false(acceptor_submit(fixture->acceptor, &fixture->wishes[MANY - 1].acceptance));
    assert_int_equal(fixture->answered, MANY - 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_submitted_is_answered_with_its_ids),
        TEST(a_group_that_fails_is_refused_whole),
        TEST(closing_answers_what_was_submitted_and_takes_no_more),
    };
    return cmocka_run_group_tests_name("acceptor", tests, NULL, NULL);
}
