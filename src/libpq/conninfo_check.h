/* conninfo_check.h - what libpq would find wrong with a connection string once it connected. */
#ifndef LIBPQ_CONNINFO_CHECK_H
#define LIBPQ_CONNINFO_CHECK_H

#include "libpq/conninfo.h"

#include <libpq-fe.h>

/* Given: EVPQ_INVALID for a string that libpq would not even begin to connect with, or for which
 * every one of its hosts would fail without the network. `options` are those that libpq merged from
 * string, environment, service and defaults. No message holds a password. */
evpq_error *conninfo_check(const struct conninfo *ci, const PQconninfoOption *options);

/* Given: why `text` is no connection string; NULL: it is one. */
evpq_error *conninfo_check_text(const char *text);

/* Whether there may be a password in it. */
bool conninfo_is_secret(const char *text);

/* EVPQ_INVALID with libpq's reason, given. All that it quotes is masked where `secret`. */
evpq_error *conninfo_invalid(const char *why, bool secret);

/* Frees them, and overwrites passwords first. NULL is allowed. */
void conninfo_options_free(PQconninfoOption *options);

const char *conninfo_option(const PQconninfoOption *options, const char *keyword);

#endif
