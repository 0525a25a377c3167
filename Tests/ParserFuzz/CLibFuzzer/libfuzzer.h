#ifndef K8SDP_LIBFUZZER_H
#define K8SDP_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

// The entry of LLVM's libFuzzer for programs that have a main of their own.
int LLVMFuzzerRunDriver(int *argc, char ***argv,
                        int (*callback)(const uint8_t *data, size_t size));

#endif
