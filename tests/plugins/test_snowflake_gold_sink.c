/* The gold sink: what is in the tables after batches, retries, refusals and rivals. */
#include <string.h>
#include "gold_place.h"

#define SCHEMA                                                                                                         \
    "order_id string, customer_id string, customer_name string, region string, order_date date, sales decimal(12,2), " \
    "quantity int, _topic string not null, _partition int not null, _offset bigint not null, _timestamp timestamp"

#define STAR                                                                                                           \
    "dimensions:\n"                                                                                                    \
    "  dim_customer: {key: customer_id, columns: [customer_name, region]}\n"                                           \
    "facts:\n"                                                                                                         \
    "  fact_sales:\n"                                                                                                  \
    "    key: order_id\n"                                                                                              \
    "    columns: {order_date: , customer_name: , sales_amount: sales, quantity: }\n"

static Harness *star(GoldPlace *place)
{
    Harness *h = gold_harness(place, STAR);
    harness_input_text(h, "sales", SCHEMA);
    return h;
}

/* One event of partition `partition` at `offset`, `second` seconds past ten. */
static char *event(const char *order, const char *customer, const char *name, const char *amount, int partition,
                   int offset, int second)
{
    return g_strdup_printf(
        "[%s, %s, \"%s\", \"EU\", \"2024-01-15\", %s, 1, \"sales_events\", %d, %d, \"2024-01-15T10:00:%02dZ\"]", order,
        customer, name, amount, partition, offset, second);
}

/* Writes events of one partition, which are at the offsets from `first` on. */
static void write_events(Harness *h, int partition, int first, char **events, gsize n)
{
    g_autofree char *split = g_strdup_printf("sales_events/%d", partition);
    harness_write(h, 0, harness_rows(h, 0, split, first, (const char *const *) events, n));
    for (gsize i = 0; i < n; i++)
        g_free(events[i]);
}

#define WRITE(h, partition, first, ...)                                                                                \
    do {                                                                                                               \
        char *events_[] = {__VA_ARGS__};                                                                               \
        write_events(h, partition, first, events_, G_N_ELEMENTS(events_));                                             \
    } while (0)

/* Each database writes a decimal in its own way; cents they all write alike. */
#define CENTS "CAST(sales_amount * 100 AS BIGINT)"
#define FACTS "SELECT order_id, " CENTS ", _partition, _offset FROM fact_sales ORDER BY order_id"

static void test_star(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    g_assert_cmpint(harness_recover(h, 0, "sales_events/0"), ==, SF_POSITION_NONE);
    WRITE(h, 0, 0, event("\"O-1\"", "\"C1\"", "Ann", "12.50", 0, 0, 1),
          event("\"O-2\"", "\"C2\"", "Bob", "7.00", 0, 1, 2));
    gold_assert_query(place, "SELECT count(*) FROM fact_sales", "0"); /* nothing before the commit */
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place,
                      "SELECT order_id, order_date, customer_name, " CENTS
                      ", quantity, customer_id, _topic, _partition, _offset "
                      "FROM fact_sales WHERE order_date >= '2024-01-14' ORDER BY order_date DESC, order_id",
                      "O-1|2024-01-15|Ann|1250|1|C1|sales_events|0|0\n"
                      "O-2|2024-01-15|Bob|700|1|C2|sales_events|0|1");
    gold_assert_query(place, "SELECT customer_id, customer_name, region, _offset FROM dim_customer ORDER BY 1",
                      "C1|Ann|EU|0\nC2|Bob|EU|1");
    gold_assert_query(
        place,
        "SELECT input, split, end_position, rows_in, rows_rejected, SUBSTR(CAST(updated_at AS VARCHAR(40)), 1, 19) "
        "FROM sf_ledger",
        "|sales_events/0|2|2|0|2024-01-15 10:30:00");
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 2);
}

static void test_latest_wins(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "first", "1.00", 0, 0, 5),
          event("\"A\"", "\"C1\"", "later", "2.00", 0, 1, 9), event("\"A\"", "\"C1\"", "older", "3.00", 0, 2, 7));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, FACTS, "A|200|0|1");
    /* another batch: an older row loses against the table, an equal time is decided by partition and offset */
    WRITE(h, 0, 3, event("\"A\"", "\"C1\"", "stale", "4.00", 0, 3, 8));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, FACTS, "A|200|0|1");
    WRITE(h, 1, 0, event("\"A\"", "\"C1\"", "same", "5.00", 1, 0, 9));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, FACTS, "A|500|1|0");
    gold_assert_query(place, "SELECT customer_name FROM dim_customer", "same");
}

/* The same events in every order of partitions and commits give the same table. */
static void test_order_does_not_matter(void)
{
    g_autofree char *first_outcome = NULL;
    for (int order = 0; order < 8; order++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        if (gold_is(place, "Snowflake") && (order & 2)) /* the emulator is slow: no commit every three events */
            continue;
        g_autoptr(Harness) h = star(place);
        for (int i = 0; i < 2; i++) {
            int partition = i ^ (order & 1);
            for (int offset = 0; offset < 30; offset++) {
                g_autofree char *key = g_strdup_printf("\"K%d\"", offset % 7);
                g_autofree char *name = g_strdup_printf("p%do%d", partition, offset);
                g_autofree char *amount = g_strdup_printf("%d.00", 100 * partition + offset);
                WRITE(h, partition, offset,
                      event(key, key, name, amount, partition, offset, (offset * 13 + partition) % 17));
                if ((order & 2) && offset % 3 == 0)
                    harness_commit(h, SF_COMMIT_CHECKPOINT);
            }
            if (order & 4)
                harness_commit(h, SF_COMMIT_CHECKPOINT);
        }
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *got =
            gold_query(place, "SELECT f.*, d.customer_name, d._offset FROM fact_sales f JOIN dim_customer d "
                              "USING (customer_id) ORDER BY order_id");
        if (!first_outcome)
            first_outcome = g_strdup(got);
        g_assert_cmpstr(got, ==, first_outcome);
    }
}

static void test_recovery(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    h->now_ms += 123;
    WRITE(h, 0, 10, event("\"A\"", "\"C1\"", "x", "1.00", 0, 10, 1));
    WRITE(h, 2, 5, event("\"B\"", "\"C1\"", "x", "1.00", 2, 5, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 0, 11, event("\"C\"", "\"C1\"", "x", "1.00", 0, 11, 1)); /* lost with the process */
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "sales_events/0"), ==, 11);
    g_assert_cmpint(harness_recover(h, 0, "sales_events/1"), ==, SF_POSITION_NONE);
    g_assert_cmpint(harness_recover(h, 0, "sales_events/2"), ==, 6);
    g_assert_cmpint(harness_known_ms(h, 0, "sales_events/0"), ==, h->now_ms);
    g_assert_cmpint(harness_known_ms(h, 0, "sales_events/1"), ==, 0);
    gold_assert_query(place, "SELECT order_id FROM fact_sales ORDER BY 1", "A\nB");
    WRITE(h, 0, 11, event("\"C\"", "\"C1\"", "x", "1.00", 0, 11, 1));
    harness_commit(h, SF_COMMIT_END);
    gold_assert_query(place, "SELECT split, end_position, rows_in FROM sf_ledger ORDER BY split",
                      "sales_events/0|12|2\nsales_events/1|-1|0\nsales_events/2|6|1");
}

static void test_ranges_without_rows(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    const SfBatch *none = harness_rows(h, 0, "sales_events/0", 0, NULL, 0);
    harness_write(h, 0, harness_with_range(h, none, 0, 500));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 500);
    gold_assert_query(place, "SELECT end_position FROM sf_ledger", "500");
}

static void test_rival_is_fenced(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) zombie = star(place);
    g_autoptr(Harness) owner = star(place);
    WRITE(zombie, 0, 0, event("\"A\"", "\"C1\"", "zombie", "1.00", 0, 0, 1));
    WRITE(owner, 0, 0, event("\"A\"", "\"C1\"", "owner", "1.00", 0, 0, 1),
          event("\"B\"", "\"C1\"", "owner", "2.00", 0, 1, 2));
    harness_commit(owner, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_try_commit(zombie, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    gold_assert_contains(zombie->err.message, "another process commits");
    gold_assert_query(place, "SELECT customer_name FROM fact_sales ORDER BY order_id", "owner\nowner");
    gold_assert_query(place, "SELECT end_position, rows_in FROM sf_ledger", "2|2");
    harness_reopen(zombie);
    g_assert_cmpint(harness_recover(zombie, 0, "sales_events/0"), ==, 2);
}

static void test_lock_is_retried(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "SQLite")) {
        g_test_skip("servers wait for locks");
        return;
    }
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    SfError err;
    g_assert_cmpint(odbc_autocommit(place->odbc, false, &err), ==, SF_OK);
    gold_exec(place, "UPDATE sf_ledger SET rows_in = rows_in");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_assert_contains(h->err.message, "locked");
    g_assert_cmpint(odbc_autocommit(place->odbc, true, &err), ==, SF_OK);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, FACTS, "A|100|0|0");
}

static void test_dropped_table_comes_back(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    gold_exec(place, "DROP TABLE fact_sales");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_assert_contains(h->err.message, gold_is(place, "SQLite") ? "no such table" : "exist");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, FACTS, "A|100|0|0");
}

/* ---- rows that are refused ---- */

static void test_null_keys(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("null", "\"C1\"", "x", "1.00", 0, 0, 1), event("\"A\"", "null", "x", "2.00", 0, 1, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpstr(harness_rejects(h), ==, "sales_events/0@0: order_id: is null, but the key of table 'fact_sales'");
    gold_assert_query(place, "SELECT order_id, customer_id FROM fact_sales",
                      "A|NULL"); /* a sale without customer stays */
    gold_assert_query(place, "SELECT count(*) FROM dim_customer", "0");
    gold_assert_query(place, "SELECT rows_in, rows_rejected FROM sf_ledger", "2|1");
    g_assert_cmpuint(h->settled, ==, 1);
}

/* A fact table that refuses amounts from 100 on: by a constraint, or by the type where there are no constraints. */
static void premade(GoldPlace *place)
{
    gold_exec(place, gold_is(place, "Snowflake")
                         ? "CREATE TABLE fact_sales (order_id VARCHAR PRIMARY KEY, sales_amount NUMBER(4,2))"
                         : "CREATE TABLE fact_sales (order_id TEXT PRIMARY KEY, sales_amount DECIMAL(12,2) CHECK "
                           "(sales_amount < 100))");
}

static void test_poison_rows(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    premade(place);
    g_autoptr(Harness) h = star(place);
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    int n = gold_is(place, "Snowflake") ? 100 : 5000; /* the emulator is slow */
    for (int i = 0; i < n; i++) {
        g_autofree char *key = g_strdup_printf("\"K%04d\"", i);
        g_ptr_array_add(rows, event(key, key, "x", i % (n / 5) == 13 ? "100.00" : "1.00", 0, i, 1));
    }
    write_events(h, 0, 0, (char **) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 5);
    gold_assert_contains(harness_rejects(h), "sales_events/0@13: table 'fact_sales': ");
    if (gold_is(place, "SQLite"))
        gold_assert_contains(harness_rejects(h), "CHECK constraint failed: sales_amount < 100");
    g_autofree char *loaded = g_strdup_printf("%d", n - 5);
    g_autofree char *counted = g_strdup_printf("%d|5", n);
    gold_assert_query(place, "SELECT count(*) FROM fact_sales", loaded);
    gold_assert_query(place, "SELECT count(*) FROM fact_sales WHERE sales_amount >= 100", "0");
    gold_assert_query(place, "SELECT count(*) FROM dim_customer", loaded); /* an event is in all tables or in none */
    gold_assert_query(place, "SELECT rows_in, rows_rejected FROM sf_ledger", counted);
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, n);
}

static void test_next_best_row(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    premade(place);
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "good", "1.00", 0, 0, 1),
          event("\"A\"", "\"C1\"", "bad", "100.00", 0, 1, 2), event("\"A\"", "\"C1\"", "worse", "200.00", 0, 2, 3),
          event("\"B\"", "\"C1\"", "x", "1.00", 0, 3, 0));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 2);
    gold_assert_query(place, FACTS, "A|100|0|0\nB|100|0|3");
    gold_assert_query(place, "SELECT customer_name FROM dim_customer", "good");
}

static void test_all_poison(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    premade(place);
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "100.00", 0, 0, 1), event("\"B\"", "\"C2\"", "x", "100.00", 0, 1, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 2);
    gold_assert_query(place, "SELECT count(*) FROM fact_sales UNION ALL SELECT count(*) FROM dim_customer", "0\n0");
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 2);
}

static void test_rejects_before_commit(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    premade(place);
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "100.00", 0, 0, 1), event("\"B\"", "\"C1\"", "x", "1.00", 0, 1, 1));
    h->settle_answer = SF_RETRY;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    gold_assert_query(place, "SELECT count(*) FROM fact_sales", "0");
    gold_assert_query(place, "SELECT end_position FROM sf_ledger", "-1");
    h->settle_answer = SF_OK;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 1); /* once, though tried twice */
    gold_assert_query(place, FACTS, "B|100|0|1");
}

static void test_untakable_values(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "nul\\u0000", "1.00", 0, 0, 1),
          event("\"B\"", "\"C1\"", "fine", "1.00", 0, 1, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_contains(harness_rejects(h), "customer_name: the text has a NUL character in it");
    gold_assert_query(place, FACTS, "B|100|0|1");
}

/* ---- after each side effect ---- */

static void test_fault_points(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
#ifdef SF_FAULTS
    if (gold_is(place, "Snowflake")) {
        g_test_skip("the ledger comes last there");
        return;
    }
    g_assert_cmpstr(
        harness_faults(h), ==,
        "gold-ddl gold-ddl gold-ddl gold-ledger-row gold-staged gold-ledger gold-loaded gold-loaded gold-settled "
        "gold-committed");
#else
    g_test_skip("fault points are not built in");
#endif
}

static void test_interval(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, "commit.interval: 24h\n" STAR);
    harness_input_text(h, "sales", SCHEMA);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT); /* the first does not wait */
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 1);
    WRITE(h, 0, 1, event("\"B\"", "\"C1\"", "x", "1.00", 0, 1, 1));
    h->now_ms += G_GINT64_CONSTANT(90000000); /* the clock is set: no time has passed */
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 1);
    WRITE(h, 0, 2, event("\"C\"", "\"C1\"", "x", "1.00", 0, 2, 1));
    harness_commit(h, SF_COMMIT_REVOKE); /* does not wait */
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 3);
}

static void test_interval_that_is_over(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, "commit.interval: 1m\n" STAR);
    harness_input_text(h, "sales", SCHEMA);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 0, 1, event("\"B\"", "\"C1\"", "x", "1.00", 0, 1, 1));
    h->now_ms -= 3600000; /* the clock is set back by an hour */
    h->monotonic_ms += 59999;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 1);
    h->monotonic_ms += 1;
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "sales_events/0"), ==, 2);
}

static void test_memory_is_charged(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = star(place);
    WRITE(h, 0, 0, event("\"A\"", "\"C1\"", "x", "1.00", 0, 0, 1));
    g_assert_cmpint(h->charged, >, 0);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(h->charged, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/rows, dimensions and ledger come in one commit", test_star);
    g_test_add_func("/gold/the latest row of a key wins, in a batch and against the table", test_latest_wins);
    g_test_add_func("/gold/order of partitions and commits does not matter", test_order_does_not_matter);
    g_test_add_func("/gold/positions are recovered from the ledger", test_recovery);
    g_test_add_func("/gold/a range without rows moves the ledger", test_ranges_without_rows);
    g_test_add_func("/gold/who is behind the ledger is fenced and changes nothing", test_rival_is_fenced);
    g_test_add_func("/gold/a lock is retried and nothing is lost", test_lock_is_retried);
    g_test_add_func("/gold/a dropped table comes back", test_dropped_table_comes_back);
    g_test_add_func("/gold/a null fact key is a reject, a null dimension key is no dimension", test_null_keys);
    g_test_add_func("/gold/rows that the database refuses are rejects, the others are loaded", test_poison_rows);
    g_test_add_func("/gold/a refused winner leaves its key to the next best", test_next_best_row);
    g_test_add_func("/gold/a commit of refused rows only moves the ledger", test_all_poison);
    g_test_add_func("/gold/rejects are durable before the commit is", test_rejects_before_commit);
    g_test_add_func("/gold/a NUL in a text is a reject", test_untakable_values);
    g_test_add_func("/gold/there is a fault point after each side effect", test_fault_points);
    g_test_add_func("/gold/checkpoints wait for the interval, a revoke does not", test_interval);
    g_test_add_func("/gold/an interval is over by the time that passes, not by the clock", test_interval_that_is_over);
    g_test_add_func("/gold/memory is charged until the commit", test_memory_is_charged);
    return g_test_run();
}
