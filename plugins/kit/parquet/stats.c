/* Minimum, maximum and null counts (parquet.thrift, Statistics; rules of order: ColumnOrder). */
#include "stats.h"

#include <math.h>

void parquet_stats_clear(ParquetStats *stats)
{
    Buffer min = stats->min_bytes;
    Buffer max = stats->max_bytes;
    min.size = max.size = 0;
    *stats = (ParquetStats){.min_bytes = min, .max_bytes = max};
}

void parquet_stats_done(ParquetStats *stats)
{
    buffer_done(&stats->min_bytes);
    buffer_done(&stats->max_bytes);
}

static void add_int_range(ParquetStats *stats, int64_t min, int64_t max)
{
    stats->min_int = stats->any ? MIN(stats->min_int, min) : min;
    stats->max_int = stats->any ? MAX(stats->max_int, max) : max;
    stats->any = true;
}

void parquet_stats_ints32(ParquetStats *stats, const int32_t *values, size_t n)
{
    if (n == 0)
        return;
    int32_t min = values[0];
    int32_t max = values[0];
    for (size_t i = 1; i < n; i++) {
        min = MIN(min, values[i]);
        max = MAX(max, values[i]);
    }
    add_int_range(stats, min, max);
}

void parquet_stats_ints64(ParquetStats *stats, const int64_t *values, size_t n)
{
    if (n == 0)
        return;
    int64_t min = values[0];
    int64_t max = values[0];
    for (size_t i = 1; i < n; i++) {
        min = MIN(min, values[i]);
        max = MAX(max, values[i]);
    }
    add_int_range(stats, min, max);
}

static void add_float_range(ParquetStats *stats, double min, double max)
{
    stats->min_float = stats->any ? MIN(stats->min_float, min) : min;
    stats->max_float = stats->any ? MAX(stats->max_float, max) : max;
    stats->any = true;
}

void parquet_stats_floats(ParquetStats *stats, const double *values, size_t n)
{
    double min = HUGE_VAL;
    double max = -HUGE_VAL;
    size_t nans = 0;
    for (size_t i = 0; i < n; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        nans += values[i] != values[i];
    }
    stats->nan |= nans > 0;
    if (nans < n)
        add_float_range(stats, min, max);
}

void parquet_stats_floats32(ParquetStats *stats, const float *values, size_t n)
{
    double wide[64];
    for (size_t at = 0; at < n;) {
        size_t count = MIN(n - at, G_N_ELEMENTS(wide));
        for (size_t i = 0; i < count; i++)
            wide[i] = (double) values[at + i];
        parquet_stats_floats(stats, wide, count);
        at += count;
    }
}

static inline int compare_bytes(SfBytes a, SfBytes b, bool is_signed)
{
    if (is_signed && a.size > 0 && b.size > 0 && (a.data[0] ^ b.data[0]) & 0x80)
        return a.data[0] & 0x80 ? -1 : 1;
    int64_t common = MIN(a.size, b.size);
    int order = common > 0 ? memcmp(a.data, b.data, (size_t) common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static SfBytes bytes_of(const Buffer *buffer)
{
    return (SfBytes){(const char *) buffer->data, (int64_t) buffer->size};
}

static void copy_bytes(Buffer *buffer, SfBytes value)
{
    buffer->size = 0;
    buffer_add(buffer, value.data, (size_t) value.size);
}

static void add_bytes_range(ParquetStats *stats, SfBytes min, SfBytes max, bool is_signed)
{
    if (!stats->any || compare_bytes(min, bytes_of(&stats->min_bytes), is_signed) < 0)
        copy_bytes(&stats->min_bytes, min);
    if (!stats->any || compare_bytes(max, bytes_of(&stats->max_bytes), is_signed) > 0)
        copy_bytes(&stats->max_bytes, max);
    stats->any = true;
}

/* The first 8 bytes as a number that orders as they do; shorter values are padded with zeros. */
static inline uint64_t leading(SfBytes value)
{
    uint64_t word = 0;
    if (value.size >= 8)
        memcpy(&word, value.data, 8);
    else if (value.size > 0)
        memcpy(&word, value.data, (size_t) value.size);
    return GUINT64_FROM_BE(word);
}

void parquet_stats_bytes(ParquetStats *stats, const SfBytes *values, size_t n, bool is_signed)
{
    if (n == 0)
        return;
    const uint64_t flip = is_signed ? UINT64_C(1) << 63 : 0;
    size_t min = 0;
    size_t max = 0;
    uint64_t min_lead = leading(values[0]) ^ flip;
    uint64_t max_lead = min_lead;
    for (size_t i = 1; i < n; i++) {
        uint64_t lead = leading(values[i]) ^ flip;
        if (lead <= min_lead && (lead < min_lead || compare_bytes(values[i], values[min], is_signed) < 0)) {
            min = i;
            min_lead = lead;
        }
        if (lead >= max_lead && (lead > max_lead || compare_bytes(values[i], values[max], is_signed) > 0)) {
            max = i;
            max_lead = lead;
        }
    }
    add_bytes_range(stats, values[min], values[max], is_signed);
}

void parquet_stats_merge(ParquetStats *stats, const ParquetStats *more, const ParquetNode *leaf)
{
    stats->nulls += more->nulls;
    stats->values += more->values;
    stats->nan |= more->nan;
    if (!more->any)
        return;
    switch (leaf->physical) {
    case PARQUET_DOUBLE:
    case PARQUET_FLOAT:
        add_float_range(stats, more->min_float, more->max_float);
        break;
    case PARQUET_BYTE_ARRAY:
    case PARQUET_FIXED:
        add_bytes_range(stats, bytes_of(&more->min_bytes), bytes_of(&more->max_bytes), leaf->physical == PARQUET_FIXED);
        break;
    default:
        add_int_range(stats, more->min_int, more->max_int);
    }
}

int64_t parquet_characters(const char *text, int64_t size)
{
    int64_t n = 0;
    for (int64_t i = 0; i < size; i++)
        n += ((unsigned char) text[i] & 0xC0) != 0x80;
    return n;
}

size_t parquet_cut(const uint8_t *text, size_t size, size_t limit, bool utf8)
{
    if (size <= limit)
        return size;
    while (utf8 && limit > 0 && (text[limit] & 0xC0) == 0x80)
        limit--;
    return limit;
}

static void set_bound(ParquetBound *bound, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(bound->bytes, bytes, size);
    bound->size = size;
    bound->known = bound->exact = true;
}

/* The smallest text of its length above all that begin with text[0, size): the last character that can is raised by one
 * and what follows it dropped. Only ASCII characters are raised in utf8, which keeps it valid; 0: there is none. */
static size_t raise_bound(uint8_t *text, size_t size, bool utf8)
{
    const uint8_t top = utf8 ? 0x7F : 0xFF;
    for (size_t at = size; at > 0; at--)
        if (text[at - 1] < top) {
            text[at - 1]++;
            return at;
        }
    return 0;
}

/* What parquet-java cuts its index bounds to; longer values cost every reader of the footer. */
static void text_bounds(const ParquetStats *stats, const ParquetNode *leaf, ParquetBounds *out)
{
    bool utf8 = leaf->type == SF_UTF8;
    size_t min = parquet_cut(stats->min_bytes.data, stats->min_bytes.size, PARQUET_BOUND_MAX, utf8);
    size_t max = parquet_cut(stats->max_bytes.data, stats->max_bytes.size, PARQUET_BOUND_MAX, utf8);
    set_bound(&out->min, stats->min_bytes.data, min);
    set_bound(&out->max, stats->max_bytes.data, max);
    out->min.exact = min == stats->min_bytes.size;
    out->max.exact = max == stats->max_bytes.size;
    if (!out->max.exact)
        out->max.size = raise_bound(out->max.bytes, max, utf8);
    out->max.known = out->max.exact || out->max.size > 0;
}

/* Both zeros are equal, but not for readers that order them: each bound has the sign that holds for those too. */
static uint64_t float_bits(double bound, bool up, bool narrow)
{
    uint32_t word;
    uint64_t wide;
    bound = bound != 0 ? bound : up ? 0.0 : -0.0;
    float single = (float) bound;
    memcpy(&word, &single, 4);
    memcpy(&wide, &bound, 8);
    return narrow ? word : wide;
}

static void number_bounds(const ParquetStats *stats, const ParquetNode *leaf, ParquetBounds *out)
{
    uint64_t min = (uint64_t) stats->min_int;
    uint64_t max = (uint64_t) stats->max_int;
    bool single = leaf->physical == PARQUET_FLOAT;
    size_t width = leaf->physical == PARQUET_BOOLEAN ? 1 : leaf->physical == PARQUET_INT32 || single ? 4 : 8;
    if (leaf->physical == PARQUET_DOUBLE || single) {
        min = float_bits(stats->min_float, false, single);
        max = float_bits(stats->max_float, true, single);
    }
    min = GUINT64_TO_LE(min);
    max = GUINT64_TO_LE(max);
    set_bound(&out->min, &min, width);
    set_bound(&out->max, &max, width);
}

bool parquet_stats_bounded(const ParquetStats *stats)
{
    return stats->any && !stats->nan;
}

bool parquet_stats_bounds(const ParquetStats *stats, const ParquetNode *leaf, ParquetBounds *out)
{
    if (!parquet_stats_bounded(stats))
        return false;
    if (leaf->physical == PARQUET_BYTE_ARRAY) {
        text_bounds(stats, leaf, out);
    } else if (leaf->physical == PARQUET_FIXED) {
        set_bound(&out->min, stats->min_bytes.data, stats->min_bytes.size);
        set_bound(&out->max, stats->max_bytes.data, stats->max_bytes.size);
    } else {
        number_bounds(stats, leaf, out);
    }
    return true;
}

void parquet_stats_encode(const ParquetStats *stats, const ParquetNode *leaf, ThriftWriter *writer)
{
    ParquetBounds bounds;
    bool bounded = parquet_stats_bounds(stats, leaf, &bounds);
    thrift_begin_struct(writer, COLUMN_STATISTICS);
    thrift_add_i64(writer, STATISTICS_NULL_COUNT, stats->nulls);
    if (bounded && bounds.max.known)
        thrift_add_binary(writer, STATISTICS_MAX_VALUE, bounds.max.bytes, bounds.max.size);
    if (bounded)
        thrift_add_binary(writer, STATISTICS_MIN_VALUE, bounds.min.bytes, bounds.min.size);
    if (bounded && bounds.max.known)
        thrift_add_bool(writer, STATISTICS_MAX_IS_EXACT, bounds.max.exact);
    if (bounded)
        thrift_add_bool(writer, STATISTICS_MIN_IS_EXACT, bounds.min.exact);
    thrift_end_struct(writer);
}
