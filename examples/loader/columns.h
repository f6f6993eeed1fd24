/* columns.h - which columns are loaded, and what each becomes in Arrow. Read once from a result
 * without rows, and then the same for every range. */
#ifndef LOADER_COLUMNS_H
#define LOADER_COLUMNS_H

#include "arrow.h"

#include <evpq/evpq.h>
#include <stddef.h>

/* How the server's bytes become values of a column. */
enum decode {
    DECODE_BOOL,      /* kept as a byte until it becomes a bit of a batch */
    DECODE_SWAP,      /* 2, 4 or 8 bytes in network byte order */
    DECODE_DATE,      /* days since 2000 */
    DECODE_TIMESTAMP, /* microseconds since 2000 */
    DECODE_COPY,      /* as they are */
    DECODE_VARIABLE,  /* as they are, each as long as it is */
};

struct column {
    char *name;
    const char *format; /* Arrow's */
    enum decode decode;
    size_t width; /* bytes of a value; 0: they differ */
};

struct columns {
    size_t n;
    struct column *v;
};

/* Fills *ret (columns_free) from the columns of `r`. EVPQ_OK; EVPQ_NOMEM; EVPQ_TYPE where there is
 * a type that has no place in Arrow here: *ret_misfit is then its column. */
evpq_status columns_read(const evpq_result *r, struct columns *ret, int *ret_misfit);
void columns_free(struct columns *columns);

/* What a column of the type `oid` can be cast to. */
const char *columns_advice(uint32_t oid);

/* A struct with a field for each column, given: its release. EVPQ_OK or EVPQ_NOMEM. */
evpq_status columns_schema(const struct columns *columns, struct ArrowSchema *ret);

#endif
