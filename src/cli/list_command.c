/* posthaste list [--status S] [--limit N]: the newest messages, and how many there are. */
#include "base/timestamp.h"
#include "cli/cli.h"

#include <stdio.h>

#define LIST_LIMIT_DEFAULT 20
#define LIST_ARENA_BYTES_MAX (256 * 1024 * 1024)
#define CONTENT_SHOWN_BYTES_MAX 40

/* Rows come from anybody; what a terminal would take as a command is not printed. */
static void print_text(struct text value, size_t bytes_max) {
    struct text shown = text_utf8_prefix(value, bytes_max);
    for (size_t i = 0; i < shown.len; i++)
        putchar((unsigned char)shown.data[i] < 0x20 || shown.data[i] == 0x7F ? '?' : shown.data[i]);
    if (shown.len < value.len)
        fputs("…", stdout);
}

static void print_message(const struct message *message) {
    char created[TIMESTAMP_BYTES];
    timestamp_format(message->created_at_ms, created);
    printf("%-10s %-11s %3lld  %s  ", message->id.text, message_state_name(message->state),
           (long long)message->attempts, created);
    print_text(message->recipient, MESSAGE_RECIPIENT_BYTES_MAX);
    fputs("  ", stdout);
    print_text(message->content, CONTENT_SHOWN_BYTES_MAX);
    if (message->error.len > 0) {
        fputs("  (", stdout);
        print_text(message->error, ERROR_TEXT_BYTES_MAX);
        putchar(')');
    }
    putchar('\n');
}

static void print_counts(const struct store_depth *depth) {
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        if (depth->messages[i] > 0)
            printf("%s %lld  ", message_state_name((enum message_state)i),
                   (long long)depth->messages[i]);
    putchar('\n');
}

static enum status print_list(struct store_session *session, const struct store_query *query,
                              struct error *error) {
    struct arena arena;
    struct store_page page;
    struct store_depth depth;
    arena_init(&arena, LIST_ARENA_BYTES_MAX);
    enum status status = store_list(session, query, &arena, &page, error);
    if (status == STATUS_OK)
        status = store_depth(session, &depth, error);
    for (size_t i = 0; status == STATUS_OK && i < page.count; i++)
        print_message(&page.messages[i]);
    if (status == STATUS_OK)
        print_counts(&depth);
    arena_deinit(&arena);
    return status;
}

static int list(const struct config *config, const struct store_query *query) {
    struct cli_store store;
    struct error error;
    if (!cli_store_open(&store, config, false))
        return 1;
    enum status status = print_list(store.session, query, &error);
    cli_store_close(&store);
    return status == STATUS_OK ? 0 : cli_fail("list", error.text);
}

int list_command(int argc, char **argv) {
    const char *status = cli_take_flag(&argc, argv, "--status");
    const char *limit = cli_take_flag(&argc, argv, "--limit");
    struct store_query query = {0};
    enum message_state state;
    int64_t number = LIST_LIMIT_DEFAULT;
    if (status != NULL && !message_state_from_name(text_of(status), &state))
        return cli_usage("list", "--status must be one of pending, sending, sent, failed, "
                                 "cancelled, expired, delivered, undelivered, unknown");
    if (limit != NULL &&
        (!text_to_int64(text_of(limit), &number) || number < 1 || number > STORE_LIST_LIMIT_MAX))
        return cli_usage("list", "--limit must be a whole number from 1 to 1000");
    if (status != NULL)
        query.states = MESSAGE_STATE_BIT(state);
    query.limit = (size_t)number;
    struct cli_arguments arguments;
    if (!cli_arguments_split(&arguments, argc, argv) || arguments.own_count > 0)
        return cli_usage("list", "usage: posthaste list [--status STATUS] [--limit N]");
    struct config config;
    if (!cli_load_config(&config, arguments.option_count, arguments.options, NULL, false))
        return 2;
    int result = list(&config, &query);
    config_deinit(&config);
    return result;
}
