#include "base/error.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status error_set(struct error *error, enum status status, const char *format, ...) {
    check(error != NULL && status != STATUS_OK);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

enum status error_wrap(struct error *error, const char *format, ...) {
    check(error != NULL && error->status != STATUS_OK);
    char inner[ERROR_TEXT_BYTES_MAX];
    memcpy(inner, error->text, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof error->text)
        snprintf(error->text + length, sizeof error->text - (size_t)length, ": %.*s",
                 (int)(sizeof error->text - (size_t)length), inner);
    return error->status;
}

const char *status_name(enum status status) {
    static const char *const names[] = {
        [STATUS_OK] = "ok",
        [STATUS_INVALID] = "invalid",
        [STATUS_NOT_FOUND] = "not_found",
        [STATUS_CONFLICT] = "conflict",
        [STATUS_FULL] = "full",
        [STATUS_UNAVAILABLE] = "unavailable",
        [STATUS_TIMEOUT] = "timeout",
        [STATUS_CLOSED] = "closed",
        [STATUS_BROKEN] = "broken",
    };
    check((size_t)status < sizeof names / sizeof names[0]);
    return names[status];
}
