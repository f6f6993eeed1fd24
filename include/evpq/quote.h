/* evpq/quote.h - names and texts put into SQL where no parameter can go.
 *
 * A value is best sent as a parameter (args.h). What cannot be one is the name of a table or a
 * column, and a literal in a statement that takes no parameters, such as CREATE ROLE or SET:
 *
 *     char table[EVPQ_NAME_ROOM];
 *     size_t n = evpq_quote_identifier(name, table, sizeof table);
 *     if (n == 0 || n >= sizeof table)
 *         return refuse(name);
 *
 * As with snprintf, each returns the length of the whole, without the zero byte at its end, whether
 * or not `size` bytes were enough for it; (NULL, 0) asks for the length alone. What does not fit is
 * not cut: `room` then holds the empty string. 0 is a refusal, and `room` is empty too: the text is
 * a NULL pointer or is not UTF-8, or an identifier is empty, none of which the server could read as
 * what was meant.
 *
 * The text is UTF-8 and so should the client encoding be, which it is by default in a UTF8
 * database; with another one the server may read other letters, yet nobody can end a quotation
 * early. No connection is asked: standard_conforming_strings does not matter. Any thread. */
#ifndef EVPQ_QUOTE_H
#define EVPQ_QUOTE_H

#include <evpq/version.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enough for any identifier that the server does not shorten (to 63 bytes), quoted. */
enum { EVPQ_NAME_ROOM = 2 * 63 + 3 };

/* "name", always quoted: letters keep their case, and no word is reserved. */
EVPQ_API size_t evpq_quote_identifier(const char *name, char *room, size_t size);

/* "schema"."name"; the name alone where `schema` is NULL. */
EVPQ_API size_t evpq_quote_qualified(const char *schema, const char *name, char *room, size_t size);

/* 'text', or E'text' with a space before it where there is a backslash in it. */
EVPQ_API size_t evpq_quote_literal(const char *text, char *room, size_t size);

#ifdef __cplusplus
}
#endif

#endif
