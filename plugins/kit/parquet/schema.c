/* Arrow schemas → the Parquet tree, and the tree → SchemaElements. Types: parquet-format, LogicalTypes.md; what Delta
 * expects of decimals: the smallest physical type that holds the precision. */
#include "schema.h"

/* Bytes of a two's complement number of so many decimal digits. */
static int32_t decimal_width(int32_t precision)
{
    static const uint8_t widths[] = {1, 1, 1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,  6,  6,  7,  7,  8,  8, 9,
                                     9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return widths[precision];
}

static void set_physical(ParquetNode *node)
{
    if (node->as == PARQUET_AS_INT64 || node->as == PARQUET_AS_FLOAT) {
        node->physical = node->as == PARQUET_AS_INT64 ? PARQUET_INT64 : PARQUET_FLOAT;
        return;
    }
    switch (node->type) {
    case SF_BOOL:
        node->physical = PARQUET_BOOLEAN;
        break;
    case SF_INT32:
    case SF_DATE:
        node->physical = PARQUET_INT32;
        break;
    case SF_INT64:
    case SF_TIMESTAMP:
        node->physical = PARQUET_INT64;
        break;
    case SF_FLOAT64:
        node->physical = PARQUET_DOUBLE;
        break;
    case SF_DECIMAL128:
        node->physical = node->precision <= 9 ? PARQUET_INT32 : node->precision <= 18 ? PARQUET_INT64 : PARQUET_FIXED;
        node->width = node->physical == PARQUET_FIXED ? decimal_width(node->precision) : 0;
        break;
    default:
        node->physical = PARQUET_BYTE_ARRAY;
    }
}

static SfStatus node_new(const struct ArrowSchema *schema, const char *const *maps, const ParquetHint *hint,
                         ParquetNode **out, SfError *err);

static SfStatus add_children(ParquetNode *node, const struct ArrowSchema *schema, const char *const *maps,
                             const ParquetHint *hints, SfError *err)
{
    node->children = g_new0(ParquetNode *, (gsize) schema->n_children);
    for (int64_t i = 0; i < schema->n_children; i++) {
        SF_TRY(node_new(schema->children[i], maps, hints ? &hints[i] : NULL, &node->children[i], err));
        node->n_children++;
    }
    return SF_OK;
}

/* Parquet knows a map's members by place; entries and keys are never null. */
static SfStatus fix_map(ParquetNode *map, SfError *err)
{
    ParquetNode *entry = map->n_children == 1 ? map->children[0] : NULL;
    if (!entry || entry->type != SF_STRUCT || entry->n_children != 2)
        return sf_fail(err, SF_CONFIG, "column '%s': a map's entries are structs of key and value", map->name);
    entry->nullable = false;
    entry->children[0]->nullable = false;
    for (size_t i = 0; i < 2; i++) {
        g_free(entry->children[i]->name);
        entry->children[i]->name = g_strdup(i == 0 ? "key" : "value");
    }
    return SF_OK;
}

static bool hint_fits(const ParquetNode *node, const ParquetHint *hint)
{
    static const SfType of[] = {
        [PARQUET_AS_INT8] = SF_INT32,    [PARQUET_AS_INT16] = SF_INT32,          [PARQUET_AS_INT64] = SF_INT32,
        [PARQUET_AS_FLOAT] = SF_FLOAT64, [PARQUET_AS_LOCAL_TIME] = SF_TIMESTAMP, [PARQUET_AS_MAP] = SF_LIST};
    return (hint->as == PARQUET_AS_IT_IS || node->type == of[hint->as]) && (hint->pad == 0 || node->type == SF_UTF8);
}

static SfStatus take_hint(ParquetNode *node, const ParquetHint *hint, SfError *err)
{
    if (!hint)
        return SF_OK;
    if (!hint_fits(node, hint))
        return sf_fail(err, SF_CONFIG, "column '%s': a %s cannot be stored so", node->name, sf_type_name(node->type));
    node->map |= hint->as == PARQUET_AS_MAP;
    node->as = node->map ? PARQUET_AS_IT_IS : hint->as;
    node->field_id = hint->field_id;
    node->pad = hint->pad;
    return SF_OK;
}

static SfStatus node_new(const struct ArrowSchema *schema, const char *const *maps, const ParquetHint *hint,
                         ParquetNode **out, SfError *err)
{
    g_autoptr(ParquetNode) node = g_new0(ParquetNode, 1);
    SfField field;
    SF_TRY(sf_schema_field(schema, &field, err));
    node->type = field.type;
    node->view = field.view;
    node->precision = field.precision;
    node->scale = field.scale;
    node->nullable = field.nullable;
    node->name = g_strdup(field.name ? field.name : "");
    node->map = node->type == SF_LIST && maps && g_strv_contains(maps, node->name);
    SF_TRY(take_hint(node, hint, err));
    if (node->type == SF_LIST || node->type == SF_STRUCT) {
        SF_TRY(add_children(node, schema, maps, hint ? hint->children : NULL, err));
        if (node->map)
            SF_TRY(fix_map(node, err));
        if (node->n_children == 0)
            return sf_fail(err, SF_CONFIG, "column '%s': Parquet cannot hold a struct without members", node->name);
    } else {
        set_physical(node);
    }
    *out = g_steal_pointer(&node);
    return SF_OK;
}

static void number(ParquetNode *node, unsigned def, unsigned rep, size_t *leaf)
{
    node->max_def = def + node->nullable;
    node->max_rep = rep;
    node->leaf = *leaf;
    unsigned list = node->type == SF_LIST;
    for (size_t i = 0; i < node->n_children; i++)
        number(node->children[i], node->max_def + list, rep + list, leaf);
    if (node->n_children == 0)
        (*leaf)++;
    node->n_leaves = *leaf - node->leaf;
}

ParquetNode *parquet_schema_new(const struct ArrowSchema *schema, const char *const *maps, const ParquetHint *hints,
                                SfError *err)
{
    g_autoptr(ParquetNode) root = NULL;
    ParquetHint all = {.children = (ParquetHint *) hints};
    if (node_new(schema, maps, &all, &root, err) != SF_OK)
        return NULL;
    if (root->type != SF_STRUCT) {
        sf_fail(err, SF_CONFIG, "a Parquet file holds rows of a struct, not of %s", sf_type_name(root->type));
        return NULL;
    }
    size_t leaf = 0;
    root->nullable = false;
    number(root, 0, 0, &leaf);
    return g_steal_pointer(&root);
}

void parquet_node_free(ParquetNode *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n_children; i++)
        parquet_node_free(node->children[i]);
    g_free(node->children);
    g_free(node->name);
    g_free(node);
}

void parquet_schema_leaves(ParquetNode *root, GPtrArray *out)
{
    if (root->n_children == 0)
        g_ptr_array_add(out, root);
    for (size_t i = 0; i < root->n_children; i++)
        parquet_schema_leaves(root->children[i], out);
}

/* ConvertedType, for readers older than LogicalType; -1: none. */
static int converted_type(const ParquetNode *node)
{
    if (node->as == PARQUET_AS_INT8 || node->as == PARQUET_AS_INT16)
        return node->as == PARQUET_AS_INT8 ? 15 : 16;
    if (node->as == PARQUET_AS_LOCAL_TIME) /* there is none for it */
        return -1;
    switch (node->type) {
    case SF_UTF8:
        return 0;
    case SF_DECIMAL128:
        return 5;
    case SF_DATE:
        return 6;
    case SF_TIMESTAMP:
        return 10;
    default:
        return -1;
    }
}

static void encode_timestamp(bool utc, ThriftWriter *writer)
{
    thrift_begin_struct(writer, 8);
    thrift_add_bool(writer, 1, utc);
    thrift_begin_struct(writer, 2);
    thrift_begin_struct(writer, 2); /* microseconds */
    thrift_end_struct(writer);
    thrift_end_struct(writer);
}

static void encode_logical_type(const ParquetNode *node, ThriftWriter *writer)
{
    thrift_begin_struct(writer, 10);
    switch (node->type) {
    case SF_INT32:
        thrift_begin_struct(writer, 10);
        thrift_add_i8(writer, 1, node->as == PARQUET_AS_INT8 ? 8 : 16);
        thrift_add_bool(writer, 2, true);
        break;
    case SF_UTF8:
        thrift_begin_struct(writer, 1);
        break;
    case SF_DECIMAL128:
        thrift_begin_struct(writer, 5);
        thrift_add_i32(writer, 1, node->scale);
        thrift_add_i32(writer, 2, node->precision);
        break;
    case SF_DATE:
        thrift_begin_struct(writer, 6);
        break;
    default:
        encode_timestamp(node->as != PARQUET_AS_LOCAL_TIME, writer);
    }
    thrift_end_struct(writer);
    thrift_end_struct(writer);
}

static void encode_leaf(const ParquetNode *node, const char *name, bool nullable, ThriftWriter *writer)
{
    thrift_begin_element(writer);
    thrift_add_i32(writer, 1, (int32_t) node->physical);
    if (node->physical == PARQUET_FIXED)
        thrift_add_i32(writer, 2, node->width);
    thrift_add_i32(writer, 3, nullable);
    thrift_add_string(writer, 4, name);
    int converted = converted_type(node);
    if (converted >= 0)
        thrift_add_i32(writer, 6, converted);
    if (node->type == SF_DECIMAL128) {
        thrift_add_i32(writer, 7, node->scale);
        thrift_add_i32(writer, 8, node->precision);
    }
    if (node->field_id)
        thrift_add_i32(writer, 9, node->field_id);
    if (converted >= 0 || node->as == PARQUET_AS_LOCAL_TIME)
        encode_logical_type(node, writer);
    thrift_end_struct(writer);
}

/* A group; annotation: the LogicalType's field (2 MAP, 3 LIST), 0: none; likewise the id. */
static void encode_group(const char *name, int repetition, size_t n_children, int annotation, int32_t field_id,
                         ThriftWriter *writer)
{
    thrift_begin_element(writer);
    if (repetition >= 0)
        thrift_add_i32(writer, 3, repetition);
    thrift_add_string(writer, 4, name);
    thrift_add_i32(writer, 5, (int32_t) n_children);
    if (annotation) {
        thrift_add_i32(writer, 6, annotation == 2 ? 1 : 3);
    }
    if (field_id)
        thrift_add_i32(writer, 9, field_id);
    if (annotation) {
        thrift_begin_struct(writer, 10);
        thrift_begin_struct(writer, (int16_t) annotation);
        thrift_end_struct(writer);
        thrift_end_struct(writer);
    }
    thrift_end_struct(writer);
}

static void encode_node(const ParquetNode *node, const char *name, ThriftWriter *writer)
{
    if (node->n_children == 0) {
        encode_leaf(node, name, node->nullable, writer);
    } else if (node->type == SF_STRUCT) {
        encode_group(name, node->nullable, node->n_children, 0, node->field_id, writer);
        for (size_t i = 0; i < node->n_children; i++)
            encode_node(node->children[i], node->children[i]->name, writer);
    } else if (node->map) {
        const ParquetNode *entry = node->children[0];
        encode_group(name, node->nullable, 1, 2, node->field_id, writer);
        encode_group("key_value", 2, entry->n_children, 0, 0, writer);
        for (size_t i = 0; i < entry->n_children; i++)
            encode_node(entry->children[i], i == 0 ? "key" : "value", writer);
    } else {
        encode_group(name, node->nullable, 1, 3, node->field_id, writer);
        encode_group("list", 2, 1, 0, 0, writer);
        encode_node(node->children[0], "element", writer);
    }
}

static size_t count_elements(const ParquetNode *node)
{
    size_t n = 1;
    if (node->type == SF_LIST && !node->map)
        n++;
    for (size_t i = 0; i < node->n_children; i++)
        n += count_elements(node->children[i]);
    return n;
}

void parquet_schema_encode(const ParquetNode *root, ThriftWriter *writer, int16_t id)
{
    thrift_begin_list(writer, id, THRIFT_STRUCT, count_elements(root));
    encode_group("schema", -1, root->n_children, 0, 0, writer);
    for (size_t i = 0; i < root->n_children; i++)
        encode_node(root->children[i], root->children[i]->name, writer);
}

const ParquetNode *parquet_node_toward(const ParquetNode *node, size_t leaf, size_t *number)
{
    size_t low = 0;
    size_t high = node->n_children;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(node->children[middle]->leaf <= leaf ? &low : &high) = middle;
    }
    if (number)
        *number = low;
    return node->children[low];
}

char **parquet_leaf_path(const ParquetNode *root, size_t leaf)
{
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    const ParquetNode *node = root;
    while (node->n_children > 0) {
        const ParquetNode *child = parquet_node_toward(node, leaf, NULL);
        if (node->type != SF_LIST)
            g_ptr_array_add(path, g_strdup(child->name));
        else if (!node->map)
            g_ptr_array_add(path, g_strdup("element"));
        if (child->type == SF_LIST)
            g_ptr_array_add(path, g_strdup(child->map ? "key_value" : "list"));
        node = child;
    }
    g_ptr_array_add(path, NULL);
    return (char **) g_ptr_array_steal(path, NULL);
}

void parquet_column_view(const ParquetNode *node, const struct ArrowArray *array, int64_t parent_offset, SfColumn *out)
{
    *out = (SfColumn){
        .type = node->type,
        .precision = node->precision,
        .scale = node->scale,
        .view = node->view,
        .length = array->length,
        .offset = array->offset + parent_offset,
        .validity = array->n_buffers > 0 ? array->buffers[0] : NULL,
        .values = array->n_buffers > 1 ? array->buffers[1] : NULL,
        .data = array->n_buffers > 2 ? array->buffers[2] : NULL,
        .view_data = node->view && array->n_buffers > 2 ? (const void *const *) &array->buffers[2] : NULL,
        .array = array,
    };
}
