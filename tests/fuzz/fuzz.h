/* A fuzz target: libFuzzer's interface (https://llvm.org/docs/LibFuzzer.html). */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
