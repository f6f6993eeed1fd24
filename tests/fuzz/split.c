/* split.c - evpq-run's splitter: the same statements, however the text comes in. */
#include "fuzz/fuzz.h"
#include "support/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = (size_t)fuzz_byte(&data, &size) % 32 + 1;
    char *text = fuzz_text(data, size);
    char *whole = split_in_pieces(text, size, size + 1);
    char *pieces = split_in_pieces(text, size, piece);
    FUZZ_HOLDS(!strcmp(whole, pieces));
    free(whole);
    free(pieces);
    free(text);
    return 0;
}
