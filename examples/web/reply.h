/* reply.h - answers as libmicrohttpd wants them, with the headers that each has here; and which
 * failure is which status. */
#ifndef WEB_REPLY_H
#define WEB_REPLY_H

#include <evpq/evpq.h>
#include <microhttpd.h>
#include <stddef.h>

/* An answer, given: MHD_destroy_response. `body` is borrowed until it is sent. NULL out of memory.
 */
struct MHD_Response *reply_make(const char *body, size_t length, const char *type);

/* The same for a status that is not 200, with words for people. */
struct MHD_Response *reply_refuse(unsigned status);

/* The status for how a handler of `path` ended. What the database complained of goes to the log,
 * and not to the client; that there is no database at most once a second: *told, in seconds like
 * `now`, is when it last was. */
unsigned reply_status(const evpq_error *e, const char *path, double now, double *told);

/* One more header; `r` may be NULL. */
void reply_header(struct MHD_Response *r, const char *name, const char *value);

#endif
