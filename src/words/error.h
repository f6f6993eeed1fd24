/* error.h - making errors; reading them is the public header's business.
 *
 * An error is one block, immutable once made. Makers never return NULL: without memory they return
 * a constant error that says so, on which ref and unref do nothing. */
#ifndef WORDS_ERROR_H
#define WORDS_ERROR_H

#include <evpq/error.h>
#include <stdarg.h>
#include <stdint.h>

/* Strings are borrowed for the call; NULL where there is nothing to say (message excepted). */
struct error_fields {
    evpq_status status;
    evpq_outcome outcome;
    int position;
    int64_t rows; /* that were delivered before it */
    const char *message, *sqlstate, *severity, *detail, *hint, *context;
    const char *schema, *table, *column, *datatype, *constraint, *sql;
};

__attribute__((cold)) evpq_error *error_build(const struct error_fields *fields);
evpq_error *error_new(evpq_status status, evpq_outcome outcome, const char *format, ...)
    EVPQ_PRINTF(3, 4);
evpq_error *error_newv(evpq_status status, evpq_outcome outcome, const char *format, va_list args)
    EVPQ_PRINTF(3, 0);

/* The same error seen from a statement: its SQL, its outcome, and (unless EVPQ_OK) another
 * status. */
evpq_error *error_about(const evpq_error *error, evpq_status status, evpq_outcome outcome,
                        const char *sql);

/* The same error, with another outcome, and with `detail` before its own. */
evpq_error *error_in_detail(const evpq_error *error, evpq_outcome outcome, const char *detail);

/* The same error (taken), with the outcome that is known now. */
evpq_error *error_decided(evpq_error *error, evpq_outcome outcome);

/* The same error (taken) of something that had delivered so many rows before. */
evpq_error *error_after_rows(evpq_error *error, int64_t rows);

/* For a caller that may not want it (`ret_error` is NULL): takes the error, and returns NULL. */
void *error_give_up(evpq_error *error, evpq_error **ret_error);

/* Constant errors: of a machine without memory, of a call without so much as a loop to fail on, of
 * a thread or a forked child whose loop is another's, and of a cancel, which needs no memory to
 * succeed. */
const evpq_error *error_nomem(void); /* of what was not sent */
const evpq_error *error_nomem_after(evpq_outcome outcome);
const evpq_error *error_invalid(void);
const evpq_error *error_elsewhere(void);
const evpq_error *error_forked(void);
const evpq_error *error_canceled(evpq_outcome outcome);

#endif
