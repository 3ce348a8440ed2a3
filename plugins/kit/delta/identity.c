/* Identity columns (PROTOCOL.md, "Identity Columns"): numbers that the table gives out, the highest of which is kept in
 * the column's metadata. */
#include "delta.h"

#define MARK "delta.identity.highWaterMark"

static void identity_free(gpointer data)
{
    DeltaIdentity *identity = data;
    g_free(identity->name);
    g_free(identity);
}

static bool identity_number(json_object *metadata, const char *name, int64_t *out)
{
    json_object *number = delta_json_member(metadata, name, json_type_int);
    *out = number ? json_object_get_int64(number) : 0;
    return number;
}

GPtrArray *delta_identities_new(const DeltaLog *log, json_object *schema)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(identity_free);
    json_object *fields = delta_json_member(schema, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        json_object *metadata = delta_json_member(field, "metadata", json_type_object);
        int64_t start;
        int64_t step;
        bool there = identity_number(metadata, "delta.identity.start", &start);
        if (!identity_number(metadata, "delta.identity.step", &step) || !there || step == 0 ||
            !delta_log_supports(log, "identityColumns") || !delta_json_text(field, "name"))
            continue;
        DeltaIdentity *identity = g_new0(DeltaIdentity, 1);
        json_object *explicit = delta_json_member(metadata, "delta.identity.allowExplicitInsert", json_type_boolean);
        identity->name = g_strdup(delta_json_text(field, "name"));
        identity->start = start;
        identity->step = step;
        identity->explicit = explicit && json_object_get_boolean(explicit);
        identity->marked = identity_number(metadata, MARK, &identity->mark);
        identity->begun = identity->marked;
        identity->last = identity->mark;
        g_ptr_array_add(out, identity);
    }
    return out;
}

DeltaIdentity *delta_identity_find(const GPtrArray *identities, const char *name)
{
    for (guint i = 0; identities && i < identities->len; i++) {
        DeltaIdentity *identity = identities->pdata[i];
        if (delta_name_equal(identity->name, name))
            return identity;
    }
    return NULL;
}

bool delta_identity_next(DeltaIdentity *identity, int64_t *out)
{
    int64_t next = identity->start;
    if (identity->begun && __builtin_add_overflow(identity->last, identity->step, &next))
        return false;
    identity->begun = true;
    *out = identity->last = next;
    return true;
}

bool delta_identity_moved(const DeltaIdentity *identity)
{
    return identity->begun != identity->marked || identity->last != identity->mark;
}

bool delta_identity_follows(const DeltaIdentity *identity, const DeltaIdentity *older)
{
    return identity->marked == older->marked && identity->mark == older->mark && identity->start == older->start &&
           identity->step == older->step;
}

void delta_identity_write(const DeltaIdentity *identity, json_object *schema)
{
    json_object *field = delta_schema_field(schema, identity->name);
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    if (metadata && identity->begun)
        json_object_object_add(metadata, MARK, json_object_new_int64(identity->last));
}

void delta_identity_written(DeltaIdentity *identity)
{
    identity->marked = identity->begun;
    identity->mark = identity->last;
}
