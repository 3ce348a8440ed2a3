/* Statistics of one leaf: of a column chunk, and of a whole file. */
#ifndef KIT_PARQUET_STATS_H
#define KIT_PARQUET_STATS_H

#include "schema.h"

typedef struct ParquetStats {
    int64_t nulls;   /* rows or elements without a value, on any level */
    int64_t values;  /* that are there */
    bool any;        /* min and max are known, of the values that are no NaN */
    bool nan;        /* float64: a NaN was among the values; it is in neither bound */
    int64_t min_int; /* bool, integers, date, timestamp, decimals up to 18 digits */
    int64_t max_int;
    double min_float;
    double max_float;
    Buffer min_bytes; /* utf8, binary; decimals beyond, big-endian two's complement */
    Buffer max_bytes;
} ParquetStats;

void parquet_stats_clear(ParquetStats *stats); /* keeps memory */
void parquet_stats_done(ParquetStats *stats);
void parquet_stats_ints32(ParquetStats *stats, const int32_t *values, size_t n);
void parquet_stats_ints64(ParquetStats *stats, const int64_t *values, size_t n);
void parquet_stats_floats32(ParquetStats *stats, const float *values, size_t n);
void parquet_stats_floats(ParquetStats *stats, const double *values, size_t n);
void parquet_stats_bytes(ParquetStats *stats, const SfBytes *values, size_t n, bool is_signed);
void parquet_stats_merge(ParquetStats *stats, const ParquetStats *more, const ParquetNode *leaf);

/* Whether the bounds may be told to readers: a NaN sorts above, below or nowhere, depending on who reads, so that with
 * one among the values no pair of numbers bounds them. */
bool parquet_stats_bounded(const ParquetStats *stats);

#define PARQUET_BOUND_MAX 64

typedef struct ParquetBound {
    uint8_t bytes[PARQUET_BOUND_MAX];
    size_t size;
    bool known;
    bool exact; /* it is one of the values */
} ParquetBound;

typedef struct ParquetBounds {
    ParquetBound min; /* always known */
    ParquetBound max;
} ParquetBounds;

/* As files have them: PLAIN without a length, long strings cut. false: none may be told. */
bool parquet_stats_bounds(const ParquetStats *stats, const ParquetNode *leaf, ParquetBounds *out);

/* ColumnMetaData.statistics. */
void parquet_stats_encode(const ParquetStats *stats, const ParquetNode *leaf, ThriftWriter *writer);

/* Of valid UTF-8, U+0000 counted like others. */
int64_t parquet_characters(const char *text, int64_t size);

/* Largest prefix of at most `limit` bytes that ends between characters (any byte, when not utf8). */
size_t parquet_cut(const uint8_t *text, size_t size, size_t limit, bool utf8);

#endif
