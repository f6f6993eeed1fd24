/*
 * Random values of every type: made as arguments, and read back from a result as arguments again,
 * so that a server can say whether the two are the same.
 */
#ifndef TESTS_SUPPORT_VALUES_H
#define TESTS_SUPPORT_VALUES_H

#include <evpq/evpq.h>

#include "support/dice.h"

enum { ITEM_TEXT = 600, ITEM_PARTS = 12 };

/* One value, with all that its argument leads to. Not to be moved. */
struct item {
    evpq_arg arg;
    int scale;
    evpq_interval interval;
    evpq_inet inet;
    uint8_t bytes[16];
    evpq_shape shape;
    evpq_arg fields[6], bounds[2], list[ITEM_PARTS], grid[ITEM_PARTS];
    char text[ITEM_TEXT];
    char words[ITEM_PARTS][24];
};

struct value_kind {
    const char *type;  /* as SQL has it */
    bool has_no_equal; /* the type has no operator =, and is compared by its text alone */
    void (*make)(struct item *item, struct dice *d);
    /* What is at the place, which is not NULL; `made` is the value that it is to be. It may lead
     * into the result. */
    void (*read)(struct item *item, const struct item *made, const evpq_result *r, int row,
                 int column);
};

extern const struct value_kind value_kinds[];
extern const int value_kinds_count;

/* The types that value_kinds needs the server to have. */
extern const char values_setup[];

#endif
