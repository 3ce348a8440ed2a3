/* The memory budget: half of it is shared out evenly, half is for whoever comes first; what is held all the time leaves
 * less for rows on their way. */
#include "runtime/budget.h"

#define MIB (G_GINT64_CONSTANT(1) << 20)

static void test_without_limit(void)
{
    BudgetShare share = {0};
    budget_charge(&share, 1000 * MIB);
    g_assert_false(budget_full(&share));
    g_assert_false(budget_tight(&share));
    g_assert_cmpint(budget_part(), ==, G_MAXINT64);
    budget_charge(&share, -1000 * MIB);
    g_assert_cmpint(budget_used(), ==, 0);
}

static void test_one_has_all(void)
{
    BudgetShare share = {0};
    budget_setup(40 * MIB, 1);
    g_assert_cmpint(budget_part(), ==, 40 * MIB);
    budget_charge(&share, 12 * MIB); /* held all the time */
    g_assert_false(budget_tight(&share));
    budget_charge(&share, 18 * MIB - 1);
    g_assert_false(budget_tight(&share));
    budget_charge(&share, 1);
    g_assert_true(budget_tight(&share));
    g_assert_false(budget_full(&share));
    budget_charge(&share, 10 * MIB);
    g_assert_true(budget_full(&share));
    budget_charge(&share, 5 * MIB); /* a batch more is no error */
    budget_charge(&share, -33 * MIB);
    g_assert_false(budget_tight(&share));
    g_assert_cmpint(budget_used(), ==, 12 * MIB);
    budget_charge(&share, -12 * MIB);
}

/* What one holds beyond its own half is taken from the common one; what is each one's own stays so. */
static void test_shortage_of_one(void)
{
    BudgetShare greedy = {0}, modest = {0};
    budget_setup(40 * MIB, 2);
    g_assert_cmpint(budget_own(), ==, 10 * MIB);
    g_assert_cmpint(budget_part(), ==, 20 * MIB);
    budget_charge(&greedy, 30 * MIB);
    g_assert_true(budget_full(&greedy));
    g_assert_false(budget_full(&modest));
    budget_charge(&modest, 10 * MIB - 1);
    g_assert_false(budget_full(&modest));
    budget_charge(&modest, 1);
    g_assert_true(budget_full(&modest));
    budget_charge(&greedy, -1); /* back into the common half: whoever needs it */
    g_assert_false(budget_full(&modest));
    g_assert_false(budget_full(&greedy));
    budget_charge(&greedy, -30 * MIB + 1);
    budget_charge(&modest, -10 * MIB);
    g_assert_cmpint(budget_used(), ==, 0);
    budget_charge(&modest, 30 * MIB); /* all of the common half is there again */
    g_assert_true(budget_full(&modest));
    budget_charge(&modest, -1);
    g_assert_false(budget_full(&modest));
    budget_charge(&modest, 1 - 30 * MIB);
}

static gpointer charge_and_give_back(gpointer share)
{
    for (int i = 0; i < 100000; i++) {
        budget_charge(share, 15 * MIB);
        budget_charge(share, -15 * MIB);
    }
    return NULL;
}

static void test_threads_lose_nothing(void)
{
    BudgetShare share = {0};
    GThread *threads[4];
    budget_setup(40 * MIB, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("charge", charge_and_give_back, &share);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(budget_used(), ==, 0);
    budget_charge(&share, 40 * MIB - 1);
    g_assert_false(budget_full(&share));
    budget_charge(&share, 1);
    g_assert_true(budget_full(&share));
    budget_charge(&share, -40 * MIB);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/budget/without a limit nothing is full", test_without_limit);
    g_test_add_func("/budget/one pipeline has all of it", test_one_has_all);
    g_test_add_func("/budget/one that holds much leaves others their own", test_shortage_of_one);
    g_test_add_func("/budget/threads lose nothing", test_threads_lose_nothing);
    return g_test_run();
}
