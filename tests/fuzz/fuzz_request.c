/* Bytes on a connection to the real API, over a store in memory: it answers or closes, and lives.
 */
#include "api/api.h"
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "sender/sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS_MAX 20000
#define SILENCE_MS 20
#define LIVE_CHECK_EVERY 256

static uint16_t port;

/* Once, and for as long as the process lives. */
static void start(void) {
    static struct store *store;
    static struct sender *sender;
    static struct dispatcher *dispatcher;
    static struct api *api;
    struct error error;
    struct random random = random_from_seed(1);
    const struct store_options store_options = {.url = "memory:", .clock = &clock_system};
    const struct sender_options sender_options = {.provider = "webhook",
                                                  .webhook_url = "http://127.0.0.1:9/",
                                                  .webhook_auth_header = "x",
                                                  .webhook_auth_key = "",
                                                  .webhook_timeout_ms = 1000};
    signal(SIGPIPE, SIG_IGN);
    check(store_open(&store, &store_options, &error) == STATUS_OK);
    check(sender_create(&sender, &sender_options, &error) == STATUS_OK);
    const struct dispatcher_options dispatcher_options = {.store = store,
                                                          .sender = sender,
                                                          .clock = &clock_system,
                                                          .batch_size = 2,
                                                          .poll_interval_ms = 1000,
                                                          .max_in_flight = 4,
                                                          .retry = {.base_ms = 1, .cap_ms = 1},
                                                          .lease_ms = 60000,
                                                          .content_max = 160};
    check(dispatcher_create(&dispatcher, &dispatcher_options, &error) == STATUS_OK);
    const struct api_options api_options = {.bind = "127.0.0.1",
                                            .store = store,
                                            .dispatcher = dispatcher,
                                            .events = events_create(&clock_system, &random),
                                            .clock = &clock_system,
                                            .content_max = 160,
                                            .body_bytes_max = 1 << 20,
                                            .connections_max = 1000,
                                            .idle_timeout_s = 5,
                                            .request_timeout_s = 5};
    check(api_create(&api, &api_options, &error) == STATUS_OK);
    port = api_port(api);
}

static int open_connection(void) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct linger at_once = {.l_onoff = 1, .l_linger = 0}; /* leave no port behind */
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    check(descriptor >= 0);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    check(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    return descriptor;
}

/* Waits for bytes or the end; false when neither comes in time. libFuzzer's alarms interrupt. */
static bool wait_for_bytes(int descriptor, int wait_ms) {
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    int64_t end_us = clock_monotonic_us(&clock_system) + (int64_t)wait_ms * 1000;
    for (;;) {
        int64_t left_us = end_us - clock_monotonic_us(&clock_system);
        int ready = poll(&polled, 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

/* What comes: to its end, or until there is silence after an answer, as in a stream of events. */
static void talk(const void *bytes, size_t size, char *answer, size_t answer_bytes) {
    int descriptor = open_connection();
    ssize_t ignored = send(descriptor, bytes, size, MSG_NOSIGNAL);
    (void)ignored;
    shutdown(descriptor, SHUT_WR);
    size_t len = 0;
    for (bool heard = false;; heard = true) {
        char piece[4096];
        bool ready = wait_for_bytes(descriptor, heard ? SILENCE_MS : ANSWER_MS_MAX);
        check(ready || heard); /* else it hangs */
        ssize_t count = ready ? recv(descriptor, piece, sizeof piece, 0) : 0;
        if (count <= 0)
            break;
        size_t kept =
            answer_bytes - 1 - len < (size_t)count ? answer_bytes - 1 - len : (size_t)count;
        memcpy(answer + len, piece, kept);
        len += kept;
    }
    answer[len] = '\0';
    close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char live[] = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static unsigned count;
    char answer[4096] = "";
    if (port == 0)
        start();
    talk(data, size, answer, sizeof answer);
    check(answer[0] == '\0' || strncmp(answer, "HTTP/1.", 7) == 0);
    if (count++ % LIVE_CHECK_EVERY != 0)
        return 0;
    talk(live, strlen(live), answer, sizeof answer);
    check(strncmp(answer, "HTTP/1.1 200", 12) == 0);
    return 0;
}
