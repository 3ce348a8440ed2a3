/* The option `maintain`. */
#include "maintain.h"

#define TARGET (INT64_C(128) << 20)
#define TARGET_LEAST 1024
#define TARGET_MOST (INT64_C(2) << 30)

typedef struct Unit {
    const char *name;
    int64_t factor;
} Unit;

static const Unit times[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const Unit sizes[] = {{"", 1},      {"B", 1},        {"KiB", 1 << 10},   {"MiB", 1 << 20}, {"GiB", 1 << 30},
                             {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {NULL, 0}};

/* "128MiB", "1h": a whole number and one of the units. */
static bool parse_amount(const char *text, const Unit *units, int64_t *out)
{
    char *end = NULL;
    gint64 number = text && g_ascii_isdigit(*text) ? g_ascii_strtoll(text, &end, 10) : -1;
    for (; number >= 0 && units->name; units++) {
        if (strcmp(end, units->name) != 0)
            continue;
        *out = number;
        return !__builtin_mul_overflow(number, units->factor, out);
    }
    return false;
}

static SfStatus take_amount(const SfValue *value, const char *name, const Unit *units, const char *like, int64_t least,
                            int64_t most, int64_t *out, SfError *err)
{
    const char *text = sf_value_text(value);
    if (!parse_amount(text, units, out))
        return sf_value_fail(value, err, "maintain: '%s' takes %s, not '%s'", name, like,
                             text ? text : "a list or map");
    if (*out < least || *out > most)
        return sf_value_fail(value, err, "maintain: '%s' is '%s', which is out of range", name, text);
    return SF_OK;
}

static SfStatus take_time(const SfValue *value, const char *name, int64_t least, int64_t *out, SfError *err)
{
    return take_amount(value, name, times, "a duration such as 1h", least, INT64_MAX, out, err);
}

static SfStatus take_columns(const SfValue *value, MaintainOptions *out, SfError *err)
{
    SfValueKind kind = sf_value_kind(value);
    size_t n = kind == SF_VALUE_LIST ? sf_value_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        const SfValue *item = kind == SF_VALUE_LIST ? sf_value_at(value, i) : value;
        const char *name = sf_value_text(item);
        if (!name || !*name)
            return sf_value_fail(item, err, "maintain: 'sort_by' takes columns, as [order_id]");
        g_ptr_array_add(out->sort_by, g_strdup(name));
    }
    return SF_OK;
}

static SfStatus take_member(const SfValue *key, const SfValue *value, MaintainOptions *out, SfError *err)
{
    static const char *const names[] = {"optimize", "target_size", "sort_by", "vacuum", "retention"};
    const char *name = sf_value_text(key);
    char hint[100];
    if (strcmp(name, "optimize") == 0)
        return take_time(value, name, 1000, &out->optimize_ms, err);
    if (strcmp(name, "vacuum") == 0)
        return take_time(value, name, 1000, &out->vacuum_ms, err);
    if (strcmp(name, "retention") == 0)
        return take_time(value, name, 0, &out->retention_ms, err);
    if (strcmp(name, "target_size") == 0)
        return take_amount(value, name, sizes, "a size such as 128MiB", TARGET_LEAST, TARGET_MOST, &out->target, err);
    if (strcmp(name, "sort_by") == 0)
        return take_columns(value, out, err);
    return sf_value_fail(key, err, "maintain: unknown key '%s'%s", name,
                         sf_suggest(name, names, G_N_ELEMENTS(names), hint, sizeof hint));
}

SfStatus maintain_options_parse(const SfValue *value, MaintainOptions *out, SfError *err)
{
    maintain_options_done(out);
    *out = (MaintainOptions){.target = TARGET, .retention_ms = -1, .sort_by = g_ptr_array_new_with_free_func(g_free)};
    if (!value || sf_value_kind(value) == SF_VALUE_NULL)
        return SF_OK;
    if (sf_value_kind(value) != SF_VALUE_MAP)
        return sf_value_fail(value, err, "maintain takes a map, as {optimize: 1h, vacuum: 24h}");
    for (size_t i = 0; i < sf_value_size(value); i++)
        SF_TRY(take_member(sf_value_key(value, i), sf_value_at(value, i), out, err));
    if (out->optimize_ms == 0 && out->vacuum_ms == 0)
        return sf_value_fail(value, err, "maintain: give how often to 'optimize' or to 'vacuum', such as 1h");
    return SF_OK;
}

void maintain_options_done(MaintainOptions *options)
{
    g_clear_pointer(&options->sort_by, g_ptr_array_unref);
}
