/* What values and pages both need of the open chunk: PLAIN values, their bounds, and the end of a dictionary. */
#include "column_chunk.h"

size_t column_chunk_number_width(const ParquetNode *leaf)
{
    return leaf->physical == PARQUET_INT32 || leaf->physical == PARQUET_FLOAT ? 4 : 8;
}

void column_chunk_add_plain_bytes(ColumnWriter *column, const SfBytes *bytes, size_t n)
{
    bool prefix = column->leaf->physical == PARQUET_BYTE_ARRAY;
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += (size_t) bytes[i].size + 4;
    uint8_t *at = buffer_room(&column->values, size);
    const uint8_t *start = at;
    for (size_t i = 0; i < n; i++) {
        size_t length = (size_t) bytes[i].size;
        if (prefix) {
            uint32_t word = GUINT32_TO_LE((uint32_t) length);
            memcpy(at, &word, 4);
            at += 4;
        }
        if (length > 0)
            memcpy(at, bytes[i].data, length);
        at += length;
    }
    column->values.size += (size_t) (at - start);
}

void column_chunk_add_stats(ColumnWriter *column, const void *values, const SfBytes *bytes, size_t n)
{
    switch (column->leaf->physical) {
    case PARQUET_INT32:
        parquet_stats_ints32(&column->page, values, n);
        break;
    case PARQUET_INT64:
        parquet_stats_ints64(&column->page, values, n);
        break;
    case PARQUET_FLOAT:
        parquet_stats_floats32(&column->page, values, n);
        break;
    case PARQUET_DOUBLE:
        parquet_stats_floats(&column->page, values, n);
        break;
    default:
        /* Delta and its readers make nothing of the order of binary, so it costs nothing here. */
        if (column->leaf->type != SF_BINARY)
            parquet_stats_bytes(&column->page, bytes, n, column->leaf->physical == PARQUET_FIXED);
    }
}

/* Numbers of the dictionary's entries that the open page has: each once, where there are fewer entries than values. */
static size_t used_entries(const ColumnWriter *column, Scratch *scratch, const uint32_t **out)
{
    const uint32_t *indices = (const uint32_t *) (const void *) column->indices.data;
    size_t n = column->indices.size / sizeof *indices;
    size_t count = column->dictionary.count;
    if (count >= n) {
        *out = indices;
        return n;
    }
    scratch->marks.size = scratch->words.size = 0;
    uint8_t *marks = buffer_room(&scratch->marks, count);
    uint32_t *used = (uint32_t *) (void *) buffer_room(&scratch->words, count * sizeof *used);
    memset(marks, 0, count);
    for (size_t i = 0; i < n; i++)
        marks[indices[i]] = 1;
    size_t n_used = 0;
    for (uint32_t i = 0; i < count; i++) {
        used[n_used] = i;
        n_used += marks[i];
    }
    *out = used;
    return n_used;
}

static void take_entries(const ColumnWriter *column, Scratch *scratch, const uint32_t *entries, size_t n)
{
    const Dictionary *dictionary = &column->dictionary;
    const uint8_t *values = dictionary->body.data;
    for (size_t i = 0; i < n; i++) {
        if (dictionary->named)
            scratch->bytes[i] = dictionary_bytes(dictionary, entries[i]);
        else if (column_chunk_number_width(column->leaf) == 4)
            memcpy(&scratch->numbers.u32[i], values + 4 * (size_t) entries[i], 4);
        else
            memcpy(&scratch->numbers.u64[i], values + 8 * (size_t) entries[i], 8);
    }
}

void column_chunk_add_index_stats(ColumnWriter *column, Scratch *scratch)
{
    const uint32_t *entries;
    size_t n = used_entries(column, scratch, &entries);
    for (size_t at = 0; at < n; at += SLICE_VALUES) {
        size_t count = MIN(n - at, SLICE_VALUES);
        take_entries(column, scratch, entries + at, count);
        column_chunk_add_stats(column, &scratch->numbers, scratch->bytes, count);
    }
}

void column_chunk_drop_dictionary(ColumnWriter *column, Scratch *scratch)
{
    const uint32_t *indices = (const uint32_t *) (const void *) column->indices.data;
    size_t n = column->indices.size / sizeof *indices;
    const Dictionary *dictionary = &column->dictionary;
    size_t width = column_chunk_number_width(column->leaf);
    for (size_t at = 0; at < n;) {
        size_t count = MIN(n - at, SLICE_VALUES);
        if (dictionary->named) {
            for (size_t i = 0; i < count; i++)
                scratch->bytes[i] = dictionary_bytes(dictionary, indices[at + i]);
            column_chunk_add_plain_bytes(column, scratch->bytes, count);
        } else {
            for (size_t i = 0; i < count; i++)
                buffer_add(&column->values, dictionary->body.data + indices[at + i] * width, width);
        }
        at += count;
    }
    column_chunk_add_index_stats(column, scratch);
    column->indices.size = 0;
    column->use_dictionary = false;
    dictionary_clear(&column->dictionary);
}
