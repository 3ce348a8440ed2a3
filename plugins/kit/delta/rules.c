/* What a table asks of values beyond the type that the rows promise: whether each fits the column that it goes into. */
#include "delta.h"

#include <math.h>

static void rule_free(gpointer data)
{
    DeltaRule *rule = data;
    g_free(rule->name);
    if (rule->members)
        g_ptr_array_unref(rule->members);
    g_free(rule);
}

static void judge_primitive(DeltaRule *rule, json_object *type, json_object *spark)
{
    const char *name = json_object_is_type(type, json_type_string) ? json_object_get_string(type) : "";
    if (strcmp(name, "byte") == 0)
        rule->kind = DELTA_BYTE;
    else if (strcmp(name, "short") == 0)
        rule->kind = DELTA_SHORT;
    else if (strcmp(name, "float") == 0)
        rule->kind = DELTA_FLOAT;
    else if (delta_text_limit(spark, "varchar", &rule->limit))
        rule->kind = DELTA_VARCHAR;
    else if (delta_text_limit(spark, "char", &rule->limit))
        rule->kind = DELTA_CHAR;
}

static DeltaRule *rule_new(json_object *type, json_object *spark, const struct ArrowSchema *input, bool nullable);

static void add_rule_member(DeltaRule *rule, int column, const char *name, DeltaRule *member)
{
    if (!member)
        return;
    member->column = column;
    member->name = g_strdup(name);
    if (!rule->members)
        rule->members = g_ptr_array_new_with_free_func(rule_free);
    g_ptr_array_add(rule->members, member);
}

static bool null_flag(json_object *type, const char *member)
{
    json_object *flag = delta_json_member(type, member, json_type_boolean);
    return !flag || json_object_get_boolean(flag);
}

static void judge_members(DeltaRule *rule, json_object *type, json_object *spark, const struct ArrowSchema *input)
{
    g_autoptr(GHashTable) names = delta_names_of_type(type);
    for (int64_t i = 0; i < input->n_children; i++) {
        json_object *field = delta_schema_field_at(type, names, input->children[i]->name);
        const char *name = delta_json_text(field, "name");
        add_rule_member(rule, (int) i, input->children[i]->name,
                        rule_new(delta_type_of(field, "type"), delta_type_of(spark, name), input->children[i],
                                 delta_field_nullable(field)));
    }
}

static void judge_map(DeltaRule *rule, json_object *type, json_object *spark, const struct ArrowSchema *input)
{
    const struct ArrowSchema *entry = input->children[0];
    DeltaRule *pair = g_new0(DeltaRule, 1);
    pair->not_null = true;
    rule->kind = DELTA_MAP;
    add_rule_member(
        pair, 0, "key",
        rule_new(delta_type_of(type, "keyType"), delta_type_of(spark, "keyType"), entry->children[0], false));
    add_rule_member(pair, 1, "value",
                    rule_new(delta_type_of(type, "valueType"), delta_type_of(spark, "valueType"), entry->children[1],
                             null_flag(type, "valueContainsNull")));
    add_rule_member(rule, 0, "[]", pair);
}

/* NULL: nothing to ask. */
static DeltaRule *rule_new(json_object *type, json_object *spark, const struct ArrowSchema *input, bool nullable)
{
    DeltaRule *rule = g_new0(DeltaRule, 1);
    rule->not_null = !nullable && input->flags & ARROW_FLAG_NULLABLE;
    const char *kind = delta_json_text(type, "type");
    if (!kind)
        judge_primitive(rule, type, spark);
    else if (g_str_equal(kind, "struct"))
        judge_members(rule, type, spark, input);
    else if (g_str_equal(kind, "map"))
        judge_map(rule, type, spark, input);
    else
        add_rule_member(rule, 0, "[]",
                        rule_new(delta_type_of(type, "elementType"), delta_type_of(spark, "elementType"),
                                 input->children[0], null_flag(type, "containsNull")));
    if (rule->not_null || rule->kind != DELTA_ANY || rule->members)
        return rule;
    rule_free(rule);
    return NULL;
}

GPtrArray *delta_rules_new(json_object *schema, const struct ArrowSchema *input, SfError *err)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    g_autoptr(GHashTable) names = delta_names_of_type(schema);
    for (int64_t i = 0; i < input->n_children; i++) {
        const struct ArrowSchema *child = input->children[i];
        json_object *field = delta_schema_field_at(schema, names, child->name);
        SfError why = {0};
        g_autoptr(json_object) spark = delta_spark_types(field, &why);
        if (why.message[0]) {
            sf_fail(err, SF_CONFIG, "%s", why.message);
            return NULL;
        }
        DeltaRule *rule = rule_new(delta_type_of(field, "type"), spark, child, delta_field_nullable(field));
        if (!rule)
            continue;
        rule->column = (int) i;
        rule->name = g_strdup(child->name);
        g_ptr_array_add(rules, rule);
    }
    return g_steal_pointer(&rules);
}

const DeltaRule *delta_rules_of(const GPtrArray *rules, int column)
{
    for (guint i = 0; i < rules->len; i++)
        if (((const DeltaRule *) rules->pdata[i])->column == column)
            return rules->pdata[i];
    return NULL;
}

/* ---- rows */

static bool fits_integer(const SfColumn *column, int64_t row, int64_t least, const char *type, GString *why)
{
    int64_t value = sf_i32(column, row);
    if (value >= least && value <= -(least + 1))
        return true;
    g_string_append_printf(why, ": %" G_GINT64_FORMAT " does not fit the table's type %s", value, type);
    return false;
}

/* Rounded to the nearest float, which must not be infinite where the value is not. */
static bool fits_float(const SfColumn *column, int64_t row, GString *why)
{
    double value = sf_f64(column, row);
    if (!isfinite(value) || isfinite((float) value))
        return true;
    g_string_append_printf(why, ": %g does not fit the table's type float", value);
    return false;
}

static bool fits_length(const DeltaRule *rule, const SfColumn *column, int64_t row, GString *why)
{
    SfBytes text = sf_bytes(column, row);
    int64_t n = text.size > rule->limit ? parquet_characters(text.data, text.size) : 0;
    if (n <= rule->limit)
        return true;
    g_string_append_printf(why, ": %" G_GINT64_FORMAT " characters, the table's type is %s(%d)", n,
                           rule->kind == DELTA_CHAR ? "char" : "varchar", rule->limit);
    return false;
}

/* Keys of the entries [first, first + n), none of them null. */
static bool keys_differ(const SfColumn *entries, int64_t first, int64_t n, GString *why)
{
    SfColumn keys;
    SfError err;
    if (n < 2 || sf_column_child(entries, 0, &keys, &err) != SF_OK)
        return true;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int64_t i = first; i < first + n; i++) {
        g_autoptr(GString) key = g_string_new(NULL);
        delta_partition_text(&keys, i, key);
        g_autofree char *shown = g_uri_escape_bytes((const guint8 *) key->str, key->len, " /,;:@");
        if (g_hash_table_contains(seen, shown)) {
            g_string_append_printf(why, ": the map has the key '%s' twice", shown);
            return false;
        }
        g_hash_table_add(seen, g_steal_pointer(&shown));
    }
    return true;
}

static bool members_hold(const DeltaRule *rule, const SfColumn *column, int64_t row, GString *why)
{
    SfColumn child;
    SfError err;
    for (guint i = 0; rule->members && i < rule->members->len; i++) {
        const DeltaRule *member = rule->members->pdata[i];
        int64_t first = row;
        int64_t n = column->type == SF_LIST ? sf_list(column, row, &first) : 1;
        if (sf_column_child(column, member->column, &child, &err) != SF_OK)
            continue;
        for (int64_t at = first; at < first + n; at++)
            if (!delta_rule_holds(member, &child, at, why))
                return false;
        if (rule->kind == DELTA_MAP && !keys_differ(&child, first, n, why))
            return false;
    }
    return true;
}

bool delta_rule_holds(const DeltaRule *rule, const SfColumn *column, int64_t row, GString *why)
{
    gsize start = why->len;
    bool dot = start > 0 && rule->name[0] != '[';
    g_string_append_printf(why, "%s%s", dot ? "." : "", rule->name);
    bool holds;
    if (sf_is_null(column, row)) {
        holds = !rule->not_null;
        if (!holds)
            g_string_append(why, ": null, but the table's column is not null");
    } else {
        switch (rule->kind) {
        case DELTA_BYTE:
            holds = fits_integer(column, row, INT8_MIN, "byte", why);
            break;
        case DELTA_SHORT:
            holds = fits_integer(column, row, INT16_MIN, "short", why);
            break;
        case DELTA_FLOAT:
            holds = fits_float(column, row, why);
            break;
        case DELTA_VARCHAR:
        case DELTA_CHAR:
            holds = fits_length(rule, column, row, why);
            break;
        default:
            holds = members_hold(rule, column, row, why);
        }
    }
    if (holds)
        g_string_truncate(why, start);
    return holds;
}
