/* evpq/error.h - the two faces of a failure: a status to switch on, an error object to read. */
#ifndef EVPQ_ERROR_H
#define EVPQ_ERROR_H

#include <evpq/version.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, "what it means"). The set is closed within a major version. */
#define EVPQ_STATUS_TABLE(X)                                  \
 X(OK, "success")                                             \
 X(PENDING, "not settled yet")                                \
 X(SERVER, "the server reported an error")                    \
 X(CONNECT, "no connection could be made")                    \
 X(LOST, "the connection was lost")                           \
 X(TIMEOUT, "the deadline has passed")                        \
 X(CANCELED, "canceled by the program")                       \
 X(CLOSED, "the pool, lease or loop is closed")               \
 X(QUEUE_FULL, "too many calls are waiting for a connection") \
 X(INVALID, "the call cannot be carried out as it was made")  \
 X(DEADLOCK, "waiting here could never end")                  \
 X(TYPE, "a value does not fit the type that was asked for")  \
 X(NOMEM, "out of memory")                                    \
 X(FORKED, "what was made before a fork is the parent's")

typedef enum evpq_status {
#define EVPQ_STATUS_ENUM(name, text) EVPQ_##name,
    EVPQ_STATUS_TABLE(EVPQ_STATUS_ENUM)
#undef EVPQ_STATUS_ENUM
} evpq_status;

/* What became of the SQL that an error belongs to. The library itself runs work again only if it is
 * certain that it was not carried out. A program may safely run NOT_SENT and REJECTED work again,
 * and no other, without looking first. */
typedef enum evpq_outcome {
    EVPQ_OUTCOME_NOT_SENT, /* not a byte of it was handed to the network: the server has not seen
                            * it */
    EVPQ_OUTCOME_REJECTED, /* the server answered with an error: its transaction was rolled back */
    EVPQ_OUTCOME_UNKNOWN,  /* it was on the wire when the link, the deadline or the caller ended
                            * it */
} evpq_outcome;

/* An immutable, reference counted description of one failure. */
typedef struct evpq_error evpq_error;

/* The name of a status, such as "EVPQ_TIMEOUT". Borrowed, valid for ever. Any thread. */
EVPQ_API const char *evpq_status_name(evpq_status status);

/* What a status means, such as "the deadline has passed". Borrowed, valid for ever. Any thread. */
EVPQ_API const char *evpq_status_text(evpq_status status);

/* One more reference: returns `error`, given; hand it back with evpq_error_unref. An error outlives
 * the future it came from only through a reference of its own. */
EVPQ_API evpq_error *evpq_error_ref(const evpq_error *error);

/* Takes a reference; NULL is allowed. Returns NULL. */
EVPQ_API evpq_error *evpq_error_unref(evpq_error *error);

/* Every getter below borrows `error` and returns what is borrowed until the error's last reference
 * goes. A NULL error reads as EVPQ_OK with nothing to say. */

EVPQ_API evpq_status evpq_error_status(const evpq_error *error);
EVPQ_API evpq_outcome evpq_error_outcome(const evpq_error *error);

/* A sentence for people; never NULL, no trailing newline. For EVPQ_SERVER it is the server's
 * primary message. */
EVPQ_API const char *evpq_error_message(const evpq_error *error);

/* The five-character code of PostgreSQL's Appendix A, or "" where no server spoke (or none was in
 * its message: a pooler may leave it out). Never NULL. */
EVPQ_API const char *evpq_error_sqlstate(const evpq_error *error);

/* The fields of an ErrorResponse (PostgreSQL documentation, "Error and Notice Message Fields");
 * NULL where the server sent none. */
EVPQ_API const char *evpq_error_severity(const evpq_error *error);
EVPQ_API const char *evpq_error_detail(const evpq_error *error);
EVPQ_API const char *evpq_error_hint(const evpq_error *error);
EVPQ_API const char *evpq_error_context(const evpq_error *error);
EVPQ_API const char *evpq_error_schema(const evpq_error *error);
EVPQ_API const char *evpq_error_table(const evpq_error *error);
EVPQ_API const char *evpq_error_column(const evpq_error *error);
EVPQ_API const char *evpq_error_datatype(const evpq_error *error);
EVPQ_API const char *evpq_error_constraint(const evpq_error *error);

/* Where in the SQL the error stands, counted in characters from 1; 0 where unknown. */
EVPQ_API int evpq_error_position(const evpq_error *error);

/* How many rows a stream had delivered to the program before it failed; 0 for all else. */
EVPQ_API int64_t evpq_error_rows(const evpq_error *error);

/* The SQL that failed, or NULL where the failure belongs to no statement. */
EVPQ_API const char *evpq_error_sql(const evpq_error *error);

#ifdef __cplusplus
}
#endif

#endif
