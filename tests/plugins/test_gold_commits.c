/* Commits of the gold sink that go wrong, by a server that the test plays: answers that are lost, rivals, rows that are
 * refused, and what is locked meanwhile. */
#include <string.h>
#include "gold_place.h"
#include "gold_server.h"

#define AT(position) "{\"columns\": 5, \"rows\": [[\"\", \"t/0\", " position ", \"2024-01-15 10:30:00.25\", null]]}"

/* ---- commits whose answer is lost, and rivals ---- */

/* After the connection is lost within COMMIT the ledger tells what became of it. */
static void test_a_lost_answer(void)
{
    static const struct {
        const char *ledger;
        SfStatus status;
        bool again;
    } cases[] = {{AT("2"), SF_OK, false}, {AT("null"), SF_OK, true}, {AT("1"), SF_FENCED, false}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        harness_recover(h, 0, "t/0");
        gold_server_write(h, 0, 2, "false");
        gold_server_answer_times("COMMIT", GOLD_ERROR("08S01", 35, "server closed the connection"), 1);
        g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
        gold_assert_contains(h->err.message, "server closed the connection");
        gold_server_assert_sent("INSERT INTO \"f\"", "\nCOMMIT\n", "LOGOUT\n", NULL);
        gold_server_answer(GOLD_LEDGER, cases[i].ledger);
        g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, cases[i].status);
        g_autofree char *sent = gold_server_sent();
        g_assert_true(g_str_has_prefix(sent, "LOGIN\n"));
        g_assert_cmpint(strstr(sent, "INSERT INTO \"f\"") != NULL, ==, cases[i].again);
        if (cases[i].status == SF_FENCED)
            g_assert_cmpstr(h->err.message, ==,
                            "the ledger has moved on: another process commits split 't/0' for step "
                            "'snowflake-gold-sink'");
    }
}

/* The transaction failed before COMMIT: a ledger at our end is a rival's. */
static void test_a_failure_before_the_commit(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_answer_times("INSERT INTO \"f\"", GOLD_ERROR("40P01", 7, "deadlock detected"), 1);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_server_answer(GOLD_LEDGER, AT("2"));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
}

/* ---- rows that are refused ---- */

static void refuse_rows(const char *answer, SfStatus status, guint rejects, const char *message)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_answer_times("INSERT INTO \"f\"", answer, 4); /* all; all of the lot; the first; once more, all */
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, status);
    g_assert_cmpuint(harness_n_rejects(h), ==, rejects);
    gold_assert_contains(status == SF_OK ? harness_rejects(h) : h->err.message, message);
}

/* Want of a permission is somebody's to mend, and drops nothing; a policy refuses the same row for ever. */
static void test_rows_that_a_policy_refuses(void)
{
    refuse_rows(GOLD_ERROR("42501", 7, "permission denied for table f"), SF_RETRY, 0, "permission denied for table f");
    refuse_rows(GOLD_ERROR("42501", 7, "permission denied for sequence s"), SF_RETRY, 0,
                "permission denied for sequence s");
    refuse_rows(GOLD_ERROR("42501", 7, "new row violates row-level security policy for table \\\"f\\\""), SF_OK, 2,
                "t/0@0: table 'f': new row violates row-level security policy for table \"f\" (42501 7)\n");
    refuse_rows(GOLD_ERROR("42501", 7, "new row violates row-level security policy \\\"mine\\\" for table \\\"f\\\""),
                SF_OK, 2, "policy \"mine\"");
    refuse_rows(GOLD_ERROR("XX000", 7, "internal"), SF_RETRY, 0, "internal");
}

/* The search for a bad row, statement by statement: constraints at once, and a savepoint around each part. */
static void test_the_search(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_answer_times("INSERT INTO \"f\"", GOLD_ERROR("23514", 7, "check"), 3);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpstr(harness_rejects(h), ==, "t/0@0: table 'f': check (23514 7)");
    gold_server_assert_sent(
        "autocommit off\n", "UPDATE \"sf_ledger\"", "INSERT INTO \"f\"", "\nROLLBACK\nautocommit on\n",
        "autocommit off\nSET CONSTRAINTS ALL IMMEDIATE\nUPDATE \"sf_ledger\"", "\nSAVEPOINT sf_lot\nINSERT",
        "\nROLLBACK TO SAVEPOINT sf_lot\nRELEASE SAVEPOINT sf_lot\nSAVEPOINT sf_lot\nINSERT",
        "\nROLLBACK TO SAVEPOINT sf_lot\nRELEASE SAVEPOINT sf_lot\nSAVEPOINT sf_lot\nINSERT",
        "\nRELEASE SAVEPOINT sf_lot\nROLLBACK\nautocommit on\n", "autocommit off\nUPDATE \"sf_ledger\"", "2, 1, '')",
        "INSERT INTO \"f\"", "\nCOMMIT\nautocommit on\n", NULL);
    gold_server_answer_times("INSERT INTO \"f\"", GOLD_ERROR("23514", 7, "check"), 1);
    gold_server_answer_times("SAVEPOINT", GOLD_ERROR("53200", 7, "out of memory"), 1);
    gold_server_write(h, 2, 2, "false");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpuint(harness_n_rejects(h), ==, 1);
}

/* A row that fails for another reason in the midst of the search is not to blame. */
static void test_a_search_that_is_cut_off(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_answer("INSERT INTO \"f\"", GOLD_ERROR("57P01", 7, "terminating connection"));
    gold_server_answer_times("INSERT INTO \"f\"", GOLD_ERROR("23514", 7, "check"), 2);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_assert_contains(h->err.message, "terminating connection");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

static void test_a_commit_that_blames_no_row(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 2, "false");
    gold_server_answer("COMMIT", GOLD_ERROR("23000", 7, "something is violated"));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FATAL);
    g_assert_cmpstr(h->err.message, ==,
                    "the database refuses the transaction, but none of its rows: something is violated (23000 7)");
}

/* Rows that write go beside each other; those that delete, alone. No row of the table: no lock. */
static void test_locks(void)
{
    g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_DELETING);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 1, "false");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_server_assert_sent("LOCK TABLE \"sf_deleted_f\" IN ROW EXCLUSIVE MODE\n", NULL);
    gold_server_write(h, 1, 1, "true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_server_assert_sent("LOCK TABLE \"sf_deleted_f\" IN SHARE ROW EXCLUSIVE MODE\n", NULL);
    harness_write(h, 0, harness_with_range(h, harness_rows(h, 0, "t/0", 2, NULL, 0), 2, 5));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_server_assert_not_sent("LOCK TABLE");
    gold_server_answer("LOCK TABLE", GOLD_ERROR("55P03", 7, "lock timeout"));
    gold_server_write(h, 5, 1, "false");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);

    g_autoptr(Harness) plain = gold_server_sink("PostgreSQL", GOLD_FACT);
    gold_server_write(plain, 0, 1, "false");
    harness_commit(plain, SF_COMMIT_CHECKPOINT);
    gold_server_assert_not_sent("LOCK TABLE");
}

/* Old deletes are looked through once an hour, and only where there may be any. */
static void test_purges(void)
{
    g_autoptr(Harness) h =
        gold_server_sink("PostgreSQL", "delete.retention: 1d\ndimensions: {d: {key: name}}\n" GOLD_DELETING);
    harness_recover(h, 0, "t/0");
    gold_server_write(h, 0, 1, "false");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_server_assert_sent("DELETE FROM \"sf_deleted_f\" WHERE \"_deleted_at\" < '2024-01-14 10:30:00.000'\n", NULL);
    for (int hour = 0; hour < 2; hour++) {
        harness_pass(h, hour == 0 ? 3599999 : 1);
        gold_server_write(h, 1 + hour, 1, "false");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        g_autofree char *sent = gold_server_sent();
        g_assert_cmpint(strstr(sent, "DELETE FROM") != NULL, ==, hour == 1);
    }
}

static void test_transactions_that_do_not_begin_or_end(void)
{
    static const char *const calls[] = {"autocommit off", "ROLLBACK", "autocommit on"};
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_autoptr(Harness) h = gold_server_sink("PostgreSQL", GOLD_FACT);
        harness_recover(h, 0, "t/0");
        gold_server_write(h, 0, 2, "false");
        gold_server_answer_times("INSERT INTO \"f\"", GOLD_ERROR("23514", 7, "check"), i == 1 ? 1 : 0);
        gold_server_answer_times(calls[i], GOLD_ERROR("08S01", 35, "no connection"), 1);
        g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
        g_assert_cmpstr(h->err.message, ==, "no connection (08S01 35)");
        g_assert_cmpuint(harness_n_rejects(h), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/commits/the answer to COMMIT is lost", test_a_lost_answer);
    g_test_add_func("/gold/commits/a failure before COMMIT leaves no doubt", test_a_failure_before_the_commit);
    g_test_add_func("/gold/commits/a policy refuses rows, want of a permission none", test_rows_that_a_policy_refuses);
    g_test_add_func("/gold/commits/the search for bad rows", test_the_search);
    g_test_add_func("/gold/commits/a search that is cut off blames nobody", test_a_search_that_is_cut_off);
    g_test_add_func("/gold/commits/a COMMIT that is refused without a row to blame", test_a_commit_that_blames_no_row);
    g_test_add_func("/gold/commits/locks are as wide as what is written needs", test_locks);
    g_test_add_func("/gold/commits/old deletes are looked through once an hour", test_purges);
    g_test_add_func("/gold/commits/transactions that do not begin or end", test_transactions_that_do_not_begin_or_end);
    return g_test_run();
}
