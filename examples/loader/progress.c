/* progress.c - see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double progress_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double progress_peak(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %lf", &kilobytes) == 1)
            break;
    if (status)
        fclose(status);
    return kilobytes / 1024;
}

static void wipe(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

void progress_show(struct progress *p, const struct tally *tally, const struct loader_state *at)
{
    double now = progress_time(), seconds = now - p->begun;
    uint64_t blocks = at->group * at->mix * at->range;
    if (now - p->told < 0.2 || !isatty(STDERR_FILENO))
        return;
    p->told = now;
    wipe(p);
    fprintf(stderr, "epoch %" PRIu64 ": %3.0f %%, %" PRIu64 " rows, %.0f rows/s", at->epoch,
            at->blocks ? (double)(blocks < at->blocks ? blocks : at->blocks) * 100 / at->blocks : 0,
            tally->rows, (double)tally->rows / seconds);
    p->shown = true;
}

void progress_epoch(struct progress *p, const struct opts *o, const struct tally *tally,
                    uint64_t epoch)
{
    double seconds = progress_time() - p->begun;
    wipe(p);
    if (!o->quiet)
        printf("epoch %" PRIu64 ": %" PRIu64 " rows, %" PRIu64 " batches, %.3f s, %.0f rows/s\n",
               epoch, tally->rows, tally->batches, seconds,
               seconds > 0 ? (double)tally->rows / seconds : 0);
    if (o->check)
        printf("epoch %" PRIu64 ": checksum %016" PRIx64 ", order %016" PRIx64 "\n", epoch,
               tally->checksum, tally->order);
    if (o->unique)
        printf("epoch %" PRIu64 ": %" PRIu64 " values of %s, each once%s\n", epoch, tally->distinct,
               o->unique, tally->distinct == tally->rows ? "" : ": NO, rows came twice");
    fflush(stdout);
    p->begun = progress_time();
}
