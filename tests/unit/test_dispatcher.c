#include "support/test.h"

#include "base/thread.h"
#include "cli/mock_provider.h"
#include "cli/mock_record.h"
#include "dispatcher/dispatcher.h"
#include "support/faulty_store.h"
#include "support/http.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US 20000000
#define LOOK_US 2000

/* A dispatcher on a store in memory that can be made to fail, and a provider in the process. */
struct fixture {
    struct faults faults;
    struct store *store;
    struct store_session *session;
    struct mock_provider *provider;
    struct sender *sender;
    struct dispatcher *dispatcher;
};

static void start_provider(struct fixture *fixture, const struct mock_behaviour *behaviour) {
    struct mock_provider_options options = mock_provider_standard();
    struct error error;
    options.port = 0;
    if (behaviour != NULL)
        options.behaviour = *behaviour;
    assert_int_equal(mock_provider_create(&fixture->provider, &options, &error), STATUS_OK);
}

static void start_dispatcher(struct fixture *fixture, struct dispatcher_options options) {
    char url[64];
    struct error error;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/send", mock_provider_port(fixture->provider));
    const struct sender_options sender_options = {.provider = "webhook",
                                                  .webhook_url = url,
                                                  .webhook_auth_header = "X-Key",
                                                  .webhook_auth_key = "",
                                                  .webhook_timeout_ms = 600000};
    assert_int_equal(sender_create(&fixture->sender, &sender_options, &error), STATUS_OK);
    options.store = fixture->store;
    options.sender = fixture->sender;
    assert_int_equal(dispatcher_create(&fixture->dispatcher, &options, &error), STATUS_OK);
}

static struct dispatcher_options standard_options(void) {
    return (struct dispatcher_options){.clock = &clock_system,
                                       .batch_size = 2,
                                       .poll_interval_ms = 20,
                                       .max_in_flight = 4,
                                       .retry = {.retries_max = 3, .base_ms = 1, .cap_ms = 10},
                                       .lease_ms = 610000,
                                       .content_max = 160};
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error;
    fixture->store = faulty_store_open(&fixture->faults);
    *state = fixture;
    return store_session_open(&fixture->session, fixture->store, &error);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    dispatcher_destroy(fixture->dispatcher);
    sender_destroy(fixture->sender);
    if (fixture->provider != NULL)
        mock_provider_destroy(fixture->provider);
    store_session_close(fixture->session);
    store_close(fixture->store);
    free(fixture);
    return 0;
}

static void insert(struct fixture *fixture, size_t count) {
    struct error error;
    struct message_id id;
    const struct message_draft draft = {.recipient = TEXT_LITERAL("+15551234567"),
                                        .content = TEXT_LITERAL("hello")};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_insert(fixture->session, &draft, 1, &id, &error), STATUS_OK);
    dispatcher_wake(fixture->dispatcher);
}

static void insert_with(struct fixture *fixture, const char *content, int64_t priority) {
    struct error error;
    struct message_id id;
    const struct message_draft draft = {.recipient = TEXT_LITERAL("+15551234567"),
                                        .content = text_of(content),
                                        .priority = priority};
    assert_int_equal(store_insert(fixture->session, &draft, 1, &id, &error), STATUS_OK);
}

static void behave(struct fixture *fixture, const char *behaviour) {
    struct http_answer answer =
        http_ask(mock_provider_port(fixture->provider), "POST /behave", behaviour);
    assert_int_equal(answer.status, 200);
    http_answer_deinit(&answer);
}

static struct store_depth depth_of(struct fixture *fixture) {
    struct store_depth depth;
    struct error error;
    assert_int_equal(store_depth(fixture->session, &depth, &error), STATUS_OK);
    return depth;
}

/* Until so many messages are in the state; the patience is only for a failing test. */
static void wait_for(struct fixture *fixture, enum message_state state, int64_t count) {
    struct monitor monitor;
    monitor_init(&monitor);
    monitor_lock(&monitor);
    int64_t end_us = clock_monotonic_us(&clock_system) + PATIENCE_US;
    while (depth_of(fixture).messages[state] != count) {
        assert_true(clock_monotonic_us(&clock_system) < end_us);
        monitor_wait_for(&monitor, LOOK_US);
    }
    monitor_unlock(&monitor);
    monitor_deinit(&monitor);
}

static void start(struct fixture *fixture) {
    struct error error;
    assert_int_equal(dispatcher_start(fixture->dispatcher, &error), STATUS_OK);
}

static void starts_and_stops_once(void **state) {
    struct fixture *fixture = *state;
    struct error error;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    assert_int_equal(dispatcher_stop(fixture->dispatcher, &error), STATUS_CONFLICT);
    assert_string_equal(error.text, "the dispatcher is not running");
    start(fixture);
    assert_int_equal(dispatcher_start(fixture->dispatcher, &error), STATUS_CONFLICT);
    assert_string_equal(error.text, "the dispatcher is already running");
    assert_int_equal(dispatcher_stop(fixture->dispatcher, &error), STATUS_OK);
}

static void what_is_inserted_is_sent_once(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 100);
    wait_for(fixture, MESSAGE_SENT, 100);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 100);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, 1000), 0);
}

static void outcomes_that_the_store_refuses_are_kept_and_written_once(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    atomic_store(&fixture->faults.settles, 3);
    start(fixture);
    insert(fixture, 20);
    wait_for(fixture, MESSAGE_SENT, 20);
    assert_int_equal(fixture->faults.failed, 3);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 20);
}

static void claims_that_fail_are_made_again(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    atomic_store(&fixture->faults.claims, 2);
    start(fixture);
    insert(fixture, 5);
    wait_for(fixture, MESSAGE_SENT, 5);
    assert_int_equal(fixture->faults.failed, 2);
}

static void a_store_that_fails_shows_in_the_health(void **state) {
    struct fixture *fixture = *state;
    struct store_depth depth = {.oldest_due_age_ms = -1};
    struct error error;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    assert_true(dispatcher_is_healthy(fixture->dispatcher, &depth, &error));
    atomic_store(&fixture->faults.claims, 1000000);
    start(fixture);
    while (dispatcher_is_healthy(fixture->dispatcher, &depth, &error))
        continue;
    assert_non_null(strstr(error.text, "injected"));
}

static void a_drain_without_grace_cuts_off_and_settles(void **state) {
    struct fixture *fixture = *state;
    struct mock_behaviour hang = mock_behaviour_normal();
    hang.hang = true;
    struct dispatcher_status status;
    start_provider(fixture, &hang);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 10);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.in_flight < 4);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, 0), 0);
    dispatcher_get_status(fixture->dispatcher, &status);
    assert_int_equal(status.state, DISPATCHER_STOPPED);
    assert_int_equal(status.claimed, 0);
    assert_int_equal(status.retried, 4);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 10);
}

static void a_stop_is_taken_back_by_a_start(void **state) {
    struct fixture *fixture = *state;
    struct mock_behaviour slow = mock_behaviour_normal();
    slow.latency_ms = 300;
    struct dispatcher_status status;
    struct error error;
    start_provider(fixture, &slow);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 6);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.in_flight < 4);
    assert_int_equal(dispatcher_stop(fixture->dispatcher, &error), STATUS_OK);
    dispatcher_get_status(fixture->dispatcher, &status);
    assert_int_equal(status.state, DISPATCHER_STOPPING);
    start(fixture);
    wait_for(fixture, MESSAGE_SENT, 6);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 6);
}

static void one_batch_leaves_where_the_interval_is_long(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_options options = standard_options();
    options.interval_ms = 3600000;
    struct dispatcher_status status;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, options);
    insert(fixture, 10);
    start(fixture);
    wait_for(fixture, MESSAGE_SENT, 2);
    dispatcher_get_status(fixture->dispatcher, &status);
    assert_true(status.next_batch_in_ms > 0);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, 1000), 0);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_SENT], 2);
}

/* How many attempts the first message has had; those that failed were of these classes. */
static int64_t attempts_of_first(struct fixture *fixture, const char *expected_classes) {
    struct arena arena;
    struct message message;
    struct attempt_list attempts;
    struct error error;
    struct buffer classes;
    buffer_init(&classes, 1000);
    arena_init(&arena, 1000000);
    assert_int_equal(store_get(fixture->session, TEXT_LITERAL("1"), &arena, &message, &error),
                     STATUS_OK);
    assert_int_equal(store_attempts(fixture->session, TEXT_LITERAL("1"), &arena, &attempts, &error),
                     STATUS_OK);
    for (size_t i = 0; i < attempts.count; i++) {
        buffer_printf(&classes, "%s ", attempt_class_name(attempts.items[i].class));
    }
    assert_text(buffer_view(&classes), expected_classes);
    buffer_deinit(&classes);
    arena_deinit(&arena);
    return message.attempts;
}

static void what_fails_is_tried_again(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    behave(fixture, "{\"status\":503,\"times\":2}");
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 1);
    wait_for(fixture, MESSAGE_SENT, 1);
    assert_int_equal(attempts_of_first(fixture, "http_5xx http_5xx "), 3);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 3);
}

static void what_fails_too_often_is_failed(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    behave(fixture, "{\"reset\":true}");
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 1);
    wait_for(fixture, MESSAGE_FAILED, 1);
    assert_int_equal(attempts_of_first(fixture, "reset reset reset reset "), 4);
    assert_int_equal(mock_provider_sums(fixture->provider).accepted, 0);
}

static void what_is_refused_for_good_is_failed_at_once(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    behave(fixture, "{\"status\":400}");
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 1);
    wait_for(fixture, MESSAGE_FAILED, 1);
    assert_int_equal(attempts_of_first(fixture, "http_4xx "), 1);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 1);
}

/* An application may write rows that the API would refuse. */
static void rows_that_break_a_rule_are_failed_unsent(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_options options = standard_options();
    options.content_max = 5;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, options);
    insert_with(fixture, "too long", 0);
    insert_with(fixture, "short", 0);
    insert_with(fixture, " ", 0);
    start(fixture);
    wait_for(fixture, MESSAGE_FAILED, 2);
    wait_for(fixture, MESSAGE_SENT, 1);
    assert_int_equal(attempts_of_first(fixture, "invalid "), 0);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 1);
}

/* One batch of two may leave; the two that are not sent do not count. */
static void rows_that_break_a_rule_leave_the_batch_to_others(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_options options = standard_options();
    options.content_max = 5;
    options.interval_ms = 3600000;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, options);
    insert_with(fixture, "too long", 0);
    insert_with(fixture, "too long", 0);
    for (int i = 0; i < 4; i++)
        insert_with(fixture, "short", 0);
    start(fixture);
    wait_for(fixture, MESSAGE_SENT, 2);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, PATIENCE_US / 1000), 0);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_FAILED], 2);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 2);
}

static void one_at_a_time_keeps_the_order(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_options options = standard_options();
    options.max_in_flight = 1;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, options);
    for (int i = 1; i <= 30; i++)
        insert_with(fixture, "hello", i > 20 ? i : 0);
    start(fixture);
    wait_for(fixture, MESSAGE_SENT, 30);
    assert_int_equal(mock_provider_sums(fixture->provider).in_flight_max, 1);
    struct http_answer answer =
        http_ask(mock_provider_port(fixture->provider), "GET /requests?limit=30", "");
    const char *at = answer.body;
    for (int i = 1; i <= 30; i++) {
        char id[32];
        /* Higher priorities first: 30 to 21; then 1 to 20. */
        snprintf(id, sizeof id, "\"id\":\"%d\"", i <= 10 ? 31 - i : i - 10);
        at = strstr(at, "\"id\":\"");
        assert_non_null(at);
        assert_true(text_starts_with(text_of(at), id));
        at++;
    }
    http_answer_deinit(&answer);
}

static void batches_leave_interval_after_interval(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_options options = standard_options();
    options.interval_ms = 1;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, options);
    insert(fixture, 21);
    start(fixture);
    wait_for(fixture, MESSAGE_SENT, 21);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 21);
    assert_in_range(mock_provider_sums(fixture->provider).in_flight_max, 1, 4);
}

/* Whichever settle it is that fails first. */
static void the_kth_settle_that_fails_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    for (int k = 0; k < 5; k++) {
        atomic_store(&fixture->faults.spared, k);
        atomic_store(&fixture->faults.settles, 1);
        insert(fixture, 20);
        wait_for(fixture, MESSAGE_SENT, 20 * (k + 1));
    }
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 100);
    assert_int_equal(mock_provider_sums(fixture->provider).accepted_unique, 100);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, PATIENCE_US / 1000), 0);
}

static void the_kth_claim_that_fails_is_made_again(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    for (int k = 0; k < 3; k++) {
        atomic_store(&fixture->faults.spared, k);
        atomic_store(&fixture->faults.claims, 1);
        insert(fixture, 20);
        wait_for(fixture, MESSAGE_SENT, 20 * (k + 1));
    }
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 60);
}

static void a_claim_that_was_lost_counts_for_nothing(void **state) {
    struct fixture *fixture = *state;
    struct dispatcher_status status;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    atomic_store(&fixture->faults.conflicts, 1);
    insert(fixture, 1);
    start(fixture);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (atomic_load(&fixture->faults.failed) == 0 || status.claimed > 0);
    assert_int_equal(status.sent, 0);
    assert_int_equal(mock_provider_sums(fixture->provider).requests, 1);
    insert(fixture, 1);
    wait_for(fixture, MESSAGE_SENT, 1);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, PATIENCE_US / 1000), 0);
}

static void it_ends_although_the_store_takes_nothing(void **state) {
    struct fixture *fixture = *state;
    start_provider(fixture, NULL);
    start_dispatcher(fixture, standard_options());
    atomic_store(&fixture->faults.settles, INT_MAX);
    start(fixture);
    insert(fixture, 10);
    while (atomic_load(&fixture->faults.failed) == 0)
        continue;
    dispatcher_destroy(fixture->dispatcher);
    fixture->dispatcher = NULL;
    assert_int_equal(depth_of(fixture).messages[MESSAGE_SENT], 0);
}

static void stopping_says_so_until_all_is_settled(void **state) {
    struct fixture *fixture = *state;
    struct mock_behaviour hang = mock_behaviour_normal();
    struct dispatcher_status status;
    struct error error;
    hang.hang = true;
    start_provider(fixture, &hang);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 10);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.in_flight < 4);
    assert_int_equal(dispatcher_stop(fixture->dispatcher, &error), STATUS_OK);
    assert_int_equal(dispatcher_stop(fixture->dispatcher, &error), STATUS_CONFLICT);
    assert_string_equal(error.text, "the dispatcher is stopping already");
    /* What is not in the air is given back; the four that hang keep it from having stopped. */
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.claimed > 4);
    assert_int_equal(status.state, DISPATCHER_STOPPING);
    assert_int_equal(status.in_flight, 4);
    assert_string_equal(dispatcher_state_name(status.state), "stopping");
    assert_int_equal(dispatcher_drain(fixture->dispatcher, 0), 0);
    dispatcher_get_status(fixture->dispatcher, &status);
    assert_int_equal(status.state, DISPATCHER_STOPPED);
    assert_int_equal(attempts_of_first(fixture, "aborted "), 1);
}

struct drain {
    struct dispatcher *dispatcher;
    size_t left;
};

static void drain_patiently(void *argument) {
    struct drain *drain = argument;
    drain->left = dispatcher_drain(drain->dispatcher, PATIENCE_US / 1000);
}

static void assert_start_comes_too_late(struct fixture *fixture) {
    struct error error;
    assert_int_equal(dispatcher_start(fixture->dispatcher, &error), STATUS_CONFLICT);
    assert_string_equal(error.text, "the program is about to end");
}

/* It would claim for as long as the process lives, and every request would be cut off at once. The
 * first drain waits in a thread for what hangs; the second, without grace, ends both. */
static void no_start_is_possible_once_a_drain_has_begun(void **state) {
    struct fixture *fixture = *state;
    struct mock_behaviour hang = mock_behaviour_normal();
    hang.hang = true;
    struct dispatcher_status status;
    struct thread thread = {0};
    struct error error;
    start_provider(fixture, &hang);
    start_dispatcher(fixture, standard_options());
    start(fixture);
    insert(fixture, 10);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.in_flight < 4);
    struct drain drain = {.dispatcher = fixture->dispatcher, .left = SIZE_MAX};
    assert_int_equal(thread_start(&thread, "drain", drain_patiently, &drain, &error), STATUS_OK);
    do
        dispatcher_get_status(fixture->dispatcher, &status);
    while (status.state == DISPATCHER_RUNNING);
    assert_start_comes_too_late(fixture);
    assert_int_equal(dispatcher_drain(fixture->dispatcher, 0), 0);
    thread_join(&thread);
    assert_int_equal(drain.left, 0);
    assert_start_comes_too_late(fixture);
    insert(fixture, 1);
    dispatcher_get_status(fixture->dispatcher, &status);
    assert_int_equal(status.state, DISPATCHER_STOPPED);
    dispatcher_destroy(fixture->dispatcher);
    fixture->dispatcher = NULL;
    assert_int_equal(status.retried, 4);
    assert_int_equal(attempts_of_first(fixture, "aborted "), 1);
    assert_true(mock_provider_sums(fixture->provider).requests <= 4);
    assert_int_equal(depth_of(fixture).messages[MESSAGE_PENDING], 11);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(starts_and_stops_once),
        TEST(what_is_inserted_is_sent_once),
        TEST(outcomes_that_the_store_refuses_are_kept_and_written_once),
        TEST(claims_that_fail_are_made_again),
        TEST(a_store_that_fails_shows_in_the_health),
        TEST(a_drain_without_grace_cuts_off_and_settles),
        TEST(a_stop_is_taken_back_by_a_start),
        TEST(one_batch_leaves_where_the_interval_is_long),
        TEST(batches_leave_interval_after_interval),
        TEST(what_fails_is_tried_again),
        TEST(what_fails_too_often_is_failed),
        TEST(what_is_refused_for_good_is_failed_at_once),
        TEST(rows_that_break_a_rule_are_failed_unsent),
        TEST(rows_that_break_a_rule_leave_the_batch_to_others),
        TEST(one_at_a_time_keeps_the_order),
        TEST(the_kth_settle_that_fails_loses_nothing),
        TEST(the_kth_claim_that_fails_is_made_again),
        TEST(a_claim_that_was_lost_counts_for_nothing),
        TEST(it_ends_although_the_store_takes_nothing),
        TEST(stopping_says_so_until_all_is_settled),
        TEST(no_start_is_possible_once_a_drain_has_begun),
    };
    return cmocka_run_group_tests_name("dispatcher", tests, NULL, NULL);
}
