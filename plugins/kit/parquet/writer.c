/* The Parquet writer: rows into columns, row groups, footer. */
#include "parquet.h"
#include "column_writer.h"
#include "nested.h"
#include "pages.h"

struct ParquetWriter {
    ParquetNode *root;
    ParquetOptions options;
    GPtrArray *leaves; /* ParquetNode *, the tree's */
    ColumnWriter *columns;
    Scratch *scratch;
    bool own_scratch;
    Buffer file;
    Buffer groups; /* RowGroup structs of the footer */
    FileIndex index;
    size_t n_groups;
    int64_t group_rows;
    int64_t rows;
    bool finished; /* the statistics are those of a file that is done */
    bool failed;
};

static const char magic[4] = {'P', 'A', 'R', '1'};

static void set_default(int64_t *value, int64_t other)
{
    if (*value <= 0)
        *value = other;
}

static void start_file(ParquetWriter *writer)
{
    writer->file.size = writer->groups.size = 0;
    file_index_rewind(&writer->index, (FileIndexMark){0});
    writer->n_groups = 0;
    writer->rows = writer->group_rows = 0;
    writer->finished = writer->failed = false;
    buffer_add(&writer->file, magic, sizeof magic);
    for (guint i = 0; i < writer->leaves->len; i++)
        parquet_stats_clear(&writer->columns[i].file);
}

ParquetScratch *parquet_scratch_new(void)
{
    Scratch *scratch = g_new0(Scratch, 1);
    scratch->codec = codec_new();
    return scratch;
}

void parquet_scratch_free(ParquetScratch *scratch)
{
    if (!scratch)
        return;
    codec_free(scratch->codec);
    buffer_done(&scratch->body);
    buffer_done(&scratch->packed);
    buffer_done(&scratch->words);
    buffer_done(&scratch->marks);
    buffer_done(&scratch->padded);
    g_free(scratch);
}

/* Shared scratch serves writers with different settings: those of the one whose turn it is. */
static void take_turn(ParquetWriter *writer)
{
    writer->scratch->kind = writer->options.codec;
    writer->scratch->level = writer->options.level > 0 ? writer->options.level : 1;
    writer->scratch->page_bytes = writer->options.page_bytes;
    writer->scratch->page_rows = writer->options.page_rows;
    writer->scratch->dictionary_bytes = writer->options.dictionary_bytes;
}

ParquetWriter *parquet_writer_new(const struct ArrowSchema *schema, const ParquetOptions *options, SfError *err)
{
    g_autoptr(ParquetNode) root = parquet_schema_new(schema, options->maps, options->hints, err);
    if (!root)
        return NULL;
    ParquetWriter *writer = g_new0(ParquetWriter, 1);
    writer->root = g_steal_pointer(&root);
    writer->options = *options;
    writer->options.hints = NULL;
    set_default(&writer->options.row_group_rows, 1 << 20);
    set_default(&writer->options.row_group_bytes, 128 << 20);
    set_default(&writer->options.page_bytes, 1 << 20);
    set_default(&writer->options.page_rows, 20000);
    set_default(&writer->options.dictionary_bytes, 1 << 20);
    writer->leaves = g_ptr_array_new();
    parquet_schema_leaves(writer->root, writer->leaves);
    writer->columns = g_new0(ColumnWriter, writer->leaves->len);
    for (guint i = 0; i < writer->leaves->len; i++)
        column_writer_init(&writer->columns[i], writer->root, writer->leaves->pdata[i]);
    writer->own_scratch = options->scratch == NULL;
    writer->scratch = options->scratch ? options->scratch : parquet_scratch_new();
    start_file(writer);
    return writer;
}

void parquet_writer_free(ParquetWriter *writer)
{
    if (!writer)
        return;
    for (guint i = 0; i < writer->leaves->len; i++)
        column_writer_done(&writer->columns[i]);
    g_free(writer->columns);
    g_ptr_array_unref(writer->leaves);
    if (writer->own_scratch)
        parquet_scratch_free(writer->scratch);
    buffer_done(&writer->file);
    buffer_done(&writer->groups);
    file_index_done(&writer->index);
    parquet_node_free(writer->root);
    g_free(writer);
}

/* At once, for growing bit by bit would take half as much again, and copies. */
static void reserve_group(ParquetWriter *writer)
{
    size_t size = 0;
    for (guint i = 0; i < writer->leaves->len; i++)
        size += writer->columns[i].pages.size + writer->columns[i].dictionary.body.size;
    buffer_room(&writer->file, size);
}

static SfStatus end_row_group(ParquetWriter *writer, SfError *err)
{
    if (writer->group_rows == 0)
        return SF_OK;
    ThriftWriter meta;
    int64_t start = (int64_t) writer->file.size;
    OpenGroup group = {.file = &writer->file, .meta = &meta, .index = &writer->index};
    FileIndexMark mark = file_index_mark(&writer->index);
    reserve_group(writer);
    thrift_writer_init(&meta, &writer->groups);
    thrift_begin_list(&meta, GROUP_COLUMNS, THRIFT_STRUCT, writer->leaves->len);
    for (guint i = 0; i < writer->leaves->len; i++)
        SF_TRY(pages_end_chunk(&writer->columns[i], writer->scratch, &group, err));
    /* Of single pages the index says what the footer says. */
    if (group.most_pages < 2)
        file_index_rewind(&writer->index, mark);
    thrift_add_i64(&meta, GROUP_TOTAL_BYTE_SIZE, group.unpacked);
    thrift_add_i64(&meta, GROUP_NUM_ROWS, writer->group_rows);
    thrift_add_i64(&meta, GROUP_FILE_OFFSET, start);
    thrift_add_i64(&meta, GROUP_TOTAL_COMPRESSED_SIZE, (int64_t) writer->file.size - start);
    if (writer->n_groups <= INT16_MAX)
        thrift_add_i16(&meta, GROUP_ORDINAL, (int16_t) writer->n_groups);
    thrift_end_struct(&meta);
    writer->n_groups++;
    writer->group_rows = 0;
    return SF_OK;
}

static SfStatus add_columns(ParquetWriter *writer, const struct ArrowArray *const *columns, int64_t offset,
                            const int32_t *rows, int64_t first, int64_t n, SfError *err)
{
    for (size_t i = 0; i < writer->root->n_children; i++) {
        const ParquetNode *node = writer->root->children[i];
        ColumnWriter *column = &writer->columns[node->leaf];
        if (node->n_children > 0) {
            SF_TRY(nested_add(node, columns[i], offset, column, writer->scratch, rows, first, n, err));
        } else {
            SfColumn view;
            parquet_column_view(node, columns[i], offset, &view);
            SF_TRY(column_writer_add_flat(column, writer->scratch, &view, rows, first, n, err));
        }
    }
    return SF_OK;
}

SfStatus parquet_writer_add(ParquetWriter *writer, const struct ArrowArray *const *columns, int64_t offset,
                            const int32_t *rows, int64_t n, SfError *err)
{
    if (writer->finished || writer->failed)
        start_file(writer);
    take_turn(writer);
    for (int64_t at = 0; at < n;) {
        int64_t count = MIN(n - at, writer->options.row_group_rows - writer->group_rows);
        SfStatus status = add_columns(writer, columns, offset, rows ? rows + at : NULL, rows ? 0 : at, count, err);
        writer->group_rows += count;
        writer->rows += count;
        at += count;
        if (status == SF_OK &&
            (writer->group_rows >= writer->options.row_group_rows ||
             parquet_writer_size(writer) - (int64_t) writer->file.size >= writer->options.row_group_bytes))
            status = end_row_group(writer, err);
        if (status != SF_OK) {
            parquet_writer_reset(writer);
            writer->failed = true;
            return status;
        }
    }
    return SF_OK;
}

int64_t parquet_writer_rows(const ParquetWriter *writer)
{
    return writer->finished ? 0 : writer->rows;
}

int64_t parquet_writer_size(const ParquetWriter *writer)
{
    int64_t size = (int64_t) (writer->file.size + writer->groups.size);
    for (guint i = 0; i < writer->leaves->len; i++)
        size += column_writer_size(&writer->columns[i]);
    return size;
}

int64_t parquet_writer_memory(const ParquetWriter *writer)
{
    const Scratch *scratch = writer->scratch;
    size_t size = sizeof *writer + writer->file.capacity + writer->groups.capacity + file_index_memory(&writer->index);
    if (writer->own_scratch)
        size += sizeof *scratch + scratch->body.capacity + scratch->packed.capacity + scratch->words.capacity +
                scratch->padded.capacity + scratch->marks.capacity;
    for (guint i = 0; i < writer->leaves->len; i++)
        size += sizeof *writer->columns + column_writer_memory(&writer->columns[i]);
    return (int64_t) size;
}

/* Our days and instants are of the proleptic Gregorian calendar. Spark takes a file without this key for one that
 * may have been written in the Julian one, and refuses its dates before 1582 and timestamps before 1900
 * (SPARK-31404). */
static void add_calendar(ParquetWriter *writer, ThriftWriter *meta)
{
    bool times = false;
    for (guint i = 0; i < writer->leaves->len; i++) {
        const ParquetNode *leaf = writer->leaves->pdata[i];
        times |= leaf->type == SF_DATE || leaf->type == SF_TIMESTAMP;
    }
    if (!times)
        return;
    thrift_begin_list(meta, FILE_KEY_VALUES, THRIFT_STRUCT, 1);
    thrift_begin_element(meta);
    thrift_add_string(meta, KEY_VALUE_KEY, "org.apache.spark.version");
    thrift_add_string(meta, KEY_VALUE_VALUE, "3.5.0");
    thrift_end_struct(meta);
}

/* FileMetaData; every leaf has TYPE_ORDER, without which readers ignore min_value and max_value. */
static void add_footer(ParquetWriter *writer)
{
    int64_t indexes = (int64_t) writer->file.size;
    file_index_write(&writer->index, &writer->file);
    size_t start = writer->file.size;
    ThriftWriter meta;
    thrift_writer_init(&meta, &writer->file);
    thrift_add_i32(&meta, FILE_VERSION, 1);
    parquet_schema_encode(writer->root, &meta);
    thrift_add_i64(&meta, FILE_NUM_ROWS, writer->rows);
    thrift_begin_list(&meta, FILE_ROW_GROUPS, THRIFT_STRUCT, writer->n_groups);
    file_index_write_groups(&writer->index, &writer->groups, indexes, &writer->file);
    add_calendar(writer, &meta);
    thrift_add_string(&meta, FILE_CREATED_BY, "streamforge version " SF_VERSION " (build 0)");
    thrift_begin_list(&meta, FILE_COLUMN_ORDERS, THRIFT_STRUCT, writer->leaves->len);
    for (guint i = 0; i < writer->leaves->len; i++) {
        thrift_begin_element(&meta);
        thrift_begin_struct(&meta, COLUMN_ORDER_TYPE);
        thrift_end_struct(&meta);
        thrift_end_struct(&meta);
    }
    thrift_end_struct(&meta);
    buffer_add_u32(&writer->file, (uint32_t) (writer->file.size - start));
    buffer_add(&writer->file, magic, sizeof magic);
}

SfStatus parquet_writer_finish(ParquetWriter *writer, GBytes **out, SfError *err)
{
    if (writer->failed)
        return sf_fail(err, SF_FATAL, "a Parquet file that failed cannot be finished");
    if (writer->finished)
        start_file(writer);
    take_turn(writer);
    SfStatus status = end_row_group(writer, err);
    if (status != SF_OK) {
        parquet_writer_reset(writer);
        writer->failed = true;
        return status;
    }
    add_footer(writer);
    *out = g_bytes_new_take(g_realloc(writer->file.data, writer->file.size), writer->file.size);
    writer->file = (Buffer){0};
    writer->finished = true;
    return SF_OK;
}

void parquet_writer_reset(ParquetWriter *writer)
{
    for (guint i = 0; i < writer->leaves->len; i++)
        pages_reset(&writer->columns[i]);
    start_file(writer);
}

const ParquetNode *parquet_writer_schema(const ParquetWriter *writer)
{
    return writer->root;
}

const ParquetStats *parquet_writer_stats(const ParquetWriter *writer, size_t leaf)
{
    return &writer->columns[leaf].file;
}
