/* Which bytes of a row go into which directory: the options that a redo must repeat exactly. A ledger entry keeps
 * them, so that a range that was cut under other options is finished under those. */
#ifndef BRONZE_LAYOUT_H
#define BRONZE_LAYOUT_H

#include <glib.h>
#include <json-c/json.h>
#include <sf/sf.h>

#include "format.h"
#include "json/path.h"

typedef enum LayoutExtractor { EXTRACT_RECORD, EXTRACT_FIELD, EXTRACT_WALLCLOCK } LayoutExtractor;
typedef enum LayoutFormat { FORMAT_JSON, FORMAT_RAW } LayoutFormat;
typedef enum LayoutNulls { NULLS_REJECT, NULLS_IGNORE, NULLS_WRITE } LayoutNulls;
typedef enum LayoutCompression { COMPRESSION_NONE, COMPRESSION_GZIP } LayoutCompression;

extern const char *const layout_extractors[];
extern const char *const layout_formats[];
extern const char *const layout_nulls[];
extern const char *const layout_compressions[];
extern const char *const layout_units[]; /* of numbers in timestamp.field */

typedef struct LayoutOptions {
    const char *path_format;
    const char *timezone;
    int32_t extractor;
    const char *field;
    int32_t unit;
    int64_t duration_ms;
    int32_t format;
    int32_t nulls;
    int32_t compression;
    int64_t level; /* of gzip */
} LayoutOptions;

#define LAYOUT_DURATION_MAX_MS (INT64_C(36500) * 86400000) /* as the option has it */

typedef struct Layout {
    LayoutOptions options; /* its texts are the layout's own */
    GTimeZone *zone;       /* NULL: UTC */
    PathFormat path;
    JsonPath *field; /* of options.field; NULL: is not used */
} Layout;

/* SF_CONFIG on a path.format, time zone or field that means nothing. */
SfStatus layout_init(Layout *layout, const LayoutOptions *options, SfError *err);
void layout_done(Layout *layout);

/* The instant that names the directory of an event time: its local time, cut to the finest unit. All times in
 * [*low, *high) share it. µs. */
int64_t layout_bucket(const Layout *layout, int64_t time_us, int64_t *low, int64_t *high);

/* For the ledger entry and back; NULL and err when something is missing or wrong. */
json_object *layout_to_json(const Layout *layout);
SfStatus layout_from_json(json_object *object, Layout *out, SfError *err);

/* ---- one row ---- */

typedef struct LayoutRow {
    const char *data;
    int64_t size;
    bool breaks; /* has line breaks that must go */
    int64_t time_us;
} LayoutRow;

typedef enum LayoutVerdict { ROW_WRITE, ROW_IGNORE, ROW_REJECT } LayoutVerdict;

/* Columns of a batch that rows are read by; time may have no values (time.values NULL) where nobody needs them. */
typedef struct LayoutColumns {
    SfColumn value;
    SfColumn time;
    bool has_time;
    int64_t now_us; /* the wall clock */
} LayoutColumns;

/* Fills out, or says in `cause` why the row is a reject. */
LayoutVerdict layout_row(const Layout *layout, const LayoutColumns *columns, int64_t row, LayoutRow *out,
                         SfError *cause);

#endif
