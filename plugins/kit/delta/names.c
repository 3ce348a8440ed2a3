/* Column names as Delta compares them: by Spark's rule. */
#include "delta.h"

bool delta_name_equal(const char *a, const char *b)
{
    return name_equal(NAMES_ANY_CASE, a, b);
}

int delta_column_of(const struct ArrowSchema *schema, const char *name)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (delta_name_equal(schema->children[i]->name, name))
            return (int) i;
    return -1;
}

DeltaNames *delta_names_new(void)
{
    return name_set_new(NAMES_ANY_CASE);
}

bool delta_names_add(DeltaNames *names, const char *name, int64_t number)
{
    return name_set_add(names, name, number);
}

int64_t delta_names_find(const DeltaNames *names, const char *name)
{
    return name_set_find(names, name);
}

DeltaNames *delta_names_of_type(json_object *type)
{
    DeltaNames *names = delta_names_new();
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        const char *name = delta_json_text(json_object_array_get_idx(fields, i), "name");
        if (name)
            delta_names_add(names, name, (int64_t) i);
    }
    return names;
}
