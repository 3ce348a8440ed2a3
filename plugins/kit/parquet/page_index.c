/* ColumnIndex and OffsetIndex (parquet.thrift; PageIndex.md). */
#include "page_index.h"

typedef struct IndexedChunk {
    size_t at; /* in the row groups' bytes: where its ColumnChunk goes on */
    size_t columns_start;
    size_t columns_size; /* 0: it has no ColumnIndex */
    size_t offsets_start;
    size_t offsets_size;
} IndexedChunk;

static const PageEntry *entries_of(const PageIndex *index, size_t *n)
{
    *n = index->entries.size / sizeof(PageEntry);
    return (const PageEntry *) (const void *) index->entries.data;
}

void page_index_add(PageIndex *index, const PageEntry *page, const ParquetStats *stats, const ParquetNode *leaf)
{
    PageEntry entry = *page;
    ParquetBounds bounds;
    entry.min = entry.max = 0;
    if (entry.values > 0 && parquet_stats_bounds(stats, leaf, &bounds) && bounds.max.known) {
        entry.min = (uint32_t) bounds.min.size;
        entry.max = (uint32_t) bounds.max.size;
        buffer_add(&index->bounds, bounds.min.bytes, bounds.min.size);
        buffer_add(&index->bounds, bounds.max.bytes, bounds.max.size);
    } else if (entry.values > 0) {
        index->unbounded = true;
    }
    buffer_add(&index->entries, &entry, sizeof entry);
}

size_t page_index_pages(const PageIndex *index)
{
    return index->entries.size / sizeof(PageEntry);
}

void page_index_clear(PageIndex *index)
{
    index->entries.size = index->bounds.size = 0;
    index->unbounded = false;
}

void page_index_done(PageIndex *index)
{
    buffer_done(&index->entries);
    buffer_done(&index->bounds);
}

/* The pages' order is not told: it says how to search them, not what they hold. */
static void encode_column_index(const PageIndex *index, Buffer *out)
{
    size_t n;
    const PageEntry *pages = entries_of(index, &n);
    ThriftWriter writer;
    thrift_writer_init(&writer, out);
    thrift_begin_list(&writer, COLUMN_INDEX_NULL_PAGES, THRIFT_TRUE, n);
    for (size_t i = 0; i < n; i++)
        thrift_element_bool(&writer, pages[i].values == 0);
    const uint8_t *at = index->bounds.data;
    thrift_begin_list(&writer, COLUMN_INDEX_MIN_VALUES, THRIFT_BINARY, n);
    for (size_t i = 0; i < n; at += pages[i].min + pages[i].max, i++)
        thrift_element_binary(&writer, at, pages[i].min);
    at = index->bounds.data;
    thrift_begin_list(&writer, COLUMN_INDEX_MAX_VALUES, THRIFT_BINARY, n);
    for (size_t i = 0; i < n; at += pages[i].min + pages[i].max, i++)
        thrift_element_binary(&writer, at + pages[i].min, pages[i].max);
    thrift_add_i32(&writer, COLUMN_INDEX_BOUNDARY_ORDER, PARQUET_UNORDERED);
    thrift_begin_list(&writer, COLUMN_INDEX_NULL_COUNTS, THRIFT_I64, n);
    for (size_t i = 0; i < n; i++)
        thrift_element_int(&writer, pages[i].nulls);
    thrift_end_struct(&writer);
}

static void encode_offset_index(const PageIndex *index, int64_t data_offset, Buffer *out)
{
    size_t n;
    const PageEntry *pages = entries_of(index, &n);
    ThriftWriter writer;
    thrift_writer_init(&writer, out);
    thrift_begin_list(&writer, OFFSET_INDEX_PAGE_LOCATIONS, THRIFT_STRUCT, n);
    for (size_t i = 0; i < n; i++) {
        thrift_begin_element(&writer);
        thrift_add_i64(&writer, PAGE_LOCATION_OFFSET, data_offset + pages[i].offset);
        thrift_add_i32(&writer, PAGE_LOCATION_COMPRESSED_SIZE, pages[i].size);
        thrift_add_i64(&writer, PAGE_LOCATION_FIRST_ROW, pages[i].first_row);
        thrift_end_struct(&writer);
    }
    thrift_end_struct(&writer);
}

void file_index_add(FileIndex *file, const PageIndex *index, int64_t data_offset, size_t at)
{
    IndexedChunk chunk = {.at = at, .columns_start = file->columns.size, .offsets_start = file->offsets.size};
    if (!index->unbounded)
        encode_column_index(index, &file->columns);
    encode_offset_index(index, data_offset, &file->offsets);
    chunk.columns_size = file->columns.size - chunk.columns_start;
    chunk.offsets_size = file->offsets.size - chunk.offsets_start;
    buffer_add(&file->chunks, &chunk, sizeof chunk);
}

FileIndexMark file_index_mark(const FileIndex *file)
{
    return (FileIndexMark){file->columns.size, file->offsets.size, file->chunks.size};
}

void file_index_rewind(FileIndex *file, FileIndexMark mark)
{
    file->columns.size = mark.columns;
    file->offsets.size = mark.offsets;
    file->chunks.size = mark.chunks;
}

void file_index_write(const FileIndex *file, Buffer *out)
{
    buffer_add(out, file->columns.data, file->columns.size);
    buffer_add(out, file->offsets.data, file->offsets.size);
}

static void encode_places(const FileIndex *file, const IndexedChunk *chunk, int64_t start, Buffer *out)
{
    ThriftWriter writer;
    thrift_writer_resume(&writer, out, CHUNK_META_DATA);
    thrift_add_i64(&writer, CHUNK_OFFSET_INDEX_OFFSET, start + (int64_t) (file->columns.size + chunk->offsets_start));
    thrift_add_i32(&writer, CHUNK_OFFSET_INDEX_LENGTH, (int32_t) chunk->offsets_size);
    if (chunk->columns_size == 0)
        return;
    thrift_add_i64(&writer, CHUNK_COLUMN_INDEX_OFFSET, start + (int64_t) chunk->columns_start);
    thrift_add_i32(&writer, CHUNK_COLUMN_INDEX_LENGTH, (int32_t) chunk->columns_size);
}

void file_index_write_groups(const FileIndex *file, const Buffer *groups, int64_t start, Buffer *out)
{
    const IndexedChunk *chunks = (const IndexedChunk *) (const void *) file->chunks.data;
    size_t n = file->chunks.size / sizeof *chunks;
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        buffer_add(out, groups->data + done, chunks[i].at - done);
        encode_places(file, &chunks[i], start, out);
        done = chunks[i].at;
    }
    buffer_add(out, groups->data + done, groups->size - done);
}

size_t file_index_memory(const FileIndex *file)
{
    return file->columns.capacity + file->offsets.capacity + file->chunks.capacity;
}

void file_index_done(FileIndex *file)
{
    buffer_done(&file->columns);
    buffer_done(&file->offsets);
    buffer_done(&file->chunks);
}
