/* tally.c - see tally.h. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    return x ^ x >> 32;
}

/* ---- a column of an array, as the specification lays it out ---- */

static bool is_valid(const struct ArrowArray *array, int64_t row)
{
    const unsigned char *bits = array->buffers[0];
    int64_t at = array->offset + row;
    return !bits || bits[at / 8] >> at % 8 & 1;
}

/* Bytes of a value; 0: of variable width, or bits. */
static size_t width_of(const char *format)
{
    switch (format[0]) {
    case 's':
        return 2;
    case 'i':
    case 'I':
    case 'f':
        return 4;
    case 'l':
    case 'g':
        return 8;
    case 't':
        return strcmp(format, "tdD") == 0 ? 4 : 8;
    case 'w':
        return (size_t)atoi(format + 2);
    default:
        return 0;
    }
}

static const void *value_of(const char *format, const struct ArrowArray *array, int64_t row,
                            size_t *ret_length, unsigned char *bit)
{
    int64_t at = array->offset + row;
    size_t width = width_of(format);
    if (width) {
        *ret_length = width;
        return (const char *)array->buffers[1] + (size_t)at * width;
    }
    if (format[0] == 'b') {
        *bit = ((const unsigned char *)array->buffers[1])[at / 8] >> at % 8 & 1;
        *ret_length = 1;
        return bit;
    }
    const int32_t *ends = array->buffers[1];
    *ret_length = (size_t)(ends[at + 1] - ends[at]);
    return (const char *)array->buffers[2] + ends[at];
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const char *p = bytes;
    h ^= n;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = mix(h ^ word);
    }
    if (n == 0)
        return h;
    uint64_t word = 0;
    memcpy(&word, p, n);
    return mix(h ^ word);
}

static void hash_column(uint64_t *hashes, const char *format, const struct ArrowArray *array)
{
    for (int64_t row = 0; row < array->length; row++) {
        unsigned char bit;
        size_t length;
        if (is_valid(array, row)) {
            const void *value = value_of(format, array, row, &length, &bit);
            hashes[row] = hash_bytes(hashes[row], value, length);
        } else {
            hashes[row] = mix(~hashes[row]);
        }
    }
}

/* ---- the tally ---- */

void tally_clear(struct tally *t)
{
    if (t->seen)
        memset(t->seen, 0, t->seen_size);
    t->rows = t->batches = t->checksum = t->order = t->distinct = 0;
}

void tally_free(struct tally *t)
{
    free(t->seen);
    free(t->hashes);
    *t = (struct tally){0};
}

void tally_count(struct tally *t, const struct ArrowArray *batch)
{
    t->rows += (uint64_t)batch->length;
    t->batches++;
}

bool tally_check(struct tally *t, const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
    size_t rows = (size_t)batch->length;
    if (rows > t->hashes_size) {
        free(t->hashes);
        t->hashes = malloc(rows * sizeof *t->hashes);
        t->hashes_size = t->hashes ? rows : 0;
        if (!t->hashes)
            return false;
    }
    memset(t->hashes, 0, rows * sizeof *t->hashes);
    for (int64_t i = 0; i < batch->n_children; i++)
        hash_column(t->hashes, schema->children[i]->format, batch->children[i]);
    for (size_t i = 0; i < rows; i++) {
        t->checksum += mix(t->hashes[i] + 1);
        t->order = mix(t->order ^ t->hashes[i]);
    }
    return true;
}

int64_t tally_find(const struct ArrowSchema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        if (strcmp(column->name, name) == 0)
            return strchr("sil", column->format[0]) ? i : -1;
    }
    return -1;
}

static bool see(struct tally *t, int64_t value)
{
    if (value < 0 || value >> 36)
        return false;
    size_t at = (size_t)value / 8;
    if (at >= t->seen_size) {
        size_t size = at + at / 2 + 4096;
        unsigned char *seen = realloc(t->seen, size);
        if (!seen)
            return false;
        memset(seen + t->seen_size, 0, size - t->seen_size);
        t->seen = seen;
        t->seen_size = size;
    }
    unsigned char bit = (unsigned char)(1u << value % 8);
    t->distinct += !(t->seen[at] & bit);
    t->seen[at] |= bit;
    return true;
}

static int64_t integer(const void *at, size_t width)
{
    if (width == 2)
        return *(const int16_t *)at;
    return width == 4 ? *(const int32_t *)at : *(const int64_t *)at;
}

bool tally_unique(struct tally *t, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                  int64_t column)
{
    const struct ArrowArray *array = batch->children[column];
    size_t width = width_of(schema->children[column]->format);
    for (int64_t row = 0; row < array->length; row++) {
        const char *at = (const char *)array->buffers[1] + (size_t)(array->offset + row) * width;
        if (!is_valid(array, row) || !see(t, integer(at, width)))
            return false;
    }
    return true;
}
