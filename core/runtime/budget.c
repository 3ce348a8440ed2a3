/* Counters for the memory of all pipelines of the process; see budget.h. */
#include "budget.h"

static gint64 used, limit = G_MAXINT64;
static gint64 own = G_MAXINT64; /* what each share has for itself */
static gint64 common;           /* for whoever comes first */
static gint64 taken;            /* of what is common */

void budget_setup(gint64 bytes, guint pipelines)
{
    __atomic_store_n(&limit, bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&own, bytes / 2 / MAX(pipelines, 1), __ATOMIC_RELAXED);
    __atomic_store_n(&common, bytes - budget_own() * MAX(pipelines, 1), __ATOMIC_RELAXED);
}

void budget_charge(BudgetShare *share, gint64 bytes)
{
    gint64 now = __atomic_add_fetch(&share->used, bytes, __ATOMIC_RELAXED);
    gint64 over = MAX(now - budget_own(), 0), before = MAX(now - bytes - budget_own(), 0);
    __atomic_add_fetch(&taken, over - before, __ATOMIC_RELAXED);
    __atomic_add_fetch(&used, bytes, __ATOMIC_RELAXED);
}

gint64 budget_used(void)
{
    return __atomic_load_n(&used, __ATOMIC_RELAXED);
}

gint64 budget_limit(void)
{
    return __atomic_load_n(&limit, __ATOMIC_RELAXED);
}

gint64 budget_own(void)
{
    return __atomic_load_n(&own, __ATOMIC_RELAXED);
}

gint64 budget_part(void)
{
    gint64 half = budget_own();
    return half > G_MAXINT64 / 2 ? G_MAXINT64 : half * 2;
}

static bool beyond(const BudgetShare *share, gint64 least, gint64 of_common)
{
    return __atomic_load_n(&share->used, __ATOMIC_RELAXED) >= least &&
           __atomic_load_n(&taken, __ATOMIC_RELAXED) >= of_common;
}

bool budget_full(const BudgetShare *share)
{
    return beyond(share, budget_own(), __atomic_load_n(&common, __ATOMIC_RELAXED));
}

bool budget_tight(const BudgetShare *share)
{
    return beyond(share, budget_own() / 4 * 3, __atomic_load_n(&common, __ATOMIC_RELAXED) / 2);
}
