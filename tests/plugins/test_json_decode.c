/* json-decode: which values become what, and which ones are rejected with which words. */
#include <locale.h>
#include "decode_one.h"

static void test_numbers_keep_their_digits(void)
{
    assert_decode("bigint", "9007199254740993", "9007199254740993");
    assert_decode("decimal(17,8)", "169299987.35345112", "169299987.35345112");
    assert_decode("decimal(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999");
    assert_decode("decimal(38,38)", "-0.12345678901234567890123456789012345678",
                  "-0.12345678901234567890123456789012345678");
    assert_decode("bigint", "9223372036854775807", "9223372036854775807");
    assert_decode("bigint", "-9223372036854775808", "-9223372036854775808");
    assert_decode("string", "9007199254740993.10", "\"9007199254740993.10\"");
    assert_decode("double", "0.1", "0.1");
    assert_decode("double", "123456789012345678901234567890", "1.2345678901234568e+29");
}

static void test_forms_of_one_number(void)
{
    assert_decode("int", "1e3", "1000");
    assert_decode("int", "1.50E+1", "15");
    assert_decode("int", "12000e-3", "12");
    assert_decode("int", "2.0", "2");
    assert_decode("int", "-0", "0");
    assert_decode("int", "-0.0e5", "0");
    assert_decode("int", "0e999999999999999999999", "0");
    assert_decode("decimal(12,1)", "12.50", "12.5");
    assert_decode("decimal(12,2)", "-0", "0.00");
    assert_decode("decimal(12,2)", "1e3", "1000.00");
    assert_decode("decimal(12,2)", "\"12.5\"", "12.50");
    assert_decode("decimal", "7", "7");
    assert_decode("double", "-0", "-0");
    assert_decode("double", "1e-400", "0");
    assert_decode("double", "5e-324", "4.94065645841247e-324");
    assert_decode("double", "\"-Infinity\"", "-inf");
}

static void test_numbers_that_do_not_fit_are_rejected(void)
{
    assert_decode("decimal(12,2)", "1e400", "x: '1e400' does not fit decimal(12,2)");
    assert_decode("double", "1e400", "x: '1e400' does not fit double");
    assert_decode("decimal(12,2)", "10000000000", "x: '10000000000' does not fit decimal(12,2)");
    assert_decode("decimal(12,2)", "1.234", "x: '1.234' has more digits behind the point than decimal(12,2)");
    assert_decode("decimal(12,1)", "1e-2", "x: '1e-2' has more digits behind the point than decimal(12,1)");
    assert_decode("decimal(38,0)", "100000000000000000000000000000000000000",
                  "x: '100000000000000000000000000000000000000' does not fit decimal(38,0)");
    assert_decode("int", "2147483648", "x: '2147483648' does not fit int");
    assert_decode("int", "1.5", "x: '1.5' is not a valid int");
    assert_decode("bigint", "9223372036854775808", "x: '9223372036854775808' does not fit bigint");
    assert_decode("bigint", "1e99999999999999999999", "x: '1e99999999999999999999' does not fit bigint");
    assert_decode("int", "1e-99999999999999999999", "x: '1e-99999999999999999999' is not a valid int");
}

static void test_values_of_another_type_are_rejected(void)
{
    assert_decode("int", "\"5\"",
                  "x: text '5' is not a valid int; 'from_text: true' in the schema takes numbers in texts");
    assert_decode("decimal(12,2)", "\"abc\"", "x: text 'abc' is not a valid decimal(12,2)");
    assert_decode("decimal(12,2)", "\"\"", "x: text '' is not a valid decimal(12,2)");
    assert_decode("decimal(12,2)", "\"1.5 \"", "x: text '1.5 ' is not a valid decimal(12,2)");
    assert_decode("double", "\"NaN!\"", "x: text 'NaN!' is not a valid double");
    assert_decode("int", "true", "x: 'true' is not a valid int");
    assert_decode("int", "{\"a\":1}", "x: an object is not a valid int");
    assert_decode("string", "[1]", "x: a list is not a valid string");
    assert_decode("boolean", "1", "x: '1' is not a valid boolean; 'from_number: true' in the schema takes 0 and 1");
    assert_decode("date", "19737",
                  "x: '19737' is not a valid date; a number needs its unit in the schema, as in date(days)");
    assert_decode("list<int>", "5", "x: '5' is not a valid list<int>");
    assert_decode("struct<a int>", "\"a\"", "x: text 'a' is not a valid struct<a int>");
    assert_decode(
        "timestamp", "1705314601",
        "x: '1705314601' is not a valid timestamp; a number needs its unit in the schema, as in timestamp(ms)");
    assert_decode("timestamp(ms)", "\"2024-01-15T10:30:01Z\"",
                  "x: text '2024-01-15T10:30:01Z' is not a valid timestamp(ms)");
}

static void test_texts(void)
{
    assert_decode("string", "\"plain\"", "\"plain\"");
    assert_decode("string", "\"\"", "\"\"");
    assert_decode("string", "\"Zo\\u00eb \\ud83d\\ude00 東京\"", "\"Zoë 😀 東京\"");
    assert_decode("string", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\x08\\x0c\\x0a\\x0d\\x09\"");
    assert_decode("string", "true", "\"true\"");
    assert_decode("json", "{\"a\": [1, \"b\"]}", "\"{\\\"a\\\": [1, \\\"b\\\"]}\"");
    assert_decode("string", "\"\\ud83d\"", "x: text '\\ud83d' has an unpaired surrogate");
    assert_decode("string", "\"\\ud83d\\ude00\"", "\"😀\"");
    assert_decode("string", "\"\\ud83d\\udc00\"", "\"🐀\"");
    assert_decode("string", "\"\\udbff\\udfff\"", "\"\xF4\x8F\xBF\xBF\"");
    assert_decode("string", "\"\\ud800\\udbff\"", "x: text '\\ud800\\udbff' has an unpaired surrogate");
    assert_decode("string", "\"\\ude00\\ud83d\"", "x: text '\\ude00\\ud83d' has an unpaired surrogate");
    assert_decode("string", "\"\xff\"", "not valid JSON: invalid UTF-8 in a string at byte 6, not '\\xFF\"}'");
    assert_decode("string", "\"\xed\xa0\x80\"",
                  "not valid JSON: invalid UTF-8 in a string at byte 6, not '\\xED\\xA0\\x80\"}'");
    assert_decode("binary", "\"/w==\"", "\"\\xff\"");
    assert_decode("binary", "\"\\/w==\"", "\"\\xff\"");
    assert_decode("binary", "\"/w=\"", "x: text '/w=' is not a valid binary");
    assert_decode("binary", "\"/x==\"", "x: text '/x==' is not a valid binary");
}

static void test_dates(void)
{
    assert_decode("date", "\"2024-02-29\"", "\"2024-02-29\"");
    assert_decode("date", "\"0001-01-01\"", "\"0001-01-01\"");
    assert_decode("date", "\"9999-12-31\"", "\"9999-12-31\"");
    assert_decode("date", "\"1900-02-29\"", "x: text '1900-02-29' is not a valid date");
    assert_decode("date", "\"2024-13-01\"", "x: text '2024-13-01' is not a valid date");
    assert_decode("date", "\"2024-1-1\"", "x: text '2024-1-1' is not a valid date");
    assert_decode("date", "\"2024-01-1:\"", "x: text '2024-01-1:' is not a valid date");
    assert_decode("date", "\"2024/01-15\"", "x: text '2024/01-15' is not a valid date");
    assert_decode("date", "\"2024-01/15\"", "x: text '2024-01/15' is not a valid date");
    assert_decode("date", "\"2024-01\"", "x: text '2024-01' is not a valid date");
    assert_decode("date", "\"2024-0/-11\"", "x: text '2024-0/-11' is not a valid date");
    assert_decode("date", "\"10000-01-01\"", "x: text '10000-01-01' is not a valid date");
    assert_decode("date", "\"0000-01-01\"", "x: text '0000-01-01' is outside of the years 0001 to 9999");
    assert_decode("date", "\"2024-01-15T00:00:00Z\"", "x: text '2024-01-15T00:00:00Z' is not a valid date");
    assert_decode("date(format 'dd.MM.yyyy')", "\"15.01.2024\"", "\"2024-01-15\"");
    assert_decode("date(format 'd MMM yy')", "\"5 Jan 24\"", "\"2024-01-05\"");
    assert_decode("date(format 'dd.MM.yyyy')", "\"31.02.2024\"",
                  "x: text '31.02.2024' is not a valid date(format 'dd.MM.yyyy')");
}

static void test_timestamps(void)
{
    static const char *const same[] = {
        "2024-01-15T10:30:01Z",     "2024-01-15t10:30:01z",           "2024-01-15 10:30:01",
        "2024-01-15T10:30:01.000Z", "2024-01-15T12:30:01+02:00",      "2024-01-15T05:00:01-0530",
        "2024-01-15T13:30:01+03",   "2024-01-15T10:30:01.000000000Z", "2024-01-16T10:29:01.0+23:59"};
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *value = g_strdup_printf("\"%s\"", same[i]);
        assert_decode("timestamp", value, "\"2024-01-15T10:30:01Z\"");
    }
    assert_decode("timestamp", "\"2024-01-15T10:30\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode("timestamp", "\"2024-01-15\"", "\"2024-01-15T00:00:00Z\"");
    assert_decode("timestamp", "\"1969-12-31T23:59:59.999999Z\"", "\"1969-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp", "\"2024-02-29T23:59:59.5Z\"", "\"2024-02-29T23:59:59.500000Z\"");
    assert_decode("timestamp", "\"0001-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"");
    assert_decode("timestamp", "\"9999-12-31T23:59:59.999999Z\"", "\"9999-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp(ns)", "\"2024-01-15T10:30:01.123456789Z\"", "\"2024-01-15T10:30:01.123456Z\"");
}

static void test_numbers_as_timestamps(void)
{
    assert_decode("timestamp(s)", "1705314601", "\"2024-01-15T10:30:01Z\"");
    assert_decode("timestamp(s)", "1705314601.25", "\"2024-01-15T10:30:01.250000Z\"");
    assert_decode("timestamp(ms)", "1705314601000", "\"2024-01-15T10:30:01Z\"");
    assert_decode("timestamp(ms)", "-1", "\"1969-12-31T23:59:59.999000Z\"");
    assert_decode("timestamp(us)", "1705314601000001", "\"2024-01-15T10:30:01.000001Z\"");
    assert_decode("timestamp(ns)", "1705314601000001999", "\"2024-01-15T10:30:01.000001Z\"");
    assert_decode("timestamp(ns)", "-1", "\"1969-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp(s)", "1705314601.1234567",
                  "x: '1705314601.1234567' is finer than a microsecond; 'round: down' in the schema cuts it off");
    assert_decode("timestamp(s)", "1705314601000", "x: '1705314601000' is outside of the years 0001 to 9999");
    assert_decode("timestamp(ms)", "1e30", "x: '1e30' does not fit timestamp(ms)");
}

static void test_wrong_timestamps_are_rejected(void)
{
    static const char *const wrong[] = {"",
                                        "2024-01-15T",
                                        "2024-01-15T10",
                                        "2024-01-15T10:3",
                                        "2024-01-15T24:00:00Z",
                                        "2024-01-15T10:60:00Z",
                                        "2024-01-15T10:30:60Z",
                                        "2023-02-29T10:30:00Z",
                                        "2024-01-15T10:30:00.Z",
                                        "2024-01-15T10:30:00+24:00",
                                        "2024-01-15T10:30:00+1",
                                        "2024-01-15T10:30:00Zz",
                                        "2024-01-15Z",
                                        "2024-01-15T10:30:00 UTC",
                                        "2024/01-15T10:30:00Z",
                                        "2024-01/15T10:30:00Z",
                                        "2024-01-15T10-30:00Z",
                                        "2024-01-15T10:30-00Z",
                                        "2024-01-15x10:30:00Z",
                                        "2024-01-15T10:30:00+01:60",
                                        "15/01/2024"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *value = g_strdup_printf("\"%s\"", wrong[i]);
        g_autofree char *cause = g_strdup_printf("x: text '%s' is not a valid timestamp", wrong[i]);
        assert_decode("timestamp", value, cause);
    }
    assert_decode("timestamp", "\"0001-01-01T00:00:00+00:01\"",
                  "x: text '0001-01-01T00:00:00+00:01' is outside of the years 0001 to 9999");
    assert_decode(
        "timestamp", "\"2024-01-15T10:30:01.1234567Z\"",
        "x: text '2024-01-15T10:30:01.1234567Z' is finer than a microsecond; timestamp(ns) in the schema cuts "
        "it off");
}

static void test_timestamp_formats(void)
{
    assert_decode("timestamp(format 'yyyy-MM-dd HH:mm:ss')", "\"2024-01-15 10:30:01\"", "\"2024-01-15T10:30:01Z\"");
    assert_decode("timestamp(format 'yyyyMMddHHmmssSSS')", "\"20240115103001250\"", "\"2024-01-15T10:30:01.250000Z\"");
    assert_decode("timestamp(format 'd/M/yyyy h:mm a')", "\"5/1/2024 12:05 am\"", "\"2024-01-05T00:05:00Z\"");
    assert_decode("timestamp(format 'd/M/yyyy h:mm a')", "\"15/12/2024 1:05 PM\"", "\"2024-12-15T13:05:00Z\"");
    assert_decode("timestamp(format 'yyyy-MM-dd''T''HH:mm:ssXXX')", "\"2024-01-15T11:30:01+01:00\"",
                  "\"2024-01-15T10:30:01Z\"");
    assert_decode("timestamp(format 'yyyy-MM-dd HH:mm:ss')", "\"2024-01-15 25:30:01\"",
                  "x: text '2024-01-15 25:30:01' is not a valid timestamp(format 'yyyy-MM-dd HH:mm:ss')");
}

static void test_nulls_and_missing_fields(void)
{
    assert_decode("int", "null", "null");
    assert_decode("int not null", "null", "x: null, but the schema says not null");
    assert_decode("int not null from y", "1", "x (y): missing, but the schema says not null");
    assert_decode("int from y", "1", "null");
    assert_decode("{type: int not null, from: y, default: 7}", "1", "7");
    assert_decode("{type: int, default: 7}", "null", "null");
    assert_decode("{type: string, from: y, default: n/a}", "1", "\"n/a\"");
    assert_decode("{type: date, from: y, default: 1970-01-01}", "1", "\"1970-01-01\"");
}

static void test_lists_and_structs(void)
{
    assert_decode("list<int>", "[1, null, 3]", "[1,null,3]");
    assert_decode("list of string", "[ ]", "[]");
    assert_decode("array<array<int>>", "[[1],[],null]", "[[1],[],null]");
    assert_decode("struct<a int, b string not null>", "{\"b\":\"z\",\"a\":1,\"c\":[{}]}", "{\"a\":1,\"b\":\"z\"}");
    assert_decode("struct<a struct<b int>>", "{\"a\":null}", "{\"a\":null}");
    assert_decode("{list: {struct: {sku: string not null, price: 'decimal(10,2)'}}}",
                  "[{\"sku\":\"A\",\"price\":1.5},{\"sku\":\"B\"}]",
                  "[{\"sku\":\"A\",\"price\":1.50},{\"sku\":\"B\",\"price\":null}]");
    assert_decode("{list: {struct: {sku: string not null, price: 'decimal(10,2)'}}}",
                  "[{\"sku\":\"A\"},{\"sku\":\"B\",\"price\":1.005}]",
                  "x[1].price: '1.005' has more digits behind the point than decimal(10,2)");
    assert_decode("list<int not null>", "[1,null]", "x[1]: null, but the schema says not null");
    assert_decode("list<list<int>>", "[[1],[2,\"a\"]]", "x[1][1]: text 'a' is not a valid int");
    assert_decode("struct<a int not null>", "{}", "x.a: missing, but the schema says not null");
    assert_decode("list<int>", "[1,]", "not valid JSON: value expected at byte 8, not ']}'");
}

static void test_paths(void)
{
    assert_decode("string from x.city.name", "{\"city\":{\"name\":\"Rome\"}}", "\"Rome\"");
    assert_decode("string from x.`a.b c`", "{\"a.b c\":\"Rome\"}", "\"Rome\"");
    assert_decode("{type: string, from: x.city}", "{\"city\":\"Rome\"}", "\"Rome\"");
    assert_decode("string from x.city", "null", "null");
    assert_decode("string not null from x.city", "null", "x (x.city): missing, but the schema says not null");
    assert_decode("string from x.city", "\"Rome\"", "x: text 'Rome' is not an object");
    assert_decode("string from x.city.name", "{\"city\":[]}",
                  "city: a list is not an object; an element of it is read from city[0]");
}

static void test_two_columns_of_one_field(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "provenance: false\nschema:\n"
                                                      "  raw: json from a\n"
                                                      "  city: string from a.city\n"
                                                      "  zip: int from a.zip\n"
                                                      "  again: string from a.city\n");
    const char *event = "{\"a\":{\"zip\":9,\"city\":\"Rome\"}}";
    const SfBatch *out = harness_apply(h, harness_raw(h, "events/0", 0, &event, 1));
    g_assert_cmpstr(
        harness_text(h, out), ==,
        "{\"raw\":\"{\\\"zip\\\":9,\\\"city\\\":\\\"Rome\\\"}\",\"city\":\"Rome\",\"zip\":9,\"again\":\"Rome\"}");
}

static void test_fields_in_any_order(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "provenance: false\nschema: {a: int, b: int, c: int}\n");
    static const char *const events[] = {"{\"a\":1,\"b\":2,\"c\":3}",      "{\"c\":3,\"b\":2,\"a\":1}",
                                         "{\"c\":3,\"b\":2,\"a\":1}",      "{\"b\":2,\"z\":0,\"a\":1}",
                                         "{\"\\u0061\":1,\"c\":3}",        " {\n\"a\" : 1 ,\t\"b\":2 }\r\n",
                                         "{\"a\":1,\"a\":\"first wins\"}", "{}"};
    const SfBatch *out = harness_apply(h, harness_raw(h, "events/0", 0, events, G_N_ELEMENTS(events)));
    g_assert_cmpstr(harness_text(h, out), ==,
                    "{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":1,\"b\":2,\"c\":3}\n"
                    "{\"a\":1,\"b\":2,\"c\":null}\n{\"a\":1,\"b\":null,\"c\":3}\n{\"a\":1,\"b\":2,\"c\":null}\n"
                    "{\"a\":1,\"b\":null,\"c\":null}\n{\"a\":null,\"b\":null,\"c\":null}");
}

static void test_broken_rows_leave_no_trace(void)
{
    g_autoptr(Harness) h =
        harness_new("json-decode", "schema:\n  id: string not null\n  tags: list<string>\n  n: int\n");
    static const char *const events[] = {"{\"id\":\"a\",\"tags\":[\"x\"],\"n\":1}",
                                         "{\"id\":\"b\",\"tags\":[\"y\",\"z\"],\"n\":\"no\"}",
                                         "{\"id\":\"c\",\"tags\":[\"y\",",
                                         NULL,
                                         "",
                                         "[1]",
                                         "{\"id\":\"d\"} x",
                                         "{\"id\":\"e\",\"n\":2}"};
    const SfBatch *out = harness_apply(h, harness_raw(h, "sales/3", 100, events, G_N_ELEMENTS(events)));
    g_assert_cmpstr(harness_text(h, out), ==,
                    "{\"id\":\"a\",\"tags\":[\"x\"],\"n\":1,\"_topic\":\"sales\",\"_partition\":3,\"_offset\":100,"
                    "\"_timestamp\":\"2024-01-15T10:30:00Z\"}\n"
                    "{\"id\":\"e\",\"tags\":null,\"n\":2,\"_topic\":\"sales\",\"_partition\":3,\"_offset\":107,"
                    "\"_timestamp\":\"2024-01-15T10:30:00Z\"}");
    g_assert_cmpstr(harness_rejects(h), ==,
                    "sales/3@101: n: text 'no' is not a valid int\n"
                    "sales/3@102: not valid JSON: value expected at byte 22, where the value ends\n"
                    "sales/3@103: no value (a tombstone); 'tombstones: drop' leaves such rows out\n"
                    "sales/3@104: not valid JSON: value expected at byte 0: the value is empty\n"
                    "sales/3@105: a list is not an object\n"
                    "sales/3@106: not valid JSON: text after the object at byte 11, not 'x'");
    g_assert_cmpint(out->start, ==, 100);
    g_assert_cmpint(out->end, ==, 108);
}

/* Keys in their usual order and with room behind them are not read byte by byte. */
static void test_expected_keys_need_their_quotes_too(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "provenance: false\nschema:\n  a: int\n  b: int\n"
                                                      "  s: struct<a int, b int>\n  l: list<struct<a int, b int>>\n");
    static const char *const forms[] = {"{\"a\":1,%cb\":2,\"pad\":\"%s\"}", "{%ca\":1,\"b\":2,\"pad\":\"%s\"}",
                                        "{\"s\":{\"a\":1,%cb\":2},\"pad\":\"%s\"}",
                                        "{\"l\":[{\"a\":1,%cb\":2}],\"pad\":\"%s\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        for (int c = 1; c < 256; c++) {
            g_autofree char *template = g_strdup_printf(forms[i], '"', "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
            g_autofree char *changed = g_strdup_printf(forms[i], c, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
            const char *events[] = {template, changed};
            gint64 rows = sf_rows(harness_apply(h, harness_raw(h, "e/0", 0, events, 2)));
            g_assert_cmpint(rows, ==, c == '"' ? 2 : 1);
            harness_forget(h);
        }
    }
}

static void test_causes_are_short_and_printable(void)
{
    g_autofree char *digits = g_strnfill(5000, '7');
    g_autofree char *cause = decode_one("int", digits);
    g_assert_cmpuint(strlen(cause), <, 150);
    assert_decode("int", "\"tab\\tand \x7f\"", "x: text 'tab\\tand \\x7F' is not a valid int");
    g_autofree char *wide = g_strdup_printf("\"%s\"", "ééééééééééééééééééééééééééééééééééééééééééééééééééééé");
    g_autofree char *cut = decode_one("int", wide);
    g_assert_true(g_utf8_validate(cut, -1, NULL));
    g_assert_nonnull(strstr(cut, "…"));
}

static void test_unknown_fields_may_be_rejected(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{unknown: reject, schema: {a: int, s: struct<b int>}}");
    const char *events[] = {"{\"a\":1,\"sales\":2}", "{\"s\":{\"b\":1,\"c\":2}}"};
    g_assert_cmpint(sf_rows(harness_apply(h, harness_raw(h, "e/0", 0, events, 2))), ==, 0);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "e/0@0: field 'sales' is not in the schema\ne/0@1: s: field 'c' is not in the schema");
}

static void test_input_columns_may_be_kept(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{keep: [key], provenance: false, schema: {a: int}}");
    RawRow rows[] = {{.key = "k", .value = "{\"a\":1}"}, {.key = "l", .value = "{", .offset = 1}};
    g_assert_cmpstr(harness_text(h, harness_apply(h, harness_raw_rows(h, "e/0", rows, 2))), ==,
                    "{\"a\":1,\"key\":\"k\"}");
}

static void test_nested_columns_may_be_kept(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{keep: [headers], provenance: false, schema: {a: int}}");
    RawRow rows[] = {{.value = "{\"a\":1}"}};
    const SfBatch *out = harness_apply(h, harness_raw_rows(h, "e/0", rows, 1));
    const struct ArrowSchema *headers = out->schema->children[1];
    g_assert_cmpstr(headers->name, ==, "headers");
    g_assert_cmpint(headers->n_children, ==, 1);
    g_assert_cmpint(headers->children[0]->n_children, ==, 2);
    g_assert_cmpstr(headers->children[0]->children[1]->name, ==, "value");
}

static void test_other_columns_hold_texts_too(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{column: payload, schema: {a: int}}");
    harness_input_text(h, "events", "id int, payload string");
    const char *rows[] = {"[1, \"{\\\"a\\\":5}\"]"};
    g_assert_cmpstr(harness_text(h, harness_apply(h, harness_rows(h, 0, "e/0", 0, rows, 1))), ==, "{\"a\":5}");
}

/* A long value is shown up to its last whole character within 100 bytes. */
static void test_long_values_are_cut_at_a_character(void)
{
    for (int ascii = 95; ascii <= 100; ascii++) {
        g_autofree char *fill = g_strnfill((gsize) ascii, 'x');
        g_autofree char *value = g_strdup_printf("\"%s\u20ac\"", fill);
        g_autofree char *expected =
            g_strdup_printf("x: text '%s%s' is not a valid int", fill, ascii <= 97 ? "\u20ac" : "…");
        assert_decode("int", value, expected);
    }
}

/* JSONTestSuite: whatever the text, a value of a column and a field that is skipped, never a crash. */
static void test_suite(void)
{
    const char *folder = SF_SOURCE_DIR "/tests/data/JSONTestSuite/test_parsing";
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    g_autoptr(Harness) h = harness_new("json-decode", "{schema: {x: json, y: 'list<int>'}}");
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = NULL;
        gsize size = 0;
        g_assert_true(g_file_get_contents(path, &text, &size, NULL));
        static const char *const forms[] = {"{\"x\":", "{\"skipped\":", "{\"y\":", ""};
        for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
            g_autoptr(GString) event = g_string_new(forms[i]);
            g_string_append_len(event, text, (gssize) size);
            g_string_append(event, *forms[i] ? "}" : "");
            RawRow row = {.value = event->str, .value_size = (gssize) event->len};
            gint64 rows = sf_rows(harness_apply(h, harness_raw_rows(h, "e/0", &row, 1)));
            if (i < 2 && (name[0] == 'y' || name[0] == 'n') && (rows == 1) != (name[0] == 'y')) {
                g_test_message("%s%s: %s", forms[i], name, rows ? "accepted" : "rejected");
                g_test_fail();
            }
        }
        harness_forget(h);
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode/numbers keep their digits", test_numbers_keep_their_digits);
    g_test_add_func("/json-decode/forms of one number", test_forms_of_one_number);
    g_test_add_func("/json-decode/numbers that do not fit are rejected", test_numbers_that_do_not_fit_are_rejected);
    g_test_add_func("/json-decode/values of another type are rejected", test_values_of_another_type_are_rejected);
    g_test_add_func("/json-decode/texts", test_texts);
    g_test_add_func("/json-decode/dates", test_dates);
    g_test_add_func("/json-decode/timestamps", test_timestamps);
    g_test_add_func("/json-decode/numbers as timestamps", test_numbers_as_timestamps);
    g_test_add_func("/json-decode/wrong timestamps are rejected", test_wrong_timestamps_are_rejected);
    g_test_add_func("/json-decode/timestamp formats", test_timestamp_formats);
    g_test_add_func("/json-decode/nulls and missing fields", test_nulls_and_missing_fields);
    g_test_add_func("/json-decode/lists and structs", test_lists_and_structs);
    g_test_add_func("/json-decode/paths", test_paths);
    g_test_add_func("/json-decode/two columns of one field", test_two_columns_of_one_field);
    g_test_add_func("/json-decode/fields in any order", test_fields_in_any_order);
    g_test_add_func("/json-decode/broken rows leave no trace", test_broken_rows_leave_no_trace);
    g_test_add_func("/json-decode/expected keys need their quotes too", test_expected_keys_need_their_quotes_too);
    g_test_add_func("/json-decode/causes are short and printable", test_causes_are_short_and_printable);
    g_test_add_func("/json-decode/unknown fields may be rejected", test_unknown_fields_may_be_rejected);
    g_test_add_func("/json-decode/input columns may be kept", test_input_columns_may_be_kept);
    g_test_add_func("/json-decode/nested columns may be kept", test_nested_columns_may_be_kept);
    g_test_add_func("/json-decode/other columns hold texts too", test_other_columns_hold_texts_too);
    g_test_add_func("/json-decode/suite", test_suite);
    g_test_add_func("/json-decode/long values are cut at a character", test_long_values_are_cut_at_a_character);
    return g_test_run();
}
