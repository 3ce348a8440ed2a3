/* What Spark keeps of char(n) and varchar(n): in the log the type is string, and the field's metadata has its real one
 * as the catalog writes it (org.apache.spark.sql.catalyst.util.CharVarcharUtils). */
#include "delta.h"

#define TYPE_KEY "__CHAR_VARCHAR_TYPE_STRING"

/* Longer texts of a fixed length are padded to more than is sane. */
#define CHAR_MAX_LENGTH 4096

bool delta_text_limit(json_object *spark, const char *type, int *limit)
{
    const char *text = json_object_is_type(spark, json_type_string) ? json_object_get_string(spark) : "";
    size_t size = strlen(type);
    gint64 number;
    if (!g_str_has_prefix(text, type) || text[size] != '(' || !g_str_has_suffix(text, ")"))
        return false;
    g_autofree char *digits = g_strndup(text + size + 1, strlen(text) - size - 2);
    if (!g_ascii_string_to_signed(digits, 10, 1, strcmp(type, "char") == 0 ? CHAR_MAX_LENGTH : INT32_MAX, &number,
                                  NULL))
        return false;
    *limit = (int) number;
    return true;
}

static bool take_spark_type(const char **at, const char *word)
{
    if (!g_str_has_prefix(*at, word))
        return false;
    *at += strlen(word);
    return true;
}

/* "varchar(5)", "decimal(12,2)", "bigint". */
static json_object *take_primitive(const char **at)
{
    const char *start = *at;
    while (g_ascii_isalnum(**at) || **at == '_')
        (*at)++;
    const char *name_end = *at;
    if (**at == '(') {
        const char *close = strchr(*at, ')');
        *at = close ? close + 1 : *at;
    }
    g_autoptr(json_object) type = json_object_new_string_len(start, (int) (*at - start));
    g_autofree char *name = g_strndup(start, (gsize) (name_end - start));
    bool text = strcmp(name, "char") == 0 || strcmp(name, "varchar") == 0;
    int limit;
    return *name && (!text || delta_text_limit(type, name, &limit)) ? g_steal_pointer(&type) : NULL;
}

static json_object *take_type(json_object *type, const char **at);

static bool take_member(json_object *out, const char *name, json_object *type, const char **at)
{
    json_object *member = take_type(type, at);
    if (member)
        json_object_object_add(out, name, member);
    return member != NULL;
}

static bool take_fields(json_object *out, json_object *type, const char **at)
{
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *name = delta_json_text(field, "name");
        if ((i > 0 && !take_spark_type(at, ",")) || !name || !take_spark_type(at, name) || !take_spark_type(at, ":") ||
            !take_member(out, name, delta_type_of(field, "type"), at))
            return false;
    }
    return fields != NULL;
}

/* Along the table's type, which says what names there are. Depth: the type's, which was parsed. */
static json_object *take_type(json_object *type, const char **at)
{
    const char *kind = delta_json_text(type, "type");
    if (!kind)
        return take_primitive(at);
    g_autoptr(json_object) out = json_object_new_object();
    bool good = take_spark_type(at, kind) && take_spark_type(at, "<");
    if (g_str_equal(kind, "struct"))
        good = good && take_fields(out, type, at);
    else if (g_str_equal(kind, "array"))
        good = good && take_member(out, "elementType", delta_type_of(type, "elementType"), at);
    else
        good = good && take_member(out, "keyType", delta_type_of(type, "keyType"), at) && take_spark_type(at, ",") &&
               take_member(out, "valueType", delta_type_of(type, "valueType"), at);
    return good && take_spark_type(at, ">") ? g_steal_pointer(&out) : NULL;
}

json_object *delta_spark_types(json_object *field, SfError *err)
{
    const char *text = delta_json_text(delta_json_member(field, "metadata", json_type_object), TYPE_KEY);
    if (!text)
        return NULL;
    const char *at = text;
    g_autoptr(json_object) types = take_type(delta_type_of(field, "type"), &at);
    if (types && !*at)
        return g_steal_pointer(&types);
    sf_fail(err, SF_CONFIG, "column '%s' is of Spark's type '%s', which this sink cannot check",
            delta_json_text(field, "name"), text);
    return NULL;
}
