/* How a text travels as SMS: its encoding, and how many messages it takes on the air (3GPP TS
 * 23.038, section 6.2.1, and 23.040, section 9.2.3.24.1: parts with an 8-bit reference). Pure. */
#ifndef MESSAGE_SEGMENTS_H
#define MESSAGE_SEGMENTS_H

#include "base/text.h"

#define SMS_GSM7_ALONE 160 /* septets in a single message */
#define SMS_GSM7_PART 153  /* … and in a part of a longer one */
#define SMS_UCS2_ALONE 70  /* 16-bit units */
#define SMS_UCS2_PART 67

enum sms_encoding { SMS_GSM7, SMS_UCS2 };

struct sms_size {
    enum sms_encoding encoding;
    int64_t units;    /* septets, of which some characters take two; or UTF-16 code units */
    int64_t segments; /* 1 for an empty text */
};

/* GSM 7-bit where every character has a place in its alphabet or the extension of it, else UCS-2. A
 * character of two units is not divided between parts. A byte that is no UTF-8 counts as one
 * character that GSM 7-bit does not have. */
struct sms_size sms_measure(struct text content);
/* "gsm-7", "ucs-2" */
const char *sms_encoding_name(enum sms_encoding encoding);

#endif
