/* offer.c - see offer.h. */
#include "ops/offer.h"

static void give_back(void *value)
{
    struct offer *p = value;
    p->back(p);
}

const struct value_class offer_class = {.free = give_back};

const evpq_result *offer_look(const evpq_future *f)
{
    struct offer *p = future_value(f, &offer_class);
    if (!p)
        return NULL;
    p->seen = true;
    return p->result;
}
