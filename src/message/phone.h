/* Recipients: telephone numbers in international form. */
#ifndef MESSAGE_PHONE_H
#define MESSAGE_PHONE_H

#include "base/text.h"

/* NULL when it is an E.164 number ('+', then 2 to 15 digits, the first not 0: ITU-T E.164,
 * section 6); else what is wrong, in words for the one who sent it. */
const char *phone_fault(struct text recipient);

/* The same for what an application wrote into a table of its own, which is handed to the provider
 * as it stands: PHONE_WRITTEN_DIGITS_MIN to _MAX digits, with or without a '+' in front, and with
 * spaces, dashes, dots and brackets between them. */
const char *phone_written_fault(struct text recipient);
#define PHONE_WRITTEN_DIGITS_MIN 2
#define PHONE_WRITTEN_DIGITS_MAX 20

#endif
