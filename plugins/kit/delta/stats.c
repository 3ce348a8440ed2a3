/* add.stats: counts and bounds of a file as JSON (PROTOCOL.md, "Per-file Statistics"). A bound that is not certain
 * is left out: readers skip files by them. */
#include "delta.h"
#include "civil.h"
#include "json/write.h"

#define PREFIX_CHARACTERS 32

typedef enum Part { PART_MIN, PART_MAX, PART_NULLS } Part;

/* 0001-01-01 … 9999-12-31: what every reader's calendar has. */
#define FIRST_DAY (-719162)
#define LAST_DAY 2932896

static bool add_day(int64_t days, GString *out)
{
    if (days < FIRST_DAY || days > LAST_DAY)
        return false;
    json_write_date(out, (int32_t) days);
    return true;
}

/* Milliseconds are the finest that Spark reads; the maximum is rounded up, so that it holds for every reader. */
static bool add_time(int64_t us, bool up, bool local, GString *out)
{
    int64_t ms = us / 1000 - (us % 1000 < 0);
    if (up && ms * 1000 != us)
        ms++;
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    if (days < FIRST_DAY || days > LAST_DAY)
        return false;
    int64_t rest = ms - days * 86400000;
    Civil civil = civil_from_days(days);
    g_string_append_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03d%s\"", (int) civil.year, civil.month, civil.day,
                           (int) (rest / 3600000), (int) (rest / 60000 % 60), (int) (rest / 1000 % 60),
                           (int) (rest % 1000), local ? "" : "Z");
    return true;
}

/* Bytes of the first n characters. */
static gsize prefix_bytes(const char *text, gsize size, int n)
{
    const char *at = text;
    const char *end = text + size;
    for (; n > 0 && at < end; n--)
        at = g_utf8_next_char(at);
    return at < end ? (gsize) (at - text) : size;
}

/* A maximum that was cut must still be the highest: a character that sorts after what was cut off ends it. */
static bool add_stats_text(const Buffer *bytes, bool up, GString *out)
{
    const char *text = (const char *) bytes->data;
    gsize keep = bytes->size > 0 ? prefix_bytes(text, bytes->size, PREFIX_CHARACTERS) : 0;
    if (!up || keep == bytes->size) {
        json_write_text(out, text, keep);
        return true;
    }
    /* Past characters that nothing sorts after. */
    for (int more = PREFIX_CHARACTERS; g_utf8_get_char(text + keep) == 0x10FFFF; more--) {
        keep += 4;
        if (more == 0 || keep >= bytes->size)
            return false;
    }
    g_autoptr(GString) bound = g_string_new_len(text, (gssize) keep); /* which may hold U+0000 */
    g_string_append(bound, (unsigned char) text[keep] < 0x7F ? "\x7F" : "\xF4\x8F\xBF\xBF");
    json_write_text(out, bound->str, bound->len);
    return true;
}

static SfDecimal wide_decimal(const Buffer *bytes)
{
    uint64_t low = bytes->data[0] & 0x80 ? UINT64_MAX : 0;
    uint64_t high = low;
    for (size_t i = 0; i < bytes->size; i++) {
        high = high << 8 | low >> 56;
        low = low << 8 | bytes->data[i];
    }
    return (SfDecimal){.low = low, .high = (int64_t) high};
}

/* Many readers take a JSON number as a double: a bound of more digits than that holds would be another value. */
static bool add_decimal(SfDecimal value, int scale, GString *out)
{
    const int64_t most = INT64_C(999999999999999);
    int64_t low = (int64_t) value.low;
    if (value.high != low >> 63 || low > most || low < -most)
        return false;
    json_write_decimal(out, value, scale);
    return true;
}

static bool add_bound(const ParquetNode *leaf, const ParquetStats *stats, bool up, GString *out)
{
    int64_t number = up ? stats->max_int : stats->min_int;
    const Buffer *bytes = up ? &stats->max_bytes : &stats->min_bytes;
    double real = up ? stats->max_float : stats->min_float;
    switch (leaf->type) {
    case SF_INT32:
    case SF_INT64:
        json_write_int(out, number);
        return true;
    case SF_FLOAT64:
        /* JSON has no infinities, and readers disagree on how they are written. Both zeros are equal for some and in
         * order for others. */
        if (real - real != 0)
            return false;
        json_write_float(out, real != 0 ? real : up ? 0.0 : -0.0);
        return true;
    case SF_DECIMAL128:
        if (leaf->physical == PARQUET_FIXED)
            return add_decimal(wide_decimal(bytes), leaf->scale, out);
        return add_decimal((SfDecimal){.low = (uint64_t) number, .high = number >> 63}, leaf->scale, out);
    case SF_DATE:
        return add_day(number, out);
    case SF_TIMESTAMP:
        return add_time(number, up, leaf->as == PARQUET_AS_LOCAL_TIME, out);
    case SF_UTF8:
        return add_stats_text(bytes, up, out);
    default:
        return false;
    }
}

/* Lists count as one column, of which only the null count of the list itself would be of use: left out. */
static bool add_stats_value(const ParquetWriter *writer, const ParquetNode *leaf, Part part, GString *out)
{
    const ParquetStats *stats = parquet_writer_stats(writer, leaf->leaf);
    if (part == PART_NULLS) {
        json_write_int(out, stats->nulls);
        return true;
    }
    return parquet_stats_bounded(stats) && add_bound(leaf, stats, part == PART_MAX, out);
}

/* {"a":1,"b":{"c":2}}; members without a value are left out. `left`: columns that may still be indexed. */
static bool add_struct(const ParquetWriter *writer, const ParquetNode *node, Part part, int64_t *left, GString *out)
{
    bool any = false;
    g_string_append_c(out, '{');
    for (size_t i = 0; i<node->n_children && * left> 0; i++) {
        const ParquetNode *child = node->children[i];
        gsize before = out->len;
        if (any)
            g_string_append_c(out, ',');
        json_write_text(out, child->name, strlen(child->name));
        g_string_append_c(out, ':');
        bool there;
        if (child->type == SF_STRUCT) {
            there = add_struct(writer, child, part, left, out);
        } else {
            (*left)--;
            there = child->type != SF_LIST && add_stats_value(writer, child, part, out);
        }
        if (!there)
            g_string_truncate(out, before);
        any |= there;
    }
    g_string_append_c(out, '}');
    return any;
}

char *delta_stats(const ParquetWriter *writer, int64_t rows, int64_t indexed)
{
    static const char *const names[] = {"minValues", "maxValues", "nullCount"};
    g_autoptr(GString) out = g_string_new("{\"numRecords\":");
    json_write_int(out, rows);
    for (int part = PART_MIN; part <= PART_NULLS; part++) {
        int64_t left = indexed < 0 ? INT64_MAX : indexed;
        g_string_append_printf(out, ",\"%s\":", names[part]);
        add_struct(writer, parquet_writer_schema(writer), (Part) part, &left, out);
    }
    g_string_append_c(out, '}');
    return g_string_free(g_steal_pointer(&out), FALSE);
}
