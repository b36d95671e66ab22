/* Recipients: telephone numbers in international form. */
#ifndef MESSAGE_PHONE_H
#define MESSAGE_PHONE_H

#include "base/text.h"

#define PHONE_NORMAL_BYTES 66 /* with the NUL */

/* NULL when it is an E.164 number ('+', then 2 to 15 digits, the first not 0: ITU-T E.164,
 * section 6); else what is wrong, in words for the one who sent it. */
const char *phone_fault(struct text recipient);

/* Writes what a person means by `written` as one would dial it: without the spaces, dashes, dots
 * and brackets between digits, and with a + for a leading 00. Anything else stays, for phone_fault
 * to find. False: it is longer than any number could be, and `number` is not changed. */
bool phone_normalise(struct text written, char number[PHONE_NORMAL_BYTES]);
#define PHONE_WRITTEN_BYTES_MAX 64

/* The same for what an application wrote into a table of its own, which is handed to the provider
 * as it stands: PHONE_WRITTEN_DIGITS_MIN to _MAX digits, with or without a '+' in front, and with
 * spaces, dashes, dots and brackets between them. */
const char *phone_written_fault(struct text recipient);
#define PHONE_WRITTEN_DIGITS_MIN 2
#define PHONE_WRITTEN_DIGITS_MAX 20

#endif
