/* parcel.c - see parcel.h. */
#include "verbs/parcel.h"

static void give_back(void *value)
{
    struct parcel *p = value;
    p->back(p);
}

const struct value_class parcel_class = {.free = give_back};

const evpq_result *parcel_look(const evpq_future *f)
{
    struct parcel *p = future_value(f, &parcel_class);
    if (!p)
        return NULL;
    p->seen = true;
    return p->result;
}
