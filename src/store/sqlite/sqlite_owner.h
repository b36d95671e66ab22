/* Who owns a claim, and whether that owner still lives.
 *
 * Every open store picks a random number and locks the byte at that offset of the file
 * "<database>-owners". The kernel drops the lock when the process ends, however it ends; so
 * somebody who finds the byte unlocked knows that the owner is gone and need not wait for its
 * leases. (Open file description locks: fcntl(2), F_OFD_SETLK.) */
#ifndef STORE_SQLITE_OWNER_H
#define STORE_SQLITE_OWNER_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>

struct sqlite_owner {
    int descriptor;
    int64_t id;
};

/* Picks an id and locks its byte; on failure nothing is left open. */
enum status sqlite_owner_init(struct sqlite_owner *owner, const char *database_path,
                              struct random *random, struct error *error);
/* From here on others see the owner as gone. */
void sqlite_owner_deinit(struct sqlite_owner *owner);
/* Whether `id` belongs to a store that is gone. In doubt it lives. */
bool sqlite_owner_is_dead(const struct sqlite_owner *self, int64_t id);

#endif
