#include "config/config.h"

#include "base/check.h"
#include "config/option_value.h"

#include <string.h>

#define HELP_COLUMN 34
#define HELP_COLUMNS_MAX 80
#define COMMENT_COLUMNS_MAX 80

/* A value as env_file.h reads it back: in double quotes where it would not mean itself. */
static void write_quoted(struct buffer *buffer, struct text value) {
    bool plain = text_equal(text_trim(value), value) &&
                 (value.len == 0 || strpbrk(value.data, "#'\"\\\n\r") == NULL);
    if (plain) {
        buffer_append(buffer, value);
        return;
    }
    buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c == '"' || c == '\\')
            buffer_append_byte(buffer, '\\');
        if (c == '\n')
            buffer_append_string(buffer, "\\n");
        else
            buffer_append_byte(buffer, c);
    }
    buffer_append_byte(buffer, '"');
}

static void write_value(struct buffer *buffer, const struct option_spec *spec,
                        struct option_value value) {
    struct buffer shown;
    switch (spec->type) {
    case OPTION_TYPE_SECRET:
        buffer_append_string(buffer, value.text.len > 0 ? "******" : "");
        return;
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_CHOICE:
        buffer_init(&shown, value.text.len + 16);
        option_write_without_credentials(&shown, value.text);
        write_quoted(buffer, buffer_view(&shown));
        buffer_deinit(&shown);
        return;
    case OPTION_TYPE_INTEGER: buffer_append_int64(buffer, value.number); return;
    case OPTION_TYPE_DURATION: option_write_duration(buffer, value.number); return;
    case OPTION_TYPE_BOOLEAN:
        buffer_append_string(buffer, value.number != 0 ? "true" : "false");
        return;
    }
    check(!"an option type");
}

void config_write_effective(const struct config *config, struct buffer *buffer) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_spec *spec = &option_specs[i];
        buffer_printf(buffer, "%s=", spec->name);
        write_value(buffer, spec, option_fetch(config, spec));
        buffer_append_byte(buffer, '\n');
    }
}

static void write_spaces(struct buffer *buffer, size_t count) {
    for (size_t i = 0; i < count; i++)
        buffer_append_byte(buffer, ' ');
}

/* Words up to `columns_max`, each line after the first behind `margin`; the cursor stands at
 * `column`. Ends the line. */
static void write_wrapped(struct buffer *buffer, struct text words, const char *margin,
                          size_t column, size_t columns_max) {
    size_t line_start = column;
    while (words.data != NULL) {
        struct text word = text_cut(&words, ' ');
        if (column > line_start && column + 1 + word.len > columns_max) {
            buffer_printf(buffer, "\n%s", margin);
            column = line_start = strlen(margin);
        } else if (column > line_start) {
            buffer_append_byte(buffer, ' ');
            column++;
        }
        buffer_append(buffer, word);
        column += word.len;
    }
    buffer_append_byte(buffer, '\n');
}

static void write_help_option(struct buffer *buffer, const struct option_spec *spec) {
    static const char *const placeholders[] = {
        [OPTION_TYPE_TEXT] = " TEXT",         [OPTION_TYPE_SECRET] = " TEXT",
        [OPTION_TYPE_CHOICE] = " CHOICE",     [OPTION_TYPE_INTEGER] = " NUMBER",
        [OPTION_TYPE_DURATION] = " DURATION", [OPTION_TYPE_BOOLEAN] = "[=BOOLEAN]",
    };
    size_t start = buffer->len;
    buffer_append_string(buffer, "  ");
    option_write_flag(buffer, text_of(spec->name));
    buffer_append_string(buffer, placeholders[spec->type]);
    size_t width = buffer->len - start;
    write_spaces(buffer, width < HELP_COLUMN ? HELP_COLUMN - width : 1);

    struct buffer words;
    buffer_init(&words, CONFIG_TEXT_BYTES_MAX);
    buffer_append_string(&words, spec->help);
    if (spec->type == OPTION_TYPE_CHOICE) {
        buffer_append_string(&words, " One of: ");
        option_write_choices(&words, spec);
        buffer_append_byte(&words, '.');
    }
    if (spec->standard[0] != '\0')
        buffer_printf(&words, " [%s]", spec->standard);
    char margin[HELP_COLUMN + 1];
    memset(margin, ' ', HELP_COLUMN);
    margin[HELP_COLUMN] = '\0';
    write_wrapped(buffer, buffer_view(&words), margin, HELP_COLUMN, HELP_COLUMNS_MAX);
    buffer_deinit(&words);
}

void config_write_help(struct buffer *buffer) {
    buffer_append_string(
        buffer, "Options, with their defaults. Each is also read from the environment and from\n"
                "the .env file, in upper case with underscores: BATCH_SIZE for --batch-size.\n\n");
    for (size_t i = 0; i <= OPTION_COUNT; i++)
        write_help_option(buffer, &option_specs[i]);
}

void config_write_env_example(struct buffer *buffer) {
    buffer_append_string(
        buffer, "# The options of posthaste with their defaults. Copy this file to .env and take "
                "the # away\n"
                "# where you want something else. The environment and flags go before this file.\n"
                "# Made by `posthaste config --env-example`; see docs/configuration.md.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_spec *spec = &option_specs[i];
        buffer_append_string(buffer, "\n# ");
        write_wrapped(buffer, text_of(spec->help), "# ", 2, COMMENT_COLUMNS_MAX);
        buffer_printf(buffer, "#%s=%s\n", spec->name, spec->standard);
    }
}
