/* Types and schemas. Ten types and two nested ones are all that a pipeline may carry; anything else is refused when the
 * pipeline is bound, before the first row.
 *
 *   SfType        Arrow format      C value by column.h and builder.h
 *   bool          b                 bool
 *   int32         i                 int32_t
 *   int64         l                 int64_t
 *   float64       g                 double
 *   decimal128    d:P,S             SfDecimal (value × 10^S), 1 ≤ P ≤ 38, 0 ≤ S ≤ P
 *   utf8          u or vu (view)    SfBytes, valid UTF-8
 *   binary        z or vz (view)    SfBytes
 *   date          tdD               int32_t, days since 1970-01-01
 *   timestamp     tsu:UTC           int64_t, µs since 1970-01-01 00:00 UTC
 *   list          +l                children: one element
 *   struct        +s                children: its members
 *
 * Formats: https://arrow.apache.org/docs/format/CDataInterface.html, "Data type description". */
#ifndef SF_SCHEMA_H
#define SF_SCHEMA_H

#include <stdbool.h>
#include <sf/arrow.h>
#include <sf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SfType {
    SF_BOOL = 1,
    SF_INT32,
    SF_INT64,
    SF_FLOAT64,
    SF_DECIMAL128,
    SF_UTF8,
    SF_BINARY,
    SF_DATE,
    SF_TIMESTAMP,
    SF_LIST,
    SF_STRUCT,
    SF_TYPE_32_BITS = INT32_MAX
} SfType;

#define SF_DECIMAL_MAX_PRECISION 38
#define SF_SCHEMA_MAX_DEPTH 16

/* One column or member in plain words; children for list (1) and struct. */
typedef struct SfField {
    const char *name;
    SfType type;
    bool nullable;
    bool view;         /* utf8 and binary only: the view layout (Arrow columnar format 1.4) */
    int32_t precision; /* decimal128 only, likewise scale */
    int32_t scale;
    size_t n_children;
    const struct SfField *children;
} SfField;

/* A struct schema of the fields; names are copied. Duplicate names (ignoring case) and bad precisions are SF_CONFIG. */
SF_API SfStatus sf_schema_make(const SfField *fields, size_t n, struct ArrowSchema *out, SfError *err);

/* A deep copy. */
SF_API SfStatus sf_schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *out, SfError *err);

/* The columns of `schema`, and n more behind them: what a transform that adds columns says in bind. */
SF_API SfStatus sf_schema_with(const struct ArrowSchema *schema, const SfField *fields, size_t n,
                               struct ArrowSchema *out, SfError *err);

/* Reads one schema node's own type into `out`; out->name points into the schema, out->children is NULL (walk
 * schema->children). SF_CONFIG names the column and the format where it is not in the table above. */
SF_API SfStatus sf_schema_field(const struct ArrowSchema *schema, SfField *out, SfError *err);

/* Checks the whole struct schema: types, depth, names. */
SF_API SfStatus sf_schema_check(const struct ArrowSchema *schema, SfError *err);

/* Number of the column of that name, or -1. */
SF_API int64_t sf_schema_find(const struct ArrowSchema *schema, const char *name);

SF_API bool sf_schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b);

/* "decimal(12,2) not null": the type as pipelines write it. Returns the length needed, like snprintf. */
SF_API int sf_schema_describe(const struct ArrowSchema *schema, char *out, size_t size);

/* "bigint", …: the word that pipelines have for it. Static text. */
SF_API const char *sf_type_name(SfType type);

/* The raw row that every record source gives, as Spark's Kafka source has it: key, value (binary views, nullable),
 * topic (utf8 view), partition (int32), offset (int64), timestamp (nullable), headers (list of struct key utf8,
 * value binary; nullable). */
SF_API SfStatus sf_schema_raw(struct ArrowSchema *out, SfError *err);

enum SfRawColumn {
    SF_RAW_KEY,
    SF_RAW_VALUE,
    SF_RAW_TOPIC,
    SF_RAW_PARTITION,
    SF_RAW_OFFSET,
    SF_RAW_TIMESTAMP,
    SF_RAW_HEADERS,
    SF_RAW_COLUMNS
};

#ifdef __cplusplus
}
#endif

#endif
