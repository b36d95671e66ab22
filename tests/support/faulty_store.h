/* A memory store whose inserts, claims or settles fail a given number of times: what a full disk
 * or a lost database looks like to whoever uses a store. */
#ifndef SUPPORT_FAULTY_STORE_H
#define SUPPORT_FAULTY_STORE_H

#include "store/store.h"

#include <stdatomic.h>

struct faults {
    _Atomic int inserts;   /* so many of the next inserts fail */
    _Atomic int claims;    /* so many of the next claims fail */
    _Atomic int settles;   /* so many of the next settles fail */
    _Atomic int conflicts; /* so many of the next settles find that all their claims are lost */
    _Atomic int spared;    /* but so many of those calls, of any kind, first succeed */
    _Atomic int failed;    /* how many have failed */
};

/* `faults` is borrowed until the store is closed. */
struct store *faulty_store_open(struct faults *faults);

#endif
