/* The .env file: NAME=value lines.
 *
 * A line may begin with "export "; a line that begins with # is a comment, and so is what follows
 * " #" after a value. 'Single quotes' are literal, "double quotes" know \n \t \" \\; nothing is
 * expanded and nothing spans lines. CRLF line ends and a byte order mark are passed over. */
#ifndef CONFIG_ENV_FILE_H
#define CONFIG_ENV_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

#define ENV_FILE_BYTES_MAX (1024 * 1024)
#define ENV_FILE_FAULTS_MAX 20 /* further ones are only counted */

struct env_entry {
    struct text key;
    struct text value; /* any bytes; empty when nothing stands after the '=' */
};

struct env_file {
    struct env_entry *entries; /* in the order of the lines */
    size_t count;
    char *bytes; /* what the entries point into */
};

/* To be ended with env_file_deinit, whatever is returned. STATUS_NOT_FOUND: there is no such file
 * (and no fault is appended). STATUS_INVALID: faults were appended, one a line, naming file and
 * line but never what stands there, which may be a secret; the good lines are in the entries. */
enum status env_file_read(struct env_file *file, const char *path, struct buffer *faults);
/* The same for bytes that malloc gave, which become the file's. `path` is what faults name. */
enum status env_file_parse(struct env_file *file, const char *path, char *bytes, size_t len,
                           struct buffer *faults);
void env_file_deinit(struct env_file *file);

#endif
