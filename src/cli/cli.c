#include "cli/cli.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool cli_load_config(struct config *config, int argc, char *const *argv,
                     const char *const *command_defaults, bool for_serve) {
    const struct config_sources sources = {.flag_count = argc,
                                           .flags = argv,
                                           .environment = environ,
                                           .standard_env_file = ".env",
                                           .command_defaults = command_defaults,
                                           .for_serve = for_serve};
    struct buffer warnings, faults;
    buffer_init(&warnings, CONFIG_TEXT_BYTES_MAX);
    buffer_init(&faults, CONFIG_TEXT_BYTES_MAX);
    enum status status = config_load(config, &sources, &warnings, &faults);
    fputs(buffer_view(&warnings).data, stderr);
    fputs(buffer_view(&faults).data, stderr);
    buffer_deinit(&warnings);
    buffer_deinit(&faults);
    return status == STATUS_OK;
}

static void remove_arguments(int *argc, char **argv, int at, int count) {
    for (int i = at; i + count < *argc; i++)
        argv[i] = argv[i + count];
    *argc -= count;
}

const char *cli_take_flag(int *argc, char **argv, const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], name, length) != 0)
            continue;
        const char *value = NULL;
        if (argv[i][length] == '=') {
            value = argv[i] + length + 1;
            remove_arguments(argc, argv, i, 1);
        } else if (argv[i][length] == '\0' && i + 1 < *argc) {
            value = argv[i + 1];
            remove_arguments(argc, argv, i, 2);
        }
        if (value != NULL)
            return value;
    }
    return NULL;
}

bool cli_take_switch(int *argc, char **argv, const char *name) {
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) != 0)
            continue;
        remove_arguments(argc, argv, i, 1);
        return true;
    }
    return false;
}

bool cli_arguments_split(struct cli_arguments *arguments, int argc, char **argv) {
    *arguments = (struct cli_arguments){0};
    if (argc > CLI_ARGUMENTS_MAX)
        return false;
    for (int i = 0; i < argc; i++) {
        bool option = strncmp(argv[i], "--", 2) == 0;
        if (!option) {
            arguments->own[arguments->own_count++] = argv[i];
            continue;
        }
        arguments->options[arguments->option_count++] = argv[i];
        if (strchr(argv[i], '=') == NULL && i + 1 < argc)
            arguments->options[arguments->option_count++] = argv[++i];
    }
    return true;
}

static enum store_migrate migrate_of(const char *word) {
    if (strcmp(word, "auto") == 0)
        return STORE_MIGRATE_DEFAULT;
    return strcmp(word, "true") == 0 ? STORE_MIGRATE_ALWAYS : STORE_MIGRATE_NEVER;
}

struct store_options cli_store_options(const struct config *config) {
    return (struct store_options){
        .url = config->store_url,
        .clock = &clock_system,
        .migrate = migrate_of(config->auto_migrate),
        .timeout_ms = config->db_timeout_ms,
        .pooled = strcmp(config->db_pooling, "transaction") == 0,
        .listen = config->db_listen,
        .table = config->table,
        .column_id = config->column_id,
        .column_recipient = config->column_recipient,
        .column_content = config->column_content,
        .column_sent = config->column_sent,
        .column_created_at = config->column_created_at,
    };
}

bool cli_store_open(struct cli_store *store, const struct config *config, bool leave_schema) {
    struct store_options options = cli_store_options(config);
    options.leave_schema = leave_schema;
    struct error error;
    *store = (struct cli_store){0};
    enum status status = store_open(&store->store, &options, &error);
    if (status == STATUS_OK && !leave_schema)
        status = store_session_open(&store->session, store->store, &error);
    if (status == STATUS_OK)
        return true;
    fprintf(stderr, "posthaste: %s\n", error.text);
    cli_store_close(store);
    return false;
}

void cli_store_close(struct cli_store *store) {
    store_session_close(store->session);
    store_close(store->store);
    *store = (struct cli_store){0};
}

int cli_fail(const char *command, const char *text) {
    fprintf(stderr, "posthaste %s: %s\n", command, text);
    return 1;
}

int cli_usage(const char *command, const char *text) {
    fprintf(stderr, "posthaste %s: %s\n", command, text);
    return 2;
}
