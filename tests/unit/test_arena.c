#include "support/test.h"

#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

static void gives_zeroed_aligned_memory(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    static const char zeros[300];
    for (size_t bytes = 1; bytes < sizeof zeros; bytes += 7) {
        char *memory = arena_alloc(&arena, bytes);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        assert_memory_equal(memory, zeros, bytes);
        memset(memory, 'x', bytes); /* none of it may show up in a later piece */
    }
    arena_deinit(&arena);
}

static void pieces_outlive_new_blocks(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct text first = arena_copy(&arena, TEXT_LITERAL("first"));
    assert_non_null(arena_alloc(&arena, 100000));
    assert_non_null(arena_alloc(&arena, 300000));
    assert_text(first, "first");
    arena_deinit(&arena);
}

static void stops_at_the_maximum_and_goes_on_with_less(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 60));
    assert_null(arena_alloc(&arena, 41));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 40));
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_copy(&arena, TEXT_LITERAL("x")).data);
    arena_deinit(&arena);
}

static void copies_are_terminated(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    struct text copy = arena_copy(&arena, (struct text){"abcdef", 3});
    assert_string_equal(copy.data, "abc");
    assert_int_equal(copy.len, 3);
    struct text empty = arena_copy(&arena, text_of(NULL));
    assert_string_equal(empty.data, "");
    arena_deinit(&arena);
}

static void can_be_used_again_after_deinit(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 50);
    assert_non_null(arena_alloc(&arena, 50));
    arena_deinit(&arena);
    assert_non_null(arena_alloc(&arena, 50));
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(pieces_outlive_new_blocks),
        cmocka_unit_test(stops_at_the_maximum_and_goes_on_with_less),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(can_be_used_again_after_deinit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
