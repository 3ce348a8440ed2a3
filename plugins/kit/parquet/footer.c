/* Reading FileMetaData (parquet.thrift): every size and offset is checked before it is used. */
#include "footer.h"

#define MAX_ELEMENTS 100000
#define MAX_DEPTH 64

static void file_node_free(FileNode *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n_children; i++)
        file_node_free(node->children[i]);
    g_free(node->children);
    g_free(node->name);
    g_free(node);
}

static void file_group_free(gpointer data)
{
    FileGroup *group = data;
    g_array_unref(group->chunks);
    g_free(group);
}

void footer_free(Footer *footer)
{
    if (!footer)
        return;
    file_node_free(footer->root);
    g_ptr_array_unref(footer->groups);
    g_free(footer);
}

static void read_timestamp(ThriftReader *reader, FileNode *node)
{
    ThriftField field = {0};
    while (thrift_next(reader, &field)) {
        if (field.id == TIMESTAMP_IS_UTC) {
            node->utc = thrift_bool(&field);
            thrift_skip(reader, &field);
        } else if (field.id == TIMESTAMP_UNIT && field.type == THRIFT_STRUCT && thrift_enter(reader)) {
            ThriftField unit = {0};
            while (thrift_next(reader, &unit)) {
                node->unit = unit.id;
                thrift_skip(reader, &unit);
            }
            thrift_leave(reader);
        } else {
            thrift_skip(reader, &field);
        }
    }
}

static void read_logical_type(ThriftReader *reader, FileNode *node)
{
    ThriftField field = {0};
    if (!thrift_enter(reader))
        return;
    while (thrift_next(reader, &field)) {
        node->logical = field.id;
        if (field.id == PARQUET_LOGICAL_TIMESTAMP && field.type == THRIFT_STRUCT && thrift_enter(reader)) {
            read_timestamp(reader, node);
            thrift_leave(reader);
        } else {
            thrift_skip(reader, &field);
        }
    }
    thrift_leave(reader);
}

static void read_element(ThriftReader *reader, FileNode *node, int64_t *n_children)
{
    ThriftField field = {0};
    *node = (FileNode){.type = PARQUET_NO_TYPE, .converted = PARQUET_CONVERTED_NONE};
    *n_children = 0;
    ThriftBytes name = {0};
    while (thrift_next(reader, &field)) {
        switch (field.id) {
        case ELEMENT_TYPE:
            node->type = (int) thrift_int(reader, &field);
            break;
        case ELEMENT_TYPE_LENGTH:
            node->width = (int32_t) thrift_int(reader, &field);
            break;
        case ELEMENT_REPETITION:
            node->repetition = (int) thrift_int(reader, &field);
            break;
        case ELEMENT_NAME:
            name = thrift_bytes(reader, &field);
            break;
        case ELEMENT_NUM_CHILDREN:
            *n_children = thrift_int(reader, &field);
            break;
        case ELEMENT_CONVERTED_TYPE:
            node->converted = (int) thrift_int(reader, &field);
            break;
        case ELEMENT_SCALE:
            node->scale = (int32_t) thrift_int(reader, &field);
            break;
        case ELEMENT_PRECISION:
            node->precision = (int32_t) thrift_int(reader, &field);
            break;
        case ELEMENT_LOGICAL_TYPE:
            if (field.type == THRIFT_STRUCT)
                read_logical_type(reader, node);
            else
                thrift_skip(reader, &field);
            break;
        default:
            thrift_skip(reader, &field);
        }
    }
    if (!name.data)
        reader->failed = true;
    node->name = g_strndup((const char *) name.data, name.size);
}

/* A group has children and a leaf has none, but for the root; `left` elements come after this one. */
static bool is_sound(const FileNode *node, int64_t n_children, size_t left, unsigned depth)
{
    bool group = node->type < 0;
    if (n_children < 0 || (uint64_t) n_children > left || (group != (n_children > 0) && depth > 0))
        return false;
    if (node->repetition < PARQUET_REQUIRED || node->repetition > PARQUET_REPEATED || node->type > PARQUET_FIXED)
        return false;
    return node->type != PARQUET_FIXED || node->width > 0;
}

/* Elements come depth-first: `left` of them are still in the list. */
static FileNode *read_tree(ThriftReader *reader, size_t *left, unsigned depth)
{
    if (*left == 0 || depth > MAX_DEPTH || !thrift_enter(reader)) {
        reader->failed = true;
        return NULL;
    }
    (*left)--;
    FileNode *node = g_new0(FileNode, 1);
    int64_t n_children;
    read_element(reader, node, &n_children);
    thrift_leave(reader);
    if (!is_sound(node, n_children, *left, depth))
        reader->failed = true;
    if (reader->failed)
        return node;
    node->children = g_new0(FileNode *, (gsize) n_children);
    for (int64_t i = 0; i < n_children && !reader->failed; i++)
        node->children[node->n_children++] = read_tree(reader, left, depth + 1);
    return node;
}

static void read_schema(ThriftReader *reader, const ThriftField *field, Footer *footer)
{
    size_t n = thrift_list(reader, field, THRIFT_STRUCT);
    if (n > MAX_ELEMENTS || footer->root)
        reader->failed = true;
    if (reader->failed)
        return;
    footer->root = read_tree(reader, &n, 0);
    if (n > 0)
        reader->failed = true;
}

static void read_chunk_meta(ThriftReader *reader, FileChunk *chunk)
{
    ThriftField field = {0};
    int64_t data = -1;
    int64_t dictionary = 0;
    while (thrift_next(reader, &field)) {
        switch (field.id) {
        case COLUMN_TYPE:
            chunk->type = (int) thrift_int(reader, &field);
            break;
        case COLUMN_CODEC:
            chunk->codec = (int) thrift_int(reader, &field);
            break;
        case COLUMN_NUM_VALUES:
            chunk->n_values = thrift_int(reader, &field);
            break;
        case COLUMN_COMPRESSED_SIZE:
            chunk->size = thrift_int(reader, &field);
            break;
        case COLUMN_DATA_PAGE_OFFSET:
            data = thrift_int(reader, &field);
            break;
        case COLUMN_DICTIONARY_PAGE_OFFSET:
            dictionary = thrift_int(reader, &field);
            break;
        default:
            thrift_skip(reader, &field);
        }
    }
    /* Old writers leave the dictionary's offset out, or write 0. */
    chunk->offset = dictionary > 0 && dictionary < data ? dictionary : data;
}

static void read_chunk(ThriftReader *reader, FileChunk *chunk)
{
    ThriftField field = {0};
    *chunk = (FileChunk){.type = PARQUET_NO_TYPE, .offset = -1};
    if (!thrift_enter(reader))
        return;
    while (thrift_next(reader, &field)) {
        if (field.id == CHUNK_META_DATA && field.type == THRIFT_STRUCT && thrift_enter(reader)) {
            read_chunk_meta(reader, chunk);
            thrift_leave(reader);
        } else {
            thrift_skip(reader, &field);
        }
    }
    thrift_leave(reader);
}

static void read_group(ThriftReader *reader, FileGroup *group)
{
    ThriftField field = {0};
    while (thrift_next(reader, &field)) {
        if (field.id == GROUP_COLUMNS) {
            size_t n = thrift_list(reader, &field, THRIFT_STRUCT);
            for (size_t i = 0; i < n && !reader->failed; i++) {
                FileChunk chunk;
                read_chunk(reader, &chunk);
                g_array_append_val(group->chunks, chunk);
            }
        } else if (field.id == GROUP_NUM_ROWS) {
            group->rows = thrift_int(reader, &field);
        } else {
            thrift_skip(reader, &field);
        }
    }
}

static void read_groups(ThriftReader *reader, const ThriftField *field, Footer *footer)
{
    size_t n = thrift_list(reader, field, THRIFT_STRUCT);
    for (size_t i = 0; i < n && thrift_enter(reader); i++) {
        FileGroup *group = g_new0(FileGroup, 1);
        group->chunks = g_array_new(FALSE, TRUE, sizeof(FileChunk));
        g_ptr_array_add(footer->groups, group);
        read_group(reader, group);
        thrift_leave(reader);
    }
}

static void read_metadata(ThriftReader *reader, Footer *footer)
{
    ThriftField field = {0};
    while (thrift_next(reader, &field)) {
        if (field.id == FILE_SCHEMA)
            read_schema(reader, &field, footer);
        else if (field.id == FILE_NUM_ROWS)
            footer->rows = thrift_int(reader, &field);
        else if (field.id == FILE_ROW_GROUPS)
            read_groups(reader, &field, footer);
        else
            thrift_skip(reader, &field);
    }
}

/* Levels (parquet-format README, "Nested Encoding") and leaf numbers, from the root down. */
static void number_file_nodes(FileNode *node, unsigned def, unsigned rep, bool root, size_t *leaf)
{
    node->max_def = def + (!root && node->repetition != PARQUET_REQUIRED);
    node->max_rep = rep + (!root && node->repetition == PARQUET_REPEATED);
    node->leaf = *leaf;
    for (size_t i = 0; i < node->n_children; i++)
        number_file_nodes(node->children[i], node->max_def, node->max_rep, false, leaf);
    if (node->type >= 0)
        (*leaf)++;
}

static void leaf_types(const FileNode *node, GArray *out)
{
    if (node->type >= 0)
        g_array_append_val(out, node->type);
    for (size_t i = 0; i < node->n_children; i++)
        leaf_types(node->children[i], out);
}

/* Rows that a chunk of so many bytes can have: a page takes some bytes even where one run stands for all its levels,
 * and pages of more levels than this are not read. What claims more would be read as rows of nulls for ever. */
static int64_t most_rows(const FileChunk *chunk)
{
    const int64_t page_bytes = 16;
    const int64_t page_levels = 1 << 24;
    int64_t pages = chunk->size / page_bytes + 1;
    return pages > INT64_MAX / page_levels ? INT64_MAX : pages * page_levels;
}

static SfStatus check_groups(const Footer *footer, size_t size, SfError *err)
{
    g_autoptr(GArray) types = g_array_new(FALSE, FALSE, sizeof(int));
    leaf_types(footer->root, types);
    int64_t rows = 0;
    for (guint g = 0; g < footer->groups->len; g++) {
        const FileGroup *group = footer->groups->pdata[g];
        if (group->rows < 0 || group->rows > INT64_MAX - rows || group->chunks->len != types->len)
            return sf_fail(err, SF_FATAL, "corrupt Parquet file: row group %u does not fit the schema", g);
        rows += group->rows;
        for (guint i = 0; i < group->chunks->len; i++) {
            const FileChunk *chunk = &g_array_index(group->chunks, FileChunk, i);
            if (chunk->type != g_array_index(types, int, i) || chunk->n_values < 0 || chunk->offset < 4 ||
                chunk->size < 0 || (uint64_t) chunk->offset > size ||
                (uint64_t) chunk->size > size - (uint64_t) chunk->offset)
                return sf_fail(err, SF_FATAL,
                               "corrupt Parquet file: column chunk %u of row group %u lies outside the file", i, g);
            if (group->rows > chunk->n_values || group->rows > most_rows(chunk))
                return sf_fail(err, SF_FATAL,
                               "corrupt Parquet file: row group %u claims more rows than its column chunk %u holds", g,
                               i);
        }
    }
    if (rows != footer->rows)
        return sf_fail(err, SF_FATAL,
                       "corrupt Parquet file: row groups have %" G_GINT64_FORMAT
                       " rows, the footer says %" G_GINT64_FORMAT,
                       rows, footer->rows);
    return SF_OK;
}

/* The footer's length out of the file's last bytes. */
static SfStatus footer_length(const uint8_t *tail, size_t n, int64_t size, uint32_t *length, SfError *err)
{
    bool whole = (int64_t) n == size;
    if (n < 12 || (whole && memcmp(tail, "PAR1", 4) != 0) || memcmp(tail + n - 4, "PAR1", 4) != 0)
        return sf_fail(err, SF_FATAL,
                       n >= 4 && memcmp(tail + n - 4, "PARE", 4) == 0 ? "an encrypted Parquet file cannot be read"
                                                                      : "not a Parquet file");
    memcpy(length, tail + n - 8, 4);
    *length = GUINT32_FROM_LE(*length);
    if (*length <= size - 12)
        return SF_OK;
    return sf_fail(err, SF_FATAL, "corrupt Parquet file: a footer of %u bytes in a file of %" G_GINT64_FORMAT, *length,
                   size);
}

SfStatus footer_read(const uint8_t *tail, size_t n, int64_t size, int64_t *needed, Footer **out, SfError *err)
{
    uint32_t length = 0;
    SF_TRY(footer_length(tail, n, size, &length, err));
    *needed = (int64_t) length + 8;
    if (*needed > (int64_t) n)
        return SF_EMPTY;
    g_autoptr(Footer) footer = g_new0(Footer, 1);
    footer->groups = g_ptr_array_new_with_free_func(file_group_free);
    ThriftReader reader = {.at = tail + n - 8 - length, .end = tail + n - 8};
    read_metadata(&reader, footer);
    if (reader.failed || !footer->root || footer->rows < 0)
        return sf_fail(err, SF_FATAL, "corrupt Parquet file: its footer cannot be read");
    number_file_nodes(footer->root, 0, 0, true, &footer->n_leaves);
    SF_TRY(check_groups(footer, (size_t) size, err));
    *out = g_steal_pointer(&footer);
    return SF_OK;
}
