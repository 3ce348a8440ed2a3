/* json-decode: date patterns, letter by letter. */
#include "decode_one.h"

/* A text by a timestamp's pattern; expected: up to the seconds, NULL: a reject. */
static void assert_pattern(const char *pattern, const char *text, const char *expected)
{
    g_autofree char *type = g_strdup_printf("{type: timestamp, format: \"%s\"}", pattern);
    g_autofree char *value = g_strdup_printf("\"%s\"", text);
    g_autofree char *row = expected ? g_strdup_printf("\"%sZ\"", expected)
                                    : g_strdup_printf("x: text '%s' is not a valid timestamp as %s", text, pattern);
    assert_decode(type, value, row);
}

static void test_formats_of_the_world(void)
{
    const char *half_past_ten = "2024-01-15T10:30:01";
    assert_pattern("EEE, dd MMM yyyy HH:mm:ss z", "Mon, 15 Jan 2024 10:30:01 GMT", half_past_ten);
    assert_pattern("EEE, d MMM yyyy HH:mm:ss Z", "Mon, 15 Jan 2024 11:30:01 +0100", half_past_ten);
    assert_pattern("EEE MMM dd HH:mm:ss Z yyyy", "Mon Jan 15 10:30:01 +0000 2024", half_past_ten);
    assert_pattern("EEE MMM dd HH:mm:ss zzz yyyy", "Mon Jan 15 05:30:01 EST 2024", half_past_ten);
    assert_pattern("'['dd/MMM/yyyy:HH:mm:ss Z']'", "[15/Jan/2024:10:30:01 +0000]", half_past_ten);
    assert_pattern("EEEE, MMMM d, yyyy h:mm:ss a", "Monday, January 15, 2024 10:30:01 AM", half_past_ten);
    assert_pattern("yyyy-DDD'T'HH:mm:ss", "2024-015T10:30:01", half_past_ten);
    assert_pattern("yyyyMMddHHmmss", "20240115103001", half_past_ten);
    assert_pattern("d.M.y H:m:s", "15.1.2024 10:30:1", half_past_ten);
    assert_pattern("yyyy-MM-dd HH:mm:ss OOOO", "2024-01-15 12:30:01 GMT+02:00", half_past_ten);
    assert_pattern("yyyy-MM-dd HH:mm:ss O", "2024-01-15 02:30:01 GMT-8", half_past_ten);
    assert_pattern("yyyy-MM-dd HH:mm:ssx", "2024-01-15 10:30:01+00", half_past_ten);
    assert_pattern("G yyyy-MM-dd HH:mm:ss", "AD 2024-01-15 10:30:01", half_past_ten);
    assert_pattern("QQQ yyyy-MM-dd HH:mm:ss", "Q1 2024-01-15 10:30:01", half_past_ten);
    assert_pattern("uuuu-LL-dd HH:mm:ss", "2024-01-15 10:30:01", half_past_ten);
}

static void test_days(void)
{
    assert_pattern("EEE yyyy-MM-dd", "mon 2024-01-15", "2024-01-15T00:00:00");
    assert_pattern("EEE yyyy-MM-dd", "Tue 2024-01-15", NULL);
    assert_pattern("EEEE yyyy-MM-dd", "Mon 2024-01-15", NULL);
    assert_pattern("EEE yyyy-MM-dd", "Thu 1970-01-01", "1970-01-01T00:00:00");
    assert_pattern("EEE yyyy-MM-dd", "Mon 0001-01-01", "0001-01-01T00:00:00");
    assert_pattern("EEE yyyy-MM-dd", "Wed 1969-12-31", "1969-12-31T00:00:00");
    assert_pattern("yyyy MMMM d", "2024 September 9", "2024-09-09T00:00:00");
    assert_pattern("yyyy MMM d", "2024 SEP 9", "2024-09-09T00:00:00");
    assert_pattern("yyyy MMM d", "2024 Sept 9", NULL);
    assert_pattern("y D", "2024 366", "2024-12-31T00:00:00");
    assert_pattern("y D", "2023 366", NULL);
    assert_pattern("y D", "2023 60", "2023-03-01T00:00:00");
    assert_pattern("y D", "2023 0", NULL);
    assert_pattern("q yyyy-MM-dd", "2 2024-04-01", "2024-04-01T00:00:00");
    assert_pattern("q yyyy-MM-dd", "1 2024-04-01", NULL);
    assert_pattern("yyyy-MM-dd", "2024-02-30", NULL);
    assert_pattern("yyyy-MM-dd yy", "2024-02-03 24", "2024-02-03T00:00:00");
    assert_pattern("yyyy-MM-dd yy", "2024-02-03 23", NULL);
    assert_decode("{type: date, format: G y-M-d}", "\"BC 1-1-1\"",
                  "x: text 'BC 1-1-1' is outside of the years 0001 to 9999");
}

static void test_hours(void)
{
    assert_pattern("y-M-d h a", "2024-1-5 12 AM", "2024-01-05T00:00:00");
    assert_pattern("y-M-d h a", "2024-1-5 12 pm", "2024-01-05T12:00:00");
    assert_pattern("y-M-d h a", "2024-1-5 0 AM", NULL);
    assert_pattern("y-M-d K a", "2024-1-5 0 PM", "2024-01-05T12:00:00");
    assert_pattern("y-M-d K a", "2024-1-5 12 PM", NULL);
    assert_pattern("y-M-d kk", "2024-1-5 24", "2024-01-05T00:00:00");
    assert_pattern("y-M-d kk", "2024-1-5 00", NULL);
    assert_pattern("y-M-d HH", "2024-1-5 24", NULL);
    assert_pattern("y-M-d HH:mm", "2024-1-5 23:60", NULL);
}

static void test_zones(void)
{
    static const struct {
        const char *zone;
        const char *hour; /* of 10:30 there, in UTC */
    } zones[] = {{"GMT", "10"},   {"UTC", "10"},   {"UT", "10"},     {"Z", "10"},         {"GMT+0", "10"},
                 {"GMT-1", "11"}, {"UTC+9", "01"}, {"gmt+03", "07"}, {"UTC-05:00", "15"}, {"+0200", "08"},
                 {"EST", "15"},   {"EDT", "14"},   {"CST", "16"},    {"CDT", "15"},       {"MST", "17"},
                 {"MDT", "16"},   {"PST", "18"},   {"pdt", "17"}};
    for (gsize i = 0; i < G_N_ELEMENTS(zones); i++) {
        g_autofree char *text = g_strdup_printf("2024-01-15 10:30 %s", zones[i].zone);
        g_autofree char *time = g_strdup_printf("2024-01-15T%s:30:00", zones[i].hour);
        assert_pattern("yyyy-MM-dd HH:mm z", text, time);
    }
    static const char *const wrong[] = {"", "CET", "Europe/Berlin", "GMT+", "GMT+x", "EST+1", "+2", "GMT+24", "+24:00"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = g_strdup_printf("2024-01-15 10:30 %s", wrong[i]);
        assert_pattern("yyyy-MM-dd HH:mm z", text, NULL);
    }
    assert_pattern("HH:mm z yyyy-MM-dd", "10:30 GMT+2 2024-01-15", "2024-01-15T08:30:00");
    assert_pattern("HH:mm X yyyy-MM-dd", "10:30 -0230 2024-01-15", "2024-01-15T13:00:00");
}

/* Every letter at its bounds, and one beyond. */
static void test_bounds(void)
{
    static const struct {
        const char *pattern;
        const char *first; /* %s: what the letter reads */
        const char *good[2];
        const char *wrong[2];
    } letters[] = {{"y-MM-d", "2024-%s-1", {"01", "12"}, {"00", "13"}},
                   {"y-M-dd", "2024-1-%s", {"01", "31"}, {"00", "32"}},
                   {"y DDD", "2024 %s", {"001", "366"}, {"000", "367"}},
                   {"y-M-d HH", "2024-1-1 %s", {"00", "23"}, {"24", "3"}},
                   {"y-M-d kk", "2024-1-1 %s", {"01", "24"}, {"00", "25"}},
                   {"y-M-d hh a", "2024-1-1 %s AM", {"01", "12"}, {"00", "13"}},
                   {"y-M-d KK a", "2024-1-1 %s AM", {"00", "11"}, {"12", "1"}},
                   {"y-M-d H:mm", "2024-1-1 0:%s", {"00", "59"}, {"60", "6"}},
                   {"y-M-d H:m:ss", "2024-1-1 0:0:%s", {"00", "59"}, {"60", ""}},
                   {"yyyy-M-d", "%s-1-1", {"0001", "9999"}, {"999", "10000"}},
                   {"QQ y-M-d", "%s 2024-1-1", {"01", "01"}, {"00", "05"}},
                   {"y-M-d H:m:s.SSS", "2024-1-1 0:0:0.%s", {"000", "999"}, {"99", "9999"}}};
    for (gsize i = 0; i < G_N_ELEMENTS(letters); i++) {
        for (int j = 0; j < 4; j++) {
            g_autofree char *type = g_strdup_printf("{type: timestamp, format: \"%s\"}", letters[i].pattern);
            g_auto(GStrv) around = g_strsplit(letters[i].first, "%s", 2);
            const char *part = j < 2 ? letters[i].good[j] : letters[i].wrong[j - 2];
            g_autofree char *value = g_strconcat("\"", around[0], part, around[1], "\"", NULL);
            g_autofree char *got = decode_one(type, value);
            g_assert_cmpint(g_str_has_prefix(got, "x: text"), ==, j >= 2);
        }
    }
}

/* A text with escapes is read from memory that has held others. */
static void test_nothing_is_read_behind_a_text(void)
{
    g_autoptr(Harness) h =
        harness_new("json-decode", "{provenance: false, schema: {s: string, d: \"date(format 'y-M-d')\"}}");
    const char *events[] = {"{\"s\":\"\\u0031111111111111111111\",\"d\":\"2024-1-\\u0031\"}"};
    g_assert_cmpstr(harness_text(h, harness_apply(h, harness_raw(h, "e/0", 0, events, 1))), ==,
                    "{\"s\":\"1111111111111111111\",\"d\":\"2024-01-01\"}");
}

static void test_optional_sections(void)
{
    const char *pattern = "yyyy-MM-dd[ HH:mm[:ss[.SSS]]][ XX]";
    assert_pattern(pattern, "2024-01-15", "2024-01-15T00:00:00");
    assert_pattern(pattern, "2024-01-15 10:30", "2024-01-15T10:30:00");
    assert_pattern(pattern, "2024-01-15 10:30:01", "2024-01-15T10:30:01");
    assert_pattern(pattern, "2024-01-15 10:30:01.250", "2024-01-15T10:30:01.250000");
    assert_pattern(pattern, "2024-01-15 10:30:01.25", NULL);
    assert_pattern(pattern, "2024-01-15 10:30 +01:00", "2024-01-15T09:30:00");
    assert_pattern("[yyyy-MM-dd][dd.MM.yyyy]", "15.01.2024", "2024-01-15T00:00:00");
    assert_pattern("[yyyy-MM-dd][dd.MM.yyyy]", "", NULL);
}

static void test_quotes(void)
{
    assert_pattern("yyyy''MM''dd", "2024'01'15", "2024-01-15T00:00:00");
    assert_pattern("yyyy-MM-dd 'o''clock' HH", "2024-01-15 o'clock 10", "2024-01-15T10:00:00");
    assert_pattern("yyyy-MM-dd 'o''clock' HH", "2024-01-15 o''clock 10", NULL);
}

/* What a pattern reads twice has to be the same both times. */
static void test_parts_agree(void)
{
    assert_pattern("yyyy-MM-dd HH:mm:ss.SSS (SSS)", "2024-01-15 10:30:01.250 (250)", "2024-01-15T10:30:01.250000");
    assert_pattern("yyyy-MM-dd HH:mm:ss.SSS (SSS)", "2024-01-15 10:30:01.250 (251)", NULL);
}

static void assert_fault(const char *pattern, const char *fault)
{
    g_autofree char *options = g_strdup_printf("schema:\n  a: {type: timestamp, format: \"%s\"}\n", pattern);
    g_autofree char *message = g_strdup_printf("options.yaml:2:32: column 'a': %s", fault);
    assert_config(options, message);
}

static void test_what_is_no_pattern(void)
{
    assert_fault("YYYY-MM-dd", "'Y' is the year that a week belongs to; the year is 'y'");
    assert_fault("yyyy-MM-DD", "'D' is a day of the year and stands for 'M' and 'd'; the day of the month is 'd'");
    assert_fault("yyyy-ww", "'w' is a number of weeks, which countries count differently");
    assert_fault("yyyy-MM-dd VV",
                 "'V' is a zone's name, whose offset changes over the years; offsets are 'X', 'Z', 'O' "
                 "and 'z'");
    assert_fault("yyyy-MM-dd B", "'B' is not a pattern letter; known are y M d D E Q G H k h K a m s S X Z O z; quote "
                                 "literal text as ''T''");
    assert_fault("yyy-MM-dd", "3 times 'y' in a row in a format");
    assert_fault("yyyy-MM-dd SSSSSSSSSS", "10 times 'S' in a row in a format");
    assert_fault("yyyy-MM", "a format needs year, month and day: 'd' is missing");
    assert_fault("MMM d HH:mm", "a format needs year, month and day: 'y' is missing");
    assert_fault("yyyy-MM-dd hh", "a format has either 'H' (0 … 23) or 'k' (1 … 24), or 'h' (1 … 12) or 'K' (0 … 11) "
                                  "together with 'a' (AM, PM)");
    assert_fault("yyyy-MM-dd[ HH", "'[' has no other half in the format; quote it where it stands for itself");
    assert_fault("yyyy-MM-dd]", "']' has no other half in the format; quote it where it stands for itself");
    assert_pattern("[[[[[[[[yyyy-MM-dd]]]]]]]]", "2024-01-15", "2024-01-15T00:00:00");
    assert_fault("[[[[[[[[[yyyy-MM-dd]]]]]]]]]", "brackets within brackets, more than 8 deep, in a format");
    assert_fault("yyyy-MM-dd'T", "quote without an end in the format");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-decode-patterns/formats of the world", test_formats_of_the_world);
    g_test_add_func("/json-decode-patterns/days", test_days);
    g_test_add_func("/json-decode-patterns/hours", test_hours);
    g_test_add_func("/json-decode-patterns/zones", test_zones);
    g_test_add_func("/json-decode-patterns/bounds", test_bounds);
    g_test_add_func("/json-decode-patterns/nothing is read behind a text", test_nothing_is_read_behind_a_text);
    g_test_add_func("/json-decode-patterns/optional sections", test_optional_sections);
    g_test_add_func("/json-decode-patterns/what is no pattern", test_what_is_no_pattern);
    g_test_add_func("/json-decode-patterns/quotes", test_quotes);
    g_test_add_func("/json-decode-patterns/parts agree", test_parts_agree);
    return g_test_run();
}
