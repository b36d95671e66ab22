#include "config/config.h"

#include "base/check.h"
#include "config/assignments.h"
#include "config/config_compose.h"
#include "config/env_file.h"
#include "config/option_value.h"

#include <string.h>

/* From the highest to the lowest. */
enum source { SOURCE_FLAGS, SOURCE_ENVIRONMENT, SOURCE_FILE, SOURCE_COMMAND, SOURCE_COUNT };

struct loader {
    struct assignments given[SOURCE_COUNT];
    struct env_file env_file;
    const char *env_path; /* what the .env file is called; NULL for none */
    struct buffer *faults;
    bool set[OPTION_COUNT]; /* by whom it may be */
};

/* "BATCH_SIZE (--batch-size)" for a flag, else "BATCH_SIZE". */
static void write_name(struct buffer *buffer, enum source source, struct text name) {
    buffer_append(buffer, name);
    if (source != SOURCE_FLAGS)
        return;
    buffer_append_string(buffer, " (");
    option_write_flag(buffer, name);
    buffer_append_byte(buffer, ')');
}

static void write_place(const struct loader *loader, enum source source) {
    if (source == SOURCE_FILE)
        buffer_printf(loader->faults, " in %s", loader->env_path);
    buffer_append_string(loader->faults, ": ");
}

static void fault_not_allowed(const struct loader *loader, enum source source,
                              const struct assignment *given) {
    write_name(loader->faults, source, given->option.name);
    write_place(loader, source);
    option_write_given(loader->faults, given->option.spec, given->value);
    buffer_append_string(loader->faults, " is not ");
    option_write_allowed(loader->faults, given->option.spec);
    buffer_append_byte(loader->faults, '\n');
}

static void fault_different(const struct loader *loader, enum source source,
                            const struct assignment *first, const struct assignment *second) {
    const struct option_spec *spec = first->option.spec;
    bool same_name = text_equal(first->option.name, second->option.name);
    write_name(loader->faults, source, first->option.name);
    if (!same_name) {
        buffer_append_string(loader->faults, " and ");
        write_name(loader->faults, source, second->option.name);
    }
    write_place(loader, source);
    buffer_append_string(loader->faults, same_name ? "is given twice, with different values"
                                                   : "name one option, but have different values");
    if (spec->type != OPTION_TYPE_SECRET) {
        buffer_append_string(loader->faults, ", ");
        option_write_given(loader->faults, spec, first->value);
        buffer_append_string(loader->faults, " and ");
        option_write_given(loader->faults, spec, second->value);
    }
    buffer_append_string(loader->faults, "; keep one\n");
}

/* Whether the source sets the option at all. A value that is not allowed, or contradicts the one
 * before it, is a fault and leaves `*value` alone. */
static bool take_from(const struct loader *loader, enum source source,
                      const struct option_spec *spec, struct option_value *value) {
    bool set = false;
    const struct assignment *first = NULL;
    for (size_t i = 0; i < loader->given[source].count; i++) {
        const struct assignment *given = &loader->given[source].items[i];
        struct option_value parsed = {0};
        if (given->option.spec != spec)
            continue;
        set = true;
        if (!option_parse(spec, given->value, &parsed)) {
            fault_not_allowed(loader, source, given);
        } else if (first == NULL) {
            first = given;
            *value = parsed;
        } else if (!option_value_equal(spec, parsed, *value)) {
            fault_different(loader, source, first, given);
        }
    }
    return set;
}

static void read_env_file(struct loader *loader, const char *standard, struct buffer *warnings) {
    struct option_value path = {.text = text_of(standard)};
    bool demanded = take_from(loader, SOURCE_FLAGS, OPTION_ENV_FILE, &path);
    loader->env_path = path.text.data; /* terminated: an argument or `standard` */
    if (loader->env_path == NULL)
        return;
    enum status status = env_file_read(&loader->env_file, loader->env_path, loader->faults);
    if (status == STATUS_NOT_FOUND && demanded)
        buffer_printf(loader->faults, "--env-file: there is no file %s\n", loader->env_path);
    assignments_add_env_file(&loader->given[SOURCE_FILE], &loader->env_file, loader->env_path,
                             warnings);
}

static void gather(struct loader *loader, const struct config_sources *sources,
                   struct buffer *warnings) {
    assignments_add_flags(&loader->given[SOURCE_FLAGS], sources->flag_count, sources->flags,
                          loader->faults);
    assignments_add_environment(&loader->given[SOURCE_ENVIRONMENT],
                                (const char *const *)sources->environment);
    read_env_file(loader, sources->standard_env_file, warnings);
    assignments_add_environment(&loader->given[SOURCE_COMMAND], sources->command_defaults);
}

static void settle_option(struct loader *loader, struct config *config,
                          const struct option_spec *spec) {
    struct option_value value = {0};
    check(option_parse(spec, text_of(spec->standard), &value));
    bool *set = &loader->set[spec - option_specs];
    for (int source = 0; source < SOURCE_COUNT && !*set; source++)
        *set = take_from(loader, (enum source)source, spec, &value);
    option_store(config, spec, value);
}

enum status config_load(struct config *config, const struct config_sources *sources,
                        struct buffer *warnings, struct buffer *faults) {
    check(config != NULL && sources != NULL && warnings != NULL && faults != NULL);
    *config = (struct config){0};
    struct loader loader = {.faults = faults};
    size_t faults_before = faults->len;
    gather(&loader, sources, warnings);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        settle_option(&loader, config, &option_specs[i]);
    config_compose(config, loader.set, faults);
    for (int source = 0; source < SOURCE_COUNT; source++)
        assignments_deinit(&loader.given[source]);
    env_file_deinit(&loader.env_file);
    /* Options with a fault hold their default here, so that the rest is checked in the same pass.
     */
    if (sources->for_serve)
        config_check_serve(config, faults);
    if (faults->len == faults_before && !faults->overflowed)
        return STATUS_OK;
    config_deinit(config);
    return STATUS_INVALID;
}

void config_deinit(struct config *config) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_clear(config, &option_specs[i]);
}

int64_t config_lease_ms(const struct config *config) {
    return config->lease_ms > 0 ? config->lease_ms
                                : config->webhook_timeout_ms + CONFIG_LEASE_SLACK_MS;
}
