/* CHECK constraints and invariants of a table, asked of each row: only what is true passes, as in Spark; null is not
 * (org.apache.spark.sql.delta.constraints.CheckDeltaInvariant). */
#include "check_tree.h"

static void check_free(gpointer data)
{
    DeltaCheck *check = data;
    g_free(check->name);
    g_free(check->text);
    check_node_free(check->root);
    g_free(check);
}

static SfStatus add_check(const DeltaLog *log, json_object *schema, const struct ArrowSchema *input, const char *name,
                          const char *text, GPtrArray *out, SfError *err)
{
    SfError why = {0};
    CheckNode *root = check_parse(text, schema, input, &why);
    if (!root)
        return sf_fail(err, SF_CONFIG,
                       "%s: the table has the constraint '%s' (%.200s), which this sink cannot check: %s",
                       store_url(log->store), name, text, why.message);
    DeltaCheck *check = g_new(DeltaCheck, 1);
    *check = (DeltaCheck){.name = g_strdup(name), .text = g_strdup(text), .root = root};
    g_ptr_array_add(out, check);
    return SF_OK;
}

/* {"expression":{"expression":"id > 0"}}, as a text (PROTOCOL.md, "Column Invariants"). */
static SfStatus add_invariant(const DeltaLog *log, json_object *schema, const struct ArrowSchema *input,
                              json_object *field, GPtrArray *out, SfError *err)
{
    const char *text = delta_json_text(delta_json_member(field, "metadata", json_type_object), "delta.invariants");
    if (!text)
        return SF_OK;
    g_autoptr(json_object) rule = delta_json_parse(text, strlen(text), NULL);
    const char *condition = delta_json_text(delta_json_member(rule, "expression", json_type_object), "expression");
    return add_check(log, schema, input, delta_json_text(field, "name"), condition ? condition : text, out, err);
}

GPtrArray *delta_checks_new(const DeltaLog *log, const struct ArrowSchema *input, SfError *err)
{
    const char *prefix = "delta.constraints.";
    g_autoptr(GPtrArray) checks = g_ptr_array_new_with_free_func(check_free);
    g_autoptr(json_object) schema = delta_schema_parse(log->metadata, err);
    json_object *configuration = delta_json_member(log->metadata, "configuration", json_type_object);
    json_object *fields = delta_json_member(schema, "fields", json_type_array);
    if (!fields)
        return NULL;
    if (configuration) {
        json_object_object_foreach(configuration, key, value)
        {
            if (g_str_has_prefix(key, prefix) && add_check(log, schema, input, key + strlen(prefix),
                                                           json_object_get_string(value), checks, err) != SF_OK)
                return NULL;
        }
    }
    for (size_t i = 0; i < json_object_array_length(fields); i++)
        if (add_invariant(log, schema, input, json_object_array_get_idx(fields, i), checks, err) != SF_OK)
            return NULL;
    return g_steal_pointer(&checks);
}

static SqlValue value_of(const CheckOperand *operand, const SfColumn *columns, int64_t row)
{
    if (!operand->is_column)
        return operand->value;
    if (operand->column < 0)
        return (SqlValue){.kind = SQL_NULL};
    const SfColumn *column = &columns[operand->column];
    SqlValue value = sql_value_at(column, operand->length ? SQL_TEXT : operand->kind, row);
    if (operand->length && value.kind != SQL_NULL)
        value = (SqlValue){.kind = SQL_NUMBER, .number = parquet_characters(value.text.data, value.text.size)};
    if (operand->single)
        value.real = (double) (float) value.real;
    return value;
}

enum { NO, YES, UNKNOWN };

static int decide_pair(const CheckNode *node, const SfColumn *columns, int64_t row)
{
    SqlValue a = value_of(&node->left, columns, row);
    SqlValue b = value_of(&node->right, columns, row);
    if (a.kind == SQL_NULL || b.kind == SQL_NULL)
        return node->op == CHECK_SAME ? a.kind == b.kind : UNKNOWN;
    int order = sql_compare(&a, &b);
    return node->op == CHECK_LT ? order < 0 : node->op == CHECK_LE ? order <= 0 : order == 0;
}

/* Three-valued logic. */
static int decide(const CheckNode *node, const SfColumn *columns, int64_t row)
{
    int a;
    int b;
    SqlValue value;
    switch (node->op) {
    case CHECK_AND:
        a = decide(node->a, columns, row);
        b = a == NO ? NO : decide(node->b, columns, row);
        return b == NO ? NO : MAX(a, b);
    case CHECK_OR:
        a = decide(node->a, columns, row);
        b = a == YES ? YES : decide(node->b, columns, row);
        return a == YES || b == YES ? YES : MAX(a, b);
    case CHECK_NOT:
        a = decide(node->a, columns, row);
        return a == UNKNOWN ? UNKNOWN : !a;
    case CHECK_IS_NULL:
        return value_of(&node->left, columns, row).kind == SQL_NULL;
    case CHECK_TRUTH:
        value = value_of(&node->left, columns, row);
        return value.kind == SQL_NULL ? UNKNOWN : value.number != 0;
    default:
        return decide_pair(node, columns, row);
    }
}

bool delta_check_holds(const DeltaCheck *check, const SfColumn *columns, int64_t row, GString *why)
{
    if (decide(check->root, columns, row) == YES)
        return true;
    g_string_append_printf(why, "the table's constraint '%s' (%.200s) is not met", check->name, check->text);
    return false;
}
