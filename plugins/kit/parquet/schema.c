/* Arrow schemas → the Parquet tree, and the tree → SchemaElements. Types: parquet-format, LogicalTypes.md; what Delta
 * expects of decimals: the smallest physical type that holds the precision. */
#include "schema.h"

/* Decimal digits that the integers hold. */
#define INT32_DIGITS 9
#define INT64_DIGITS 18

/* Bytes of a two's complement number of so many decimal digits, which an INT64 does not hold. */
static int32_t decimal_width(int32_t precision)
{
    static const uint8_t widths[] = {9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return widths[precision - (INT64_DIGITS + 1)];
}

const char *parquet_type_name(int type)
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    return type >= 0 && (size_t) type < G_N_ELEMENTS(names) ? names[type] : "a group";
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
        node->physical = node->precision <= INT32_DIGITS   ? PARQUET_INT32
                         : node->precision <= INT64_DIGITS ? PARQUET_INT64
                                                           : PARQUET_FIXED;
        if (node->physical == PARQUET_FIXED)
            node->width = decimal_width(node->precision);
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
        return sf_fail(err, SF_CONFIG, "column '%s': a %s cannot be stored that way", node->name,
                       sf_type_name(node->type));
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

static void number_nodes(ParquetNode *node, unsigned def, unsigned rep, size_t *leaf)
{
    node->max_def = def + node->nullable;
    node->max_rep = rep;
    node->leaf = *leaf;
    unsigned list = node->type == SF_LIST;
    for (size_t i = 0; i < node->n_children; i++)
        number_nodes(node->children[i], node->max_def + list, rep + list, leaf);
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
    number_nodes(root, 0, 0, &leaf);
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

static ParquetConverted converted_type(const ParquetNode *node)
{
    if (node->as == PARQUET_AS_INT8 || node->as == PARQUET_AS_INT16)
        return node->as == PARQUET_AS_INT8 ? PARQUET_CONVERTED_INT_8 : PARQUET_CONVERTED_INT_16;
    if (node->as == PARQUET_AS_LOCAL_TIME) /* there is none for it */
        return PARQUET_CONVERTED_NONE;
    switch (node->type) {
    case SF_UTF8:
        return PARQUET_CONVERTED_UTF8;
    case SF_DECIMAL128:
        return PARQUET_CONVERTED_DECIMAL;
    case SF_DATE:
        return PARQUET_CONVERTED_DATE;
    case SF_TIMESTAMP:
        return PARQUET_CONVERTED_TIMESTAMP_MICROS;
    default:
        return PARQUET_CONVERTED_NONE;
    }
}

static void encode_timestamp(bool utc, ThriftWriter *writer)
{
    thrift_begin_struct(writer, PARQUET_LOGICAL_TIMESTAMP);
    thrift_add_bool(writer, TIMESTAMP_IS_UTC, utc);
    thrift_begin_struct(writer, TIMESTAMP_UNIT);
    thrift_begin_struct(writer, PARQUET_UNIT_MICROS);
    thrift_end_struct(writer);
    thrift_end_struct(writer);
}

static void encode_logical_type(const ParquetNode *node, ThriftWriter *writer)
{
    thrift_begin_struct(writer, ELEMENT_LOGICAL_TYPE);
    switch (node->type) {
    case SF_INT32:
        thrift_begin_struct(writer, PARQUET_LOGICAL_INTEGER);
        thrift_add_i8(writer, INTEGER_BIT_WIDTH, node->as == PARQUET_AS_INT8 ? 8 : 16);
        thrift_add_bool(writer, INTEGER_IS_SIGNED, true);
        break;
    case SF_UTF8:
        thrift_begin_struct(writer, PARQUET_LOGICAL_STRING);
        break;
    case SF_DECIMAL128:
        thrift_begin_struct(writer, PARQUET_LOGICAL_DECIMAL);
        thrift_add_i32(writer, DECIMAL_SCALE, node->scale);
        thrift_add_i32(writer, DECIMAL_PRECISION, node->precision);
        break;
    case SF_DATE:
        thrift_begin_struct(writer, PARQUET_LOGICAL_DATE);
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
    thrift_add_i32(writer, ELEMENT_TYPE, (int32_t) node->physical);
    if (node->physical == PARQUET_FIXED)
        thrift_add_i32(writer, ELEMENT_TYPE_LENGTH, node->width);
    thrift_add_i32(writer, ELEMENT_REPETITION, nullable ? PARQUET_OPTIONAL : PARQUET_REQUIRED);
    thrift_add_string(writer, ELEMENT_NAME, name);
    ParquetConverted converted = converted_type(node);
    if (converted != PARQUET_CONVERTED_NONE)
        thrift_add_i32(writer, ELEMENT_CONVERTED_TYPE, (int32_t) converted);
    if (node->type == SF_DECIMAL128) {
        thrift_add_i32(writer, ELEMENT_SCALE, node->scale);
        thrift_add_i32(writer, ELEMENT_PRECISION, node->precision);
    }
    if (node->field_id)
        thrift_add_i32(writer, ELEMENT_FIELD_ID, node->field_id);
    if (converted != PARQUET_CONVERTED_NONE || node->as == PARQUET_AS_LOCAL_TIME)
        encode_logical_type(node, writer);
    thrift_end_struct(writer);
}

typedef struct Group {
    const char *name;
    ParquetRepetition repetition;
    size_t n_children;
    ParquetLogical logical; /* MAP, LIST or none */
    int32_t field_id;       /* 0: none */
} Group;

static void encode_group(const Group *group, ThriftWriter *writer)
{
    thrift_begin_element(writer);
    if (group->repetition != PARQUET_NO_REPETITION)
        thrift_add_i32(writer, ELEMENT_REPETITION, (int32_t) group->repetition);
    thrift_add_string(writer, ELEMENT_NAME, group->name);
    thrift_add_i32(writer, ELEMENT_NUM_CHILDREN, (int32_t) group->n_children);
    if (group->logical != PARQUET_LOGICAL_NONE)
        thrift_add_i32(writer, ELEMENT_CONVERTED_TYPE,
                       group->logical == PARQUET_LOGICAL_MAP ? PARQUET_CONVERTED_MAP : PARQUET_CONVERTED_LIST);
    if (group->field_id)
        thrift_add_i32(writer, ELEMENT_FIELD_ID, group->field_id);
    if (group->logical != PARQUET_LOGICAL_NONE) {
        thrift_begin_struct(writer, ELEMENT_LOGICAL_TYPE);
        thrift_begin_struct(writer, (int16_t) group->logical);
        thrift_end_struct(writer);
        thrift_end_struct(writer);
    }
    thrift_end_struct(writer);
}

/* What repeats in a list or a map (LogicalTypes.md, "Nested Types"). */
static void encode_repeated(const char *name, size_t n_children, ThriftWriter *writer)
{
    encode_group(&(Group){.name = name, .repetition = PARQUET_REPEATED, .n_children = n_children}, writer);
}

static void encode_node(const ParquetNode *node, const char *name, ThriftWriter *writer)
{
    if (node->n_children == 0) {
        encode_leaf(node, name, node->nullable, writer);
        return;
    }
    Group group = {.name = name,
                   .repetition = node->nullable ? PARQUET_OPTIONAL : PARQUET_REQUIRED,
                   .n_children = node->n_children,
                   .field_id = node->field_id};
    const ParquetNode *parent = node;
    if (node->type == SF_LIST)
        group.logical = node->map ? PARQUET_LOGICAL_MAP : PARQUET_LOGICAL_LIST;
    encode_group(&group, writer);
    if (node->map) {
        parent = node->children[0];
        encode_repeated("key_value", parent->n_children, writer);
    } else if (node->type == SF_LIST) {
        encode_repeated("list", 1, writer);
    }
    for (size_t i = 0; i < parent->n_children; i++)
        encode_node(parent->children[i], parent->type == SF_LIST ? "element" : parent->children[i]->name, writer);
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

void parquet_schema_encode(const ParquetNode *root, ThriftWriter *writer)
{
    thrift_begin_list(writer, FILE_SCHEMA, THRIFT_STRUCT, count_elements(root));
    encode_group(&(Group){.name = "schema", .repetition = PARQUET_NO_REPETITION, .n_children = root->n_children},
                 writer);
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
