/* Gold that is fed from silver: rows carry the place that their events have in a topic, whatever split and positions
 * they come by. Which of them wins, and what the tables say of where they come from, is the same as from Kafka. */
#include <string.h>
#include "gold_place.h"

#define TABLES                                                                                                         \
    "dimensions: {d: {key: customer, columns: [name], latest_by: sold}}\n"                                             \
    "facts: {f: {key: id, columns: [price, customer], delete_when: {gone: true}}, g: {key: id, columns: [name]}}"
#define KAFKA                                                                                                          \
    "id int not null, customer string, name string, price decimal(9,2), sold timestamp, gone bool, _topic string not " \
    "null, _partition int not null, _offset bigint not null, _timestamp timestamp"
/* As a Delta table has them: all may be null, and in an order of its own. */
#define SILVER                                                                                                         \
    "_timestamp timestamp, _offset bigint, _partition int, _topic string, gone bool, sold timestamp, price "           \
    "decimal(9,2), name string, customer string, id int"
#define SPLIT "file:///data/silver/sales"

enum { PARTITIONS = 3, EVENTS = 240 }; /* of each partition */

/* An event by its place: keys that come again in other partitions, earlier and later, and equal timestamps. */
static char *event(int partition, int offset, bool silver)
{
    int n = offset * PARTITIONS + partition, id = n * 37 % 101, customer = n % 11;
    int hour = n * 7 % 24, minute = n % 2 ? 0 : offset % 60;
    g_autofree char *time = g_strdup_printf("\"2024-01-15T%02d:%02d:00Z\"", hour, minute);
    const char *gone = n % 13 == 5 ? "true" : "false";
    if (silver)
        return g_strdup_printf("[%s, %d, %d, \"sales\", %s, %s, %d.5, \"n%d\", \"c%d\", %d]", time, offset, partition,
                               gone, time, n, n, customer, id);
    return g_strdup_printf("[%d, \"c%d\", \"n%d\", %d.5, %s, %s, \"sales\", %d, %d, %s]", id, customer, n, n, time,
                           gone, partition, offset, time);
}

static Harness *sink(GoldPlace *place, const char *schema)
{
    Harness *h = gold_harness(place, TABLES);
    harness_input_text(h, "sales", schema);
    return h;
}

static void feed_from_kafka(GoldPlace *place)
{
    g_autoptr(Harness) h = sink(place, KAFKA);
    for (int from = 0; from < EVENTS; from += 40)
        for (int partition = 0; partition < PARTITIONS; partition++) {
            g_autofree char *split = g_strdup_printf("sales/%d", partition);
            g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
            for (int offset = from; offset < from + 40; offset++)
                g_ptr_array_add(rows, event(partition, offset, false));
            harness_write(h, 0, harness_rows(h, 0, split, from, (const char *const *) rows->pdata, rows->len));
            harness_commit(h, SF_COMMIT_CHECKPOINT);
        }
}

/* Versions of a table, a batch each, whose files hold rows of all partitions: the last ones first. */
static void feed_from_silver(GoldPlace *place)
{
    g_autoptr(Harness) h = sink(place, SILVER);
    int version = 0;
    for (int from = EVENTS - 60; from >= 0; from -= 60, version++) {
        g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
        for (int i = 0; i < 60 * PARTITIONS; i++)
            g_ptr_array_add(rows, event(i * 2 % PARTITIONS, from + i / PARTITIONS, true));
        const SfBatch *batch = harness_rows(h, 0, SPLIT, version, (const char *const *) rows->pdata, rows->len);
        harness_write(h, 0, harness_with_range(h, batch, version, version + 1));
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
}

static char *dump(GoldPlace *place)
{
    static const char *const queries[] = {
        "SELECT customer, name, sold, _topic, _partition, _offset, _timestamp FROM d ORDER BY customer",
        "SELECT id, price, customer, _topic, _partition, _offset, _timestamp FROM f ORDER BY id",
        "SELECT id, name, customer, _topic, _partition, _offset, _timestamp FROM g ORDER BY id",
        /* a delete that a newer row has beaten is kept or not, depending on what was committed together */
        "SELECT id, _topic, _partition, _offset, _timestamp FROM sf_deleted_f WHERE id NOT IN (SELECT id FROM f) ORDER "
        "BY id",
    };
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autofree char *rows = gold_query(place, queries[i]);
        g_string_append_printf(out, "%s\n\n", rows);
    }
    return g_string_free(out, FALSE);
}

static void test_the_same_tables(void)
{
    g_autoptr(GoldPlace) one = gold_place_new(), other = gold_place_new();
    feed_from_kafka(one);
    feed_from_silver(other);
    g_autofree char *kafka = dump(one), *silver = dump(other);
    g_assert_cmpuint(strlen(kafka), >, 8000);
    g_assert_nonnull(strstr(kafka, "|sales|2|"));
    g_assert_cmpstr(silver, ==, kafka);
    gold_assert_query(other, "SELECT split, end_position, rows_in FROM sf_ledger", SPLIT "|4|720");
}

/* Both ways into the same tables: the events are there already. */
static void test_one_after_the_other(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    feed_from_kafka(place);
    g_autofree char *before = dump(place);
    feed_from_silver(place);
    g_autofree char *after = dump(place);
    g_assert_cmpstr(after, ==, before);
    gold_assert_query(place, "SELECT split, end_position FROM sf_ledger ORDER BY split",
                      SPLIT "|4\nsales/0|240\nsales/1|240\nsales/2|240");
}

/* What an audit can compare: rows with rows, not positions of topics with versions. */
static void test_audit(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    feed_from_silver(place);
    g_autoptr(Harness) h = sink(place, SILVER);
    const char *said = harness_audit(h, SF_AUDIT_DEEP);
    gold_assert_contains(said, "range input 0 " SPLIT " [?, 4) rows 720 rejected 0: sf_ledger\n");
    gold_assert_contains(said, "unknown f: has rows of topics, and the ledger's positions are of other splits");
    g_assert_null(strstr(said, "fault"));
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < EVENTS * PARTITIONS; i++)
        g_ptr_array_add(rows, event(i % PARTITIONS, i / PARTITIONS, true));
    const SfBatch *batch = harness_rows(h, 0, SPLIT, 0, (const char *const *) rows->pdata, rows->len);
    const SfBatch *expected[] = {harness_with_range(h, batch, 0, 4)};
    const size_t inputs[] = {0};
    g_assert_cmpstr(harness_audit_rows(h, inputs, expected, 1), ==, "");
    gold_exec(place, "UPDATE g SET name = 'x' WHERE _partition = 1 AND _offset = (SELECT MAX(_offset) FROM g WHERE "
                     "_partition = 1)");
    gold_assert_contains(harness_audit_rows(h, inputs, expected, 1),
                         "fault g: differs from the events in 1 row of 'sales/1', offset ");
}

/* Rows that came into silver by another way have no place: the later `latest_by` wins, and of equal ones the last. */
static void test_rows_without_a_place(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, SILVER);
    const char *rows[] = {"[null, null, null, null, false, \"2024-01-15T10:00:00Z\", 1, \"a\", \"c\", 1]",
                          "[null, null, null, null, false, \"2024-01-15T09:00:00Z\", 2, \"b\", \"c\", 1]"};
    harness_write(h, 0, harness_rows(h, 0, SPLIT, 0, rows, 2));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
    gold_assert_query(place, "SELECT name, _topic FROM d", "a|NULL");
    gold_assert_query(place, "SELECT name, _offset FROM g", "b|NULL");
    const char *event_of_topic[] = {"[\"2024-01-15T08:00:00Z\", 5, 0, \"sales\", false, \"2024-01-15T08:00:00Z\", 3, "
                                    "\"c\", \"c\", 1]"};
    harness_write(h, 0, harness_rows(h, 0, SPLIT, 2, event_of_topic, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT name, _offset FROM g", "c|5"); /* null loses */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/silver/the same tables as from Kafka", test_the_same_tables);
    g_test_add_func("/gold/silver/after Kafka nothing changes", test_one_after_the_other);
    g_test_add_func("/gold/silver/an audit compares rows", test_audit);
    g_test_add_func("/gold/silver/rows without a place", test_rows_without_a_place);
    return g_test_run();
}
