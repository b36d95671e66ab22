/* Times as people and protocols write them. All UTC; instants are milliseconds since 1970. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include "base/text.h"

#define TIMESTAMP_BYTES 32 /* with the NUL */

/* "2026-01-31T09:30:00.250Z" (RFC 3339). Years 0 to 9999. */
void timestamp_format(int64_t unix_ms, char text[TIMESTAMP_BYTES]);
/* Any RFC 3339 time from 1970 to 9999: with a zone, and with or without a fraction, of which the
 * milliseconds count. A leap second is the second after. False leaves `*unix_ms` alone. */
bool timestamp_parse(struct text view, int64_t *unix_ms);

/* The three forms of an HTTP date (RFC 9110, section 5.6.7): IMF-fixdate, RFC 850, asctime.
 * False leaves `*unix_ms` alone. */
bool timestamp_from_http_date(struct text view, int64_t *unix_ms);

#endif
