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
