/* Tables by themselves: making them, their columns, and what a row is to them. */
#include "target.h"

void target_free(Target *target)
{
    g_array_unref(target->columns);
    g_hash_table_unref(target->names);
    g_hash_table_unref(target->of_source);
    g_array_unref(target->key);
    g_array_unref(target->order);
    when_free(target->delete_when);
    when_free(target->skip_when);
    if (target->deleted)
        target_free(target->deleted);
    g_free(target);
}

gint64 target_find(const Target *target, const char *name)
{
    return name_set_find(target->names, name);
}

gint64 target_find_source(const Target *target, guint source)
{
    return (gint64) GPOINTER_TO_UINT(g_hash_table_lookup(target->of_source, GUINT_TO_POINTER(source))) - 1;
}

guint target_add(Target *target, Column column)
{
    guint number = target->columns->len;
    g_array_append_val(target->columns, column);
    name_set_add(target->names, column.name, number);
    if (target_find_source(target, column.source) < 0)
        g_hash_table_insert(target->of_source, GUINT_TO_POINTER(column.source), GUINT_TO_POINTER(number + 1));
    return number;
}

static void add_numbers(const Target *from, const GArray *numbers, Target *to, GArray *out)
{
    for (guint i = 0; i < numbers->len; i++) {
        const Column *column = target_column(from, g_array_index(numbers, guint, i));
        gint64 number = target_find(to, column->name);
        guint at = number >= 0 ? (guint) number : target_add(to, *column);
        g_array_append_val(out, at);
    }
}

Target *target_new(GStringChunk *text, const char *table, bool is_fact, const SfValue *place)
{
    Target *target = g_new0(Target, 1);
    *target = (Target){.table = g_string_chunk_insert_const(text, table),
                       .is_fact = is_fact,
                       .place = place,
                       .columns = g_array_new(FALSE, FALSE, sizeof(Column)),
                       .names = name_set_new(MODEL_NAMES),
                       .of_source = g_hash_table_new(NULL, NULL),
                       .key = g_array_new(FALSE, FALSE, sizeof(guint)),
                       .order = g_array_new(FALSE, FALSE, sizeof(guint))};
    return target;
}

Target *target_deleted(GStringChunk *text, const Target *target, SfError *err)
{
    g_autofree char *name = g_strconcat("sf_deleted_", target->table, NULL);
    Target *deleted = target_new(text, name, target->is_fact, target->place);
    deleted->stamp = "_deleted_at";
    add_numbers(target, target->key, deleted, deleted->key);
    add_numbers(target, target->order, deleted, deleted->order);
    if (target_find(deleted, deleted->stamp) < 0)
        return deleted;
    sf_value_fail(target->place, err,
                  "table '%s': its table of deleted keys has a column '%s' of its own; rename yours", target->table,
                  deleted->stamp);
    target_free(deleted);
    return NULL;
}

Fate target_fate(const Target *target, gint64 tombstone, const SfColumn *views, int64_t row)
{
    if (target->skip_when && when_holds(target->skip_when, views, row))
        return FATE_SKIP;
    if (tombstone >= 0) {
        const SfColumn *view = &views[tombstone];
        if (!sf_is_null(view, row) && sf_bool(view, row))
            return FATE_TOMBSTONE;
    }
    return target->delete_when && when_holds(target->delete_when, views, row) ? FATE_DELETE : FATE_KEEP;
}

bool target_is_key(const Target *target, guint column)
{
    for (guint i = 0; i < target->key->len; i++)
        if (g_array_index(target->key, guint, i) == column)
            return true;
    return false;
}
