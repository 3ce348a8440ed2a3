/* Any bytes as an event: never a crash, what is valid JSON for the check is valid for the decoder and the other way
 * round, the code with the fast paths says of every text what the code without them says, rows come out whole, and a
 * row that is written as JSON reads back as the same row. */
#include <gmodule.h>
#include <string.h>

#include "fuzz.h"
#include "json_side.h"

static const char *const typed[][2] = {
    {"s", "string"},
    {"i", "int"},
    {"l", "bigint"},
    {"d", "double"},
    {"m", "decimal(38,10)"},
    {"n", "decimal(5,2)"},
    {"b", "boolean"},
    {"x", "binary"},
    {"y", "date"},
    {"t", "timestamp"},
    {"u", "timestamp(ns)"},
    {"f", "timestamp(format 'yyyy-MM-dd HH:mm:ss.SSS X')"},
    {"a", "list<int>"},
    {"o", "struct<s string, l list<struct<i int not null, m decimal(10,2)>>>"},
    {"p", "string from o.q.r"},
    {"w", "timestamp(format '[EEE, ]d MMM yyyy[ HH:mm:ss[.SSSSSSSSS]][ z]', 'yyyyDDD', iso, ns)"},
    {"v", "date(iso, days, format 'QQQ G yyyy-MM-dd h a')"},
    {"e", "decimal(20,3,base64)"},
    {"first", "int from a[0]"},
    {"last", "int from $.a[-1] or i"},
    {"inner", "json from o.l[1].m or o.l[-1] or o"},
    {"fourteen_bytes", "string"},
    {"fifteen_bytes__", "int"},
    {"sixteen_bytes___", "string"},
    {"long name of more than sixteen bytes", "string"},
};
static const char *const whole[][2] = {{"any", "json"}};

/* The same schema in both builds. */
typedef struct Pair {
    JsonTarget *fast;
    JsonTarget *plain;
} Pair;

static const JsonSide *plain_side(void)
{
    static const JsonSide *side;
    if (!side) {
        GModule *module = g_module_open(g_getenv("SF_FUZZ_JSON_PLAIN"), G_MODULE_BIND_LOCAL);
        gpointer symbol = NULL;
        if (!module || !g_module_symbol(module, JSON_PLAIN_SYMBOL, &symbol))
            g_error("SF_FUZZ_JSON_PLAIN: %s", g_module_error());
        side = symbol;
    }
    return side;
}

static Pair new_pair(const char *const (*columns)[2], gsize n, bool all)
{
    return (Pair){.fast = json_fast.new_target(columns, n, all), .plain = plain_side()->new_target(columns, n, all)};
}

/* The row as JSON, or "" for a reject; the plain build says the same, word for word. */
static char *decode(const Pair *pair, const char *text, gsize size)
{
    SfError err = {.message = ""}, other = {.message = ""};
    SfStatus status = json_fast.decode(pair->fast, text, size, &err);
    g_assert_cmpint(plain_side()->decode(pair->plain, text, size, &other), ==, status);
    g_assert_cmpstr(err.message, ==, other.message);
    g_autofree char *row = json_fast.take_row(pair->fast);
    g_autofree char *plain_row = plain_side()->take_row(pair->plain);
    g_assert_cmpstr(row, ==, plain_row);
    g_assert_cmpint(status == SF_OK, ==, *row != '\0');
    if (status != SF_OK) {
        g_assert_cmpint(status, ==, SF_REJECT);
        g_assert_cmpuint(strlen(err.message), >, 0);
        g_assert_cmpuint(strlen(err.message), <, 800);
        g_assert_true(g_utf8_validate(err.message, -1, NULL));
    }
    return g_steal_pointer(&row);
}

static bool is_valid(const char *text, gsize size)
{
    JsonFault fault = {.reason = NULL}, other = {.reason = NULL};
    bool breaks = false, other_breaks = false;
    bool valid = json_fast.valid(text, size, &breaks, &fault);
    g_assert_cmpint(plain_side()->valid(text, size, &other_breaks, &other), ==, valid);
    g_assert_cmpint(breaks, ==, other_breaks);
    g_assert_cmpstr(fault.reason, ==, other.reason);
    g_assert_cmpuint(fault.offset, ==, other.offset);
    g_assert_true(valid || (fault.reason && fault.offset <= size));
    g_assert_true(!valid || breaks == (memchr(text, '\n', size) || memchr(text, '\r', size)));
    g_assert_true(!valid || sf_is_utf8(text, (int64_t) size));
    return valid;
}

static bool is_object(const char *text, gsize size)
{
    gsize i = 0;
    while (i < size && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    return i < size && text[i] == '{';
}

/* Columns whose names are read from elsewhere (p), or whose form the writer does not keep (u, f), are not compared: the
 * rest is the same text twice. */
static void assert_reads_back(const Pair *pair, const char *row)
{
    g_autofree char *again = decode(pair, row, strlen(row));
    if (!*again) {
        g_assert_nonnull(strstr(row, "\"f\":\""));
        return;
    }
    const char *end = strstr(row, ",\"u\":"), *other = strstr(again, ",\"u\":");
    g_assert_nonnull(end);
    g_assert_nonnull(other);
    g_assert_cmpmem(row, (gsize) (end - row), again, (gsize) (other - again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Pair any, columns, eager;
    const char *text = (const char *) data;
    if (!any.fast) {
        any = new_pair(whole, G_N_ELEMENTS(whole), false);
        columns = new_pair(typed, G_N_ELEMENTS(typed), false);
        eager = new_pair(typed, G_N_ELEMENTS(typed), true);
    }
    bool valid = is_valid(text, size);
    g_autofree char *copy = decode(&any, text, size);
    g_assert_cmpint(*copy != '\0', ==, valid && is_object(text, size));
    g_autofree char *row = decode(&columns, text, size);
    g_autofree char *more = decode(&eager, text, size);
    g_assert_true(valid || !*more);
    if (!*row)
        return 0;
    g_assert_true(valid);
    g_assert_true(is_valid(row, strlen(row)));
    assert_reads_back(&columns, row);
    return 0;
}
