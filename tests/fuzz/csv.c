/* csv.c - evpq-run's reader of CSV: the same rows, however the text comes in. */
#include "fuzz/fuzz.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_pieces(data, size, csv_in_pieces);
    return 0;
}
