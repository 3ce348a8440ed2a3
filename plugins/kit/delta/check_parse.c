/* SQL conditions that we can decide as Spark does: comparisons of columns with literals and each other, IS NULL, IN,
 * BETWEEN, length(), AND, OR, NOT. All else is refused: half an understanding would let rows pass. */
#include "check_tree.h"

#define MAX_DEPTH 100

void check_node_free(CheckNode *node)
{
    if (!node)
        return;
    check_node_free(node->a);
    check_node_free(node->b);
    g_free(node->left.owned);
    g_free(node->right.owned);
    g_free(node);
}

static bool take_check_number(SqlParser *parser, CheckOperand *out)
{
    out->kind = SQL_NUMBER;
    return sql_take_number(&parser->text, &out->value);
}

static bool take_date_literal(SqlParser *parser, CheckOperand *out)
{
    out->kind = SQL_DATE;
    return sql_take_date(&parser->text, &out->value);
}

static bool take_column(SqlParser *parser, CheckOperand *out)
{
    sql_skip_blanks(&parser->text);
    const char *start = parser->text.at;
    g_autofree char *name = sql_take_name(&parser->text);
    json_object *field = name && *name ? delta_schema_field(parser->schema, name) : NULL;
    sql_skip_blanks(&parser->text);
    if (!field || strchr(".([", *parser->text.at ? *parser->text.at : ' ')) {
        parser->text.at = start;
        return sql_beyond(&parser->text, "something that is not a column of the table");
    }
    out->is_column = true;
    out->column = delta_column_of(parser->input, name);
    out->single = g_strcmp0(delta_json_text(field, "type"), "float") == 0;
    return sql_kind_of_field(field, &out->kind) ||
           sql_beyond(&parser->text, "a column of a type that cannot be compared");
}

static bool take_length(SqlParser *parser, CheckOperand *out)
{
    if (!sql_take_symbol(&parser->text, "(") || !take_column(parser, out) || !sql_take_symbol(&parser->text, ")") ||
        out->kind != SQL_TEXT)
        return sql_beyond(&parser->text, "length() of something other than a text column");
    out->length = true;
    out->kind = SQL_NUMBER;
    return true;
}

static bool take_operand(SqlParser *parser, CheckOperand *out)
{
    *out = (CheckOperand){0};
    sql_skip_blanks(&parser->text);
    if (*parser->text.at == '\'') {
        out->owned = sql_take_quoted(&parser->text, '\'');
        out->kind = out->value.kind = SQL_TEXT;
        if (out->owned)
            out->value.text = (SfBytes){out->owned, (int64_t) strlen(out->owned)};
        return out->owned != NULL;
    }
    if (g_ascii_isdigit(*parser->text.at) || *parser->text.at == '-' || *parser->text.at == '.')
        return take_check_number(parser, out);
    bool yes = sql_take_word(&parser->text, "true");
    if (yes || sql_take_word(&parser->text, "false")) {
        out->kind = out->value.kind = SQL_BOOL;
        out->value.number = yes;
        return true;
    }
    const char *start = parser->text.at;
    if (sql_take_word(&parser->text, "date")) {
        sql_skip_blanks(&parser->text);
        if (*parser->text.at == '\'')
            return take_date_literal(parser, out);
        parser->text.at = start;
    }
    if (sql_take_word(&parser->text, "length") || sql_take_word(&parser->text, "char_length")) {
        sql_skip_blanks(&parser->text);
        if (*parser->text.at == '(')
            return take_length(parser, out);
        parser->text.at = start;
    }
    return take_column(parser, out);
}

/* A text beside a date column is a date. */
static bool as_date(SqlParser *parser, CheckOperand *operand)
{
    if (!sql_parse_moment(operand->owned, SQL_DATE, &operand->value))
        return sql_beyond(&parser->text, "a text that is not a date (yyyy-MM-dd) before this");
    operand->kind = SQL_DATE;
    return true;
}

static bool match_kinds(SqlParser *parser, CheckOperand *left, CheckOperand *right)
{
    if (left->kind == SQL_DATE && right->kind == SQL_TEXT && right->owned)
        return as_date(parser, right);
    if (right->kind == SQL_DATE && left->kind == SQL_TEXT && left->owned)
        return as_date(parser, left);
    bool numbers = left->kind <= SQL_REAL && right->kind <= SQL_REAL;
    return numbers || left->kind == right->kind ||
           sql_beyond(&parser->text, "values of two types compared before this");
}

static CheckNode *node_new(CheckOp op, CheckNode *a, CheckNode *b)
{
    CheckNode *node = g_new0(CheckNode, 1);
    *node = (CheckNode){.op = op, .a = a, .b = b};
    return node;
}

static CheckOperand copy_operand(const CheckOperand *operand)
{
    CheckOperand copy = *operand;
    copy.owned = g_strdup(operand->owned);
    if (copy.owned)
        copy.value.text.data = copy.owned;
    return copy;
}

/* left OP right, or the other way round. Takes right; left is copied. */
static CheckNode *compare(SqlParser *parser, CheckOp op, bool turn, const CheckOperand *left, CheckOperand *right)
{
    g_autoptr(CheckNode) node = node_new(op, NULL, NULL);
    CheckOperand copy = copy_operand(left);
    node->left = turn ? *right : copy;
    node->right = turn ? copy : *right;
    return match_kinds(parser, &node->left, &node->right) ? g_steal_pointer(&node) : NULL;
}

static CheckNode *take_list(SqlParser *parser, const CheckOperand *left)
{
    g_autoptr(CheckNode) all = NULL;
    if (!sql_take_symbol(&parser->text, "(")) {
        sql_beyond(&parser->text, "IN without a list");
        return NULL;
    }
    do {
        CheckOperand item;
        if (!take_operand(parser, &item))
            return NULL;
        CheckNode *one = compare(parser, CHECK_EQ, false, left, &item);
        if (!one)
            return NULL;
        all = all ? node_new(CHECK_OR, g_steal_pointer(&all), one) : one;
    } while (sql_take_symbol(&parser->text, ","));
    if (sql_take_symbol(&parser->text, ")"))
        return g_steal_pointer(&all);
    sql_beyond(&parser->text, "IN with more than a list of values");
    return NULL;
}

static CheckNode *take_between(SqlParser *parser, const CheckOperand *left)
{
    CheckOperand low;
    CheckOperand high;
    if (!take_operand(parser, &low))
        return NULL;
    g_autoptr(CheckNode) from = compare(parser, CHECK_LE, true, left, &low);
    if (!from || !sql_take_word(&parser->text, "and") || !take_operand(parser, &high))
        return NULL;
    CheckNode *to = compare(parser, CHECK_LE, false, left, &high);
    return to ? node_new(CHECK_AND, g_steal_pointer(&from), to) : NULL;
}

static CheckNode *take_comparison(SqlParser *parser, const CheckOperand *left)
{
    static const struct {
        const char *symbol;
        CheckOp op;
        bool turn;
        bool negate;
    } ops[] = {{"<=>", CHECK_SAME, false, false}, {"<=", CHECK_LE, false, false}, {">=", CHECK_LE, true, false},
               {"<>", CHECK_EQ, false, true},     {"!=", CHECK_EQ, false, true},  {"==", CHECK_EQ, false, false},
               {"=", CHECK_EQ, false, false},     {"<", CHECK_LT, false, false},  {">", CHECK_LT, true, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        CheckOperand right;
        if (!sql_take_symbol(&parser->text, ops[i].symbol))
            continue;
        if (!take_operand(parser, &right))
            return NULL;
        CheckNode *node = compare(parser, ops[i].op, ops[i].turn, left, &right);
        return node && ops[i].negate ? node_new(CHECK_NOT, node, NULL) : node;
    }
    if (left->kind != SQL_BOOL) {
        sql_beyond(&parser->text, "an unknown comparison");
        return NULL;
    }
    CheckNode *truth = node_new(CHECK_TRUTH, NULL, NULL);
    truth->left = copy_operand(left);
    return truth;
}

static CheckNode *negated(bool negate, CheckNode *node)
{
    return node && negate ? node_new(CHECK_NOT, node, NULL) : node;
}

static CheckNode *take_predicate(SqlParser *parser)
{
    CheckOperand left;
    CheckNode *node;
    if (!take_operand(parser, &left)) {
        g_free(left.owned);
        return NULL;
    }
    if (sql_take_word(&parser->text, "is")) {
        bool negate = sql_take_word(&parser->text, "not");
        node = sql_take_word(&parser->text, "null") ? node_new(CHECK_IS_NULL, NULL, NULL) : NULL;
        if (node)
            node->left = copy_operand(&left);
        else
            sql_beyond(&parser->text, "IS without NULL");
        node = negated(negate, node);
    } else {
        bool negate = sql_take_word(&parser->text, "not");
        if (sql_take_word(&parser->text, "in"))
            node = negated(negate, take_list(parser, &left));
        else if (sql_take_word(&parser->text, "between"))
            node = negated(negate, take_between(parser, &left));
        else
            node = negate ? NULL : take_comparison(parser, &left);
        if (!node)
            sql_beyond(&parser->text, "an unknown condition");
    }
    g_free(left.owned);
    return node;
}

static CheckNode *take_or(SqlParser *parser);

static CheckNode *take_not(SqlParser *parser)
{
    if (++parser->depth > MAX_DEPTH) {
        sql_beyond(&parser->text, "a condition nested too deep");
        return NULL;
    }
    CheckNode *node;
    if (sql_take_word(&parser->text, "not") ||
        (g_str_has_prefix(parser->text.at, "!") && parser->text.at[1] != '=' && sql_take_symbol(&parser->text, "!"))) {
        node = negated(true, take_not(parser));
    } else if (sql_take_symbol(&parser->text, "(")) {
        g_autoptr(CheckNode) inner = take_or(parser);
        bool closed =
            inner && (sql_take_symbol(&parser->text, ")") || sql_beyond(&parser->text, "a missing closing bracket"));
        node = closed ? g_steal_pointer(&inner) : NULL;
    } else {
        node = take_predicate(parser);
    }
    parser->depth--;
    return node;
}

static CheckNode *take_and(SqlParser *parser)
{
    g_autoptr(CheckNode) node = take_not(parser);
    while (node && sql_take_word(&parser->text, "and")) {
        CheckNode *more = take_not(parser);
        if (!more)
            return NULL;
        node = node_new(CHECK_AND, g_steal_pointer(&node), more);
    }
    return g_steal_pointer(&node);
}

static CheckNode *take_or(SqlParser *parser)
{
    g_autoptr(CheckNode) node = take_and(parser);
    while (node && sql_take_word(&parser->text, "or")) {
        CheckNode *more = take_and(parser);
        if (!more)
            return NULL;
        node = node_new(CHECK_OR, g_steal_pointer(&node), more);
    }
    return g_steal_pointer(&node);
}

CheckNode *check_parse(const char *text, json_object *schema, const struct ArrowSchema *input, SfError *err)
{
    SqlParser parser = {.text = {text, err}, .schema = schema, .input = input};
    g_autoptr(CheckNode) node = take_or(&parser);
    sql_skip_blanks(&parser.text);
    if (node && *parser.text.at) {
        sql_beyond(&parser.text, "something behind the condition");
        return NULL;
    }
    return g_steal_pointer(&node);
}
