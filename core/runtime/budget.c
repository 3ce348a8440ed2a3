/* One counter for the memory of all pipelines of the process; see budget.h. */
#include "budget.h"

static gint64 used, limit = G_MAXINT64;

void budget_setup(gint64 bytes)
{
    __atomic_store_n(&limit, bytes, __ATOMIC_RELAXED);
}

void budget_charge(gint64 bytes)
{
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

bool budget_full(void)
{
    return budget_used() >= budget_limit();
}

bool budget_tight(void)
{
    return budget_used() >= budget_limit() / 4 * 3;
}
