/* The table of options.def as data, for what treats all options alike: loading, help, docs. */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_TYPE_TEXT,
    OPTION_TYPE_SECRET,
    OPTION_TYPE_CHOICE,
    OPTION_TYPE_INTEGER,
    OPTION_TYPE_DURATION,
    OPTION_TYPE_BOOLEAN,
};

/* One row; see options.def for the columns. */
struct option_spec {
    const char *name;
    const char *aliases;
    enum option_type type;
    const char *standard;
    int64_t minimum;
    int64_t maximum;
    const char *allowed;
    const char *help;
    size_t offset; /* of its field in struct config */
};

enum {
    OPTION_COUNT = 0
#define OPTION(field, name, aliases, type, standard, minimum, maximum, allowed, help) +1
#include "config/options.def"
#undef OPTION
};

/* The rows in the order of the table, and after them --env-file, which is a flag only and has no
 * field. */
extern const struct option_spec option_specs[OPTION_COUNT + 1];
#define OPTION_ENV_FILE (&option_specs[OPTION_COUNT])

/* An option and the one of its names that was meant, as the table spells it. */
struct option_match {
    const struct option_spec *spec; /* NULL when nothing matches */
    struct text name;
};

/* The name (index 0) and then the aliases; data == NULL after the last. */
struct text option_name_at(const struct option_spec *spec, size_t index);

/* "BATCH_SIZE"; case counts. Never --env-file. */
struct option_match option_find_variable(struct text name);
/* "batch-size", without the leading dashes. */
struct option_match option_find_flag(struct text flag);

/* The known name that an unknown one was probably meant to be; nothing when none is near. Case,
 * and dash or underscore, make no difference here. */
struct option_match option_nearest_variable(struct text unknown);
struct option_match option_nearest_flag(struct text unknown);

/* "--batch-size" for BATCH_SIZE. */
void option_write_flag(struct buffer *buffer, struct text name);

#endif
