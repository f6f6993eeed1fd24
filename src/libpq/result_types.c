/* result_types.c - the getters that return times, network addresses and uuids. */
#include "libpq/place.h"

#include <string.h>

/* ---- time ---- */

int64_t evpq_result_timestamptz(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "timestamptz"};
    struct value v;
    int64_t value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_timestamptz(&v, &value)))
        return 0;
    return value;
}

int64_t evpq_result_timestamp(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "timestamp"};
    struct value v;
    int64_t value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_timestamp(&v, &value)))
        return 0;
    return value;
}

int32_t evpq_result_date(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "date"};
    struct value v;
    int32_t value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_date(&v, &value)))
        return 0;
    return value;
}

int64_t evpq_result_time(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "time"};
    struct value v;
    int64_t value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_time(&v, &value)))
        return 0;
    return value;
}

int64_t evpq_result_timetz(const evpq_result *r, int row, int column, int32_t *ret_offset)
{
    struct place at = {r, row, column, "timetz"};
    struct value v;
    int64_t value = 0;
    *ret_offset = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_timetz(&v, &value, ret_offset)))
        return 0;
    return value;
}

bool evpq_result_interval(const evpq_result *r, int row, int column, evpq_interval *ret_interval)
{
    struct place at = {r, row, column, "interval"};
    struct value v;
    memset(ret_interval, 0, sizeof *ret_interval);
    return place_find_known(&at, &v) && place_fits(&at, value_as_interval(&v, ret_interval));
}

/* ---- uuid and networks ---- */

bool evpq_result_uuid(const evpq_result *r, int row, int column, uint8_t ret_uuid[16])
{
    struct place at = {r, row, column, "uuid"};
    struct value v;
    memset(ret_uuid, 0, 16);
    return place_find_known(&at, &v) && place_fits(&at, value_as_uuid(&v, ret_uuid));
}

bool evpq_result_inet(const evpq_result *r, int row, int column, evpq_inet *ret_inet)
{
    struct place at = {r, row, column, "inet"};
    struct value v;
    memset(ret_inet, 0, sizeof *ret_inet);
    return place_find_known(&at, &v) && place_fits(&at, value_as_inet(&v, ret_inet));
}

bool evpq_result_macaddr(const evpq_result *r, int row, int column, uint8_t ret_address[6])
{
    struct place at = {r, row, column, "macaddr"};
    struct value v;
    memset(ret_address, 0, 6);
    return place_find_known(&at, &v) && place_fits(&at, value_as_macaddr(&v, ret_address));
}

bool evpq_result_macaddr8(const evpq_result *r, int row, int column, uint8_t ret_address[8])
{
    struct place at = {r, row, column, "macaddr8"};
    struct value v;
    memset(ret_address, 0, 8);
    return place_find_known(&at, &v) && place_fits(&at, value_as_macaddr8(&v, ret_address));
}
