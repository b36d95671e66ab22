#include "support/test.h"

#include "base/crypto.h"

#include <string.h>

static void hashes_what_the_standard_says(void **state) {
    (void)state;
    char hex[SHA256_HEX_BYTES];
    sha256_hex(TEXT_LITERAL("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex(text_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void nothing_has_a_hash_too(void **state) {
    (void)state;
    char hex[SHA256_HEX_BYTES];
    sha256_hex((struct text){0}, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void the_hash_and_its_digits_agree(void **state) {
    (void)state;
    unsigned char made[SHA256_BYTES], read[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    struct text data = TEXT_LITERAL("a\0b");
    sha256(data, made);
    sha256_hex(data, hex);
    assert_true(sha256_from_hex(text_of(hex), read));
    assert_memory_equal(made, read, SHA256_BYTES);
    for (char *c = hex; *c != '\0'; c++)
        if (*c >= 'a')
            *c = (char)(*c - 'a' + 'A');
    memset(read, 0, sizeof read);
    assert_true(sha256_from_hex(text_of(hex), read));
    assert_memory_equal(made, read, SHA256_BYTES);
}

static void other_digits_are_refused(void **state) {
    (void)state;
    char hex[SHA256_HEX_BYTES];
    unsigned char digest[SHA256_BYTES];
    sha256_hex(TEXT_LITERAL("abc"), hex);
    assert_false(sha256_from_hex((struct text){hex, SHA256_HEX_BYTES - 2}, digest));
    assert_false(sha256_from_hex((struct text){hex, SHA256_HEX_BYTES}, digest));
    assert_false(sha256_from_hex((struct text){0}, digest));
    for (const char *bad = "/:@G`g \n"; *bad != '\0'; bad++) {
        sha256_hex(TEXT_LITERAL("abc"), hex);
        hex[63] = *bad;
        assert_false(sha256_from_hex(text_of(hex), digest));
    }
}

static void every_byte_is_compared(void **state) {
    (void)state;
    unsigned char a[SHA256_BYTES] = {0}, b[SHA256_BYTES] = {0};
    assert_true(bytes_equal_constant_time(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 128;
        assert_false(bytes_equal_constant_time(a, b, sizeof a));
        assert_true(bytes_equal_constant_time(a, b, i));
        b[i] = 0;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_what_the_standard_says), cmocka_unit_test(nothing_has_a_hash_too),
        cmocka_unit_test(the_hash_and_its_digits_agree), cmocka_unit_test(other_digits_are_refused),
        cmocka_unit_test(every_byte_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
