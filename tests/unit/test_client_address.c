#include "support/test.h"

#include "api/client_address.h"
#include "base/buffer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct trusted_proxies *proxies_of(const char *list) {
    struct trusted_proxies *proxies = NULL;
    struct error error;
    if (trusted_proxies_create(&proxies, list, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return proxies;
}

/* Of just the size that its kind has, so that a sanitizer sees who reads beyond it. */
static struct sockaddr *peer_of(const char *address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(4711)};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4)
        assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    size_t size = is_v4 ? sizeof v4 : sizeof v6;
    void *peer = malloc(size);
    assert_non_null(peer);
    memcpy(peer, is_v4 ? (void *)&v4 : (void *)&v6, size);
    return peer;
}

static void assert_client(const char *proxies, const char *peer, const char *forwarded,
                          const char *expected) {
    struct trusted_proxies *trusted = proxies != NULL ? proxies_of(proxies) : NULL;
    struct sockaddr *address = peer_of(peer);
    char out[CLIENT_ADDRESS_BYTES];
    client_address(trusted, address, text_of(forwarded), out);
    assert_string_equal(out, expected);
    free(address);
    trusted_proxies_destroy(trusted);
}

static void a_peer_that_is_not_trusted_is_the_client(void **state) {
    (void)state;
    assert_client(NULL, "192.0.2.1", "198.51.100.1", "192.0.2.1");
    assert_client("", "192.0.2.1", "198.51.100.1", "192.0.2.1");
    assert_client("10.0.0.1", "10.0.0.2", "198.51.100.1", "10.0.0.2");
    assert_client(NULL, "2001:db8::1", NULL, "2001:db8::1");
}

static void a_trusted_peer_tells_who_the_client_is(void **state) {
    (void)state;
    assert_client("10.0.0.1", "10.0.0.1", "198.51.100.1", "198.51.100.1");
    assert_client("10.0.0.1", "10.0.0.1", NULL, "10.0.0.1");
    assert_client("10.0.0.1", "10.0.0.1", "", "10.0.0.1");
    assert_client("::1", "::1", "2001:DB8:0::1", "2001:db8::1");
}

static void what_the_client_wrote_itself_is_not_believed(void **state) {
    (void)state;
    assert_client("10.0.0.0/8", "10.0.0.1", "127.0.0.1, 198.51.100.1,10.9.9.9", "198.51.100.1");
    assert_client("10.0.0.0/8", "10.0.0.1", "10.1.1.1, 198.51.100.1", "198.51.100.1");
}

static void where_all_are_trusted_the_leftmost_is_the_client(void **state) {
    (void)state;
    assert_client("10.0.0.0/8", "10.0.0.1", "10.3.3.3,10.2.2.2 , 10.1.1.1", "10.3.3.3");
}

static void what_is_no_address_ends_the_search(void **state) {
    (void)state;
    static const char *const bad[] = {
        "unknown",
        "",
        " ",
        "10.1.1",
        "10.1.1.1:",
        "10.1.1.1:65536",
        "10.1.1.1:x",
        "10.1.1.1:-1",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[::1]:x",
        "[10.1.1.1]",
        "10.1.1.1.1",
        "::1]:5",
        "10.1.1.1:5:5",
        "_hidden",
        "[]",
        "\"[::1]:5\"",
        "fe80::1%eth0",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char forwarded[256];
        snprintf(forwarded, sizeof forwarded, "198.51.100.1, %s, 10.2.2.2", bad[i]);
        assert_client("10.0.0.0/8", "10.0.0.1", forwarded, "10.2.2.2");
        snprintf(forwarded, sizeof forwarded, "198.51.100.1, %s", bad[i]);
        assert_client("10.0.0.0/8", "10.0.0.1", forwarded, "10.0.0.1");
        assert_client("10.0.0.0/8", "10.0.0.1", bad[i], "10.0.0.1");
    }
    assert_client("10.0.0.0/8", "10.0.0.1", ",10.2.2.2", "10.2.2.2");
}

static void a_nul_byte_is_no_end(void **state) {
    (void)state;
    struct trusted_proxies *proxies = proxies_of("10.0.0.1");
    struct sockaddr *peer = peer_of("10.0.0.1");
    char out[CLIENT_ADDRESS_BYTES];
    client_address(proxies, peer, TEXT_LITERAL("198.51.100.1\0x"), out);
    assert_string_equal(out, "10.0.0.1");
    free(peer);
    trusted_proxies_destroy(proxies);
}

static void a_port_is_left_off(void **state) {
    (void)state;
    assert_client("10.0.0.1", "10.0.0.1", "198.51.100.1:55", "198.51.100.1");
    assert_client("10.0.0.1", "10.0.0.1", "[2001:db8::1]:65535", "2001:db8::1");
    assert_client("10.0.0.1", "10.0.0.1", "[2001:db8::1]", "2001:db8::1");
    assert_client("10.0.0.1", "10.0.0.1", "[::ffff:198.51.100.1]:5", "198.51.100.1");
}

static void v4_in_v6_is_v4(void **state) {
    (void)state;
    assert_client(NULL, "::ffff:192.0.2.1", NULL, "192.0.2.1");
    assert_client("10.0.0.1", "::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1");
    assert_client("::ffff:10.0.0.0/104", "10.0.0.1", "198.51.100.1", "198.51.100.1");
    assert_client("::ffff:10.0.0.1", "10.0.0.1", "198.51.100.1", "198.51.100.1");
    assert_client("::/0", "10.0.0.1", "198.51.100.1", "10.0.0.1");
    assert_client("0.0.0.0/0", "2001:db8::1", "198.51.100.1", "2001:db8::1");
}

static void networks_end_at_their_bit(void **state) {
    (void)state;
    static const char client[] = "198.51.100.1";
    assert_client("10.16.0.0/12", "10.31.255.255", client, client);
    assert_client("10.16.0.0/12", "10.32.0.0", client, "10.32.0.0");
    assert_client("10.16.0.0/12", "10.15.255.255", client, "10.15.255.255");
    assert_client("10.17.3.4/12", "10.16.0.0", client, client);
    assert_client("0.0.0.0/0", "203.0.113.9", "2001:db8::1", "2001:db8::1");
    assert_client("10.0.0.1/32", "10.0.0.0", client, "10.0.0.0");
    assert_client("2001:db8:8000::/33", "2001:db8:ffff::1", client, client);
    assert_client("2001:db8:8000::/33", "2001:db8:7fff::1", client, "2001:db8:7fff::1");
    assert_client("::/0", "2001:db8::1", client, client);
    assert_client("::1/128", "::1", client, client);
    assert_client("192.0.2.9, fd00::/8 ,10.0.0.0/8", "fd12::1", client, client);
}

static void what_is_no_internet_address_is_unknown(void **state) {
    (void)state;
    struct trusted_proxies *proxies = proxies_of("0.0.0.0/0,::/0");
    struct sockaddr local = {.sa_family = AF_UNIX};
    char out[CLIENT_ADDRESS_BYTES];
    client_address(proxies, &local, text_of("198.51.100.1"), out);
    assert_string_equal(out, "unknown");
    client_address(proxies, NULL, text_of("198.51.100.1"), out);
    assert_string_equal(out, "unknown");
    trusted_proxies_destroy(proxies);
}

static void assert_refused(const char *list, const char *expected) {
    struct trusted_proxies *proxies = NULL;
    struct error error;
    if (trusted_proxies_create(&proxies, list, &error) != STATUS_INVALID)
        fail_msg("\"%s\" was taken", list);
    assert_null(proxies);
    if (strstr(error.text, expected) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, expected);
}

static void what_is_no_network_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "proxy.example.com", "10.0.0", "10.0.0.0/33", "10.0.0.0/-0", "10.0.0.0/",  "::/129",
        "10.0.0.0/8/8",      "/8",     "10.0.0.0/x",  "[::1]",       "10.0.0.1:5",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char list[64], quoted[64];
        snprintf(list, sizeof list, "::1, %s", bad[i]);
        snprintf(quoted, sizeof quoted, "\"%s\" is neither", bad[i]);
        assert_refused(list, quoted);
    }
    assert_refused("10.0.0.1,", "\"\" is neither");
}

static void there_is_a_maximum(void **state) {
    (void)state;
    struct buffer list;
    buffer_init(&list, 65536);
    for (int i = 0; i < TRUSTED_PROXIES_MAX; i++)
        assert_true(buffer_printf(&list, "%s10.0.0.%d", i > 0 ? "," : "", i));
    assert_client(list.data, "10.0.0.255", "198.51.100.1", "198.51.100.1");
    assert_true(buffer_append_string(&list, ",10.0.1.0"));
    assert_refused(list.data, "more than 256");
    buffer_deinit(&list);
    trusted_proxies_destroy(NULL);
}

static void assert_network(const char *address, const char *expected) {
    char out[CLIENT_ADDRESS_BYTES];
    client_address_network(address, out);
    assert_string_equal(out, expected);
}

static void clients_of_v6_are_counted_by_network(void **state) {
    (void)state;
    assert_network("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
    assert_network("2001:db8::1", "2001:db8::/64");
    assert_network("1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444::/64");
    assert_network("::1", "::/64");
    assert_network("192.0.2.1", "192.0.2.1");
    assert_network("unknown", "unknown");
}

static void loopback_is_known(void **state) {
    (void)state;
    static const char *const loopback[] = {"127.0.0.1", "127.255.255.255", "::1",
                                           "::ffff:127.0.0.1", "localhost"};
    static const char *const other[] = {"128.0.0.1", "126.255.255.255", "::",      "::2",
                                        "0.0.0.0",   "::127.0.0.1",     "unknown", "",
                                        "10.0.0.1"};
    for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++)
        assert_true(client_address_is_loopback(loopback[i]));
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_false(client_address_is_loopback(other[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_is_not_trusted_is_the_client),
        cmocka_unit_test(a_trusted_peer_tells_who_the_client_is),
        cmocka_unit_test(what_the_client_wrote_itself_is_not_believed),
        cmocka_unit_test(where_all_are_trusted_the_leftmost_is_the_client),
        cmocka_unit_test(what_is_no_address_ends_the_search),
        cmocka_unit_test(a_nul_byte_is_no_end),
        cmocka_unit_test(a_port_is_left_off),
        cmocka_unit_test(v4_in_v6_is_v4),
        cmocka_unit_test(networks_end_at_their_bit),
        cmocka_unit_test(what_is_no_internet_address_is_unknown),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(there_is_a_maximum),
        cmocka_unit_test(clients_of_v6_are_counted_by_network),
        cmocka_unit_test(loopback_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
