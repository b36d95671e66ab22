#include "api/client_address.h"

#include "base/check.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS 128
#define V4_PREFIX_BITS 96 /* of ::ffff:0:0/96, in which IPv4 lies */
#define V4_AT 12
#define PORT_MAX 65535

/* IPv4 as ::ffff:a.b.c.d, so that there is one kind. */
struct address {
    unsigned char bytes[16];
};

struct network {
    struct address address;
    unsigned bits;
};

struct trusted_proxies {
    struct network networks[TRUSTED_PROXIES_MAX];
    size_t count;
};

static const struct network v4_network = {
    .address = {{[10] = 0xFF, [11] = 0xFF}},
    .bits = V4_PREFIX_BITS,
};
static const struct network v4_loopback = {
    .address = {{[10] = 0xFF, [11] = 0xFF, [V4_AT] = 127}},
    .bits = V4_PREFIX_BITS + 8,
};
static const struct network v6_loopback = {.address = {{[15] = 1}}, .bits = BITS};

static bool has_prefix(const struct network *network, const struct address *address) {
    size_t whole = network->bits / 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned rest = network->bits % 8;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_v4(const struct address *address) {
    return has_prefix(&v4_network, address);
}

static struct address from_v4(const void *bytes) {
    struct address address = v4_network.address;
    memcpy(address.bytes + V4_AT, bytes, 4);
    return address;
}

static bool parse(struct text text, struct address *address) {
    char string[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof string || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(string, text.data, text.len);
    string[text.len] = '\0';
    struct in_addr v4;
    if (inet_pton(AF_INET, string, &v4) == 1) {
        *address = from_v4(&v4);
        return true;
    }
    return inet_pton(AF_INET6, string, address->bytes) == 1;
}

static bool is_number(struct text text, int64_t maximum, int64_t *number) {
    return !text_starts_with(text, "-") && text_to_int64(text, number) && *number <= maximum;
}

static bool parse_network(struct text text, struct network *network) {
    struct text rest = text, base = text_cut(&rest, '/');
    if (!parse(base, &network->address))
        return false;
    network->bits = BITS;
    if (rest.data == NULL)
        return true;
    bool written_as_v4 = memchr(base.data, ':', base.len) == NULL;
    unsigned before = written_as_v4 ? V4_PREFIX_BITS : 0;
    int64_t bits = 0;
    if (!is_number(rest, BITS - before, &bits))
        return false;
    network->bits = before + (unsigned)bits;
    return true;
}

enum status trusted_proxies_create(struct trusted_proxies **proxies, const char *list,
                                   struct error *error) {
    check(proxies != NULL && error != NULL);
    struct trusted_proxies *made = memory_zeroed(1, sizeof *made);
    struct text rest = text_of(list);
    if (text_trim(rest).len == 0)
        rest.data = NULL;
    while (rest.data != NULL) {
        struct text item = text_trim(text_cut(&rest, ','));
        if (made->count == TRUSTED_PROXIES_MAX) {
            free(made);
            return error_set(error, STATUS_INVALID,
                             "there are more than %d trusted proxies; write them as networks",
                             TRUSTED_PROXIES_MAX);
        }
        if (!parse_network(item, &made->networks[made->count++])) {
            free(made);
            return error_set(error, STATUS_INVALID,
                             "trusted proxy \"%.*s\" is neither an address nor a network; write it"
                             " like 192.0.2.1, 10.0.0.0/8 or fd00::/8",
                             TEXT_ARGUMENT(text_utf8_prefix(item, CLIENT_ADDRESS_BYTES)));
        }
    }
    *proxies = made;
    return STATUS_OK;
}

void trusted_proxies_destroy(struct trusted_proxies *proxies) {
    free(proxies);
}

static bool is_trusted(const struct trusted_proxies *proxies, const struct address *address) {
    if (proxies == NULL)
        return false;
    for (size_t i = 0; i < proxies->count; i++) {
        const struct network *network = &proxies->networks[i];
        /* "::/0" would hold all of IPv4 otherwise. */
        bool same_kind = network->bits >= V4_PREFIX_BITS || !is_v4(address);
        if (same_kind && has_prefix(network, address))
            return true;
    }
    return false;
}

static bool from_sockaddr(const struct sockaddr *peer, struct address *address) {
    if (peer != NULL && peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof v4);
        *address = from_v4(&v4.sin_addr);
        return true;
    }
    if (peer != NULL && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        memcpy(address->bytes, &v6.sin6_addr, sizeof address->bytes);
        return true;
    }
    return false;
}

static void write_address(const struct address *address, char out[CLIENT_ADDRESS_BYTES]) {
    bool v4 = is_v4(address);
    const char *written = inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? V4_AT : 0), out,
                                    CLIENT_ADDRESS_BYTES);
    check(written != NULL);
}

static bool is_port(struct text text) {
    int64_t port = 0;
    return is_number(text, PORT_MAX, &port);
}

/* An address, "192.0.2.1:55", "[::1]" or "[::1]:55". */
static bool parse_entry(struct text text, struct address *address) {
    if (parse(text, address))
        return true;
    if (text.len == 0)
        return false;
    bool brackets = text.data[0] == '[';
    struct text rest = brackets ? (struct text){text.data + 1, text.len - 1} : text;
    struct text host = text_cut(&rest, brackets ? ']' : ':');
    bool is_whole = rest.data != NULL && parse(host, address);
    if (!is_whole || !brackets)
        return is_whole && is_port(rest);
    bool is_v6 = memchr(host.data, ':', host.len) != NULL;
    bool has_port = text_starts_with(rest, ":");
    return is_v6 &&
           (rest.len == 0 || (has_port && is_port((struct text){rest.data + 1, rest.len - 1})));
}

/* Takes the last entry off `*rest`; the first one leaves `*rest` with data == NULL. */
static struct text cut_last(struct text *rest) {
    const char *comma = rest->len > 0 ? memrchr(rest->data, ',', rest->len) : NULL;
    struct text entry = *rest;
    *rest = (struct text){0};
    if (comma != NULL) {
        *rest = (struct text){entry.data, (size_t)(comma - entry.data)};
        entry = (struct text){comma + 1, entry.len - rest->len - 1};
    }
    return text_trim(entry);
}

void client_address(const struct trusted_proxies *proxies, const struct sockaddr *peer,
                    struct text x_forwarded_for, char out[CLIENT_ADDRESS_BYTES]) {
    struct address client, entry;
    if (!from_sockaddr(peer, &client)) {
        snprintf(out, CLIENT_ADDRESS_BYTES, "unknown");
        return;
    }
    struct text rest = x_forwarded_for;
    while (rest.data != NULL && is_trusted(proxies, &client)) {
        if (!parse_entry(cut_last(&rest), &entry))
            break;
        client = entry;
    }
    write_address(&client, out);
}

void client_address_network(const char *address, char out[CLIENT_ADDRESS_BYTES]) {
    struct address network;
    if (!parse(text_of(address), &network) || is_v4(&network)) {
        snprintf(out, CLIENT_ADDRESS_BYTES, "%s", address);
        return;
    }
    memset(network.bytes + 8, 0, 8);
    write_address(&network, out);
    size_t len = strlen(out);
    snprintf(out + len, CLIENT_ADDRESS_BYTES - len, "/64");
}

bool client_address_is_loopback(const char *text) {
    struct address address;
    if (!parse(text_of(text), &address))
        return text_equal_ignoring_case(text_of(text), TEXT_LITERAL("localhost"));
    return has_prefix(&v4_loopback, &address) || has_prefix(&v6_loopback, &address);
}
