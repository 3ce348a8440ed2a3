/* The gold sink's answers to `sfrun audit`: what the ledger says, and what is wrong with tables that somebody
 * changed. */
#include <glib/gstdio.h>
#include <string.h>
#include "gold_place.h"

#define SCHEMA                                                                                                         \
    "id int not null, name string, price decimal(9,2), sold timestamp, gone bool, _topic string not null, _partition " \
    "int not null, _offset bigint not null, _timestamp timestamp"
#define TABLES                                                                                                         \
    "dimensions: {d: {key: name}}\n"                                                                                   \
    "facts: {f: {key: id, columns: [price, sold, name], delete_when: {gone: true}}}"

typedef struct Fixture {
    GoldPlace *place;
    Harness *h;
    GPtrArray *batches; /* const SfBatch *: all that came */
} Fixture;

/* Offsets [first, first + n) of "t/<partition>": ids are offsets modulo 10, every seventh row deletes. */
static void write_rows(Fixture *f, int partition, gint64 first, gint64 n)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (gint64 i = first; i < first + n; i++)
        g_ptr_array_add(rows, g_strdup_printf("[%d, \"n%d\", %d.25, \"2024-01-15T10:30:%02d.5Z\", %s, \"t\", %d, %d, "
                                              "\"2024-01-15T10:30:00Z\"]",
                                              (int) (100 * partition + i % 10), (int) i % 3, (int) i, (int) i % 60,
                                              i % 7 == 6 ? "true" : "false", partition, (int) i));
    g_autofree char *split = g_strdup_printf("t/%d", partition);
    const SfBatch *batch = harness_rows(f->h, 0, split, first, (const char *const *) rows->pdata, rows->len);
    harness_write(f->h, 0, batch);
    g_ptr_array_add(f->batches, (gpointer) batch);
}

/* Two partitions of 25 and 12 rows. */
static void set_up(Fixture *f, gconstpointer tables)
{
    f->place = gold_place_new();
    f->h = gold_harness(f->place, tables);
    harness_input_text(f->h, "sales", SCHEMA);
    f->batches = g_ptr_array_new();
    write_rows(f, 0, 0, 20);
    write_rows(f, 1, 0, 12);
    harness_commit(f->h, SF_COMMIT_CHECKPOINT);
    write_rows(f, 0, 20, 5);
    harness_commit(f->h, SF_COMMIT_CHECKPOINT);
}

static void tear_down(Fixture *f, gconstpointer tables)
{
    (void) tables;
    harness_free(f->h);
    g_ptr_array_unref(f->batches);
    gold_place_free(f->place);
}

static const char *expected_rows(Fixture *f)
{
    g_autofree size_t *inputs = g_new0(size_t, f->batches->len);
    return harness_audit_rows(f->h, inputs, (const SfBatch *const *) f->batches->pdata, f->batches->len);
}

static void test_sound(Fixture *f, gconstpointer tables)
{
    (void) tables;
    g_assert_cmpstr(harness_audit(f->h, SF_AUDIT_QUICK), ==,
                    "range input 0 t/0 [?, 25) rows 25 rejected 0: sf_ledger\n"
                    "range input 0 t/1 [?, 12) rows 12 rejected 0: sf_ledger\n");
    g_assert_cmpstr(harness_audit(f->h, SF_AUDIT_STORED), ==,
                    "range input 0 t/0 [?, 25) rows 25 rejected 0: sf_ledger\n"
                    "range input 0 t/1 [?, 12) rows 12 rejected 0: sf_ledger\n"
                    "checked 3 rows of d\nchecked 18 rows of f\n");
    g_assert_cmpstr(harness_audit(f->h, SF_AUDIT_DEEP), ==, harness_audit(f->h, SF_AUDIT_STORED));
    g_assert_cmpstr(expected_rows(f), ==, "");
}

/* One change, and what the audit says of it, without what it says of a sound store. */
static void assert_fault(Fixture *f, const char *change, const char *stored, const char *rows)
{
    gold_exec(f->place, change);
    const char *said = harness_audit(f->h, SF_AUDIT_DEEP), *looked_up = expected_rows(f);
    if (*stored)
        gold_assert_contains(said, stored);
    else
        g_assert_null(strstr(said, "fault"));
    g_assert_cmpstr(looked_up, ==, rows);
}

#define FAULT(name, change, stored, rows)                                                                              \
    static void name(Fixture *f, gconstpointer tables)                                                                 \
    {                                                                                                                  \
        (void) tables;                                                                                                 \
        assert_fault(f, change, stored, rows);                                                                         \
    }

#define OTHERS(n, last)                                                                                                \
    "fault f: has " n " of 't/0' between offsets 0 and " last                                                          \
    " that no event accounts for: doubled, made up, or with "                                                          \
    "another key\n"
#define COLUMNS "price, sold, name, _timestamp, _topic, _partition, _offset"

FAULT(test_row_deleted, "DELETE FROM f WHERE id = 3", "", "fault f: lacks 1 row of 't/0', offset 23\n")
FAULT(test_rows_deleted, "DELETE FROM f WHERE _offset < 22 AND _partition = 0", "",
      "fault f: lacks 6 rows of 't/0', offset between 15 and 21\n")
FAULT(test_value_changed, "UPDATE f SET price = price + 1 WHERE id = 4", "",
      "fault f: differs from the events in 1 row of 't/0', offset 24\n")
FAULT(test_value_nulled, "UPDATE f SET sold = NULL WHERE id = 4", "",
      "fault f: differs from the events in 1 row of 't/0', offset 24\n")
FAULT(test_time_nulled, "UPDATE d SET _timestamp = NULL WHERE name = 'n1'", "",
      "fault d: has older rows in the place of 1 row of 't/1', offset 10\n"
      "fault d: has 1 row of 't/1' between offsets 0 and 11 that no event accounts for: doubled, made up, or with "
      "another key\n")
FAULT(test_key_changed, "UPDATE f SET id = 77 WHERE id = 3", "",
      "fault f: lacks 1 row of 't/0', offset 23\n" OTHERS("1 row", "24"))
FAULT(test_row_doubled, "INSERT INTO f (id, " COLUMNS ") SELECT id + 500, " COLUMNS " FROM f WHERE id = 3",
      "fault f: has 2 rows of the event t, 0, 23\n", OTHERS("1 row", "24"))
FAULT(test_row_made_up, "INSERT INTO f (id, _topic, _partition, _offset) VALUES (900, 't', 0, 3)", "",
      OTHERS("1 row", "24"))
FAULT(test_row_of_nobody, "INSERT INTO f (id, _topic, _partition, _offset) VALUES (900, 't', 7, 3)",
      "fault f: has 1 row of 't/7', offsets 3 to 3, of which the ledger has no position\n", "")
FAULT(test_row_without_place, "INSERT INTO f (id) VALUES (900)", "", "")
FAULT(test_older_row, "UPDATE f SET _offset = 13 WHERE id = 3",
      "fault f: has 1 row that a newer delete should have taken out\n",
      "fault f: has older rows in the place of 1 row of 't/0', offset 23\n" OTHERS("1 row", "24"))
FAULT(test_undeleted,
      "INSERT INTO f (id, _topic, _partition, _offset, _timestamp) SELECT id, _topic, _partition, 10, _timestamp FROM "
      "sf_deleted_f WHERE _offset = 20",
      "fault f: has 1 row that a newer delete should have taken out\n",
      "fault f: still has keys that were deleted by 1 row of 't/0', offset 20\n" OTHERS("1 row", "24"))
FAULT(test_ledger_back, "UPDATE sf_ledger SET end_position = 20 WHERE split = 't/0'",
      "fault f: has rows of 't/0' up to offset 24, and the ledger ends at 20\n", "")
FAULT(test_ledger_one_back, "UPDATE sf_ledger SET end_position = 24 WHERE split = 't/0'",
      "fault f: has rows of 't/0' up to offset 24, and the ledger ends at 24\n", "")
FAULT(test_ledger_row_deleted, "DELETE FROM sf_ledger WHERE split = 't/1'",
      "fault f: has 9 rows of 't/1', offsets 2 to 11, of which the ledger has no position\n", "")
FAULT(test_ledger_emptied, "DELETE FROM sf_ledger",
      "fault f: has 9 rows of 't/0', offsets 15 to 24, of which the ledger has no position\n", "")
FAULT(test_ledger_dropped, "DROP TABLE sf_ledger",
      "note sf_ledger: does not exist: nothing has been committed\nfault d: has 3 rows of 't/1'", "")
FAULT(test_ledger_counts, "UPDATE sf_ledger SET rows_rejected = 99 WHERE split = 't/1'",
      "fault sf_ledger: says of 't/1' that 12 came and 99 of them were rejected\n", "")
FAULT(test_column_dropped, "ALTER TABLE f DROP COLUMN price", "fault f: has no column 'price'; the next run adds it\n",
      "")
FAULT(test_table_dropped, "DROP TABLE f", "fault f: does not exist, and the ledger has positions\n", "")

/* Rows that the database refuses are in the errors: fewer are missing than it has refused. */
static void test_refused_rows(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (gold_is(place, "Snowflake")) {
        g_test_skip("there are no such constraints");
        return;
    }
    gold_exec(place,
              "CREATE TABLE f (id INTEGER PRIMARY KEY, price NUMERIC(9,2) CHECK (price < 5), _timestamp TIMESTAMP, "
              "_topic TEXT, _partition INTEGER, _offset BIGINT)");
    Fixture f = {place, gold_harness(place, "facts: {f: {key: id, columns: [price]}}"), g_ptr_array_new()};
    harness_input_text(f.h, "sales", SCHEMA);
    write_rows(&f, 0, 0, 8);
    harness_commit(f.h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpstr(harness_audit(f.h, SF_AUDIT_STORED), ==,
                    "range input 0 t/0 [?, 8) rows 5 rejected 3: sf_ledger\nchecked 5 rows of f\n");
    g_assert_cmpstr(expected_rows(&f), ==,
                    "unknown f: lacks 3 rows of 't/0', offset 5 to 7; the database has refused 3, and the ledger does "
                    "not say which\n");
    gold_exec(place, "DELETE FROM f WHERE id = 0");
    g_assert_cmpstr(expected_rows(&f), ==, "fault f: lacks 4 rows of 't/0', offset between 0 and 7\n");
    harness_free(f.h);
    g_ptr_array_unref(f.batches);
}

/* What was never to be loaded is not missing. */
static void test_rows_that_no_warehouse_takes(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    Fixture f = {place, gold_harness(place, "facts: {f: {key: id, columns: [name]}}"), g_ptr_array_new()};
    harness_input_text(f.h, "sales", SCHEMA);
    const char *rows[] = {"[1, \"a\\u0000b\", 1, null, false, \"t\", 0, 0, null]",
                          "[2, \"b\", 1, null, false, \"t\", 0, 1, null]"};
    const SfBatch *batch = harness_rows(f.h, 0, "t/0", 0, rows, 2);
    harness_write(f.h, 0, batch);
    harness_commit(f.h, SF_COMMIT_CHECKPOINT);
    g_ptr_array_add(f.batches, (gpointer) batch);
    g_assert_cmpuint(harness_n_rejects(f.h), ==, 1);
    g_assert_cmpstr(expected_rows(&f), ==, "");
    harness_free(f.h);
    g_ptr_array_unref(f.batches);
}

/* Twenty are named, and the others counted. */
static void test_many_doubles(Fixture *f, gconstpointer tables)
{
    (void) tables;
    for (int i = 0; i < 52; i++) {
        g_autofree char *sql = g_strdup_printf(
            "INSERT INTO f (id, _topic, _partition, _offset) VALUES (%d, 'u', 0, %d)", 2000 + i, i % 26);
        gold_exec(f->place, sql);
    }
    const char *said = harness_audit(f->h, SF_AUDIT_DEEP);
    gold_assert_contains(said, "has 2 rows of the event u, 0, 19\nfault f: has 6 more of such\n");
}

static void test_nothing_yet(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, TABLES);
    harness_input_text(h, "sales", SCHEMA);
    g_assert_cmpstr(harness_audit(h, SF_AUDIT_DEEP), ==,
                    "note sf_ledger: does not exist: nothing has been committed\n");
    harness_recover(h, 0, "t/0");
    g_assert_cmpstr(harness_audit(h, SF_AUDIT_DEEP), ==, "checked 0 rows of d\nchecked 0 rows of f\n");
}

/* An audit makes no database, nor a directory for one. */
static void test_no_database(void)
{
    if (g_getenv("SF_GOLD_CONNECTION")) {
        g_test_skip("SQLite only");
        return;
    }
    g_autofree char *directory = g_dir_make_tmp("sf-gold-XXXXXX", NULL);
    static const char *const files[] = {"gold.db", "a/gold.db"};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *options =
            g_strdup_printf("connection: Driver=SQLite3;Database=%s/%s\n" TABLES, directory, files[i]);
        g_autoptr(Harness) h = harness_new("snowflake-gold-sink", options);
        harness_input_text(h, "sales", SCHEMA);
        gold_assert_contains(harness_audit(h, SF_AUDIT_QUICK), "status retry: cannot connect to 'Driver=SQLite3;");
    }
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void test_without_provenance(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    Fixture f = {place,
                 gold_harness(place, "provenance: false\nfacts: {f: {key: id, columns: [price], latest_by: sold}}"),
                 g_ptr_array_new()};
    harness_input_text(f.h, "sales", SCHEMA);
    write_rows(&f, 0, 0, 8);
    harness_commit(f.h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpstr(harness_audit(f.h, SF_AUDIT_STORED), ==,
                    "range input 0 t/0 [?, 8) rows 8 rejected 0: sf_ledger\n"
                    "unknown : 'provenance' is false: which events the rows come from is not known\n");
    g_assert_cmpstr(expected_rows(&f), ==, "");
    harness_free(f.h);
    g_ptr_array_unref(f.batches);
}

/* Of two inputs each has its positions; those under another name are somebody's that was. */
static void test_inputs(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: id, columns: [price]}}");
    harness_input_text(h, "web", SCHEMA);
    harness_input_text(h, "shop", SCHEMA);
    const char *row = "[1, null, 1, null, false, \"t\", 0, 0, null]";
    harness_write(h, 0, harness_rows(h, 0, "t/0", 0, &row, 1));
    harness_write(h, 1, harness_rows(h, 1, "t/0", 0, &row, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_exec(place, "INSERT INTO sf_ledger SELECT pipeline, step, 'mail', split, 7, 7, 0, updated_at, origin FROM "
                     "sf_ledger WHERE input = 'web'");
    g_assert_cmpstr(harness_audit(h, SF_AUDIT_QUICK), ==,
                    "note sf_ledger: has a position of input 'mail', which the step does not have\n"
                    "range input 1 t/0 [?, 1) rows 1 rejected 0: sf_ledger\n"
                    "range input 0 t/0 [?, 1) rows 1 rejected 0: sf_ledger\n");
}

/* Another pipeline's position counts where it writes to the same tables; elsewhere it says nothing of these. */
static void test_other_writers(Fixture *f, gconstpointer tables)
{
    (void) tables;
    gold_exec(f->place, "INSERT INTO sf_ledger SELECT 'other', 'gold', '', 't/0', 30, 30, 0, updated_at, origin FROM "
                        "sf_ledger WHERE split = 't/0'");
    gold_exec(f->place, "UPDATE f SET _offset = 28 WHERE id = 4");
    gold_assert_contains(harness_audit(f->h, SF_AUDIT_STORED),
                         "fault f: has rows of 't/0' up to offset 28, and the ledger ends at 25\n");
    gold_exec(f->place, "INSERT INTO sf_ledger_columns VALUES ('other', 'gold', 'f', 'id')");
    g_assert_null(strstr(harness_audit(f->h, SF_AUDIT_STORED), "fault"));
}

/* Positions without rows, up to the last one of a range, have none in a table. */
static void test_row_in_a_hole(Fixture *f, gconstpointer tables)
{
    (void) tables;
    const SfBatch *empty = harness_with_range(f->h, harness_rows(f->h, 0, "t/0", 25, NULL, 0), 25, 30);
    harness_write(f->h, 0, empty);
    harness_commit(f->h, SF_COMMIT_CHECKPOINT);
    g_ptr_array_add(f->batches, (gpointer) empty);
    g_assert_cmpstr(expected_rows(f), ==, "");
    gold_exec(f->place, "INSERT INTO f (id, _topic, _partition, _offset) VALUES (900, 't', 0, 29)");
    g_assert_cmpstr(expected_rows(f), ==, OTHERS("1 row", "29"));
}

/* Splits that only look like a topic's: the generator's, files'. */
static void test_other_splits(Fixture *f, gconstpointer tables)
{
    (void) tables;
    gold_exec(f->place, "UPDATE sf_ledger SET split = 'generator/' || SUBSTR(split, 3)");
    const char *said = harness_audit(f->h, SF_AUDIT_DEEP);
    gold_assert_contains(said, "unknown f: has rows of topics, and the ledger's positions are of other splits: whether "
                               "rows are beyond them is not known\n");
    g_assert_null(strstr(said, "fault"));
    g_assert_cmpstr(expected_rows(f), ==, "");
}

/* More rows than are looked up at once, of which each key's last one stays. */
static void test_many_rows(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (gold_is(place, "Snowflake")) {
        g_test_skip("the emulator takes minutes");
        return;
    }
    Fixture f = {place, gold_harness(place, TABLES), g_ptr_array_new()};
    harness_input_text(f.h, "sales", SCHEMA);
    for (int i = 0; i < 70; i++)
        write_rows(&f, i % 2, (i / 2) * 1000, 1000);
    harness_commit(f.h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpstr(expected_rows(&f), ==, "");
    gold_exec(place, "UPDATE f SET name = 'x' WHERE id IN (3, 103)");
    g_assert_cmpstr(expected_rows(&f), ==,
                    "fault f: differs from the events in 1 row of 't/0', offset 34993\n"
                    "fault f: differs from the events in 1 row of 't/1', offset 34993\n");
    harness_free(f.h);
    g_ptr_array_unref(f.batches);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, function) g_test_add("/gold/audit/" name, Fixture, TABLES, set_up, function, tear_down)
    CASE("a sound store", test_sound);
    CASE("a row is deleted", test_row_deleted);
    CASE("several rows are deleted", test_rows_deleted);
    CASE("a value is changed", test_value_changed);
    CASE("a value is changed to null", test_value_nulled);
    CASE("a time is changed to null", test_time_nulled);
    CASE("a key is changed", test_key_changed);
    CASE("a row is doubled", test_row_doubled);
    CASE("a row is made up", test_row_made_up);
    CASE("a row comes from a partition that nobody has read", test_row_of_nobody);
    CASE("a row has no place", test_row_without_place);
    CASE("an older row came back", test_older_row);
    CASE("a deleted row came back", test_undeleted);
    CASE("the ledger is set back", test_ledger_back);
    CASE("the ledger is set back by one", test_ledger_one_back);
    CASE("the ledger has lost a row", test_ledger_row_deleted);
    CASE("the ledger is empty", test_ledger_emptied);
    CASE("the ledger is gone", test_ledger_dropped);
    CASE("the ledger's figures contradict each other", test_ledger_counts);
    CASE("a column is dropped", test_column_dropped);
    CASE("a table is dropped", test_table_dropped);
    CASE("positions of others count where they write to the same tables", test_other_writers);
    g_test_add_func("/gold/audit/rows that the database refused are no fault", test_refused_rows);
    CASE("not all of very many are named", test_many_doubles);
    CASE("a row is made up where no event is", test_row_in_a_hole);
    CASE("splits of other sources are not compared", test_other_splits);
    g_test_add_func("/gold/audit/rows that no warehouse takes are not missing", test_rows_that_no_warehouse_takes);
    g_test_add_func("/gold/audit/nothing has been committed", test_nothing_yet);
    g_test_add_func("/gold/audit/no database is made", test_no_database);
    g_test_add_func("/gold/audit/without provenance less is known", test_without_provenance);
    g_test_add_func("/gold/audit/inputs have positions each", test_inputs);
    g_test_add_func("/gold/audit/more rows than are looked up at once", test_many_rows);
    return g_test_run();
}
