#include "config/config.h"

#include "config/option_value.h"

static const char introduction[] =
    "<!-- Made from src/config/options.def by `posthaste config --markdown`; do not edit. -->\n"
    "\n"
    "# Configuration\n"
    "\n"
    "Every option has a name, like `BATCH_SIZE`, and can be given in four places. The first of\n"
    "these that sets it decides, and the others are not looked at for this option:\n"
    "\n"
    "1. a flag: `--batch-size 10` or `--batch-size=10`\n"
    "2. the environment: `BATCH_SIZE=10`\n"
    "3. the file `.env` in the working directory, or the one that `--env-file FILE` names\n"
    "4. the default: that of the command where it has its own, else the one written here\n"
    "\n"
    "`posthaste config` prints what is in force, with secrets hidden. A value that is set but\n"
    "empty counts as not set. A boolean flag may stand alone: `--auto-start` means\n"
    "`--auto-start=true`.\n"
    "\n"
    "**Aliases** are other names of the same option; they work in all places (`SERVER_PORT`,\n"
    "`--server-port`). Two names of one option, or one name twice, with different values in the\n"
    "same place are a fault.\n"
    "\n"
    "**Durations** are numbers with units, put together at will: `2m`, `30s`, `500ms`, `1h`,\n"
    "`1m30s`. A bare number is seconds. **Booleans** are `true` or `false`, or `1`, `0`, `yes`,\n"
    "`no`, `on`, `off`. Neither booleans nor choices mind upper case.\n"
    "\n"
    "**Faults** are all reported at once, one a line, each with the name, the value and what is\n"
    "allowed; the program does not start on any:\n"
    "\n"
    "```\n"
    "BATCH_SIZE: \"abc\" is not a whole number from 1 to 10000\n"
    "WEBHOOK_TIMEOUT in .env: \"2 minutes\" is not a duration from 1ms to 1h (like 2m, 30s, 500ms;"
    " a bare number is seconds)\n"
    "```\n"
    "\n"
    "## The .env file\n"
    "\n"
    "```sh\n"
    "# A comment on its own line.\n"
    "BATCH_SIZE=10              # a comment after a value needs a space before the #\n"
    "export LOG_LEVEL=debug     # \"export\" may stand, so that a shell can read the file too\n"
    "APP_NAME=\"two words\"       # double quotes know \\n, \\t, \\\" and \\\\\n"
    "WEBHOOK_AUTH_KEY='a#$\\b'   # single quotes are taken literally\n"
    "```\n"
    "\n"
    "Nothing is expanded (`$NAME` stays as it is) and a value ends with its line. A missing\n"
    "`.env` is fine; a file that `--env-file` names must be there. A name that posthaste does not\n"
    "know is a warning with the nearest known one, as the file may serve other programs too. A\n"
    "line without `=`, a quote that is not closed, and a file of more than 1 MiB are faults.\n"
    "\n"
    "## Options\n";

static const char *type_name(enum option_type type) {
    static const char *const names[] = {
        [OPTION_TYPE_TEXT] = "text",         [OPTION_TYPE_SECRET] = "secret (never shown)",
        [OPTION_TYPE_CHOICE] = "choice",     [OPTION_TYPE_INTEGER] = "integer",
        [OPTION_TYPE_DURATION] = "duration", [OPTION_TYPE_BOOLEAN] = "boolean",
    };
    return names[type];
}

static void write_range(struct buffer *buffer, const struct option_spec *spec) {
    if (spec->type == OPTION_TYPE_INTEGER)
        buffer_printf(buffer, "%lld to %lld", (long long)spec->minimum, (long long)spec->maximum);
    else if (spec->type != OPTION_TYPE_DURATION) {
        option_write_allowed(buffer, spec);
    } else {
        option_write_duration(buffer, spec->minimum);
        buffer_append_string(buffer, " to ");
        option_write_duration(buffer, spec->maximum);
    }
}

static void write_aliases(struct buffer *buffer, const struct option_spec *spec) {
    struct text alias;
    for (size_t i = 1; (alias = option_name_at(spec, i)).data != NULL; i++)
        buffer_printf(buffer, "%s`%.*s`", i > 1 ? ", " : "", TEXT_ARGUMENT(alias));
    buffer_append_string(buffer, option_name_at(spec, 1).data == NULL ? "none" : "");
}

static void write_option(struct buffer *buffer, const struct option_spec *spec) {
    buffer_printf(buffer, "\n### %s\n\n%s\n\n", spec->name, spec->help);
    buffer_append_string(buffer, "| Flag | Aliases | Type | Default | Allowed |\n"
                                 "|---|---|---|---|---|\n| `");
    option_write_flag(buffer, text_of(spec->name));
    buffer_append_string(buffer, "` | ");
    write_aliases(buffer, spec);
    buffer_printf(buffer, " | %s | ", type_name(spec->type));
    if (spec->standard[0] != '\0')
        buffer_printf(buffer, "`%s`", spec->standard);
    else
        buffer_append_string(buffer, "not set");
    buffer_append_string(buffer, " | ");
    write_range(buffer, spec);
    buffer_append_string(buffer, " |\n");
}

void config_write_markdown(struct buffer *buffer) {
    buffer_append_string(buffer, introduction);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        write_option(buffer, &option_specs[i]);
}
