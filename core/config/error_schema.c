/* The schema of a step's errors output: the input's columns (of any depth), then who refused the row and why. */
#include "error_schema.h"
#include "data/auto.h"

static void release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        sf_schema_done(schema->children[i]);
        g_free(schema->children[i]);
    }
    g_free(schema->children);
    schema->release = NULL;
}

/* An empty struct with room for so many columns; columns are counted as they come. */
static void error_schema_start(struct ArrowSchema *out, int64_t room)
{
    *out = (struct ArrowSchema){.format = "+s", .name = "", .release = release};
    out->children = g_new0(struct ArrowSchema *, (gsize) room);
}

static SfStatus error_schema_add(struct ArrowSchema *out, const struct ArrowSchema *column, SfError *err)
{
    struct ArrowSchema copy = {0};
    SF_TRY(sf_schema_copy(column, &copy, err));
    struct ArrowSchema *child = g_new0(struct ArrowSchema, 1);
    *child = copy;
    out->children[out->n_children++] = child;
    return SF_OK;
}

static SfStatus error_schema_fill(const struct ArrowSchema *input, const struct ArrowSchema *added,
                                  struct ArrowSchema *out, SfError *err)
{
    for (int64_t i = 0; i < input->n_children; i++)
        if (sf_schema_find(added, input->children[i]->name) < 0)
            SF_TRY(error_schema_add(out, input->children[i], err));
    for (int64_t i = 0; i < added->n_children; i++)
        SF_TRY(error_schema_add(out, added->children[i], err));
    return SF_OK;
}

SfStatus error_schema_make(const struct ArrowSchema *input, struct ArrowSchema *out, SfError *err)
{
    static const SfField fields[] = {
        {.name = ERROR_STEP_COLUMN, .type = SF_UTF8},
        {.name = ERROR_CAUSE_COLUMN, .type = SF_UTF8},
    };
    g_auto(ArrowSchema) added = {0};
    g_auto(ArrowSchema) schema = {0};
    SF_TRY(sf_schema_make(fields, G_N_ELEMENTS(fields), &added, err));
    error_schema_start(&schema, input->n_children + added.n_children);
    SF_TRY(error_schema_fill(input, &added, &schema, err));
    *out = schema;
    schema.release = NULL;
    return SF_OK;
}
