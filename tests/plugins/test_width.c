/* Ten times the columns are ten times the work, not a hundred: comparisons of texts are counted, from the options' text
 * to the plugin's bind, by standing before the functions that compare. Time tells nothing on a busy machine. */
#include <string.h>
#include <gmodule.h>
#include "harness.h"

static gint64 comparisons;

static int compare(const char *a, const char *b, gsize most, bool fold)
{
    comparisons++;
    for (gsize i = 0; i < most; i++) {
        guchar x = (guchar) a[i], y = (guchar) b[i];
        if (fold) {
            x = (guchar) g_ascii_tolower((char) x);
            y = (guchar) g_ascii_tolower((char) y);
        }
        if (x != y || x == '\0')
            return (int) x - (int) y;
    }
    return 0;
}

/* The modules and GLib find these before the libraries' own. */
#undef strcmp
G_MODULE_EXPORT int strcmp(const char *a, const char *b)
{
    return compare(a, b, G_MAXSIZE, false);
}

#undef strncmp
G_MODULE_EXPORT int strncmp(const char *a, const char *b, size_t n)
{
    return compare(a, b, n, false);
}

G_MODULE_EXPORT gint g_ascii_strcasecmp(const char *a, const char *b)
{
    return compare(a, b, G_MAXSIZE, true);
}

typedef struct Case {
    const char *plugin;
    const char *options; /* what comes before and… */
    const char *column;  /* …for each column: printf format with one number; NULL: nothing */
    bool rows;           /* a sink of decoded rows */
} Case;

static gint64 work(const Case *c, guint n)
{
    g_autoptr(GString) options = g_string_new(c->options);
    g_autoptr(GString) schema = g_string_new("id string not null, _topic string not null, _partition int not null, "
                                             "_offset bigint not null, _timestamp timestamp");
    for (guint i = 0; i < n; i++) {
        g_string_append_printf(schema, ", column_%u string", i);
        if (!c->column)
            continue;
        for (const char *at = c->column; *at; at++)
            if (*at == '#')
                g_string_append_printf(options, "%u", i);
            else
                g_string_append_c(options, *at);
    }
    comparisons = 0;
    g_autoptr(Harness) h = harness_new(c->plugin, options->str);
    gint64 parsing = comparisons;
    if (c->rows)
        harness_input_text(h, "rows", schema->str);
    comparisons = 0;
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    return parsing + comparisons;
}

static void test_width(gconstpointer data)
{
    const Case *c = data;
    gint64 few = work(c, 1000), many = work(c, 10000);
    g_test_message("%s: %d and %d comparisons", c->plugin, (int) few, (int) many);
    g_assert_cmpint(many, <, 20 * few + 10000);
}

/* What GLib compares is counted as well, or the rest of this file would prove nothing. */
static void test_counted(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_ptr_array_add(names, (gpointer) "a");
    comparisons = 0;
    g_assert_false(g_ptr_array_find_with_equal_func(names, "b", g_str_equal, NULL));
    g_assert_cmpint(comparisons, ==, 1);
}

#define ANY_DATABASE "connection: DSN=unused\n" /* one that does not say how many columns it takes */

static const Case cases[] = {
    {"file-sink", "path: unused\n", NULL, true},
#ifdef HAS_JSON_DECODE
    {"json-decode", "schema:\n", "  column_#: string\n", false},
    {"json-decode", "schema:\n", "  column_#: {type: int, from: [a.b#.c, d#]}\n", false},
    {"json-decode", "schema:\n", "  column_#: {type: int, from: 'a[#]'}\n", false},
#endif
#ifdef HAS_DELTA
    {"delta-silver-sink", "url: file:///unused\n", NULL, true},
#endif
#ifdef HAS_GOLD
    {"snowflake-gold-sink", ANY_DATABASE "facts: {f: {key: id}}\n", NULL, true},
    {"snowflake-gold-sink", ANY_DATABASE "facts:\n  f:\n    key: id\n    columns:\n", "      c#: column_#\n", true},
    {"snowflake-gold-sink", ANY_DATABASE "facts:\n  f:\n    key: id\n    columns:\n", "    - column_#\n", true},
    {"snowflake-gold-sink", ANY_DATABASE "dimensions:\n", "  d#: {key: column_#}\n", true},
#endif
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/width/counted", test_counted);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/width/%s/%" G_GSIZE_FORMAT, cases[i].plugin, i);
        g_test_add_data_func(path, &cases[i], test_width);
    }
    return g_test_run();
}
