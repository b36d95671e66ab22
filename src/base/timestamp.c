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

/* Exactly `digits` of them, taken off `rest`. */
static bool take_number(struct text *rest, size_t digits, int *value) {
    *value = 0;
    if (rest->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        *value = *value * 10 + (rest->data[i] - '0');
    }
    *rest = (struct text){rest->data + digits, rest->len - digits};
    return true;
}

static bool take_one_of(struct text *rest, const char *bytes) {
    if (rest->len == 0 || rest->data[0] == '\0' || strchr(bytes, rest->data[0]) == NULL)
        return false;
    *rest = (struct text){rest->data + 1, rest->len - 1};
    return true;
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct text *rest, struct tm *parts) {
    int year, month, day;
    if (!take_number(rest, 4, &year) || !take_one_of(rest, "-") || !take_number(rest, 2, &month) ||
        !take_one_of(rest, "-") || !take_number(rest, 2, &day))
        return false;
    parts->tm_year = year - 1900;
    parts->tm_mon = month - 1;
    parts->tm_mday = day;
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month);
}

static bool take_time(struct text *rest, struct tm *parts) {
    return take_number(rest, 2, &parts->tm_hour) && take_one_of(rest, ":") &&
           take_number(rest, 2, &parts->tm_min) && take_one_of(rest, ":") &&
           take_number(rest, 2, &parts->tm_sec) && parts->tm_hour <= 23 && parts->tm_min <= 59 &&
           parts->tm_sec <= 60;
}

static bool take_fraction(struct text *rest, int *milliseconds) {
    *milliseconds = 0;
    if (!take_one_of(rest, "."))
        return true;
    int digit;
    for (int weight = 100, count = 0;; weight /= 10, count++) {
        if (!take_number(rest, 1, &digit))
            return count > 0;
        *milliseconds += digit * weight;
    }
}

static bool take_zone(struct text *rest, int64_t *offset_s) {
    int hours, minutes;
    *offset_s = 0;
    if (take_one_of(rest, "Zz"))
        return true;
    int64_t sign = rest->len > 0 && rest->data[0] == '-' ? -1 : 1;
    if (!take_one_of(rest, "+-") || !take_number(rest, 2, &hours) || !take_one_of(rest, ":") ||
        !take_number(rest, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool timestamp_parse(struct text view, int64_t *unix_ms) {
    struct tm parts = {0};
    int milliseconds = 0;
    int64_t offset_s = 0;
    if (!take_date(&view, &parts) || !take_one_of(&view, "Tt ") || !take_time(&view, &parts) ||
        !take_fraction(&view, &milliseconds) || !take_zone(&view, &offset_s) || view.len > 0)
        return false;
    *unix_ms = ((int64_t)timegm(&parts) - offset_s) * 1000 + milliseconds;
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
