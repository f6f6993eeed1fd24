/* offer.h - a result as the value of a future, which must not be lost when nobody looks at it. The
 * future may be let go of, or one around it canceled, just when the result has come. */
#ifndef OPS_OFFER_H
#define OPS_OFFER_H

#include "async/future.h"

#include <evpq/result.h>

struct offer {
    evpq_result *result;
    bool seen; /* evpq_future_result has given it */
    /* The future is gone: whose it is takes it back, or frees it. */
    void (*back)(struct offer *);
};
extern const struct value_class offer_class;

/* For evpq_future_result. NULL when it is no offer that the future is done with. */
const evpq_result *offer_look(const evpq_future *f);

#endif
