#include "store/claim.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

struct claim *claim_create(size_t messages_max) {
    check(messages_max > 0 && messages_max <= CLAIM_MESSAGES_MAX);
    struct claim *claim = memory_zeroed(1, sizeof *claim);
    arena_init(&claim->arena, CLAIM_ARENA_BYTES_MAX);
    claim->messages = arena_alloc(&claim->arena, messages_max * sizeof *claim->messages);
    claim->settled = arena_alloc(&claim->arena, messages_max * sizeof *claim->settled);
    check(claim->messages != NULL && claim->settled != NULL);
    return claim;
}

void claim_destroy(struct claim *claim) {
    if (claim == NULL)
        return;
    arena_deinit(&claim->arena);
    free(claim);
}
