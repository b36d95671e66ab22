/* posthaste demo: everything in one process, with a provider of its own and sample messages. */
#include "cli/cli.h"
#include "cli/mock_provider.h"
#include "cli/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES 10
#define DELIVERY_WAIT_MS 10000
#define DELIVERY_LOOK_NS 20000000
#define URL_BYTES_MAX 64

static const char *const demo_defaults[] = {
    "LOG_FORMAT=console",
    "LOG_LEVEL=debug",
    "PROCESSING_INTERVAL=0",
    "WEBHOOK_URL=http://127.0.0.1:3001/send", /* replaced by the address of our own provider */
    NULL,
};

/* The demo never sends to a real provider, whatever the configuration says. */
static void use_own_provider(struct config *config, const struct mock_provider *provider) {
    char url[URL_BYTES_MAX];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/send", mock_provider_port(provider));
    free(config->webhook_url);
    config->webhook_url = strdup(url);
}

static enum status insert_samples(struct store_session *session, struct error *error) {
    char recipients[SAMPLES][16], contents[SAMPLES][64];
    struct message_draft drafts[SAMPLES];
    struct message_id ids[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        snprintf(recipients[i], sizeof recipients[i], "+1555123%04d", 4560 + i);
        snprintf(contents[i], sizeof contents[i], "Sample message %d of %d", i + 1, SAMPLES);
        drafts[i] = (struct message_draft){.recipient = text_of(recipients[i]),
                                           .content = text_of(contents[i])};
    }
    return store_insert(session, drafts, SAMPLES, ids, error);
}

/* Returns when nothing waits any more, or after a while. */
static void wait_for_deliveries(struct service *service, struct store_session *session) {
    dispatcher_wake(service->dispatcher);
    int64_t end_us = clock_monotonic_us(&clock_system) + DELIVERY_WAIT_MS * 1000;
    while (clock_monotonic_us(&clock_system) < end_us) {
        struct store_depth depth;
        struct error error;
        bool known = store_depth(session, &depth, &error) == STATUS_OK;
        if (!known || depth.messages[MESSAGE_PENDING] + depth.messages[MESSAGE_SENDING] == 0)
            break;
        nanosleep(&(struct timespec){.tv_nsec = DELIVERY_LOOK_NS}, NULL);
    }
}

static void print_what_next(const struct config *config, unsigned port) {
    printf("\nThe samples are delivered. The API is at http://%s:%u\n"
           "  curl http://%s:%u/api/v1/messages?limit=5\n"
           "  curl -H 'Content-Type: application/json' -d '{\"to\":\"+15551234567\","
           "\"content\":\"Hello\"}' http://%s:%u/api/v1/messages\n"
           "Messages are kept in %s. Ctrl-C stops.\n\n",
           config->bind, port, config->bind, port, config->bind, port, config->store_url);
    fflush(stdout);
}

static int run(const struct config *config) {
    struct service service;
    struct error error;
    if (service_start(&service, config, &error) != STATUS_OK)
        return cli_fail("demo", error.text);
    struct store_session *session = NULL;
    enum status status = store_session_open(&session, service.store, &error);
    if (status == STATUS_OK)
        status = insert_samples(session, &error);
    if (status == STATUS_OK) {
        wait_for_deliveries(&service, session);
        print_what_next(config, api_port(service.api));
        service_wait(&service);
    }
    store_session_close(session);
    service_stop(&service, config->shutdown_grace_ms);
    return status == STATUS_OK ? 0 : cli_fail("demo", error.text);
}

int demo_command(int argc, char **argv) {
    struct config config;
    if (!cli_load_config(&config, argc, argv, demo_defaults, true))
        return 2;
    service_prepare_signals();
    struct mock_provider_options options = mock_provider_standard();
    options.port = 0;
    struct mock_provider *provider = NULL;
    struct error error;
    int result = 1;
    if (mock_provider_create(&provider, &options, &error) == STATUS_OK) {
        use_own_provider(&config, provider);
        result = run(&config);
        mock_provider_destroy(provider);
    } else {
        cli_fail("demo", error.text);
    }
    config_deinit(&config);
    return result;
}
