/* Primitive types of a table's schema as columns of ours (PROTOCOL.md, "Primitive Types"). */
#include "delta.h"

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

bool delta_primitive_type(const char *name, SfField *out)
{
    static const struct {
        const char *name;
        SfType type;
    } types[] = {{"byte", SF_INT32},   {"short", SF_INT32},   {"integer", SF_INT32},
                 {"long", SF_INT64},   {"float", SF_FLOAT64}, {"double", SF_FLOAT64},
                 {"string", SF_UTF8},  {"date", SF_DATE},     {"timestamp", SF_TIMESTAMP},
                 {"boolean", SF_BOOL}, {"binary", SF_BINARY}, {"timestamp_ntz", SF_TIMESTAMP}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0) {
            *out = (SfField){.type = types[i].type};
            return true;
        }
    return take_decimal(name, out);
}
