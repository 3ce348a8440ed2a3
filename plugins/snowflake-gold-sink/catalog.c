/* Tables and columns as the database has them. */
#include "catalog.h"

/* What two names have in common that are one to the database, as its catalogue has them. */
static char *catalog_key(const Dialect *dialect, const char *stored)
{
    return dialect->name_case == NAME_AS_IT_IS ? g_ascii_strdown(stored, -1) : g_strdup(stored);
}

char *catalog_name(const Session *session, const char *name)
{
    g_autofree char *folded = sql_folded(session->dialect, name);
    return catalog_key(session->dialect, folded);
}

SfStatus catalog_columns(Session *session, const char *table, GHashTable *out, SfError *err)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    session->dialect->list_columns(session->schema, table, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    if (status != SF_OK)
        return status == SF_EMPTY ? SF_OK : status;
    while ((status = odbc_fetch(statement, err)) == SF_OK) {
        const char *text = NULL;
        SF_TRY(odbc_text(statement, 0, &text, err));
        g_autofree char *name = catalog_key(session->dialect, text ? text : "");
        SF_TRY(odbc_text(statement, 1, &text, err));
        g_hash_table_insert(out, g_steal_pointer(&name), g_strdup(text ? text : ""));
    }
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus catalog_has_rules(Session *session, bool *out, SfError *err)
{
    g_autoptr(OdbcStatement) statement = NULL;
    *out = false;
    if (!session->dialect->find_rules)
        return SF_OK;
    SfStatus status = odbc_query(session->odbc, session->dialect->find_rules, &statement, err);
    if (status == SF_OK)
        status = odbc_fetch(statement, err);
    *out = status == SF_OK;
    return status == SF_EMPTY ? SF_OK : status;
}
