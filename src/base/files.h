/* Small files that are read whole. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "base/buffer.h"
#include "base/error.h"

/* Appends the whole file. STATUS_INVALID, in words with the path: it cannot be read; STATUS_FULL:
 * it is larger than the buffer may become. */
enum status file_read(const char *path, struct buffer *buffer, struct error *error);

#endif
