#include "base/random.h"

#include "base/check.h"

#include <stdio.h>
#include <sys/random.h>

struct random random_from_seed(uint64_t seed) {
    return (struct random){seed};
}

struct random random_from_system(void) {
    uint64_t seed = 0;
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    check(got == (ssize_t)sizeof seed);
    return random_from_seed(seed);
}

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t random_next(struct random *random) {
    check(random != NULL);
    uint64_t z = random->state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound) {
    if (bound == 0)
        return 0;
    return random_next(random) % bound; /* the bias is below bound / 2^64 */
}

void random_uuid(struct random *random, char text[UUID_TEXT_BYTES]) {
    uint64_t high = (random_next(random) & ~0xF000ULL) | 0x4000ULL;
    uint64_t low = (random_next(random) & ~(3ULL << 62)) | (2ULL << 62);
    snprintf(text, UUID_TEXT_BYTES, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16) & 0xFFFF, (unsigned)high & 0xFFFF, (unsigned)(low >> 48),
             (unsigned long long)low & 0xFFFFFFFFFFFFULL);
}
