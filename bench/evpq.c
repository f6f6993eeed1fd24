/* evpq.c - evpq-bench WORKLOAD [key=value]...: see evpq.h and common.h. The connection comes from
 * PG* variables; the tables must be there (`raw-bench setup`). */
#include "bench/evpq.h"

#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const struct options *o);
    } others[] = {{"big", ours_big},         {"stream", ours_stream},
                  {"copy-in", ours_copy_in}, {"copy-out", ours_copy_out},
                  {"storm", ours_storm},     {"callbacks", ours_callbacks}};
    struct options o = options_read(argc, argv);

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(o.workload, others[i].name) == 0) {
            others[i].run(&o);
            return 0;
        }
    }
    if (is_of_tasks(&o))
        die("%s is done by task-bench", o.workload);
    if (strcmp(o.workload, "setup") == 0 || strcmp(o.workload, "tune") == 0)
        die("%s is done by raw-bench", o.workload);
    ours_pump(&o);
    return 0;
}
