#include "cache/redis_client.h"
#include "support/test.h"

#include <string.h>

static struct redis_address parse(const char *url) {
    struct redis_address address;
    struct error error;
    if (redis_address_init(&address, url, &error) != STATUS_OK)
        fail_msg("%s: %s", url, error.text);
    return address;
}

static void the_parts_of_an_address_are_found(void **state) {
    (void)state;
    struct redis_address address = parse("redis://app:p%40ss%3Aw%2Frd@cache.example.com:6380/3");
    assert_string_equal(address.host, "cache.example.com");
    assert_int_equal(address.port, 6380);
    assert_string_equal(address.user, "app");
    assert_string_equal(address.password, "p@ss:w/rd");
    assert_int_equal(address.database, 3);
    redis_address_deinit(&address);
}

static void what_is_missing_is_standard(void **state) {
    (void)state;
    struct redis_address address = parse("redis://localhost");
    assert_int_equal(address.port, 6379);
    assert_null(address.user);
    assert_null(address.password);
    assert_int_equal(address.database, 0);
    redis_address_deinit(&address);
    address = parse("redis://:secret@[::1]:1/");
    assert_string_equal(address.host, "::1");
    assert_int_equal(address.port, 1);
    assert_string_equal(address.password, "secret");
    assert_null(address.user);
    redis_address_deinit(&address);
}

static void a_socket_is_a_path(void **state) {
    (void)state;
    struct redis_address address = parse("redis+unix:///run/redis/server%20one.sock?db=2");
    assert_string_equal(address.socket, "/run/redis/server one.sock");
    assert_null(address.host);
    assert_int_equal(address.database, 2);
    redis_address_deinit(&address);
}

static void what_is_no_address_is_refused_without_its_password(void **state) {
    (void)state;
    static const char *const bad[] = {
        "redis://",
        "redis://:hunter2@",
        "redis://:hunter2@host:0",
        "redis://:hunter2@host:65536",
        "redis://:hunter2@host:x",
        "redis://:hunter2@host/x",
        "redis://:hunter2@host/-1",
        "redis://:hunter2@host/65536",
        "redis://:hunter2%@host",
        "redis://:hunter2%00@host",
        "redis://:hunter2%zz@host",
        "redis://:hunter2@[::1",
        "redis://:hunter2@[::1]x",
        "redis+unix://relative",
        "redis+unix:///path?hunter2=1",
        "redis+unix:///path?db=x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct redis_address address;
        struct error error;
        if (redis_address_init(&address, bad[i], &error) != STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_null(strstr(error.text, "hunter2"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_an_address_are_found),
        cmocka_unit_test(what_is_missing_is_standard),
        cmocka_unit_test(a_socket_is_a_path),
        cmocka_unit_test(what_is_no_address_is_refused_without_its_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
