/* conninfo.c - a connection string, beside libpq's own reading of it: what libpq refuses is refused, and what is taken
 * names the hosts that libpq names. */
#include "libpq/conninfo.h"

#include "fuzz/fuzz.h"

#include <libpq-fe.h>

static void no_files(void)
{
    setenv("PGSERVICEFILE", "/dev/null", 1);
    setenv("PGSYSCONFDIR", "/dev/null", 1);
    setenv("PGPASSFILE", "/dev/null", 1);
    unsetenv("PGHOST");
    unsetenv("PGPORT");
    unsetenv("PGSERVICE");
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (!strcmp(options->keyword, keyword))
            return options->val && options->val[0] ? options->val : NULL;
    return NULL;
}

/* Item i of a list with commas; n of them. */
static const char *item_of(const char *list, int i, size_t *ret_length)
{
    for (; i; i--)
        list += strcspn(list, ",") + 1;
    *ret_length = strcspn(list, ",");
    return list;
}

static int items_of(const char *list)
{
    int n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static void ck_item(const char *list, int i, const char *got)
{
    size_t length;
    const char *want = item_of(list, i, &length);
    FUZZ_HOLDS(!length || (got && strlen(got) == length && !memcmp(want, got, length)));
}

static void ck_hosts(const struct conninfo *ci, const PQconninfoOption *options)
{
    const char *host = value_of(options, "host"), *hostaddr = value_of(options, "hostaddr");
    const char *list = hostaddr ? hostaddr : host;
    FUZZ_HOLDS(ci->n == (list ? items_of(list) : 1));
    for (int i = 0; i < ci->n; i++) {
        if (host)
            ck_item(host, i, ci->hosts[i].host);
        if (hostaddr)
            ck_item(hostaddr, i, ci->hosts[i].hostaddr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    if (!ready++)
        no_files();
    char *text = fuzz_text(data, size), *why = NULL;
    struct conninfo *ci = NULL;
    evpq_error *error = conninfo_read(text, &ci);
    PQconninfoOption *options = PQconninfoParse(text, &why);
    FUZZ_HOLDS(!error == !!ci);
    FUZZ_HOLDS(options || error);
    if (error) {
        FUZZ_HOLDS(evpq_error_message(error)[0]);
        FUZZ_HOLDS(!strchr(evpq_error_message(error), '\n'));
    } else if (!value_of(options, "service")) {
        ck_hosts(ci, options);
    }
    conninfo_free(ci);
    evpq_error_unref(error);
    PQconninfoFree(options);
    PQfreemem(why);
    free(text);
    return 0;
}
