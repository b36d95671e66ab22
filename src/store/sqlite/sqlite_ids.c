#include "store/sqlite/sqlite_ids.h"

#include "base/memory.h"

#include <stdlib.h>

void sqlite_ids_deinit(struct sqlite_ids *ids) {
    free(ids->items);
    *ids = (struct sqlite_ids){0};
}

void sqlite_ids_add(struct sqlite_ids *ids, int64_t id) {
    if (ids->count == ids->size) {
        ids->size = ids->size > 0 ? ids->size * 2 : 256;
        ids->items = memory_resize(ids->items, ids->size, sizeof *ids->items);
    }
    ids->items[ids->count++] = id;
}

void sqlite_ids_parse(struct sqlite_ids *ids, struct text json) {
    if (json.len < 2 || json.data[0] != '[')
        return;
    struct text rest = {json.data + 1, json.len - 2};
    while (rest.data != NULL) {
        int64_t id = 0;
        if (text_to_int64(text_cut(&rest, ','), &id))
            sqlite_ids_add(ids, id);
    }
}

static int compare(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void sqlite_ids_sort(struct sqlite_ids *ids) {
    if (ids->count > 0)
        qsort(ids->items, ids->count, sizeof *ids->items, compare);
}

bool sqlite_ids_contain(const struct sqlite_ids *ids, int64_t id) {
    return ids->count > 0 &&
           bsearch(&id, ids->items, ids->count, sizeof *ids->items, compare) != NULL;
}

void sqlite_ids_write_unsettled(struct buffer *json, const struct claim *claim) {
    buffer_append_byte(json, '[');
    for (size_t i = 0; i < claim->count; i++) {
        if (claim->settled[i])
            continue;
        if (json->len > 1)
            buffer_append_byte(json, ',');
        buffer_append_string(json, claim->messages[i].id.text);
    }
    buffer_append_byte(json, ']');
}
