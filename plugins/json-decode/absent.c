/* One look a batch at the columns' counts of nulls, until enough rows have been seen. */
#include "absent.h"

enum { ENOUGH = 1000 }; /* rows */

void absent_init(Absent *absent, const GPtrArray *fields)
{
    absent->left = g_ptr_array_new();
    absent->columns = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < fields->len; i++) {
        g_ptr_array_add(absent->left, g_ptr_array_index(fields, i));
        g_array_append_val(absent->columns, i);
    }
}

void absent_done(Absent *absent)
{
    g_clear_pointer(&absent->left, g_ptr_array_unref);
    g_clear_pointer(&absent->columns, g_array_unref);
}

static void tell(const Absent *absent, SfNode *node)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < absent->left->len; i++) {
        const Field *field = g_ptr_array_index(absent->left, i);
        g_string_append_printf(names, "%s'%s'", i > 0 ? ", " : "", field->name);
        for (guint j = 0; field->paths && j < field->paths->len; j++)
            g_string_append_printf(names, "%s%s", j == 0 ? " from " : " or ",
                                   ((const JsonPath *) g_ptr_array_index(field->paths, j))->text);
    }
    sf_log(node, SF_LOG_WARNING,
           "null in all of the first %" G_GINT64_FORMAT " rows: %s; is it called so in the events?", absent->rows,
           names->str);
}

void absent_note(Absent *absent, SfNode *node, const struct ArrowArray *columns, int64_t rows)
{
    if (absent->told)
        return;
    for (guint i = absent->left->len; i > 0; i--) {
        if (columns[g_array_index(absent->columns, guint, i - 1)].null_count == rows)
            continue;
        g_ptr_array_remove_index(absent->left, i - 1);
        g_array_remove_index(absent->columns, i - 1);
    }
    absent->rows += rows;
    absent->told = absent->rows >= ENOUGH || absent->left->len == 0;
    if (absent->told && absent->left->len > 0)
        tell(absent, node);
}
