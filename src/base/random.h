/* Randomness as an input. A `struct random` belongs to one thread. It is for jitter and for
 * telling things apart (ids, tokens); it is no source of keys. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

#define UUID_TEXT_BYTES 37 /* with the NUL */

struct random {
    uint64_t state;
};

/* The same seed gives the same numbers. */
struct random random_from_seed(uint64_t seed);
/* Seeded by the kernel. */
struct random random_from_system(void);

/* All 64 bits are random. */
uint64_t random_next(struct random *random);
/* Evenly from 0 to `bound` - 1; 0 when `bound` is 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* A version 4 UUID (RFC 9562) in lower case. */
void random_uuid(struct random *random, char text[UUID_TEXT_BYTES]);

#endif
