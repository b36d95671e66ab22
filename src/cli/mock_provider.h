/* A provider to try posthaste with, and to test it against: it takes messages, remembers them, and
 * misbehaves as it is told. `posthaste mock-provider`, and within `posthaste demo`.
 *
 * POST /send, POST /   {"to" or "phone_number","content"}: 202 {"message","messageId"}, or else
 * GET /received        counts per message id (the Idempotency-Key); ?id=X of one; DELETE clears all
 * GET /stats           sums, and how many requests were under way at once
 * GET /requests        the latest requests in order of arrival, ?limit=N
 * POST /behave         {"status","fail_rate","latency_ms","retry_after","hang","reset",
 *                      "body_bytes","times"}: the new behaviour; what is left out is normal. With
 *                      "times" it lasts for so many requests to /send, then the one before is back
 * GET /health */
#ifndef CLI_MOCK_PROVIDER_H
#define CLI_MOCK_PROVIDER_H

#include "base/error.h"
#include "cli/mock_behaviour.h"

#include <stdint.h>

#define MOCK_PROVIDER_CONNECTIONS_MAX 20000

struct mock_provider;
struct mock_sums;

struct mock_provider_options {
    const char *bind; /* a numeric address; borrowed for the call */
    uint16_t port;    /* 0: chosen by the kernel */
    unsigned threads;
    struct mock_behaviour behaviour;
};

/* 127.0.0.1:3001, one thread, normal behaviour. */
struct mock_provider_options mock_provider_standard(void);
/* Serving when it returns STATUS_OK; `*provider` is then the caller's to destroy. */
enum status mock_provider_create(struct mock_provider **provider,
                                 const struct mock_provider_options *options, struct error *error);
uint16_t mock_provider_port(const struct mock_provider *provider);
/* What came so far; see mock_record.h. */
struct mock_sums mock_provider_sums(struct mock_provider *provider);
/* Ends without an answer what waits or hangs. */
void mock_provider_destroy(struct mock_provider *provider);

/* The command; `argv` begins after its name. Returns the exit status: 0 after SIGINT or SIGTERM,
 * 1 when it cannot listen, 2 when a flag is wrong. */
int mock_provider_command(int argc, char **argv);

#endif
