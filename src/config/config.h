/* The effective configuration: flags before environment before .env file before default, from the
 * table in options.def.
 *
 * All faults are found in one pass, each naming the variable, its value and what is allowed. A
 * set but empty value counts as not set. Two names of one option (or one name twice) with different
 * values, at the same place of precedence, are a fault. What a higher place sets is not looked at
 * in the lower ones. A fault never shows a secret, nor the user and password in a URL. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_TEXT_BYTES_MAX 65536 /* of all faults, of a listing */

/* TEXT, SECRET and CHOICE are terminated strings owned by the struct, "" when not set. */
struct config {
#define CONFIG_FIELD_TEXT char *
#define CONFIG_FIELD_SECRET char *
#define CONFIG_FIELD_CHOICE char *
#define CONFIG_FIELD_INTEGER int64_t
#define CONFIG_FIELD_DURATION int64_t
#define CONFIG_FIELD_BOOLEAN bool
#define OPTION(field, name, aliases, type, standard, minimum, maximum, allowed, help)              \
    CONFIG_FIELD_##type field;
#include "config/options.def"
#undef OPTION
};

/* Where values come from. Nothing here is kept. */
struct config_sources {
    int flag_count;           /* arguments after the command's name */
    char *const *flags;       /* "--batch-size", "10" or "--batch-size=10"; "--help" is not here */
    char *const *environment; /* as environ: "NAME=value", ended by NULL */
    const char *standard_env_file; /* read if it is there: ".env"; NULL for none */
    /* Defaults of one command that differ from the table's: "NAME=value", ended by NULL. */
    const char *const *command_defaults;
    bool for_serve; /* what config_check_serve finds are faults too */
};

/* Fills `config`, to be ended with config_deinit, and appends warnings (unknown keys of the .env
 * file, with the nearest known name), one a line. STATUS_INVALID: `faults` holds every fault, one
 * a line, and `config` holds nothing. --env-file FILE among the flags replaces the standard file
 * and must be readable. An unknown flag is a fault that names the nearest one. */
enum status config_load(struct config *config, const struct config_sources *sources,
                        struct buffer *warnings, struct buffer *faults);
void config_deinit(struct config *config);

/* What `serve` needs beyond single values: a usable WEBHOOK_URL, a lease longer than an attempt,
 * RETRY_BASE within RETRY_CAP, a STORE_URL of a known kind, a numeric BIND (or "localhost"), a
 * header that HTTP allows. Appends faults; false if there are any. */
bool config_check_serve(const struct config *config, struct buffer *faults);

/* LEASE, or when it is 0 what follows from WEBHOOK_TIMEOUT (see CONFIG_LEASE_SLACK_MS). */
int64_t config_lease_ms(const struct config *config);
#define CONFIG_LEASE_SLACK_MS 10000

/* "NAME=value" a line, quoted where a .env file needs it; ****** in place of secrets, and of the
 * user and password in a URL (the `config` command). */
void config_write_effective(const struct config *config, struct buffer *buffer);
/* The options part of --help. */
void config_write_help(struct buffer *buffer);
/* docs/configuration.md and .env.example, whole. */
void config_write_markdown(struct buffer *buffer);
void config_write_env_example(struct buffer *buffer);

#endif
