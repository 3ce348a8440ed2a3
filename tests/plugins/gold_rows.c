/* A model and pending rows of it. */
#include "gold_rows.h"

#include <string.h>
#include "rows.h"

void gold_rows_init(GoldRows *rows, const char *schema, const char *tables)
{
    SfError err;
    *rows = (GoldRows){.time = "null"};
    g_autofree char *whole = g_strconcat(schema,
                                         ", _topic string not null, _partition int not null, _offset bigint not null, "
                                         "_timestamp timestamp",
                                         NULL);
    rows_schema(whole, &rows->schema);
    rows->diagnostics = diagnostics_new();
    rows->document = yaml_load_text(tables, strlen(tables), "t.yaml", rows->diagnostics);
    const SfValue *root = document_root(rows->document);
    g_autoptr(GHashTable) columns = model_columns(&rows->schema);
    ModelInput input = {.schema = &rows->schema, .name = "rows", .columns = columns};
    rows->model = model_new(sf_value_get(root, "dimensions"), sf_value_get(root, "facts"),
                            !sf_value_get(root, "provenance"), &input, &err);
    if (!rows->model)
        g_error("%s", err.message);
    rows->pending = pending_new(rows->model);
    rows->h = harness_new("snowflake-gold-sink", "connection: DSN=unused\nfacts: {f: {key: id}}");
    harness_input_text(rows->h, "rows", whole);
}

void gold_rows_done(GoldRows *rows)
{
    pending_free(rows->pending);
    model_free(rows->model);
    document_free(rows->document);
    diagnostics_free(rows->diagnostics);
    sf_schema_done(&rows->schema);
    harness_free(rows->h);
}

void gold_rows_add(GoldRows *rows, const char *const *values, gsize n)
{
    SfError err;
    g_autofree gint64 *numbers = g_new0(gint64, rows->model->sources->len);
    g_autoptr(GHashTable) columns = model_columns(&rows->schema);
    ModelInput input = {.schema = &rows->schema, .name = "rows", .columns = columns};
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(
            whole, g_strdup_printf("[%s, \"t\", 0, %d, %s]", values[i], (int) (rows->offset + (gint64) i), rows->time));
    const SfBatch *batch = harness_rows(rows->h, 0, "t/0", rows->offset, (const char *const *) whole->pdata, n);
    rows->offset += (gint64) n;
    g_assert_cmpint(model_match(rows->model, &input, numbers, &err), ==, SF_OK);
    g_assert_cmpint(pending_add(rows->pending, NULL, batch, 0, numbers, &err), ==, SF_OK);
}
