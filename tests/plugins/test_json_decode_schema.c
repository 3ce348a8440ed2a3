/* json-decode: `schema`: what is refused, where it stands, and what to write instead. */
#include "decode_one.h"

static void test_all_wrong_columns_are_named_at_once(void)
{
    assert_config("schema:\n  a: strin\n  b: int\n  c: {struct: {d: dat, e: strng}}\n",
                  "options.yaml:2:6: column 'a': unknown type 'strin'; did you mean 'string'?\n"
                  "options.yaml:4:19: column 'd': unknown type 'dat'; did you mean 'date'?\n"
                  "options.yaml:4:27: column 'e': unknown type 'strng'; did you mean 'string'?");
}

static void test_wrong_schemas_are_named_by_place(void)
{
    assert_config("schema:\n  a: strin\n",
                  "options.yaml:2:6: column 'a': unknown type 'strin'; did you mean 'string'?");
    assert_config("schema:\n  a: decimal(39,2)\n",
                  "options.yaml:2:6: column 'a': a decimal's precision is 1 to 38, not '39'");
    assert_config("schema:\n  a: decimal(10,11)\n",
                  "options.yaml:2:6: column 'a': a decimal's scale is 0 to 10, not '11'");
    assert_config(
        "schema:\n  a: int nott null\n",
        "options.yaml:2:6: column 'a': 'nott null' behind a type; 'not null' and 'from PATH' may stand there, "
        "once");
    assert_config("schema:\n  a: timestamp(hours)\n",
                  "options.yaml:2:6: column 'a': in a timestamp's brackets stands s, ms, us, ns or iso, or format "
                  "'yyyy-MM-dd HH:mm:ss'");
    assert_config(
        "schema:\n  a: date(format 'dd.MM.RRRR')\n",
        "options.yaml:2:6: column 'a': 'R' is not a pattern letter; known are y M d D E Q G H k h K a m s S X Z O z; "
        "quote literal text as ''T''");
    assert_config("schema:\n  a: date(format 'yyyy-MM')\n",
                  "options.yaml:2:6: column 'a': a format needs year, month and day: 'd' is missing");
    assert_config("schema:\n  a: list<int\n",
                  "options.yaml:2:6: column 'a': '>' expected behind a list's element, not the end; "
                  "within {…} a type with a comma needs quotes");
    assert_config("schema:\n  a: {typ: int}\n",
                  "options.yaml:2:7: column 'a': unknown key 'typ'; did you mean 'type'?");
    assert_config("schema:\n  a: {city: string}\n", "options.yaml:2:7: column 'a': unknown key 'city'");
    assert_config("schema:\n  a: {type: decimal, scale: 2}\n",
                  "options.yaml:2:22: column 'a': unknown key 'scale'; both digits of a decimal stand in its type, as "
                  "in decimal(12,2)");
    assert_config(
        "schema:\n  a: {type: int, required: true}\n",
        "options.yaml:2:18: column 'a': unknown key 'required'; write 'nullable: false', or 'not null' behind "
        "the type");
    assert_config("schema:\n  a: {type: int, path: b.c}\n",
                  "options.yaml:2:18: column 'a': unknown key 'path'; where the value stands in the event is 'from'");
    assert_config(
        "schema:\n  a: {from: b}\n",
        "options.yaml:2:6: column 'a': exactly one of type, struct and list belongs here; members of an object "
        "go under struct");
    assert_config(
        "schema:\n  a: [int]\n",
        "options.yaml:2:6: column 'a': a type expected, such as 'string not null' or {type: int, default: 0}");
    assert_config("schema:\n  a: {type: int, default: seven}\n",
                  "options.yaml:2:27: column 'a': default 'seven' is not a valid int");
    assert_config("schema:\n  a: {type: int, default: 1.5}\n",
                  "options.yaml:2:3: default of a: '1.5' is not a valid int");
    assert_config("schema:\n  a: int\n  b: {type: int, default: 1.5}\n",
                  "options.yaml:2:3: default of b: '1.5' is not a valid int");
    assert_config("schema: {}\n",
                  "options.yaml:1:9: schema is a map of columns to their types, such as {order_id: string not null}");
    assert_config("{schema: {a: int}, column: payload}",
                  "the input has no column 'payload'; name the one with the JSON texts by 'column'");
    assert_config("{schema: {a: int}, column: offset}", "column 'offset' is bigint; JSON texts are binary or string");
    assert_config("{schema: {a: int}, keep: [kye]}", "keep: the input has no column 'kye'");
    assert_config("{schema: {a: int}, keep: [offset]}", "keep: 'offset' is passed on as '_offset' already");
}

static void test_nesting_has_a_limit(void)
{
    g_autoptr(GString) type = g_string_new("schema:\n  a: ");
    for (int i = 0; i < 40; i++)
        g_string_append(type, "list of ");
    g_string_append(type, "int\n");
    assert_config(type->str, "options.yaml:2:6: column 'a': types nested deeper than 16");
}

static void test_rules_in_the_wrong_place_are_refused(void)
{
    assert_config(
        "schema:\n  a: {type: string, from_text: true}\n",
        "options.yaml:2:32: column 'a': from_text is for numbers, booleans, and dates and timestamps with a unit");
    assert_config(
        "schema:\n  a: {type: timestamp, from_text: true}\n",
        "options.yaml:2:35: column 'a': from_text is for numbers, booleans, and dates and timestamps with a unit");
    assert_config("schema:\n  a: {type: int, from_text: maybe}\n",
                  "options.yaml:2:29: column 'a': from_text is true or false");
    assert_config("schema:\n  a: {type: int, from_number: true}\n",
                  "options.yaml:2:31: column 'a': from_number is for booleans");
    assert_config("schema:\n  a: {type: int, round: half_up}\n",
                  "options.yaml:2:25: column 'a': round is for decimals and timestamps");
    assert_config("schema:\n  a: {type: decimal, round: up}\n",
                  "options.yaml:2:29: column 'a': round is reject, half_up, half_even or down");
    assert_config("schema:\n  a: {type: int, format: ms}\n",
                  "options.yaml:2:26: column 'a': format is for date, timestamp and decimal");
    assert_config("schema:\n  a: {type: decimal, format: hex}\n",
                  "options.yaml:2:30: column 'a': a decimal's format is base64, not 'hex'");
    assert_config("schema:\n  a: {type: timestamp, format: [s, ms]}\n",
                  "options.yaml:2:36: column 'a': two units: a number does not say which of them it counts");
    assert_config("schema:\n  a: timestamp(days)\n",
                  "options.yaml:2:6: column 'a': in a timestamp's brackets stands s, ms, us, ns or iso, or format "
                  "'yyyy-MM-dd HH:mm:ss'");
    assert_config("schema:\n  a: date(hours)\n",
                  "options.yaml:2:6: column 'a': in a date's brackets stands days, s, ms, us, ns or iso, or format "
                  "'dd.MM.yyyy'");
    assert_config("schema:\n  a: {type: timestamp(ms), format: iso}\n",
                  "options.yaml:2:36: column 'a': a format stands in its type already");
    assert_config("schema:\n  a: decimal(10,2,hex)\n",
                  "options.yaml:2:6: column 'a': base64 may stand behind a decimal's scale, not 'hex'");
}

static void test_types_show_what_stands_there(void)
{
    static const struct {
        const char *type, *problem; /* what stands there is shown alone, and where nothing does, the end */
    } types[] = {
        {"decimal(12, x2) not null", "a decimal's scale is 0 to 12, not 'x2'"},
        {"decimal(-1,2)", "a decimal's precision is 1 to 38, not '-1'"},
        {"decimal(12,", "a decimal's scale is 0 to 12, not the end; within {…} a type with a comma needs quotes"},
        {"decimal()", "a decimal's precision is 1 to 38, not ')'"},
        {"decimal(12,2,hex) not null", "base64 may stand behind a decimal's scale, not 'hex'"},
        {"decimal(12.2)", "')' expected behind a decimal's precision and scale, not '.2'"},
        {"list<int, int>", "'>' expected behind a list's element, not ','"},
        {"struct<a int, <b int>>", "a member's name expected, as in struct<city string>, not '<'"},
        {"struct<a int, b >", "a type expected, not '>'"},
        {"list<int not nul>", "'null' expected behind 'not', not 'nul'"},
        {"timestamp(ms x)", "')' expected behind a timestamp's unit or format, not 'x'"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *options = g_strdup_printf("schema:\n  a: '%s'\n", types[i].type);
        g_autofree char *line = g_strdup_printf("options.yaml:2:6: column 'a': %s", types[i].problem);
        assert_config(options, line);
    }
}

static void test_kinds_of_values_are_checked(void)
{
    static const struct {
        const char *column, *problem; /* of `  a: ` */
    } wrong[] = {
        {"{type: [int]}", "2:13: column 'a': type is a text such as 'string not null'"},
        {"{struct: int}", "2:15: column 'a': struct is a map of its members to their types"},
        {"{struct: {}}", "2:15: column 'a': struct is a map of its members to their types"},
        {"{type: int, default: [1]}", "2:27: column 'a': a default is one value, such as 0 or unknown"},
        {"{list: int, default: 1}", "2:27: column 'a': a default is one value, such as 0 or unknown"},
        {"{struct: {b: int}, default: 1}", "2:34: column 'a': a default is one value, such as 0 or unknown"},
        {"{list: {type: int, from: b}}", "2:13: column 'a': a list's element has no path and no default"},
        {"{list: {type: int, default: 1}}", "2:13: column 'a': a list's element has no path and no default"},
        {"list<int from b>", "2:6: column 'a': a list's element has no path of its own"},
        {"{type: int, nullable: maybe}", "2:28: column 'a': nullable is true or false"},
        {"timestamp(format yyyy)", "2:6: column 'a': a format in single quotes expected: format 'yyyy-MM-dd'"},
        {"timestamp(format 'yyyy)", "2:6: column 'a': quote without an end in the format"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *options = g_strdup_printf("schema:\n  a: %s\n", wrong[i].column);
        g_autofree char *message = g_strdup_printf("options.yaml:%s", wrong[i].problem);
        assert_config(options, message);
    }
}

static void test_nullable_is_not_null(void)
{
    const char *options = "{provenance: false, schema: {a: {type: int, nullable: %s}}}";
    for (int nullable = 0; nullable < 2; nullable++) {
        g_autofree char *text = g_strdup_printf(options, nullable ? "true" : "false");
        assert_event(text, "{\"a\":7}", "{\"a\":7}");
        assert_event(text, "{\"a\":null}", nullable ? "{\"a\":null}" : "a: null, but the schema says not null");
        assert_event(text, "{}", nullable ? "{\"a\":null}" : "a: missing, but the schema says not null");
    }
}

/* The schema itself is the first level, the column the second. */
static void test_the_deepest_types(void)
{
    for (int depth = SF_SCHEMA_MAX_DEPTH - 2; depth < SF_SCHEMA_MAX_DEPTH; depth++) {
        g_autoptr(GString) type = g_string_new("provenance: false\nschema:\n  a: "), event = g_string_new("{\"a\":");
        for (int i = 0; i < depth; i++)
            g_string_append(type, "{list: ");
        g_string_append(type, "int");
        for (int i = 0; i < depth; i++)
            g_string_append(type, "}");
        for (int i = 0; i < depth; i++)
            g_string_append(event, "[");
        for (int i = 0; i < depth; i++)
            g_string_append(event, "]");
        g_string_append(event, "}");
        if (depth < SF_SCHEMA_MAX_DEPTH - 1) {
            assert_event(type->str, event->str, event->str);
        } else {
            g_autofree char *message = g_strdup_printf(
                "options.yaml:3:%d: column 'element': types nested deeper than %d", 6 + depth * 7, SF_SCHEMA_MAX_DEPTH);
            assert_config(type->str, message);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode-schema/all wrong columns are named at once",
                    test_all_wrong_columns_are_named_at_once);
    g_test_add_func("/json-decode-schema/wrong schemas are named by place", test_wrong_schemas_are_named_by_place);
    g_test_add_func("/json-decode-schema/nesting has a limit", test_nesting_has_a_limit);
    g_test_add_func("/json-decode-schema/rules in the wrong place are refused",
                    test_rules_in_the_wrong_place_are_refused);
    g_test_add_func("/json-decode-schema/types show what stands there", test_types_show_what_stands_there);
    g_test_add_func("/json-decode-schema/kinds of values are checked", test_kinds_of_values_are_checked);
    g_test_add_func("/json-decode-schema/nullable is not null", test_nullable_is_not_null);
    g_test_add_func("/json-decode-schema/the deepest types", test_the_deepest_types);
    return g_test_run();
}
