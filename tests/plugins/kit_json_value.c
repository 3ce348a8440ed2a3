/* Single values as JSON text: exact, and back to the same value. */
#include <glib.h>
#include <math.h>
#include <string.h>
#include "civil.h"
#include "json/check.h"
#include "json/write.h"

#define ASSERT_TEXT(call, expected)                                                                                    \
    do {                                                                                                               \
        g_autoptr(GString) out = g_string_new(NULL);                                                                   \
        call;                                                                                                          \
        g_assert_cmpstr(out->str, ==, expected);                                                                       \
    } while (0)

static void test_ints(void)
{
    ASSERT_TEXT(json_write_int(out, 0), "0");
    ASSERT_TEXT(json_write_int(out, 9007199254740993), "9007199254740993");
    ASSERT_TEXT(json_write_int(out, INT64_MAX), "9223372036854775807");
    ASSERT_TEXT(json_write_int(out, INT64_MIN), "-9223372036854775808");
}

static SfDecimal decimal(int64_t high, uint64_t low)
{
    return (SfDecimal){.low = low, .high = high};
}

static void test_decimals(void)
{
    ASSERT_TEXT(json_write_decimal(out, decimal(0, 125050), 2), "1250.50");
    ASSERT_TEXT(json_write_decimal(out, decimal(0, 5), 2), "0.05");
    ASSERT_TEXT(json_write_decimal(out, decimal(0, 0), 3), "0.000");
    ASSERT_TEXT(json_write_decimal(out, decimal(0, 7), 0), "7");
    ASSERT_TEXT(json_write_decimal(out, decimal(-1, (uint64_t) -5), 1), "-0.5");
    /* 10^38 - 1, the largest of 38 digits */
    SfDecimal largest = decimal(0x4B3B4CA85A86C47A, 0x098A223FFFFFFFFF);
    ASSERT_TEXT(json_write_decimal(out, largest, 0), "99999999999999999999999999999999999999");
    ASSERT_TEXT(json_write_decimal(out, largest, 38), "0.99999999999999999999999999999999999999");
    ASSERT_TEXT(json_write_decimal(out, decimal(INT64_MIN, 0), 8), "-1701411834604692317316873037158.84105728");
    ASSERT_TEXT(json_write_decimal(out, decimal(0, UINT64_C(10000000000000000000)), 0), "10000000000000000000");
}

static void test_floats(void)
{
    ASSERT_TEXT(json_write_float(out, 0.1), "0.1");
    ASSERT_TEXT(json_write_float(out, 5), "5.0");
    ASSERT_TEXT(json_write_float(out, -0.0), "-0.0");
    ASSERT_TEXT(json_write_float(out, 1250.5), "1250.5");
    ASSERT_TEXT(json_write_float(out, 1e300), "1e+300");
    ASSERT_TEXT(json_write_float(out, 0.1 + 0.2), "0.30000000000000004");
    ASSERT_TEXT(json_write_float(out, NAN), "\"NaN\"");
    ASSERT_TEXT(json_write_float(out, INFINITY), "\"Infinity\"");
    ASSERT_TEXT(json_write_float(out, -INFINITY), "\"-Infinity\"");
}

static void test_floats_read_back_the_same(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (int i = 0; i < 200000; i++) {
        double value = 0;
        guint64 bits = (guint64) g_test_rand_int() << 32 | (guint32) g_test_rand_int();
        if (i % 2)
            value = (double) (gint64) bits / pow(10, (double) (bits % 19));
        else
            memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        g_string_truncate(out, 0);
        json_write_float(out, value);
        g_assert_true(json_valid(out->str, out->len, NULL, NULL));
        g_assert_cmpfloat(g_ascii_strtod(out->str, NULL), ==, value);
    }
}

static void test_dates(void)
{
    ASSERT_TEXT(json_write_date(out, 0), "\"1970-01-01\"");
    ASSERT_TEXT(json_write_date(out, -1), "\"1969-12-31\"");
    ASSERT_TEXT(json_write_date(out, 11016), "\"2000-02-29\"");
    ASSERT_TEXT(json_write_date(out, -719528), "\"0000-01-01\"");
    ASSERT_TEXT(json_write_date(out, -719529), "\"-0001-12-31\"");
    ASSERT_TEXT(json_write_date(out, 2932896), "\"9999-12-31\"");
    ASSERT_TEXT(json_write_date(out, 2932897), "\"+10000-01-01\"");
    ASSERT_TEXT(json_write_date(out, INT32_MAX), "\"+5881580-07-11\"");
    ASSERT_TEXT(json_write_date(out, INT32_MIN), "\"-5877641-06-23\"");
}

static void test_timestamps(void)
{
    ASSERT_TEXT(json_write_timestamp(out, 0), "\"1970-01-01T00:00:00.000000Z\"");
    ASSERT_TEXT(json_write_timestamp(out, -1), "\"1969-12-31T23:59:59.999999Z\"");
    ASSERT_TEXT(json_write_timestamp(out, 1705314601000001), "\"2024-01-15T10:30:01.000001Z\"");
    ASSERT_TEXT(json_write_timestamp(out, INT64_MAX), "\"+294247-01-10T04:00:54.775807Z\"");
    ASSERT_TEXT(json_write_timestamp(out, INT64_MIN), "\"-290308-12-21T19:59:05.224192Z\"");
}

static void test_calendar_agrees_with_glib(void)
{
    for (int year = 1; year <= 9999; year += year % 400 == 0 ? 1 : 7) {
        for (int month = 1; month <= 12; month++) {
            int last = g_date_get_days_in_month((GDateMonth) month, (GDateYear) year);
            g_assert_cmpint(civil_month_days(year, month), ==, last);
            GDate date;
            g_date_clear(&date, 1);
            g_date_set_dmy(&date, (GDateDay) last, (GDateMonth) month, (GDateYear) year);
            /* GLib's day 1 is 0001-01-01 */
            int64_t days = civil_to_days(year, month, last);
            g_assert_cmpint(days, ==, (int64_t) g_date_get_julian(&date) - 719163);
            Civil civil = civil_from_days(days);
            g_assert_cmpint(civil.year, ==, year);
            g_assert_cmpint(civil.month, ==, month);
            g_assert_cmpint(civil.day, ==, last);
        }
    }
}

static void test_texts(void)
{
    ASSERT_TEXT(json_write_text(out, NULL, 0), "\"\"");
    ASSERT_TEXT(json_write_text(out, "a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
    ASSERT_TEXT(json_write_text(out, "\b\f\n\r\t\0\x1f\x7f", 8), "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"");
    ASSERT_TEXT(json_write_text(out, "Zoë – 東京", strlen("Zoë – 東京")), "\"Zoë – 東京\"");
    ASSERT_TEXT(json_write_text(out, "0123456789abcdef\"0123456789abcdef\n", 34),
                "\"0123456789abcdef\\\"0123456789abcdef\\n\"");
}

static void test_long_texts_of_escapes(void)
{
    g_autofree char *text = g_malloc(5000);
    memset(text, 1, 5000);
    g_autoptr(GString) out = g_string_new(NULL);
    json_write_text(out, text, 5000);
    g_assert_cmpuint(out->len, ==, 5000 * 6 + 2);
    g_assert_cmpuint(strlen(out->str), ==, out->len);
    g_assert_true(json_valid(out->str, out->len, NULL, NULL));
}

static void test_base64(void)
{
    ASSERT_TEXT(json_write_base64(out, "", 0), "\"\"");
    ASSERT_TEXT(json_write_base64(out, "\xff", 1), "\"/w==\"");
    ASSERT_TEXT(json_write_base64(out, "\xff\xfe\xfd", 3), "\"//79\"");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-value/ints", test_ints);
    g_test_add_func("/json-value/decimals-have-all-digits-of-their-scale", test_decimals);
    g_test_add_func("/json-value/floats", test_floats);
    g_test_add_func("/json-value/floats-read-back-the-same", test_floats_read_back_the_same);
    g_test_add_func("/json-value/dates", test_dates);
    g_test_add_func("/json-value/timestamps", test_timestamps);
    g_test_add_func("/json-value/calendar-agrees-with-glib", test_calendar_agrees_with_glib);
    g_test_add_func("/json-value/texts", test_texts);
    g_test_add_func("/json-value/long-texts-of-escapes", test_long_texts_of_escapes);
    g_test_add_func("/json-value/base64", test_base64);
    return g_test_run();
}
