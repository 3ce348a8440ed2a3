/* Which columns have been written, kept in the warehouse. */
#include "written.h"

#include <string.h>
#include "catalog.h"

/* A ledger's name may be just short enough for the database. */
static bool has_record_name(const Session *session)
{
    SfError ignored;
    g_autofree char *name = g_strconcat(session->ledger, "_columns", NULL);
    return sql_check_name(session->dialect, name, &ignored) == SF_OK;
}

static void record_table(const Session *session, GString *sql)
{
    g_autofree char *name = g_strconcat(session->ledger, "_columns", NULL);
    sql_table(session->dialect, session->schema, name, sql);
}

/* One entry of the set: names of tables and columns may hold any other character. */
static char *record_entry(const char *table, const char *column)
{
    return g_strconcat(table, "\n", column, NULL);
}

/* A log-in that may write into the tables but create none goes on as before there was a record. */
static SfStatus create_record(Session *session, SfError *err)
{
    g_autoptr(GString) sql = g_string_new("CREATE TABLE IF NOT EXISTS ");
    static const Source text = {.type = SF_UTF8};
    static const char *const names[] = {"pipeline", "step", "table_name", "column_name"};
    record_table(session, sql);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_string_append_printf(sql, "%s%s ", i > 0 ? ", " : " (", names[i]);
        session->dialect->type(&text, sql);
        g_string_append(sql, " NOT NULL");
    }
    g_string_append_c(sql, ')');
    SfStatus status = session_exec(session, sql->str, err);
    if (status == SF_OK || !odbc_was_forbidden(session->odbc))
        return status;
    sf_log(
        session->node, SF_LOG_WARNING,
        "no record of the columns that are written: %s; a column that is taken out of the pipeline will keep its old "
        "values in rows that change",
        err->message);
    g_clear_pointer(&session->written, g_hash_table_unref);
    return SF_OK;
}

SfStatus written_read(Session *session, SfError *err)
{
    if (!has_record_name(session))
        return SF_OK;
    g_autofree char *name = g_strconcat(session->ledger, "_columns", NULL);
    g_autofree char *folded = sql_folded(session->dialect, name);
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(catalog_columns(session, folded, columns, err));
    if (g_hash_table_size(columns) == 0)
        return SF_OK;
    session->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) sql = g_string_new("SELECT table_name, column_name FROM ");
    record_table(session, sql);
    g_string_append(sql, " WHERE ");
    session_of_this_step(session, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    while (status == SF_OK && (status = odbc_fetch(statement, err)) == SF_OK) {
        const char *text = NULL;
        SF_TRY(odbc_text(statement, 0, &text, err));
        g_autofree char *table = g_strdup(text ? text : "");
        SF_TRY(odbc_text(statement, 1, &text, err));
        g_hash_table_add(session->written, record_entry(table, text ? text : ""));
    }
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus written_writers(Session *session, GHashTable *out, SfError *err)
{
    if (!session->written)
        return SF_OK;
    g_autoptr(GString) sql = g_string_new("SELECT DISTINCT pipeline, step, table_name FROM ");
    record_table(session, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    while (status == SF_OK && (status = odbc_fetch(statement, err)) == SF_OK) {
        const char *text = NULL;
        SF_TRY(odbc_text(statement, 0, &text, err));
        g_autofree char *pipeline = g_strdup(text ? text : "");
        SF_TRY(odbc_text(statement, 1, &text, err));
        g_autofree char *writer = record_entry(pipeline, text ? text : "");
        SF_TRY(odbc_text(statement, 2, &text, err));
        if (name_set_find(session->model->tables, text ? text : "") >= 0)
            g_hash_table_add(out, g_steal_pointer(&writer));
    }
    return status == SF_EMPTY ? SF_OK : status;
}

/* Columns by their catalog_name(): the declared ones, and then the stale ones as well. */
static GHashTable *declared_columns(const Session *session, const Target *target)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < target->columns->len; i++)
        g_hash_table_add(keys, catalog_name(session, target_column(target, i)->name));
    return keys;
}

static void take_stale(const Session *session, GHashTable *there, const char *name, GHashTable *known, GPtrArray *stale)
{
    g_autofree char *key = catalog_name(session, name);
    if (g_hash_table_contains(there, key) && g_hash_table_add(known, g_steal_pointer(&key)))
        g_ptr_array_add(stale, g_strdup(name));
}

static gint by_column_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void warn_stale(Session *session, const Target *target, GPtrArray *stale)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < stale->len; i++)
        g_string_append_printf(names, "%s'%s'", i > 0 ? ", " : "", (const char *) stale->pdata[i]);
    const char *s = stale->len > 1 ? "s" : "";
    sf_log(session->node, SF_LOG_WARNING,
           "table '%s': column%s %s %s no longer written, and will be NULL in each row that is rewritten; drop the "
           "column%s when the older rows' values are not needed",
           target->table, s, names->str, stale->len > 1 ? "are" : "is", s);
}

GPtrArray *written_stale(Session *session, const Target *target, GHashTable *there)
{
    g_autoptr(GPtrArray) stale = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) known = declared_columns(session, target);
    g_autofree char *prefix = record_entry(target->table, "");
    GHashTableIter at;
    gpointer entry;
    if (session->written) {
        g_hash_table_iter_init(&at, session->written);
        while (g_hash_table_iter_next(&at, &entry, NULL))
            if (g_str_has_prefix(entry, prefix))
                take_stale(session, there, (const char *) entry + strlen(prefix), known, stale);
    }
    for (const char *const *name = model_provenance; *name; name++)
        take_stale(session, there, *name, known, stale);
    if (stale->len == 0)
        return NULL;
    g_ptr_array_sort(stale, by_column_name);
    if (!session->warned)
        warn_stale(session, target, stale);
    return g_steal_pointer(&stale);
}

SfStatus written_add(Session *session, SfError *err)
{
    if (!session->written && session->create && has_record_name(session)) {
        session->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        SF_TRY(create_record(session, err));
    }
    if (!session->written)
        return SF_OK;
    g_autoptr(GString) sql = g_string_new("INSERT INTO ");
    record_table(session, sql);
    const char *separator = " VALUES (";
    bool any = false;
    for (guint i = 0; i < session->model->targets->len; i++) {
        const Target *target = session->model->targets->pdata[i];
        for (guint k = 0; k < target->columns->len; k++) {
            const char *values[] = {session->node->pipeline, session->node->step, target->table,
                                    target_column(target, k)->name};
            g_autofree char *entry = record_entry(values[2], values[3]);
            if (g_hash_table_contains(session->written, entry))
                continue;
            g_string_append(sql, separator);
            for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
                g_string_append(sql, v > 0 ? ", " : "");
                sql_string(session->dialect, values[v], sql);
            }
            g_string_append_c(sql, ')');
            separator = ", (";
            any = true;
        }
    }
    return any ? session_exec(session, sql->str, err) : SF_OK;
}
