/* encode_error.c - what is said of an argument that cannot be written. */
#include "values/arg_kind.h"
#include "values/encode_impl.h"
#include "words/error.h"

#include <stdio.h>

enum { SPOT_ROOM = 160, TYPE_ROOM = 48 };

static size_t spot_write(const struct spot *spot, char room[SPOT_ROOM])
{
    size_t length = spot->outer ? spot_write(spot->outer, room) : 0;
    int more = snprintf(room + length, SPOT_ROOM - length, "%s%s%zu", length ? ", " : "",
                        spot->noun, spot->number);
    length += more > 0 ? (size_t)more : 0;
    return length < SPOT_ROOM ? length : SPOT_ROOM - 1;
}

static const char *type_write(uint32_t type, char room[TYPE_ROOM])
{
    const char *name = value_type_name(type);
    if (name)
        snprintf(room, TYPE_ROOM, "%s", name);
    else
        snprintf(room, TYPE_ROOM, "the type with oid %lu", (unsigned long)type);
    return room;
}

static const char *kind_name(const evpq_arg *arg)
{
    switch (arg->kind) {
    case EVPQ_ARG_INT:
    case EVPQ_ARG_UINT:
        return "an integer";
    case EVPQ_ARG_FLOAT:
    case EVPQ_ARG_DOUBLE:
        return "a floating point number";
    case EVPQ_ARG_BOOL:
        return "a bool";
    case EVPQ_ARG_TEXT:
        return "a text";
    case EVPQ_ARG_BINARY:
        return "a binary value";
    case EVPQ_ARG_RECORD:
        return "a composite";
    case EVPQ_ARG_RANGE:
        return "a range";
    case EVPQ_ARG_CODED:
        return "a value of a codec's";
    case EVPQ_ARG_SCALED:
        return "a scaled number";
    default:
        return arg_is_nested(arg) ? "an array" : "a value";
    }
}

evpq_error *encode_no_memory(void)
{
    return evpq_error_ref(error_nomem());
}

evpq_error *encode_mismatch(const struct encoding *e)
{
    char spot[SPOT_ROOM], type[TYPE_ROOM], own[TYPE_ROOM];
    spot_write(e->spot, spot);
    bool named = e->arg->type && e->arg->type != e->type;
    return error_new(EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT,
                     "%s: %s%s%s cannot be written as %s: make the argument of that type, or cast "
                     "in the SQL",
                     spot, kind_name(e->arg), named ? " of type " : "",
                     named ? type_write(e->arg->type, own) : "", type_write(e->type, type));
}

evpq_error *encode_unknown(const struct encoding *e)
{
    char spot[SPOT_ROOM], type[TYPE_ROOM];
    spot_write(e->spot, spot);
    return error_new(
        EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT,
        "%s: evpq cannot turn a text into the binary form of %s: use a maker for "
        "values of that type, a codec (evpq_coded), hand in the binary form (evpq_param_binary), "
        "or send it as text: COPY by evpq_pool_copy_in, or a statement that casts it",
        spot, type_write(e->type, type));
}

evpq_error *encode_no_text(const struct encoding *e)
{
    char spot[SPOT_ROOM];
    spot_write(e->spot, spot);
    return error_new(EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT,
                     "%s: %s cannot be sent beside a text of a type that evpq does not know, for "
                     "which the whole is sent as text: make it a text too",
                     spot, kind_name(e->arg));
}

evpq_error *encode_unsure(const struct encoding *e)
{
    char spot[SPOT_ROOM];
    spot_write(e->spot, spot);
    return error_new(EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT,
                     "%s: a text of a type that evpq does not know has a byte of a letter before a "
                     "quote or backslash, which some client encodings take for one letter: write "
                     "all of the value as one text of your own",
                     spot);
}

evpq_error *encode_wrong(const struct encoding *e, const char *is)
{
    char spot[SPOT_ROOM], type[TYPE_ROOM];
    spot_write(e->spot, spot);
    if (e->arg->kind == EVPQ_ARG_TEXT)
        return error_new(EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT, "%s: as %s \"%.*s%s\" %s", spot,
                         type_write(e->type, type), e->arg->length > 40 ? 40 : (int)e->arg->length,
                         (const char *)e->arg->value.data, e->arg->length > 40 ? "..." : "", is);
    return error_new(EVPQ_TYPE, EVPQ_OUTCOME_NOT_SENT, "%s: as %s the value %s", spot,
                     type_write(e->type, type), is);
}

evpq_error *encode_invalid(const struct encoding *e, const char *is)
{
    char spot[SPOT_ROOM];
    spot_write(e->spot, spot);
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s: %s", spot, is);
}

evpq_error *encode_misread(const struct encoding *e, enum value_fit fit)
{
    switch (fit) {
    case VALUE_RANGE:
        return encode_wrong(e, "is out of range");
    case VALUE_INEXACT:
        return encode_wrong(e, "would lose digits");
    case VALUE_ENCODING:
        return encode_wrong(e, "has letters of which a half looks like punctuation");
    default:
        return encode_wrong(e, "is not how it is written");
    }
}
