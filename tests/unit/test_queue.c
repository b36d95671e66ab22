#include "support/test.h"

#include "base/queue.h"

#include <sched.h>

#define PRODUCERS 4
#define ITEMS_PER_PRODUCER 5000

static int numbers[PRODUCERS * ITEMS_PER_PRODUCER];

static int set_up(void **state) {
    static struct queue queue;
    queue_init(&queue, 3);
    *state = &queue;
    return 0;
}

static int tear_down(void **state) {
    queue_deinit(*state);
    return 0;
}

static void gives_out_in_order_around_the_ring(void **state) {
    struct queue *queue = *state;
    size_t pushed = 0, popped = 0;
    for (int round = 0; round < 10; round++) {
        while (queue_push(queue, &numbers[pushed]))
            pushed++;
        assert_int_equal(queue_count(queue), 3);
        void *items[2];
        assert_int_equal(queue_pop(queue, items, 2, 0), 2);
        assert_ptr_equal(items[0], &numbers[popped]);
        assert_ptr_equal(items[1], &numbers[popped + 1]);
        popped += 2;
    }
    void *items[9];
    assert_int_equal(queue_pop(queue, items, 9, 0), 1);
}

static void refuses_when_full(void **state) {
    struct queue *queue = *state;
    for (int i = 0; i < 3; i++)
        assert_true(queue_push(queue, &numbers[i]));
    assert_false(queue_push(queue, &numbers[3]));
    void *items[3];
    assert_int_equal(queue_pop(queue, items, 1, -1), 1);
    assert_true(queue_push(queue, &numbers[3]));
    assert_int_equal(queue_pop(queue, items, 3, -1), 3);
    assert_ptr_equal(items[2], &numbers[3]);
}

static void an_empty_queue_answers_when_the_time_is_over(void **state) {
    void *item;
    assert_int_equal(queue_pop(*state, &item, 1, 0), 0);
    assert_int_equal(queue_pop(*state, &item, 1, 1000), 0);
}

static void a_closed_queue_gives_out_the_rest_and_takes_no_more(void **state) {
    struct queue *queue = *state;
    queue_push(queue, &numbers[0]);
    assert_false(queue_is_closed(queue));
    queue_close(queue);
    assert_true(queue_is_closed(queue));
    assert_false(queue_push(queue, &numbers[1]));
    void *items[3];
    assert_int_equal(queue_pop(queue, items, 3, -1), 1);
    assert_ptr_equal(items[0], &numbers[0]);
    assert_int_equal(queue_pop(queue, items, 3, -1), 0);
}

struct waiter {
    struct queue *queue;
    size_t popped;
};

static void wait_for_one(void *argument) {
    struct waiter *waiter = argument;
    void *item;
    waiter->popped = queue_pop(waiter->queue, &item, 1, -1);
}

static void closing_wakes_whoever_waits(void **state) {
    struct waiter waiter = {.queue = *state, .popped = 99};
    struct thread thread = {0};
    struct error error;
    assert_int_equal(thread_start(&thread, "waiter", wait_for_one, &waiter, &error), STATUS_OK);
    queue_close(*state);
    thread_join(&thread);
    assert_int_equal(waiter.popped, 0);
}

struct producer {
    struct queue *queue;
    int *first;
};

static void produce(void *argument) {
    const struct producer *producer = argument;
    for (int i = 0; i < ITEMS_PER_PRODUCER; i++)
        while (!queue_push(producer->queue, producer->first + i))
            sched_yield();
}

/* Every item arrives once, and those of one producer in its order. */
static void consume_all(struct queue *queue) {
    int next[PRODUCERS] = {0};
    for (size_t total = 0; total < PRODUCERS * ITEMS_PER_PRODUCER;) {
        void *items[8];
        size_t count = queue_pop(queue, items, 8, -1);
        for (size_t i = 0; i < count; i++) {
            ptrdiff_t at = (int *)items[i] - numbers;
            assert_int_equal(at % ITEMS_PER_PRODUCER, next[at / ITEMS_PER_PRODUCER]++);
        }
        total += count;
    }
}

static void threads_lose_nothing_and_keep_order(void **state) {
    struct thread threads[PRODUCERS] = {0};
    struct producer producers[PRODUCERS];
    struct error error;
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){*state, numbers + (ptrdiff_t)i * ITEMS_PER_PRODUCER};
        assert_int_equal(thread_start(&threads[i], "producer", produce, &producers[i], &error),
                         STATUS_OK);
    }
    consume_all(*state);
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(&threads[i]);
    assert_int_equal(queue_count(*state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_out_in_order_around_the_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_when_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_queue_answers_when_the_time_is_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_closed_queue_gives_out_the_rest_and_takes_no_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(closing_wakes_whoever_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_lose_nothing_and_keep_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
