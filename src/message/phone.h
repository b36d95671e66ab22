/* Recipients: telephone numbers in international form. */
#ifndef MESSAGE_PHONE_H
#define MESSAGE_PHONE_H

#include "base/text.h"

/* NULL when it is an E.164 number ('+', then 2 to 15 digits, the first not 0: ITU-T E.164,
 * section 6); else what is wrong, in words for the one who sent it. */
const char *phone_fault(struct text recipient);

#endif
