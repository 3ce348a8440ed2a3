/* One row by a layout: whether its value is written, and the event time that names its directory. */
#include <string.h>

#include "civil.h"
#include "json/check.h"
#include "json/number.h"
#include "row.h"

/* 0001-01-01 … 9999-12-31: what four digits of a year can say. */
#define TIME_MIN_US (INT64_C(-719162) * CIVIL_DAY_US)
#define TIME_MAX_US (INT64_C(2932897) * CIVIL_DAY_US - 1)
#define SHOWN 40 /* bytes of a value in a message */

/* ---- timestamp.field ---- */

static SfStatus refuse_field(const Layout *layout, const char *text, size_t size, const char *why, SfError *cause)
{
    return sf_fail(cause, SF_REJECT, "timestamp.field '%s': %.*s %s", layout->options.field, (int) MIN(size, SHOWN),
                   text, why);
}

static SfStatus check_time(const Layout *layout, int64_t us, const char *text, size_t size, int64_t *time_us,
                           SfError *cause)
{
    if (us < TIME_MIN_US || us > TIME_MAX_US)
        return refuse_field(layout, text, size, "is outside of the years 1 to 9999; is timestamp.unit right?", cause);
    *time_us = us;
    return SF_OK;
}

/* Digit by digit: a double has 15 of them for sure, and a time in ns has 19. */
static SfStatus read_number(const Layout *layout, const char *text, size_t size, int64_t *time_us, SfError *cause)
{
    static const int to_us[] = {6, 3, 0, -3};
    int64_t us = INT64_MAX;
    if (!number_is(text, size))
        return refuse_field(layout, text, size, "is not a valid time", cause);
    if (number_int64(text, size, to_us[layout->options.unit], ROUND_FLOOR, &us) != NUMBER_FITS)
        us = INT64_MAX;
    return check_time(layout, us, text, size, time_us, cause);
}

/* "2024-01-15", "2024-01-15T10:30:00Z", a blank instead of T; without a zone: local time of `timezone`. */
static SfStatus read_iso(const Layout *layout, const char *text, size_t size, int64_t *time_us, SfError *cause)
{
    char iso[64];
    if (size < 12 || size >= sizeof iso)
        return refuse_field(layout, text, size, "is not a valid time", cause);
    memcpy(iso, text + 1, size - 2);
    iso[size - 2] = '\0';
    if (size - 2 == 10)
        g_strlcat(iso, "T00:00:00", sizeof iso);
    else if (iso[10] == ' ')
        iso[10] = 'T';
    g_autoptr(GTimeZone) utc = layout->zone ? g_time_zone_ref(layout->zone) : g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, utc);
    if (!time)
        return refuse_field(layout, text, size, "is not a valid time", cause);
    *time_us = g_date_time_to_unix(time) * 1000000 + g_date_time_get_microsecond(time);
    return SF_OK;
}

static SfStatus time_of_field(const Layout *layout, const LayoutRow *row, int64_t *time_us, SfError *cause)
{
    const char *text;
    size_t size;
    if (!json_path_find(layout->field, row->data, (size_t) row->size, &text, &size))
        return sf_fail(cause, SF_REJECT, "timestamp.field '%s' is missing", layout->options.field);
    return *text == '"' ? read_iso(layout, text, size, time_us, cause)
                        : read_number(layout, text, size, time_us, cause);
}

/* ---- rows ---- */

static SfStatus time_of(const Layout *layout, const LayoutColumns *columns, LayoutRow *out, SfError *cause)
{
    if (layout->options.extractor == EXTRACT_FIELD)
        return time_of_field(layout, out, &out->time_us, cause);
    if (layout->options.extractor == EXTRACT_WALLCLOCK) {
        out->time_us = columns->now_us;
        return SF_OK;
    }
    if (G_UNLIKELY(out->record_us == INDEX_NO_TIMESTAMP))
        return sf_fail(cause, SF_REJECT,
                       "the record has no timestamp; set timestamp.extractor to Wallclock or RecordField");
    out->time_us = out->record_us;
    if (G_UNLIKELY(out->time_us < TIME_MIN_US || out->time_us > TIME_MAX_US))
        return sf_fail(cause, SF_REJECT,
                       "the record's timestamp is %" G_GINT64_FORMAT " µs, outside of the years 1 to 9999",
                       (gint64) out->time_us);
    return SF_OK;
}

static LayoutVerdict read_null(const Layout *layout, LayoutRow *out, SfError *cause)
{
    if (layout->options.nulls == NULLS_IGNORE)
        return ROW_IGNORE;
    if (layout->options.nulls == NULLS_REJECT) {
        sf_fail(cause, SF_REJECT, "the value is null (behavior.on.null.values: reject)");
        return ROW_REJECT;
    }
    bool json = layout->options.format == FORMAT_JSON;
    *out = (LayoutRow){.data = json ? "null" : "", .size = json ? 4 : 0, .null = true};
    return ROW_WRITE;
}

static bool check_json(LayoutRow *row, SfError *cause)
{
    JsonFault fault;
    if (G_LIKELY(json_valid(row->data, (size_t) row->size, &row->breaks, &fault)))
        return true;
    sf_fail(cause, SF_REJECT, "the value is not valid JSON: %s at byte %zu", fault.reason, fault.offset);
    return false;
}

static int64_t count_breaks(const char *data, int64_t size)
{
    int64_t breaks = 0;
    const char *end = data + size;
    for (const char *at = data; size > 0 && (at = memchr(at, '\n', (size_t) (end - at))); at++)
        breaks++;
    return breaks;
}

LayoutVerdict layout_row(const Layout *layout, const LayoutColumns *columns, int64_t row, LayoutRow *out,
                         SfError *cause)
{
    if (G_UNLIKELY(sf_is_null(&columns->value, row))) {
        LayoutVerdict verdict = read_null(layout, out, cause);
        if (verdict != ROW_WRITE)
            return verdict;
    } else {
        SfBytes value = sf_bytes(&columns->value, row);
        *out = (LayoutRow){.data = value.data, .size = value.size};
        if (layout->options.format == FORMAT_RAW)
            out->lines = count_breaks(value.data, value.size);
        else if (!check_json(out, cause))
            return ROW_REJECT;
    }
    bool timed = columns->has_time && !sf_is_null(&columns->time, row);
    out->record_us = timed ? sf_i64(&columns->time, row) : INDEX_NO_TIMESTAMP;
    return time_of(layout, columns, out, cause) == SF_OK ? ROW_WRITE : ROW_REJECT;
}
