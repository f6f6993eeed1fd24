/* common.c - the command line, the clock, and the line of JSON. */
#include "bench/common.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* ---- the command line ---- */

static const struct options standards[] = {
    {.workload = "point", .connections = 8, .n = 200000, .in_flight = 1000},
    {.workload = "latency", .connections = 1, .n = 20000, .in_flight = 1},
    {.workload = "update", .connections = 8, .n = 50000, .in_flight = 256},
    {.workload = "big", .connections = 1, .in_flight = 1},
    {.workload = "stream", .connections = 1, .in_flight = 1, .repeat = 1},
    {.workload = "copy-in", .connections = 1, .n = 1000000, .in_flight = 1},
    {.workload = "copy-out", .connections = 1, .in_flight = 1},
    {.workload = "fanout", .connections = 20, .n = 20, .in_flight = 20},
    {.workload = "storm", .connections = 100},
    {.workload = "head-of-line",
     .connections = 8,
     .n = 5000,
     .depth = 32,
     .rate = 1000,
     .burst = 10,
     .sleepers = 1},
    {.workload = "queue", .connections = 8, .n = 100000, .repeat = 1, .depth = 32},
    {.workload = "callbacks", .n = 1000000},
    {.workload = "switch", .n = 1000000, .repeat = 5},
    {.workload = "many", .connections = 8, .n = 10000, .each = 20, .repeat = 5},
    {.workload = "spawn", .n = 100000, .in_flight = 1000, .repeat = 10},
    {.workload = "setup", .n = 1000000},
    {.workload = "tune"},
};

static const struct {
    const char *name;
    size_t number, text; /* where the value goes: one of them, the other is 0 */
} keys[] = {
    {"connections", offsetof(struct options, connections), 0},
    {"n", offsetof(struct options, n), 0},
    {"each", offsetof(struct options, each), 0},
    {"repeat", offsetof(struct options, repeat), 0},
    {"in_flight", offsetof(struct options, in_flight), 0},
    {"depth", offsetof(struct options, depth), 0},
    {"rate", offsetof(struct options, rate), 0},
    {"burst", offsetof(struct options, burst), 0},
    {"sleepers", offsetof(struct options, sleepers), 0},
    {"slow", offsetof(struct options, slow), 0},
    {"sync", 0, offsetof(struct options, sync)},
    {"how", 0, offsetof(struct options, how)},
    {"params", 0, offsetof(struct options, params)},
    {"call", 0, offsetof(struct options, call)},
};

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static _Noreturn void usage(const char *program)
{
    fprintf(stderr, "usage: %s WORKLOAD [key=value]...\nworkloads:", program);
    for (size_t i = 0; i < sizeof standards / sizeof *standards; i++)
        fprintf(stderr, " %s", standards[i].workload);
    fprintf(stderr, "\nkeys:");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        fprintf(stderr, " %s", keys[i].name);
    fputc('\n', stderr);
    exit(2);
}

static bool set(struct options *o, const char *pair)
{
    const char *value = strchr(pair, '=');
    if (!value)
        return false;
    size_t length = (size_t)(value++ - pair);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strlen(keys[i].name) != length || strncmp(keys[i].name, pair, length) != 0)
            continue;
        if (keys[i].text) {
            memcpy((char *)o + keys[i].text, &value, sizeof value);
            return true;
        }
        char *end;
        long number = strtol(value, &end, 10);
        memcpy((char *)o + keys[i].number, &number, sizeof number);
        return *value && !*end && number >= 0;
    }
    return false;
}

struct options options_read(int argc, char **argv)
{
    struct options o = {0};
    for (size_t i = 0; argc > 1 && i < sizeof standards / sizeof *standards; i++)
        if (strcmp(standards[i].workload, argv[1]) == 0)
            o = standards[i];
    if (!o.workload)
        usage(argv[0]);
    o.sync = "auto";
    o.how = "whole";
    o.params = "binary";
    o.call = "query";
    for (int i = 2; i < argc; i++)
        if (!set(&o, argv[i]))
            usage(argv[0]);
    return o;
}

bool is_of_tasks(const struct options *o)
{
    return strcmp(o->workload, "switch") == 0 || strcmp(o->workload, "many") == 0 ||
           strcmp(o->workload, "spawn") == 0;
}

/* ---- the work ---- */

int next_id(void)
{
    static uint32_t state = 2463534242;
    state ^= state << 13; /* Marsaglia's xorshift32 */
    state ^= state >> 17;
    state ^= state << 5;
    return (int)(state % WORLD_ROWS) + 1;
}

/* Its last digits alone differ from row to row: making it is to cost next to nothing. */
void copy_text(char *ret_text, long i)
{
    memcpy(ret_text, "a text of some length", COPY_TEXT);
    ret_text[COPY_TEXT - 1] = (char)('a' + i % 26);
    ret_text[COPY_TEXT] = '\0';
}

/* ---- the measurement ---- */

static struct {
    double wall, user, system; /* at the start, then what has gone by */
    double *latencies;
    long latency_count, latency_room;
    char notes[512];
    size_t notes_length;
} m;

double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void measure_start(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    m.user = seconds(r.ru_utime);
    m.system = seconds(r.ru_stime);
    m.wall = clock_now();
}

void measure_stop(void)
{
    struct rusage r;
    m.wall = clock_now() - m.wall;
    getrusage(RUSAGE_SELF, &r);
    m.user = seconds(r.ru_utime) - m.user;
    m.system = seconds(r.ru_stime) - m.system;
}

void latency_room(long n)
{
    m.latencies = calloc((size_t)n, sizeof *m.latencies);
    if (!m.latencies)
        die("out of memory");
    m.latency_room = n;
}

void latency_add(double latency)
{
    if (m.latency_count < m.latency_room)
        m.latencies[m.latency_count++] = latency;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, long n)
{
    qsort(values, (size_t)n, sizeof *values, by_size);
    return values[n / 2];
}

static void note_latencies(void)
{
    long n = m.latency_count;
    if (!n)
        return;
    qsort(m.latencies, (size_t)n, sizeof *m.latencies, by_size);
    measure_note("p50_us", m.latencies[n / 2] * 1e6);
    measure_note("p99_us", m.latencies[n - 1 - n / 100] * 1e6);
    measure_note("max_us", m.latencies[n - 1] * 1e6);
}

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t room = sizeof m.notes - m.notes_length;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(m.notes + m.notes_length, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        die("too many notes");
    m.notes_length += (size_t)length;
}

void measure_note(const char *key, double value)
{
    note(",\"%s\":%.10g", key, value);
}

void measure_note_text(const char *key, const char *value)
{
    note(",\"%s\":\"%s\"", key, value);
}

/* Not from getrusage, where exec keeps the parent's. */
long memory_kilobytes(const char *which)
{
    long found = 0;
    char line[128];
    size_t length = strlen(which);
    FILE *status = fopen("/proc/self/status", "r");
    while (status && !found && fgets(line, sizeof line, status))
        if (strncmp(line, which, length) == 0 && line[length] == ':')
            found = strtol(line + length + 1, NULL, 10);
    if (status)
        fclose(status);
    return found;
}

void measure_print(const char *program, const struct options *o, long done, int libpq,
                   const char *sync, uint64_t checksum)
{
    const char *host = getenv("PGHOST");
    note_latencies();
    printf("{\"program\":\"%s\",\"workload\":\"%s\",\"socket\":\"%s\",\"connections\":%ld,"
           "\"n\":%ld,\"in_flight\":%ld,\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,"
           "\"rss_kb\":%ld,\"libpq\":%d,\"sync\":\"%s\",\"checksum\":%llu%s}\n",
           program, o->workload, host && *host != '/' ? "tcp" : "unix", o->connections, done,
           o->in_flight, m.wall, m.user, m.system, memory_kilobytes("VmHWM"), libpq, sync,
           (unsigned long long)checksum, m.notes);
    free(m.latencies);
}

size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
