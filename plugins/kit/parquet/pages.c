/* Closing pages and chunks of one column: levels, indices, compression, headers (data page v1, parquet-format README,
 * "Data Pages"; parquet.thrift). */
#include "pages.h"

#include <libdeflate.h>

/* Pages are in memory twice while a row group ends; what is larger than this goes as soon as the file has it. */
enum { KEPT_BYTES = 256 << 10 };

/* Levels: a 4-byte length, then the hybrid. A page whose levels are all the same is one run. */
static void add_levels(Scratch *scratch, const Buffer *levels, int64_t n, unsigned max)
{
    Buffer *body = &scratch->body;
    unsigned width = hybrid_width(max);
    size_t start = body->size;
    buffer_add_u32(body, 0);
    if (levels->size == 0) {
        hybrid_encode_run(max, (size_t) n, width, body);
    } else {
        scratch->words.size = 0;
        uint32_t *words = (uint32_t *) (void *) buffer_room(&scratch->words, (size_t) n * sizeof *words);
        for (int64_t i = 0; i < n; i++)
            words[i] = levels->data[i];
        hybrid_encode(words, (size_t) n, width, body);
    }
    uint32_t size = GUINT32_TO_LE((uint32_t) (body->size - start - 4));
    memcpy(body->data + start, &size, sizeof size);
}

static void add_indices(ColumnWriter *column, Buffer *body)
{
    const uint32_t *indices = (const uint32_t *) (const void *) column->indices.data;
    uint32_t count = column->dictionary.count;
    unsigned width = hybrid_width(count > 0 ? count - 1 : 0);
    buffer_add_byte(body, (uint8_t) width);
    hybrid_encode(indices, column->indices.size / sizeof *indices, width, body);
}

/* Header and body of one page to `out`; values: levels of a data page, entries of a dictionary page. */
static SfStatus add_page(ColumnWriter *column, Scratch *scratch, const uint8_t *body, size_t size, ParquetPageType type,
                         int64_t values, ParquetEncoding encoding, Buffer *out, SfError *err)
{
    if (size > INT32_MAX || values > INT32_MAX)
        return sf_fail(err, SF_FATAL, "column '%s': a row with %zu bytes is more than a Parquet page can hold",
                       column->leaf->name, size);
    SF_TRY(codec_compress(scratch->codec, scratch->kind, scratch->level, body, size, &scratch->packed, err));
    if (scratch->packed.size > INT32_MAX)
        return sf_fail(err, SF_FATAL, "column '%s': a page does not fit after compression", column->leaf->name);
    size_t before = out->size;
    ThriftWriter header;
    thrift_writer_init(&header, out);
    thrift_add_i32(&header, PAGE_TYPE, (int32_t) type);
    thrift_add_i32(&header, PAGE_UNCOMPRESSED_SIZE, (int32_t) size);
    thrift_add_i32(&header, PAGE_COMPRESSED_SIZE, (int32_t) scratch->packed.size);
    thrift_add_i32(&header, PAGE_CRC, (int32_t) libdeflate_crc32(0, scratch->packed.data, scratch->packed.size));
    thrift_begin_struct(&header, type == PARQUET_DICTIONARY_PAGE ? PAGE_DICTIONARY_HEADER : PAGE_DATA_HEADER);
    thrift_add_i32(&header, DATA_PAGE_NUM_VALUES, (int32_t) values);
    thrift_add_i32(&header, DATA_PAGE_ENCODING, (int32_t) encoding);
    if (type == PARQUET_DATA_PAGE) {
        thrift_add_i32(&header, DATA_PAGE_DEFINITION_ENCODING, PARQUET_RLE);
        thrift_add_i32(&header, DATA_PAGE_REPETITION_ENCODING, PARQUET_RLE);
    }
    thrift_end_struct(&header);
    thrift_end_struct(&header);
    column->pages_unpacked += (int64_t) (out->size - before + size);
    buffer_add(out, scratch->packed.data, scratch->packed.size);
    return SF_OK;
}

/* parquet-java's rule for the first page of a chunk: dictionary and indices must be smaller than the values. */
static bool dictionary_pays(const ColumnWriter *column)
{
    int64_t bits = (int64_t) hybrid_width(column->dictionary.count) * column->chunk.values;
    return (int64_t) column->dictionary.body.size + bits / 8 < column->plain_bytes;
}

static void clear_page(ColumnWriter *column)
{
    column->values.size = column->indices.size = column->defs.size = column->reps.size = 0;
    column->page_levels = column->page_rows = column->page_values = 0;
    parquet_stats_clear(&column->page);
}

static SfStatus close_page(ColumnWriter *column, Scratch *scratch, SfError *err)
{
    if (column->page_levels == 0)
        return SF_OK;
    if (column->use_dictionary && column->dictionary_pages == 0 && !dictionary_pays(column))
        column_chunk_drop_dictionary(column, scratch);
    if (column->use_dictionary)
        column_chunk_add_index_stats(column, scratch);
    const ParquetNode *leaf = column->leaf;
    Buffer *body = &scratch->body;
    size_t start = column->pages.size;
    body->size = 0;
    if (leaf->max_rep > 0)
        add_levels(scratch, &column->reps, column->page_levels, leaf->max_rep);
    if (leaf->max_def > 0)
        add_levels(scratch, &column->defs, column->page_levels, leaf->max_def);
    if (column->use_dictionary)
        add_indices(column, body);
    else
        buffer_add(body, column->values.data, column->values.size);
    SF_TRY(add_page(column, scratch, body->data, body->size, PARQUET_DATA_PAGE, column->page_levels,
                    column->use_dictionary ? PARQUET_RLE_DICTIONARY : PARQUET_PLAIN, &column->pages, err));
    column->dictionary_pages += column->use_dictionary;
    column->plain_pages += !column->use_dictionary;
    page_index_add(&column->index,
                   &(PageEntry){.offset = (int64_t) start,
                                .first_row = column->chunk_rows,
                                .nulls = column->page_levels - column->page_values,
                                .values = column->page_values,
                                .size = (int32_t) (column->pages.size - start)},
                   &column->page, leaf);
    column->chunk_levels += column->page_levels;
    column->chunk_rows += column->page_rows;
    column->chunk.nulls += column->page_levels - column->page_values;
    parquet_stats_merge(&column->chunk, &column->page, leaf);
    clear_page(column);
    return SF_OK;
}

SfStatus pages_slice_done(ColumnWriter *column, Scratch *scratch, SfError *err)
{
    bool overflow = column->use_dictionary && (int64_t) column->dictionary.body.size > scratch->dictionary_bytes;
    bool full = column->page_rows >= scratch->page_rows || column->page_levels >= 8 * scratch->page_rows ||
                (int64_t) column->values.size >= scratch->page_bytes;
    if (!overflow && !full)
        return SF_OK;
    SF_TRY(close_page(column, scratch, err));
    /* What has been referred to stays; new values are PLAIN from here. */
    if (overflow)
        column->use_dictionary = false;
    return SF_OK;
}

static void encode_encodings(const ColumnWriter *column, ThriftWriter *meta)
{
    bool levels = column->leaf->max_def > 0 || column->leaf->max_rep > 0;
    bool plain = column->plain_pages > 0 || column->dictionary_pages > 0;
    bool dictionary = column->dictionary_pages > 0;
    thrift_begin_list(meta, COLUMN_ENCODINGS, THRIFT_I32, (size_t) plain + levels + dictionary);
    if (plain)
        thrift_element_int(meta, PARQUET_PLAIN);
    if (levels)
        thrift_element_int(meta, PARQUET_RLE);
    if (dictionary)
        thrift_element_int(meta, PARQUET_RLE_DICTIONARY);
}

static void encode_page_count(ThriftWriter *meta, ParquetPageType type, ParquetEncoding encoding, int32_t count)
{
    thrift_begin_element(meta);
    thrift_add_i32(meta, ENCODING_STATS_PAGE_TYPE, (int32_t) type);
    thrift_add_i32(meta, ENCODING_STATS_ENCODING, (int32_t) encoding);
    thrift_add_i32(meta, ENCODING_STATS_COUNT, count);
    thrift_end_struct(meta);
}

/* PageEncodingStats: tells a reader that a chunk is wholly dictionary-encoded. */
static void encode_page_counts(const ColumnWriter *column, ThriftWriter *meta)
{
    bool dictionary = column->dictionary_pages > 0;
    bool plain = column->plain_pages > 0;
    thrift_begin_list(meta, COLUMN_ENCODING_STATS, THRIFT_STRUCT, (size_t) (dictionary ? 2 : 0) + plain);
    if (dictionary) {
        encode_page_count(meta, PARQUET_DICTIONARY_PAGE, PARQUET_PLAIN, 1);
        encode_page_count(meta, PARQUET_DATA_PAGE, PARQUET_RLE_DICTIONARY, column->dictionary_pages);
    }
    if (plain)
        encode_page_count(meta, PARQUET_DATA_PAGE, PARQUET_PLAIN, column->plain_pages);
}

typedef struct Chunk {
    int64_t dictionary_offset;
    int64_t data_offset;
    int64_t size;
} Chunk;

static void encode_chunk(const ColumnWriter *column, const Scratch *scratch, const Chunk *chunk, ThriftWriter *meta)
{
    thrift_begin_element(meta);
    thrift_add_i64(meta, CHUNK_FILE_OFFSET, 0);
    thrift_begin_struct(meta, CHUNK_META_DATA);
    thrift_add_i32(meta, COLUMN_TYPE, (int32_t) column->leaf->physical);
    encode_encodings(column, meta);
    thrift_begin_list(meta, COLUMN_PATH, THRIFT_BINARY, g_strv_length(column->path));
    for (char **part = column->path; *part; part++)
        thrift_element_binary(meta, *part, strlen(*part));
    thrift_add_i32(meta, COLUMN_CODEC, (int32_t) scratch->kind);
    thrift_add_i64(meta, COLUMN_NUM_VALUES, column->chunk_levels);
    thrift_add_i64(meta, COLUMN_UNCOMPRESSED_SIZE, column->pages_unpacked);
    thrift_add_i64(meta, COLUMN_COMPRESSED_SIZE, chunk->size);
    thrift_add_i64(meta, COLUMN_DATA_PAGE_OFFSET, chunk->data_offset);
    if (column->dictionary_pages > 0)
        thrift_add_i64(meta, COLUMN_DICTIONARY_PAGE_OFFSET, chunk->dictionary_offset);
    parquet_stats_encode(&column->chunk, column->leaf, meta);
    encode_page_counts(column, meta);
    thrift_end_struct(meta);
    thrift_end_struct(meta);
}

void pages_reset(ColumnWriter *column)
{
    clear_page(column);
    parquet_stats_clear(&column->chunk);
    dictionary_clear(&column->dictionary);
    column->pages.size = 0;
    page_index_clear(&column->index);
    column->pages_unpacked = column->chunk_levels = column->chunk_rows = column->plain_bytes = 0;
    column->dictionary_pages = column->plain_pages = 0;
    column->sampled = false;
    column->use_dictionary = column->leaf->physical != PARQUET_BOOLEAN && column->skip_chunks == 0;
    if (column->skip_chunks > 0)
        column->skip_chunks--;
}

SfStatus pages_end_chunk(ColumnWriter *column, Scratch *scratch, OpenGroup *group, SfError *err)
{
    SF_TRY(close_page(column, scratch, err));
    Buffer *file = group->file;
    Chunk chunk = {.dictionary_offset = (int64_t) file->size};
    if (column->dictionary_pages > 0)
        SF_TRY(add_page(column, scratch, column->dictionary.body.data, column->dictionary.body.size,
                        PARQUET_DICTIONARY_PAGE, column->dictionary.count, PARQUET_PLAIN, file, err));
    chunk.data_offset = (int64_t) file->size;
    buffer_add(file, column->pages.data, column->pages.size);
    if (column->pages.capacity > KEPT_BYTES)
        buffer_done(&column->pages);
    chunk.size = (int64_t) file->size - chunk.dictionary_offset;
    encode_chunk(column, scratch, &chunk, group->meta);
    /* The places of the indexes are known at the end of the file: they go before the byte that ends the struct. */
    file_index_add(group->index, &column->index, chunk.data_offset, group->meta->out->size - 1);
    group->most_pages = MAX(group->most_pages, page_index_pages(&column->index));
    group->unpacked += column->pages_unpacked;
    parquet_stats_merge(&column->file, &column->chunk, column->leaf);
    pages_reset(column);
    return SF_OK;
}
