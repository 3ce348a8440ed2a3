/* CREATE TABLE and ALTER TABLE, always outside of transactions. */
#include "schema.h"

#include "catalog.h"

SfStatus schema_create(Session *session, const char *create_table, SfError *err)
{
    sf_fault(session->node, "gold-ddl");
    SfStatus status = odbc_exec(session->odbc, create_table, NULL, err);
    if (status != SF_EMPTY || !session->schema)
        return status == SF_REJECT || status == SF_EMPTY ? SF_RETRY : status;
    g_autoptr(GString) sql = g_string_new("CREATE SCHEMA IF NOT EXISTS ");
    sql_name(session->dialect, session->schema, sql);
    SF_TRY(session_exec(session, sql->str, err));
    return session_exec(session, create_table, err);
}

static SfStatus create_table(Session *session, const Place *place, SfError *err)
{
    if (!session->create)
        return sf_value_fail(place->target->place, err, "table '%s' does not exist, and 'create' is false",
                             place->target->table);
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_create_table(place, sql);
    return schema_create(session, sql->str, err);
}

static SfStatus add_column(Session *session, const Place *place, guint number, SfError *err)
{
    const Column *column = target_column(place->target, number);
    if (target_is_key(place->target, number))
        return sf_value_fail(
            place->target->place, err,
            "table '%s' exists and has no column '%s', which is its key here; correct 'key', or drop the "
            "table",
            place->target->table, column->name);
    if (!session->create)
        return sf_value_fail(place->target->place, err, "table '%s' has no column '%s', and 'create' is false",
                             place->target->table, column->name);
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add_column(place, column, sql);
    sf_fault(session->node, "gold-ddl");
    SfStatus status = session_exec(session, sql->str, err);
    if (status == SF_OK)
        sf_log(session->node, SF_LOG_INFO, "table '%s': column '%s' added", place->target->table, column->name);
    else if (status == SF_FATAL)
        status = SF_RETRY; /* another process may have added it in the same moment: the next try sees it */
    return status;
}

static SfStatus check_column(const Place *place, const Column *column, const char *type, SfError *err)
{
    const Source *source = column_source(place->model, column);
    if (column->override || place->dialect->takes(source, type))
        return SF_OK;
    g_autoptr(GString) ours = g_string_new(NULL);
    place->dialect->type(source, ours);
    return sf_value_fail(
        place->target->place, err,
        "table '%s': column '%s' is %s in the database, which does not hold every %s of the input exactly; "
        "change it to %s, or give it a 'type' to say that this is meant",
        place->target->table, column->name, *type ? type : "without type", sf_type_name(source->type), ours->str);
}

static SfStatus check_order(const Place *place, SfError *err)
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

static SfStatus check_names(const Place *place, SfError *err)
{
    SfError why;
    SfStatus status = sql_check_name(place->dialect, place->target->table, &why);
    for (guint i = 0; i < place->target->columns->len && status == SF_OK; i++)
        status = sql_check_name(place->dialect, target_column(place->target, i)->name, &why);
    return status == SF_OK
               ? SF_OK
               : sf_value_fail(place->target->place, err, "table '%s': %s", place->target->table, why.message);
}

SfStatus schema_ensure(Session *session, const Place *place, GHashTable *columns, SfError *err)
{
    SF_TRY(check_order(place, err));
    SF_TRY(check_names(place, err));
    g_autofree char *table = sql_folded(session->dialect, place->target->table);
    SF_TRY(catalog_columns(session, table, columns, err));
    if (g_hash_table_size(columns) == 0)
        return create_table(session, place, err);
    for (guint i = 0; i < place->target->columns->len; i++) {
        const Column *column = target_column(place->target, i);
        g_autofree char *name = catalog_name(session, column->name);
        const char *type = g_hash_table_lookup(columns, name);
        if (type)
            SF_TRY(check_column(place, column, type, err));
        else
            SF_TRY(add_column(session, place, i, err));
    }
    return SF_OK;
}

int *schema_limits(const Session *session, const Target *target, GHashTable *columns)
{
    int *limits = g_new(int, target->columns->len);
    for (guint i = 0; i < target->columns->len; i++) {
        const Column *column = target_column(target, i);
        g_autofree char *name = catalog_name(session, column->name);
        const char *type = g_hash_table_lookup(columns, name);
        if (!type)
            type = column->override ? column->override : "";
        limits[i] = session->dialect->limit ? session->dialect->limit(type) : -1;
    }
    return limits;
}
