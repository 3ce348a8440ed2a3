/* Any bytes as a ledger entry of the bronze sink, which lies in a place that others may write to: never a crash; an
 * entry that is taken has a range, objects in order of their own, and a layout that gives paths. */
#include <glib.h>
#include <string.h>

#include "bronze/beside.h"
#include "bronze/entry.h"
#include "bronze/index.h"
#include "fuzz.h"

static void check_layout(const Layout *layout)
{
    const int64_t times[] = {0, INT64_C(1705320000000000), INT64_C(-62135596800000000), INT64_C(253402300799999999)};
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        int64_t low, high;
        int64_t bucket = layout_bucket(layout, times[i], &low, &high);
        g_autofree char *path = path_format_write(&layout->path, bucket);
        g_assert_cmpint(low, <=, times[i]);
        g_assert_cmpint(high, >, times[i]);
        g_assert_nonnull(path);
    }
}

static void check_index(const EntryObject *object)
{
    SfError err = {.message = ""};
    IndexRow row = {.position = -1};
    g_autoptr(IndexReader) reader =
        object->index ? index_reader_new(object->index, object->first, object->last, object->rows, &err) : NULL;
    int64_t n = 0, last = -1;
    for (; reader && index_reader_next(reader, &row); n++, last = row.position)
        g_assert_cmpint(row.position, >, last);
    g_assert_cmpint(n, ==, reader ? object->rows : 0);
}

static void check_entry(const Entry *entry)
{
    SfError err;
    g_autofree EntryObject *as_they_were = g_new(EntryObject, entry->objects->len + 1);
    g_assert_cmpint(entry->start, >=, 0);
    g_assert_cmpint(entry->end, >, entry->start);
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        g_assert_cmpint(object->first, <=, object->last);
        g_assert_nonnull(object->key);
        as_they_were[i] = (EntryObject){.rows = -1};
        check_index(object);
    }
    g_autoptr(GBytes) amended = entry_amended(entry, as_they_were);
    g_autoptr(Entry) again = entry_read(amended, "again", &err);
    g_assert_nonnull(again);
    g_assert_true(entry_same_cut(entry, again));
    g_assert_cmpstr(entry->split, ==, again->split);
    check_layout(&entry->layout);
}

/* The bytes as a line beside a row: what is taken is no longer than the line. */
static void check_line(const char *line, size_t size)
{
    g_autofree char *room = g_malloc(size + 1);
    const char *key = NULL;
    size_t key_size = 0;
    struct ArrowSchema raw = {0};
    SfError err = {.message = ""};
    if (beside_read_key(line, size, room, &key, &key_size))
        g_assert_cmpuint(key_size, <=, size);
    g_assert_cmpint(sf_schema_raw(&raw, &err), ==, SF_OK);
    SfBuilder *builder = sf_builder_new(&raw, &err);
    SfColumnBuilder *headers = sf_builder_column(builder, SF_RAW_HEADERS);
    if (beside_read_headers(line, size, headers))
        g_assert_cmpint(headers->length, ==, 1);
    sf_builder_free(builder);
    sf_schema_done(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SfError err = {.message = ""};
    check_line((const char *) data, size);
    g_autoptr(GBytes) body = g_bytes_new(data, size);
    g_autoptr(Entry) entry = entry_read(body, "_sf/p/t/0/00000000000000000000.json", &err);
    if (entry) {
        check_entry(entry);
    } else {
        g_assert_true(
            g_str_has_prefix(err.message, "ledger entry '_sf/p/t/0/00000000000000000000.json' cannot be used: "));
        g_assert_true(g_utf8_validate(err.message, -1, NULL));
    }
    return 0;
}
