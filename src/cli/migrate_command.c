/* posthaste migrate up [--dry-run]|down|status|create NAME: the schema of the database. */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 64
#define PATH_BYTES_MAX 128
#define REPORT_BYTES_MAX 1048576

static const char *const usage = "usage: posthaste migrate up [--dry-run]|down|status|create NAME";

static enum status print_status(struct store *store, struct buffer *report, struct error *error) {
    struct store_version version;
    enum status status = store_version(store, &version, error);
    if (status == STATUS_OK)
        buffer_printf(report, "schema version %lld, this program knows %lld: %s\n",
                      (long long)version.current, (long long)version.known,
                      version.current == version.known  ? "up to date"
                      : version.current < version.known ? "`posthaste migrate up` is needed"
                                                        : "a newer posthaste is needed");
    return status;
}

static enum status run(struct store *store, const char *action, struct buffer *report,
                       struct error *error) {
    if (strcmp(action, "status") == 0)
        return print_status(store, report, error);
    if (strcmp(action, "plan") == 0)
        return store_migrate_plan(store, report, error);
    bool up = strcmp(action, "up") == 0;
    enum status status =
        up ? store_migrate_up(store, report, error) : store_migrate_down(store, report, error);
    if (status == STATUS_OK && report->len == 0)
        buffer_append_string(report,
                             up ? "the schema is up to date\n" : "there is nothing to take back\n");
    return status;
}

static int migrate(const struct config *config, const char *action) {
    struct cli_store store;
    if (!cli_store_open(&store, config, true))
        return 1;
    struct buffer report;
    struct error error;
    buffer_init(&report, REPORT_BYTES_MAX);
    enum status status = run(store.store, action, &report, &error);
    fputs(buffer_view(&report).data, stdout);
    buffer_deinit(&report);
    cli_store_close(&store);
    return status == STATUS_OK ? 0 : cli_fail("migrate", error.text);
}

static bool is_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= NAME_BYTES_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* Each kind of database has migrations of its own. */
static const char *directory_of(const struct config *config) {
    return strncmp(config->store_url, "postgres", 8) == 0 ? "db/postgres" : "db/sqlite";
}

/* The number after the last one in the folder; negative where there is no such folder. */
static long next_number(const char *path) {
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    long last = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        long number = strtol(entry->d_name, NULL, 10);
        if (number > last)
            last = number;
    }
    closedir(directory);
    return last + 1;
}

static bool write_file(const char *directory, long number, const char *name,
                       const char *direction) {
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/%04ld_%s.%s.sql", directory, number, name, direction);
    FILE *file = fopen(path, "wx");
    if (file == NULL) {
        fprintf(stderr, "posthaste migrate: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool written = fprintf(file, "-- %s: %s\n", name, direction) > 0;
    written = fclose(file) == 0 && written;
    if (written)
        printf("%s\n", path);
    return written;
}

static int create(const struct config *config, const char *name) {
    if (!is_name(name))
        return cli_usage("migrate", "a name is made of small letters, digits and _");
    const char *directory = directory_of(config);
    long number = next_number(directory);
    if (number < 0)
        return cli_fail("migrate",
                        "there is no folder db/ here; run this where posthaste's source is");
    if (!write_file(directory, number, name, "up") || !write_file(directory, number, name, "down"))
        return 1;
    puts("Now write them, and list them in meson.build.");
    return 0;
}

static bool is_action(const char *word) {
    static const char *const actions[] = {"up", "down", "status", "create"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(word, actions[i]) == 0)
            return true;
    return false;
}

int migrate_command(int argc, char **argv) {
    struct cli_arguments arguments;
    bool dry_run = cli_take_switch(&argc, argv, "--dry-run");
    if (!cli_arguments_split(&arguments, argc, argv) || arguments.own_count == 0)
        return cli_usage("migrate", usage);
    const char *action = arguments.own[0];
    bool creates = strcmp(action, "create") == 0, goes_up = strcmp(action, "up") == 0;
    if (!is_action(action) || (dry_run && !goes_up))
        return cli_usage("migrate", usage);
    if (arguments.own_count != (creates ? 2 : 1))
        return cli_usage("migrate", creates ? "create needs a NAME" : usage);
    struct config config;
    if (!cli_load_config(&config, arguments.option_count, arguments.options, NULL, false))
        return 2;
    int result =
        creates ? create(&config, arguments.own[1]) : migrate(&config, dry_run ? "plan" : action);
    config_deinit(&config);
    return result;
}
