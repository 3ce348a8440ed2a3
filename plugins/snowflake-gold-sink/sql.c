/* SQL text for tables, upserts and conditions, from the model. */
#include "sql.h"

#include <string.h>

/* Names that people write without quotes are changed as the database changes them; others stay as they are. */
char *sql_folded(const Dialect *dialect, const char *name)
{
    bool simple = g_ascii_isalpha(*name) || *name == '_';
    for (const char *at = name; simple && *at; at++)
        simple = g_ascii_isalnum(*at) || *at == '_';
    if (!simple || dialect->name_case == NAME_AS_IT_IS)
        return g_strdup(name);
    return dialect->name_case == NAME_LOWER ? g_ascii_strdown(name, -1) : g_ascii_strup(name, -1);
}

SfStatus sql_check_name(const Dialect *dialect, const char *name, SfError *err)
{
    if (dialect->longest_name == 0 || strlen(name) <= dialect->longest_name)
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "the name '%s' is longer than the %d bytes that %s keeps of a name", name,
                   (int) dialect->longest_name, dialect->odbc.product);
}

void sql_name(const Dialect *dialect, const char *name, GString *sql)
{
    g_autofree char *folded = sql_folded(dialect, name);
    g_string_append_c(sql, '"');
    for (const char *at = folded; *at; at++) {
        if (*at == '"')
            g_string_append_c(sql, '"');
        g_string_append_c(sql, *at);
    }
    g_string_append_c(sql, '"');
}

void sql_table(const Dialect *dialect, const char *schema, const char *table, GString *sql)
{
    if (schema) {
        sql_name(dialect, schema, sql);
        g_string_append_c(sql, '.');
    }
    sql_name(dialect, table, sql);
}

void sql_string(const Dialect *dialect, const char *text, GString *sql)
{
    g_string_append_c(sql, '\'');
    for (const char *at = text; *at; at++) {
        if (*at == '\'' || (*at == '\\' && dialect->has_backslash_escapes))
            g_string_append_c(sql, *at);
        g_string_append_c(sql, *at);
    }
    g_string_append_c(sql, '\'');
}

static void append_column_name(const Place *place, guint number, GString *sql)
{
    sql_name(place->dialect, target_column(place->target, number)->name, sql);
}

static void append_column_type(const Place *place, const Column *column, GString *sql)
{
    const Dialect *dialect = place->dialect;
    bool text = column_source(place->model, column)->type == SF_UTF8;
    if (column->override)
        g_string_append_printf(sql, "%s%s", column->override,
                               text && dialect->text_suffix ? dialect->text_suffix(column->override) : "");
    else
        dialect->type(column_source(place->model, column), sql);
}

static void append_key_columns(const Place *place, const char *prefix, GString *sql)
{
    for (guint i = 0; i < place->target->key->len; i++) {
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "", prefix);
        append_column_name(place, g_array_index(place->target->key, guint, i), sql);
    }
}

static const Source time_source = {.type = SF_TIMESTAMP};

void sql_create_table(const Place *place, GString *sql)
{
    g_string_append(sql, "CREATE TABLE IF NOT EXISTS ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " (");
    for (guint i = 0; i < place->target->columns->len; i++) {
        append_column_name(place, i, sql);
        g_string_append_c(sql, ' ');
        append_column_type(place, target_column(place->target, i), sql);
        g_string_append(sql, target_is_key(place->target, i) ? " NOT NULL, " : ", ");
    }
    if (place->target->stamp) {
        sql_name(place->dialect, place->target->stamp, sql);
        g_string_append_c(sql, ' ');
        place->dialect->type(&time_source, sql);
        g_string_append(sql, " DEFAULT CURRENT_TIMESTAMP, ");
    }
    g_string_append(sql, "PRIMARY KEY (");
    append_key_columns(place, "", sql);
    g_string_append(sql, "))");
}

void sql_unique_index(const Place *place, GString *sql)
{
    g_autofree char *index = g_strconcat(place->target->table, "_key", NULL);
    g_string_append(sql, "CREATE UNIQUE INDEX ");
    sql_name(place->dialect, index, sql);
    g_string_append(sql, " ON ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " (");
    append_key_columns(place, "", sql);
    g_string_append_c(sql, ')');
}

void sql_add_column(const Place *place, const Column *column, GString *sql)
{
    g_string_append(sql, "ALTER TABLE ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " ADD COLUMN ");
    sql_name(place->dialect, column->name, sql);
    g_string_append_c(sql, ' ');
    append_column_type(place, column, sql);
}

void sql_add_to_ledger(const char *ledger, const char *rows, GString *sql)
{
    g_string_append_printf(sql,
                           "INSERT INTO %s (pipeline, step, input, split, end_position, rows_in, rows_rejected, "
                           "updated_at) VALUES %s ON CONFLICT DO NOTHING",
                           ledger, rows);
}

void sql_columns(const Place *place, const char *prefix, GString *sql)
{
    for (guint i = 0; i < place->target->columns->len; i++) {
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "", prefix);
        append_column_name(place, i, sql);
    }
}

void sql_same_key(const Place *place, const char *one, const char *other, GString *sql)
{
    for (guint i = 0; i < place->target->key->len; i++) {
        guint number = g_array_index(place->target->key, guint, i);
        g_string_append_printf(sql, "%s%s", i > 0 ? " AND " : "", one);
        append_column_name(place, number, sql);
        g_string_append_printf(sql, " = %s", other);
        append_column_name(place, number, sql);
    }
}

/* one.c > other.c OR (other.c IS NULL AND one.c IS NOT NULL) OR (one.c same other.c AND (…the next column…)); of the
 * last column: one.c >= other.c OR other.c IS NULL */
void sql_newer(const Place *place, const char *one, const char *other, GString *sql)
{
    const Target *target = place->target;
    for (guint i = 0; i < target->order->len; i++) {
        guint number = g_array_index(target->order, guint, i);
        g_autoptr(GString) quoted = g_string_new(NULL);
        append_column_name(place, number, quoted);
        bool text = column_source(place->model, target_column(target, number))->type == SF_UTF8;
        const char *bytewise = text ? place->dialect->bytewise : "";
        bool last = i + 1 == target->order->len;
        g_string_append_printf(sql, "%s%s%s %s %s%s%s OR ", one, quoted->str, bytewise, last ? ">=" : ">", other,
                               quoted->str, bytewise);
        if (last)
            g_string_append_printf(sql, "%s%s IS NULL", other, quoted->str);
        else
            g_string_append_printf(sql, "(%s%s IS NULL AND %s%s IS NOT NULL) OR (%s%s %s %s%s AND (", other,
                                   quoted->str, one, quoted->str, one, quoted->str, place->dialect->same, other,
                                   quoted->str);
    }
    for (guint i = 1; i < target->order->len; i++)
        g_string_append(sql, "))");
}

bool sql_assignments(const Place *place, const char *from, GString *sql)
{
    const char *separator = "";
    for (guint i = 0; i < place->target->columns->len; i++) {
        if (target_is_key(place->target, i))
            continue;
        g_string_append(sql, separator);
        append_column_name(place, i, sql);
        g_string_append_printf(sql, " = %s", from);
        append_column_name(place, i, sql);
        separator = ", ";
    }
    for (guint i = 0; place->stale && i < place->stale->len; i++) {
        g_string_append(sql, separator);
        sql_name(place->dialect, place->stale->pdata[i], sql);
        g_string_append(sql, " = NULL");
        separator = ", ";
    }
    if (place->target->stamp) {
        g_string_append(sql, separator);
        sql_name(place->dialect, place->target->stamp, sql);
        g_string_append(sql, " = CURRENT_TIMESTAMP");
        separator = ", ";
    }
    return *separator != '\0';
}

Place sql_deleted(const Place *place)
{
    Place deleted = *place;
    deleted.target = place->target->deleted;
    deleted.stale = NULL;
    deleted.limits = NULL;
    return deleted;
}

/* Where a delete and a row have equal order and no place in a topic, the delete has won: see pending.c. */
void sql_not_deleted(const Place *place, const char *rows, GString *sql)
{
    Place deleted = sql_deleted(place);
    g_string_append_printf(sql, " FROM %s LEFT JOIN ", rows);
    sql_table(place->dialect, place->schema, deleted.target->table, sql);
    g_string_append(sql, " AS d ON ");
    sql_same_key(&deleted, "r.", "d.", sql);
    g_string_append(sql, " WHERE d.");
    append_column_name(&deleted, g_array_index(deleted.target->key, guint, 0), sql);
    g_string_append(sql, place->model->provenance ? " IS NULL OR (" : " IS NULL OR NOT COALESCE((");
    if (place->model->provenance)
        sql_newer(&deleted, "r.", "d.", sql);
    else
        sql_newer(&deleted, "d.", "r.", sql);
    g_string_append(sql, place->model->provenance ? ")" : "), FALSE)");
}

/* WITH r ("a", "b", …) AS (rows) */
static void append_with_rows(const Place *place, const char *rows, GString *sql)
{
    g_string_append(sql, "WITH r (");
    sql_columns(place, "", sql);
    g_string_append_printf(sql, ") AS (%s) ", rows);
}

void sql_erase(const Place *place, const char *rows, GString *sql)
{
    Place deleted = sql_deleted(place);
    append_with_rows(&deleted, rows, sql);
    g_string_append(sql, "DELETE FROM ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " WHERE (");
    append_key_columns(place, "", sql);
    g_string_append(sql, ") IN (SELECT ");
    append_key_columns(place, "t.", sql);
    g_string_append(sql, " FROM r JOIN ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " AS t ON ");
    sql_same_key(place, "t.", "r.", sql);
    g_string_append(sql, " WHERE ");
    sql_newer(&deleted, "r.", "t.", sql);
    g_string_append_c(sql, ')');
}

void sql_upsert(const Place *place, const char *rows, GString *sql)
{
    if (place->target->deleted)
        append_with_rows(place, rows, sql);
    bool ruled = place->ruled && place->dialect->ruled_insert;
    g_string_append(sql, ruled ? place->dialect->ruled_insert : place->dialect->insert);
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " AS t (");
    sql_columns(place, "", sql);
    g_string_append(sql, ") ");
    if (place->target->deleted) {
        g_string_append(sql, "SELECT ");
        sql_columns(place, "r.", sql);
        sql_not_deleted(place, "r", sql);
    } else {
        g_string_append(sql, rows);
    }
    g_string_append(sql, " ON CONFLICT (");
    append_key_columns(place, "", sql);
    g_autoptr(GString) set = g_string_new(NULL);
    if (!sql_assignments(place, "excluded.", set)) {
        g_string_append(sql, ") DO NOTHING");
        return;
    }
    g_string_append_printf(sql, ") DO UPDATE SET %s WHERE ", set->str);
    sql_newer(place, "excluded.", "t.", sql);
}
