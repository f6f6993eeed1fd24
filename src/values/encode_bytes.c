/* encode_bytes.c - texts and what is written as one, bytea, uuid. */
#include "base/mem.h"
#include "values/arg_kind.h"
#include "values/encode_impl.h"
#include "values/value_bytes.h"

evpq_error *encode_data(const struct encoding *e)
{
    return encode_put(bytes_put(e->to, e->arg->value.data, e->arg->length));
}

evpq_error *encode_text(const struct encoding *e)
{
    char room[NUMBER_ROOM];
    switch (e->arg->kind) {
    case EVPQ_ARG_TEXT:
        return encode_data(e);
    case EVPQ_ARG_INT:
    case EVPQ_ARG_UINT:
    case EVPQ_ARG_FLOAT:
    case EVPQ_ARG_DOUBLE:
    case EVPQ_ARG_BOOL:
        return encode_put(bytes_put(e->to, room, arg_write_scalar(e->arg, room)));
    default:
        return encode_mismatch(e);
    }
}

/* "char" is one byte, and the empty text a zero byte (charin). */
evpq_error *encode_char(const struct encoding *e)
{
    if (e->arg->kind != EVPQ_ARG_TEXT)
        return encode_mismatch(e);
    if (e->arg->length > 1)
        return encode_wrong(e, "is longer than one byte");
    return encode_put(bytes_put(e->to, e->arg->length ? e->arg->value.data : "", 1));
}

evpq_error *encode_jsonb(const struct encoding *e)
{
    static const uint8_t version = 1; /* jsonb_recv */
    return bytes_put1(e->to, version) ? encode_text(e) : encode_put(false);
}

/* xml_recv goes by the encoding that a declaration names, where xml_in goes by the client's. */
evpq_error *encode_xml(const struct encoding *e)
{
    static const char declares[] = "<?xml";
    const char *text = e->arg->value.data;
    if (e->arg->kind == EVPQ_ARG_TEXT && e->arg->length >= sizeof declares &&
        !memcmp(text, declares, sizeof declares - 1)) {
        const char *end = memmem(text, e->arg->length, "?>", 2);
        if (memmem(text, end ? (size_t)(end - text) : e->arg->length, "encoding", 8))
            return encode_wrong(e, "names an encoding, which its binary form is read by: leave the "
                                   "name out");
    }
    return encode_text(e);
}

evpq_error *encode_bytea(const struct encoding *e)
{
    if (e->arg->kind != EVPQ_ARG_TEXT)
        return encode_mismatch(e);
    size_t length = 0;
    void *room = mem_alloc(bytea_room(e->arg->length));
    if (!room)
        return encode_put(false);
    enum value_fit fit = bytea_read(e->arg->value.data, e->arg->length, room, &length);
    evpq_error *error =
        fit == VALUE_FITS ? encode_put(bytes_put(e->to, room, length)) : encode_misread(e, fit);
    mem_free(room);
    return error;
}

evpq_error *encode_uuid(const struct encoding *e)
{
    uint8_t uuid[UUID_BYTES];
    if (e->arg->kind != EVPQ_ARG_TEXT)
        return encode_mismatch(e);
    enum value_fit fit = uuid_read(e->arg->value.data, e->arg->length, uuid);
    return fit == VALUE_FITS ? encode_put(bytes_put(e->to, uuid, sizeof uuid))
                             : encode_misread(e, fit);
}
