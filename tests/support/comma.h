/* comma.h - a locale whose decimal point is a comma: what a program may have set, and numbers of PostgreSQL are not
 * to follow. */
#ifndef TESTS_SUPPORT_COMMA_H
#define TESTS_SUPPORT_COMMA_H

#include "support/check.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* Sets one, made on the spot. False where it cannot be made. */
static inline bool comma_set_locale(void)
{
    char folder[] = "/tmp/evpq-locale-XXXXXX", command[256], comma[8];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1",
             folder, folder);
    setenv("LOCPATH", folder, 1);
    bool set = system(command) == 0 && setlocale(LC_ALL, "de_DE.UTF-8");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    snprintf(comma, sizeof comma, "%.1f", 0.5);
    ck_assert_str_eq(comma, set ? "0,5" : "0.5");
    return set;
}

#endif
