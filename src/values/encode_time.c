/* encode_time.c - dates, times and intervals. */
#include "values/encode_impl.h"
#include "values/value_interval.h"

enum { EPOCH_DAYS = 10957 }; /* from 1970-01-01, whence C counts, to 2000-01-01 */

evpq_error *encode_date(const struct encoding *e)
{
    int32_t days = (int32_t)e->arg->value.integer;
    if (e->arg->kind == EVPQ_ARG_TEXT) {
        enum value_fit fit = time_read_date(e->arg->value.data, e->arg->length, &days);
        if (fit != VALUE_FITS)
            return encode_misread(e, fit);
    } else if (e->arg->kind != EVPQ_ARG_DATE) {
        return encode_mismatch(e);
    }
    bool finite = days != INT32_MAX && days != INT32_MIN;
    if (finite && (__builtin_sub_overflow(days, EPOCH_DAYS, &days) || days == INT32_MIN))
        return encode_misread(e, VALUE_RANGE);
    return encode_put(bytes_put4(e->to, (uint32_t)days));
}

evpq_error *encode_stamp(const struct encoding *e, enum time_zone zone)
{
    int kind = zone == TIME_WITH_ZONE ? EVPQ_ARG_TIMESTAMPTZ : EVPQ_ARG_TIMESTAMP;
    int64_t at = e->arg->value.integer;
    if (e->arg->kind == EVPQ_ARG_TEXT) {
        enum value_fit fit = time_read_stamp(e->arg->value.data, e->arg->length, zone, &at);
        if (fit != VALUE_FITS)
            return encode_misread(e, fit);
    } else if (e->arg->kind != kind) {
        return encode_mismatch(e);
    }
    bool finite = at != INT64_MAX && at != INT64_MIN;
    if (finite && (__builtin_sub_overflow(at, ENCODE_EPOCH, &at) || at == INT64_MIN))
        return encode_misread(e, VALUE_RANGE);
    return encode_put(bytes_put8(e->to, (uint64_t)at));
}

evpq_error *encode_time(const struct encoding *e)
{
    int64_t clock = e->arg->value.integer;
    enum value_fit fit = VALUE_FITS;
    if (e->arg->kind == EVPQ_ARG_TEXT)
        fit = time_read_clock(e->arg->value.data, e->arg->length, &clock);
    else if (e->arg->kind != EVPQ_ARG_TIME)
        return encode_mismatch(e);
    return fit == VALUE_FITS ? encode_put(bytes_put8(e->to, (uint64_t)clock))
                             : encode_misread(e, fit);
}

/* The server counts zones westwards (timetz_recv). */
evpq_error *encode_timetz(const struct encoding *e)
{
    int64_t clock = e->arg->value.pair.number;
    int32_t east = e->arg->value.pair.with;
    enum value_fit fit = VALUE_FITS;
    if (e->arg->kind == EVPQ_ARG_TEXT)
        fit = time_read_zoned(e->arg->value.data, e->arg->length, &clock, &east);
    else if (e->arg->kind != EVPQ_ARG_TIMETZ)
        return encode_mismatch(e);
    return fit == VALUE_FITS ? encode_put(bytes_put8(e->to, (uint64_t)clock) &&
                                          bytes_put4(e->to, 0 - (uint32_t)east))
                             : encode_misread(e, fit);
}

evpq_error *encode_interval(const struct encoding *e)
{
    evpq_interval read;
    const evpq_interval *i = e->arg->value.data;
    if (e->arg->kind == EVPQ_ARG_TEXT) {
        enum value_fit fit = interval_read(e->arg->value.data, e->arg->length, &read);
        if (fit != VALUE_FITS)
            return encode_misread(e, fit);
        i = &read;
    } else if (e->arg->kind != EVPQ_ARG_INTERVAL) {
        return encode_mismatch(e);
    }
    return encode_put(bytes_put8(e->to, (uint64_t)i->microseconds) &&
                      bytes_put4(e->to, (uint32_t)i->days) &&
                      bytes_put4(e->to, (uint32_t)i->months));
}
