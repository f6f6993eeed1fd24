/* fuzz.h - what the targets of the fuzzers share: see README.md. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's name. Always 0: the input is worth keeping. What does not hold ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_HOLDS(condition) fuzz_holds((condition) ? NULL : #condition)

static inline void fuzz_holds(const char *wrong)
{
    if (wrong) {
        fprintf(stderr, "fuzz: does not hold: %s\n", wrong);
        abort();
    }
}

/* Takes the first byte off the input; 0 at its end. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
    if (!*size)
        return 0;
    ++*data;
    --*size;
    return (*data)[-1];
}

/* A copy that ends with a NUL, so that a sanitizer sees who reads on. Given: free. */
static inline char *fuzz_text(const void *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* What is read of the input, but for its first byte, is the same in pieces of so many bytes. */
static inline void fuzz_in_pieces(const uint8_t *data, size_t size,
                                  char *(*read)(const char *text, size_t length, size_t piece))
{
    size_t piece = (size_t)fuzz_byte(&data, &size) % 32 + 1;
    char *text = fuzz_text(data, size);
    char *whole = read(text, size, size + 1), *pieces = read(text, size, piece);
    FUZZ_HOLDS(!strcmp(whole, pieces));
    free(whole);
    free(pieces);
    free(text);
}

#endif
