/* A folder that is there for one test only. */
#ifndef SUPPORT_TEMPORARY_H
#define SUPPORT_TEMPORARY_H

#define TEMPORARY_PATH_BYTES_MAX 512

struct temporary {
    char path[TEMPORARY_PATH_BYTES_MAX];
};

/* Makes a new, empty folder below TMPDIR, or /tmp without one. */
void temporary_init(struct temporary *temporary);
/* Removes it with everything in it. */
void temporary_deinit(struct temporary *temporary);
/* The path of the file `name` in the folder; `path` has room for TEMPORARY_PATH_BYTES_MAX. */
void temporary_join(const struct temporary *temporary, const char *name, char *path);
/* Writes a file of these bytes, which end with a NUL that is not written, into the folder. */
void temporary_write(const struct temporary *temporary, const char *name, const char *bytes);

#endif
