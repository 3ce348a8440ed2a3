/* Random rows of any schema, for tests that compare an operation with its plain definition. */
#include "rows.h"

#include "int128.h"

static void add_bytes(SfColumnBuilder *column, GRand *random)
{
    char bytes[40];
    gint32 size = g_rand_int_range(random, 0, g_rand_boolean(random) ? 12 : (gint32) sizeof bytes);
    for (gint32 i = 0; i < size; i++)
        bytes[i] = (char) g_rand_int_range(random, 1, column->type == SF_UTF8 ? 128 : 256);
    sf_add_str(column, bytes, size);
}

static SfDecimal random_decimal(gint32 precision, GRand *random)
{
    Int128 value = 0;
    for (gint32 digits = g_rand_int_range(random, 0, precision + 1); digits > 0; digits--)
        value = value * 10 + g_rand_int_range(random, 0, 10);
    if (g_rand_boolean(random))
        value = -value;
    return (SfDecimal){.low = (guint64) value, .high = (gint64) (value >> 64)};
}

static void add_random(const struct ArrowSchema *schema, SfColumnBuilder *column, GRand *random);

static void add_nested(const struct ArrowSchema *schema, SfColumnBuilder *column, GRand *random)
{
    if (column->type == SF_LIST) {
        for (gint32 n = g_rand_int_range(random, 0, 4); n > 0; n--)
            add_random(schema->children[0], column->children[0], random);
        sf_add_list(column);
        return;
    }
    for (size_t i = 0; i < column->n_children; i++)
        add_random(schema->children[i], column->children[i], random);
    sf_add_struct(column);
}

static void add_random(const struct ArrowSchema *schema, SfColumnBuilder *column, GRand *random)
{
    SfField field;
    g_assert_cmpint(sf_schema_field(schema, &field, NULL), ==, SF_OK);
    if (field.nullable && g_rand_int_range(random, 0, 4) == 0) {
        sf_add_null(column);
        return;
    }
    switch (column->type) {
    case SF_BOOL:
        sf_add_bool(column, g_rand_boolean(random));
        break;
    case SF_INT32:
    case SF_DATE:
        sf_add_i32(column, g_rand_int_range(random, -700000, 2900000)); /* dates within 1 and 9999 */
        break;
    case SF_INT64:
    case SF_TIMESTAMP:
        sf_add_i64(column, g_rand_int_range(random, G_MININT32, G_MAXINT32) * INT64_C(28111111));
        break;
    case SF_FLOAT64:
        sf_add_f64(column, g_rand_double_range(random, -1e9, 1e9));
        break;
    case SF_DECIMAL128:
        sf_add_decimal(column, random_decimal(field.precision, random));
        break;
    case SF_UTF8:
    case SF_BINARY:
        add_bytes(column, random);
        break;
    default:
        add_nested(schema, column, random);
    }
}

void rows_random(const struct ArrowSchema *schema, gsize n, GRand *random, struct ArrowArray *out)
{
    SfError err;
    g_autoptr(SfBuilder) builder = sf_builder_new(schema, &err);
    if (!builder)
        g_error("%s", err.message);
    for (gsize row = 0; row < n; row++) {
        for (gint64 i = 0; i < schema->n_children; i++)
            add_random(schema->children[i], sf_builder_column(builder, (size_t) i), random);
        if (sf_builder_end_row(builder, &err) != SF_OK)
            g_error("%s", err.message);
    }
    if (sf_builder_finish(builder, out, &err) != SF_OK)
        g_error("%s", err.message);
}
