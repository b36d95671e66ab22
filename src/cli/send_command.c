/* posthaste send --to +15551234567 "text": puts one message into the queue. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int insert(const struct config *config, const char *to, const char *content) {
    struct message_draft draft = {.recipient = text_of(to), .content = text_of(content)};
    struct message_fault fault;
    if (!message_is_valid(draft.recipient, draft.content, config->content_max, &fault)) {
        fprintf(stderr, "posthaste send: the %s %s\n", fault.field, fault.text);
        return 2;
    }
    struct cli_store store;
    if (!cli_store_open(&store, config, false))
        return 1;
    struct message_id id;
    struct error error;
    enum status status = store_insert(store.session, &draft, 1, &id, &error);
    if (status == STATUS_OK)
        printf("%s\n", id.text);
    cli_store_close(&store);
    return status == STATUS_OK ? 0 : cli_fail("send", error.text);
}

int send_command(int argc, char **argv) {
    const char *to = cli_take_flag(&argc, argv, "--to");
    struct cli_arguments arguments;
    if (!cli_arguments_split(&arguments, argc, argv) || to == NULL || arguments.own_count != 1)
        return cli_usage("send", "usage: posthaste send --to +15551234567 \"text\"");
    struct config config;
    if (!cli_load_config(&config, arguments.option_count, arguments.options, NULL, false))
        return 2;
    int result = 2;
    if (strncmp(config.store_url, "memory:", 7) == 0)
        cli_usage("send", "STORE_URL is memory:, which no other process sees; name a database");
    else
        result = insert(&config, to, arguments.own[0]);
    config_deinit(&config);
    return result;
}
