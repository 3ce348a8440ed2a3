/* One column through json-decode, by the harness. */
#include "decode_one.h"

static char *decode(const char *options, const char *event)
{
    const char *prefix = "events/0@5: ";
    g_autoptr(Harness) h = harness_new("json-decode", options);
    const SfBatch *out = harness_apply(h, harness_raw(h, "events/0", 5, &event, 1));
    if (sf_rows(out) == 1)
        return g_strdup(harness_text(h, out));
    g_assert_true(g_str_has_prefix(harness_rejects(h), prefix));
    return g_strdup(harness_rejects(h) + strlen(prefix));
}

char *decode_one(const char *type, const char *value)
{
    g_autofree char *options = g_strdup_printf("provenance: false\nschema:\n  x: %s\n", type);
    g_autofree char *event = g_strdup_printf("{\"x\":%s}", value);
    g_autofree char *row = decode(options, event);
    if (!g_str_has_prefix(row, "{\"x\":"))
        return g_steal_pointer(&row);
    return g_strndup(row + strlen("{\"x\":"), strlen(row) - strlen("{\"x\":}"));
}

void assert_decode(const char *type, const char *value, const char *expected)
{
    g_autofree char *got = decode_one(type, value);
    g_assert_cmpstr(got, ==, expected);
}

void assert_event(const char *options, const char *event, const char *expected)
{
    g_autofree char *got = decode(options, event);
    g_assert_cmpstr(got, ==, expected);
}

void assert_config(const char *options, const char *message)
{
    g_autoptr(Harness) h = harness_new("json-decode", options);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, message);
}
