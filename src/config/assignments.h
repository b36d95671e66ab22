/* What one source (the flags, the environment, the .env file, …) says of the options. */
#ifndef CONFIG_ASSIGNMENTS_H
#define CONFIG_ASSIGNMENTS_H

#include "config/env_file.h"
#include "config/option.h"

struct assignment {
    struct option_match option; /* always a known one */
    struct text value;          /* never empty: that counts as not set */
};

/* Starts zeroed. The values are views of the strings that were added. */
struct assignments {
    struct assignment *items; /* in the order given */
    size_t count;
};

/* A zeroed struct is an empty list. */
void assignments_deinit(struct assignments *assignments);

/* Appends a fault for each unknown flag, missing value, and argument that is no flag. */
void assignments_add_flags(struct assignments *assignments, int count, char *const *flags,
                           struct buffer *faults);
/* "NAME=value", ended by NULL; passes over unknown names. */
void assignments_add_environment(struct assignments *assignments, const char *const *strings);
/* Appends a warning for each unknown key, calling the file `path`. */
void assignments_add_env_file(struct assignments *assignments, const struct env_file *file,
                              const char *path, struct buffer *warnings);

#endif
