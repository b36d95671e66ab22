/* Bytes that are written once and then read once, of any number: the first of them in memory, the
 * others in a file without a name, which the system removes with the program. One thread at a
 * time. */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

#define SPOOL_MEMORY_BYTES (256 * 1024)

struct spool {
    struct buffer memory;
    int file; /* negative: none yet */
    int64_t written, read;
};

/* Empty; takes no memory yet. */
void spool_init(struct spool *spool);
/* What was written is gone. */
void spool_deinit(struct spool *spool);

/* STATUS_FULL: there is no room on the disk of TMPDIR; what was written before stays. */
enum status spool_write(struct spool *spool, struct text bytes, struct error *error);
/* The next bytes, up to `bytes_max`, appended; none: that was all. */
enum status spool_read(struct spool *spool, struct buffer *target, size_t bytes_max,
                       struct error *error);

#endif
