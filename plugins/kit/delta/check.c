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

static CheckValue value_of(const CheckOperand *operand, const SfColumn *columns, int64_t row)
{
    CheckValue none = {.kind = CHECK_NULL};
    if (!operand->is_column)
        return operand->value;
    if (operand->column < 0 || sf_is_null(&columns[operand->column], row))
        return none;
    const SfColumn *column = &columns[operand->column];
    CheckValue value = {.kind = operand->kind};
    switch (column->type) {
    case SF_BOOL:
        value.number = sf_bool(column, row);
        break;
    case SF_INT32:
    case SF_DATE:
        value.number = sf_i32(column, row);
        break;
    case SF_FLOAT64:
        value.real = operand->single ? (double) (float) sf_f64(column, row) : sf_f64(column, row);
        break;
    case SF_DECIMAL128: {
        SfDecimal decimal = sf_decimal(column, row);
        value.number = (CheckInt) ((CheckBits) (uint64_t) decimal.high << 64 | decimal.low);
        value.scale = column->scale;
        break;
    }
    case SF_UTF8:
        value.text = sf_bytes(column, row);
        value.number = operand->length ? parquet_characters(value.text.data, value.text.size) : 0;
        break;
    default:
        value.number = sf_i64(column, row);
    }
    return value;
}

/* What has no room at the finer scale is the larger one by far: literals have 18 digits. */
static int compare_numbers(const CheckValue *a, const CheckValue *b)
{
    CheckInt left = a->number;
    CheckInt right = b->number;
    for (int scale = a->scale; scale < b->scale; scale++)
        if (__builtin_mul_overflow(left, (CheckInt) 10, &left))
            return a->number < 0 ? -1 : 1;
    for (int scale = b->scale; scale < a->scale; scale++)
        if (__builtin_mul_overflow(right, (CheckInt) 10, &right))
            return b->number < 0 ? 1 : -1;
    return (left > right) - (left < right);
}

static double real_of(const CheckValue *value)
{
    if (value->kind == CHECK_REAL)
        return value->real;
    double power = 1;
    for (int i = 0; i < value->scale; i++)
        power *= 10;
    return (double) value->number / power;
}

/* NaN is itself, and above all numbers. */
static int compare_reals(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int compare_texts(SfBytes a, SfBytes b)
{
    int64_t common = MIN(a.size, b.size);
    int order = common > 0 ? memcmp(a.data, b.data, (size_t) common) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_values(const CheckValue *a, const CheckValue *b)
{
    if (a->kind == CHECK_REAL || b->kind == CHECK_REAL)
        return compare_reals(real_of(a), real_of(b));
    return a->kind == CHECK_TEXT ? compare_texts(a->text, b->text) : compare_numbers(a, b);
}

enum { NO, YES, UNKNOWN };

static int decide_pair(const CheckNode *node, const SfColumn *columns, int64_t row)
{
    CheckValue a = value_of(&node->left, columns, row);
    CheckValue b = value_of(&node->right, columns, row);
    if (a.kind == CHECK_NULL || b.kind == CHECK_NULL)
        return node->op == CHECK_SAME ? a.kind == b.kind : UNKNOWN;
    int order = compare_values(&a, &b);
    return node->op == CHECK_LT ? order < 0 : node->op == CHECK_LE ? order <= 0 : order == 0;
}

/* Three-valued logic. */
static int decide(const CheckNode *node, const SfColumn *columns, int64_t row)
{
    int a;
    int b;
    CheckValue value;
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
        return value_of(&node->left, columns, row).kind == CHECK_NULL;
    case CHECK_TRUTH:
        value = value_of(&node->left, columns, row);
        return value.kind == CHECK_NULL ? UNKNOWN : value.number != 0;
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
