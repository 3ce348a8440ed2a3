/* Names, columns and orders within what a database takes. */
#include "bounds.h"

SfStatus bounds_check_names(const Dialect *dialect, const char *schema, const char *ledger, SfError *err)
{
    if (schema && !dialect->has_schemas)
        return sf_fail(err, SF_CONFIG, "%s has no schemas; leave out 'schema: %s'", dialect->odbc.product, schema);
    if (schema)
        SF_TRY(sql_check_name(dialect, schema, err));
    return sql_check_name(dialect, ledger, err);
}

/* A temporary table hides the one of its name for as long as the session lives. */
static SfStatus check_stage_name(const Dialect *dialect, const Model *model, const Target *target, const char *ledger,
                                 SfError *err)
{
    g_autofree char *stage = g_strconcat(dialect->stage, target->table, NULL);
    g_autofree char *record = g_strconcat(ledger, "_columns", NULL);
    SfError why;
    if (sql_check_name(dialect, stage, &why) != SF_OK)
        return sf_value_fail(target->place, err, "table '%s': %s", target->table, why.message);
    gint64 hidden = name_set_find(model->tables, stage);
    if (hidden >= 0)
        return sf_value_fail(((const Target *) model->targets->pdata[hidden])->place, err,
                             "rows of table '%s' go through a temporary table '%s', which would hide this one; rename "
                             "it",
                             target->table, stage);
    if (g_ascii_strcasecmp(stage, ledger) == 0 || g_ascii_strcasecmp(stage, record) == 0)
        return sf_value_fail(target->place, err,
                             "rows of table '%s' go through a temporary table '%s', which would hide the ledger; set "
                             "'ledger' to another name",
                             target->table, stage);
    return SF_OK;
}

SfStatus bounds_check_stages(const Dialect *dialect, const Model *model, const char *ledger, SfError *err)
{
    for (guint i = 0; dialect->stage && i < model->targets->len; i++) {
        const Target *target = model->targets->pdata[i];
        SF_TRY(check_stage_name(dialect, model, target, ledger, err));
        if (target->deleted)
            SF_TRY(check_stage_name(dialect, model, target->deleted, ledger, err));
    }
    return SF_OK;
}

static SfStatus check_order_columns(const Place *place, SfError *err)
{
    for (guint i = 0; place->dialect->orders && i < place->target->order->len; i++) {
        const Column *column = target_column(place->target, g_array_index(place->target->order, guint, i));
        const Source *source = column_source(place->model, column);
        if (!place->dialect->orders(source))
            return sf_value_fail(
                place->target->place, err, "table '%s': 'latest_by' cannot be '%s': %s keeps a decimal(%d,%d) as text",
                place->target->table, column->name, place->dialect->odbc.product, source->precision, source->scale);
    }
    return SF_OK;
}

static SfStatus check_name_lengths(const Place *place, SfError *err)
{
    SfError why;
    SfStatus status = sql_check_name(place->dialect, place->target->table, &why);
    for (guint i = 0; i < place->target->columns->len && status == SF_OK; i++)
        status = sql_check_name(place->dialect, target_column(place->target, i)->name, &why);
    return status == SF_OK
               ? SF_OK
               : sf_value_fail(place->target->place, err, "table '%s': %s", place->target->table, why.message);
}

static SfStatus check_column_count(const Place *place, SfError *err)
{
    guint most = place->dialect->most_columns, columns = place->target->columns->len;
    if (most == 0 || columns <= most)
        return SF_OK;
    return sf_value_fail(place->target->place, err,
                         "table '%s' has %u columns, and %s takes %u at most; name those that it needs in 'columns'",
                         place->target->table, columns, place->dialect->odbc.product, most);
}

SfStatus bounds_check_table(const Place *place, SfError *err)
{
    SF_TRY(check_column_count(place, err));
    SF_TRY(check_order_columns(place, err));
    SF_TRY(check_name_lengths(place, err));
    if (!place->target->deleted)
        return SF_OK;
    Place deleted = sql_deleted(place);
    return check_name_lengths(&deleted, err);
}
