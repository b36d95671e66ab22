/* What every cmocka test includes first: cmocka.h and, in the order it asks for, what it needs. */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

/* Fails the test, showing both, when the view does not hold exactly the bytes of `expected`. */
void assert_text_at(struct text actual, const char *expected, const char *file, int line);
#define assert_text(actual, expected) assert_text_at((actual), (expected), __FILE__, __LINE__)

#endif
