/* scan.c - a row into variables. */
#include "libpq/place.h"

#include <evpq/scan.h>
#include <string.h>

/* What any target can become; all zero where there is nothing. */
union read {
    bool yes;
    int16_t int2;
    int32_t int4;
    int64_t int8;
    uint32_t oid;
    float float4;
    double float8;
    const char *text;
    evpq_interval interval;
    evpq_inet inet;
};

static size_t scan_size_of(int kind)
{
    static const size_t sizes[] = {
        [EVPQ_TARGET_BOOL] = sizeof(bool),
        [EVPQ_TARGET_INT2] = sizeof(int16_t),
        [EVPQ_TARGET_INT4] = sizeof(int32_t),
        [EVPQ_TARGET_INT8] = sizeof(int64_t),
        [EVPQ_TARGET_OID] = sizeof(uint32_t),
        [EVPQ_TARGET_FLOAT4] = sizeof(float),
        [EVPQ_TARGET_FLOAT8] = sizeof(double),
        [EVPQ_TARGET_TEXT] = sizeof(const char *),
        [EVPQ_TARGET_INTERVAL] = sizeof(evpq_interval),
        [EVPQ_TARGET_INET] = sizeof(evpq_inet),
    };
    return sizes[kind];
}

static void read(const evpq_result *r, int row, int column, int kind, union read *to)
{
    switch (kind) {
    case EVPQ_TARGET_BOOL:
        to->yes = evpq_result_bool(r, row, column);
        break;
    case EVPQ_TARGET_INT2:
        to->int2 = evpq_result_int2(r, row, column);
        break;
    case EVPQ_TARGET_INT4:
        to->int4 = evpq_result_int4(r, row, column);
        break;
    case EVPQ_TARGET_INT8:
        to->int8 = evpq_result_int8(r, row, column);
        break;
    case EVPQ_TARGET_OID:
        to->oid = evpq_result_oid(r, row, column);
        break;
    case EVPQ_TARGET_FLOAT4:
        to->float4 = evpq_result_float4(r, row, column);
        break;
    case EVPQ_TARGET_FLOAT8:
        to->float8 = evpq_result_float8(r, row, column);
        break;
    case EVPQ_TARGET_TEXT:
        to->text = evpq_result_text(r, row, column);
        break;
    case EVPQ_TARGET_INTERVAL:
        evpq_result_interval(r, row, column, &to->interval);
        break;
    case EVPQ_TARGET_INET:
        evpq_result_inet(r, row, column, &to->inet);
        break;
    }
}

static void scan(const evpq_result *r, int row, int column, const evpq_target *target)
{
    union read value;
    memset(&value, 0, sizeof value);
    bool is_null = target->is_null && evpq_result_is_null(r, row, column);
    if (target->is_null)
        *target->is_null = is_null;
    if (!is_null)
        read(r, row, column, target->kind, &value);
    memcpy(target->to, &value, scan_size_of(target->kind));
}

static void clear(const evpq_target *target)
{
    memset(target->to, 0, scan_size_of(target->kind));
    if (target->is_null)
        *target->is_null = true;
}

bool evpq_result_scan(const evpq_result *r, int row, size_t n, const evpq_target *targets)
{
    struct place at = {r, row, 0, "variables"};
    struct notes *notes = r ? result_owner(r)->notes : NULL;
    evpq_error *before = notes ? notes->fault : NULL;
    if (notes)
        notes->fault = NULL;
    bool matches = r && n == r->columns;
    if (r && !matches)
        place_fault_count(&at, n);
    for (size_t i = 0; i < n; i++)
        if (matches)
            scan(r, row, (int)i, &targets[i]);
        else
            clear(&targets[i]);
    bool whole = notes && !notes->fault;
    if (before) {
        evpq_error_unref(notes->fault);
        notes->fault = before;
    }
    return whole;
}
