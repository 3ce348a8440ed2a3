/* kit/bronze/entry: what is written is read, objects beside others too; a member that is missing or of another kind
 * makes an entry that cannot be used, and says so with its key. */
#include <glib.h>
#include <string.h>

#include "bronze/entry.h"

static char *entry_text(void)
{
    SfError err;
    Layout layout;
    LayoutOptions options = {.path_format = "YYYY", .timezone = "UTC", .field = "", .level = -1, .keys = true};
    char key[] = "t/2024/t+0+5.json", keys[] = "t/2024/t+0+5.keys.json";
    EntryObject object = {
        .key = key, .first = 5, .last = 8, .rows = 4, .bytes = 40, .crc32 = 77, .beside[BESIDE_KEYS] = {keys, 20, 88}};
    g_autoptr(GArray) objects = g_array_new(FALSE, FALSE, sizeof(EntryObject));
    g_array_append_val(objects, object);
    g_assert_cmpint(layout_init(&layout, &options, &err), ==, SF_OK);
    EntryDraft draft = {.pipeline = "p",
                        .step = "s",
                        .split = "t/0",
                        .topic = "t",
                        .start = 5,
                        .end = 9,
                        .reason = "end",
                        .objects = objects,
                        .layout = &layout,
                        .writer = "w"};
    g_autoptr(GBytes) body = entry_write(&draft);
    layout_done(&layout);
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    return g_strndup(text, size);
}

static Entry *read_text(const char *text, SfError *err)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    return entry_read(body, "_sf/p/t/0/5.json", err);
}

static char *with(const char *text, const char *from, const char *to)
{
    g_autoptr(GString) other = g_string_new(text);
    if (g_string_replace(other, from, to, 1) != 1)
        g_error("'%s' is not in %s", from, text);
    return g_string_free(g_steal_pointer(&other), FALSE);
}

static void test_read(void)
{
    SfError err;
    g_autofree char *text = entry_text();
    g_autoptr(Entry) entry = read_text(text, &err);
    g_assert_nonnull(entry);
    g_assert_cmpint(entry->start, ==, 5);
    g_assert_true(entry->layout.options.keys);
    g_assert_false(entry->layout.options.headers);
    const EntryObject *object = &g_array_index(entry->objects, EntryObject, 0);
    g_assert_cmpstr(object->beside[BESIDE_KEYS].key, ==, "t/2024/t+0+5.keys.json");
    g_assert_cmpint(object->beside[BESIDE_KEYS].bytes, ==, 20);
    g_assert_cmpuint(object->beside[BESIDE_KEYS].crc32, ==, 88);
    g_assert_null(object->beside[BESIDE_HEADERS].key);
}

/* The same cut has the same objects, and the same beside them. */
static void test_same_cut(void)
{
    static const char *const changes[][2] = {
        {"\"end\":9", "\"end\":10"},      {"\"rows\":4,\"bytes\"", "\"rows\":3,\"bytes\""},
        {"\"bytes\":40", "\"bytes\":41"}, {"\"crc32\":77", "\"crc32\":78"},
        {"t+0+5.json", "t+0+6.json"},     {"5.keys.json", "6.keys.json"},
        {"\"bytes\":20", "\"bytes\":21"}, {"\"crc32\":88", "\"crc32\":89"},
        {",\"keys\":{", ",\"other\":{"},
    };
    SfError err;
    g_autofree char *text = entry_text(), *moved = with(text, "\"reason\":\"end\"", "\"reason\":\"age\"");
    g_autoptr(Entry) entry = read_text(text, &err);
    g_autoptr(Entry) same = read_text(moved, &err);
    g_assert_true(entry_same_cut(entry, same));
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *other_text = with(text, changes[i][0], changes[i][1]);
        g_autoptr(Entry) other = read_text(other_text, &err);
        g_assert_nonnull(other);
        if (entry_same_cut(entry, other))
            g_error("'%s' makes no difference", changes[i][1]);
    }
}

static void test_wrong_members(void)
{
    static const char *const changes[][2] = {
        {"\"version\":1", "\"version\":2"},
        {"\"step\":\"s\"", "\"step\":1"},
        {"\"topic\":\"t\"", "\"topic\":null"},
        {"\"partition\":0", "\"partition\":2147483648"},
        {"\"partition\":0", "\"partition\":-1"},
        {"\"start\":5", "\"start\":9"},
        {"\"start\":5", "\"start\":\"5\""},
        {"\"rejected\":0", "\"rejected\":true"},
        {"\"objects\":[", "\"objects\":1,\"x\":["},
        {"\"first\":5", "\"first\":9"},
        {"\"rows\":4,\"bytes\"", "\"rows\":5,\"bytes\""},
        {"\"crc32\":77", "\"crc32\":4294967296"},
        {"\"key\":\"t/2024/t+0+5.json\"", "\"key\":7"},
        {"\"keys\":{", "\"keys\":1,\"x\":{"},
        {"\"key\":\"t/2024/t+0+5.keys.json\"", "\"key\":7"},
        {"\"bytes\":20", "\"bytes\":-1"},
        {"\"crc32\":88", "\"crc32\":4294967296"},
        {"\"layout\":{", "\"layouts\":{"},
        {"\"format\":\"json\"", "\"format\":\"avro\""},
        {"\"s3.compression.level\":-1", "\"s3.compression.level\":10"},
        {"{\"version\"", "[{\"version\""},
    };
    g_autofree char *text = entry_text();
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        SfError err = {.message = ""};
        g_autofree char *other = with(text, changes[i][0], changes[i][1]);
        g_autoptr(Entry) entry = read_text(other, &err);
        if (entry)
            g_error("%s is taken", changes[i][1]);
        g_assert_true(g_str_has_prefix(err.message, "ledger entry '_sf/p/t/0/5.json' cannot be used"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bronze-entry/read", test_read);
    g_test_add_func("/bronze-entry/same-cut", test_same_cut);
    g_test_add_func("/bronze-entry/wrong-members", test_wrong_members);
    return g_test_run();
}
