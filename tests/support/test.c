#include "support/test.h"

void assert_text_at(struct text actual, const char *expected, const char *file, int line) {
    if (text_equal_string(actual, expected))
        return;
    print_error("\"%.*s\" != \"%s\"\n", TEXT_ARGUMENT(actual), expected);
    _fail(file, line);
}
