/* error.c - evpq_error: one block holding the struct and every string it points to. */
#include "words/error.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct evpq_error {
    unsigned refs; /* 0: a constant, never freed */
    struct error_fields is;
};

enum { FORMATTED = 1024 };

#define NOMEM(how)        \
 [EVPQ_OUTCOME_##how] = { \
     .is = {.status = EVPQ_NOMEM, .message = "out of memory", .outcome = EVPQ_OUTCOME_##how}}
static const struct evpq_error nomem[] = {NOMEM(NOT_SENT), NOMEM(REJECTED), NOMEM(UNKNOWN)};

static const struct evpq_error invalid = {
    .is = {.status = EVPQ_INVALID,
           .message = "NULL, or nothing at all, was handed in where an object is needed",
           .outcome = EVPQ_OUTCOME_NOT_SENT}};

static const struct evpq_error elsewhere = {
    .is = {.status = EVPQ_INVALID,
           .message = "called from another thread than the one that runs the loop",
           .hint = "give each thread a loop of its own, or let the loop's thread make the call",
           .outcome = EVPQ_OUTCOME_NOT_SENT}};

static const struct evpq_error forked = {
    .is = {.status = EVPQ_FORKED,
           .message = "the process was forked, and what it had before belongs to the parent",
           .outcome = EVPQ_OUTCOME_NOT_SENT}};

#define CANCELED(how)                                                 \
 [EVPQ_OUTCOME_##how] = {.is = {.status = EVPQ_CANCELED,              \
                                .message = "canceled by the program", \
                                .outcome = EVPQ_OUTCOME_##how}}
static const struct evpq_error canceled[] = {CANCELED(NOT_SENT), CANCELED(REJECTED),
                                             CANCELED(UNKNOWN)};

/* Where each string of struct error_fields stands, so that copying them is one loop. */
static const uint16_t strings[] = {
    offsetof(struct error_fields, message),    offsetof(struct error_fields, sqlstate),
    offsetof(struct error_fields, severity),   offsetof(struct error_fields, detail),
    offsetof(struct error_fields, hint),       offsetof(struct error_fields, context),
    offsetof(struct error_fields, schema),     offsetof(struct error_fields, table),
    offsetof(struct error_fields, column),     offsetof(struct error_fields, datatype),
    offsetof(struct error_fields, constraint), offsetof(struct error_fields, sql),
};
enum { STRINGS = sizeof strings / sizeof *strings };

static const char **string_at(struct error_fields *fields, size_t i)
{
    return (const char **)(void *)((char *)fields + strings[i]);
}

evpq_error *error_build(const struct error_fields *fields)
{
    struct error_fields from = *fields;
    if (!from.message)
        from.message = "";
    size_t room = 0;
    for (size_t i = 0; i < STRINGS; i++)
        if (*string_at(&from, i))
            room += strlen(*string_at(&from, i)) + 1;

    struct evpq_error *e = mem_alloc(sizeof *e + room);
    if (!e)
        return evpq_error_ref(error_nomem_after(from.outcome));
    e->refs = 1;
    e->is = from;
    char *end = (char *)(e + 1);
    for (size_t i = 0; i < STRINGS; i++) {
        const char *text = *string_at(&from, i);
        if (!text)
            continue;
        size_t length = strlen(text) + 1;
        *string_at(&e->is, i) = memcpy(end, text, length);
        end += length;
    }
    return e;
}

evpq_error *error_newv(evpq_status status, evpq_outcome outcome, const char *format, va_list args)
{
    char text[FORMATTED];
    vsnprintf(text, sizeof text, format, args);
    return error_build(
        &(struct error_fields){.status = status, .outcome = outcome, .message = text});
}

evpq_error *error_new(evpq_status status, evpq_outcome outcome, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evpq_error *e = error_newv(status, outcome, format, args);
    va_end(args);
    return e;
}

evpq_error *error_about(const evpq_error *error, evpq_status status, evpq_outcome outcome,
                        const char *sql)
{
    struct error_fields fields = error->is;
    fields.outcome = outcome;
    fields.sql = sql;
    if (status != EVPQ_OK)
        fields.status = status;
    return error_build(&fields);
}

evpq_error *error_in_detail(const evpq_error *error, evpq_outcome outcome, const char *detail)
{
    char text[FORMATTED];
    struct error_fields fields = error->is;
    snprintf(text, sizeof text, fields.detail ? "%s: %s" : "%s", detail, fields.detail);
    fields.outcome = outcome;
    fields.detail = text;
    return error_build(&fields);
}

evpq_error *error_decided(evpq_error *error, evpq_outcome outcome)
{
    if (error->is.outcome == outcome)
        return error;
    if (error->refs == 1) { /* nobody else has seen it */
        error->is.outcome = outcome;
        return error;
    }
    evpq_error *decided = error_about(error, EVPQ_OK, outcome, error->is.sql);
    evpq_error_unref(error);
    return decided;
}

evpq_error *error_after_rows(evpq_error *error, int64_t rows)
{
    struct error_fields fields = error->is;
    fields.rows = rows;
    evpq_error *after = error_build(&fields);
    evpq_error_unref(error);
    return after;
}

void *error_give_up(evpq_error *error, evpq_error **ret_error)
{
    if (ret_error)
        *ret_error = error;
    else
        evpq_error_unref(error);
    return NULL;
}

const evpq_error *error_nomem(void)
{
    return error_nomem_after(EVPQ_OUTCOME_NOT_SENT);
}

const evpq_error *error_nomem_after(evpq_outcome outcome)
{
    return &nomem[outcome];
}

const evpq_error *error_invalid(void)
{
    return &invalid;
}

const evpq_error *error_elsewhere(void)
{
    return &elsewhere;
}

const evpq_error *error_forked(void)
{
    return &forked;
}

const evpq_error *error_canceled(evpq_outcome outcome)
{
    return &canceled[outcome];
}

const char *evpq_status_name(evpq_status status)
{
    switch (status) {
#define STATUS_CASE(name, text) \
 case EVPQ_##name:              \
  return "EVPQ_" #name;
        EVPQ_STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
    }
    return "EVPQ_?";
}

const char *evpq_status_text(evpq_status status)
{
    switch (status) {
#define STATUS_CASE(name, text) \
 case EVPQ_##name:              \
  return text;
        EVPQ_STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
    }
    return "an unknown status";
}

evpq_error *evpq_error_ref(const evpq_error *error)
{
    /* Errors are handed out as const because nothing but the count ever changes. */
    struct evpq_error *e = (struct evpq_error *)(uintptr_t)error;
    if (e && e->refs)
        e->refs++;
    return e;
}

evpq_error *evpq_error_unref(evpq_error *error)
{
    if (error && error->refs && !--error->refs)
        mem_free(error);
    return NULL;
}

evpq_status evpq_error_status(const evpq_error *error)
{
    return error ? error->is.status : EVPQ_OK;
}

evpq_outcome evpq_error_outcome(const evpq_error *error)
{
    return error ? error->is.outcome : EVPQ_OUTCOME_NOT_SENT;
}

const char *evpq_error_message(const evpq_error *error)
{
    return error ? error->is.message : "";
}

const char *evpq_error_sqlstate(const evpq_error *error)
{
    return error && error->is.sqlstate ? error->is.sqlstate : "";
}

int evpq_error_position(const evpq_error *error)
{
    return error ? error->is.position : 0;
}

int64_t evpq_error_rows(const evpq_error *error)
{
    return error ? error->is.rows : 0;
}

#define FIELD_GETTER(field)                              \
 const char *evpq_error_##field(const evpq_error *error) \
 {                                                       \
  return error ? error->is.field : NULL;                 \
 }
FIELD_GETTER(severity)
FIELD_GETTER(detail)
FIELD_GETTER(hint)
FIELD_GETTER(context)
FIELD_GETTER(schema)
FIELD_GETTER(table)
FIELD_GETTER(column)
FIELD_GETTER(datatype)
FIELD_GETTER(constraint)
FIELD_GETTER(sql)
