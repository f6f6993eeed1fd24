/* split.c - evpq-run's splitter: the same statements, however the text comes in. */
#include "fuzz/fuzz.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_pieces(data, size, split_in_pieces);
    return 0;
}
