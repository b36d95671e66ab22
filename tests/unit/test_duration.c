#include "support/test.h"

#include "base/duration.h"

static void writes_as_go_does(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {-5, "0s"},
        {1, "1ms"},
        {999, "999ms"},
        {1000, "1s"},
        {1500, "1.5s"},
        {1050, "1.05s"},
        {1001, "1.001s"},
        {60000, "1m0s"},
        {90000, "1m30s"},
        {3600000, "1h0m0s"},
        {5400000, "1h30m0s"},
        {3661500, "1h1m1.5s"},
        {360000000, "100h0m0s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer text;
        buffer_init(&text, 64);
        duration_write_go(&text, cases[i].ms);
        assert_string_equal(buffer_view(&text).data, cases[i].text);
        buffer_deinit(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_as_go_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
