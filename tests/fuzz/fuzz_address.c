/* What the gate reads: lists of proxies, what proxies say, keys, and what clients show as a key. */
#include "api/client_address.h"
#include "api/cors.h"
#include "api/keys.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void read_proxies(const char *list, struct text forwarded) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct trusted_proxies *proxies = NULL, *loopback = NULL;
    struct error error;
    char address[CLIENT_ADDRESS_BYTES], network[CLIENT_ADDRESS_BYTES];
    check(trusted_proxies_create(&loopback, "127.0.0.0/8, ::1", &error) == STATUS_OK);
    if (trusted_proxies_create(&proxies, list, &error) == STATUS_OK) {
        client_address(proxies, (struct sockaddr *)&peer, forwarded, address);
        trusted_proxies_destroy(proxies);
    }
    client_address(loopback, (struct sockaddr *)&peer, forwarded, address);
    client_address_network(address, network);
    check(strlen(address) > 0 && strlen(network) > 0);
    trusted_proxies_destroy(loopback);
}

static void read_keys(const char *list, struct text file) {
    struct key_ring *ring = NULL;
    struct error error;
    bool malformed = false;
    key_presented(file, (struct text){0}, &malformed);
    struct text shown = key_presented((struct text){0}, file, &malformed);
    if (key_ring_create(&ring, list, file, &error) == STATUS_OK) {
        key_ring_find(ring, shown);
        key_ring_destroy(ring);
    } else {
        check(error.text[0] != '\0');
    }
}

static void read_origins(const char *list) {
    struct cors cors;
    struct error error;
    cors_init(&cors, list, &error);
    cors_deinit(&cors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *list = malloc(size + 1);
    check(list != NULL);
    memcpy(list, data, size);
    list[size] = '\0';
    struct text whole = {(const char *)data, size};
    read_proxies(list, whole);
    read_keys(list, whole);
    read_origins(list);
    free(list);
    return 0;
}
