/* Counters of steps; see stats.h. */
#include "stats.h"

StepStats *stats_new(guint n)
{
    StepStats *stats = g_new0(StepStats, n);
    for (guint i = 0; i < n; i++) {
        stats[i].newest_us = INT64_MIN;
        stats[i].expected = -1;
        guard_init(&stats[i].guard);
        trouble_init(&stats[i].trouble);
    }
    return stats;
}

void stats_free(StepStats *stats, guint n)
{
    for (guint i = 0; i < n; i++) {
        guard_done(&stats[i].guard);
        trouble_done(&stats[i].trouble);
    }
    g_free(stats);
}

void stats_reset(StepStats *stats, guint n)
{
    for (guint i = 0; i < n; i++) {
        gint64 *const counters[] = {&stats[i].rows_in, &stats[i].rows_out, &stats[i].passed,       &stats[i].rejected,
                                    &stats[i].bytes,   &stats[i].commits,  &stats[i].committed_us, &stats[i].rate};
        for (gsize k = 0; k < G_N_ELEMENTS(counters); k++)
            stats_set(counters[k], 0);
        stats_set(&stats[i].newest_us, INT64_MIN);
        stats_set(&stats[i].expected, -1);
        guard_reset(&stats[i].guard);
        trouble_set(&stats[i].trouble, NULL);
    }
}

void stats_add(gint64 *counter, gint64 n)
{
    __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

gint64 stats_get(const gint64 *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void stats_set(gint64 *counter, gint64 value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

void stats_newest(StepStats *stats, gint64 newest_us)
{
    if (newest_us > stats_get(&stats->newest_us))
        stats_set(&stats->newest_us, newest_us);
}
