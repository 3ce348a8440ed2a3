/* Tables by themselves: making them, their columns, and what a row is to them. */
#include "model.h"

void target_free(Target *target)
{
    g_array_unref(target->columns);
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
    for (guint i = 0; i < target->columns->len; i++)
        if (g_ascii_strcasecmp(target_column(target, i)->name, name) == 0)
            return i;
    return -1;
}

static void add_numbers(const Target *from, const GArray *numbers, Target *to, GArray *out)
{
    for (guint i = 0; i < numbers->len; i++) {
        const Column *column = target_column(from, g_array_index(numbers, guint, i));
        gint64 number = target_find(to, column->name);
        if (number < 0) {
            g_array_append_val(to->columns, *column);
            number = to->columns->len - 1;
        }
        guint at = (guint) number;
        g_array_append_val(out, at);
    }
}

Target *target_new(Model *model, const char *table, bool is_fact, const SfValue *place)
{
    Target *target = g_new0(Target, 1);
    *target = (Target){.table = g_string_chunk_insert_const(model->text, table),
                       .is_fact = is_fact,
                       .place = place,
                       .columns = g_array_new(FALSE, FALSE, sizeof(Column)),
                       .key = g_array_new(FALSE, FALSE, sizeof(guint)),
                       .order = g_array_new(FALSE, FALSE, sizeof(guint))};
    return target;
}

Target *target_deleted(Model *model, const Target *target)
{
    g_autofree char *name = g_strconcat("sf_deleted_", target->table, NULL);
    Target *deleted = target_new(model, name, target->is_fact, target->place);
    deleted->stamp = "_deleted_at";
    add_numbers(target, target->key, deleted, deleted->key);
    add_numbers(target, target->order, deleted, deleted->order);
    return deleted;
}

bool model_deletes(const Model *model)
{
    for (guint i = 0; i < model->targets->len; i++)
        if (((Target *) model->targets->pdata[i])->deleted)
            return true;
    return false;
}

Fate target_fate(const Model *model, const Target *target, const SfColumn *views, int64_t row)
{
    if (target->skip_when && when_holds(target->skip_when, views, row))
        return FATE_SKIP;
    if (model->tombstone >= 0) {
        const SfColumn *view = &views[model->tombstone];
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
