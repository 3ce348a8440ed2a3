/* The decoder, the check and the writer of one build: with the fast paths, or as the module fuzz-json-plain without
 * (JSON_PLAIN). */
#include "json_side.h"

#include <string.h>

#include "decode.h"
#include "type_text.h"
#include "json/write.h"
#include "rows.h"

struct JsonTarget {
    GPtrArray *fields;
    struct ArrowSchema schema;
    SfBuilder *builder;
    Decoder decoder;
    JsonWriter *writer;
};

/* Takes whatever the schema may ask for. */
static void take_all(Field *field)
{
    field->from_text = field->from_number = true;
    field->round = ROUND_HALF_UP;
    for (guint i = 0; field->children && i < field->children->len; i++)
        take_all(g_ptr_array_index(field->children, i));
}

static JsonTarget *new_target(const char *const (*columns)[2], gsize n, bool all)
{
    JsonTarget *target = g_new0(JsonTarget, 1);
    SfError err;
    g_autofree SfField *described = g_new0(SfField, n);
    g_autoptr(GPtrArray) arena = g_ptr_array_new_with_free_func(g_free);
    target->fields = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    for (gsize i = 0; i < n; i++) {
        Field *field = field_new(columns[i][0]);
        g_ptr_array_add(target->fields, field);
        g_assert_cmpint(field_parse(field, columns[i][1], &err), ==, SF_OK);
        if (all)
            take_all(field);
        described[i] = field_describe(field, arena);
    }
    g_assert_cmpint(sf_schema_make(described, n, &target->schema, &err), ==, SF_OK);
    target->builder = sf_builder_new(&target->schema, &err);
    target->writer = json_writer_new(&target->schema, &err);
    for (guint i = 0; i < n; i++)
        field_set_column(g_ptr_array_index(target->fields, i), sf_builder_column(target->builder, i));
    decoder_init(&target->decoder, target->fields, target->builder, false);
    return target;
}

static SfStatus decode(JsonTarget *target, const char *text, gsize size, SfError *err)
{
    return decoder_event(&target->decoder, text, size, err);
}

static char *take_row(JsonTarget *target)
{
    SfError err = {.message = ""};
    SfBatch batch = {.schema = &target->schema};
    g_assert_cmpint(sf_builder_finish(target->builder, &batch.rows, &err), ==, SF_OK);
#if !defined(JSON_PLAIN) /* the harness is the program's */
    rows_assert_valid(&target->schema, &batch.rows);
#endif
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_cmpint(json_writer_batch(target->writer, &batch, &err), ==, SF_OK);
    for (int64_t row = 0; row < sf_rows(&batch); row++)
        json_writer_row(target->writer, row, out);
    sf_array_done(&batch.rows);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

#if !defined(JSON_PLAIN)
const JsonSide json_fast = {.new_target = new_target, .decode = decode, .take_row = take_row, .valid = json_valid};
#else
const JsonSide json_plain = {.new_target = new_target, .decode = decode, .take_row = take_row, .valid = json_valid};
#endif
