/* raw.c - raw-bench WORKLOAD [key=value]...: see raw.h and common.h. The connection comes from PG*
 * variables. Besides the workloads: `setup` makes their tables, and `tune` the settings of a server
 * that was started for the purpose. */
#include "bench/raw.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct newer newer;

PGconn *raw_open(void)
{
    PGconn *pg = PQconnectdb("");
    if (PQstatus(pg) != CONNECTION_OK)
        die("%s", PQerrorMessage(pg));
    return pg;
}

void raw_exec(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("%s", PQerrorMessage(pg));
    PQclear(r);
}

uint64_t raw_number(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
        die("%s", PQerrorMessage(pg));
    uint64_t number = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return number;
}

/* POSIX lets a function be found as an object pointer, ISO C lets neither be cast to the other. */
static void look_up(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(ret_function, &found, sizeof found);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const struct options *o);
    } others[] = {{"big", raw_big},           {"stream", raw_big},  {"copy-in", raw_copy_in},
                  {"copy-out", raw_copy_out}, {"storm", raw_storm}, {"setup", raw_setup},
                  {"tune", raw_tune}};
    struct options o = options_read(argc, argv);

    look_up("PQsendPipelineSync", &newer.send_sync);
    look_up("PQsetChunkedRowsMode", &newer.chunked_rows);
    if (strcmp(o.workload, "callbacks") == 0)
        die("callbacks are evpq's: evpq-bench measures them");
    if (is_of_tasks(&o))
        die("%s is evpq's: task-bench measures it", o.workload);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(o.workload, others[i].name) == 0) {
            others[i].run(&o);
            return 0;
        }
    }
    raw_pump(&o);
    return 0;
}
