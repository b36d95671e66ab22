/* What every fuzzing target has: libFuzzer calls it with bytes of its own making. A target ends the
 * process, by `check`, when a promise is broken. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
