/* The ids of a claim's messages, as the claims table keeps them: a JSON array, "[7,8,9]". */
#ifndef STORE_SQLITE_IDS_H
#define STORE_SQLITE_IDS_H

#include "base/buffer.h"
#include "store/claim.h"

struct sqlite_ids {
    int64_t *items;
    size_t count;
    size_t size;
};

/* A zeroed struct is an empty set. */
void sqlite_ids_deinit(struct sqlite_ids *ids);
/* At the end; sort before looking anything up. */
void sqlite_ids_add(struct sqlite_ids *ids, int64_t id);
/* Adds those that `json` lists; what is no number is passed over. */
void sqlite_ids_parse(struct sqlite_ids *ids, struct text json);
/* To be called once after the last was added, before the first is looked for. */
void sqlite_ids_sort(struct sqlite_ids *ids);
bool sqlite_ids_contain(const struct sqlite_ids *ids, int64_t id);

/* Writes the ids of the claim's messages that are not settled. */
#define SQLITE_IDS_JSON_BYTES_MAX (CLAIM_MESSAGES_MAX * (size_t)21 + 2)
void sqlite_ids_write_unsettled(struct buffer *json, const struct claim *claim);

#endif
