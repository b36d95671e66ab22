#include "message/segments.h"

#include "base/check.h"

#include <string.h>

/* What the alphabet of GSM 7-bit has of ASCII's printable characters, and beyond ASCII. */
static const char not_in_alphabet[] = "[\\]^`{|}~";
static const char in_extension[] = "[\\]^{|}~\f";
static const char beyond_ascii[] = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
#define EURO "€"

/* The character at the beginning; a single byte where that is no UTF-8. */
static struct text first_character(struct text rest) {
    size_t len = text_utf8_length(rest);
    return (struct text){rest.data, len > 0 ? len : 1};
}

static bool is_in_list(struct text character, const char *list) {
    for (struct text rest = text_of(list); rest.len > 0;) {
        struct text one = first_character(rest);
        if (text_equal(one, character))
            return true;
        rest = (struct text){rest.data + one.len, rest.len - one.len};
    }
    return false;
}

/* How many septets it takes; 0: it has no place there. */
static int64_t septets_of(struct text character) {
    char byte = character.data[0];
    bool ascii = character.len == 1 && (unsigned char)byte < 0x80;
    if (ascii && byte != '\0' && strchr(in_extension, byte) != NULL)
        return 2;
    if (ascii)
        return byte == '\n' || byte == '\r' ||
               (byte >= ' ' && byte <= '~' && strchr(not_in_alphabet, byte) == NULL);
    if (text_equal_string(character, EURO))
        return 2;
    return is_in_list(character, beyond_ascii);
}

/* Beyond the Basic Multilingual Plane, which is where four bytes of UTF-8 are, it takes a pair. */
static int64_t utf16_units_of(struct text character) {
    return character.len == 4 ? 2 : 1;
}

static bool fits_gsm7(struct text content) {
    while (content.len > 0) {
        struct text character = first_character(content);
        if (septets_of(character) == 0)
            return false;
        content = (struct text){content.data + character.len, content.len - character.len};
    }
    return true;
}

struct sms_size sms_measure(struct text content) {
    struct sms_size size = {.encoding = fits_gsm7(content) ? SMS_GSM7 : SMS_UCS2};
    bool gsm7 = size.encoding == SMS_GSM7;
    int64_t part_max = gsm7 ? SMS_GSM7_PART : SMS_UCS2_PART;
    int64_t parts = 1, in_part = 0;
    while (content.len > 0) {
        struct text character = first_character(content);
        int64_t units = gsm7 ? septets_of(character) : utf16_units_of(character);
        if (in_part + units > part_max) {
            parts++;
            in_part = 0;
        }
        in_part += units;
        size.units += units;
        content = (struct text){content.data + character.len, content.len - character.len};
    }
    size.segments = size.units <= (gsm7 ? SMS_GSM7_ALONE : SMS_UCS2_ALONE) ? 1 : parts;
    return size;
}

const char *sms_encoding_name(enum sms_encoding encoding) {
    check(encoding == SMS_GSM7 || encoding == SMS_UCS2);
    return encoding == SMS_GSM7 ? "gsm-7" : "ucs-2";
}
