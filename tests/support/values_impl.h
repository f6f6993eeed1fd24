/*
 * What the parts of values share: values makes what stands alone, values_nested what holds others.
 */
#ifndef TESTS_SUPPORT_VALUES_IMPL_H
#define TESTS_SUPPORT_VALUES_IMPL_H

#include "support/values.h"

/* In [low, high], near its ends or near 0 as often as anywhere. */
int64_t values_number(struct dice *d, int64_t low, int64_t high);

/* UTF-8 that is awkward to quote, shorter than `size` bytes. */
void values_word(struct dice *d, char *room, size_t size);

/* A timestamp that evpq and the server both have. */
int64_t values_stamp(struct dice *d);

void values_make_range(struct item *i, struct dice *d);
void values_read_range(struct item *i, const struct item *made, const evpq_result *r, int row,
                       int column);
void values_make_thing(struct item *i, struct dice *d);
void values_read_thing(struct item *i, const struct item *made, const evpq_result *r, int row,
                       int column);

#endif
