#include "base/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PIECE_BYTES 4096

enum status file_read(const char *path, struct buffer *buffer, struct error *error) {
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return error_set(error, STATUS_INVALID, "cannot read %s: %s", path, strerror(errno));
    char piece[PIECE_BYTES];
    size_t count = 0;
    while ((count = fread(piece, 1, sizeof piece, stream)) > 0)
        buffer_append(buffer, (struct text){piece, count});
    bool failed = ferror(stream) != 0;
    explicit_bzero(piece, sizeof piece);
    fclose(stream);
    if (failed)
        return error_set(error, STATUS_INVALID, "cannot read %s: %s", path, strerror(errno));
    if (buffer->overflowed)
        return error_set(error, STATUS_FULL, "%s is larger than %zu bytes", path,
                         buffer->bytes_max);
    return STATUS_OK;
}
