/* Raw rows built without copies: what a reader sees of them, and when their owner may go. */
#include <glib.h>
#include <string.h>

#include "raw_rows.h"

#define LONG "a value of more than twelve bytes"

typedef struct Fixture {
    struct ArrowSchema schema;
    int released;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(sf_schema_raw(&f->schema, NULL), ==, SF_OK);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_schema_done(&f->schema);
}

static void release_owner(gpointer owner)
{
    (*(int *) owner)++;
}

static SfColumn view_of(const SfBatch *batch, const char *name, SfType type)
{
    SfColumn view;
    SfError err;
    if (sf_column(batch, name, type, &view, &err) != SF_OK)
        g_error("%s", err.message);
    return view;
}

static void assert_bytes(const SfColumn *view, int64_t row, const char *expected)
{
    g_assert_cmpint(sf_is_null(view, row), ==, expected == NULL);
    if (!expected)
        return;
    SfBytes bytes = sf_bytes(view, row);
    g_assert_cmpmem(bytes.data, (size_t) bytes.size, expected, strlen(expected));
}

/* Nulls, empty values, values within the view and beside it; timestamps that nobody knows; topics of both lengths. */
static void test_columns(Fixture *f, gconstpointer topic)
{
    static const struct {
        const char *key, *value;
        int64_t timestamp_us;
    } rows[] = {{NULL, LONG, 1},       {"", "twelve bytes", RAW_NO_TIMESTAMP},
                {"key", NULL, -5},     {LONG, "", 0},
                {NULL, NULL, 7},       {"k", "thirteen byte", 8},
                {"k6", "v", 9},        {"k7", "v", RAW_NO_TIMESTAMP},
                {NULL, "the ninth", 3}};
    g_autoptr(RawSource) source = raw_source_new(topic, 3, 16);
    SfBatch batch = {.schema = &f->schema};
    RawRows *raw = raw_rows_new(source, G_N_ELEMENTS(rows), release_owner, &f->released, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        raw_rows_add(raw, rows[i].key, rows[i].key ? strlen(rows[i].key) : 0, rows[i].value,
                     rows[i].value ? strlen(rows[i].value) : 0, 100 + (int64_t) i, rows[i].timestamp_us);
    g_assert_cmpint(raw_rows_finish(raw, NULL, &batch.rows, NULL), ==, SF_OK);
    g_assert_cmpint(sf_rows(&batch), ==, G_N_ELEMENTS(rows));
    SfColumn key = view_of(&batch, "key", SF_BINARY), value = view_of(&batch, "value", SF_BINARY),
             topics = view_of(&batch, "topic", SF_UTF8), partition = view_of(&batch, "partition", SF_INT32),
             offset = view_of(&batch, "offset", SF_INT64), timestamp = view_of(&batch, "timestamp", SF_TIMESTAMP),
             headers = view_of(&batch, "headers", SF_LIST);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t row = (int64_t) i;
        assert_bytes(&key, row, rows[i].key);
        assert_bytes(&value, row, rows[i].value);
        assert_bytes(&topics, row, topic);
        g_assert_cmpint(sf_i32(&partition, row), ==, 3);
        g_assert_cmpint(sf_i64(&offset, row), ==, 100 + row);
        g_assert_cmpint(sf_is_null(&timestamp, row), ==, rows[i].timestamp_us == RAW_NO_TIMESTAMP);
        if (rows[i].timestamp_us != RAW_NO_TIMESTAMP)
            g_assert_cmpint(sf_i64(&timestamp, row), ==, rows[i].timestamp_us);
        g_assert_true(sf_is_null(&headers, row));
    }
    g_assert_cmpint(batch.rows.children[SF_RAW_KEY]->null_count, ==, 3);
    g_assert_cmpint(batch.rows.children[SF_RAW_VALUE]->null_count, ==, 2);
    g_assert_cmpint(batch.rows.children[SF_RAW_TIMESTAMP]->null_count, ==, 2);
    g_assert_cmpint(f->released, ==, 0);
    batch.rows.release(&batch.rows);
    g_assert_cmpint(f->released, ==, 1);
}

/* Keys and values keep the owner; the other columns do not need it. */
static void test_columns_that_go_their_own_way(Fixture *f, gconstpointer topic)
{
    for (int kept = SF_RAW_KEY; kept <= SF_RAW_TIMESTAMP; kept++) {
        g_autoptr(RawSource) source = raw_source_new(topic, 0, 4);
        struct ArrowArray rows;
        f->released = 0;
        RawRows *raw = raw_rows_new(source, 2, release_owner, &f->released, NULL);
        raw_rows_add(raw, "k", 1, LONG, strlen(LONG), 0, 0);
        raw_rows_add(raw, "k", 1, LONG, strlen(LONG), 1, 0);
        g_assert_cmpint(raw_rows_finish(raw, NULL, &rows, NULL), ==, SF_OK);
        struct ArrowArray column = *rows.children[kept];
        rows.children[kept]->release = NULL; /* moved (Arrow C data interface, "Moving child arrays") */
        rows.release(&rows);
        g_assert_cmpint(f->released, ==, kept != SF_RAW_KEY && kept != SF_RAW_VALUE);
        g_assert_cmpint(column.length, ==, 2);
        column.release(&column);
        g_assert_cmpint(f->released, ==, 1);
        g_assert_null(column.release);
    }
}

static void test_rows_that_are_not_finished(Fixture *f, gconstpointer topic)
{
    RawSource *source = raw_source_new(topic, 0, 4);
    RawRows *raw = raw_rows_new(source, 4, release_owner, &f->released, NULL);
    raw_rows_add(raw, "k", 1, NULL, 0, 0, 0);
    raw_source_unref(source); /* the rows have their own reference */
    raw_rows_free(raw);
    g_assert_cmpint(f->released, ==, 1);
    raw_rows_free(NULL);
    raw_source_unref(NULL);
}

static void test_no_rows(Fixture *f, gconstpointer topic)
{
    g_autoptr(RawSource) source = raw_source_new(topic, 0, 4);
    struct ArrowArray rows;
    RawRows *raw = raw_rows_new(source, 4, release_owner, &f->released, NULL);
    g_assert_cmpint(raw_rows_finish(raw, NULL, &rows, NULL), ==, SF_OK);
    g_assert_cmpint(rows.length, ==, 0);
    rows.release(&rows);
    g_assert_cmpint(f->released, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, topic, function) g_test_add("/raw-rows/" name, Fixture, topic, set_up, function, tear_down)
    CASE("columns", "events", test_columns);
    CASE("columns of a topic with a long name", "sales_events_of_all_shops", test_columns);
    CASE("columns of a topic whose name just fits", "twelve.bytes", test_columns);
    CASE("columns that go their own way", "events", test_columns_that_go_their_own_way);
    CASE("rows that are not finished", "events", test_rows_that_are_not_finished);
    CASE("no rows", "events", test_no_rows);
    return g_test_run();
}
