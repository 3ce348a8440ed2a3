/* Commits that are tried until they are in, whatever happens to the connection meanwhile:
 * tests/e2e/test_gold_postgres.py cuts it at random moments. Afterwards every order is there once, with its last
 * amount, and the ledger is at the end. */
#include "gold_place.h"

#define COMMITS 40
#define ROWS 500
#define ORDERS 3000

static void try_again(Harness *h, int *times)
{
    if (h->status != SF_RETRY || ++*times > 100)
        g_error("%s: %s", sf_status_name(h->status), h->err.message);
    g_usleep(20000);
}

static void open_somehow(Harness *h)
{
    int times = 0;
    while (harness_try_open(h) != SF_OK)
        try_again(h, &times);
    while (harness_try_recover(h, 0, "t/0") != SF_OK)
        try_again(h, &times);
}

static void commit_somehow(Harness *h)
{
    int times = 0;
    while (harness_try_commit(h, SF_COMMIT_CHECKPOINT) != SF_OK)
        try_again(h, &times);
}

static void test_commits(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        gold_harness(place, "dimensions: {d: {key: customer}}\nfacts: {f: {key: id, columns: [amount]}}");
    harness_input_text(h, "sales",
                       "id int not null, customer string, amount decimal(12,2), _topic string, _partition int, "
                       "_offset bigint, _timestamp timestamp");
    open_somehow(h);
    for (int commit = 0; commit < COMMITS; commit++) {
        g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
        for (int i = 0; i < ROWS; i++) {
            int offset = commit * ROWS + i;
            g_ptr_array_add(rows, g_strdup_printf("[%d, \"C%d\", %d.25, \"t\", 0, %d, \"2024-01-15T10:00:00Z\"]",
                                                  offset % ORDERS, offset % 7, offset, offset));
        }
        harness_write(h, 0, harness_rows(h, 0, "t/0", commit * ROWS, (const char *const *) rows->pdata, rows->len));
        commit_somehow(h);
    }
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
    gold_assert_query(place, "SELECT count(*) FROM f", "3000");
    gold_assert_query(place, "SELECT count(*) FROM f WHERE amount = _offset + 0.25 AND _offset >= 17000", "3000");
    gold_assert_query(place, "SELECT count(*) FROM d", "7");
    gold_assert_query(place, "SELECT end_position, rows_in, rows_rejected FROM sf_ledger", "20000|20000|0");
}

/* What the sink does for itself must not fail on data: a person mends it, and the same commit goes on. */
static void test_housekeeping_that_is_refused(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("triggers are written otherwise elsewhere");
        return;
    }
    g_autoptr(Harness) h =
        gold_harness(place, "delete.retention: 1h\nfacts: {f: {key: id, columns: [], delete_when: {id: 1}}}");
    harness_input_text(h, "sales",
                       "id int not null, _topic string, _partition int, _offset bigint, _timestamp timestamp");
    open_somehow(h);
    harness_write(h, 0, harness_rows(h, 0, "t/0", 0, (const char *const[]){"[1, \"t\", 0, 0, null]"}, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    h->now_ms = g_get_real_time() / 1000 + 7200000;
    h->monotonic_ms += 7200000;
    gold_exec(place, "CREATE TRIGGER kept BEFORE DELETE ON sf_deleted_f BEGIN SELECT RAISE(ABORT, 'it stays'); END");
    harness_write(h, 0, harness_rows(h, 0, "t/0", 1, (const char *const[]){"[2, \"t\", 0, 1, null]"}, 1));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_assert_contains(h->err.message, "it stays");
    gold_exec(place, "DROP TRIGGER kept");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT count(*) FROM sf_deleted_f", "0");
    gold_assert_query(place, "SELECT id FROM f", "2");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/outage/commits go on where they were, and none is there twice", test_commits);
    g_test_add_func("/gold/outage/housekeeping that is refused is tried again", test_housekeeping_that_is_refused);
    return g_test_run();
}
