#include "support/test.h"

#include "api/keys.h"
#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#define SECRET_A "0123456789abcdef"
#define SECRET_B "fedcba9876543210:x"

static struct key_ring *ring_of(const char *list, const char *file) {
    struct key_ring *ring = NULL;
    struct error error;
    if (key_ring_create(&ring, list, text_of(file), &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return ring;
}

static void assert_refused(const char *list, const char *file, const char *expected) {
    struct key_ring *ring = NULL;
    struct error error;
    if (key_ring_create(&ring, list, text_of(file), &error) != STATUS_INVALID)
        fail_msg("\"%s\" and \"%s\" were taken", list, file);
    assert_null(ring);
    if (strstr(error.text, expected) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, expected);
    assert_null(strstr(error.text, "hunter2"));
}

static void nothing_given_is_an_empty_ring(void **state) {
    (void)state;
    static const char *const lists[] = {NULL, "", " \n"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct key_ring *ring = ring_of(lists[i], "\n # nobody yet\n\n");
        assert_true(key_ring_is_empty(ring));
        assert_null(key_ring_find(ring, text_of(SECRET_A)));
        key_ring_destroy(ring);
    }
    key_ring_destroy(NULL);
}

static void keys_are_found_by_their_secret(void **state) {
    (void)state;
    struct key_ring *ring = ring_of(" shop:send+read:" SECRET_A " , ops:admin:" SECRET_B, NULL);
    assert_false(key_ring_is_empty(ring));
    assert_string_equal(key_ring_find(ring, text_of(SECRET_A))->name, "shop");
    assert_string_equal(key_ring_find(ring, text_of(SECRET_B))->name, "ops");
    assert_null(key_ring_find(ring, text_of(SECRET_A "0")));
    assert_null(key_ring_find(ring, (struct text){SECRET_A, sizeof SECRET_A - 2}));
    assert_null(key_ring_find(ring, text_of("0123456789ABCDEF")));
    assert_null(key_ring_find(ring, (struct text){0}));
    key_ring_destroy(ring);
}

static void a_file_has_one_on_each_line(void **state) {
    (void)state;
    struct key_ring *ring = ring_of("a:read:" SECRET_A, "# the shop\r\n\r\n"
                                                        "  b.c-d_E:send:" SECRET_B " \r\n"
                                                        "\t# ops\n"
                                                        "c:control:aaaaaaaaaaaaaaaa");
    assert_string_equal(key_ring_find(ring, text_of(SECRET_A))->name, "a");
    assert_string_equal(key_ring_find(ring, text_of(SECRET_B))->name, "b.c-d_E");
    assert_string_equal(key_ring_find(ring, text_of("aaaaaaaaaaaaaaaa"))->name, "c");
    key_ring_destroy(ring);
}

static void a_hash_stands_for_its_secret(void **state) {
    (void)state;
    /* of "abc" and of nothing */
    struct key_ring *ring =
        ring_of("a:read:sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad,"
                "b:admin:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                NULL);
    assert_string_equal(key_ring_find(ring, text_of("abc"))->name, "a");
    assert_null(key_ring_find(ring, text_of("")));
    assert_null(key_ring_find(ring, text_of("sha256:ba7816bf8f01cfea414140de5dae2223"
                                            "b00361a396177a9cb410ff61f20015ad")));
    key_ring_destroy(ring);
}

static void rights_are_what_the_key_says(void **state) {
    (void)state;
    struct key_ring *ring = ring_of("a:send+read:" SECRET_A ",b:admin:" SECRET_B, NULL);
    const struct key *a = key_ring_find(ring, text_of(SECRET_A));
    assert_true(key_has_right(a, RIGHT_NONE));
    assert_true(key_has_right(a, RIGHT_READ));
    assert_true(key_has_right(a, RIGHT_SEND));
    assert_false(key_has_right(a, RIGHT_CONTROL));
    assert_false(key_has_right(a, RIGHT_ADMIN));
    const struct key *b = key_ring_find(ring, text_of(SECRET_B));
    for (enum right right = RIGHT_NONE; right <= RIGHT_ADMIN; right++) {
        assert_true(key_has_right(b, right));
        assert_int_equal(key_has_right(NULL, right), right == RIGHT_NONE);
    }
    key_ring_destroy(ring);
    assert_string_equal(right_name(RIGHT_NONE), "none");
    assert_string_equal(right_name(RIGHT_ADMIN), "admin");
}

static void errors_say_where(void **state) {
    (void)state;
    assert_refused("a:read:" SECRET_A ",b:read:hunter2", NULL, "key 2: key b: its secret");
    assert_refused(NULL, "\n#\nb:read:hunter2", "key file line 3: key b: its secret");
    assert_refused("b:hunter2:read", NULL, "key 1: key b: its rights");
    assert_refused("b:read:" SECRET_A ",", NULL, "key 2: write it as name:rights:secret");
    assert_refused("hunter2", NULL, "key 1: write it as");
    assert_refused("hunter2:read", NULL, "key 1: write it as");
    assert_refused("hunter2/hunter2:read:" SECRET_A, NULL, "key 1: its name");
    assert_refused("hunter2hunter2hunter2:read:name", NULL, "key 1: its secret");
}

static void rights_are_known_words(void **state) {
    (void)state;
    static const char *const bad[] = {"", "none", "READ", "read+", "+read", "read send", "readx"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char list[64];
        snprintf(list, sizeof list, "a:%s:" SECRET_A, bad[i]);
        assert_refused(list, NULL, "its rights must be");
    }
}

static void names_and_secrets_have_bounds(void **state) {
    (void)state;
    char name[KEYS_NAME_BYTES_MAX + 2] = {0}, secret[KEYS_SECRET_BYTES_MAX + 2] = {0}, list[512];
    memset(name, 'n', KEYS_NAME_BYTES_MAX);
    memset(secret, '~', KEYS_SECRET_BYTES_MAX);
    snprintf(list, sizeof list, "%s:read:%s", name, secret);
    struct key_ring *ring = ring_of(list, NULL);
    assert_string_equal(key_ring_find(ring, text_of(secret))->name, name);
    key_ring_destroy(ring);
    snprintf(list, sizeof list, "%sn:read:%s", name, secret);
    assert_refused(list, NULL, "its name");
    snprintf(list, sizeof list, "%s:read:%s~", name, secret);
    assert_refused(list, NULL, "its secret");
    assert_refused(":read:" SECRET_A, NULL, "its name");
    assert_refused("a b:read:" SECRET_A, NULL, "its name");
    assert_refused("a:read:0123456789abcde", NULL, "its secret");
    assert_refused("a:read:01234567 89abcdef", NULL, "its secret");
    assert_refused("a:read:0123456789abcdef\x7f", NULL, "its secret");
    assert_refused("a:read:0123456789abcdef\xc3\xa4", NULL, "its secret");
    assert_refused(NULL, "a:read:" SECRET_A ",b:read:" SECRET_B, "its secret");
    assert_refused("a:read:sha256:0123456789abcdef", NULL, "its secret");
}

static void nothing_stands_twice(void **state) {
    (void)state;
    assert_refused("a:read:" SECRET_A, "a:read:" SECRET_B, "line 1: key a: another key has this");
    assert_refused("a:read:" SECRET_A ",b:send:" SECRET_A, NULL, "key b: another key has the same");
}

static void there_is_a_maximum(void **state) {
    (void)state;
    struct buffer file;
    buffer_init(&file, 1 << 20);
    for (int i = 0; i < KEYS_MAX; i++)
        assert_true(buffer_printf(&file, "k%d:read:0123456789%06d\n", i, i));
    struct key_ring *ring = ring_of(NULL, file.data);
    assert_string_equal(key_ring_find(ring, text_of("0123456789000000"))->name, "k0");
    assert_string_equal(key_ring_find(ring, text_of("0123456789000999"))->name, "k999");
    key_ring_destroy(ring);
    assert_refused("a:read:" SECRET_A, file.data, "line 1000: key k999: there are more than 1000");
    buffer_deinit(&file);
}

struct presented {
    const char *authorization, *x_api_key, *secret;
    bool malformed;
};

static void a_secret_comes_in_one_of_two_headers(void **state) {
    (void)state;
    static const struct presented cases[] = {
        {NULL, NULL, NULL, false},
        {"Bearer abc", NULL, "abc", false},
        {"bEARER   abc ", NULL, "abc", false},
        {"Bearer abc", "def", "abc", false},
        {NULL, " def ", "def", false},
        {"Basic YTpi", "def", "def", false},
        {NULL, "", NULL, false},
        {"", NULL, NULL, true},
        {"", "", NULL, true},
        {"Basic YTpi", NULL, NULL, true},
        {"Bearer", NULL, NULL, true},
        {"Bearer ", NULL, NULL, true},
        {"Bearerabc", NULL, NULL, true},
        {"abc", NULL, NULL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct presented *item = &cases[i];
        bool malformed = !item->malformed;
        struct text secret =
            key_presented(text_of(item->authorization), text_of(item->x_api_key), &malformed);
        assert_int_equal(malformed, item->malformed);
        if (item->secret == NULL)
            assert_null(secret.data);
        else
            assert_text(secret, item->secret);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_an_empty_ring),
        cmocka_unit_test(keys_are_found_by_their_secret),
        cmocka_unit_test(a_file_has_one_on_each_line),
        cmocka_unit_test(a_hash_stands_for_its_secret),
        cmocka_unit_test(rights_are_what_the_key_says),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(rights_are_known_words),
        cmocka_unit_test(names_and_secrets_have_bounds),
        cmocka_unit_test(nothing_stands_twice),
        cmocka_unit_test(there_is_a_maximum),
        cmocka_unit_test(a_secret_comes_in_one_of_two_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
