/* Files that the program carries inside itself. scripts/embed.py writes the arrays at build time,
 * one for each set of files in meson.build, sorted by name. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* without its folder */
    const char *data; /* a NUL follows the last byte */
    size_t len;       /* without that NUL */
};

extern const struct embedded_file embedded_sqlite_migrations[]; /* db/sqlite/ */
extern const size_t embedded_sqlite_migrations_count;
extern const struct embedded_file embedded_postgres_migrations[]; /* db/postgres/ */
extern const size_t embedded_postgres_migrations_count;
extern const struct embedded_file embedded_openapi[]; /* web/openapi/ */
extern const size_t embedded_openapi_count;
/* web/swagger/ and, where they could be fetched, the files of the Swagger UI. */
extern const struct embedded_file embedded_swagger[];
extern const size_t embedded_swagger_count;

#endif
