/* json-decode: `from`: the notations of paths, what they find, and several of them for one column. */
#include "decode_one.h"

static const char *const event = "{\"user\":{\"id\":7,\"first name\":\"Ada\",\"a.b\":[[1,2],[3]]},"
                                 "\"users\":[{\"id\":1},{\"id\":2},{\"id\":3}],\"tags\":[\"x\",\"y\"],\"n\":null}";

static void assert_found(const char *path, const char *expected)
{
    g_autofree char *options = g_strdup_printf("{provenance: false, schema: {x: {type: json, from: '%s'}}}", path);
    g_autofree char *row = g_strdup_printf("{\"x\":%s}", expected);
    assert_event(options, event, row);
}

static void test_notations(void)
{
    static const char *const ids[] = {"user.id",        "$.user.id", "$[\"user\"][\"id\"]", "user[\"id\"]",
                                      "$.user[\"id\"]", "`user`.id", "$.`user`.`id`"};
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        assert_found(ids[i], "\"7\"");
    assert_found("user.id \t", "\"7\"");
    assert_found("user[\"first name\"]", "\"\\\"Ada\\\"\"");
    assert_found("user.`first name`", "\"\\\"Ada\\\"\"");
    assert_found("user.`a.b`[0][1]", "\"2\"");
    assert_found("user[\"a.b\"][-1][-1]", "\"3\"");
    assert_event("{provenance: false, schema: {x: \"int from $['user']['id']\", y: 'string from tags[1] '}}", event,
                 "{\"x\":7,\"y\":\"y\"}");
}

static void test_columns_share_elements(void)
{
    assert_event(
        "{provenance: false, schema: {a: \"int from $['user']['a.b'][0][0]\", b: \"int from $['user']['a.b'][0][1]\", "
        "c: 'int from users[1].id', d: 'json from users[1]', e: 'int from users[-2].id'}}",
        event, "{\"a\":1,\"b\":2,\"c\":2,\"d\":\"{\\\"id\\\":2}\",\"e\":2}");
}

static void test_elements(void)
{
    assert_found("tags[0]", "\"\\\"x\\\"\"");
    assert_found("$.tags[-2]", "\"\\\"x\\\"\"");
    assert_found("tags[-1]", "\"\\\"y\\\"\"");
    assert_found("tags[2]", "null");
    assert_found("tags[-3]", "null");
    assert_found("users[1].id", "\"2\"");
    assert_found("users[-1]", "\"{\\\"id\\\":3}\"");
    assert_found("users[999999999].id", "null");
    assert_found("n[0].id", "null");
    assert_found("nowhere[0][1].x", "null");
}

static void test_elements_of_another_kind_are_rejected(void)
{
    assert_decode("int from x[0]", "{\"0\":1}", "x: an object is not a list");
    assert_decode("int from x[0]", "\"1\"", "x: text '1' is not a list");
    assert_decode("int from x[1].a", "[{\"a\":1},5]", "x[1]: '5' is not an object");
    assert_decode("int from x.a[-1][0]", "{\"a\":[1,\"b\"]}", "a[-1]: text 'b' is not a list");
    assert_decode("int from x[0]", "[\"a\"]", "x (x[0]): text 'a' is not a valid int");
    assert_decode("int not null from x[1]", "[1]", "x (x[1]): missing, but the schema says not null");
    assert_decode("int not null from x[0]", "[null]", "x (x[0]): null, but the schema says not null");
    assert_decode("int from x[0]", "[1,]", "not valid JSON: value expected at byte 8, not ']}'");
    assert_decode("int from x[-1]", "[1 2]", "not valid JSON: ',' or ']' expected at byte 8, not '2]}'");
}

/* One element for several columns, in any order, also when the list is short. */
static void test_one_list_for_several_columns(void)
{
    const char *options = "provenance: false\nschema:\n  last: int from a[-1].n\n  first: int from a[0].n\n"
                          "  all: json from a\n  third: {type: int, from: 'a[2].n', default: 9}\n";
    assert_event(options, "{\"a\":[{\"n\":1},{\"n\":2},{\"n\":3}]}",
                 "{\"last\":3,\"first\":1,\"all\":\"[{\\\"n\\\":1},{\\\"n\\\":2},{\\\"n\\\":3}]\",\"third\":3}");
    assert_event(options, "{\"a\":[{\"n\":1}]}", "{\"last\":1,\"first\":1,\"all\":\"[{\\\"n\\\":1}]\",\"third\":9}");
    assert_event(options, "{\"a\":[]}", "{\"last\":null,\"first\":null,\"all\":\"[]\",\"third\":9}");
    assert_event(options, "{}", "{\"last\":null,\"first\":null,\"all\":null,\"third\":9}");
}

static void test_the_whole_event(void)
{
    assert_event("{provenance: false, schema: {raw: json from $, a: int}}", " {\"a\": 1, \"b\": []} ",
                 "{\"raw\":\"{\\\"a\\\": 1, \\\"b\\\": []}\",\"a\":1}");
    assert_event("{provenance: false, schema: {raw: json from $}}", "{\"\":1}", "{\"raw\":\"{\\\"\\\":1}\"}");
    assert_event("{provenance: false, schema: {raw: json from $}}", "{}", "{\"raw\":\"{}\"}");
    assert_event("{provenance: false, schema: {s: {struct: {a: int}, from: $}}}", "{\"a\":1}", "{\"s\":{\"a\":1}}");
}

/* Debezium's envelope: a delete has its row in `before` only. */
static void test_the_first_path_that_is_not_null_counts(void)
{
    const char *options = "provenance: false\nschema:\n"
                          "  id: {type: int not null, from: [after.id, before.id]}\n"
                          "  name: string from after.name or before.name\n"
                          "  lsn: bigint from source.lsn\n  op: string\n";
    assert_event(options, "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\"},\"op\":\"c\",\"source\":{\"lsn\":1}}",
                 "{\"id\":1,\"name\":\"a\",\"lsn\":1,\"op\":\"c\"}");
    assert_event(options, "{\"before\":{\"id\":1,\"name\":\"a\"},\"after\":{\"id\":1,\"name\":\"b\"},\"op\":\"u\"}",
                 "{\"id\":1,\"name\":\"b\",\"lsn\":null,\"op\":\"u\"}");
    assert_event(options, "{\"before\":{\"id\":1,\"name\":\"b\"},\"after\":null,\"op\":\"d\"}",
                 "{\"id\":1,\"name\":\"b\",\"lsn\":null,\"op\":\"d\"}");
    assert_event(options, "{\"op\":\"d\",\"before\":{\"id\":1,\"name\":null},\"after\":{\"name\":null}}",
                 "{\"id\":1,\"name\":null,\"lsn\":null,\"op\":\"d\"}");
    assert_event(options, "{\"before\":null,\"after\":null,\"op\":\"t\"}",
                 "id (after.id, before.id): missing, but the schema says not null");
    assert_event(options, "{\"before\":{\"id\":null},\"after\":null}",
                 "id (after.id, before.id): null, but the schema says not null");
    assert_event(options, "{\"before\":{\"id\":2},\"after\":{\"id\":\"no\"}}",
                 "id (after.id, before.id): text 'no' is not a valid int");
    assert_event(options, "{\"before\":{\"id\":2,\"name\":\"b\"},\"after\":{\"id\":1},\"before\":{\"id\":3}}",
                 "{\"id\":1,\"name\":\"b\",\"lsn\":null,\"op\":null}");
}

static void test_several_paths_of_all_kinds(void)
{
    const char *options =
        "provenance: false\nschema:\n"
        "  name: {type: string, from: [customer.name, 'customers[0].name', customer], default: nobody}\n"
        "  tags: {type: list<string>, from: ['a.tags', tags]}\n"
        "  s: {struct: {k: {type: int, from: [u, v]}}}\n";
    assert_event(options, "{\"customer\":{\"name\":\"A\"},\"customers\":[{\"name\":\"B\"}]}",
                 "{\"name\":\"A\",\"tags\":null,\"s\":null}");
    assert_event(options, "{\"customers\":[{\"name\":\"B\"}],\"tags\":[\"x\"],\"s\":{\"v\":1}}",
                 "{\"name\":\"B\",\"tags\":[\"x\"],\"s\":{\"k\":1}}");
    assert_event(options, "{\"customer\":\"C\",\"customers\":5,\"a\":{\"tags\":[\"y\"]},\"s\":{\"v\":1,\"u\":2}}",
                 "{\"name\":\"C\",\"tags\":[\"y\"],\"s\":{\"k\":2}}");
    assert_event(options, "{\"a\":[],\"tags\":[]}", "{\"name\":\"nobody\",\"tags\":[],\"s\":null}");
    assert_event(options, "{\"customer\":null}", "{\"name\":null,\"tags\":null,\"s\":null}");
    assert_event("{provenance: false, schema: {l: {list: {struct: {k: {type: int, from: [u, v]}}}}}}",
                 "{\"l\":[{\"u\":1},{\"v\":2},{}]}", "{\"l\":[{\"k\":1},{\"k\":2},{\"k\":null}]}");
}

/* One member for a text and for structs of it, each with a level of its own. */
static void test_one_member_in_several_shapes(void)
{
    assert_event(
        "provenance: false\nschema:\n  raw: json from s\n  s: struct<k int>\n  t: {struct: {k: string, m: 'list<"
        "struct<k int>>'}, from: s}\n",
        "{\"s\":{\"k\":1,\"m\":[{\"k\":2}]}}",
        "{\"raw\":\"{\\\"k\\\":1,\\\"m\\\":[{\\\"k\\\":2}]}\",\"s\":{\"k\":1},\"t\":{\"k\":\"1\",\"m\":[{\"k\":2}]"
        "}}");
}

/* A reject leaves nothing behind for the next event. */
static void test_events_do_not_see_each_other(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{provenance: false, schema: {x: 'int from a or b', y: int}}");
    const char *events[] = {"{\"a\":1,\"y\":\"no\"}", "{\"y\":2}", "{\"b\":3,\"y\":", "{\"y\":4,\"b\":5}"};
    const SfBatch *out = harness_apply(h, harness_raw(h, "e/0", 0, events, 4));
    g_assert_cmpstr(harness_text(h, out), ==, "{\"x\":null,\"y\":2}\n{\"x\":5,\"y\":4}");
}

/* n times `part`, with `first` in front and `last` behind. */
static char *repeat(const char *first, const char *part, int n, const char *last)
{
    g_autoptr(GString) text = g_string_new(first);
    for (int i = 0; i < n; i++)
        g_string_append(text, part);
    g_string_append(text, last);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_types_that_are_none(void)
{
    const char *known = "known are string, json, int, bigint, double, decimal(p,s), boolean, binary, date, timestamp, "
                        "list, struct";
    g_autofree char *unknown = g_strdup_printf("options.yaml:2:6: column 'a': unknown type 'q'; %s", known);
    assert_config("schema:\n  a: q\n", unknown);
    assert_config("schema:\n  a: '<int>'\n", "options.yaml:2:6: column 'a': a type expected, not '<'");
    assert_config("schema:\n  a: ''\n", "options.yaml:2:6: column 'a': a type expected, not the end");
}

static void test_limits(void)
{
    g_autofree char *deepest = repeat("int from x", ".a", 31, "");
    g_autofree char *value = repeat("", "{\"a\":", 31, "5}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}");
    assert_decode(deepest, value, "5");
    g_autofree char *deeper = repeat("schema:\n  a: int from x", "[0]", 32, "\n");
    assert_config(deeper, "options.yaml:2:6: column 'a': a path of more than 32 steps");
    g_autofree char *most = repeat("int from a", " or a", 14, " or x");
    assert_decode(most, "5", "5");
    g_autofree char *more = repeat("schema:\n  a: int from a", " or a", 16, "\n");
    assert_config(more, "options.yaml:2:6: column 'a': more than 16 paths");
    assert_decode("int from x[999999999]", "[1]", "null");
    assert_decode("int from x[-999999999]", "[1]", "null");
    g_autofree char *formats = repeat("schema:\n  a: date(days", ", iso", 17, ")\n");
    assert_config(formats, "options.yaml:2:6: column 'a': more than 16 formats");
    g_autofree char *enough = repeat("date(days", ", iso", 16, ")");
    assert_decode(enough, "1", "\"1970-01-02\"");
}

/* Rows in batches of 100, with a value for `rare` in one of them. */
static char *logs_of(int rows, int rare)
{
    g_autoptr(GString) logs = g_string_new(NULL);
    g_autoptr(Harness) h =
        harness_new("json-decode", "{provenance: false, schema: {a: int, b: string from e.b or c, d: "
                                   "date, rare: int}}");
    for (int row = 0; row < rows; row += 100) {
        const char *events[100];
        for (int i = 0; i < 100; i++)
            events[i] = row + i == rare ? "{\"a\":1,\"rare\":1}" : i == 7 ? "{\"a\":1}" : "{\"a\":null}";
        harness_apply(h, harness_raw(h, "e/0", row, events, 100));
        g_string_append(logs, harness_logs(h));
        harness_forget(h);
    }
    return g_string_free(g_steal_pointer(&logs), FALSE);
}

static void test_columns_that_no_event_has_are_named(void)
{
    g_autofree char *few = logs_of(900, -1), *enough = logs_of(1300, 950), *late = logs_of(1300, 1001);
    g_assert_cmpstr(few, ==, "");
    g_assert_cmpstr(
        enough, ==,
        "warning: null in all of the first 1000 rows: 'b' from e.b or c, 'd'; is it called so in the events?");
    g_assert_cmpstr(
        late, ==,
        "warning: null in all of the first 1000 rows: 'b' from e.b or c, 'd', 'rare'; is it called so in the "
        "events?");
}

static void assert_path_fault(const char *path, const char *fault)
{
    g_autofree char *options = g_strdup_printf("schema:\n  a: {type: int, from: '%s'}\n", path);
    g_autofree char *message = g_strdup_printf("options.yaml:2:24: column 'a': %s", fault);
    assert_config(options, message);
}

static void test_other_notations_are_refused_by_name(void)
{
    assert_path_fault("/user/id", "'/user/id' is a JSON pointer; a path is written as user.id or user[0].id");
    assert_path_fault(
        "items[*].sku",
        "'[*].sku' in a path; [0] is a list's first element, [-1] its last one, ['key'] a member; for several "
        "values read the list itself, as list<…>");
    assert_path_fault("items[0:2]", "'[0:2]' in a path; [0] is a list's first element, [-1] its last one, ['key'] a "
                                    "member; for several values read the list itself, as list<…>");
    assert_path_fault("items[",
                      "'[' in a path; [0] is a list's first element, [-1] its last one, ['key'] a member; for "
                      "several values read the list itself, as list<…>");
    assert_path_fault("items[0", "the path ends before its ']'");
    assert_path_fault("items[1234567890]", "no list has an element [1234567890]");
    assert_path_fault("items[-0]", "no list has an element [-0]");
    assert_path_fault("$.*",
                      "'*' in a path gives several values; read the list or object itself, as list<…> or struct<…>");
    assert_path_fault("$..id", "a path expected, as in customer.city, items[0].sku or `first key`.city, not '.id'");
    assert_path_fault("src:user.id",
                      "':' in the path 'src:user'; write user.id or user[0].id, and backticks around a key with it");
    assert_path_fault("$[0].id", "an event is an object: a path begins with a key, as in $.items[0]");
    assert_path_fault("user.", "a path expected, as in customer.city, items[0].sku or `first key`.city; this one "
                               "ends where a key is expected");
    assert_path_fault("a]", "']' behind a path; put backticks around keys like that");
    assert_path_fault("a[\"b", "a path expected, as in customer.city, items[0].sku or `first key`.city, not '\"b'");
    assert_config("schema:\n  a: {type: int from b, from: c}\n",
                  "options.yaml:2:31: column 'a': from stands in its type already");
    assert_config("schema:\n  a: {type: int, from: [b, $]}\n",
                  "options.yaml:2:6: column 'a': '$' is the whole event, which is always there: no other path stands "
                  "beside it");
    assert_config("schema:\n  a: {struct: {b: int from $.c}}\n",
                  "options.yaml:2:19: column 'b': '$.c' begins at the event, but a member's path at its struct");
    assert_config("schema:\n  a: {type: int, from: []}\n",
                  "options.yaml:2:24: column 'a': from is a path such as customer.city, or a list of paths");
    assert_config("schema:\n  a: {type: int, from: {b: c}}\n",
                  "options.yaml:2:24: column 'a': from is a path such as customer.city, or a list of paths");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode-paths/notations", test_notations);
    g_test_add_func("/json-decode-paths/elements", test_elements);
    g_test_add_func("/json-decode-paths/elements of another kind", test_elements_of_another_kind_are_rejected);
    g_test_add_func("/json-decode-paths/one list for several columns", test_one_list_for_several_columns);
    g_test_add_func("/json-decode-paths/the whole event", test_the_whole_event);
    g_test_add_func("/json-decode-paths/the first that is not null", test_the_first_path_that_is_not_null_counts);
    g_test_add_func("/json-decode-paths/several of all kinds", test_several_paths_of_all_kinds);
    g_test_add_func("/json-decode-paths/one member in several shapes", test_one_member_in_several_shapes);
    g_test_add_func("/json-decode-paths/events do not see each other", test_events_do_not_see_each_other);
    g_test_add_func("/json-decode-paths/types that are none", test_types_that_are_none);
    g_test_add_func("/json-decode-paths/limits", test_limits);
    g_test_add_func("/json-decode-paths/columns that no event has", test_columns_that_no_event_has_are_named);
    g_test_add_func("/json-decode-paths/other notations", test_other_notations_are_refused_by_name);
    g_test_add_func("/json-decode-paths/columns share elements", test_columns_share_elements);
    return g_test_run();
}
