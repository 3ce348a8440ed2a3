/* Bronze's ledger in a directory: the last entry is found whatever the hint, and entries say what was written. */
#include "bronze/ledger.h"

#include <stdio.h>
#include <string.h>

#define LEDGER "_sf/p/t/0/"

typedef struct Fixture {
    char *root;
    StoreOptions options;
    Store *store;
    Layout layout;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const LayoutOptions layout = {.path_format = "YYYY/MM", .level = 6};
    f->root = g_dir_make_tmp("sf-ledger-XXXXXX", NULL);
    f->options.url = f->root;
    f->store = store_new(NULL, &f->options, &f->err);
    g_assert_nonnull(f->store);
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_OK);
    g_assert_cmpint(layout_init(&f->layout, &layout, &f->err), ==, SF_OK);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    store_free(f->store);
    layout_done(&f->layout);
    g_autofree char *command = g_strdup_printf("rm -r '%s'", f->root);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->root);
}

static GBytes *entry_bytes(const Fixture *f, int64_t start, int64_t end, const EntryObject *objects, guint n)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(EntryObject));
    g_array_append_vals(all, objects, n);
    EntryDraft draft = {.pipeline = "p",
                        .step = "s",
                        .split = "t/0",
                        .topic = "t",
                        .origin = "o",
                        .start = start,
                        .end = end,
                        .reason = "rows",
                        .rejected = 3,
                        .objects = all,
                        .layout = &f->layout,
                        .writer = "w"};
    return entry_write(&draft);
}

static Entry *entry_of(Fixture *f, GBytes *body)
{
    g_autoptr(GBytes) taken = body;
    Entry *entry = entry_read(taken, "key", &f->err);
    g_assert_nonnull(entry);
    return entry;
}

/* ---- finding ---- */

/* Straight into the directory: nothing of this has to be durable. */
static void put_file(const Fixture *f, const char *key)
{
    g_autofree char *path = g_build_filename(f->root, key, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    FILE *file = fopen(path, "w");
    g_assert_nonnull(file);
    fclose(file);
}

static void put_keys(const Fixture *f, const int64_t *starts, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *key = ledger_entry_key(LEDGER, starts[i]);
        put_file(f, key);
    }
}

static void expect_last(Fixture *f, int64_t hint, int64_t expected)
{
    int64_t start = 77, written_ms = 77;
    g_assert_cmpint(ledger_last(f->store, LEDGER, hint, &start, &written_ms, &f->err), ==, SF_OK);
    g_assert_cmpint(start, ==, expected);
    if (expected == SF_POSITION_NONE)
        g_assert_cmpint(written_ms, ==, 0);
    else
        g_assert_cmpint(ABS(written_ms - g_get_real_time() / 1000), <, 3600 * 1000);
}

static void expect_last_by_any_hint(Fixture *f, int64_t last)
{
    const int64_t hints[] = {SF_POSITION_NONE, 0,        1, last - 1, last, last + 1, last + 2, last + 100000,
                             INT64_MAX - 1,    INT64_MAX};
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++)
        expect_last(f, hints[i], last);
    for (int i = 0; i < 4; i++)
        expect_last(f, g_test_rand_int_range(0, 3000000), last);
}

static void the_last_entry_is_found_by_any_hint(Fixture *f, gconstpointer unused)
{
    (void) unused;
    enum { MANY = 3500 };
    int64_t starts[MANY] = {0};
    expect_last(f, SF_POSITION_NONE, SF_POSITION_NONE);
    expect_last(f, 0, SF_POSITION_NONE);
    expect_last(f, 5000000, SF_POSITION_NONE);
    put_keys(f, starts, 1); /* the first one starts at 0 */
    expect_last_by_any_hint(f, 0);
    for (int i = 1; i < MANY; i++)
        starts[i] = starts[i - 1] + (g_test_rand_int_range(0, 10) ? 1 : g_test_rand_int_range(1, 5000));
    static const gsize counts[] = {2, 999, 1000, 1001, 2000, 2001, MANY};
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        put_keys(f, starts, counts[i]);
        expect_last_by_any_hint(f, starts[counts[i] - 1]);
    }
}

/* What looks like entries and is not, more than a page of it, and the claim behind them. */
static void foreign_keys_are_passed_over(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const int64_t starts[] = {10, 20};
    put_keys(f, starts, 2);
    const char *const odd[] = {LEDGER "0000000000000000003.json",    LEDGER "00000000000000000030.jsonx",
                               LEDGER "0000000000000000003x.json",   LEDGER "99999999999999999999.json",
                               LEDGER "09223372036854775807.json",   LEDGER LEDGER_CLAIM,
                               "_sf/p/t/1/00000000000000000040.json"};
    for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
        put_file(f, odd[i]);
    for (int i = 0; i < 1100; i++) {
        g_autofree char *key = g_strdup_printf(LEDGER "00000000000000000015-%04d", i);
        put_file(f, key);
    }
    expect_last_by_any_hint(f, 20);
    LedgerPage page;
    g_assert_cmpint(ledger_page(f->store, LEDGER, -1, &page, &f->err), ==, SF_OK);
    g_assert_cmpint(page.first, ==, 10);
    g_assert_cmpint(ledger_page(f->store, LEDGER, 10, &page, &f->err), ==, SF_OK);
    g_assert_cmpint(page.first, ==, 20);
    g_assert_cmpuint(page.n, ==, 1);
    g_assert_cmpint(ledger_page(f->store, LEDGER, 20, &page, &f->err), ==, SF_OK);
    g_assert_cmpuint(page.n, ==, 0);
    g_assert_false(page.full);
}

/* An entry that starts at 0 is behind -1, and not behind 0. */
static void pages_begin_behind_a_position(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const int64_t starts[] = {0, 1};
    LedgerPage page;
    put_keys(f, starts, 2);
    g_assert_cmpint(ledger_page(f->store, LEDGER, -1, &page, &f->err), ==, SF_OK);
    g_assert_cmpint(page.first, ==, 0);
    g_assert_cmpint(ledger_page(f->store, LEDGER, 0, &page, &f->err), ==, SF_OK);
    g_assert_cmpint(page.first, ==, 1);
}

static void entries_are_where_they_say(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = entry_bytes(f, 5, 9, NULL, 0);
    g_autofree char *key = ledger_entry_key(LEDGER, 5), *other = ledger_entry_key(LEDGER, 6);
    g_autoptr(Entry) entry = NULL;
    g_assert_cmpint(ledger_get(f->store, LEDGER, 5, &entry, &f->err), ==, SF_RETRY);
    g_assert_nonnull(strstr(f->err.message, "has vanished"));
    g_assert_cmpint(store_put(f->store, key, body, &f->err), ==, SF_OK);
    g_assert_cmpint(store_put(f->store, other, body, &f->err), ==, SF_OK);
    g_assert_cmpint(ledger_get(f->store, LEDGER, 6, &entry, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "says that it starts at 5"));
    g_assert_null(entry);
    g_assert_cmpint(ledger_get(f->store, LEDGER, 5, &entry, &f->err), ==, SF_OK);
    g_assert_cmpint(entry->end, ==, 9);
}

/* ---- what they say ---- */

static const EntryObject two[] = {
    {.key = (char *) "t/2024/01/a", .first = 5, .last = 5, .rows = 1, .bytes = 10, .crc32 = UINT32_MAX},
    {.key = (char *) "t/2024/02/b", .first = 6, .last = 8, .rows = 3, .bytes = 30, .crc32 = 0},
};

static void entries_come_back(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Entry) entry = entry_of(f, entry_bytes(f, 5, 9, two, 2));
    g_assert_cmpstr(entry->step, ==, "s");
    g_assert_cmpstr(entry->split, ==, "t/0");
    g_assert_cmpstr(entry->origin, ==, "o");
    g_assert_cmpint(entry->start, ==, 5);
    g_assert_cmpint(entry->rejected, ==, 3);
    g_assert_cmpstr(entry->layout.options.path_format, ==, "YYYY/MM");
    g_assert_cmpuint(entry->objects->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        g_assert_cmpstr(object->key, ==, two[i].key);
        g_assert_cmpint(object->first, ==, two[i].first);
        g_assert_cmpint(object->last, ==, two[i].last);
        g_assert_cmpint(object->rows, ==, two[i].rows);
        g_assert_cmpint(object->bytes, ==, two[i].bytes);
        g_assert_cmpuint(object->crc32, ==, two[i].crc32);
    }
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(entry->body, NULL), (gssize) g_bytes_get_size(entry->body),
                                  "\"rows\":4,\"rejected\":3"));
}

static void any_difference_is_another_cut(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Entry) entry = entry_of(f, entry_bytes(f, 5, 9, two, 2));
    g_autoptr(Entry) same = entry_of(f, entry_bytes(f, 5, 9, two, 2));
    g_autoptr(Entry) longer = entry_of(f, entry_bytes(f, 5, 10, two, 2));
    g_autoptr(Entry) fewer = entry_of(f, entry_bytes(f, 5, 9, two, 1));
    g_assert_true(entry_same_cut(entry, same));
    g_assert_false(entry_same_cut(entry, longer));
    g_assert_false(entry_same_cut(entry, fewer));
    g_assert_false(entry_same_cut(fewer, entry));
    for (int what = 0; what < 4; what++) {
        EntryObject other[2] = {two[0], two[1]};
        if (what == 0)
            other[1].key = (char *) "t/2024/02/c";
        other[1].rows -= what == 1;
        other[1].bytes += what == 2;
        other[1].crc32 += what == 3;
        g_autoptr(Entry) changed = entry_of(f, entry_bytes(f, 5, 9, other, 2));
        g_assert_false(entry_same_cut(entry, changed));
    }
}

static void an_amended_entry_keeps_what_is_stored(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Entry) entry = entry_of(f, entry_bytes(f, 5, 9, two, 2));
    const EntryObject now[] = {{.rows = -1}, {.rows = 0, .bytes = 7, .crc32 = 8}};
    g_autoptr(Entry) amended = entry_of(f, entry_amended(entry, now));
    const EntryObject *first = &g_array_index(amended->objects, EntryObject, 0);
    const EntryObject *second = &g_array_index(amended->objects, EntryObject, 1);
    g_assert_cmpint(first->rows, ==, 1);
    g_assert_cmpuint(first->crc32, ==, UINT32_MAX);
    g_assert_cmpint(second->rows, ==, 0);
    g_assert_cmpint(second->bytes, ==, 7);
    g_assert_cmpuint(second->crc32, ==, 8);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(amended->body, NULL), (gssize) g_bytes_get_size(amended->body),
                                  "\"rows\":1,\"rejected\":3"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/bronze/ledger/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("the last entry is found by any hint", the_last_entry_is_found_by_any_hint);
    ADD("foreign keys are passed over", foreign_keys_are_passed_over);
    ADD("pages begin behind a position", pages_begin_behind_a_position);
    ADD("entries are where they say", entries_are_where_they_say);
    ADD("entries come back", entries_come_back);
    ADD("any difference is another cut", any_difference_is_another_cut);
    ADD("an amended entry keeps what is stored", an_amended_entry_keeps_what_is_stored);
    return g_test_run();
}
