/* Base64 (RFC 4648, section 4), strict: padded, without white space, and with no second way to
 * write the same bytes. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

/* Appends; false when it does not fit. */
bool base64_encode(struct buffer *buffer, struct text bytes);
/* Appends; false when it is not Base64 or does not fit. What was appended before then stays. */
bool base64_decode(struct buffer *buffer, struct text encoded);

#endif
