/* stats.c - see stats.h. */
#include "stats.h"

#include <stdio.h>
#include <string.h>

/* Up to 127 each microsecond has its own bucket; from there each power of two has STATS_STEPS. */
static size_t bucket_of(uint64_t us)
{
    size_t power = 0;
    size_t bucket;

    while (us >> power >= 2 * STATS_STEPS)
        power++;
    bucket = power * STATS_STEPS + (size_t)(us >> power);
    return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

/* The largest value that falls into it. */
static uint64_t bucket_end(size_t bucket)
{
    size_t power = bucket < 2 * STATS_STEPS ? 0 : bucket / STATS_STEPS - 1;

    return ((bucket - power * STATS_STEPS + 1) << power) - 1;
}

void stats_attempt(struct stats *s, double seconds)
{
    uint64_t us = seconds > 0 ? (uint64_t)(seconds * 1e6 + 0.5) : 0;

    s->attempts++;
    s->busy += seconds > 0 ? seconds : 0;
    s->histogram[bucket_of(us)]++;
    if (us > s->max)
        s->max = us;
}

static struct stats_kind *kind_of(struct stats *s, const char *code)
{
    struct stats_kind *kind = s->kinds;

    for (int i = 0; i < s->kind_count; i++, kind++)
        if (strcmp(kind->code, code) == 0)
            return kind;
    if (s->kind_count == STATS_KINDS)
        return &s->kinds[STATS_KINDS - 1];
    s->kind_count++;
    snprintf(kind->code, sizeof kind->code, "%s", s->kind_count == STATS_KINDS ? "other" : code);
    return kind;
}

void stats_failure(struct stats *s, const char *code)
{
    s->failed++;
    kind_of(s, code)->count++;
}

double stats_percentile(const struct stats *s, double share)
{
    double exact = share * (double)s->attempts;
    uint64_t rank = (uint64_t)exact;
    uint64_t seen = 0;

    if (s->attempts == 0)
        return 0;
    if ((double)rank < exact || rank == 0)
        rank++;
    for (size_t i = 0; i < STATS_BUCKETS; i++) {
        seen += s->histogram[i];
        if (seen >= rank)
            return (double)(bucket_end(i) < s->max ? bucket_end(i) : s->max) / 1e6;
    }
    return (double)s->max / 1e6;
}

void stats_time(struct buf *to, double seconds)
{
    if (seconds < 0.0009995)
        buf_format(to, "%.0f us", seconds * 1e6);
    else if (seconds < 0.9995)
        buf_format(to, seconds < 0.09995 ? "%.2f ms" : "%.0f ms", seconds * 1e3);
    else if (seconds < 59.995)
        buf_format(to, "%.2f s", seconds);
    else
        buf_format(to, "%ld min %02ld s", (long)(seconds + 0.5) / 60, (long)(seconds + 0.5) % 60);
}

static void add_failures(const struct stats *s, struct buf *to)
{
    bool printed[STATS_KINDS] = {false};

    buf_text(to, "  failures   ");
    for (int n = 0; n < s->kind_count; n++) {
        int most = -1;

        for (int i = 0; i < s->kind_count; i++)
            if (!printed[i] && (most < 0 || s->kinds[i].count > s->kinds[most].count))
                most = i;
        printed[most] = true;
        buf_format(to, "%s%s %ld", n > 0 ? ", " : "", s->kinds[most].code, s->kinds[most].count);
    }
    buf_byte(to, '\n');
}

static void add_latency(const struct stats *s, struct buf *to)
{
    static const struct {
        const char *name;
        double share;
    } shown[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};

    buf_text(to, "  latency    ");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        buf_format(to, "%s%s ", i > 0 ? ", " : "", shown[i].name);
        stats_time(to, stats_percentile(s, shown[i].share));
    }
    buf_byte(to, '\n');
}

void stats_summary(const struct stats *s, double wall, int jobs, struct buf *to)
{
    long ended = s->done + s->failed;

    buf_format(to, "  statements %ld: %ld done, %ld failed", ended, s->done, s->failed);
    if (s->retries > 0)
        buf_format(to, ", %ld retr%s", s->retries, s->retries == 1 ? "y" : "ies");
    buf_byte(to, '\n');
    if (s->failed > 0)
        add_failures(s, to);
    if (s->attempts > 0)
        add_latency(s, to);
    buf_text(to, "  time       ");
    stats_time(to, wall);
    if (wall > 0 && s->attempts > 0)
        buf_format(to, ", %.*f statements/s, overlap %.1f x on %d connection%s",
                   (double)ended / wall < 10 ? 1 : 0, (double)ended / wall, s->busy / wall, jobs,
                   jobs == 1 ? "" : "s");
    buf_byte(to, '\n');
}
