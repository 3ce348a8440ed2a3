/* Whole rows as JSON objects: a tree of writers that mirrors the schema, pointed at each batch in turn. */
#include "write.h"

typedef struct Writer {
    SfColumn column; /* of the present batch */
    SfType type;
    bool raw;  /* binary that is a text when it is valid UTF-8 */
    char *key; /* "name": with its colon */
    gsize key_size;
    char *base64_key; /* "name_base64": of a raw column */
    size_t n_children;
    struct Writer *children;
} Writer;

struct JsonWriter {
    Writer root;
};

static void writer_done(Writer *writer)
{
    for (size_t i = 0; i < writer->n_children; i++)
        writer_done(&writer->children[i]);
    g_free(writer->children);
    g_free(writer->key);
    g_free(writer->base64_key);
}

/* GString's own functions are calls. */
static inline void put_json(GString *out, const char *text, gsize size)
{
    if (G_UNLIKELY(size >= out->allocated_len - out->len)) {
        g_string_append_len(out, text, (gssize) size);
        return;
    }
    memcpy(out->str + out->len, text, size);
    out->len += size;
    out->str[out->len] = '\0';
}

static char *make_key(const char *name, const char *suffix, bool first)
{
    g_autofree char *full = g_strconcat(name, suffix, NULL);
    g_autoptr(GString) key = g_string_new(first ? "{" : ",");
    json_write_text(key, full, strlen(full));
    g_string_append_c(key, ':');
    return g_string_free(g_steal_pointer(&key), FALSE);
}

static SfStatus writer_init(Writer *writer, const struct ArrowSchema *schema, bool first, SfError *err)
{
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, err));
    const char *name = field.name ? field.name : "";
    writer->type = field.type;
    writer->raw = field.type == SF_BINARY && (g_str_equal(name, "key") || g_str_equal(name, "value"));
    writer->key = make_key(name, "", first);
    writer->key_size = strlen(writer->key);
    writer->base64_key = writer->raw ? make_key(name, "_base64", first) : NULL;
    writer->children = g_new0(Writer, (gsize) schema->n_children);
    for (int64_t i = 0; i < schema->n_children; i++) {
        writer->n_children++;
        SF_TRY(writer_init(&writer->children[i], schema->children[i], i == 0, err));
    }
    return SF_OK;
}

JsonWriter *json_writer_new(const struct ArrowSchema *schema, SfError *err)
{
    g_autoptr(JsonWriter) writer = g_new0(JsonWriter, 1);
    if (sf_schema_check(schema, err) != SF_OK || writer_init(&writer->root, schema, true, err) != SF_OK)
        return NULL;
    return g_steal_pointer(&writer);
}

void json_writer_free(JsonWriter *writer)
{
    if (writer)
        writer_done(&writer->root);
    g_free(writer);
}

static SfStatus point_children(Writer *writer, SfError *err)
{
    for (size_t i = 0; i < writer->n_children; i++) {
        Writer *child = &writer->children[i];
        SF_TRY(sf_column_child(&writer->column, (int64_t) i, &child->column, err));
        SF_TRY(point_children(child, err));
    }
    return SF_OK;
}

SfStatus json_writer_batch(JsonWriter *writer, const SfBatch *batch, SfError *err)
{
    SF_TRY(sf_column_view(batch->schema, &batch->rows, &writer->root.column, err));
    return point_children(&writer->root, err);
}

static void write_members(const Writer *writer, int64_t row, GString *out);

static void write_list(const Writer *writer, int64_t row, GString *out);

static void write_value(const Writer *writer, int64_t row, GString *out)
{
    const SfColumn *column = &writer->column;
    SfBytes bytes;
    switch (writer->type) {
    case SF_BOOL:
        put_json(out, sf_bool(column, row) ? "true" : "false", sf_bool(column, row) ? 4 : 5);
        break;
    case SF_INT32:
        json_write_int(out, sf_i32(column, row));
        break;
    case SF_INT64:
        json_write_int(out, sf_i64(column, row));
        break;
    case SF_FLOAT64:
        json_write_float(out, sf_f64(column, row));
        break;
    case SF_DECIMAL128:
        json_write_decimal(out, sf_decimal(column, row), column->scale);
        break;
    case SF_UTF8:
        bytes = sf_bytes(column, row);
        json_write_text(out, bytes.data, (gsize) bytes.size);
        break;
    case SF_BINARY:
        bytes = sf_bytes(column, row);
        json_write_base64(out, bytes.data, (gsize) bytes.size);
        break;
    case SF_DATE:
        json_write_date(out, sf_i32(column, row));
        break;
    case SF_TIMESTAMP:
        json_write_timestamp(out, sf_i64(column, row));
        break;
    case SF_LIST:
        write_list(writer, row, out);
        break;
    case SF_STRUCT:
    case SF_TYPE_32_BITS:
        write_members(writer, row, out);
        break;
    }
}

static void write_nullable(const Writer *writer, int64_t row, GString *out)
{
    if (sf_is_null(&writer->column, row))
        put_json(out, "null", 4);
    else
        write_value(writer, row, out);
}

static void write_list(const Writer *writer, int64_t row, GString *out)
{
    int64_t first = 0;
    int64_t n = sf_list(&writer->column, row, &first);
    g_string_append_c(out, '[');
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        write_nullable(&writer->children[0], first + i, out);
    }
    g_string_append_c(out, ']');
}

static void write_raw(const Writer *writer, int64_t row, GString *out)
{
    SfBytes bytes = sf_bytes(&writer->column, row);
    if (sf_is_utf8(bytes.data, bytes.size)) {
        put_json(out, writer->key, writer->key_size);
        json_write_text(out, bytes.data, (gsize) bytes.size);
    } else {
        g_string_append(out, writer->base64_key);
        json_write_base64(out, bytes.data, (gsize) bytes.size);
    }
}

static void write_members(const Writer *writer, int64_t row, GString *out)
{
    for (size_t i = 0; i < writer->n_children; i++) {
        const Writer *member = &writer->children[i];
        if (member->raw && !sf_is_null(&member->column, row)) {
            write_raw(member, row, out);
            continue;
        }
        put_json(out, member->key, member->key_size);
        write_nullable(member, row, out);
    }
    put_json(out, "{}" + (writer->n_children > 0), writer->n_children > 0 ? 1 : 2);
}

void json_writer_row(const JsonWriter *writer, int64_t row, GString *out)
{
    write_members(&writer->root, row, out);
}
