#include "base/memory.h"

#include "base/check.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *pointer) {
    if (pointer == NULL) {
        fputs("posthaste: out of memory; raise the limit or lower MAX_IN_FLIGHT\n", stderr);
        abort();
    }
    return pointer;
}

void *memory_zeroed(size_t count, size_t size) {
    return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *pointer, size_t count, size_t size) {
    check(size > 0 && count > 0 && count <= SIZE_MAX / size);
    return or_die(realloc(pointer, count * size));
}

char *memory_copy_string(const char *string) {
    check(string != NULL);
    return or_die(strdup(string));
}
