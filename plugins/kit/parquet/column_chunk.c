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
        parquet_stats_ints32(&column->chunk, values, n);
        break;
    case PARQUET_INT64:
        parquet_stats_ints64(&column->chunk, values, n);
        break;
    case PARQUET_FLOAT:
        parquet_stats_floats32(&column->chunk, values, n);
        break;
    case PARQUET_DOUBLE:
        parquet_stats_floats(&column->chunk, values, n);
        break;
    default:
        /* Delta and its readers make nothing of the order of binary, so it costs nothing here. */
        if (column->leaf->type != SF_BINARY)
            parquet_stats_bytes(&column->chunk, bytes, n, column->leaf->physical == PARQUET_FIXED);
    }
}

void column_chunk_add_dictionary_stats(ColumnWriter *column, Scratch *scratch)
{
    const Dictionary *dictionary = &column->dictionary;
    if (!dictionary->named) {
        column_chunk_add_stats(column, dictionary->body.data, NULL, dictionary->count);
        return;
    }
    for (uint32_t at = 0; at < dictionary->count;) {
        size_t n = MIN((size_t) (dictionary->count - at), SLICE_VALUES);
        for (size_t i = 0; i < n; i++)
            scratch->bytes[i] = dictionary_bytes(dictionary, at + (uint32_t) i);
        column_chunk_add_stats(column, NULL, scratch->bytes, n);
        at += (uint32_t) n;
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
    column->indices.size = 0;
    column->use_dictionary = false;
    column_chunk_add_dictionary_stats(column, scratch);
    dictionary_clear(&column->dictionary);
}
