#include "metrics/block.h"

#include "base/check.h"
#include "base/memory.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct block *first; /* guarded by the mutex; what is in the list stays there */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* exists to be told when a thread ends */

static _Thread_local struct block *mine;

/* A destructor that runs after this one and counts takes a block again, and this runs again. */
static void give_back(void *held) {
    struct block *block = held;
    mine = NULL;
    pthread_mutex_lock(&mutex);
    check(block->held);
    block->held = false;
    pthread_mutex_unlock(&mutex);
}

static void create_key(void) {
    int failed = pthread_key_create(&key, give_back);
    check(failed == 0);
}

static struct block *take(void) {
    pthread_once(&once, create_key);
    pthread_mutex_lock(&mutex);
    struct block *block = first;
    while (block != NULL && block->held)
        block = block->next;
    if (block == NULL) {
        block = memory_zeroed(1, sizeof *block);
        block->next = first;
        first = block;
    }
    block->held = true;
    pthread_mutex_unlock(&mutex);
    int failed = pthread_setspecific(key, block);
    check(failed == 0);
    return block;
}

struct block *block_mine(void) {
    if (mine == NULL)
        mine = take();
    return mine;
}

void block_add(_Atomic uint64_t *value, uint64_t amount) {
    /* No locked add: nobody else writes here. */
    uint64_t before = atomic_load_explicit(value, memory_order_relaxed);
    atomic_store_explicit(value, before + amount, memory_order_relaxed);
}

uint64_t block_sum(size_t offset) {
    check(offset + sizeof(uint64_t) <= offsetof(struct block, next));
    uint64_t sum = 0;
    pthread_mutex_lock(&mutex);
    for (struct block *block = first; block != NULL; block = block->next) {
        const _Atomic uint64_t *value = (const void *)((const char *)block + offset);
        sum += atomic_load_explicit(value, memory_order_relaxed);
    }
    pthread_mutex_unlock(&mutex);
    return sum;
}
