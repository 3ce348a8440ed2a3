/* Which bytes of a row go into which directory, and how they are written there. A ledger entry keeps it, so that a
 * range that was cut under other options is finished under those, and a reader knows what the objects hold. */
#ifndef KIT_BRONZE_LAYOUT_H
#define KIT_BRONZE_LAYOUT_H

#include <glib.h>
#include <json-c/json.h>
#include <sf/sf.h>

#include "compress/compress.h"
#include "format.h"
#include "json/path.h"

typedef enum LayoutExtractor { EXTRACT_RECORD, EXTRACT_FIELD, EXTRACT_WALLCLOCK } LayoutExtractor;
typedef enum LayoutFormat { FORMAT_JSON, FORMAT_RAW } LayoutFormat;
typedef enum LayoutNulls { NULLS_REJECT, NULLS_IGNORE, NULLS_WRITE } LayoutNulls;

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
    int32_t compression; /* Compression, of those that are among layout_compressions */
    int64_t level;       /* of gzip */
    bool keys;           /* rows' keys are written beside, and likewise: */
    bool headers;
} LayoutOptions;

#define LAYOUT_DURATION_MAX_MS (INT64_C(36500) * 86400000) /* as the option has it */

typedef struct Layout {
    LayoutOptions options; /* its texts are the layout's own */
    GTimeZone *zone;       /* NULL: UTC */
    PathFormat path;
    JsonPath *field; /* of options.field; NULL: is not used */
} Layout;

/* SF_CONFIG: path.format, time zone or field mean nothing; each that does not is told, a line each. */
SfStatus layout_init(Layout *layout, const LayoutOptions *options, SfError *err);
void layout_done(Layout *layout);

/* The instant that names the directory of an event time: its local time, cut to the finest unit. All times in
 * [*low, *high) share it. µs. */
int64_t layout_bucket(const Layout *layout, int64_t time_us, int64_t *low, int64_t *high);

/* Into a ledger entry and back. SF_CONFIG: a part is missing or wrong; then there is nothing to free. */
json_object *layout_to_json(const Layout *layout);
SfStatus layout_from_json(json_object *object, Layout *out, SfError *err);

#endif
