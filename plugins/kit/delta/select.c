/* Some of a batch's rows as rows of their own. */
#include "data_file.h"

static SfStatus copy_value(const SfColumn *in, int64_t row, SfColumnBuilder *out, SfError *err);

static SfStatus copy_list(const SfColumn *in, int64_t row, SfColumnBuilder *out, SfError *err)
{
    SfColumn element;
    int64_t first, n = sf_list(in, row, &first);
    SF_TRY(sf_column_child(in, 0, &element, err));
    for (int64_t i = 0; i < n; i++)
        SF_TRY(copy_value(&element, first + i, out->children[0], err));
    sf_add_list(out);
    return SF_OK;
}

static SfStatus copy_struct(const SfColumn *in, int64_t row, SfColumnBuilder *out, SfError *err)
{
    for (size_t i = 0; i < out->n_children; i++) {
        SfColumn member;
        SF_TRY(sf_column_child(in, (int64_t) i, &member, err));
        SF_TRY(copy_value(&member, row, out->children[i], err));
    }
    sf_add_struct(out);
    return SF_OK;
}

static SfStatus copy_value(const SfColumn *in, int64_t row, SfColumnBuilder *out, SfError *err)
{
    if (sf_is_null(in, row)) {
        sf_add_null(out);
        return SF_OK;
    }
    switch (in->type) {
    case SF_BOOL:
        sf_add_bool(out, sf_bool(in, row));
        return SF_OK;
    case SF_INT32:
    case SF_DATE:
        sf_add_i32(out, sf_i32(in, row));
        return SF_OK;
    case SF_FLOAT64:
        sf_add_f64(out, sf_f64(in, row));
        return SF_OK;
    case SF_DECIMAL128:
        sf_add_decimal(out, sf_decimal(in, row));
        return SF_OK;
    case SF_UTF8:
    case SF_BINARY: {
        SfBytes bytes = sf_bytes(in, row);
        sf_add_str(out, bytes.data, bytes.size);
        return SF_OK;
    }
    case SF_LIST:
        return copy_list(in, row, out, err);
    case SF_STRUCT:
        return copy_struct(in, row, out, err);
    default:
        sf_add_i64(out, sf_i64(in, row));
        return SF_OK;
    }
}

static SfStatus copy_rows(const SfBatch *batch, const uint8_t *keep, SfBuilder *builder, struct ArrowArray *out,
                          SfError *err)
{
    int64_t kept = 0;
    for (int64_t row = 0; row < sf_rows(batch); row++)
        kept += delta_vector_has(keep, row);
    for (int64_t i = 0; i < batch->schema->n_children; i++) {
        SfColumn column;
        SF_TRY(sf_column_at(batch, i, &column, err));
        for (int64_t row = 0; row < sf_rows(batch); row++) {
            if (delta_vector_has(keep, row))
                SF_TRY(copy_value(&column, row, sf_builder_column(builder, (size_t) i), err));
        }
    }
    SF_TRY(sf_builder_end_rows(builder, kept, err));
    return sf_builder_finish(builder, out, err);
}

SfStatus delta_select_rows(const SfBatch *batch, const uint8_t *keep, struct ArrowArray *out, SfError *err)
{
    SfBuilder *builder = sf_builder_new(batch->schema, err);
    SfStatus status = builder ? copy_rows(batch, keep, builder, out, err) : SF_FATAL;
    sf_builder_free(builder);
    return status;
}
