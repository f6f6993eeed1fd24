/* sim.c - runs seeds: see README.md.
 *
 *   sim [--from SEED] [--seeds N] [--seconds S] [--trace] [--transitions FILE]
 *   sim --seed SEED [--actions N] [--without KIND,...] --trace
 *   sim --shrink SEED
 *
 * Each seed is run once, and one in sixteen twice: both must be the same to the byte. A seed in which
 * something does not hold ends the program, with what was violated. FILE: which transitions the library's state
 * machines have made (transitions.h). */
#include "sim/transitions.h"
#include "sim/workload.h"
#include "sim/world.h"

#include "support/oom.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long long seed;

/* A crash is a finding, too, and so is a run that does not come back. */
static void on_crash(int number)
{
    char text[64];
    int n = snprintf(text, sizeof text, "seed %llu: signal %d\n", seed, number);
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
    signal(number, SIG_DFL);
    raise(number);
}

/* SIGINT or SIGTERM: this seed is the last. */
static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = true;
}

static struct less less;

static uint64_t run(bool told)
{
    static const struct itimerval much = {.it_value = {.tv_sec = 20}};
    long blocks = oom_blocks();
    setitimer(ITIMER_PROF, &much, NULL);
    world_begin(seed, told);
    workload_run(&less);
    if (oom_blocks() != blocks)
        violation("%ld blocks of memory are left", oom_blocks() - blocks);
    return world_end();
}

/* Of the processor. */
static double seconds_used(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/* ---- shrinking ---- */

/* In a process of its own, which is silent about it. */
static bool fails(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        run(false);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status;
}

static void leave_out_kinds(void)
{
    for (int bit = 0; workload_kind(bit); bit++) {
        unsigned before = less.without;
        less.without |= 1U << bit;
        if (!fails())
            less.without = before;
    }
}

/* Says what is left of a seed that fails, when all is left out without which it fails, too. */
static int shrink(void)
{
    if (!fails()) {
        printf("seed %llu does not fail\n", seed);
        return 1;
    }
    leave_out_kinds();
    do
        less.actions++;
    while (!fails());
    leave_out_kinds();
    printf("--seed %llu --actions %d", seed, less.actions);
    const char *between = " --without ";
    for (int bit = 0; workload_kind(bit); bit++) {
        if (!(less.without & 1U << bit))
            continue;
        printf("%s%s", between, workload_kind(bit));
        between = ",";
    }
    putchar('\n');
    return 0;
}

/* ---- arguments ---- */

struct wanted {
    unsigned long long from, seeds;
    double seconds;
    const char *transitions; /* a file; NULL: are not wanted */
    bool told, shrinks;
};

static void leave_out_these(const char *names)
{
    while (*names) {
        size_t n = strcspn(names, ",");
        int bit = 0;
        while (workload_kind(bit) &&
               (strlen(workload_kind(bit)) != n || strncmp(workload_kind(bit), names, n) != 0))
            bit++;
        if (!workload_kind(bit)) {
            fprintf(stderr, "sim: there is no kind \"%.*s\"\n", (int)n, names);
            exit(2);
        }
        less.without |= 1U << bit;
        names += n + (names[n] == ',');
    }
}

static void usage(void)
{
    fprintf(stderr, "usage: sim [--from SEED] [--seeds N] [--seconds S] [--trace]\n"
                    "           [--transitions FILE]\n"
                    "       sim --seed SEED [--actions N] [--without KIND,...] [--trace]\n"
                    "       sim --shrink SEED\nkinds:");
    for (int bit = 0; workload_kind(bit); bit++)
        fprintf(stderr, " %s", workload_kind(bit));
    fputc('\n', stderr);
    exit(2);
}

static struct wanted read_arguments(int argc, char **argv)
{
    struct wanted w = {.from = 1, .seeds = 1000};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--trace")) {
            w.told = true;
            continue;
        }
        if (!*value)
            usage();
        if (!strcmp(argv[i], "--from")) {
            w.from = strtoull(value, NULL, 10);
        } else if (!strcmp(argv[i], "--seeds")) {
            w.seeds = strtoull(value, NULL, 10);
        } else if (!strcmp(argv[i], "--seconds")) {
            w.seconds = strtod(value, NULL);
        } else if (!strcmp(argv[i], "--seed") || !strcmp(argv[i], "--shrink")) {
            w.from = strtoull(value, NULL, 10);
            w.seeds = 1;
            w.shrinks = !strcmp(argv[i], "--shrink");
        } else if (!strcmp(argv[i], "--actions")) {
            less.actions = (int)strtol(value, NULL, 10);
        } else if (!strcmp(argv[i], "--without")) {
            leave_out_these(value);
        } else if (!strcmp(argv[i], "--transitions")) {
            w.transitions = value;
        } else {
            usage();
        }
        i++;
    }
    return w;
}

int main(int argc, char **argv)
{
    struct wanted w = read_arguments(argc, argv);
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGPROF};
    unsigned long long n = 0;
    double began = seconds_used(), used = 0;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], on_crash);
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    transitions_watch();
    run(false); /* libraries look around when they are first used */
    seed = w.from;
    if (w.shrinks)
        return shrink();
    for (; !stopped && n < w.seeds && (w.seconds <= 0 || used < w.seconds); n++) {
        seed = w.from + n;
        uint64_t hash = run(w.told);
        if (seed % 16 == 0 && run(w.told) != hash)
            violation("it does not run the same way twice");
        used = seconds_used() - began;
    }
    used = used > 0 ? used : 1e-6;
    printf("%llu seeds from %llu, %.0f a second; %llu steps, %.0f a second\n", n, w.from,
           (double)n / used, workload_turns(), (double)workload_turns() / used);
    if (w.transitions && !transitions_write(w.transitions)) {
        fprintf(stderr, "sim: cannot write %s: %s\n", w.transitions, strerror(errno));
        return 1;
    }
    return 0;
}
