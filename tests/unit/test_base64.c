#include "support/test.h"

#include "base/base64.h"

#include <string.h>

#define BYTES_MAX 4096

static void the_vectors_of_rfc_4648(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct buffer encoded, decoded;
        buffer_init(&encoded, BYTES_MAX);
        buffer_init(&decoded, BYTES_MAX);
        assert_true(base64_encode(&encoded, text_of(pairs[i][0])));
        assert_text(buffer_view(&encoded), pairs[i][1]);
        assert_true(base64_decode(&decoded, text_of(pairs[i][1])));
        assert_text(buffer_view(&decoded), pairs[i][0]);
        buffer_deinit(&encoded);
        buffer_deinit(&decoded);
    }
}

static void all_bytes_come_back(void **state) {
    (void)state;
    char bytes[256];
    struct buffer encoded, decoded;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    buffer_init(&encoded, BYTES_MAX);
    buffer_init(&decoded, BYTES_MAX);
    assert_true(base64_encode(&encoded, (struct text){bytes, sizeof bytes}));
    assert_true(base64_decode(&decoded, buffer_view(&encoded)));
    assert_int_equal(decoded.len, sizeof bytes);
    assert_memory_equal(decoded.data, bytes, sizeof bytes);
    buffer_deinit(&encoded);
    buffer_deinit(&decoded);
}

static void what_is_not_strict_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"Z",     "Zg",       "Zg=",  "Zh==", "Zm9=",      "Zm9v\n",
                                      "Zm 9v", "Zg==Zg==", "====", "Z===", "Zm9vYg=\n", "Zm-_"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer decoded;
        buffer_init(&decoded, BYTES_MAX);
        assert_false(base64_decode(&decoded, text_of(bad[i])));
        buffer_deinit(&decoded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(what_is_not_strict_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
