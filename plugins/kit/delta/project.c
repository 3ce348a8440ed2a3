/* The file's schema of the rows of one input: the table's names and nullability over the rows' types and layouts, and
 * how the file stores what is not the table's type. */
#include "delta.h"

static bool null_flag(json_object *type, const char *member)
{
    json_object *flag = delta_json_member(type, member, json_type_boolean);
    return !flag || json_object_get_boolean(flag);
}

static ParquetAs stored_as(json_object *type)
{
    static const struct {
        const char *type;
        ParquetAs as;
    } rows[] = {{"byte", PARQUET_AS_INT8},
                {"short", PARQUET_AS_INT16},
                {"float", PARQUET_AS_FLOAT},
                {"timestamp_ntz", PARQUET_AS_LOCAL_TIME}};
    const char *name = json_object_is_type(type, json_type_string) ? json_object_get_string(type) : "";
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].type, name) == 0)
            return rows[i].as;
    return PARQUET_AS_IT_IS;
}

typedef struct Place {
    json_object *type;  /* the table's */
    json_object *spark; /* NULL: nothing beside it */
    const struct ArrowSchema *input;
    SfField *field;
    ParquetHint *hint;
    bool mapped;
} Place;

static void project(GPtrArray *owned, const Place *place);

static void project_members(GPtrArray *owned, const Place *place, SfField *children)
{
    g_autoptr(GHashTable) names = delta_names_of_type(place->type);
    for (int64_t i = 0; i < place->input->n_children; i++) {
        const struct ArrowSchema *input = place->input->children[i];
        json_object *field = delta_schema_field_at(place->type, names, input->name);
        const char *name = delta_json_text(field, "name");
        project(owned, &(Place){.type = delta_type_of(field, "type"),
                                .spark = delta_type_of(place->spark, name),
                                .input = input,
                                .field = &children[i],
                                .hint = &place->hint->children[i],
                                .mapped = place->mapped});
        children[i].name = delta_file_name(field, place->mapped);
        children[i].nullable = delta_field_nullable(field);
        place->hint->children[i].field_id = delta_field_id(field, place->mapped);
    }
}

static void project_entry(GPtrArray *owned, const Place *place, SfField *entry)
{
    static const char *const members[] = {"keyType", "valueType"};
    static const char *const names[] = {"key", "value"};
    const struct ArrowSchema *input = place->input->children[0];
    SfField *pair = g_new0(SfField, 2);
    ParquetHint *hints = g_new0(ParquetHint, 2);
    g_ptr_array_add(owned, pair);
    g_ptr_array_add(owned, hints);
    *entry = (SfField){.name = "element", .type = SF_STRUCT, .n_children = 2, .children = pair};
    place->hint->children[0].children = hints;
    for (int i = 0; i < 2; i++) {
        project(owned, &(Place){.type = delta_type_of(place->type, members[i]),
                                .spark = delta_type_of(place->spark, members[i]),
                                .input = input->children[i],
                                .field = &pair[i],
                                .hint = &hints[i],
                                .mapped = place->mapped});
        pair[i].name = names[i];
        pair[i].nullable = i == 1 && null_flag(place->type, "valueContainsNull");
    }
}

static void project_element(GPtrArray *owned, const Place *place, SfField *element)
{
    project(owned, &(Place){.type = delta_type_of(place->type, "elementType"),
                            .spark = delta_type_of(place->spark, "elementType"),
                            .input = place->input->children[0],
                            .field = element,
                            .hint = &place->hint->children[0],
                            .mapped = place->mapped});
    element->name = "element";
    element->nullable = null_flag(place->type, "containsNull");
}

/* Names are the table's JSON's: valid as long as it. */
static void project(GPtrArray *owned, const Place *place)
{
    sf_schema_field(place->input, place->field, NULL);
    gsize n = (gsize) place->input->n_children;
    place->field->n_children = n;
    if (n == 0) {
        place->hint->as = stored_as(place->type);
        int limit;
        place->hint->pad = delta_text_limit(place->spark, "char", &limit) ? limit : 0;
        if (place->field->type == SF_INT32 && json_object_is_type(place->type, json_type_string) &&
            strcmp(json_object_get_string(place->type), "long") == 0)
            place->hint->as = PARQUET_AS_INT64;
        return;
    }
    SfField *children = g_new0(SfField, n);
    place->hint->children = g_new0(ParquetHint, n);
    g_ptr_array_add(owned, children);
    g_ptr_array_add(owned, place->hint->children);
    place->field->children = children;
    bool map = g_strcmp0(delta_json_text(place->type, "type"), "map") == 0;
    if (place->field->type == SF_STRUCT) {
        project_members(owned, place, children);
    } else if (map) {
        place->hint->as = PARQUET_AS_MAP;
        project_entry(owned, place, children);
    } else {
        project_element(owned, place, children);
    }
}

SfStatus delta_schema_project(json_object *schema, bool mapped, const struct ArrowSchema *input, char **leave_out,
                              DeltaProjection *out, SfError *err)
{
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autofree SfField *fields = g_new0(SfField, (gsize) input->n_children);
    g_autofree ParquetHint *hints = g_new0(ParquetHint, (gsize) input->n_children);
    g_autofree int *map = g_new0(int, (gsize) input->n_children);
    size_t n = 0;
    g_autoptr(GHashTable) names = delta_names_of_type(schema);
    g_autoptr(GHashTable) left_out = delta_names_new();
    for (; leave_out && *leave_out; leave_out++)
        delta_names_add(left_out, *leave_out, 0);
    for (int64_t i = 0; i < input->n_children; i++) {
        const struct ArrowSchema *child = input->children[i];
        json_object *field = delta_schema_field_at(schema, names, child->name);
        if (delta_names_find(left_out, child->name) >= 0)
            continue;
        SfError why = {0};
        g_autoptr(json_object) spark = delta_spark_types(field, &why);
        if (why.message[0])
            return sf_fail(err, SF_CONFIG, "%s", why.message);
        project(owned, &(Place){.type = delta_type_of(field, "type"),
                                .spark = spark,
                                .input = child,
                                .field = &fields[n],
                                .hint = &hints[n],
                                .mapped = mapped});
        fields[n].name = delta_file_name(field, mapped);
        hints[n].field_id = delta_field_id(field, mapped);
        fields[n].nullable = delta_field_nullable(field);
        map[n++] = (int) i;
    }
    if (n == 0)
        return sf_fail(err, SF_CONFIG, "all columns are partition columns: there is nothing to write into files");
    SF_TRY(sf_schema_make(fields, n, &out->schema, err));
    out->n = n;
    out->hints = g_steal_pointer(&hints);
    out->owned = g_steal_pointer(&owned);
    out->map = g_steal_pointer(&map);
    return SF_OK;
}

bool delta_hints_equal(const struct ArrowSchema *schema, const ParquetHint *a, const ParquetHint *b)
{
    if (!a || !b)
        return a == b;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (a[i].as != b[i].as || a[i].field_id != b[i].field_id || a[i].pad != b[i].pad ||
            !delta_hints_equal(schema->children[i], a[i].children, b[i].children))
            return false;
    return true;
}

void delta_projection_done(DeltaProjection *projection)
{
    sf_schema_done(&projection->schema);
    g_free(projection->hints);
    g_free(projection->map);
    if (projection->owned)
        g_ptr_array_unref(projection->owned);
    *projection = (DeltaProjection){0};
}
