#include "message/phone.h"

#include <string.h>

#define PHONE_DIGITS_MIN 2
#define PHONE_DIGITS_MAX 15

const char *phone_fault(struct text recipient) {
    if (recipient.len == 0)
        return "is empty; give a number like +15551234567";
    if (recipient.data[0] != '+')
        return "must begin with + and the country code, like +15551234567";
    for (size_t i = 1; i < recipient.len; i++)
        if (recipient.data[i] < '0' || recipient.data[i] > '9')
            return "must have only digits after the +, like +15551234567";
    size_t digits = recipient.len - 1;
    if (digits < PHONE_DIGITS_MIN || digits > PHONE_DIGITS_MAX)
        return "must have 2 to 15 digits after the +, like +15551234567";
    return recipient.data[1] == '0' ? "must not begin with +0; country codes begin with 1 to 9"
                                    : NULL;
}

/* Within a number only: one neither begins nor ends with these, brackets aside. */
static bool is_ornament(char c, bool first, bool last) {
    return c == '(' || c == ')' || (!first && !last && (c == ' ' || c == '-' || c == '.'));
}

bool phone_normalise(struct text written, char number[PHONE_NORMAL_BYTES]) {
    size_t len = 0;
    if (written.len > PHONE_WRITTEN_BYTES_MAX || memchr(written.data, '\0', written.len) != NULL)
        return false;
    if (text_starts_with(written, "00")) {
        number[len++] = '+';
        written = (struct text){written.data + 2, written.len - 2};
    }
    for (size_t i = 0; i < written.len; i++)
        if (!is_ornament(written.data[i], len == 0, i + 1 == written.len))
            number[len++] = written.data[i];
    number[len] = '\0';
    return true;
}

const char *phone_written_fault(struct text recipient) {
    size_t digits = 0;
    for (size_t i = 0; i < recipient.len; i++) {
        char c = recipient.data[i];
        bool is_digit = c >= '0' && c <= '9';
        digits += is_digit;
        if (!is_digit && (c == '\0' || strchr(i == 0 ? "+ (" : " -.()", c) == NULL))
            return "is no telephone number, like +15551234567";
    }
    if (recipient.len == 0)
        return "is empty; give a number like +15551234567";
    return digits >= PHONE_WRITTEN_DIGITS_MIN && digits <= PHONE_WRITTEN_DIGITS_MAX
               ? NULL
               : "must have 2 to 20 digits, like +15551234567";
}
