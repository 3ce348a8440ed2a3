/* How many rows a step may refuse, and what is said of them: at the limits exactly. */
#include "runtime/guard.h"

#include <string.h>

typedef struct Fixture {
    Guard guard;
    Step step;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    guard_init(&fixture->guard);
    fixture->step = (Step){.name = (char *) "sales", .error_outputs = g_ptr_array_new()};
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_ptr_array_unref(fixture->step.error_outputs);
    guard_done(&fixture->guard);
}

static SfStatus checked(Fixture *fixture, gint64 rows, gint64 rejected)
{
    SfError err = {0};
    SfStatus status = guard_check(&fixture->guard, &fixture->step, "p", rows, rejected, &err);
    g_assert_cmpint(*err.message == 0, ==, status == SF_OK);
    return status;
}

static SfStatus finished(Fixture *fixture, gint64 rows, gint64 rejected)
{
    SfError err = {0};
    SfStatus status = guard_finish(&fixture->guard, &fixture->step, "p", rows, rejected, &err);
    g_assert_cmpint(*err.message == 0, ==, status == SF_OK);
    return status;
}

static void test_number_of_rows(Fixture *fixture, gconstpointer data)
{
    (void) data;
    fixture->step.max_rejects = (RejectLimit){.given = true, .rows = 3};
    g_assert_cmpint(checked(fixture, 3, 3), ==, SF_OK);
    g_assert_cmpint(checked(fixture, 4, 4), ==, SF_FATAL);
    g_assert_cmpint(finished(fixture, 3, 3), ==, SF_OK);
    g_assert_cmpint(finished(fixture, 4, 4), ==, SF_FATAL);
    fixture->step.max_rejects.rows = 0;
    g_assert_cmpint(checked(fixture, 4000, 0), ==, SF_OK);
    g_assert_cmpint(checked(fixture, 4000, 1), ==, SF_FATAL);
}

/* A share of few rows says little, until there are no more. */
static void test_share_of_rows(Fixture *fixture, gconstpointer data)
{
    (void) data;
    fixture->step.max_rejects = (RejectLimit){.given = true, .rows = -1, .share = 0.05};
    g_assert_cmpint(checked(fixture, 999, 999), ==, SF_OK);
    g_assert_cmpint(checked(fixture, 1000, 50), ==, SF_OK);
    g_assert_cmpint(checked(fixture, 1000, 51), ==, SF_FATAL);
    g_assert_cmpint(finished(fixture, 20, 1), ==, SF_OK);
    g_assert_cmpint(finished(fixture, 19, 1), ==, SF_FATAL);
    g_assert_cmpint(finished(fixture, 1, 1), ==, SF_FATAL);
}

static void test_all_of_the_first(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(checked(fixture, 999, 999), ==, SF_OK);
    g_assert_cmpint(checked(fixture, 1000, 1000), ==, SF_FATAL);
    g_assert_cmpint(checked(fixture, 1000, 999), ==, SF_OK);
}

/* Nothing is left, and nobody reads what was refused. */
static void test_all_at_the_end(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(finished(fixture, 5, 0), ==, SF_OK);
    g_assert_cmpint(finished(fixture, 5, 4), ==, SF_OK);
    g_assert_cmpint(finished(fixture, 5, 5), ==, SF_FATAL);
    g_ptr_array_add(fixture->step.error_outputs, fixture);
    g_assert_cmpint(finished(fixture, 5, 5), ==, SF_OK);
}

static void assert_cause(Fixture *fixture, const char *wanted)
{
    g_autofree char *cause = guard_cause(&fixture->guard);
    g_assert_cmpstr(cause, ==, wanted);
}

/* Causes that differ by numbers and by what stands in quotes are one. */
static void test_commonest_cause(Fixture *fixture, gconstpointer data)
{
    (void) data;
    assert_cause(fixture, NULL);
    guard_count(&fixture->guard, "sales: 'abc' is not a number", 1);
    guard_count(&fixture->guard, "day 17.5 is too late", 1);
    guard_count(&fixture->guard, "day 4 is too late", 1);
    assert_cause(fixture, "day 17.5 is too late");
    guard_count(&fixture->guard, "sales: '1' is not a number", 2);
    assert_cause(fixture, "sales: 'abc' is not a number");
    guard_count(&fixture->guard, "sales: 'x' is not a number", -2);
    assert_cause(fixture, "day 17.5 is too late");
    guard_count(&fixture->guard, "a cause that nobody named", -1);
    guard_count(&fixture->guard, "it's one", 3);
    assert_cause(fixture, "it's one");
    guard_reset(&fixture->guard);
    assert_cause(fixture, NULL);
}

/* Where there are more causes than are kept, the common ones stay: each that finds no room takes one of all others. */
static void test_many_causes(Fixture *fixture, gconstpointer data)
{
    (void) data;
    guard_count(&fixture->guard, "the common one", 2 * GUARD_CAUSES);
    for (guint i = 0; i < 3 * GUARD_CAUSES; i++) {
        g_autofree char *rare =
            g_strdup_printf("%.*s is rare", (int) i + 1, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
        guard_count(&fixture->guard, rare, 1);
    }
    assert_cause(fixture, "the common one");
}

/* A text of any length is one cause by its beginning, and is shown cut. */
static void test_long_cause(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autofree char *letters = g_strnfill(1000, 'x');
    g_autofree char *one = g_strconcat(letters, "a", NULL), *other = g_strconcat(letters, "b", NULL);
    guard_count(&fixture->guard, "short", 1);
    guard_count(&fixture->guard, one, 1);
    guard_count(&fixture->guard, other, 1);
    g_autofree char *shown = g_strndup(letters, 300);
    assert_cause(fixture, shown);
}

/* Of rows that are dropped three are shown, and three more later. */
static void test_three_are_shown(Fixture *fixture, gconstpointer data)
{
    (void) data;
    guint shown = 0;
    for (guint i = 0; i < 10; i++)
        shown += guard_shows(&fixture->guard);
    g_assert_cmpuint(shown, ==, 3);
    guard_reset(&fixture->guard);
    g_assert_true(guard_shows(&fixture->guard));
}

#define ADD(name, test) g_test_add("/guard/" name, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("number-of-rows", test_number_of_rows);
    ADD("share-of-rows", test_share_of_rows);
    ADD("all-of-the-first", test_all_of_the_first);
    ADD("all-at-the-end", test_all_at_the_end);
    ADD("commonest-cause", test_commonest_cause);
    ADD("many-causes", test_many_causes);
    ADD("long-cause", test_long_cause);
    ADD("three-are-shown", test_three_are_shown);
    return g_test_run();
}
