/* nested.c - an array, a record or a range in binary, put together by what the input says, so that lengths and counts
 * fit more often than bytes drawn at random do. */
#include "fuzz/fuzz.h"
#include "support/ask.h"
#include "support/rowset.h"

enum { ROOM = 1 << 12, DEEPEST = 5 };

struct made {
    const uint8_t *data; /* what is left of the input */
    size_t size;
    uint8_t bytes[ROOM];
    size_t n;
};

static const uint32_t scalars[] = {16, 17, 20, 23, 25, 701, 1082, 1184, 1186, 1700, 2950, 869};
static const uint32_t arrays[] = {1000, 1001, 1016, 1007, 1009, 1022,
                                  1182, 1185, 1187, 1231, 2951, 1041};
static const uint32_t ranges[] = {3904, 3906, 3908, 3910, 3912, 3926};

static void put(struct made *m, const void *bytes, size_t n)
{
    if (n > ROOM - m->n)
        n = ROOM - m->n;
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
}

/* Wrong by a little, where the input says so. */
static void put_int(struct made *m, uint32_t value)
{
    uint8_t off = fuzz_byte(&m->data, &m->size);
    if (off >= 0xf0)
        value += (uint32_t)(off - 0xf8);
    uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value};
    put(m, bytes, sizeof bytes);
}

static void put_int_at(struct made *m, size_t at, uint32_t value)
{
    size_t n = m->n;
    m->n = at;
    put_int(m, value);
    if (m->n < n)
        m->n = n;
}

static uint32_t make(struct made *m, int depth);

/* With its length before it. */
static void make_item(struct made *m, int depth)
{
    size_t at = m->n;
    put_int(m, 0xffffffff);
    if (fuzz_byte(&m->data, &m->size) % 8 == 0)
        return; /* NULL */
    make(m, depth);
    put_int_at(m, at, (uint32_t)(m->n - at - 4));
}

static uint32_t make_scalar(struct made *m)
{
    uint8_t n = fuzz_byte(&m->data, &m->size) % 24;
    if (n > m->size)
        n = (uint8_t)m->size;
    put(m, m->data, n);
    m->data += n;
    m->size -= n;
    return scalars[fuzz_byte(&m->data, &m->size) % (sizeof scalars / sizeof *scalars)];
}

static uint32_t make_array(struct made *m, int depth)
{
    uint8_t which = fuzz_byte(&m->data, &m->size) % (sizeof arrays / sizeof *arrays);
    uint32_t dimensions = fuzz_byte(&m->data, &m->size) % 4, items = dimensions > 0;
    put_int(m, dimensions);
    put_int(m, 1);
    put_int(m, scalars[which]);
    for (uint32_t i = 0; i < dimensions; i++) {
        uint32_t length = fuzz_byte(&m->data, &m->size) % 4;
        put_int(m, length);
        put_int(m, 1);
        items *= length;
    }
    for (uint32_t i = 0; i < items; i++)
        make_item(m, depth);
    return arrays[which];
}

static uint32_t make_record(struct made *m, int depth)
{
    uint32_t n = fuzz_byte(&m->data, &m->size) % 5;
    put_int(m, n);
    for (uint32_t i = 0; i < n; i++) {
        put_int(m, scalars[fuzz_byte(&m->data, &m->size) % (sizeof scalars / sizeof *scalars)]);
        make_item(m, depth);
    }
    return 2249;
}

static uint32_t make_range(struct made *m, int depth)
{
    uint8_t flags = fuzz_byte(&m->data, &m->size);
    put(m, &flags, 1);
    if (!(flags & (1 | 8)))
        make_item(m, depth);
    if (!(flags & (1 | 16)))
        make_item(m, depth);
    return ranges[fuzz_byte(&m->data, &m->size) % (sizeof ranges / sizeof *ranges)];
}

static uint32_t make(struct made *m, int depth)
{
    switch (depth < DEEPEST ? fuzz_byte(&m->data, &m->size) % 4 : 0) {
    case 1:
        return make_array(m, depth + 1);
    case 2:
        return make_record(m, depth + 1);
    case 3:
        return make_range(m, depth + 1);
    default:
        return make_scalar(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct made m = {.data = data, .size = size};
    uint8_t cut = fuzz_byte(&m.data, &m.size);
    uint32_t type = make(&m, 0);
    if (cut >= 0xf0 && m.n >= cut - 0xf0u)
        m.n -= cut - 0xf0u;
    evpq_result *r = rowset_of_value(type, true, m.bytes, m.n, 'x');
    if (r)
        fuzz_holds(ask_everything(r, 0));
    evpq_result_unref(r);
    return 0;
}
