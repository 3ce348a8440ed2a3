/* A transform that adds a column: the rows as they are, and how long a text of theirs is. Rows whose text is too long
 * are rejected. */
#include <stdlib.h>
#include <sf/sf.h>

typedef struct Length {
    const char *column;
    const char *to;
    int64_t most;
    SfBuilder *builder; /* of the new column alone */
} Length;

static const SfOption options[] = {
    SF_OPTION_STRING(Length, column, .required = true, .doc = "Column of texts to measure.", .example = "text"),
    SF_OPTION_STRING(Length, to, .value = "length", .doc = "The new column's name."),
    SF_OPTION_INT(Length, most, .value = "0", .min = "0", .doc = "Longest text that stays; 0: any."),
    SF_OPTION_END,
};

static SfStatus bind_length(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    Length *length = node->state;
    const SfField added = {.name = length->to, .type = SF_INT64, .nullable = true};
    SfField field;
    struct ArrowSchema own;
    int64_t column = sf_schema_find(in, length->column);
    if (column < 0)
        return sf_fail(err, SF_CONFIG, "column: there is no column '%s'", length->column);
    SF_TRY(sf_schema_field(in->children[column], &field, err));
    if (field.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG, "column: '%s' is %s, not text", length->column, sf_type_name(field.type));
    SF_TRY(sf_schema_make(&added, 1, &own, err));
    length->builder = sf_builder_new(&own, err);
    sf_schema_done(&own);
    return length->builder ? sf_schema_with(in, &added, 1, out, err) : SF_FATAL;
}

/* The new column's values, for the rows that stay; those have a bit in `keep`. */
static SfStatus measure(SfNode *node, const SfBatch *in, uint8_t *keep, SfError *err)
{
    Length *length = node->state;
    SfColumnBuilder *lengths = sf_builder_column(length->builder, 0);
    SfColumn text;
    SF_TRY(sf_column(in, length->column, SF_UTF8, &text, err));
    for (int64_t row = 0; row < sf_rows(in); row++) {
        int64_t size = sf_is_null(&text, row) ? 0 : sf_bytes(&text, row).size;
        if (length->most > 0 && size > length->most) {
            sf_reject(node, in, row, "%s: a text of %lld bytes, where %lld are the most", length->column,
                      (long long) size, (long long) length->most);
            continue;
        }
        keep[row / 8] |= (uint8_t) (1u << (row % 8));
        if (sf_is_null(&text, row))
            sf_add_null(lengths);
        else
            sf_add_i64(lengths, size);
        SF_TRY(sf_builder_end_row(length->builder, err));
    }
    return SF_OK;
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    Length *length = node->state;
    struct ArrowArray added = {.release = NULL};
    uint8_t *keep = calloc((size_t) sf_rows(in) / 8 + 1, 1);
    SfStatus status = keep ? measure(node, in, keep, err) : sf_fail(err, SF_RETRY, "no memory");
    if (status == SF_OK)
        status = sf_builder_finish(length->builder, &added, err);
    if (status == SF_OK)
        status = sf_batch_keep_with(in, keep, &added, &out->rows, err);
    free(keep);
    return status;
}

static void close_length(SfNode *node)
{
    Length *length = node->state;
    sf_builder_free(length->builder);
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(Length, .name = "text-length", .version = "1.0.0", .summary = "Adds the length of a text",
                      .options = options),
    .bind = bind_length,
    .apply = apply,
    .close = close_length,
};
