/* json-decode: values in other clothes, where the schema asks for them: numbers in texts, rounding, several formats,
 * dates of timestamps and epochs, the encodings of Debezium and Kafka Connect. */
#include "decode_one.h"

/* Around the sizes that short cuts and buffers have. */
static void test_numbers_of_every_length(void)
{
    for (gsize size = 1; size <= 130; size++) {
        g_autofree char *digits = g_strnfill(size, '7');
        g_autofree char *fraction = g_strdup_printf("0.%s", digits);
        g_autofree char *cause = g_strdup_printf("x: '%.100s%s' does not fit bigint", digits, size > 100 ? "…" : "");
        double value = g_ascii_strtod(fraction, NULL);
        g_autofree char *text = decode_one("double", fraction);
        g_assert_cmpfloat(g_ascii_strtod(text, NULL), ==, value);
        assert_decode("bigint", digits, size <= 18 ? digits : size == 19 ? "7777777777777777777" : cause);
        g_autofree char *number = decode_one("double", digits);
        g_assert_cmpfloat(g_ascii_strtod(number, NULL), ==, g_ascii_strtod(digits, NULL));
    }
}

/* The largest of each precision, and the one above it, with and without digits behind the point. */
static void test_every_precision_ends_where_it_says(void)
{
    for (int precision = 1; precision <= 38; precision++) {
        g_autofree char *nines = g_strnfill((gsize) precision, '9');
        g_autofree char *zeros = g_strnfill((gsize) precision, '0');
        g_autofree char *ten = g_strdup_printf("1%s", zeros);
        g_autofree char *type = g_strdup_printf("decimal(%d)", precision);
        g_autofree char *cause = g_strdup_printf("x: '%s' does not fit %s", ten, type);
        assert_decode(type, nines, nines);
        assert_decode(type, ten, cause);
        for (int scale = 1; scale <= precision; scale++) {
            g_autofree char *fine = g_strdup_printf("decimal(%d,%d)", precision, scale);
            g_autofree char *whole = g_strdup_printf("1%.*s", precision - scale, zeros);
            g_autofree char *too_big = g_strdup_printf("x: '%s' does not fit %s", whole, fine);
            g_autofree char *one = g_strdup_printf("1.%.*s", scale, zeros);
            assert_decode(fine, whole, too_big);
            if (precision > scale)
                assert_decode(fine, "1", one);
        }
    }
}

static void test_nanoseconds_are_cut(void)
{
    assert_decode("timestamp(ns)", "1705314600123456789", "\"2024-01-15T10:30:00.123456Z\"");
    assert_decode("timestamp(ns)", "1705314600123456789.5", "\"2024-01-15T10:30:00.123456Z\"");
    assert_decode("timestamp(ns)", "1705314600123456789.0", "\"2024-01-15T10:30:00.123456Z\"");
    assert_decode("timestamp(ns)", "1.7053146001234567895e18", "\"2024-01-15T10:30:00.123456Z\"");
    assert_decode("timestamp(ns)", "0.5", "\"1970-01-01T00:00:00Z\"");
    assert_decode("timestamp(ns)", "-0.5", "\"1969-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp(ns)", "-1000", "\"1969-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp(ns)", "-1001", "\"1969-12-31T23:59:59.999998Z\"");
    assert_decode("timestamp(ns)", "999", "\"1970-01-01T00:00:00Z\"");
    assert_decode("timestamp(ns)", "\"2024-01-15T10:30:00.1234567891Z\"", "\"2024-01-15T10:30:00.123456Z\"");
    assert_decode("timestamp(ns)", "\"1969-12-31T23:59:59.9999999Z\"", "\"1969-12-31T23:59:59.999999Z\"");
}

/* 2^63 ns end in the year 2262. */
static void test_nanoseconds_of_all_years(void)
{
    assert_decode("timestamp(ns)", "9223372036854775807", "\"2262-04-11T23:47:16.854775Z\"");
    assert_decode("timestamp(ns)", "9223372036854775808", "\"2262-04-11T23:47:16.854775Z\"");
    assert_decode("timestamp(ns)", "253402300799999999999", "\"9999-12-31T23:59:59.999999Z\"");
    assert_decode("timestamp(ns)", "253402300800000000000",
                  "x: '253402300800000000000' is outside of the years 0001 to 9999");
    assert_decode("timestamp(ns)", "-62135596800000000000", "\"0001-01-01T00:00:00Z\"");
    assert_decode("timestamp(ns)", "-62135596800000000001",
                  "x: '-62135596800000000001' is outside of the years 0001 to 9999");
    assert_decode("timestamp(ns)", "1e40", "x: '1e40' does not fit timestamp(ns)");
}

static void test_fractions_of_formats(void)
{
    const char *nine = "timestamp(format 'yyyy-MM-dd HH:mm:ss.SSSSSSSSS')";
    assert_decode(nine, "\"2024-01-15 10:30:01.123456000\"", "\"2024-01-15T10:30:01.123456Z\"");
    assert_decode(
        nine, "\"2024-01-15 10:30:01.123456789\"",
        "x: text '2024-01-15 10:30:01.123456789' is finer than a microsecond; 'round: down' in the schema cuts "
        "it off");
    assert_decode(
        "timestamp(format 'yyyy-MM-dd HH:mm:ss.SSSSSSS')", "\"2024-01-15 10:30:01.1234567\"",
        "x: text '2024-01-15 10:30:01.1234567' is finer than a microsecond; 'round: down' in the schema cuts it "
        "off");
    assert_decode("timestamp(ns, format 'dd.MM.yyyy HH:mm:ss.SSSSSSSS')", "\"15.01.2024 10:30:01.12345678\"",
                  "\"2024-01-15T10:30:01.123456Z\"");
    assert_decode("{type: timestamp, format: 'yyyy-MM-dd HH:mm:ss.SSSSSSSSS', round: down}",
                  "\"2024-01-15 10:30:01.123456789\"", "\"2024-01-15T10:30:01.123456Z\"");
    assert_decode(
        nine, "\"2024-01-15 10:30:01.12345600\"",
        "x: text '2024-01-15 10:30:01.12345600' is not a valid timestamp(format 'yyyy-MM-dd HH:mm:ss.SSSSSSSSS')");
}

static void test_numbers_in_texts(void)
{
    assert_decode("{type: bigint, from_text: true}", "\"9007199254740993\"", "9007199254740993");
    assert_decode("{type: bigint, from_text: true}", "9007199254740993", "9007199254740993");
    assert_decode("{type: bigint not null, from_text: true}", "\"-9223372036854775808\"", "-9223372036854775808");
    assert_decode("{type: int, from_text: true}", "\"5\"", "5");
    assert_decode("{type: int, from_text: true}", "\"1\\u0030e1\"", "100");
    assert_decode("{type: double, from_text: true}", "\"1.5\"", "1.5");
    assert_decode("{type: double, from_text: true}", "\"-0.1e-3\"", "-0.0001");
    assert_decode("{type: double, from_text: true}", "\"NaN\"", "nan");
    assert_decode("{type: timestamp(ms), from_text: true}", "\"1705314600000\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode("{type: date(days), from_text: true}", "\"19737\"", "\"2024-01-15\"");
    assert_decode("{type: list<bigint>, from_text: true}", "[\"1\",2,null,\"9007199254740993\"]",
                  "[1,2,null,9007199254740993]");
    assert_decode("{struct: {a: int, b: {type: bigint, from_text: false}, c: string}, from_text: true}",
                  "{\"a\":\"1\",\"b\":2,\"c\":\"3\"}", "{\"a\":1,\"b\":2,\"c\":\"3\"}");
    assert_event("{provenance: false, from_text: true, schema: {a: int, b: 'list<double>', c: string, d: boolean}}",
                 "{\"a\":\"1\",\"b\":[\"2.5\"],\"c\":\"3\",\"d\":\"true\"}",
                 "{\"a\":1,\"b\":[2.5],\"c\":\"3\",\"d\":true}");
    assert_decode("{type: boolean, from_text: true}", "\"TRUE\"", "true");
    assert_decode("{type: boolean, from_text: true}", "\"no\"", "false");
    assert_decode("{type: boolean, from_text: true}", "true", "true");
    assert_decode("{type: boolean, from_number: true}", "1", "true");
    assert_decode("{type: boolean, from_number: true}", "0", "false");
    assert_decode("{type: boolean, from_number: true}", "false", "false");
}

static void test_texts_that_hold_no_number_are_rejected(void)
{
    static const char *const wrong[] = {"",   " 1",  "1 ",    "+1",  "01", "0x10", "1.",
                                        ".5", "one", "1,000", "NaN", "-",  "1e"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *value = g_strdup_printf("\"%s\"", wrong[i]);
        g_autofree char *cause = g_strdup_printf("x: text '%s' is not a valid bigint", wrong[i]);
        assert_decode("{type: bigint, from_text: true}", value, cause);
    }
    assert_decode("{type: int, from_text: true}", "\"2147483648\"", "x: text '2147483648' does not fit int");
    assert_decode("{type: int, from_text: true}", "\"1.5\"", "x: text '1.5' is not a valid int");
    assert_decode("{type: double, from_text: true}", "\"1e999\"", "x: text '1e999' does not fit double");
    assert_decode("{type: list<int>, from_text: true}", "[1,\"x\"]", "x[1]: text 'x' is not a valid int");
    assert_decode("{type: boolean, from_text: true}", "\"maybe\"", "x: text 'maybe' is not a valid boolean");
    assert_decode("{type: boolean, from_text: true}", "1",
                  "x: '1' is not a valid boolean; 'from_number: true' in the schema takes 0 and 1");
    assert_decode("boolean", "\"true\"",
                  "x: text 'true' is not a valid boolean; 'from_text: true' in the schema takes it");
    assert_decode("boolean", "0", "x: '0' is not a valid boolean; 'from_number: true' in the schema takes 0 and 1");
    assert_decode("boolean", "2", "x: '2' is not a valid boolean");
    assert_decode("boolean", "\"maybe\"", "x: text 'maybe' is not a valid boolean");
    assert_decode("{type: boolean, from_number: true}", "2", "x: '2' is not a valid boolean");
    assert_decode("{type: boolean, from_number: true}", "\"1\"", "x: text '1' is not a valid boolean");
    assert_decode(
        "timestamp(ms)", "\"1705314600000\"",
        "x: text '1705314600000' is not a valid timestamp(ms); 'from_text: true' in the schema takes numbers in texts");
}

static void test_rounding(void)
{
    const char *up = "{type: 'decimal(5,2)', round: half_up}";
    assert_decode(up, "1.234", "1.23");
    assert_decode(up, "1.235", "1.24");
    assert_decode(up, "-1.235", "-1.24");
    assert_decode(up, "1.2349999999999999999999999999999999999999999999", "1.23");
    assert_decode(up, "0.005", "0.01");
    assert_decode(up, "0.0049", "0.00");
    assert_decode(up, "5e-400", "0.00");
    assert_decode(up, "\"1.235\"", "1.24");
    assert_decode(up, "9.995", "10.00");
    assert_decode(up, "999.994", "999.99");
    assert_decode(up, "999.995", "x: '999.995' does not fit decimal(5,2)");
    assert_decode("{type: 'decimal(38,1)', round: half_up}", "1234567890123456789012345678901234567.05",
                  "1234567890123456789012345678901234567.1");
    assert_decode("{type: 'decimal(5,2)', round: half_even}", "1.235", "1.24");
    assert_decode("{type: 'decimal(5,2)', round: half_even}", "1.245", "1.24");
    assert_decode("{type: 'decimal(5,2)', round: half_even}", "1.2450001", "1.25");
    assert_decode("{type: 'decimal(5,2)', round: down}", "-1.239", "-1.23");
    assert_decode("{type: 'decimal(5,0)', round: half_up}", "0.5", "1");
    assert_event("{provenance: false, round: half_up, schema: {a: 'decimal(5,2)', b: 'list<decimal(5,1)>', c: {type: "
                 "'decimal(5,2)', round: down}}}",
                 "{\"a\":1.235,\"b\":[0.05],\"c\":1.239}", "{\"a\":1.24,\"b\":[0.1],\"c\":1.23}");
    assert_event("{provenance: false, round: half_up, schema: {a: {type: 'decimal(5,2)', round: reject}}}",
                 "{\"a\":1.235}", "a: '1.235' has more digits behind the point than decimal(5,2)");
}

static void test_rounding_of_timestamps(void)
{
    assert_decode("{type: timestamp(s), round: down}", "1705314601.1234567", "\"2024-01-15T10:30:01.123456Z\"");
    assert_decode("{type: timestamp(s), round: half_up}", "1705314601.1234567", "\"2024-01-15T10:30:01.123457Z\"");
    assert_decode("{type: timestamp(ms), round: down}", "-0.0001", "\"1969-12-31T23:59:59.999999Z\"");
    assert_decode("{type: timestamp, round: half_up}", "\"2024-01-15T23:59:59.9999995Z\"", "\"2024-01-16T00:00:00Z\"");
    assert_decode("{type: timestamp, round: half_even}", "\"2024-01-15T23:59:59.0000005Z\"",
                  "\"2024-01-15T23:59:59Z\"");
    assert_decode("{type: timestamp, round: half_even}", "\"2024-01-15T23:59:59.00000051Z\"",
                  "\"2024-01-15T23:59:59.000001Z\"");
    assert_decode("{type: timestamp, round: half_up}", "\"9999-12-31T23:59:59.9999999Z\"",
                  "x: text '9999-12-31T23:59:59.9999999Z' is outside of the years 0001 to 9999");
}

static void test_several_formats(void)
{
    const char *both = "timestamp(iso, ms)";
    assert_decode(both, "\"2024-01-15T10:30:00Z\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode(both, "1705314600000", "\"2024-01-15T10:30:00Z\"");
    assert_decode(
        both, "\"1705314600000\"",
        "x: text '1705314600000' is not a valid timestamp(iso, ms); 'from_text: true' in the schema takes numbers in "
        "texts");
    assert_decode("{type: timestamp, format: [iso, ms], from_text: true}", "\"1705314600000\"",
                  "\"2024-01-15T10:30:00Z\"");
    const char *many = "{type: timestamp, format: ['yyyy-MM-dd HH:mm:ss', dd.MM.yyyy HH:mm, iso, s]}";
    assert_decode(many, "\"2024-01-15 10:30:00\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode(many, "\"15.01.2024 10:30\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode(many, "\"2024-01-15T11:30:00+01:00\"", "\"2024-01-15T10:30:00Z\"");
    assert_decode(many, "1705314600", "\"2024-01-15T10:30:00Z\"");
    assert_decode(many, "\"15/01/2024\"",
                  "x: text '15/01/2024' is not a valid timestamp as yyyy-MM-dd HH:mm:ss, dd.MM.yyyy HH:mm, iso, s");
    assert_decode("timestamp(format 'dd.MM.yyyy', 'MM/dd/yyyy')", "\"01/15/2024\"", "\"2024-01-15T00:00:00Z\"");
    assert_decode("date(format 'dd.MM.yyyy', format 'yyyyMMdd')", "\"20240115\"", "\"2024-01-15\"");
    assert_decode("date(format 'yyyyMMdd')", "20240115", "\"2024-01-15\"");
    assert_decode("{type: date, format: [iso, days], default: 0, from: y}", "1", "\"1970-01-01\"");
    assert_decode("{type: date, format: [iso, days], default: 2024-01-15, from: y}", "1", "\"2024-01-15\"");
}

static void test_dates_of_timestamps_and_epochs(void)
{
    assert_decode("date(days)", "19737", "\"2024-01-15\"");
    assert_decode("date(days)", "-1", "\"1969-12-31\"");
    assert_decode("date(days)", "1.5", "x: '1.5' is not a valid date(days)");
    assert_decode("date(days)", "2932897", "x: '2932897' is outside of the years 0001 to 9999");
    assert_decode("date(days)", "9000000000000000000", "x: '9000000000000000000' is outside of the years 0001 to 9999");
    assert_decode("date(s)", "1705314600", "\"2024-01-15\"");
    assert_decode("date(ms)", "1705363199999", "\"2024-01-15\"");
    assert_decode("date(us)", "-1", "\"1969-12-31\"");
    assert_decode("date(ns)", "1705314600123456789", "\"2024-01-15\"");
    assert_decode("date(iso)", "\"2024-01-15\"", "\"2024-01-15\"");
    assert_decode("date(iso)", "\"2024-01-15T10:30:00.123456789Z\"", "\"2024-01-15\"");
    assert_decode("date(iso)", "\"2024-01-15T23:30:00-05:00\"", "\"2024-01-16\"");
    assert_decode("date(timestamp)", "\"2024-01-15 23:30:00\"", "\"2024-01-15\"");
    assert_decode("date(format 'yyyy-MM-dd HH:mm:ss')", "\"2024-01-15 23:30:00\"", "\"2024-01-15\"");
    assert_decode("date(days)", "\"2024-01-15\"", "x: text '2024-01-15' is not a valid date(days)");
}

/* As Debezium and Kafka Connect write them into JSON by default. */
static void test_decimals_as_bytes(void)
{
    assert_decode("decimal(10,2,base64)", "\"BNI=\"", "12.34");
    assert_decode("{type: 'decimal(10,2)', format: base64}", "\"BNI=\"", "12.34");
    assert_decode("decimal(10,2,base64)", "\"BN\\u0049=\"", "12.34");
    assert_decode("decimal(10,2,base64)", "\"+y4=\"", "-12.34");
    assert_decode("decimal(10,2,base64)", "\"AA==\"", "0.00");
    assert_decode("decimal(10,2,base64)", "\"/w==\"", "-0.01");
    assert_decode("decimal(10,2,base64)", "12.34", "12.34");
    assert_decode("decimal(4,2,base64)", "\"Jw8=\"", "99.99");
    assert_decode("decimal(4,2,base64)", "\"JxA=\"", "x: text 'JxA=' does not fit decimal(4,2,base64)");
    assert_decode("decimal(38,0,base64)", "\"SztMqFqGxHoJiiI//////w==\"", "99999999999999999999999999999999999999");
    assert_decode("decimal(38,0,base64)", "\"tMSzV6V5O4X2dd3AAAAAAQ==\"", "-99999999999999999999999999999999999999");
    assert_decode("decimal(38,0,base64)", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAB\"", "1");
    assert_decode("decimal(38,0,base64)", "\"AQAAAAAAAAAAAAAAAAAAAAA=\"",
                  "x: text 'AQAAAAAAAAAAAAAAAAAAAAA=' does not fit decimal(38,0,base64)");
    assert_decode("decimal(10,2,base64)", "\"\"", "x: text '' is not a valid decimal(10,2,base64)");
    assert_decode("decimal(10,2,base64)", "\"1.5\"", "x: text '1.5' is not a valid decimal(10,2,base64)");
}

/* Debezium's NUMERIC without a scale. */
static void test_decimals_that_bring_their_scale(void)
{
    const char *type = "decimal(10,2,base64)";
    assert_decode(type, "{\"scale\":2,\"value\":\"BNI=\"}", "12.34");
    assert_decode(type, "{ \"value\" : \"BNI=\" , \"scale\" : 1 }", "123.40");
    assert_decode(type, "{\"scale\":-2,\"value\":\"+y4=\"}", "-123400.00");
    assert_decode(type, "{\"scale\":0,\"value\":\"AA==\",\"more\":[{}]}", "0.00");
    assert_decode(type, "{\"scale\":3,\"value\":\"BNI=\"}",
                  "x: an object has more digits behind the point than decimal(10,2,base64)");
    assert_decode("{type: 'decimal(10,2)', format: base64, round: half_up}", "{\"scale\":3,\"value\":\"BNM=\"}",
                  "1.24");
    assert_decode(type, "{\"scale\":-20,\"value\":\"BNI=\"}", "x: an object does not fit decimal(10,2,base64)");
    assert_decode("decimal(38,0,base64)", "{\"scale\":0,\"value\":\"tMSzV6V5O4X2dd3AAAAAAQ==\"}",
                  "-99999999999999999999999999999999999999");
    assert_decode(type, "{\"value\":\"BNI=\"}", "x: an object is not a valid decimal(10,2,base64)");
    assert_decode(type, "{\"scale\":\"2\",\"value\":\"BNI=\"}", "x: text '2' is not a valid decimal(10,2,base64)");
    assert_decode(type, "{\"scale\":2,\"value\":12}", "x: an object is not a valid decimal(10,2,base64)");
    assert_decode(type, "{}", "x: an object is not a valid decimal(10,2,base64)");
    assert_decode(type, "{\"scale\":99999999999,\"value\":\"BNI=\"}",
                  "x: an object is not a valid decimal(10,2,base64)");
    assert_decode("decimal(10,2)", "{\"scale\":2,\"value\":\"BNI=\"}", "x: an object is not a valid decimal(10,2)");
}

static void test_debezium_envelope(void)
{
    const char *options =
        "provenance: false\nschema:\n"
        "  id: {type: int not null, from: [after.id, before.id]}\n  amount: decimal(10,2,base64) from after.amount\n"
        "  d: date(days) from after.d\n  ts: timestamp(us) from after.ts\n  tz: timestamp from after.tz\n  op: "
        "string\n";
    assert_event(
        options,
        "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\",\"amount\":\"BNI=\",\"d\":19737,\"ts\":"
        "1705314600123456,\"tz\":\"2024-01-15T10:30:00Z\"},\"op\":\"c\"}",
        "{\"id\":1,\"amount\":12.34,\"d\":\"2024-01-15\",\"ts\":\"2024-01-15T10:30:00.123456Z\",\"tz\":\"2024-01-"
        "15T10:30:00Z\",\"op\":\"c\"}");
    assert_event(options, "{\"before\":{\"id\":1},\"after\":null,\"op\":\"d\"}",
                 "{\"id\":1,\"amount\":null,\"d\":null,\"ts\":null,\"tz\":null,\"op\":\"d\"}");
}

/* A copy that ends with a NUL needs a byte more than the number: at the room's own size, too. */
static void test_doubles_of_any_length(void)
{
    g_autoptr(Harness) h = harness_new("json-decode", "{schema: {x: double}, provenance: false}");
    for (gsize digits = 55; digits <= 75; digits++) {
        g_autofree char *zeros = g_strnfill(digits - 3, '0');
        g_autofree char *text = g_strdup_printf("{\"x\":0.%s5}", zeros); /* `digits` characters */
        g_autofree char *value = g_strdup_printf("0.%s5", zeros);
        g_assert_cmpuint(strlen(value), ==, digits);
        const SfBatch *out = harness_apply(h, harness_raw(h, "e/0", 0, (const char *[]){text}, 1));
        SfColumn column;
        g_assert_cmpint(sf_column(out, "x", SF_FLOAT64, &column, NULL), ==, SF_OK);
        g_assert_cmpfloat(sf_f64(&column, 0), ==, g_ascii_strtod(value, NULL));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode-types/numbers of every length", test_numbers_of_every_length);
    g_test_add_func("/json-decode-types/every precision ends where it says", test_every_precision_ends_where_it_says);
    g_test_add_func("/json-decode-types/nanoseconds are cut", test_nanoseconds_are_cut);
    g_test_add_func("/json-decode-types/nanoseconds of all years", test_nanoseconds_of_all_years);
    g_test_add_func("/json-decode-types/fractions of formats", test_fractions_of_formats);
    g_test_add_func("/json-decode-types/numbers in texts", test_numbers_in_texts);
    g_test_add_func("/json-decode-types/texts that hold no number", test_texts_that_hold_no_number_are_rejected);
    g_test_add_func("/json-decode-types/rounding", test_rounding);
    g_test_add_func("/json-decode-types/rounding of timestamps", test_rounding_of_timestamps);
    g_test_add_func("/json-decode-types/several formats", test_several_formats);
    g_test_add_func("/json-decode-types/dates of timestamps and epochs", test_dates_of_timestamps_and_epochs);
    g_test_add_func("/json-decode-types/decimals as bytes", test_decimals_as_bytes);
    g_test_add_func("/json-decode-types/decimals that bring their scale", test_decimals_that_bring_their_scale);
    g_test_add_func("/json-decode-types/debezium envelope", test_debezium_envelope);
    g_test_add_func("/json-decode/doubles of any length", test_doubles_of_any_length);
    return g_test_run();
}
