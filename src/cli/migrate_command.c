/* posthaste migrate up|down|status|create NAME: the schema of the database. */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATIONS_DIRECTORY "db/sqlite"
#define NAME_BYTES_MAX 64
#define REPORT_BYTES_MAX 65536

static const char *const usage = "usage: posthaste migrate up|down|status|create NAME";

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

/* The number after the last one in the folder; negative where there is no such folder. */
static long next_number(void) {
    DIR *directory = opendir(MIGRATIONS_DIRECTORY);
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

static bool write_file(long number, const char *name, const char *direction) {
    char path[NAME_BYTES_MAX * 2];
    snprintf(path, sizeof path, MIGRATIONS_DIRECTORY "/%04ld_%s.%s.sql", number, name, direction);
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

static int create(const char *name) {
    if (!is_name(name))
        return cli_usage("migrate", "a name is made of small letters, digits and _");
    long number = next_number();
    if (number < 0)
        return cli_fail("migrate", "there is no folder " MIGRATIONS_DIRECTORY
                                   " here; run this where posthaste's source is");
    if (!write_file(number, name, "up") || !write_file(number, name, "down"))
        return 1;
    puts("Now write them, and list them in meson.build.");
    return 0;
}

int migrate_command(int argc, char **argv) {
    struct cli_arguments arguments;
    if (!cli_arguments_split(&arguments, argc, argv) || arguments.own_count == 0)
        return cli_usage("migrate", usage);
    const char *action = arguments.own[0];
    if (strcmp(action, "create") == 0)
        return arguments.own_count == 2 ? create(arguments.own[1])
                                        : cli_usage("migrate", "create needs a NAME");
    bool known =
        strcmp(action, "up") == 0 || strcmp(action, "down") == 0 || strcmp(action, "status") == 0;
    if (!known || arguments.own_count != 1)
        return cli_usage("migrate", usage);
    struct config config;
    if (!cli_load_config(&config, arguments.option_count, arguments.options, NULL, false))
        return 2;
    int result = migrate(&config, action);
    config_deinit(&config);
    return result;
}
