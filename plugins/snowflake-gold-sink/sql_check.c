/* SQL text that looks rows up: for the audit. */
#include "model.h"
#include "sql.h"

#include <string.h>

static void append_column(const Place *place, const char *prefix, guint number, GString *sql)
{
    g_string_append(sql, prefix);
    sql_name(place->dialect, target_column(place->target, number)->name, sql);
}

/* one.a IS NOT DISTINCT FROM other.a AND … */
static void append_same(const Place *place, const guint *numbers, guint n, const char *one, const char *other,
                        GString *sql)
{
    for (guint i = 0; i < n; i++) {
        g_string_append(sql, i > 0 ? " AND " : "");
        append_column(place, one, numbers[i], sql);
        g_string_append_printf(sql, " %s ", place->dialect->same);
        append_column(place, other, numbers[i], sql);
    }
}

/* Columns with a type of the user's choice are left out: it may round, or have no equality (json). */
static void append_all_same(const Place *place, GString *sql)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < place->target->columns->len; i++)
        if (!target_column(place->target, i)->override)
            g_array_append_val(numbers, i);
    append_same(place, (const guint *) (gpointer) numbers->data, numbers->len, "r.", "t.", sql);
}

static void append_join(const Place *place, const char *alias, GString *sql)
{
    g_autofree char *prefix = g_strconcat(alias, ".", NULL);
    g_string_append(sql, " LEFT JOIN ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append_printf(sql, " AS %s ON ", alias);
    sql_same_key(place, prefix, "r.", sql);
}

static void append_is_there(const Place *place, const char *prefix, GString *sql)
{
    append_column(place, prefix, g_array_index(place->target->key, guint, 0), sql);
    g_string_append(sql, " IS NOT NULL");
}

/* For rows that are to be in the table. */
static void append_verdict(const Place *place, GString *sql)
{
    g_string_append(sql, "CASE WHEN ");
    append_is_there(place, "t.", sql);
    g_string_append(sql, " THEN CASE WHEN ");
    append_all_same(place, sql);
    g_string_append(sql, " THEN 'same' WHEN ");
    const GArray *order = place->target->order;
    append_same(place, (const guint *) (gconstpointer) order->data, order->len, "r.", "t.", sql);
    g_string_append(sql, " THEN 'changed' WHEN ");
    sql_newer(place, "r.", "t.", sql);
    g_string_append(sql, " THEN 'older' ELSE 'beaten' END");
    if (place->target->deleted) {
        Place deleted = sql_deleted(place);
        g_string_append(sql, " WHEN ");
        append_is_there(&deleted, "d.", sql);
        g_string_append(sql, " AND NOT COALESCE((");
        sql_newer(&deleted, "r.", "d.", sql);
        g_string_append(sql, "), FALSE) THEN 'beaten'");
    }
    g_string_append(sql, " ELSE 'missing' END");
}

/* For rows that delete: `deleted` has their columns, `place` is where they are to be gone. */
static void append_delete_verdict(const Place *place, const Place *deleted, GString *sql)
{
    g_string_append(sql, "CASE WHEN ");
    append_is_there(place, "t.", sql);
    g_string_append(sql, " AND (");
    sql_newer(deleted, "r.", "t.", sql);
    g_string_append(sql, ") THEN 'kept' ELSE 'beaten' END");
}

void sql_check(const Place *place, const Place *erase, const char *rows, GString *sql)
{
    static const char *const names[] = {"topic", "part", "place"};
    const Place *table = erase->target ? erase : place;
    g_string_append(sql, "WITH r (");
    sql_columns(place, "", sql);
    g_string_append_printf(sql, ") AS (%s) SELECT verdict, topic, part, COUNT(*), MIN(place), MAX(place) FROM (SELECT ",
                           rows);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        append_column(place, "r.", (guint) target_provenance(place->model, place->target, i), sql);
        g_string_append_printf(sql, " AS %s, ", names[i]);
    }
    if (erase->target)
        append_delete_verdict(erase, place, sql);
    else
        append_verdict(place, sql);
    g_string_append(sql, " AS verdict FROM r");
    append_join(table, "t", sql);
    if (!erase->target && place->target->deleted) {
        Place deleted = sql_deleted(place);
        append_join(&deleted, "d", sql);
    }
    g_string_append(sql, ") AS x GROUP BY verdict, topic, part ORDER BY 1, 2, 3");
}
