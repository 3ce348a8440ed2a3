/* Rows as texts to compare with: JSON where JSON can say it. */
#include "rows.h"

#include "int128.h"

static void append_text(GString *out, SfBytes bytes)
{
    bool text = sf_is_utf8(bytes.data, bytes.size);
    g_string_append_c(out, '"');
    for (gint64 i = 0; i < bytes.size; i++) {
        guint8 c = (guint8) bytes.data[i];
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (c < 0x20 || (!text && c >= 0x80))
            g_string_append_printf(out, "\\x%02x", c);
        else
            g_string_append_c(out, (gchar) c);
    }
    g_string_append_c(out, '"');
}

static void append_decimal(GString *out, SfDecimal decimal, gint32 scale)
{
    Int128 value = int128_of_decimal(decimal);
    Uint128 rest = int128_size(value);
    char digits[48];
    gsize at = sizeof digits - 1;
    digits[at] = '\0';
    for (gint32 place = 0; rest > 0 || place <= scale; place++) {
        if (place == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char) ('0' + (int) (rest % 10));
        rest /= 10;
    }
    g_string_append_printf(out, "%s%s", value < 0 ? "-" : "", digits + at);
}

static void append_double(GString *out, double value)
{
    char shortest[G_ASCII_DTOSTR_BUF_SIZE];
    for (int precision = 15; precision <= 17; precision++) {
        char format[8];
        g_snprintf(format, sizeof format, "%%.%dg", precision);
        if (g_ascii_strtod(g_ascii_formatd(shortest, sizeof shortest, format, value), NULL) == value)
            break;
    }
    g_string_append(out, shortest);
}

/* Within the years 1 to 9999; beyond them the bare number says it. */
static void append_time(GString *out, gint64 micros, bool clock)
{
    gint64 seconds = micros / G_USEC_PER_SEC - (micros % G_USEC_PER_SEC < 0),
           fraction = micros - seconds * G_USEC_PER_SEC;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    if (!time) {
        g_string_append_printf(out, "%" G_GINT64_FORMAT, micros);
        return;
    }
    g_string_append_printf(out, "\"%04d-%02d-%02d", g_date_time_get_year(time), g_date_time_get_month(time),
                           g_date_time_get_day_of_month(time));
    if (clock)
        g_string_append_printf(out, "T%02d:%02d:%02d", g_date_time_get_hour(time), g_date_time_get_minute(time),
                               g_date_time_get_second(time));
    if (fraction > 0)
        g_string_append_printf(out, ".%06" G_GINT64_FORMAT, fraction);
    g_string_append(out, clock ? "Z\"" : "\"");
}

static void append_value(GString *out, const SfColumn *column, gint64 row);

static void append_nested(GString *out, const SfColumn *column, gint64 row)
{
    SfColumn child;
    bool list = column->type == SF_LIST;
    gint64 first = 0, n = list ? sf_list(column, row, &first) : column->array->n_children;
    g_string_append_c(out, list ? '[' : '{');
    for (gint64 i = 0; i < n; i++) {
        g_assert_cmpint(sf_column_child(column, list ? 0 : i, &child, NULL), ==, SF_OK);
        if (i > 0)
            g_string_append_c(out, ',');
        if (!list)
            g_string_append_printf(out, "\"%s\":", child.schema->name);
        append_value(out, &child, list ? first + i : row);
    }
    g_string_append_c(out, list ? ']' : '}');
}

static void append_value(GString *out, const SfColumn *column, gint64 row)
{
    if (sf_is_null(column, row)) {
        g_string_append(out, "null");
        return;
    }
    switch (column->type) {
    case SF_BOOL:
        g_string_append(out, sf_bool(column, row) ? "true" : "false");
        break;
    case SF_INT32:
        g_string_append_printf(out, "%d", sf_i32(column, row));
        break;
    case SF_INT64:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, sf_i64(column, row));
        break;
    case SF_FLOAT64:
        append_double(out, sf_f64(column, row));
        break;
    case SF_DECIMAL128:
        append_decimal(out, sf_decimal(column, row), column->scale);
        break;
    case SF_DATE:
        append_time(out, sf_i32(column, row) * INT64_C(86400) * G_USEC_PER_SEC, false);
        break;
    case SF_TIMESTAMP:
        append_time(out, sf_i64(column, row), true);
        break;
    case SF_UTF8:
    case SF_BINARY:
        append_text(out, sf_bytes(column, row));
        break;
    default:
        append_nested(out, column, row);
    }
}

char *rows_text(const struct ArrowSchema *schema, const struct ArrowArray *rows, gint64 row)
{
    SfColumn column;
    g_assert_cmpint(sf_column_view(schema, rows, &column, NULL), ==, SF_OK);
    GString *out = g_string_new(NULL);
    append_value(out, &column, row);
    return g_string_free(out, FALSE);
}

char *batch_text(const SfBatch *batch)
{
    GString *out = g_string_new(NULL);
    for (gint64 row = 0; row < sf_rows(batch); row++) {
        g_autofree char *text = rows_text(batch->schema, &batch->rows, row);
        g_string_append_printf(out, "%s%s", row > 0 ? "\n" : "", text);
    }
    return g_string_free(out, FALSE);
}
