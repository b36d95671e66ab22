/* Values of options: from text, into and out of struct config, and in words. */
#ifndef CONFIG_OPTION_VALUE_H
#define CONFIG_OPTION_VALUE_H

#include "config/config.h"
#include "config/option.h"

#include <stdbool.h>

struct option_value {
    int64_t number;   /* INTEGER, DURATION in milliseconds, BOOLEAN as 0 or 1 */
    struct text text; /* TEXT, SECRET, CHOICE; borrowed from what was parsed, or from the table */
};

/* False, and `*value` is left alone, when the option does not allow it. */
bool option_parse(const struct option_spec *spec, struct text text, struct option_value *value);
bool option_value_equal(const struct option_spec *spec, struct option_value a,
                        struct option_value b);

/* Puts a copy of the value into its field, which must hold no text yet. */
void option_store(struct config *config, const struct option_spec *spec, struct option_value value);
/* Borrows the text from `config`. */
struct option_value option_fetch(const struct config *config, const struct option_spec *spec);
/* Frees the text that the field holds, if any, and clears it. */
void option_clear(struct config *config, const struct option_spec *spec);

/* "webhook, twilio" of a CHOICE. */
void option_write_choices(struct buffer *buffer, const struct option_spec *spec);
/* What is allowed, to stand after "is not": "a whole number from 1 to 10000". */
void option_write_allowed(struct buffer *buffer, const struct option_spec *spec);
/* A given value, to stand in a fault: `"abc"`, cut when long, or "its value" for a secret. */
void option_write_given(struct buffer *buffer, const struct option_spec *spec, struct text text);
/* "0", "250ms", "1m30s", "24h"; text_to_duration_ms reads it back. */
void option_write_duration(struct buffer *buffer, int64_t duration_ms);
/* The text with ****** in place of a user and password in front of a host. When in doubt, hides. */
void option_write_without_credentials(struct buffer *buffer, struct text text);
/* A stranger's text, so that it cannot play tricks on the terminal or the log that shows it: a
 * control character comes out as \x1B, and it is cut when long. */
void option_write_escaped(struct buffer *buffer, struct text text);

#endif
