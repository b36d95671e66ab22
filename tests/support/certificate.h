/* Certificates for 127.0.0.1 that sign themselves, made on the spot. */
#ifndef SUPPORT_CERTIFICATE_H
#define SUPPORT_CERTIFICATE_H

#include "support/temporary.h"

/* Writes a certificate in the name of `name`, and its key, into two files of the folder, as PEM. */
void certificate_write(const struct temporary *folder, const char *name,
                       const char *certificate_file, const char *key_file);

#endif
