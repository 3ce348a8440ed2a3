/* A transform over whole batches: text to numbers. What is not a number goes to the step's errors output, with its
 * cause. */
#include <sf/sf.h>

typedef struct Parse {
    const char *column;
    SfBuilder *builder;
} Parse;

static const SfOption options[] = {
    SF_OPTION_STRING(Parse, column, .required = true, .doc = "Column of texts to read as numbers.", .example = "text"),
    SF_OPTION_END,
};

/* Checks the input and says what the output is; the builder for it is made here, since it needs nothing else. */
static SfStatus bind_numbers(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    Parse *parse = node->state;
    SfField field;
    int64_t column = sf_schema_find(in, parse->column);
    if (column < 0)
        return sf_fail(err, SF_CONFIG, "there is no column '%s'", parse->column);
    SF_TRY(sf_schema_field(in->children[column], &field, err));
    if (field.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG, "column '%s' is %s, not text", parse->column, sf_type_name(field.type));
    const SfField number = {.name = "number", .type = SF_INT64};
    SF_TRY(sf_schema_make(&number, 1, out, err));
    parse->builder = sf_builder_new(out, err);
    return parse->builder ? SF_OK : SF_FATAL;
}

/* Up to 18 digits, so that nothing overflows. The text has no NUL at its end. */
static bool parse_number(SfBytes text, int64_t *out)
{
    int64_t number = 0;
    if (text.size < 1 || text.size > 18)
        return false;
    for (int64_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (text.data[i] - '0');
    }
    *out = number;
    return true;
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    Parse *parse = node->state;
    SfColumn text;
    SF_TRY(sf_column(in, parse->column, SF_UTF8, &text, err));
    SfColumnBuilder *numbers = sf_builder_column(parse->builder, 0);
    for (int64_t row = 0; row < sf_rows(in); row++) {
        int64_t number;
        SfBytes bytes = sf_bytes(&text, row);
        if (sf_is_null(&text, row)) {
            sf_reject(node, in, row, "%s: null is not a number", parse->column);
        } else if (!parse_number(bytes, &number)) {
            int shown = bytes.size < 40 ? (int) bytes.size : 40;
            sf_reject(node, in, row, "%s: '%.*s' is not a number", parse->column, shown, bytes.data);
        } else {
            sf_add_i64(numbers, number);
            SF_TRY(sf_builder_end_row(parse->builder, err));
        }
    }
    return sf_builder_finish(parse->builder, &out->rows, err);
}

static void close_parse(SfNode *node)
{
    Parse *parse = node->state;
    sf_builder_free(parse->builder);
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(Parse, .name = "parse-numbers", .version = "1.0.0", .summary = "Reads texts as numbers",
                      .options = options),
    .bind = bind_numbers,
    .apply = apply,
    .close = close_parse,
};
