#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define PIECE_BYTES 65536

void spool_init(struct spool *spool) {
    *spool = (struct spool){.file = -1};
    buffer_init(&spool->memory, SPOOL_MEMORY_BYTES);
}

void spool_deinit(struct spool *spool) {
    buffer_deinit(&spool->memory);
    if (spool->file >= 0)
        close(spool->file);
    spool->file = -1;
}

static enum status open_file(struct spool *spool, struct error *error) {
    char path[PATH_BYTES];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/posthaste-XXXXXX",
             folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    spool->file = mkostemp(path, O_CLOEXEC);
    if (spool->file < 0)
        return error_set(error, STATUS_FULL, "make a temporary file: %s (TMPDIR)", strerror(errno));
    unlink(path);
    return STATUS_OK;
}

static enum status write_file(struct spool *spool, struct text bytes, struct error *error) {
    while (bytes.len > 0) {
        ssize_t count = write(spool->file, bytes.data, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_set(error, STATUS_FULL, "write to a temporary file: %s (TMPDIR)",
                             strerror(errno));
        bytes = (struct text){bytes.data + count, bytes.len - (size_t)count};
        spool->written += count;
    }
    return STATUS_OK;
}

enum status spool_write(struct spool *spool, struct text bytes, struct error *error) {
    if (spool->file < 0 && spool->memory.len + bytes.len < SPOOL_MEMORY_BYTES &&
        buffer_append(&spool->memory, bytes))
        return STATUS_OK;
    enum status status = spool->file < 0 ? open_file(spool, error) : STATUS_OK;
    return status == STATUS_OK ? write_file(spool, bytes, error) : status;
}

static enum status read_file(struct spool *spool, struct buffer *target, size_t bytes_max,
                             struct error *error) {
    char piece[PIECE_BYTES];
    int64_t offset = spool->read - (int64_t)spool->memory.len;
    size_t wanted = bytes_max < sizeof piece ? bytes_max : sizeof piece;
    ssize_t count = spool->file >= 0 ? pread(spool->file, piece, wanted, offset) : 0;
    if (count < 0)
        return error_set(error, STATUS_UNAVAILABLE, "read a temporary file: %s", strerror(errno));
    buffer_append(target, (struct text){piece, (size_t)count});
    spool->read += count;
    return STATUS_OK;
}

enum status spool_read(struct spool *spool, struct buffer *target, size_t bytes_max,
                       struct error *error) {
    size_t in_memory = spool->memory.len;
    if (spool->read >= (int64_t)in_memory)
        return read_file(spool, target, bytes_max, error);
    size_t left = in_memory - (size_t)spool->read;
    size_t count = left < bytes_max ? left : bytes_max;
    buffer_append(target, (struct text){spool->memory.data + spool->read, count});
    spool->read += (int64_t)count;
    return STATUS_OK;
}
