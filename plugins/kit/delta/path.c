/* Partition values and the paths that they give (PROTOCOL.md, "Partition Value Serialization"; Hive's escapes in
 * names). */
#include "delta.h"
#include "civil.h"
#include "json/write.h"

/* File systems take names of up to 255 bytes; a longer directory is left out, since readers never look at it. */
#define MAX_DIR 200

static void add_decimal(SfDecimal value, int scale, GString *out)
{
    json_write_decimal(out, value, scale);
}

/* Text of a float without the quotes that JSON puts around NaN and the infinities. */
static void add_float(double value, GString *out)
{
    gsize start = out->len;
    json_write_float(out, value);
    if (out->str[start] == '"') {
        g_string_truncate(out, out->len - 1);
        g_string_erase(out, (gssize) start, 1);
    }
}

/* json_write_date and _timestamp write texts, with quotes. */
static void strip_quotes(GString *out, gsize start)
{
    g_string_truncate(out, out->len - 1);
    g_string_erase(out, (gssize) start, 1);
}

bool delta_partition_text(const SfColumn *column, int64_t row, GString *out)
{
    if (sf_is_null(column, row))
        return false;
    gsize start = out->len;
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
        add_float(sf_f64(column, row), out);
        break;
    case SF_DECIMAL128:
        add_decimal(sf_decimal(column, row), column->scale, out);
        break;
    case SF_DATE:
        json_write_date(out, sf_i32(column, row));
        strip_quotes(out, start);
        break;
    case SF_TIMESTAMP:
        json_write_timestamp(out, sf_i64(column, row));
        strip_quotes(out, start);
        break;
    default: {
        SfBytes bytes = sf_bytes(column, row);
        g_string_append_len(out, bytes.data, bytes.size);
    }
    }
    return out->len > start;
}

static void escape_name(const char *text, GString *out)
{
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char) *at;
        if (byte < 0x20 || byte == 0x7F || strchr("\"#%'*/:=?\\{[]^", *at))
            g_string_append_printf(out, "%%%02X", byte);
        else
            g_string_append_c(out, *at);
    }
}

void delta_partition_dir(const char *column, const char *value, GString *out)
{
    gsize start = out->len;
    escape_name(column, out);
    g_string_append_c(out, '=');
    if (value)
        escape_name(value, out);
    else
        g_string_append(out, "__HIVE_DEFAULT_PARTITION__");
    if (out->len - start > MAX_DIR)
        g_string_truncate(out, start);
    else
        g_string_append_c(out, '/');
}

/* RFC 3986: what a path may hold stays, bytes from 0x80 too, as Spark does. */
void delta_path_encode(const char *key, GString *out)
{
    for (const char *at = key; *at; at++) {
        unsigned char byte = (unsigned char) *at;
        if (byte >= 0x80 || g_ascii_isalnum(*at) || strchr("-._~!$&'()*+,;=@/", *at))
            g_string_append_c(out, *at);
        else
            g_string_append_printf(out, "%%%02X", byte);
    }
}

char *delta_path_decode(const char *path)
{
    return g_uri_unescape_string(path, NULL);
}

/* "file:/t/x", "file:///t/x" and "/t/x" are one file: Hadoop's and other writers spell absolute paths in all three ways
 * (org.apache.spark.sql.delta.actions.InMemoryLogReplay canonicalizes them likewise). */
static const char *skip_file_scheme(const char *path)
{
    const char *scheme = "file:";
    if (!g_str_has_prefix(path, scheme) || path[strlen(scheme)] != '/')
        return path;
    path += strlen(scheme);
    return g_str_has_prefix(path, "///") ? path + 2 : path;
}

char *delta_path_identity(const char *path)
{
    g_autofree char *decoded = delta_path_decode(path);
    return g_strdup(skip_file_scheme(decoded ? decoded : path));
}
