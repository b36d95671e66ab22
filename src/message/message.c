#include "message/message.h"

#include "base/check.h"
#include "message/phone.h"

#include <stdarg.h>
#include <stdio.h>

bool message_id_to_number(struct text id, int64_t *number) {
    bool leads_with_digit = id.len > 0 && id.data[0] >= '1' && id.data[0] <= '9';
    return leads_with_digit && text_to_int64(id, number);
}

__attribute__((format(printf, 3, 4))) static bool
refuse(struct message_fault *fault, const char *field, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    fault->field = field;
    return false;
}

static bool content_is_valid(struct text content, int64_t content_max,
                             struct message_fault *fault) {
    check(content_max > 0);
    if (content.data == NULL || content.len > MESSAGE_CONTENT_BYTES_MAX)
        return refuse(fault, "content", "takes more than the %d bytes allowed",
                      MESSAGE_CONTENT_BYTES_MAX);
    int64_t characters = text_utf8_count(content);
    if (characters < 0)
        return refuse(fault, "content", "is not valid UTF-8");
    if (text_trim(content).len == 0)
        return refuse(fault, "content", "is empty");
    if (characters > content_max)
        return refuse(fault, "content", "has %lld characters; at most %lld are allowed",
                      (long long)characters, (long long)content_max);
    return true;
}

bool message_is_valid(struct text recipient, struct text content, int64_t content_max,
                      struct message_fault *fault) {
    check(fault != NULL);
    const char *phone = phone_fault(recipient);
    return phone != NULL ? refuse(fault, "recipient", "%s", phone)
                         : content_is_valid(content, content_max, fault);
}

bool message_is_deliverable(struct text recipient, struct text content, int64_t content_max,
                            struct message_fault *fault) {
    check(fault != NULL);
    const char *phone = phone_written_fault(recipient);
    return phone != NULL ? refuse(fault, "recipient", "%s", phone)
                         : content_is_valid(content, content_max, fault);
}
