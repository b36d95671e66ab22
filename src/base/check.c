#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line, const char *function) {
    fprintf(stderr, "posthaste: bug: %s is false in %s (%s:%d); please report this line\n",
            condition, function, file, line);
    abort();
}
