/* pieces.h - the readers of evpq-run, fed in pieces, which must make no difference. Both texts are given: free. */
#ifndef TESTS_SUPPORT_PIECES_H
#define TESTS_SUPPORT_PIECES_H

#include <stddef.h>

/* What becomes of `sql`, as text: "LINE[text]" for each statement, with "!LINE:why" for one that
 * cannot be sent and "!!" for one after which nothing can be read. */
char *split_in_pieces(const char *sql, size_t length, size_t piece);

/* What is read from `text`, as text: "LINE[a|NULL|b]", with "!LINE:COLUMN:why" for a bad row and
 * "!!" for one after which nothing can be read. */
char *csv_in_pieces(const char *text, size_t length, size_t piece);

#endif
