#include "support/test.h"

#include "base/buffer.h"
#include "message/segments.h"

#define TEXT_BYTES_MAX 65536

static void assert_size(const char *content, enum sms_encoding encoding, int64_t units,
                        int64_t segments) {
    struct sms_size size = sms_measure(text_of(content));
    assert_string_equal(sms_encoding_name(size.encoding), sms_encoding_name(encoding));
    assert_int_equal(size.units, units);
    assert_int_equal(size.segments, segments);
}

/* `count` times `piece`, and `end`. */
static void assert_repeated(const char *piece, size_t count, const char *end, int64_t segments) {
    struct buffer content;
    buffer_init(&content, TEXT_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        buffer_append_string(&content, piece);
    buffer_append_string(&content, end);
    assert_int_equal(sms_measure(buffer_view(&content)).segments, segments);
    buffer_deinit(&content);
}

static void the_alphabet(void **state) {
    (void)state;
    assert_size("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡", SMS_GSM7, 64,
                1);
    assert_size("ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà", SMS_GSM7, 63, 1);
    assert_size("^{}\\[~]|€\f", SMS_GSM7, 20, 1);
    assert_size("", SMS_GSM7, 0, 1);
}

static void what_is_not_in_it(void **state) {
    (void)state;
    static const char *const others[] = {"ç", "á", "í", "ó", "ú",  "ê", "â", "ı", "ş",
                                         "ğ", "`", "“", "’", "\t", "–", "…", "İ", "日"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_size(others[i], SMS_UCS2, 1, 1);
    assert_size("\xF0\x9F\x98\x80", SMS_UCS2, 2, 1);
    assert_size("a\xFF\xFE", SMS_UCS2, 3, 1);
}

static void long_texts_have_parts(void **state) {
    (void)state;
    assert_repeated("a", 160, "", 1);
    assert_repeated("a", 161, "", 2);
    assert_repeated("a", 306, "", 2);
    assert_repeated("a", 307, "", 3);
    assert_repeated("ş", 70, "", 1);
    assert_repeated("ş", 71, "", 2);
    assert_repeated("ş", 134, "", 2);
    assert_repeated("ş", 135, "", 3);
}

/* A character of two units that no longer fits goes into the next part, and leaves a unit unused.
 */
static void no_character_is_divided(void **state) {
    (void)state;
    assert_repeated("a", 159, "€", 2);
    assert_repeated("€", 80, "", 1);
    assert_repeated("€", 152, "", 2);
    assert_repeated("€", 153, "", 3);
    assert_repeated("ş", 69, "\xF0\x9F\x98\x80", 2);
    assert_repeated("\xF0\x9F\x98\x80", 66, "", 2);
    assert_repeated("\xF0\x9F\x98\x80", 67, "", 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_alphabet),
        cmocka_unit_test(what_is_not_in_it),
        cmocka_unit_test(long_texts_have_parts),
        cmocka_unit_test(no_character_is_divided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
