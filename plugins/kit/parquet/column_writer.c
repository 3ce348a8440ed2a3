/* Values of one leaf into its open page: dictionary or PLAIN, with statistics. Closing pages is pages.c. */
#include "column_writer.h"
#include "pages.h"

/* A sample decides whether a dictionary pays; a column where it did not is tried again after so many chunks. */
#define SAMPLE_VALUES (2 * SLICE_VALUES)
#define SAMPLE_DISTINCT_PERCENT 90
#define RETRY_CHUNKS 15

void column_writer_init(ColumnWriter *column, const ParquetNode *root, const ParquetNode *leaf)
{
    *column = (ColumnWriter){.leaf = leaf, .path = parquet_leaf_path(root, leaf->leaf)};
    bool bytes = leaf->physical == PARQUET_BYTE_ARRAY || leaf->physical == PARQUET_FIXED;
    dictionary_init(&column->dictionary, bytes, (uint32_t) leaf->width);
    column->use_dictionary = leaf->physical != PARQUET_BOOLEAN;
}

void column_writer_done(ColumnWriter *column)
{
    g_strfreev(column->path);
    buffer_done(&column->values);
    buffer_done(&column->indices);
    buffer_done(&column->defs);
    buffer_done(&column->reps);
    buffer_done(&column->pages);
    dictionary_done(&column->dictionary);
    page_index_done(&column->index);
    parquet_stats_done(&column->page);
    parquet_stats_done(&column->chunk);
    parquet_stats_done(&column->file);
}

size_t column_writer_memory(const ColumnWriter *column)
{
    return column->values.capacity + column->indices.capacity + column->defs.capacity + column->reps.capacity +
           column->pages.capacity + column->index.entries.capacity + column->index.bounds.capacity +
           dictionary_memory(&column->dictionary);
}

int64_t column_writer_size(const ColumnWriter *column)
{
    /* What is not compressed yet is counted half. */
    return (int64_t) (column->pages.size + column->dictionary.body.size / 2 + column->values.size / 2 +
                      column->indices.size / 8);
}

/* When most values of the sample were new, the dictionary would only grow with the data. */
static void judge_sample(ColumnWriter *column, Scratch *scratch)
{
    if (column->sampled || column->chunk.values < SAMPLE_VALUES)
        return;
    column->sampled = true;
    if (column->dictionary_pages > 0 ||
        (int64_t) column->dictionary.count * 100 < column->chunk.values * SAMPLE_DISTINCT_PERCENT)
        return;
    column->skip_chunks = RETRY_CHUNKS;
    column_chunk_drop_dictionary(column, scratch);
}

static void put_indices(ColumnWriter *column, Scratch *scratch, const void *values, const SfBytes *bytes, size_t n)
{
    uint32_t *out = (uint32_t *) (void *) buffer_room(&column->indices, n * sizeof *out);
    if (bytes) {
        dictionary_put_bytes(&column->dictionary, bytes, n, out);
        for (size_t i = 0; i < n; i++)
            column->plain_bytes += bytes[i].size + column->dictionary.prefix;
    } else if (column_chunk_number_width(column->leaf) == 4) {
        dictionary_put32(&column->dictionary, values, n, out);
        column->plain_bytes += (int64_t) n * 4;
    } else {
        dictionary_put64(&column->dictionary, values, n, out);
        column->plain_bytes += (int64_t) n * 8;
    }
    column->indices.size += n * sizeof *out;
    column->chunk.values += (int64_t) n;
    judge_sample(column, scratch);
}

static void put_values(ColumnWriter *column, Scratch *scratch, const void *values, const SfBytes *bytes, size_t n)
{
    if (column->use_dictionary) {
        put_indices(column, scratch, values, bytes, n);
        return;
    }
    if (bytes)
        column_chunk_add_plain_bytes(column, bytes, n);
    else
        buffer_add(&column->values, values, n * column_chunk_number_width(column->leaf));
    column_chunk_add_stats(column, values, bytes, n);
    column->chunk.values += (int64_t) n;
}

/* PLAIN booleans are single bits, LSB first, across all slices of a page. */
static void put_bools(ColumnWriter *column, const SfColumn *view, const int32_t *index, int64_t first, size_t n)
{
    size_t at = (size_t) column->page_values;
    for (size_t i = 0; i < n; i++, at++) {
        bool value = sf_bool(view, index ? index[i] : first + (int64_t) i);
        if (at % 8 == 0)
            buffer_add_byte(&column->values, 0);
        column->values.data[at / 8] |= (uint8_t) (value << at % 8);
        int64_t bound = value;
        ParquetStats *stats = &column->page;
        stats->min_int = stats->any ? MIN(stats->min_int, bound) : bound;
        stats->max_int = stats->any ? MAX(stats->max_int, bound) : bound;
        stats->any = true;
    }
    column->chunk.values += (int64_t) n;
}

/* Decimals are narrowed to the physical type; FIXED is big-endian. */
static const void *take_decimals(Scratch *scratch, const ParquetNode *leaf, const SfColumn *view, const int32_t *index,
                                 int64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        SfDecimal value = sf_decimal(view, index ? index[i] : first + (int64_t) i);
        if (leaf->physical == PARQUET_INT32) {
            scratch->numbers.u32[i] = (uint32_t) value.low;
        } else if (leaf->physical == PARQUET_INT64) {
            scratch->numbers.u64[i] = value.low;
        } else {
            uint64_t words[2] = {GUINT64_TO_BE((uint64_t) value.high), GUINT64_TO_BE(value.low)};
            uint8_t *at = scratch->fixed + 16 * i;
            memcpy(at, words, 16);
            scratch->bytes[i] = (SfBytes){(const char *) at + 16 - leaf->width, leaf->width};
        }
    }
    return &scratch->numbers;
}

static const void *take_numbers(Scratch *scratch, size_t width, const SfColumn *view, const int32_t *index,
                                int64_t first, size_t n)
{
    const uint8_t *values = (const uint8_t *) view->values + (size_t) view->offset * width;
    if (!index)
        return values + (size_t) first * width;
    if (width == 4) {
        for (size_t i = 0; i < n; i++)
            memcpy(&scratch->numbers.u32[i], values + 4 * (size_t) index[i], 4);
    } else {
        for (size_t i = 0; i < n; i++)
            memcpy(&scratch->numbers.u64[i], values + 8 * (size_t) index[i], 8);
    }
    return &scratch->numbers;
}

/* Numbers whose rows have another width than the file. */
static const void *convert_numbers(Scratch *scratch, ParquetAs as, const SfColumn *view, const int32_t *index,
                                   int64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t row = index ? index[i] : first + (int64_t) i;
        if (as == PARQUET_AS_INT64) {
            scratch->numbers.u64[i] = (uint64_t) (int64_t) sf_i32(view, row);
        } else {
            float single = (float) sf_f64(view, row);
            memcpy(&scratch->numbers.u32[i], &single, sizeof single);
        }
    }
    return &scratch->numbers;
}

/* Texts of fewer than `characters` characters with blanks behind them. */
static void pad_texts(Scratch *scratch, int32_t characters, size_t n)
{
    size_t size = n * (size_t) characters;
    for (size_t i = 0; i < n; i++)
        size += (size_t) scratch->bytes[i].size;
    scratch->padded.size = 0;
    char *at = (char *) buffer_room(&scratch->padded, size);
    for (size_t i = 0; i < n; i++) {
        SfBytes *text = &scratch->bytes[i];
        int64_t there = parquet_characters(text->data, text->size);
        if (there >= characters)
            continue;
        size_t blanks = (size_t) (characters - there);
        if (text->size > 0)
            memcpy(at, text->data, (size_t) text->size);
        memset(at + text->size, ' ', blanks);
        *text = (SfBytes){at, text->size + (int64_t) blanks};
        at += text->size;
    }
}

void column_writer_add_values(ColumnWriter *column, Scratch *scratch, const SfColumn *view, const int32_t *index,
                              int64_t first, size_t n)
{
    const ParquetNode *leaf = column->leaf;
    if (leaf->type == SF_BOOL) {
        put_bools(column, view, index, first, n);
    } else if (leaf->type == SF_DECIMAL128) {
        const void *numbers = take_decimals(scratch, leaf, view, index, first, n);
        put_values(column, scratch, numbers, leaf->physical == PARQUET_FIXED ? scratch->bytes : NULL, n);
    } else if (leaf->physical == PARQUET_BYTE_ARRAY) {
        for (size_t i = 0; i < n; i++)
            scratch->bytes[i] = sf_bytes(view, index ? index[i] : first + (int64_t) i);
        if (leaf->pad > 0)
            pad_texts(scratch, leaf->pad, n);
        put_values(column, scratch, NULL, scratch->bytes, n);
    } else if (leaf->as == PARQUET_AS_INT64 || leaf->as == PARQUET_AS_FLOAT) {
        put_values(column, scratch, convert_numbers(scratch, leaf->as, view, index, first, n), NULL, n);
    } else {
        put_values(column, scratch, take_numbers(scratch, column_chunk_number_width(leaf), view, index, first, n), NULL,
                   n);
    }
    column->page_values += (int64_t) n;
}

/* Whether all texts lie in so few bytes, as plain ones do one behind the other: those of the rows, or of the whole
 * column where rows are picked, which have no more. */
static bool are_short(const SfColumn *view, const int32_t *rows, int64_t first, int64_t n)
{
    const int32_t *ends = (const int32_t *) view->values + view->offset;
    int64_t from = rows ? 0 : first, to = rows ? view->length : first + n;
    bool whole = view->offset == view->array->offset; /* else the column is longer than the rows around it */
    return !view->view && (whole || !rows) && (int64_t) ends[to] - ends[from] <= SLICE_BYTES;
}

/* How many of the next n rows fit a slice: a slice of long strings is shorter. At least one. */
static int64_t slice_rows(const ColumnWriter *column, const SfColumn *view, const int32_t *rows, int64_t first,
                          int64_t n)
{
    if (column->leaf->physical != PARQUET_BYTE_ARRAY || are_short(view, rows, first, n))
        return n;
    int64_t bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows ? rows[i] : first + i;
        bytes += sf_is_null(view, row) ? 0 : sf_bytes(view, row).size;
        if (bytes > SLICE_BYTES)
            return MAX(i, 1);
    }
    return n;
}

/* Definition levels of a slice with nulls; the rows that are there go to scratch->index. Returns their number. */
static size_t add_levels(ColumnWriter *column, Scratch *scratch, const SfColumn *view, const int32_t *rows,
                         int64_t first, int64_t n)
{
    if (column->defs.size == 0 && column->page_levels > 0) {
        memset(buffer_room(&column->defs, (size_t) column->page_levels), 1, (size_t) column->page_levels);
        column->defs.size = (size_t) column->page_levels;
    }
    uint8_t *defs = buffer_room(&column->defs, (size_t) n);
    size_t there = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows ? rows[i] : first + i;
        bool valid = !sf_is_null(view, row);
        defs[i] = valid;
        scratch->index[there] = (int32_t) row;
        there += valid;
    }
    column->defs.size += (size_t) n;
    return there;
}

static bool all_valid(const SfColumn *view, const int32_t *rows, int64_t first, int64_t n)
{
    if (!view->validity)
        return true;
    bool valid = true;
    int64_t i = 0;
    if (!rows) {
        /* Whole bytes of the bitmap between the ragged ends. */
        for (; i < n && valid && (first + i + view->offset) % 8 != 0; i++)
            valid = !sf_is_null(view, first + i);
        for (; i + 8 <= n && valid; i += 8)
            valid = view->validity[(first + i + view->offset) / 8] == 0xFF;
    }
    for (; i < n && valid; i++)
        valid = !sf_is_null(view, rows ? rows[i] : first + i);
    return valid;
}

SfStatus column_writer_add_flat(ColumnWriter *column, Scratch *scratch, const SfColumn *view, const int32_t *rows,
                                int64_t first, int64_t n, SfError *err)
{
    for (int64_t at = 0; at < n;) {
        const int32_t *slice = rows ? rows + at : NULL;
        int64_t count = MIN(MIN(n - at, SLICE_VALUES), scratch->page_rows - column->page_rows);
        count = slice_rows(column, view, slice, first + at, count);
        bool valid = all_valid(view, slice, first + at, count);
        if (!valid && !column->leaf->nullable)
            return sf_fail(err, SF_FATAL, "column '%s' is not nullable, but a row has no value", column->leaf->name);
        if (valid && column->defs.size == 0) {
            column_writer_add_values(column, scratch, view, slice, first + at, (size_t) count);
        } else {
            size_t there = add_levels(column, scratch, view, slice, first + at, count);
            column_writer_add_values(column, scratch, view, scratch->index, 0, there);
        }
        column->page_levels += count;
        column->page_rows += count;
        at += count;
        SF_TRY(pages_slice_done(column, scratch, err));
    }
    return SF_OK;
}
