/* json-decode: records without a value are dropped, or become rows of their keys. */
#include "decode_one.h"

/* What becomes of a tombstone with that key, and an event before and after it. */
static void assert_key(const char *columns, const char *key, const char *expected)
{
    g_autofree char *options = g_strdup_printf("provenance: false\ntombstones: keep\nschema:\n%s", columns);
    g_autoptr(Harness) h = harness_new("json-decode", options);
    RawRow rows[] = {{.key = "x", .value = "{}"}, {.key = key, .offset = 1}, {.key = "y", .value = "{}", .offset = 2}};
    const SfBatch *out = harness_apply(h, harness_raw_rows(h, "e/0", rows, 3));
    const char *prefix = "e/0@1: ";
    g_auto(GStrv) lines = g_strsplit(harness_text(h, out), "\n", -1);
    if (harness_n_rejects(h) > 0) {
        g_assert_true(g_str_has_prefix(harness_rejects(h), prefix));
        g_assert_cmpstr(harness_rejects(h) + strlen(prefix), ==, expected);
    } else {
        g_assert_cmpstr(lines[1], ==, expected);
    }
    const char *last = lines[g_strv_length(lines) - 1];
    g_assert_cmpint(sf_rows(out), ==, harness_n_rejects(h) > 0 ? 2 : 3);
    g_assert_nonnull(strstr(last, "\"_tombstone\":false"));
    g_assert_null(strstr(last, "true"));
}

static void test_tombstones_may_be_dropped(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{tombstones: drop, provenance: false, schema: {a: int}}");
    const char *events[] = {NULL, "{\"a\":1}"};
    g_assert_cmpstr(harness_text(h, harness_apply(h, harness_raw(h, "e/0", 0, events, 2))), ==, "{\"a\":1}");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
}

static void test_keys_as_objects(void)
{
    const char *columns = "  id: {type: int, from: [after.id, before.id], from_key: id}\n  name: string\n";
    assert_key(columns, "{\"id\":7}", "{\"id\":7,\"name\":null,\"_tombstone\":true}");
    assert_key(columns, " {\"name\":\"x\",\"id\":7} ", "{\"id\":7,\"name\":null,\"_tombstone\":true}");
    assert_key(columns, "{\"id\":null}", "a tombstone's key: id (id): null, but the schema says not null");
    assert_key(columns, "{}", "a tombstone's key: id (id): missing, but the schema says not null");
    assert_key(columns, "{\"id\":\"a\"}", "a tombstone's key: id (id): text 'a' is not a valid int");
    assert_key(columns, "7", "a tombstone's key: '7' is not an object");
    assert_key(columns, "{\"id\":7", "a tombstone's key: text '{\\\"id\\\":7' is not an object");
    assert_key("  a: {type: int, from_key: payload.a}\n  b: {type: 'decimal(5,2,base64)', from_key: payload.b}\n",
               "{\"schema\":{},\"payload\":{\"a\":1,\"b\":\"AQ==\"}}", "{\"a\":1,\"b\":0.01,\"_tombstone\":true}");
    assert_key("  a: {type: bigint, from_text: true, from_key: [id, key.id]}\n", "{\"key\":{\"id\":\"5\"}}",
               "{\"a\":5,\"_tombstone\":true}");
}

static void test_keys_as_one_value(void)
{
    assert_key("  id: {type: int, from_key: $}\n", "42", "{\"id\":42,\"_tombstone\":true}");
    assert_key("  id: {type: string, from_key: $}\n", "ORD-1", "{\"id\":\"ORD-1\",\"_tombstone\":true}");
    assert_key("  id: {type: string, from_key: $}\n", "\"ORD-1\"", "{\"id\":\"ORD-1\",\"_tombstone\":true}");
    assert_key("  id: {type: string, from_key: $}\n", "007", "{\"id\":\"007\",\"_tombstone\":true}");
    assert_key("  id: {type: string, from_key: $}\n", "", "{\"id\":\"\",\"_tombstone\":true}");
    assert_key("  d: {type: date, from_key: $}\n", "2024-01-15", "{\"d\":\"2024-01-15\",\"_tombstone\":true}");
    assert_key("  id: {type: int, from_key: $}\n", "x", "a tombstone's key: id ($): text 'x' is not a valid int");
    assert_key("  id: {type: string, from_key: $}\n", "{\"a\":1}",
               "a tombstone's key: id ($): an object is not a valid string");
    assert_key("  id: {type: string, from_key: $}\n", "\xff\xfe", "a tombstone's key: neither JSON nor UTF-8");
    assert_key("  id: {type: int, from_key: $}\n", NULL, "neither a value nor a key: no row can be deleted by it");
}

/* What events must have, tombstones cannot. */
static void test_not_null_holds_for_events(void)
{
    g_autoptr(Harness) h =
        harness_new("json-decode", "{provenance: false, tombstones: keep, schema: {id: {type: int not "
                                   "null, from_key: $}, op: string not null}}");
    RawRow rows[] = {{.key = "1", .value = "{\"id\":1}"},
                     {.key = "1", .value = "{\"id\":1,\"op\":\"c\"}", .offset = 1},
                     {.key = "1", .offset = 2}};
    const SfBatch *out = harness_apply(h, harness_raw_rows(h, "e/0", rows, 3));
    g_assert_cmpstr(harness_text(h, out), ==,
                    "{\"id\":1,\"op\":\"c\",\"_tombstone\":false}\n{\"id\":1,\"op\":null,\"_tombstone\":true}");
    g_assert_cmpstr(harness_rejects(h), ==, "e/0@0: op: missing, but the schema says not null");
    g_assert_false(out->schema->children[0]->flags & ARROW_FLAG_NULLABLE);
    g_assert_true(out->schema->children[1]->flags & ARROW_FLAG_NULLABLE);
    g_assert_false(out->schema->children[2]->flags & ARROW_FLAG_NULLABLE);
}

static void test_provenance_follows(void)
{
    g_autoptr(Harness) h =
        harness_new("json-decode", "{tombstones: keep, keep: [key], schema: {id: {type: int, from_key: $}}}");
    RawRow rows[] = {{.key = "1", .value = "{"}, {.key = "2", .offset = 1}};
    const SfBatch *out = harness_apply(h, harness_raw_rows(h, "e/0", rows, 2));
    g_assert_true(g_str_has_prefix(harness_text(h, out),
                                   "{\"id\":2,\"_tombstone\":true,\"key\":\"2\",\"_topic\":\"e\",\"_partition\":0,"
                                   "\"_offset\":1"));
}

static void test_what_is_missing_is_told(void)
{
    assert_config("{tombstones: keep, schema: {a: int}}",
                  "tombstones: keep needs a column that says which row is gone, as in {type: int, from_key: id}");
    assert_config("schema:\n  a: {type: int, from_key: id}\n",
                  "options.yaml:2:3: from_key is for tombstones; 'tombstones: keep' keeps them");
    assert_config("tombstones: keep\nschema:\n  a: {struct: {b: {type: int, from_key: id}}}\n",
                  "options.yaml:3:41: column 'b': from_key is for columns, not for what is inside of them");
    assert_config("tombstones: keep\nschema:\n  a: {type: int, from_key: /id}\n",
                  "options.yaml:3:28: column 'a': '/id' is a JSON pointer; a path is written as user.id or user[0].id");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode-tombstones/may be dropped", test_tombstones_may_be_dropped);
    g_test_add_func("/json-decode-tombstones/keys as objects", test_keys_as_objects);
    g_test_add_func("/json-decode-tombstones/keys as one value", test_keys_as_one_value);
    g_test_add_func("/json-decode-tombstones/not null holds for events", test_not_null_holds_for_events);
    g_test_add_func("/json-decode-tombstones/provenance follows", test_provenance_follows);
    g_test_add_func("/json-decode-tombstones/what is missing is told", test_what_is_missing_is_told);
    return g_test_run();
}
