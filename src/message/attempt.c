#include "message/attempt.h"

#include "base/check.h"

#include <string.h>

static const char *const names[ATTEMPT_CLASSES] = {
    [ATTEMPT_ACCEPTED] = "accepted",
    [ATTEMPT_DNS] = "dns",
    [ATTEMPT_REFUSED] = "refused",
    [ATTEMPT_RESET] = "reset",
    [ATTEMPT_CONNECT_TIMEOUT] = "connect_timeout",
    [ATTEMPT_READ_TIMEOUT] = "read_timeout",
    [ATTEMPT_TLS] = "tls",
    [ATTEMPT_BODY_LIMIT] = "body_limit",
    [ATTEMPT_HTTP_3XX] = "http_3xx",
    [ATTEMPT_HTTP_4XX] = "http_4xx",
    [ATTEMPT_HTTP_5XX] = "http_5xx",
    [ATTEMPT_INVALID] = "invalid",
    [ATTEMPT_EXPIRED] = "expired",
    [ATTEMPT_LEASE_EXPIRED] = "lease_expired",
    [ATTEMPT_ABORTED] = "aborted",
};

const char *attempt_class_name(enum attempt_class class) {
    check((size_t) class < ATTEMPT_CLASSES);
    return names[class];
}

bool attempt_class_from_name(struct text name, enum attempt_class *class) {
    for (size_t i = 0; i < ATTEMPT_CLASSES; i++)
        if (text_equal_string(name, names[i])) {
            *class = (enum attempt_class)i;
            return true;
        }
    return false;
}

void attempt_set_excerpt(struct attempt *attempt, struct text source) {
    struct text kept = text_utf8_prefix(text_trim(source), ATTEMPT_EXCERPT_BYTES_MAX);
    for (size_t i = 0; i < kept.len;) {
        struct text rest = {kept.data + i, kept.len - i};
        size_t length = text_utf8_length(rest);
        if (length == 0 || rest.data[0] == '\0') {
            attempt->excerpt[i++] = '?';
            continue;
        }
        memcpy(attempt->excerpt + i, rest.data, length);
        i += length;
    }
    attempt->excerpt[kept.len] = '\0';
}
