/* Layouts: path.format, time zones, and the way into a ledger entry and back. Rows are read in row.c. */
#include "layout.h"

#include <string.h>

#include "civil.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define WHOLE_MINUTES_SINCE_US                                                                                         \
    (INT64_C(730) * CIVIL_DAY_US) /* 1972: since then all zones differ from UTC by whole minutes */

const char *const layout_extractors[] = {"Record", "RecordField", "Wallclock", NULL};
const char *const layout_formats[] = {"json", "raw", NULL};
const char *const layout_nulls[] = {"reject", "ignore", "write", NULL};
const char *const layout_compressions[] = {"none", "gzip", NULL};
const char *const layout_units[] = {"s", "ms", "us", "ns", NULL};

static SfStatus read_zone(Layout *layout, SfError *err)
{
    const char *name = layout->options.timezone;
    if (g_str_equal(name, "UTC") || g_str_equal(name, "Z") || g_str_equal(name, "GMT"))
        return SF_OK;
    layout->zone = g_time_zone_new_identifier(name);
    if (!layout->zone)
        return sf_fail(err, SF_CONFIG,
                       "timezone: '%s' is not known here; write UTC, +01:00 or a name such as Europe/Zurich "
                       "(package tzdata)",
                       name);
    return SF_OK;
}

/* Earlier versions took what stands between dots for keys, whatever it was. */
static JsonPath *read_older_field(const char *field)
{
    g_auto(GStrv) keys = g_strsplit(field, ".", -1);
    g_autofree char *quoted = g_strjoinv("`.`", keys);
    g_autofree char *text = g_strdup_printf("`%s`", quoted);
    const char *p = text;
    return json_path_read(&p, NULL);
}

static SfStatus layout_read_field(Layout *layout, bool strict, SfError *err)
{
    const char *field = layout->options.field;
    if (layout->options.extractor != EXTRACT_FIELD)
        return SF_OK;
    if (!*field)
        return sf_fail(err, SF_CONFIG, "timestamp.extractor: RecordField needs 'timestamp.field'");
    if (layout->options.format != FORMAT_JSON)
        return sf_fail(err, SF_CONFIG, "timestamp.extractor: RecordField needs 'format: json'");
    const char *p = field;
    SfError cause = {0};
    g_autoptr(JsonPath) path = json_path_read(&p, &cause);
    if (path && !*p && path->steps->len > 0)
        layout->field = g_steal_pointer(&path);
    else if (!strict)
        layout->field = read_older_field(field);
    if (layout->field)
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "timestamp.field: '%s' is not a path to a field%s%s", field, path ? "" : ": ",
                   path ? "; write created_at, event.time, events[0].time or `first key`.time" : cause.message);
}

static SfStatus init(Layout *layout, const LayoutOptions *options, bool strict, SfError *err)
{
    *layout = (Layout){.options = *options};
    layout->options.path_format = g_strdup(options->path_format ? options->path_format : "");
    layout->options.timezone = g_strdup(options->timezone ? options->timezone : "UTC");
    layout->options.field = g_strdup(options->field ? options->field : "");
    SfError all = {0}, one;
    if (path_format_init(&layout->path, layout->options.path_format, strict, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (read_zone(layout, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (layout_read_field(layout, strict, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (!all.message[0])
        return SF_OK;
    layout_done(layout);
    return sf_fail(err, SF_CONFIG, "%s", all.message);
}

SfStatus layout_init(Layout *layout, const LayoutOptions *options, SfError *err)
{
    return init(layout, options, true, err);
}

void layout_done(Layout *layout)
{
    path_format_done(&layout->path);
    g_clear_pointer(&layout->zone, g_time_zone_unref);
    g_clear_pointer(&layout->field, json_path_free);
    g_free((char *) layout->options.path_format);
    g_free((char *) layout->options.timezone);
    g_free((char *) layout->options.field);
    layout->options = (LayoutOptions){0};
}

/* ---- directories ---- */

static int64_t local_offset_us(const Layout *layout, int64_t time_us)
{
    if (!layout->zone)
        return 0;
    int64_t seconds = path_floor(time_us, SECOND_US) / SECOND_US;
    int interval = g_time_zone_find_interval(layout->zone, G_TIME_TYPE_UNIVERSAL, seconds);
    return g_time_zone_get_offset(layout->zone, interval) * SECOND_US;
}

static int64_t unit_us(char unit)
{
    return unit == 'm' ? MINUTE_US : unit == 'H' ? HOUR_US : CIVIL_DAY_US;
}

/* A bucket of months or years is its first day. */
static int64_t cut_to_unit(const Layout *layout, int64_t local_us)
{
    int64_t duration_us = layout->options.duration_ms * 1000;
    if (duration_us > 0)
        local_us = path_floor(local_us, duration_us);
    if (!layout->path.unit)
        return 0;
    int64_t cut = path_floor(local_us, unit_us(layout->path.unit));
    if (layout->path.unit != 'Y' && layout->path.unit != 'M')
        return cut;
    Civil day = civil_from_days(cut / CIVIL_DAY_US);
    return civil_to_days(day.year, layout->path.unit == 'Y' ? 1 : day.month, 1) * CIVIL_DAY_US;
}

int64_t layout_bucket(const Layout *layout, int64_t time_us, int64_t *low, int64_t *high)
{
    int64_t step = layout->options.duration_ms > 0 ? MINUTE_US : unit_us(layout->path.unit);
    if (layout->options.duration_ms > 0 && layout->options.duration_ms % 60000)
        step = 1000;
    if (layout->zone)
        step = time_us >= WHOLE_MINUTES_SINCE_US ? MIN(step, MINUTE_US) : 1;
    *low = path_floor(time_us, step);
    *high = *low + step;
    return cut_to_unit(layout, time_us + local_offset_us(layout, time_us));
}

/* ---- ledger entries ---- */

json_object *layout_to_json(const Layout *layout)
{
    const LayoutOptions *o = &layout->options;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "path.format", json_object_new_string(o->path_format));
    json_object_object_add(object, "timezone", json_object_new_string(o->timezone));
    json_object_object_add(object, "timestamp.extractor", json_object_new_string(layout_extractors[o->extractor]));
    json_object_object_add(object, "timestamp.field", json_object_new_string(o->field));
    json_object_object_add(object, "timestamp.unit", json_object_new_string(layout_units[o->unit]));
    json_object_object_add(object, "partition.duration.ms", json_object_new_int64(o->duration_ms));
    json_object_object_add(object, "format", json_object_new_string(layout_formats[o->format]));
    json_object_object_add(object, "behavior.on.null.values", json_object_new_string(layout_nulls[o->nulls]));
    json_object_object_add(object, "s3.compression.type", json_object_new_string(layout_compressions[o->compression]));
    json_object_object_add(object, "s3.compression.level", json_object_new_int64(o->level));
    if (o->keys)
        json_object_object_add(object, "store.kafka.keys", json_object_new_boolean(true));
    if (o->headers)
        json_object_object_add(object, "store.kafka.headers", json_object_new_boolean(true));
    return object;
}

static const char *layout_text(json_object *object, const char *name)
{
    json_object *member = NULL;
    bool text = json_object_object_get_ex(object, name, &member) && json_object_is_type(member, json_type_string);
    return text ? json_object_get_string(member) : "";
}

static int64_t layout_number(json_object *object, const char *name)
{
    json_object *member = NULL;
    bool number = json_object_object_get_ex(object, name, &member) && json_object_is_type(member, json_type_int);
    return number ? json_object_get_int64(member) : -1;
}

static bool layout_flag(json_object *object, const char *name)
{
    json_object *member = NULL;
    return json_object_object_get_ex(object, name, &member) && json_object_get_boolean(member);
}

/* Number of the member's text among the words, or -1. */
static int32_t word_of(json_object *object, const char *name, const char *const *words)
{
    const char *text = layout_text(object, name);
    for (int32_t i = 0; words[i]; i++)
        if (g_str_equal(words[i], text))
            return i;
    return -1;
}

SfStatus layout_from_json(json_object *object, Layout *out, SfError *err)
{
    LayoutOptions options = {
        .path_format = layout_text(object, "path.format"),
        .timezone = layout_text(object, "timezone"),
        .extractor = word_of(object, "timestamp.extractor", layout_extractors),
        .field = layout_text(object, "timestamp.field"),
        .unit = word_of(object, "timestamp.unit", layout_units),
        .duration_ms = layout_number(object, "partition.duration.ms"),
        .format = word_of(object, "format", layout_formats),
        .nulls = word_of(object, "behavior.on.null.values", layout_nulls),
        .compression = word_of(object, "s3.compression.type", layout_compressions),
        .level = layout_number(object, "s3.compression.level"),
        .keys = layout_flag(object, "store.kafka.keys"),
        .headers = layout_flag(object, "store.kafka.headers"),
    };
    bool good = options.extractor >= 0 && options.unit >= 0 && options.duration_ms >= 0 &&
                options.duration_ms <= LAYOUT_DURATION_MAX_MS && options.format >= 0 && options.nulls >= 0 &&
                options.compression >= 0 && options.level >= -1 && options.level <= 9;
    if (!good)
        return sf_fail(err, SF_CONFIG, "unknown layout (written by a newer version?)");
    return init(out, &options, false, err); /* a range that was cut is finished as it was begun */
}
