/* SQL conditions that we can decide as Spark does: comparisons of columns with literals and each other, IS NULL, IN,
 * BETWEEN, length(), AND, OR, NOT. All else is refused: half an understanding would let rows pass. */
#include "check_tree.h"

#define MAX_DEPTH 100

typedef struct Parser {
    const char *at;
    json_object *schema;
    const struct ArrowSchema *input;
    int depth;
    SfError *err;
} Parser;

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

static bool beyond(Parser *parser, const char *what)
{
    if (!parser->err->message[0])
        sf_fail(parser->err, SF_CONFIG, "%s at '%.40s'", what, parser->at);
    return false;
}

static void skip_blanks(Parser *parser)
{
    while (g_ascii_isspace(*parser->at))
        parser->at++;
}

static bool take_symbol(Parser *parser, const char *symbol)
{
    skip_blanks(parser);
    if (!g_str_has_prefix(parser->at, symbol))
        return false;
    parser->at += strlen(symbol);
    return true;
}

static bool is_name_character(char c)
{
    return g_ascii_isalnum(c) || c == '_' || (unsigned char) c >= 0x80;
}

static bool take_word(Parser *parser, const char *word)
{
    skip_blanks(parser);
    size_t size = strlen(word);
    if (g_ascii_strncasecmp(parser->at, word, size) != 0 || is_name_character(parser->at[size]))
        return false;
    parser->at += size;
    return true;
}

/* Between quotes, which no escape or double may stand for: how Spark reads those is an option. */
static char *take_quoted(Parser *parser, char quote)
{
    const char *start = parser->at + 1;
    const char *end = strchr(start, quote);
    if (!end || end[1] == quote || memchr(start, '\\', (size_t) (end - start))) {
        beyond(parser, "a quoted text with escapes");
        return NULL;
    }
    parser->at = end + 1;
    return g_strndup(start, (gsize) (end - start));
}

static bool take_date_literal(Parser *parser, CheckOperand *out)
{
    skip_blanks(parser);
    g_autofree char *text = *parser->at == '\'' ? take_quoted(parser, '\'') : NULL;
    int64_t days;
    if (!text || !delta_date_parse(text, &days))
        return beyond(parser, "no date yyyy-MM-dd");
    out->kind = out->value.kind = CHECK_DATE;
    out->value.number = days;
    return true;
}

/* Plain digits with a point: Spark's integers and decimals. Exponents make doubles, suffixes other types. */
static bool take_number(Parser *parser, CheckOperand *out)
{
    bool negative = take_symbol(parser, "-");
    int digits = 0;
    int behind = -1;
    CheckInt number = 0;
    skip_blanks(parser);
    for (; g_ascii_isdigit(*parser->at) || (*parser->at == '.' && behind < 0); parser->at++) {
        if (*parser->at == '.') {
            behind = 0;
            continue;
        }
        number = number * 10 + (*parser->at - '0');
        behind += behind >= 0;
        if (++digits > 18)
            return beyond(parser, "a number of more than 18 digits");
    }
    if (digits == 0 || is_name_character(*parser->at))
        return beyond(parser, "no number that we know");
    out->kind = out->value.kind = CHECK_NUMBER;
    out->value.number = negative ? -number : number;
    out->value.scale = MAX(behind, 0);
    return true;
}

static bool column_kind(Parser *parser, json_object *field, CheckOperand *out)
{
    static const struct {
        const char *type;
        CheckKind kind;
    } kinds[] = {{"byte", CHECK_NUMBER},    {"short", CHECK_NUMBER}, {"integer", CHECK_NUMBER}, {"long", CHECK_NUMBER},
                 {"float", CHECK_REAL},     {"double", CHECK_REAL},  {"string", CHECK_TEXT},    {"date", CHECK_DATE},
                 {"timestamp", CHECK_TIME}, {"boolean", CHECK_BOOL}};
    const char *type = delta_json_text(field, "type");
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    const char *real = delta_json_text(metadata, "__CHAR_VARCHAR_TYPE_STRING");
    if (!type || (real && !g_str_has_prefix(real, "varchar("))) /* char is padded before it is compared */
        return beyond(parser, "a column of a type that we cannot compare");
    out->single = strcmp(type, "float") == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0) {
            out->kind = kinds[i].kind;
            return true;
        }
    if (!g_str_has_prefix(type, "decimal"))
        return beyond(parser, "a column of a type that we cannot compare");
    out->kind = CHECK_NUMBER;
    return true;
}

static bool take_column(Parser *parser, CheckOperand *out)
{
    skip_blanks(parser);
    const char *start = parser->at;
    g_autofree char *name = NULL;
    if (*start == '`') {
        name = take_quoted(parser, '`');
    } else {
        while (is_name_character(*parser->at))
            parser->at++;
        name = g_strndup(start, (gsize) (parser->at - start));
    }
    json_object *field = name && *name ? delta_schema_field(parser->schema, name) : NULL;
    skip_blanks(parser);
    if (!field || *parser->at == '.' || *parser->at == '(' || *parser->at == '[') {
        parser->at = start;
        return beyond(parser, "something that is no column of the table");
    }
    out->is_column = true;
    out->column = -1;
    for (int64_t i = 0; i < parser->input->n_children; i++)
        if (delta_name_equal(parser->input->children[i]->name, name))
            out->column = (int) i;
    return column_kind(parser, field, out);
}

static bool take_length(Parser *parser, CheckOperand *out)
{
    if (!take_symbol(parser, "(") || !take_column(parser, out) || !take_symbol(parser, ")") || out->kind != CHECK_TEXT)
        return beyond(parser, "length() of something that is no text column");
    out->length = true;
    out->kind = CHECK_NUMBER;
    return true;
}

static bool take_operand(Parser *parser, CheckOperand *out)
{
    *out = (CheckOperand){0};
    skip_blanks(parser);
    if (*parser->at == '\'') {
        out->owned = take_quoted(parser, '\'');
        out->kind = out->value.kind = CHECK_TEXT;
        if (out->owned)
            out->value.text = (SfBytes){out->owned, (int64_t) strlen(out->owned)};
        return out->owned != NULL;
    }
    if (g_ascii_isdigit(*parser->at) || *parser->at == '-' || *parser->at == '.')
        return take_number(parser, out);
    bool yes = take_word(parser, "true");
    if (yes || take_word(parser, "false")) {
        out->kind = out->value.kind = CHECK_BOOL;
        out->value.number = yes;
        return true;
    }
    const char *start = parser->at;
    if (take_word(parser, "date")) {
        skip_blanks(parser);
        if (*parser->at == '\'')
            return take_date_literal(parser, out);
        parser->at = start;
    }
    if (take_word(parser, "length") || take_word(parser, "char_length")) {
        skip_blanks(parser);
        if (*parser->at == '(')
            return take_length(parser, out);
        parser->at = start;
    }
    return take_column(parser, out);
}

/* A text beside a date column is a date. */
static bool as_date(Parser *parser, CheckOperand *operand)
{
    int64_t days;
    if (!delta_date_parse(operand->owned, &days))
        return beyond(parser, "a text that is no date yyyy-MM-dd before this");
    operand->kind = operand->value.kind = CHECK_DATE;
    operand->value.number = days;
    return true;
}

static bool match_kinds(Parser *parser, CheckOperand *left, CheckOperand *right)
{
    if (left->kind == CHECK_DATE && right->kind == CHECK_TEXT && right->owned)
        return as_date(parser, right);
    if (right->kind == CHECK_DATE && left->kind == CHECK_TEXT && left->owned)
        return as_date(parser, left);
    bool numbers = left->kind <= CHECK_REAL && right->kind <= CHECK_REAL;
    return numbers || left->kind == right->kind || beyond(parser, "values of two types compared before this");
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
static CheckNode *compare(Parser *parser, CheckOp op, bool turn, const CheckOperand *left, CheckOperand *right)
{
    g_autoptr(CheckNode) node = node_new(op, NULL, NULL);
    CheckOperand copy = copy_operand(left);
    node->left = turn ? *right : copy;
    node->right = turn ? copy : *right;
    return match_kinds(parser, &node->left, &node->right) ? g_steal_pointer(&node) : NULL;
}

static CheckNode *take_list(Parser *parser, const CheckOperand *left)
{
    g_autoptr(CheckNode) all = NULL;
    if (!take_symbol(parser, "(")) {
        beyond(parser, "IN without a list");
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
    } while (take_symbol(parser, ","));
    if (take_symbol(parser, ")"))
        return g_steal_pointer(&all);
    beyond(parser, "IN with more than a list of values");
    return NULL;
}

static CheckNode *take_between(Parser *parser, const CheckOperand *left)
{
    CheckOperand low;
    CheckOperand high;
    if (!take_operand(parser, &low))
        return NULL;
    g_autoptr(CheckNode) from = compare(parser, CHECK_LE, true, left, &low);
    if (!from || !take_word(parser, "and") || !take_operand(parser, &high))
        return NULL;
    CheckNode *to = compare(parser, CHECK_LE, false, left, &high);
    return to ? node_new(CHECK_AND, g_steal_pointer(&from), to) : NULL;
}

static CheckNode *take_comparison(Parser *parser, const CheckOperand *left)
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
        if (!take_symbol(parser, ops[i].symbol))
            continue;
        if (!take_operand(parser, &right))
            return NULL;
        CheckNode *node = compare(parser, ops[i].op, ops[i].turn, left, &right);
        return node && ops[i].negate ? node_new(CHECK_NOT, node, NULL) : node;
    }
    if (left->kind != CHECK_BOOL) {
        beyond(parser, "no comparison that we know");
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

static CheckNode *take_predicate(Parser *parser)
{
    CheckOperand left;
    CheckNode *node;
    if (!take_operand(parser, &left)) {
        g_free(left.owned);
        return NULL;
    }
    if (take_word(parser, "is")) {
        bool negate = take_word(parser, "not");
        node = take_word(parser, "null") ? node_new(CHECK_IS_NULL, NULL, NULL) : NULL;
        if (node)
            node->left = copy_operand(&left);
        else
            beyond(parser, "IS without NULL");
        node = negated(negate, node);
    } else {
        bool negate = take_word(parser, "not");
        if (take_word(parser, "in"))
            node = negated(negate, take_list(parser, &left));
        else if (take_word(parser, "between"))
            node = negated(negate, take_between(parser, &left));
        else
            node = negate ? NULL : take_comparison(parser, &left);
        if (!node)
            beyond(parser, "no condition that we know");
    }
    g_free(left.owned);
    return node;
}

static CheckNode *take_or(Parser *parser);

static CheckNode *take_not(Parser *parser)
{
    if (++parser->depth > MAX_DEPTH) {
        beyond(parser, "too deep a condition");
        return NULL;
    }
    CheckNode *node;
    if (take_word(parser, "not") ||
        (g_str_has_prefix(parser->at, "!") && parser->at[1] != '=' && take_symbol(parser, "!"))) {
        node = negated(true, take_not(parser));
    } else if (take_symbol(parser, "(")) {
        g_autoptr(CheckNode) inner = take_or(parser);
        bool closed = inner && (take_symbol(parser, ")") || beyond(parser, "no closing bracket"));
        node = closed ? g_steal_pointer(&inner) : NULL;
    } else {
        node = take_predicate(parser);
    }
    parser->depth--;
    return node;
}

static CheckNode *take_and(Parser *parser)
{
    g_autoptr(CheckNode) node = take_not(parser);
    while (node && take_word(parser, "and")) {
        CheckNode *more = take_not(parser);
        if (!more)
            return NULL;
        node = node_new(CHECK_AND, g_steal_pointer(&node), more);
    }
    return g_steal_pointer(&node);
}

static CheckNode *take_or(Parser *parser)
{
    g_autoptr(CheckNode) node = take_and(parser);
    while (node && take_word(parser, "or")) {
        CheckNode *more = take_and(parser);
        if (!more)
            return NULL;
        node = node_new(CHECK_OR, g_steal_pointer(&node), more);
    }
    return g_steal_pointer(&node);
}

CheckNode *check_parse(const char *text, json_object *schema, const struct ArrowSchema *input, SfError *err)
{
    Parser parser = {.at = text, .schema = schema, .input = input, .err = err};
    g_autoptr(CheckNode) node = take_or(&parser);
    skip_blanks(&parser);
    if (node && *parser.at) {
        beyond(&parser, "more than a condition that we know");
        return NULL;
    }
    return g_steal_pointer(&node);
}
