/* columns.c - see columns.h. */
#include "columns.h"

#include <stdlib.h>
#include <string.h>

struct type {
    uint32_t oid;
    const char *format;
    enum decode decode;
    size_t width;
};

static const struct type types[] = {
    {16, "b", DECODE_BOOL, 1},              /* bool */
    {21, "s", DECODE_SWAP, 2},              /* int2 */
    {23, "i", DECODE_SWAP, 4},              /* int4 */
    {20, "l", DECODE_SWAP, 8},              /* int8 */
    {26, "I", DECODE_SWAP, 4},              /* oid */
    {700, "f", DECODE_SWAP, 4},             /* float4 */
    {701, "g", DECODE_SWAP, 8},             /* float8 */
    {1082, "tdD", DECODE_DATE, 4},          /* date */
    {1083, "ttu", DECODE_SWAP, 8},          /* time */
    {1114, "tsu:", DECODE_TIMESTAMP, 8},    /* timestamp */
    {1184, "tsu:UTC", DECODE_TIMESTAMP, 8}, /* timestamptz */
    {2950, "w:16", DECODE_COPY, 16},        /* uuid */
    {17, "z", DECODE_VARIABLE, 0},          /* bytea */
    {25, "u", DECODE_VARIABLE, 0},          /* text */
    {1043, "u", DECODE_VARIABLE, 0},        /* varchar */
    {1042, "u", DECODE_VARIABLE, 0},        /* char(n) */
    {19, "u", DECODE_VARIABLE, 0},          /* name */
    {114, "u", DECODE_VARIABLE, 0},         /* json */
};

static const struct type *find(uint32_t oid)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid)
            return &types[i];
    return NULL;
}

const char *columns_advice(uint32_t oid)
{
    enum { NUMERIC = 1700, INTERVAL = 1186 };
    if (oid == INTERVAL)
        return "extract(epoch from ...)::float8";
    return oid == NUMERIC ? "...::float8" : "...::text";
}

evpq_status columns_read(const evpq_result *r, struct columns *ret, int *ret_misfit)
{
    int n = evpq_result_columns(r);
    *ret = (struct columns){.v = calloc((size_t)n + 1, sizeof *ret->v)};
    if (!ret->v)
        return EVPQ_NOMEM;
    for (int i = 0; i < n; i++) {
        const struct type *type = find(evpq_result_column_type(r, i));
        if (!type) {
            *ret_misfit = i;
            return EVPQ_TYPE;
        }
        struct column *column = &ret->v[ret->n++];
        *column =
            (struct column){.format = type->format, .decode = type->decode, .width = type->width};
        column->name = strdup(evpq_result_column_name(r, i));
        if (!column->name)
            return EVPQ_NOMEM;
    }
    return EVPQ_OK;
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        free(columns->v[i].name);
    free(columns->v);
    *columns = (struct columns){0};
}

/* A schema and its children are each released on their own: a consumer may have moved one away. */
static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child && child->release)
            child->release(child);
        free(child);
    }
    free(schema->children);
    free(schema->private_data);
    schema->release = NULL;
}

/* The name is the schema's own; the format is for ever. */
static evpq_status fill(struct ArrowSchema *schema, const char *format, const char *name)
{
    char *own = strdup(name);
    *schema = (struct ArrowSchema){.format = format,
                                   .name = own,
                                   .flags = ARROW_FLAG_NULLABLE,
                                   .release = own ? release_schema : NULL,
                                   .private_data = own};
    return own ? EVPQ_OK : EVPQ_NOMEM;
}

evpq_status columns_schema(const struct columns *columns, struct ArrowSchema *ret)
{
    if (fill(ret, "+s", "") != EVPQ_OK)
        return EVPQ_NOMEM;
    ret->flags = 0;
    ret->children = calloc(columns->n + 1, sizeof *ret->children);
    for (size_t i = 0; ret->children && i < columns->n; i++) {
        const struct column *column = &columns->v[i];
        struct ArrowSchema *child = malloc(sizeof *child);
        if (!child || fill(child, column->format, column->name) != EVPQ_OK) {
            free(child);
            break;
        }
        ret->children[ret->n_children++] = child;
    }
    if (ret->children && (size_t)ret->n_children == columns->n)
        return EVPQ_OK;
    ret->release(ret);
    return EVPQ_NOMEM;
}
