/* encode.c - values that hold no others, and the choice of who writes what. */
#include "values/encode.h"

#include "values/arg_kind.h"
#include "values/args.h"
#include "values/codec.h"
#include "values/encode_impl.h"
#include "values/oids.h"
#include "values/value_bytes.h"

/* ---- bytes that a program has made ---- */

static evpq_error *check_data(const struct encoding *e)
{
    if (!e->arg->value.data)
        return encode_invalid(e, "a NULL pointer with a length");
    if (e->arg->length > ARGS_MOST_BYTES)
        return encode_invalid(e, "a gigabyte or more, which the server does not take");
    if (e->arg->kind == EVPQ_ARG_TEXT && memchr(e->arg->value.data, '\0', e->arg->length))
        return encode_invalid(e,
                              "a text with a zero byte in it, which no PostgreSQL text can hold");
    return NULL;
}

static evpq_error *put_binary(const struct encoding *e)
{
    evpq_error *error = check_data(e);
    if (error)
        return error;
    return e->arg->type && e->arg->type != e->type ? encode_mismatch(e) : encode_data(e);
}

/* ---- by type ---- */

static evpq_error *put_scalar(const struct encoding *e);

static const struct encode_rules *rules_of(const struct spot *spot)
{
    static const struct encode_rules none = {.met_text = NULL};
    while (spot->outer)
        spot = spot->outer;
    return spot->rules ? spot->rules : &none;
}

/* What is none of the types below. */
static evpq_error *put_other(const struct encoding *e)
{
    const struct encode_rules *rules = rules_of(e->spot);
    if (e->arg->kind != EVPQ_ARG_TEXT)
        return encode_mismatch(e);
    for (size_t i = 0; i < rules->n; i++)
        if (rules->likenesses[i].type == e->type && rules->likenesses[i].like != e->type) {
            struct encoding like = *e;
            like.type = rules->likenesses[i].like;
            return put_scalar(&like);
        }
    if (!rules->met_text)
        return encode_unknown(e);
    *rules->met_text = true;
    return encode_data(e);
}

static evpq_error *put_scalar(const struct encoding *e)
{
    switch (e->type) {
    case OID_INT8:
        return encode_int(e, INT64_MIN, INT64_MAX, 8);
    case OID_INT4:
        return encode_int(e, INT32_MIN, INT32_MAX, 4);
    case OID_INT2:
        return encode_int(e, INT16_MIN, INT16_MAX, 2);
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
    case OID_JSON:
    case OID_UNKNOWN:
        return encode_text(e);
    case OID_XML:
        return encode_xml(e);
    case OID_FLOAT8:
        return encode_float8(e);
    case OID_FLOAT4:
        return encode_float4(e);
    case OID_TIMESTAMPTZ:
        return encode_stamp(e, TIME_WITH_ZONE);
    case OID_TIMESTAMP:
        return encode_stamp(e, TIME_WITHOUT_ZONE);
    case OID_DATE:
        return encode_date(e);
    case OID_BOOL:
        return encode_bool(e);
    case OID_NUMERIC:
        return encode_numeric(e);
    case OID_UUID:
        return encode_uuid(e);
    case OID_JSONB:
        return encode_jsonb(e);
    case OID_BYTEA:
        return encode_bytea(e);
    case OID_CHAR:
        return encode_char(e);
    case OID_TIME:
        return encode_time(e);
    case OID_TIMETZ:
        return encode_timetz(e);
    case OID_INTERVAL:
        return encode_interval(e);
    case OID_INET:
    case OID_CIDR:
        return encode_inet(e);
    case OID_MACADDR:
        return encode_macaddr(e);
    case OID_OID:
    case OID_XID:
    case OID_CID:
    case OID_REGPROC:
    case OID_REGPROCEDURE:
    case OID_REGCLASS:
    case OID_REGTYPE:
    case OID_REGROLE:
    case OID_REGNAMESPACE:
        return encode_int(e, 0, UINT32_MAX, 4);
    default:
        return put_other(e);
    }
}

/* The type of what declares none. */
static uint32_t own_type(const evpq_arg *arg)
{
    switch (arg->kind) {
    case EVPQ_ARG_INT:
        return OID_INT8;
    case EVPQ_ARG_UINT:
    case EVPQ_ARG_SCALED:
        return OID_NUMERIC;
    case EVPQ_ARG_FLOAT:
        return OID_FLOAT4;
    case EVPQ_ARG_DOUBLE:
        return OID_FLOAT8;
    case EVPQ_ARG_BOOL:
        return OID_BOOL;
    default:
        return OID_TEXT;
    }
}

evpq_error *encode_value(struct bytes *to, const evpq_arg *arg, uint32_t type,
                         const struct spot *spot)
{
    struct encoding e = {to, arg, type, spot};
    if (!type && arg->kind != EVPQ_ARG_ARRAY)
        e.type = arg->type ? arg->type : own_type(arg);
    if (arg->kind < EVPQ_ARG_TEXT)
        return put_scalar(&e);
    if (arg->kind == EVPQ_ARG_TEXT) {
        evpq_error *error = check_data(&e);
        return error ? error : put_scalar(&e);
    }
    if (arg->kind == EVPQ_ARG_BINARY)
        return put_binary(&e);
    if (arg_is_nested(arg))
        return encode_nested(&e, encode_field);
    return arg->kind == EVPQ_ARG_CODED ? codec_encode(&e) : put_scalar(&e);
}

static evpq_error *put_field(struct bytes *to, const evpq_arg *arg, uint32_t type,
                             const struct spot *spot)
{
    size_t start = to->length;
    if (!bytes_put4(to, 0))
        return encode_put(false);
    evpq_error *error = encode_value(to, arg, type, spot);
    if (error)
        return error;
    size_t length = to->length - start - 4;
    if (length > ARGS_MOST_BYTES) {
        struct encoding e = {to, arg, type, spot};
        return encode_invalid(&e, "a gigabyte or more, which the server does not take");
    }
    bytes_patch4(to, start, (uint32_t)length);
    return NULL;
}

static evpq_error *put_sized4(struct bytes *to, uint32_t value)
{
    uint8_t *raw = bytes_take(to, 8);
    if (!raw)
        return encode_put(bytes_put4(to, 4) && bytes_put4(to, value));
    bytes_of4(raw, 4);
    bytes_of4(raw + 4, value);
    return NULL;
}

static evpq_error *put_sized8(struct bytes *to, uint64_t value)
{
    uint8_t *raw = bytes_take(to, 12);
    if (!raw)
        return encode_put(bytes_put4(to, 8) && bytes_put8(to, value));
    bytes_of4(raw, 8);
    bytes_of8(raw + 4, value);
    return NULL;
}

static bool is_plain_text(const evpq_arg *arg)
{
    return arg->value.data && arg->length <= ARGS_MOST_BYTES &&
           !memchr(arg->value.data, '\0', arg->length);
}

/* What is written most, at the least cost; the rest is put_field's. */
evpq_error *encode_field(struct bytes *to, const evpq_arg *arg, uint32_t type,
                         const struct spot *spot)
{
    int64_t value = arg->value.integer;
    uint64_t bits;
    switch (arg->kind) {
    case EVPQ_ARG_NULL:
        return encode_put(bytes_put4(to, UINT32_MAX));
    case EVPQ_ARG_INT:
        if (type == OID_INT8)
            return put_sized8(to, (uint64_t)value);
        if (type == OID_INT4 && value == (int32_t)value)
            return put_sized4(to, (uint32_t)value);
        break;
    case EVPQ_ARG_DOUBLE:
        memcpy(&bits, &arg->value.real, sizeof bits);
        if (type == OID_FLOAT8)
            return put_sized8(to, bits);
        break;
    case EVPQ_ARG_TIMESTAMPTZ:
        if (type == OID_TIMESTAMPTZ && value != INT64_MAX && value > INT64_MIN / 2)
            return put_sized8(to, (uint64_t)(value - ENCODE_EPOCH));
        break;
    case EVPQ_ARG_TEXT:
        if ((type == OID_TEXT || type == OID_VARCHAR) && is_plain_text(arg))
            return encode_put(bytes_put4(to, (uint32_t)arg->length) &&
                              bytes_put(to, arg->value.data, arg->length));
        break;
    default:
        break;
    }
    return put_field(to, arg, type, spot);
}
