#include "base/timestamp.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HTTP_DATE_BYTES_MAX 64

void timestamp_format(int64_t unix_ms, char text[TIMESTAMP_BYTES]) {
    check(text != NULL);
    int64_t milliseconds = unix_ms % 1000 < 0 ? unix_ms % 1000 + 1000 : unix_ms % 1000;
    time_t seconds = (time_t)(unix_ms / 1000 - (unix_ms % 1000 < 0));
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year > 9999 - 1900)
        parts = (struct tm){.tm_year = 9999 - 1900, .tm_mon = 11, .tm_mday = 31};
    if (parts.tm_year < -1900)
        parts = (struct tm){.tm_year = -1900, .tm_mday = 1};
    /* strftime writes a year before 1000 without its zeros. */
    size_t length = (size_t)snprintf(text, TIMESTAMP_BYTES, "%04d", parts.tm_year + 1900);
    length += strftime(text + length, TIMESTAMP_BYTES - length, "-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, TIMESTAMP_BYTES - length, ".%03dZ", (int)milliseconds);
}

bool timestamp_parse(struct text view, int64_t *unix_ms) {
    char copy[TIMESTAMP_BYTES];
    struct tm parts = {0};
    int64_t milliseconds = 0;
    if (view.len != sizeof "2026-01-31T09:30:00.250Z" - 1 || view.data[view.len - 1] != 'Z')
        return false;
    memcpy(copy, view.data, view.len);
    copy[view.len] = '\0';
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &parts);
    if (end != copy + 19 || *end != '.' ||
        !text_to_int64((struct text){end + 1, 3}, &milliseconds) || milliseconds < 0)
        return false;
    *unix_ms = (int64_t)timegm(&parts) * 1000 + milliseconds;
    return true;
}

bool timestamp_from_http_date(struct text view, int64_t *unix_ms) {
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    char copy[HTTP_DATE_BYTES_MAX];
    view = text_trim(view);
    if (view.len == 0 || view.len >= sizeof copy)
        return false;
    memcpy(copy, view.data, view.len);
    copy[view.len] = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = {0};
        const char *end = strptime(copy, forms[i], &parts);
        if (end == NULL || *end != '\0')
            continue;
        *unix_ms = (int64_t)timegm(&parts) * 1000;
        return true;
    }
    return false;
}
