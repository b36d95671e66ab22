#include "support/test.h"

#include "base/spool.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 1000
#define BUFFER_BYTES_MAX (64 * 1024 * 1024)

/* Writes `count` pieces that differ, and reads all back in parts of `part` bytes. */
static void write_and_read(size_t count, size_t part) {
    struct spool spool;
    struct buffer expected, found;
    struct error error;
    spool_init(&spool);
    buffer_init(&expected, BUFFER_BYTES_MAX);
    buffer_init(&found, BUFFER_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        char piece[PIECE];
        memset(piece, 'a' + (int)(i % 26), sizeof piece);
        struct text view = {piece, sizeof piece - i % 7};
        buffer_append(&expected, view);
        assert_int_equal(spool_write(&spool, view, &error), STATUS_OK);
    }
    size_t before = 1;
    for (size_t len = 0; len != before; len = found.len) {
        before = len;
        assert_int_equal(spool_read(&spool, &found, part, &error), STATUS_OK);
        assert_true(found.len - len <= part);
        if (found.len == len)
            break;
    }
    assert_true(text_equal(buffer_view(&expected), buffer_view(&found)));
    buffer_deinit(&expected);
    buffer_deinit(&found);
    spool_deinit(&spool);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    write_and_read(0, 10);
    write_and_read(3, 10);
    write_and_read(100, 100000);
    write_and_read(1000, 50000);
    write_and_read(3000, 333);
}

static void without_a_folder_it_is_full(void **state) {
    (void)state;
    struct spool spool;
    struct error error;
    char piece[SPOOL_MEMORY_BYTES] = "";
    const char *before = getenv("TMPDIR");
    char *kept = before != NULL ? strdup(before) : NULL;
    setenv("TMPDIR", "/nowhere", 1);
    spool_init(&spool);
    assert_int_equal(spool_write(&spool, (struct text){piece, sizeof piece}, &error), STATUS_FULL);
    assert_non_null(strstr(error.text, "TMPDIR"));
    spool_deinit(&spool);
    if (kept != NULL)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(without_a_folder_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
