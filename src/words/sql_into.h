/* sql_into.h - whether a SELECT makes a table. */
#ifndef WORDS_SQL_INTO_H
#define WORDS_SQL_INTO_H

#include <stdbool.h>

/* Whether INTO stands in it where it is neither INSERT INTO nor MERGE INTO, however the server reads a
 * backslash within quotes. Where it is not sure: yes. */
bool sql_is_select_into(const char *sql);

#endif
