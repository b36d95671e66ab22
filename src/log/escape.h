/* Text from outside made safe to stand in a line of the log. */
#ifndef LOG_ESCAPE_H
#define LOG_ESCAPE_H

#include "base/buffer.h"

/* Appends `value` as the inside of a JSON string, in at most `bytes_max` bytes; where that is not
 * enough, it is cut between two code points and ends in an ellipsis (whose 3 bytes are used even
 * where `bytes_max` is less). Also escaped is what JSON would allow but a terminal may obey: the C1
 * controls, line separators and changes of direction. What is not UTF-8 becomes U+FFFD. */
void escape_append(struct buffer *buffer, struct text value, size_t bytes_max);

/* True when escape_append would change nothing but the length. */
bool escape_is_needless(struct text value);

#endif
