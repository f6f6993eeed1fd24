#include "support/values_impl.h"

enum { THING_FIELDS = 6, ID = 0, NOTE, LIST, GRID, SPAN, AT };

static const uint32_t thing_types[THING_FIELDS] = {23, 25, 1016, 1009, 3904, 1184};

static void make_span(struct item *i, struct dice *d, uint32_t type)
{
    int64_t low = values_number(d, -1000000, 1000000);
    static const unsigned flags[] = {0, EVPQ_RANGE_LOWER_INC, EVPQ_RANGE_UPPER_INC,
                                     EVPQ_RANGE_LOWER_INC | EVPQ_RANGE_UPPER_INC, EVPQ_RANGE_EMPTY};
    i->bounds[0] = evpq_int(low);
    i->bounds[1] = evpq_int(low + dice_below(d, 100));
    unsigned chosen = flags[dice_below(d, 5)];
    bool low_given = dice_below(d, 5) && chosen != EVPQ_RANGE_EMPTY;
    bool high_given = dice_below(d, 5) && chosen != EVPQ_RANGE_EMPTY;
    i->fields[SPAN] = evpq_range_of(type, low_given ? &i->bounds[0] : NULL,
                                    high_given ? &i->bounds[1] : NULL, chosen);
}

static void read_span(struct item *i, const evpq_result *range, uint32_t type)
{
    unsigned flags = evpq_result_range_flags(range, 0);
    bool low = !(flags & (EVPQ_RANGE_LOWER_INF | EVPQ_RANGE_EMPTY));
    bool high = !(flags & (EVPQ_RANGE_UPPER_INF | EVPQ_RANGE_EMPTY));
    if (low)
        i->bounds[0] = evpq_param(1700, evpq_result_text(range, 0, 0));
    if (high)
        i->bounds[1] = evpq_param(1700, evpq_result_text(range, 0, 1));
    i->fields[SPAN] =
        evpq_range_of(type, low ? &i->bounds[0] : NULL, high ? &i->bounds[1] : NULL, flags);
}

void values_make_range(struct item *i, struct dice *d)
{
    make_span(i, d, 3906);
    i->arg = i->fields[SPAN];
}

void values_read_range(struct item *i, const struct item *made, const evpq_result *r, int row,
                       int column)
{
    (void)made;
    read_span(i, evpq_result_range(r, row, column, 0), 3906);
    i->arg = i->fields[SPAN];
}

static evpq_arg made_grid(struct item *i, struct dice *d)
{
    int wide = 1 + (int)dice_below(d, 3), high = 1 + (int)dice_below(d, 3);
    i->shape = (evpq_shape){2, {high, wide}, {(int32_t)values_number(d, -9, 9), 1}};
    for (int k = 0; k < wide * high; k++) {
        values_word(d, i->words[k], sizeof i->words[k]);
        i->grid[k] = dice_below(d, 5) ? evpq_text(i->words[k]) : evpq_null();
    }
    return evpq_shaped(evpq_array_of(25, i->grid, (size_t)(wide * high)), &i->shape);
}

void values_make_thing(struct item *i, struct dice *d)
{
    size_t n = dice_below(d, ITEM_PARTS);
    for (size_t k = 0; k < n; k++)
        i->list[k] =
            dice_below(d, 5) ? evpq_int(values_number(d, INT64_MIN, INT64_MAX)) : evpq_null();
    values_word(d, i->text, 40);
    i->fields[ID] = evpq_int(values_number(d, INT32_MIN, INT32_MAX));
    i->fields[NOTE] = evpq_text(i->text);
    i->fields[LIST] = evpq_array_of(20, i->list, n);
    i->fields[GRID] = made_grid(i, d);
    make_span(i, d, 3904);
    i->fields[AT] = evpq_timestamptz(values_stamp(d));
    if (!dice_below(d, 4))
        i->fields[dice_below(d, THING_FIELDS)] = evpq_null();
    i->arg = evpq_record_of(0, thing_types, i->fields, THING_FIELDS);
}

static size_t read_list(evpq_arg *list, const evpq_result *array, bool text)
{
    size_t n = 0;
    for (int k = 0; k < evpq_result_rows(array) && n < ITEM_PARTS; k++) {
        bool null = evpq_result_is_null(array, k, 0);
        list[n++] = null   ? evpq_null()
                    : text ? evpq_text(evpq_result_text(array, k, 0))
                           : evpq_int(evpq_result_int8(array, k, 0));
    }
    return n;
}

void values_read_thing(struct item *i, const struct item *made, const evpq_result *r, int row,
                       int column)
{
    const evpq_result *thing = evpq_result_record(r, row, column);
    (void)made;
    for (int k = 0; k < THING_FIELDS; k++)
        i->fields[k] = evpq_null();
    if (!evpq_result_is_null(thing, 0, ID))
        i->fields[ID] = evpq_int(evpq_result_int4(thing, 0, ID));
    i->fields[NOTE] = evpq_text(evpq_result_text(thing, 0, NOTE));
    const evpq_result *list = evpq_result_array(thing, 0, LIST);
    if (list)
        i->fields[LIST] = evpq_array_of(20, i->list, read_list(i->list, list, false));
    const evpq_result *grid = evpq_result_array(thing, 0, GRID);
    if (grid) {
        evpq_result_shape(grid, &i->shape);
        i->fields[GRID] =
            evpq_shaped(evpq_array_of(25, i->grid, read_list(i->grid, grid, true)), &i->shape);
    }
    const evpq_result *span = evpq_result_range(thing, 0, SPAN, 23);
    if (span)
        read_span(i, span, 3904);
    if (!evpq_result_is_null(thing, 0, AT))
        i->fields[AT] = evpq_timestamptz(evpq_result_timestamptz(thing, 0, AT));
    i->arg = evpq_record_of(0, thing_types, i->fields, THING_FIELDS);
}
