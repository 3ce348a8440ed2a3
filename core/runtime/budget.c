/* Counters for the memory of all pipelines of the process; see budget.h. */
#include "budget.h"

/* Never freed but used again, so that who adds up needs no lock; not as long as something of its last user's is still
 * held, by a plugin that keeps a batch beyond its end. */
struct BudgetShare {
    gint64 used; /* atomic, likewise the next */
    bool joined;
    BudgetShare *next;   /* of all that there ever were; set once */
    gint64 memory, over; /* the lock's, as all below */
    void (*changed)(gpointer data);
    gpointer data;
};

static GMutex lock;
static BudgetShare *first; /* atomic, likewise all up to `waiting` */
static gint64 used, limit = G_MAXINT64;
static gint64 own = G_MAXINT64; /* what each share has for itself */
static gint64 common;           /* for whoever comes first */
static gint waiting;

static gint64 load_counter(const gint64 *counter)
{
    return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static void store_counter(gint64 *counter, gint64 value)
{
    __atomic_store_n(counter, value, __ATOMIC_SEQ_CST);
}

static BudgetShare *first_share(void)
{
    return __atomic_load_n(&first, __ATOMIC_ACQUIRE);
}

static bool has_joined(const BudgetShare *share)
{
    return __atomic_load_n(&share->joined, __ATOMIC_ACQUIRE);
}

/* The lock is held, likewise below. */
static void share_out(void)
{
    gint64 memory = 0, over = 0, n = 0;
    for (const BudgetShare *share = first_share(); share; share = share->next) {
        if (!has_joined(share))
            continue;
        n++;
        memory = MAX(memory, share->memory);
        over += share->over;
    }
    gint64 all = n > 0 ? memory - MIN(over, memory / 4) : G_MAXINT64;
    gint64 each = n > 0 ? all / 2 / n : G_MAXINT64;
    store_counter(&limit, all);
    store_counter(&own, each);
    store_counter(&common, n > 0 ? all - each * n : 0);
}

static BudgetShare *unused_share(void)
{
    for (BudgetShare *share = first_share(); share; share = share->next) {
        if (!has_joined(share) && load_counter(&share->used) == 0)
            return share;
    }
    BudgetShare *share = g_new0(BudgetShare, 1);
    share->next = first_share();
    __atomic_store_n(&first, share, __ATOMIC_RELEASE);
    return share;
}

static void tell_listeners(void)
{
    for (const BudgetShare *share = first_share(); share; share = share->next) {
        if (share->changed)
            share->changed(share->data);
    }
}

BudgetShare *budget_join(gint64 memory, gint64 over)
{
    g_mutex_lock(&lock);
    BudgetShare *share = unused_share();
    share->memory = memory;
    share->over = over;
    __atomic_store_n(&share->joined, true, __ATOMIC_RELEASE);
    share_out();
    tell_listeners(); /* the others have less now: their sinks may have to commit */
    g_mutex_unlock(&lock);
    return share;
}

void budget_leave(BudgetShare *share)
{
    if (!share)
        return;
    g_mutex_lock(&lock);
    share->changed = NULL;
    __atomic_store_n(&share->joined, false, __ATOMIC_RELEASE);
    share_out();
    tell_listeners(); /* the others have more now */
    g_mutex_unlock(&lock);
}

void budget_listen(BudgetShare *share, void (*changed)(gpointer data), gpointer data)
{
    g_mutex_lock(&lock);
    share->changed = changed;
    share->data = data;
    g_mutex_unlock(&lock);
}

void budget_await(bool waits)
{
    g_atomic_int_add(&waiting, waits ? 1 : -1);
}

void budget_tell(void)
{
    g_mutex_lock(&lock);
    tell_listeners();
    g_mutex_unlock(&lock);
}

void budget_charge(BudgetShare *share, gint64 bytes)
{
    __atomic_add_fetch(&share->used, bytes, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&used, bytes, __ATOMIC_SEQ_CST);
    if (bytes < 0 && g_atomic_int_get(&waiting) > 0)
        budget_tell();
}

gint64 budget_used(void)
{
    return load_counter(&used);
}

gint64 budget_limit(void)
{
    return load_counter(&limit);
}

gint64 budget_own(void)
{
    return load_counter(&own);
}

gint64 budget_part(void)
{
    gint64 half = budget_own();
    return half > G_MAXINT64 / 2 ? G_MAXINT64 : half * 2;
}

/* Of what is common: what all hold beyond their own. */
static gint64 taken(void)
{
    gint64 sum = 0, each = budget_own();
    for (const BudgetShare *share = first_share(); share; share = share->next) {
        if (has_joined(share))
            sum += MAX(load_counter(&share->used) - each, 0);
    }
    return sum;
}

static bool beyond(const BudgetShare *share, gint64 least, gint64 of_common)
{
    return load_counter(&share->used) >= least && taken() >= of_common;
}

bool budget_full(const BudgetShare *share)
{
    return beyond(share, budget_own(), load_counter(&common));
}

bool budget_tight(const BudgetShare *share)
{
    return beyond(share, budget_own() / 4 * 3, load_counter(&common) / 2);
}
