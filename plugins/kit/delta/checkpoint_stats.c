/* add.stats_parsed: the statistics of a checkpoint's files as a struct of the table's columns (PROTOCOL.md, "Checkpoint
 * Schema"), and its values as the JSON of add.stats has them. */
#include "delta.h"
#include "civil.h"
#include "json/write.h"

typedef enum Part { PART_BOUNDS, PART_NULLS } Part;

static bool take_decimal(const char *name, SfField *out)
{
    g_auto(GStrv) numbers =
        g_str_has_prefix(name, "decimal(") ? g_strsplit_set(name + strlen("decimal("), ",)", 3) : NULL;
    guint64 precision;
    guint64 scale;
    if (!numbers || g_strv_length(numbers) != 3 ||
        !g_ascii_string_to_unsigned(numbers[0], 10, 1, 38, &precision, NULL) ||
        !g_ascii_string_to_unsigned(numbers[1], 10, 0, precision, &scale, NULL))
        return false;
    *out = (SfField){.type = SF_DECIMAL128, .precision = (int32_t) precision, .scale = (int32_t) scale};
    return true;
}

/* Types that have bounds; timestamp_ntz not, whose texts we could not tell from others'. */
static bool bound_type(const char *name, SfField *out)
{
    static const struct {
        const char *name;
        SfType type;
    } types[] = {{"byte", SF_INT32},  {"short", SF_INT32},   {"integer", SF_INT32},
                 {"long", SF_INT64},  {"float", SF_FLOAT64}, {"double", SF_FLOAT64},
                 {"string", SF_UTF8}, {"date", SF_DATE},     {"timestamp", SF_TIMESTAMP}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0) {
            *out = (SfField){.type = types[i].type};
            return true;
        }
    return take_decimal(name, out);
}

typedef struct StatsSchema {
    GPtrArray *owned; /* arrays of SfField */
    bool mapped;
    const DeltaNames *partitions;
} StatsSchema;

static bool add_struct(StatsSchema *stats, json_object *type, Part part, bool top, SfField *out);

static bool add_field(StatsSchema *stats, json_object *field, Part part, SfField *out)
{
    json_object *type = delta_type_of(field, "type");
    const char *kind = delta_json_text(type, "type");
    bool there;
    if (kind && strcmp(kind, "struct") == 0) {
        there = add_struct(stats, type, part, false, out);
    } else if (part == PART_NULLS) {
        *out = (SfField){.type = SF_INT64};
        there = true;
    } else {
        there = json_object_is_type(type, json_type_string) && bound_type(json_object_get_string(type), out);
    }
    out->name = delta_file_name(field, stats->mapped);
    out->nullable = true;
    return there && out->name;
}

/* false: none of the members has any. */
static bool add_struct(StatsSchema *stats, json_object *type, Part part, bool top, SfField *out)
{
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    size_t n = fields ? json_object_array_length(fields) : 0;
    SfField *members = g_new0(SfField, n + 1);
    g_ptr_array_add(stats->owned, members);
    *out = (SfField){.type = SF_STRUCT, .nullable = true, .children = members};
    for (size_t i = 0; i < n; i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *name = delta_json_text(field, "name");
        bool partition = top && name && delta_names_find(stats->partitions, name) >= 0;
        if (name && !partition && add_field(stats, field, part, &members[out->n_children]))
            out->n_children++;
    }
    return out->n_children > 0;
}

/* The partition columns are not in files. */
static DeltaNames *partitions_of(json_object *metadata)
{
    DeltaNames *names = delta_names_new();
    json_object *list = delta_json_member(metadata, "partitionColumns", json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        if (name)
            delta_names_add(names, name, (int64_t) i);
    }
    return names;
}

static void make_field(const DeltaLog *log, json_object *schema, GPtrArray *owned, SfField *out)
{
    static const char *const names[] = {"minValues", "maxValues", "nullCount"};
    g_autoptr(GHashTable) partitions = partitions_of(log->metadata);
    StatsSchema stats = {.owned = owned, .mapped = delta_log_maps(log), .partitions = partitions};
    SfField *members = g_new0(SfField, 1 + G_N_ELEMENTS(names));
    g_ptr_array_add(owned, members);
    *out = (SfField){.name = "stats_parsed", .type = SF_STRUCT, .nullable = true, .n_children = 1, .children = members};
    members[0] = (SfField){.name = "numRecords", .type = SF_INT64, .nullable = true};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        SfField *member = &members[out->n_children];
        if (!add_struct(&stats, schema, i < 2 ? PART_BOUNDS : PART_NULLS, true, member))
            continue;
        member->name = names[i];
        out->n_children++;
    }
}

SfStatus delta_checkpoint_schema_of(const DeltaLog *log, DeltaColumn n, struct ArrowSchema *out, SfError *err)
{
    g_autoptr(json_object) schema = delta_schema_parse(log->metadata, err);
    if (!schema)
        return SF_FATAL;
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    SfField stats;
    make_field(log, schema, owned, &stats);
    return delta_checkpoint_schema_with(n, &stats, out, err);
}

/* ---- values: JSON → typed. What does not fit is left out, as a bound that is not known. */

static bool take_digits(const char **at, int n, int64_t *out)
{
    *out = 0;
    for (; n > 0; n--, (*at)++) {
        if (!g_ascii_isdigit(**at))
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char wanted)
{
    return *(*at)++ == wanted;
}

static bool take_date(const char **at, int64_t *days)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) || !take_char(at, '-') ||
        !take_digits(at, 2, &day) || month < 1 || month > 12 || day < 1 || day > civil_month_days(year, (int) month))
        return false;
    *days = civil_to_days(year, (int) month, (int) day);
    return true;
}

bool delta_date_parse(const char *text, int64_t *days)
{
    return take_date(&text, days) && !*text;
}

/* "2024-01-15T10:30:01.500Z", with up to six digits behind the point, or none. */
static bool take_timestamp(const char *text, int64_t *us)
{
    int64_t days;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t fraction = 0;
    int digits = 0;
    if (!take_date(&text, &days) || !take_char(&text, 'T') || !take_digits(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take_char(&text, ':') || !take_digits(&text, 2, &second))
        return false;
    if (*text == '.')
        for (text++; g_ascii_isdigit(*text) && digits < 6; text++, digits++)
            fraction = fraction * 10 + (*text - '0');
    for (; digits < 6; digits++)
        fraction *= 10;
    if (strcmp(text, "Z") != 0 || hour > 23 || minute > 59 || second > 59)
        return false;
    *us = days * CIVIL_DAY_US + ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
    return true;
}

/* The digits of a plain number at the column's scale; not where it has more. */
static bool take_number(const char *text, int scale, SfDecimal *out)
{
    __extension__ __int128 value = 0;
    bool negative = *text == '-';
    int behind = -1;
    int digits = 0;
    for (text += negative; *text; text++) {
        if (*text == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (!g_ascii_isdigit(*text) || ++digits > 38 || behind >= scale)
            return false;
        value = value * 10 + (*text - '0');
        behind += behind >= 0;
    }
    for (behind = MAX(behind, 0); behind < scale; behind++) {
        if (++digits > 38)
            return false;
        value *= 10;
    }
    value = negative ? -value : value;
    *out = (SfDecimal){.low = (uint64_t) value, .high = (int64_t) (value >> 64)};
    return digits > 0;
}

static bool add_text_value(const char *text, SfColumnBuilder *out)
{
    int64_t number;
    if (out->type == SF_DATE && delta_date_parse(text, &number))
        sf_add_i32(out, (int32_t) number);
    else if (out->type == SF_TIMESTAMP && take_timestamp(text, &number))
        sf_add_i64(out, number);
    else
        return false;
    return true;
}

bool delta_stats_add(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out)
{
    SfField field;
    SfDecimal decimal;
    bool number = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    if (json_object_is_type(value, json_type_string))
        return add_text_value(json_object_get_string(value), out);
    if (number && out->type == SF_FLOAT64) {
        sf_add_f64(out, json_object_get_double(value));
        return true;
    }
    if (!number || out->type != SF_DECIMAL128 || sf_schema_field(schema, &field, NULL) != SF_OK ||
        !take_number(json_object_get_string(value), field.scale, &decimal))
        return false;
    sf_add_decimal(out, decimal);
    return true;
}

/* ---- typed → JSON */

static json_object *unquoted(const GString *text)
{
    return json_object_new_string_len(text->str + 1, (int) text->len - 2);
}

json_object *delta_stats_json(const SfColumn *column, int64_t row)
{
    g_autoptr(GString) text = g_string_new(NULL);
    switch (column->type) {
    case SF_FLOAT64:
        json_write_float(text, sf_f64(column, row));
        return text->str[0] == '"' ? unquoted(text) : json_object_new_double_s(sf_f64(column, row), text->str);
    case SF_DECIMAL128:
        json_write_decimal(text, sf_decimal(column, row), column->scale);
        return json_object_new_double_s(0, text->str);
    case SF_DATE:
        json_write_date(text, sf_i32(column, row));
        return unquoted(text);
    default:
        json_write_timestamp(text, sf_i64(column, row));
        return unquoted(text);
    }
}

/* ---- actions */

void delta_stats_complete(json_object *add, DeltaStatsForm form)
{
    const char *text = delta_json_text(add, "stats");
    json_object *parsed = delta_json_member(add, "stats_parsed", json_type_object);
    if (form != DELTA_STATS_STRUCT && !text && parsed)
        json_object_object_add(add, "stats",
                               json_object_new_string(json_object_to_json_string_ext(
                                   parsed, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
    if (form != DELTA_STATS_TEXT && text && !parsed) {
        parsed = delta_json_parse(text, strlen(text), NULL);
        json_object_object_add(add, "stats_parsed", parsed);
    }
    if (form == DELTA_STATS_STRUCT && parsed)
        json_object_object_del(add, "stats");
}
