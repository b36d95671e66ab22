#include "support/test.h"

#include "base/clock.h"
#include "base/thread.h"

#include <signal.h>

#define ROUNDS 1000

struct seen {
    bool usr1_blocked;
    bool term_blocked;
};

static void look_around(void *argument) {
    struct seen *seen = argument;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen->usr1_blocked = sigismember(&blocked, SIGUSR1) == 1;
    seen->term_blocked = sigismember(&blocked, SIGTERM) == 1;
}

static void threads_block_every_signal_and_main_does_not(void **state) {
    (void)state;
    struct seen seen = {0};
    struct thread thread = {0};
    struct error error;
    assert_int_equal(thread_start(&thread, "fifteen-letters", look_around, &seen, &error),
                     STATUS_OK);
    assert_true(thread.started);
    thread_join(&thread);
    assert_false(thread.started);
    assert_true(seen.usr1_blocked && seen.term_blocked);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
}

static void joining_what_never_started_does_nothing(void **state) {
    (void)state;
    struct thread thread = {0};
    thread_join(&thread);
    assert_false(thread.started);
}

struct table {
    struct monitor monitor;
    int turn; /* guarded */
};

/* Waits until `turn` has the parity of `mine`, then passes it on. */
static void take_turns(struct table *table, int mine) {
    for (int round = 0; round < ROUNDS; round++) {
        monitor_lock(&table->monitor);
        while (table->turn % 2 != mine)
            monitor_wait(&table->monitor);
        table->turn++;
        monitor_signal(&table->monitor);
        monitor_unlock(&table->monitor);
    }
}

static void play_odd(void *argument) {
    take_turns(argument, 1);
}

static void a_signal_reaches_whoever_waits(void **state) {
    (void)state;
    struct table table = {0};
    monitor_init(&table.monitor);
    struct thread thread = {0};
    struct error error;
    assert_int_equal(thread_start(&thread, "odd", play_odd, &table, &error), STATUS_OK);
    take_turns(&table, 0);
    thread_join(&thread);
    assert_int_equal(table.turn, 2 * ROUNDS);
    monitor_deinit(&table.monitor);
}

static void waiting_ends_with_the_time(void **state) {
    (void)state;
    struct monitor monitor;
    monitor_init(&monitor);
    monitor_lock(&monitor);
    assert_false(monitor_wait_for(&monitor, 0));
    assert_false(monitor_wait_for(&monitor, INT64_MIN));
    int64_t before_us = clock_monotonic_us(&clock_system);
    while (monitor_wait_for(&monitor, 2000))
        continue;
    assert_true(clock_monotonic_us(&clock_system) - before_us >= 2000);
    monitor_unlock(&monitor);
    monitor_deinit(&monitor);
}

static void signal_once(void *argument) {
    struct table *table = argument;
    monitor_lock(&table->monitor);
    table->turn = 1;
    monitor_signal(&table->monitor);
    monitor_unlock(&table->monitor);
}

static void a_signal_ends_the_longest_wait(void **state) {
    (void)state;
    struct table table = {0};
    monitor_init(&table.monitor);
    monitor_lock(&table.monitor);
    struct thread thread = {0};
    struct error error;
    assert_int_equal(thread_start(&thread, "signal", signal_once, &table, &error), STATUS_OK);
    while (table.turn == 0)
        assert_true(monitor_wait_for(&table.monitor, INT64_MAX));
    monitor_unlock(&table.monitor);
    thread_join(&thread);
    monitor_deinit(&table.monitor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_block_every_signal_and_main_does_not),
        cmocka_unit_test(joining_what_never_started_does_nothing),
        cmocka_unit_test(a_signal_reaches_whoever_waits),
        cmocka_unit_test(waiting_ends_with_the_time),
        cmocka_unit_test(a_signal_ends_the_longest_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
