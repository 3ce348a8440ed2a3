/* Schemas: made from fields, copied, searched, compared, described. Which formats are ours: type.c. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sf/schema.h>
#include <sf/batch.h>
#include "auto.h"
#include "type.h"

static void release_schema(struct ArrowSchema *schema)
{
    for (gint64 i = 0; i < schema->n_children; i++) {
        sf_schema_done(schema->children[i]);
        g_free(schema->children[i]);
    }
    g_free(schema->children);
    g_free((gpointer) schema->format);
    g_free((gpointer) schema->name);
    g_free((gpointer) schema->metadata);
    *schema = (struct ArrowSchema){0};
}

void sf_schema_done(struct ArrowSchema *schema)
{
    if (schema && schema->release)
        schema->release(schema);
}

/* A node with room for its children, which are released (empty) until filled in. */
static void node_init(struct ArrowSchema *out, const char *format, const char *name, gint64 flags, gint64 n_children)
{
    *out = (struct ArrowSchema){.format = g_strdup(format),
                                .name = g_strdup(name ? name : ""),
                                .flags = flags,
                                .n_children = n_children,
                                .children = n_children > 0 ? g_new0(struct ArrowSchema *, n_children) : NULL,
                                .release = release_schema};
    for (gint64 i = 0; i < n_children; i++)
        out->children[i] = g_new0(struct ArrowSchema, 1);
}

static SfStatus check_depth(int depth, SfError *err)
{
    if (depth > SF_SCHEMA_MAX_DEPTH)
        return sf_fail(err, SF_CONFIG, "schema nests deeper than %d levels", SF_SCHEMA_MAX_DEPTH);
    return SF_OK;
}

static SfStatus make_node(const SfField *field, int depth, struct ArrowSchema *out, SfError *err)
{
    SF_TRY(check_depth(depth, err));
    char format[TYPE_FORMAT_SIZE];
    SF_TRY(type_format(field, format, sizeof format, err));
    g_auto(ArrowSchema) made = {0};
    node_init(&made, format, field->name, field->nullable ? ARROW_FLAG_NULLABLE : 0, (gint64) field->n_children);
    for (size_t i = 0; i < field->n_children; i++)
        SF_TRY(make_node(&field->children[i], depth + 1, made.children[i], err));
    *out = made;
    made.release = NULL;
    return SF_OK;
}

SfStatus sf_schema_make(const SfField *fields, size_t n, struct ArrowSchema *out, SfError *err)
{
    const SfField root = {.name = "", .type = SF_STRUCT, .n_children = n, .children = fields};
    g_auto(ArrowSchema) made = {0};
    SF_TRY(make_node(&root, 0, &made, err));
    SF_TRY(sf_schema_check(&made, err));
    *out = made;
    made.release = NULL;
    return SF_OK;
}

/* Metadata is a block of its own kind: int32 pairs, then for each int32 size and bytes of key and value
 * (C data interface, "Binary encoding of metadata"). -1: sizes make no sense. */
static gint64 metadata_size(const char *metadata)
{
    gint32 word;
    memcpy(&word, metadata, sizeof word);
    if (word < 0)
        return -1;
    gint64 size = sizeof word;
    for (gint64 strings = 2 * (gint64) word; strings > 0; strings--) {
        memcpy(&word, metadata + size, sizeof word);
        if (word < 0)
            return -1;
        size += (gint64) sizeof word + word;
    }
    return size;
}

static SfStatus copy_node(const struct ArrowSchema *schema, int depth, struct ArrowSchema *out, SfError *err)
{
    SF_TRY(check_depth(depth, err));
    if (schema->dictionary)
        return sf_fail(err, SF_CONFIG, "column '%s' is dictionary-encoded, which a pipeline cannot carry",
                       schema->name ? schema->name : "");
    g_auto(ArrowSchema) made = {0};
    node_init(&made, schema->format, schema->name, schema->flags, schema->n_children);
    if (schema->metadata) {
        gint64 size = metadata_size(schema->metadata);
        if (size < 0)
            return sf_fail(err, SF_CONFIG, "metadata of column '%s' is damaged", made.name);
        made.metadata = g_memdup2(schema->metadata, (gsize) size);
    }
    for (gint64 i = 0; i < schema->n_children; i++)
        SF_TRY(copy_node(schema->children[i], depth + 1, made.children[i], err));
    *out = made;
    made.release = NULL;
    return SF_OK;
}

SfStatus sf_schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *out, SfError *err)
{
    return copy_node(schema, 0, out, err);
}

SfStatus sf_schema_with(const struct ArrowSchema *schema, const SfField *fields, size_t n, struct ArrowSchema *out,
                        SfError *err)
{
    g_auto(ArrowSchema) made = {0};
    node_init(&made, "+s", "", 0, schema->n_children + (gint64) n);
    for (gint64 i = 0; i < schema->n_children; i++)
        SF_TRY(copy_node(schema->children[i], 1, made.children[i], err));
    for (size_t i = 0; i < n; i++)
        SF_TRY(make_node(&fields[i], 1, made.children[schema->n_children + (gint64) i], err));
    SF_TRY(sf_schema_check(&made, err));
    *out = made;
    made.release = NULL;
    return SF_OK;
}

/* Without case, character by character, as Delta tables and Spark compare names: 'straße' and 'strasse' are two. */
static char *fold_name(const char *name)
{
    GString *out = g_string_sized_new(strlen(name));
    for (; *name; name = g_utf8_next_char(name))
        g_string_append_unichar(out, g_unichar_tolower(g_unichar_toupper(g_utf8_get_char(name))));
    return g_string_free(out, FALSE);
}

static SfStatus check_names(const struct ArrowSchema *parent, SfError *err)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gint64 i = 0; i < parent->n_children; i++) {
        const char *name = parent->children[i]->name;
        if (!name || !*name)
            return sf_fail(err, SF_CONFIG, "column %" G_GINT64_FORMAT " has no name", i);
        if (!g_utf8_validate(name, -1, NULL))
            return sf_fail(err, SF_CONFIG, "the name of column %" G_GINT64_FORMAT " is not valid UTF-8", i);
        if (!g_hash_table_add(seen, fold_name(name)))
            return sf_fail(err, SF_CONFIG, "column '%s' is there twice (case does not count)", name);
    }
    return SF_OK;
}

static SfStatus check_node(const struct ArrowSchema *schema, int depth, SfError *err)
{
    SF_TRY(check_depth(depth, err));
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, err));
    if (field.type == SF_STRUCT)
        SF_TRY(check_names(schema, err));
    for (gint64 i = 0; i < schema->n_children; i++)
        SF_TRY(check_node(schema->children[i], depth + 1, err));
    return SF_OK;
}

SfStatus sf_schema_check(const struct ArrowSchema *schema, SfError *err)
{
    if (!schema->release)
        return sf_fail(err, SF_CONFIG, "there is no schema");
    if (g_strcmp0(schema->format, "+s") != 0)
        return sf_fail(err, SF_CONFIG, "a schema is a struct of columns, Arrow format '+s', not '%s'",
                       schema->format ? schema->format : "");
    return check_node(schema, 0, err);
}

int64_t sf_schema_find(const struct ArrowSchema *schema, const char *name)
{
    for (gint64 i = 0; i < schema->n_children; i++)
        if (g_strcmp0(schema->children[i]->name, name) == 0)
            return i;
    return -1;
}

bool sf_schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    SfField fa, fb;
    if (sf_schema_field(a, &fa, NULL) != SF_OK || sf_schema_field(b, &fb, NULL) != SF_OK)
        return false;
    if (fa.type != fb.type || fa.view != fb.view || fa.nullable != fb.nullable || fa.precision != fb.precision ||
        fa.scale != fb.scale || fa.n_children != fb.n_children || strcmp(fa.name, fb.name) != 0)
        return false;
    for (size_t i = 0; i < fa.n_children; i++)
        if (!sf_schema_equal(a->children[i], b->children[i]))
            return false;
    return true;
}

SfStatus sf_schema_raw(struct ArrowSchema *out, SfError *err)
{
    static const SfField header[] = {
        {.name = "key", .type = SF_UTF8},
        {.name = "value", .type = SF_BINARY, .nullable = true},
    };
    static const SfField element = {.name = "item", .type = SF_STRUCT, .n_children = 2, .children = header};
    static const SfField raw[SF_RAW_COLUMNS] = {
        [SF_RAW_KEY] = {.name = "key", .type = SF_BINARY, .nullable = true, .view = true},
        [SF_RAW_VALUE] = {.name = "value", .type = SF_BINARY, .nullable = true, .view = true},
        [SF_RAW_TOPIC] = {.name = "topic", .type = SF_UTF8, .view = true},
        [SF_RAW_PARTITION] = {.name = "partition", .type = SF_INT32},
        [SF_RAW_OFFSET] = {.name = "offset", .type = SF_INT64},
        [SF_RAW_TIMESTAMP] = {.name = "timestamp", .type = SF_TIMESTAMP, .nullable = true},
        [SF_RAW_HEADERS] =
            {.name = "headers", .type = SF_LIST, .nullable = true, .n_children = 1, .children = &element},
    };
    return sf_schema_make(raw, SF_RAW_COLUMNS, out, err);
}
