/* A schema that has every column that it is asked for. */
#include "standin.h"
#include "data/auto.h"

#define ANY_COLUMN "any_other_column" /* nobody asks for it: who has it passes on what comes */

struct StandIn {
    SfField field; /* its type */
    GPtrArray *names;
    struct ArrowSchema raw; /* not set: none */
    struct ArrowSchema schema;
};

static const SfField item = {.name = "item", .type = SF_UTF8, .nullable = true};

static const SfField types[STANDIN_TYPES] = {
    {.type = SF_UTF8},
    {.type = SF_INT64},
    {.type = SF_FLOAT64},
    {.type = SF_DECIMAL128, .precision = 18, .scale = 2},
    {.type = SF_TIMESTAMP},
    {.type = SF_DATE},
    {.type = SF_BOOL},
    {.type = SF_BINARY},
    {.type = SF_LIST, .n_children = 1, .children = &item},
    {.type = SF_STRUCT, .n_children = 1, .children = &item},
};

StandIn *standin_new(guint type, bool raw)
{
    StandIn *standin = g_new0(StandIn, 1);
    standin->field = types[type % STANDIN_TYPES];
    standin->field.nullable = true;
    standin->names = g_ptr_array_new_with_free_func(g_free);
    if (raw)
        sf_schema_raw(&standin->raw, NULL);
    standin_add(standin, ANY_COLUMN);
    return standin;
}

void standin_free(StandIn *standin)
{
    if (!standin)
        return;
    sf_schema_done(&standin->schema);
    sf_schema_done(&standin->raw);
    g_ptr_array_unref(standin->names);
    g_free(standin);
}

bool standin_add(StandIn *standin, const char *name)
{
    for (gint64 i = 0; i < standin->raw.n_children; i++)
        if (g_ascii_strcasecmp(standin->raw.children[i]->name, name) == 0)
            return false;
    for (guint i = 0; i < standin->names->len; i++) {
        if (g_str_equal(standin->names->pdata[i], name))
            return false;
        if (g_ascii_strcasecmp(standin->names->pdata[i], name) == 0)
            g_ptr_array_remove_index(standin->names, i--);
    }
    g_ptr_array_add(standin->names, g_strdup(name));
    return true;
}

const struct ArrowSchema *standin_schema(StandIn *standin)
{
    const struct ArrowSchema none = {.format = "+s", .name = ""};
    g_autofree SfField *fields = g_new0(SfField, standin->names->len);
    for (guint i = 0; i < standin->names->len; i++) {
        fields[i] = standin->field;
        fields[i].name = standin->names->pdata[i];
    }
    sf_schema_done(&standin->schema);
    const struct ArrowSchema *before = standin->raw.release ? &standin->raw : &none;
    SfStatus status = sf_schema_with(before, fields, standin->names->len, &standin->schema, NULL);
    return status == SF_OK ? &standin->schema : NULL;
}

bool standin_shows(const struct ArrowSchema *schema)
{
    return sf_schema_find(schema, ANY_COLUMN) >= 0;
}
