/* How often each message id was seen: a hash table of bounded size. Not for several threads. */
#ifndef CLI_MOCK_IDS_H
#define CLI_MOCK_IDS_H

#include "base/arena.h"

#define MOCK_IDS_MAX 4000000
#define MOCK_ID_BYTES_MAX 255

struct mock_id {
    struct text id; /* data == NULL: a free slot */
    uint32_t received;
    uint32_t accepted;
};

struct mock_ids {
    struct mock_id *slots;
    size_t count;
    size_t size;
    struct arena texts;
};

/* Empty; its texts are its own. */
void mock_ids_init(struct mock_ids *ids);
void mock_ids_deinit(struct mock_ids *ids);

/* NULL when it was never seen. */
struct mock_id *mock_ids_find(const struct mock_ids *ids, struct text id);
/* Found or added; NULL when MOCK_IDS_MAX are there or it is longer than MOCK_ID_BYTES_MAX. */
struct mock_id *mock_ids_add(struct mock_ids *ids, struct text id);

#endif
