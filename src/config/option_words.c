#include "config/option_value.h"

#include "base/check.h"

#include <string.h>
#include <strings.h>

#define GIVEN_BYTES_MAX 80

void option_write_choices(struct buffer *buffer, const struct option_spec *spec) {
    struct text rest = text_of(spec->allowed);
    const char *separator = "";
    while (rest.data != NULL) {
        struct text choice = text_cut(&rest, '|');
        buffer_printf(buffer, "%s%.*s", separator, TEXT_ARGUMENT(choice));
        separator = ", ";
    }
}

void option_write_allowed(struct buffer *buffer, const struct option_spec *spec) {
    switch (spec->type) {
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_SECRET:
        buffer_printf(buffer, "text of at most %lld bytes (UTF-8, no NUL)",
                      (long long)spec->maximum);
        return;
    case OPTION_TYPE_CHOICE:
        buffer_append_string(buffer, "one of: ");
        option_write_choices(buffer, spec);
        return;
    case OPTION_TYPE_INTEGER:
        buffer_printf(buffer, "a whole number from %lld to %lld", (long long)spec->minimum,
                      (long long)spec->maximum);
        return;
    case OPTION_TYPE_DURATION:
        buffer_append_string(buffer, "a duration from ");
        option_write_duration(buffer, spec->minimum);
        buffer_append_string(buffer, " to ");
        option_write_duration(buffer, spec->maximum);
        buffer_append_string(buffer, " (like 2m, 30s, 500ms; a bare number is seconds)");
        return;
    case OPTION_TYPE_BOOLEAN:
        buffer_append_string(buffer, "true or false (or 1, 0, yes, no, on, off)");
        return;
    }
    check(!"an option type");
}

void option_write_duration(struct buffer *buffer, int64_t duration_ms) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}};
    check(duration_ms >= 0);
    if (duration_ms == 0)
        buffer_append_byte(buffer, '0');
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (duration_ms >= units[i].ms)
            buffer_printf(buffer, "%lld%s", (long long)(duration_ms / units[i].ms), units[i].name);
        duration_ms %= units[i].ms;
    }
}

/* Whether `authority` (what stands between "://" and the path) has something after a colon that
 * is no port: then a slash in an unescaped password has cut it short. */
static bool has_odd_port(struct text authority) {
    const char *end = authority.data + authority.len;
    const char *from = authority.data;
    if (authority.len > 0 && *from == '[') {
        const char *bracket = memchr(from, ']', authority.len);
        from = bracket != NULL ? bracket : from;
    }
    const char *colon = memchr(from, ':', (size_t)(end - from));
    if (colon == NULL)
        return false;
    for (const char *c = colon + 1; c < end; c++)
        if (*c < '0' || *c > '9')
            return true;
    return false;
}

/* Where user, password and host begin: after "scheme://", or after "http:" that lacks slashes. */
static size_t authority_start(struct text text) {
    const char *mark = memmem(text.data, text.len, "://", 3);
    if (mark == NULL && text.len > 4 && strncasecmp(text.data, "http", 4) == 0)
        mark = memchr(text.data, ':', text.len);
    if (mark == NULL)
        return 0;
    size_t start = (size_t)(mark - text.data) + 1;
    while (start < text.len && text.data[start] == '/')
        start++;
    return start;
}

/* "…?password=…&…": libpq takes one there as well. */
static void write_without_password(struct buffer *buffer, struct text text) {
    static const char key[] = "password=";
    const char *mark = text.len > 0 ? memmem(text.data, text.len, key, sizeof key - 1) : NULL;
    if (mark == NULL || mark == text.data || strchr("?&", mark[-1]) == NULL) {
        buffer_append(buffer, text);
        return;
    }
    size_t start = (size_t)(mark - text.data) + sizeof key - 1, end = start;
    while (end < text.len && text.data[end] != '&')
        end++;
    buffer_append(buffer, (struct text){text.data, start});
    buffer_append_string(buffer, "******");
    buffer_append(buffer, (struct text){text.data + end, text.len - end});
}

void option_write_without_credentials(struct buffer *buffer, struct text text) {
    size_t start = authority_start(text);
    struct text rest = {text.data + start, text.len - start};
    struct text authority = {rest.data, 0};
    while (authority.len < rest.len && strchr("/?#", rest.data[authority.len]) == NULL)
        authority.len++;
    const char *at = memrchr(rest.data, '@', rest.len);
    bool has_user = start > 0 && memchr(authority.data, '@', authority.len) != NULL;
    if (at == NULL || !(has_user || has_odd_port(authority))) {
        write_without_password(buffer, text);
        return;
    }
    buffer_append(buffer, (struct text){text.data, start});
    buffer_append_string(buffer, "******");
    write_without_password(buffer, (struct text){at, (size_t)(rest.data + rest.len - at)});
}

void option_write_escaped(struct buffer *buffer, struct text text) {
    struct text part = text_utf8_prefix(text, GIVEN_BYTES_MAX);
    bool valid = text_utf8_count(part) >= 0;
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.data[i];
        if (c < ' ' || c == 0x7F || (c >= 0x80 && !valid))
            buffer_printf(buffer, "\\x%02X", c);
        else
            buffer_append_byte(buffer, (char)c);
    }
    buffer_append_string(buffer, part.len < text.len ? "…" : "");
}

void option_write_given(struct buffer *buffer, const struct option_spec *spec, struct text text) {
    if (spec->type == OPTION_TYPE_SECRET) {
        buffer_append_string(buffer, "its value");
        return;
    }
    struct buffer shown;
    buffer_init(&shown, text.len + 16);
    option_write_without_credentials(&shown, text);
    buffer_append_byte(buffer, '"');
    option_write_escaped(buffer, buffer_view(&shown));
    buffer_append_byte(buffer, '"');
    buffer_deinit(&shown);
}
