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

static SfStatus create_target_table(Session *session, const Place *place, SfError *err)
{
    if (!session->create)
        return sf_value_fail(place->target->place, err, "table '%s' does not exist, and 'create' is false",
                             place->target->table);
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_create_table(place, sql);
    SfError why = {""};
    SfStatus status = schema_create(session, sql->str, &why);
    if (status != SF_OK && odbc_was_refused(session->odbc)) /* a type or a name that the database does not take */
        return sf_value_fail(place->target->place, err, "table '%s' cannot be created: %s", place->target->table,
                             why.message);
    return status == SF_OK ? SF_OK : sf_fail(err, status, "%s", why.message);
}

static SfStatus table_has_column(Session *session, const Place *place, const Column *column, bool *has, SfError *err)
{
    g_autofree char *table = sql_folded(session->dialect, place->target->table);
    g_autofree char *name = catalog_name(session, column->name);
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(catalog_columns(session, table, columns, err));
    *has = g_hash_table_contains(columns, name);
    return SF_OK;
}

static SfStatus alter_add_column(Session *session, const Place *place, guint number, SfError *err)
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
    SfError why = {""};
    SfStatus status = session_exec(session, sql->str, &why);
    if (status == SF_OK)
        sf_log(session->node, SF_LOG_INFO, "table '%s': column '%s' added", place->target->table, column->name);
    if (status == SF_OK || !odbc_was_refused(session->odbc))
        return status == SF_OK ? SF_OK : sf_fail(err, status, "%s", why.message);
    bool has = false; /* another process may have added it in the same moment */
    SF_TRY(table_has_column(session, place, column, &has, err));
    return has ? SF_OK
               : sf_value_fail(place->target->place, err, "table '%s': column '%s' cannot be added: %s",
                               place->target->table, column->name, why.message);
}

static SfStatus check_column_type(const Place *place, const Column *column, const char *type, SfError *err)
{
    const Source *source = column_source(place->model, column);
    if (column->override || place->dialect->takes(source, type))
        return SF_OK;
    g_autoptr(GString) ours = g_string_new(NULL);
    place->dialect->type(source, ours);
    return sf_value_fail(
        place->target->place, err,
        "table '%s': column '%s' is %s in the database, which does not hold every %s of the input exactly; "
        "change it to %s, or give it a 'type' if that is intended",
        place->target->table, column->name, *type ? type : "without type", sf_type_name(source->type), ours->str);
}

SfStatus schema_ensure(Session *session, const Place *place, GHashTable *columns, SfError *err)
{
    g_autofree char *table = sql_folded(session->dialect, place->target->table);
    SF_TRY(catalog_columns(session, table, columns, err));
    if (g_hash_table_size(columns) == 0)
        return create_target_table(session, place, err);
    for (guint i = 0; i < place->target->columns->len; i++) {
        const Column *column = target_column(place->target, i);
        g_autofree char *name = catalog_name(session, column->name);
        const char *type = g_hash_table_lookup(columns, name);
        if (type)
            SF_TRY(check_column_type(place, column, type, err));
        else
            SF_TRY(alter_add_column(session, place, i, err));
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
