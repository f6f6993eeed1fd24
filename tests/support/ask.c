/* ask.c - see ask.h. */
#include "support/ask.h"

#include <evpq/nested.h>
#include <string.h>

enum { DEEPEST = 4, LONGEST = 1 << 26 };

#define HOLDS(condition) \
 do {                    \
  if (!(condition))      \
   return #condition;    \
 } while (0)

static const char *ask_numbers(const evpq_result *r, int row, int column, int scale)
{
    uint8_t room[16];
    int32_t offset;
    size_t length;
    evpq_interval interval;
    evpq_inet inet;
    evpq_result_bool(r, row, column);
    evpq_result_int8(r, row, column);
    evpq_result_float4(r, row, column);
    evpq_result_float8(r, row, column);
    evpq_result_scaled(r, row, column, scale);
    evpq_result_uuid(r, row, column, room);
    evpq_result_timestamptz(r, row, column);
    evpq_result_timestamp(r, row, column);
    evpq_result_date(r, row, column);
    evpq_result_time(r, row, column);
    evpq_result_timetz(r, row, column, &offset);
    evpq_result_interval(r, row, column, &interval);
    evpq_result_macaddr(r, row, column, room);
    evpq_result_macaddr8(r, row, column, room);
    if (evpq_result_inet(r, row, column, &inet))
        HOLDS(inet.bits <= (inet.family == EVPQ_INET4 ? 32 : 128));
    evpq_result_bytes(r, row, column, &length);
    return NULL;
}

static const char *ask_text(const evpq_result *r, int row, int column)
{
    evpq_result_fault_clear(r);
    const char *text = evpq_result_text(r, row, column);
    bool is_null = evpq_result_is_null(r, row, column);
    HOLDS(!text == (is_null || evpq_result_fault(r)));
    HOLDS(!text || strlen(text) < LONGEST);
    HOLDS(evpq_result_text(r, row, column) == text);
    size_t length;
    const char *raw = evpq_result_raw(r, row, column, &length);
    HOLDS(!raw || !raw[length]);
    return NULL;
}

static const char *ask(const evpq_result *r, int scale, int depth);

static const char *ask_inside(const evpq_result *r, int row, int column, int scale, int depth)
{
    evpq_shape shape;
    const evpq_result *array = evpq_result_array(r, row, column);
    int64_t product = evpq_result_shape(array, &shape) > 0;
    for (int i = 0; i < shape.dimensions; i++)
        product *= shape.length[i];
    HOLDS(product == evpq_result_rows(array));
    const evpq_result *range = evpq_result_range(r, row, column, 25);
    for (int i = 0; i < evpq_result_rows(range); i++)
        HOLDS(evpq_result_range_flags(range, i) < 32);
    const char *wrong = ask(array, scale, depth);
    if (!wrong)
        wrong = ask(evpq_result_record(r, row, column), scale, depth);
    return wrong ? wrong : ask(range, scale, depth);
}

static const char *ask(const evpq_result *r, int scale, int depth)
{
    if (depth == DEEPEST)
        return NULL;
    for (int row = 0; row < evpq_result_rows(r); row++)
        for (int column = 0; column < evpq_result_columns(r); column++) {
            const char *wrong = ask_numbers(r, row, column, scale);
            if (!wrong)
                wrong = ask_text(r, row, column);
            if (!wrong)
                wrong = ask_inside(r, row, column, scale, depth + 1);
            if (wrong)
                return wrong;
        }
    return NULL;
}

const char *ask_everything(const evpq_result *r, int scale)
{
    return ask(r, scale, 0);
}
