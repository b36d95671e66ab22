#include "dispatcher/delivery.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

struct batch *batch_create(struct claim *claim, int64_t lease_until_us) {
    check(claim != NULL && claim->count > 0);
    size_t bytes = sizeof(struct batch) + claim->count * sizeof(struct delivery);
    struct batch *batch = memory_zeroed(1, bytes);
    batch->claim = claim;
    atomic_init(&batch->lease_until_us, lease_until_us);
    for (size_t i = 0; i < claim->count; i++) {
        batch->deliveries[i].batch = batch;
        batch->deliveries[i].index = i;
    }
    return batch;
}

void batch_destroy(struct batch *batch) {
    claim_destroy(batch->claim);
    free(batch);
}
