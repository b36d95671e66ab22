/* Lengths of time as Go prints them, which clients of programs written in it read. */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/buffer.h"

#include <stdint.h>

/* "1h30m0s", "2m0s", "1.5s", "250ms", "0s"; a negative one as 0. */
void duration_write_go(struct buffer *buffer, int64_t ms);

#endif
