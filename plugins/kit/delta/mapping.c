/* Column mapping (PROTOCOL.md, "Column Mapping"): a column's name in files, statistics and partition values is a
 * physical one that never changes, and each has an id. */
#include "delta.h"

#define NAME_KEY "delta.columnMapping.physicalName"
#define ID_KEY "delta.columnMapping.id"

const char *delta_file_name(json_object *field, bool mapped)
{
    const char *physical =
        mapped ? delta_json_text(delta_json_member(field, "metadata", json_type_object), NAME_KEY) : NULL;
    return physical ? physical : delta_json_text(field, "name");
}

int32_t delta_field_id(json_object *field, bool mapped)
{
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    json_object *id = mapped ? delta_json_member(metadata, ID_KEY, json_type_int) : NULL;
    int64_t number = id ? json_object_get_int64(id) : 0;
    return number > 0 && number <= INT32_MAX ? (int32_t) number : 0;
}

/* Called for every field, at any depth. */
typedef SfStatus (*FieldCall)(json_object *field, gpointer user, SfError *err);

static SfStatus each_field(json_object *type, FieldCall call, gpointer user, SfError *err)
{
    static const char *const inner[] = {"elementType", "keyType", "valueType"};
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        SF_TRY(call(field, user, err));
        SF_TRY(each_field(delta_type_of(field, "type"), call, user, err));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        json_object *nested = delta_json_member(type, inner[i], json_type_object);
        if (nested)
            SF_TRY(each_field(nested, call, user, err));
    }
    return SF_OK;
}

static SfStatus check_field(json_object *field, gpointer user, SfError *err)
{
    (void) user;
    if (delta_field_id(field, true) > 0 &&
        delta_json_text(delta_json_member(field, "metadata", json_type_object), NAME_KEY))
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "column '%s' has no physical name or id, which the feature 'columnMapping' demands",
                   delta_json_text(field, "name"));
}

SfStatus delta_mapping_check(json_object *schema, SfError *err)
{
    return each_field(schema, check_field, NULL, err);
}

static SfStatus highest_id(json_object *field, gpointer user, SfError *err)
{
    (void) err;
    int64_t *highest = user;
    *highest = MAX(*highest, delta_field_id(field, true));
    return SF_OK;
}

static SfStatus name_field(json_object *field, gpointer user, SfError *err)
{
    int64_t *highest = user;
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    if (delta_field_id(field, true) > 0)
        return SF_OK;
    if (*highest >= INT32_MAX)
        return sf_fail(err, SF_CONFIG, "the table has no column ids left");
    g_autofree char *uuid = delta_uuid();
    g_autofree char *name = g_strconcat("col-", uuid, NULL);
    json_object_object_add(metadata, ID_KEY, json_object_new_int64(++*highest));
    json_object_object_add(metadata, NAME_KEY, json_object_new_string(name));
    return SF_OK;
}

SfStatus delta_mapping_extend(json_object *schema, int64_t *highest, SfError *err)
{
    SF_TRY(each_field(schema, highest_id, highest, err));
    return each_field(schema, name_field, highest, err);
}
