/* encode_nested_text.c - values that hold values, as text.
 *
 * Everything but SQL NULL is put in quotes, at every level. So a character may have to be escaped
 * several times over, as the levels around it want it: emit does that, one level at a time, and no
 * memory is needed. */
#include "values/encode_nested_text.h"

#include "values/arg_kind.h"
#include "values/encode_impl.h"
#include "values/value.h"

#include <stdio.h>

enum {
    DEPTH_MOST = 8, /* each level may double the length of a quote */
    LEAF_ROOM = 512,
    BOX = 603, /* whose arrays have semicolons */
};

struct text_output {
    struct bytes *to;
    bool doubles[DEPTH_MOST]; /* how the i-th level around escapes: twice, or with a backslash */
    uint8_t last;
    bool full, unsure;
};

/* What a value stands in. */
struct level {
    struct text_output *out;
    int depth; /* how many quotations it is in */
    const struct spot *spot;
};

static void emit(struct text_output *out, int depth, char c)
{
    if (depth) {
        if (c == '"' || c == '\\')
            emit(out, depth - 1, out->doubles[depth - 1] ? c : '\\');
        emit(out, depth - 1, c);
        return;
    }
    /* In SJIS, BIG5, GBK and their like the two may be one letter. */
    out->unsure |= c == '\\' && out->last >= 0x80;
    out->full |= !bytes_put1(out->to, (uint8_t)c);
    out->last = (uint8_t)c;
}

static void emit_all(const struct level *l, const char *text, size_t length)
{
    for (size_t i = 0; i < length && !l->out->full; i++)
        emit(l->out, l->depth, text[i]);
}

static void emit_word(const struct level *l, const char *word)
{
    emit_all(l, word, strlen(word));
}

/* ---- values that hold no others ---- */

static evpq_error *nested_text_refuse(const struct level *l, const evpq_arg *arg)
{
    struct encoding e = {l->out->to, arg, arg->type, l->spot};
    return encode_no_text(&e);
}

/* By way of its binary form, of a type that is known. */
static evpq_error *put_converted(const struct level *l, const evpq_arg *arg)
{
    char binary[LEAF_ROOM], room[LEAF_ROOM];
    const char *text = room;
    size_t length;
    struct bytes to = bytes_in(binary, sizeof binary - 1);
    if (!arg->type || (arg->kind == EVPQ_ARG_BINARY && arg->length > sizeof binary - 1))
        return nested_text_refuse(l, arg);
    evpq_error *error = encode_value(&to, arg, arg->type, l->spot);
    if (error) {
        evpq_error_unref(error);
        return nested_text_refuse(l, arg);
    }
    binary[to.length] = '\0';
    const struct value v = {
        .type = arg->type, .binary = true, .bytes = binary, .length = to.length};
    bool known = value_type_name(arg->type) && value_place_text(&v, &text, &length) == VALUE_FITS &&
                 (text || (length && length <= sizeof room &&
                           value_write_text(&v, room, &length) == VALUE_FITS));
    if (!known)
        return nested_text_refuse(l, arg);
    emit_all(l, text ? text : room, length);
    return NULL;
}

static evpq_error *put_leaf(const struct level *l, const evpq_arg *arg)
{
    char room[NUMBER_ROOM];
    switch (arg->kind) {
    case EVPQ_ARG_TEXT:
        emit_all(l, arg->value.data, arg->length);
        return NULL;
    case EVPQ_ARG_INT:
    case EVPQ_ARG_UINT:
    case EVPQ_ARG_FLOAT:
    case EVPQ_ARG_DOUBLE:
    case EVPQ_ARG_BOOL:
        emit_all(l, room, arg_write_scalar(arg, room));
        return NULL;
    case EVPQ_ARG_CODED:
        return nested_text_refuse(l, arg);
    default:
        return put_converted(l, arg);
    }
}

/* ---- those that do ---- */

static evpq_error *put_value(const struct level *l, const evpq_arg *arg);

static evpq_error *nested_text_put_part(const struct level *l, const evpq_arg *arg, bool doubles,
                                        const char *noun, size_t number)
{
    struct spot spot = {.outer = l->spot, .noun = noun, .number = number};
    const struct level part = {l->out, l->depth + 1, &spot};
    if (l->depth == DEPTH_MOST)
        return nested_text_refuse(l, arg);
    l->out->doubles[l->depth] = doubles;
    emit(l->out, l->depth, '"');
    evpq_error *error = put_value(&part, arg);
    emit(l->out, l->depth, '"');
    return error;
}

static void put_bounds(const struct level *l, const evpq_shape *shape)
{
    char room[sizeof "[-2147483648:-2147483648]"];
    for (int i = 0; i < shape->dimensions; i++) {
        long last = (long)shape->first[i] + shape->length[i] - 1;
        snprintf(room, sizeof room, "[%ld:%ld]", (long)shape->first[i], last);
        emit_word(l, room);
    }
    emit_word(l, "=");
}

/* The braces that stand before the i-th element, or behind the one before it. */
static void put_braces(const struct level *l, const evpq_shape *shape, size_t i, char brace)
{
    size_t length = 1;
    for (int d = shape->dimensions - 1; d >= 0; d--) {
        length *= (size_t)shape->length[d];
        if (i % length)
            return;
        emit(l->out, l->depth, brace);
    }
}

static evpq_error *put_array(const struct level *l, const evpq_arg *array)
{
    const evpq_shape simple = {1, {(int32_t)array->length}, {1}};
    const evpq_shape *shape = array->value.list.with ? array->value.list.with : &simple;
    char separator = array->kind == EVPQ_ARG_ARRAY && array->type == BOX ? ';' : ',';
    if (!array->length) {
        emit_word(l, "{}");
        return NULL;
    }
    if (array->value.list.with)
        put_bounds(l, shape);
    for (size_t i = 0; i < array->length; i++) {
        evpq_arg element = encode_element(array, i);
        if (i)
            emit(l->out, l->depth, separator);
        put_braces(l, shape, i, '{');
        if (element.kind == EVPQ_ARG_NULL)
            emit_word(l, "NULL");
        else {
            evpq_error *error = nested_text_put_part(l, &element, false, "element ", i + 1);
            if (error)
                return error;
        }
        put_braces(l, shape, i + 1, '}');
    }
    return NULL;
}

static evpq_error *put_record(const struct level *l, const evpq_arg *record)
{
    const evpq_arg *fields = record->value.list.items;
    emit_word(l, "(");
    for (size_t i = 0; i < record->length; i++) {
        if (i)
            emit_word(l, ",");
        evpq_error *error = fields[i].kind == EVPQ_ARG_NULL
                                ? NULL
                                : nested_text_put_part(l, &fields[i], true, "field ", i + 1);
        if (error)
            return error;
    }
    emit_word(l, ")");
    return NULL;
}

static evpq_error *nested_text_put_range(const struct level *l, const evpq_arg *range)
{
    const evpq_arg *lower = range->value.list.items, *upper = range->value.list.with;
    if (range->length & EVPQ_RANGE_EMPTY) {
        emit_word(l, "empty");
        return NULL;
    }
    emit_word(l, lower && range->length & EVPQ_RANGE_LOWER_INC ? "[" : "(");
    evpq_error *error = lower ? nested_text_put_part(l, lower, true, "bound ", 1) : NULL;
    emit_word(l, ",");
    if (!error && upper)
        error = nested_text_put_part(l, upper, true, "bound ", 2);
    emit_word(l, upper && range->length & EVPQ_RANGE_UPPER_INC ? "]" : ")");
    return error;
}

static evpq_error *put_value(const struct level *l, const evpq_arg *arg)
{
    if (!arg_is_nested(arg))
        return put_leaf(l, arg);
    if (arg->kind == EVPQ_ARG_RANGE)
        return nested_text_put_range(l, arg);
    return arg->kind == EVPQ_ARG_RECORD ? put_record(l, arg) : put_array(l, arg);
}

/* ---- what args calls ---- */

bool encode_nested_wants_text(const evpq_arg *arg, uint32_t type)
{
    bool met = false;
    const struct encode_rules rules = {.met_text = &met};
    const struct spot spot = {.noun = "", .rules = &rules};
    struct bytes count = bytes_counted();
    if (arg->kind != EVPQ_ARG_ARRAY) {
        evpq_error_unref(encode_value(&count, arg, type, &spot));
        return met;
    }
    /* The elements are of one type: the first text is as good as all. */
    for (size_t i = 0; i < arg->length && !met; i++) {
        evpq_arg element = encode_element(arg, i);
        bool is_text = element.kind == EVPQ_ARG_TEXT;
        if (is_text || arg_is_nested(&element))
            evpq_error_unref(encode_value(&count, &element, arg->type, &spot));
        if (is_text)
            break;
    }
    return met;
}

evpq_error *encode_nested_text(struct bytes *to, const evpq_arg *arg, const struct spot *spot)
{
    struct text_output out = {.to = to};
    const struct level whole = {&out, 0, spot};
    evpq_error *error = put_value(&whole, arg);
    struct encoding e = {to, arg, arg->type, spot};
    if (!error && out.full)
        error = encode_no_memory();
    if (!error && out.unsure)
        error = encode_unsure(&e);
    return error;
}
