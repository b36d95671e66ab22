#include "cli/mock_ids.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

#define SLOTS_MIN 1024
/* More than MOCK_IDS_MAX times the longest id, its NUL and the arena's alignment. */
#define TEXTS_BYTES_MAX ((size_t)MOCK_IDS_MAX * (MOCK_ID_BYTES_MAX + 17))

void mock_ids_init(struct mock_ids *ids) {
    *ids = (struct mock_ids){.size = SLOTS_MIN};
    ids->slots = memory_zeroed(ids->size, sizeof *ids->slots);
    arena_init(&ids->texts, TEXTS_BYTES_MAX);
}

void mock_ids_deinit(struct mock_ids *ids) {
    free(ids->slots);
    arena_deinit(&ids->texts);
    *ids = (struct mock_ids){0};
}

/* FNV-1a, and a mix at the end because the table looks at the low bits. */
static uint64_t hash_of(struct text id) {
    uint64_t hash = 0xCBF29CE484222325;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * 0x100000001B3;
    return hash ^ (hash >> 32);
}

static struct mock_id *slot_for(const struct mock_ids *ids, struct text id) {
    for (size_t at = hash_of(id);; at++) {
        struct mock_id *slot = &ids->slots[at & (ids->size - 1)];
        if (slot->id.data == NULL || text_equal(slot->id, id))
            return slot;
    }
}

static void grow(struct mock_ids *ids) {
    struct mock_ids larger = {.count = ids->count, .size = ids->size * 2, .texts = ids->texts};
    larger.slots = memory_zeroed(larger.size, sizeof *larger.slots);
    for (size_t i = 0; i < ids->size; i++)
        if (ids->slots[i].id.data != NULL)
            *slot_for(&larger, ids->slots[i].id) = ids->slots[i];
    free(ids->slots);
    *ids = larger;
}

struct mock_id *mock_ids_find(const struct mock_ids *ids, struct text id) {
    struct mock_id *slot = slot_for(ids, id);
    return slot->id.data != NULL ? slot : NULL;
}

struct mock_id *mock_ids_add(struct mock_ids *ids, struct text id) {
    check(id.data != NULL);
    struct mock_id *slot = slot_for(ids, id);
    if (slot->id.data != NULL)
        return slot;
    if (ids->count == MOCK_IDS_MAX || id.len > MOCK_ID_BYTES_MAX)
        return NULL;
    if (ids->count * 2 >= ids->size) {
        grow(ids);
        slot = slot_for(ids, id);
    }
    slot->id = arena_copy(&ids->texts, id);
    check(slot->id.data != NULL);
    ids->count++;
    return slot;
}
