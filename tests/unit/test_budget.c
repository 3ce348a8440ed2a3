/* The memory budget: half of it is shared out evenly, half is for whoever comes first; what is held all the time leaves
 * less for rows on their way. */
#include "runtime/budget.h"

#define MIB (G_GINT64_CONSTANT(1) << 20)

static void test_one_has_all(void)
{
    BudgetShare *share = budget_join(40 * MIB, 0);
    g_assert_cmpint(budget_limit(), ==, 40 * MIB);
    g_assert_cmpint(budget_own(), ==, 20 * MIB);
    g_assert_cmpint(budget_part(), ==, 40 * MIB);
    budget_charge(share, 12 * MIB); /* held all the time */
    g_assert_false(budget_tight(share));
    budget_charge(share, 18 * MIB - 1);
    g_assert_false(budget_tight(share));
    budget_charge(share, 1);
    g_assert_true(budget_tight(share));
    g_assert_false(budget_full(share));
    budget_charge(share, 10 * MIB - 1);
    g_assert_false(budget_full(share));
    budget_charge(share, 1);
    g_assert_true(budget_full(share));
    budget_charge(share, 5 * MIB); /* a batch more is no error */
    budget_charge(share, -33 * MIB);
    g_assert_false(budget_tight(share));
    g_assert_cmpint(budget_used(), ==, 12 * MIB);
    budget_charge(share, -12 * MIB);
    budget_leave(share);
}

/* The largest that one asks for, less what source threads may take beyond it; never less than three quarters. */
static void test_limit(void)
{
    BudgetShare *first = budget_join(40 * MIB, 2 * MIB), *second = budget_join(16 * MIB, 4 * MIB);
    g_assert_cmpint(budget_limit(), ==, 34 * MIB);
    BudgetShare *third = budget_join(16 * MIB, 90 * MIB);
    g_assert_cmpint(budget_limit(), ==, 30 * MIB);
    g_assert_cmpint(budget_own(), ==, 5 * MIB);
    budget_leave(first);
    budget_leave(third);
    g_assert_cmpint(budget_limit(), ==, 12 * MIB);
    g_assert_cmpint(budget_own(), ==, 6 * MIB);
    budget_leave(second);
    budget_leave(NULL);
    g_assert_cmpint(budget_limit(), ==, G_MAXINT64);
    g_assert_cmpint(budget_part(), ==, G_MAXINT64);
}

/* What one holds beyond its own half is taken from the common one; what is each one's own stays so. */
static void test_shortage_of_one(void)
{
    BudgetShare *greedy = budget_join(40 * MIB, 0), *modest = budget_join(40 * MIB, 0);
    g_assert_cmpint(budget_own(), ==, 10 * MIB);
    g_assert_cmpint(budget_part(), ==, 20 * MIB);
    budget_charge(greedy, 30 * MIB);
    g_assert_true(budget_full(greedy));
    g_assert_false(budget_full(modest));
    budget_charge(modest, 10 * MIB - 1);
    g_assert_false(budget_full(modest));
    budget_charge(modest, 1);
    g_assert_true(budget_full(modest));
    budget_charge(greedy, -1); /* back into the common half: whoever needs it */
    g_assert_false(budget_full(modest));
    g_assert_false(budget_full(greedy));
    budget_charge(greedy, -30 * MIB + 1);
    budget_charge(modest, -10 * MIB);
    g_assert_cmpint(budget_used(), ==, 0);
    budget_charge(modest, 30 * MIB); /* all of the common half is there again */
    g_assert_true(budget_full(modest));
    budget_charge(modest, -1);
    g_assert_false(budget_full(modest));
    budget_charge(modest, 1 - 30 * MIB);
    budget_leave(greedy);
    budget_leave(modest);
}

/* What is held stays; what it counts for is what the shares of now say. */
static void test_shared_out_anew(void)
{
    BudgetShare *first = budget_join(40 * MIB, 0);
    budget_charge(first, 32 * MIB);
    g_assert_false(budget_full(first));
    BudgetShare *second = budget_join(40 * MIB, 0);
    g_assert_true(budget_full(first)); /* 22 MiB of the common 20 */
    g_assert_false(budget_full(second));
    budget_charge(second, 10 * MIB);
    g_assert_true(budget_full(second));
    budget_charge(second, -10 * MIB);
    budget_leave(second);
    g_assert_false(budget_full(first));
    BudgetShare *again = budget_join(40 * MIB, 0);
    g_assert_true(again == second); /* or it would be a leak a pipeline */
    budget_leave(again);
    budget_charge(first, -32 * MIB);
    budget_leave(first);
    g_assert_cmpint(budget_used(), ==, 0);
}

/* Of one that leaves before all of it is given back nothing goes to the next one's account. */
static void test_late_return(void)
{
    BudgetShare *first = budget_join(40 * MIB, 0);
    budget_charge(first, MIB);
    budget_leave(first);
    g_assert_cmpint(budget_used(), ==, MIB);
    BudgetShare *next = budget_join(40 * MIB, 0);
    g_assert_true(next != first);
    budget_charge(first, -MIB);
    g_assert_cmpint(budget_used(), ==, 0);
    budget_leave(next);
}

static void count(gpointer counter)
{
    (*(guint *) counter)++;
}

/* Nobody is told anything while nobody waits. */
static void test_who_waits_is_told(void)
{
    guint told = 0;
    BudgetShare *first = budget_join(40 * MIB, 0), *second = budget_join(40 * MIB, 0);
    budget_listen(first, count, &told);
    budget_charge(second, 8 * MIB);
    budget_charge(second, -MIB);
    g_assert_cmpuint(told, ==, 0);
    budget_await(true);
    budget_charge(second, MIB);
    g_assert_cmpuint(told, ==, 0);
    budget_charge(second, -MIB);
    g_assert_cmpuint(told, ==, 1);
    budget_await(false);
    budget_charge(second, -MIB);
    g_assert_cmpuint(told, ==, 1);
    budget_tell();
    g_assert_cmpuint(told, ==, 2);
    budget_charge(second, -6 * MIB);
    budget_leave(second); /* there is more for the first now */
    g_assert_cmpuint(told, ==, 3);
    budget_listen(first, NULL, NULL);
    budget_tell();
    g_assert_cmpuint(told, ==, 3);
    budget_leave(first);
}

typedef struct Seen {
    const BudgetShare *share;
    gint64 part;
    bool tight;
} Seen;

static void see(gpointer data)
{
    Seen *seen = data;
    seen->part = budget_part();
    seen->tight = budget_tight(seen->share);
}

/* Whoever holds much learns at once that it is too much, and when it is not any more. */
static void test_comers_and_goers_are_told(void)
{
    Seen seen = {.share = budget_join(40 * MIB, 0)};
    budget_listen((BudgetShare *) seen.share, see, &seen);
    budget_charge((BudgetShare *) seen.share, 24 * MIB);
    see(&seen);
    g_assert_cmpint(seen.part, ==, 40 * MIB);
    g_assert_false(seen.tight);
    BudgetShare *other = budget_join(40 * MIB, 0);
    g_assert_cmpint(seen.part, ==, 20 * MIB);
    g_assert_true(seen.tight);
    budget_leave(other);
    g_assert_cmpint(seen.part, ==, 40 * MIB);
    g_assert_false(seen.tight);
    budget_listen((BudgetShare *) seen.share, NULL, NULL);
    budget_charge((BudgetShare *) seen.share, -24 * MIB);
    budget_leave((BudgetShare *) seen.share);
}

static gpointer charge_and_give_back(gpointer share)
{
    for (int i = 0; i < 100000; i++) {
        budget_charge(share, 15 * MIB);
        budget_charge(share, -15 * MIB);
    }
    return NULL;
}

static gpointer come_and_go(gpointer data)
{
    (void) data;
    for (int i = 0; i < 10000; i++)
        budget_leave(budget_join(16 * MIB, 0));
    return NULL;
}

static void test_threads_lose_nothing(void)
{
    BudgetShare *share = budget_join(40 * MIB, 0);
    GThread *threads[4], *other = g_thread_new("come and go", come_and_go, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("charge", charge_and_give_back, share);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_thread_join(other);
    g_assert_cmpint(budget_used(), ==, 0);
    budget_charge(share, 40 * MIB - 1);
    g_assert_false(budget_full(share));
    budget_charge(share, 1);
    g_assert_true(budget_full(share));
    budget_charge(share, -40 * MIB);
    budget_leave(share);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/budget/one pipeline has all of it", test_one_has_all);
    g_test_add_func("/budget/the largest wish is the limit", test_limit);
    g_test_add_func("/budget/one that holds much leaves others their own", test_shortage_of_one);
    g_test_add_func("/budget/pipelines come and go", test_shared_out_anew);
    g_test_add_func("/budget/what comes back late", test_late_return);
    g_test_add_func("/budget/who waits is told", test_who_waits_is_told);
    g_test_add_func("/budget/comers and goers are told", test_comers_and_goers_are_told);
    g_test_add_func("/budget/threads lose nothing", test_threads_lose_nothing);
    return g_test_run();
}
