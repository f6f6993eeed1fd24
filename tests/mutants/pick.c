/*
 * Beside the tests in the one program that tests/mutants/run links. Of a program's tests it runs those that
 * MUTANTS_PICK names, and gives each a folder of its own below MUTANTS_COVER for what gcov counts; with
 * MUTANTS_LIST it prints their names instead.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __real__tcase_add_test(TCase *tc, const TTest *test, int signal, int status, int start,
                            int end);
void __wrap__tcase_add_test(TCase *tc, const TTest *test, int signal, int status, int start,
                            int end);
void __real_tcase_fn_start(const char *name, const char *file, int line);
void __wrap_tcase_fn_start(const char *name, const char *file, int line);

static int picked(const char *name)
{
    const char *list = getenv("MUTANTS_PICK");
    size_t n = strlen(name);

    if (!list || !*list)
        return 1;
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
            return 1;
    return 0;
}

void __wrap__tcase_add_test(TCase *tc, const TTest *test, int signal, int status, int start,
                            int end)
{
    if (getenv("MUTANTS_LIST"))
        puts(test->name);
    else if (picked(test->name))
        __real__tcase_add_test(tc, test, signal, status, start, end);
}

/* In the process of the test, which writes its counts when it exits. */
void __wrap_tcase_fn_start(const char *name, const char *file, int line)
{
    const char *folder = getenv("MUTANTS_COVER");
    char path[4096];

    if (folder && snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
        setenv("GCOV_PREFIX", path, 1);
    __real_tcase_fn_start(name, file, line);
}
