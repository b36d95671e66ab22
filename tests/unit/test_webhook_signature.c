#include "support/test.h"

#include "sender/webhook_signature.h"

#include <string.h>

#define HEADER_BYTES_MAX 2048
/* Of the specification's reference libraries. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
/* RFC 8032, section 7.1, test 1: the seed, and its public key. */
#define SEED "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define PAIR                                                                                       \
    "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/"                               \
    "tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="

static const struct webhook_content content = {
    .id = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 28},
    .timestamp_s = 1614265330,
    .body = {"{\"test\": 2432232314}", 20},
};

/* The header that these secrets make. */
static struct buffer sign(const char *secrets) {
    struct webhook_signer *signer = NULL;
    struct buffer header;
    struct error error;
    buffer_init(&header, HEADER_BYTES_MAX);
    assert_int_equal(webhook_signer_create(&signer, secrets, &error), STATUS_OK);
    assert_true(webhook_sign(signer, &content, &header));
    webhook_signer_destroy(signer);
    return header;
}

static void the_published_example(void **state) {
    (void)state;
    struct buffer header = sign(SECRET);
    assert_string_equal(header.data, SIGNATURE);
    buffer_deinit(&header);
}

static void all_secrets_sign(void **state) {
    (void)state;
    struct buffer header = sign(SECRET ", " SEED "," SECRET);
    assert_memory_equal(header.data, SIGNATURE " v1a,", strlen(SIGNATURE " v1a,"));
    assert_string_equal(header.data + header.len - strlen(SIGNATURE), SIGNATURE);
    buffer_deinit(&header);
}

static void a_seed_and_its_pair_are_one_key(void **state) {
    (void)state;
    struct buffer seed = sign(SEED), pair = sign(PAIR);
    assert_string_equal(seed.data, pair.data);
    buffer_deinit(&seed);
    buffer_deinit(&pair);
}

static void what_is_no_secret_is_told_and_not_shown(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "hunter2",
        "whsec_",
        "whsec_aHVudGVyMg==",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        SECRET ",",
        SECRET ",hunter2",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/"
        "tPJZAc6DuFy89qmIyWvAhpo9wdRGQ==",
        SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET
               "," SECRET,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct webhook_signer *signer = NULL;
        struct error error;
        assert_int_equal(webhook_signer_create(&signer, bad[i], &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "WEBHOOK_SECRET: "));
        assert_null(strstr(error.text, "hunter2"));
        assert_null(strstr(error.text, "MfKQ"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example),
        cmocka_unit_test(all_secrets_sign),
        cmocka_unit_test(a_seed_and_its_pair_are_one_key),
        cmocka_unit_test(what_is_no_secret_is_told_and_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
