/* Fields: their making, and how the output describes them. */
#include "field.h"

Field *field_new(const char *name)
{
    Field *field = g_new0(Field, 1);
    field->name = g_strdup(name);
    field->nullable = true;
    return field;
}

void field_free(Field *field)
{
    if (!field)
        return;
    g_clear_pointer(&field->children, g_ptr_array_unref);
    field_free(field->key);
    g_clear_pointer(&field->forms, g_ptr_array_unref);
    g_clear_pointer(&field->paths, g_ptr_array_unref);
    g_free(field->fallback);
    g_free(field->type);
    g_free(field->name);
    g_free(field);
}

Field *field_add_child(Field *field, const char *name)
{
    if (!field->children)
        field->children = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    Field *child = field_new(name);
    child->parent = field;
    g_ptr_array_add(field->children, child);
    return child;
}

void field_set_column(Field *field, SfColumnBuilder *column)
{
    field->column = column;
    for (guint i = 0; field->children && i < field->children->len; i++)
        field_set_column(g_ptr_array_index(field->children, i), column->children[i]);
    if (field->key)
        field_set_column(field->key, column);
}

SfField field_describe(const Field *field, GPtrArray *arena)
{
    static const SfType types[] = {SF_UTF8, SF_UTF8,   SF_INT32, SF_INT64,     SF_FLOAT64, SF_DECIMAL128,
                                   SF_BOOL, SF_BINARY, SF_DATE,  SF_TIMESTAMP, SF_LIST,    SF_STRUCT};
    SfField out = {.name = field->name,
                   .type = types[field->kind],
                   .nullable = field->nullable,
                   .precision = field->precision,
                   .scale = field->scale};
    if (field->children) {
        SfField *children = g_new0(SfField, field->children->len);
        g_ptr_array_add(arena, children);
        for (guint i = 0; i < field->children->len; i++)
            children[i] = field_describe(g_ptr_array_index(field->children, i), arena);
        out.n_children = field->children->len;
        out.children = children;
    }
    return out;
}
