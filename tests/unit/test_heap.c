#include "support/test.h"

#include "base/heap.h"
#include "base/random.h"

#include <stdlib.h>

#define MANY 1000

static bool before(const void *a, const void *b) {
    return *(const int *)a < *(const int *)b;
}

static int set_up(void **state) {
    static struct heap heap;
    heap_init(&heap, before);
    *state = &heap;
    return 0;
}

static int tear_down(void **state) {
    heap_deinit(*state);
    return 0;
}

static void an_empty_one_gives_nothing(void **state) {
    assert_null(heap_first(*state));
    assert_null(heap_pop(*state));
}

static void the_smallest_comes_first(void **state) {
    struct heap *heap = *state;
    int numbers[] = {5, 1, 4, 1, 3};
    for (size_t i = 0; i < 5; i++)
        heap_push(heap, &numbers[i]);
    assert_int_equal(*(int *)heap_first(heap), 1);
    assert_int_equal(heap->count, 5);
    static const int sorted[] = {1, 1, 3, 4, 5};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(*(int *)heap_pop(heap), sorted[i]);
    assert_int_equal(heap->count, 0);
}

static void it_can_be_used_again_after_deinit(void **state) {
    struct heap *heap = *state;
    int number = 7;
    heap_push(heap, &number);
    heap_deinit(heap);
    assert_null(heap_pop(heap));
    heap_push(heap, &number);
    assert_ptr_equal(heap_pop(heap), &number);
}

/* Of what was pushed and not popped, always the smallest comes: the rest is kept in `present`. */
static void any_order_of_pushes_and_pops_is_right(void **state) {
    struct heap *heap = *state;
    struct random random = random_from_seed(11);
    int numbers[MANY], present[MANY] = {0};
    for (int i = 0; i < MANY; i++)
        numbers[i] = i;
    for (int step = 0; step < 20 * MANY; step++) {
        int *number = &numbers[random_below(&random, MANY)];
        if (random_below(&random, 2) == 0) {
            heap_push(heap, number);
            present[*number]++;
            continue;
        }
        const int *popped = heap_pop(heap);
        int smallest = 0;
        while (smallest < MANY && present[smallest] == 0)
            smallest++;
        assert_int_equal(popped != NULL ? *popped : MANY, smallest);
        if (popped != NULL)
            present[smallest]--;
    }
}

static void what_is_removed_does_not_come(void **state) {
    struct heap *heap = *state;
    struct random random = random_from_seed(12);
    int numbers[MANY];
    for (int i = 0; i < MANY; i++) {
        numbers[i] = (int)random_below(&random, MANY);
        heap_push(heap, &numbers[i]);
    }
    for (int i = 0; i < MANY; i += 3)
        assert_true(heap_remove(heap, &numbers[i]));
    assert_false(heap_remove(heap, &numbers[0]));
    int before = -1, left = 0;
    for (const int *popped; (popped = heap_pop(heap)) != NULL; left++) {
        assert_true(*popped >= before);
        assert_int_not_equal((popped - numbers) % 3, 0);
        before = *popped;
    }
    assert_int_equal(left, MANY - (MANY + 2) / 3);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_one_gives_nothing),        TEST(the_smallest_comes_first),
        TEST(it_can_be_used_again_after_deinit), TEST(any_order_of_pushes_and_pops_is_right),
        TEST(what_is_removed_does_not_come),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
