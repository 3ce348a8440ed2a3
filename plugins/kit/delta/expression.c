/* Expressions from texts. All that we do not know for certain is refused: another value would be a wrong one. */
#include "expression.h"

#define MAX_DEPTH 20

void expression_free(Expression *expression)
{
    if (!expression)
        return;
    expression_free(expression->argument);
    g_free(expression->text);
    g_free(expression);
}

static Expression *beyond(SqlText *text, const char *what)
{
    sql_beyond(text, what);
    return NULL;
}

static Expression *new_expression(ExpressionOp op, SqlKind kind, Expression *argument)
{
    Expression *expression = g_new0(Expression, 1);
    *expression = (Expression){.op = op, .kind = kind, .argument = argument, .column = -1};
    return expression;
}

static Expression *new_literal(SqlValue value)
{
    Expression *literal = new_expression(EXPRESSION_LITERAL, value.kind, NULL);
    literal->value = value;
    return literal;
}

static Expression *parse_sum(SqlParser *parser);

/* ---- casts */

static Expression *literal_to_moment(SqlText *text, const Expression *literal, SqlKind kind)
{
    SqlValue value;
    return sql_parse_moment(literal->text, kind, &value) ? new_literal(value)
                                                         : beyond(text, "a text that is not a date or timestamp");
}

static Expression *cast_to_moment(SqlText *text, Expression *expression, SqlKind kind)
{
    if (expression->kind == kind)
        return expression;
    if (expression->kind == SQL_TIME || expression->kind == SQL_DATE)
        return new_expression(kind == SQL_DATE ? EXPRESSION_TO_DATE : EXPRESSION_TO_TIME, kind, expression);
    g_autoptr(Expression) given = expression;
    return given->op == EXPRESSION_LITERAL && given->kind == SQL_TEXT
               ? literal_to_moment(text, given, kind)
               : beyond(text, "an unsupported cast to a date or timestamp");
}

static Expression *cast_to_text(SqlText *text, Expression *expression)
{
    bool literal = expression->op == EXPRESSION_LITERAL && expression->value.scale == 0;
    if (expression->kind == SQL_TEXT)
        return expression;
    if (expression->kind == SQL_DATE) {
        Expression *made = new_expression(EXPRESSION_FORMAT, SQL_TEXT, expression);
        made->text = g_strdup("yyyy-MM-dd");
        return made;
    }
    if (expression->kind == SQL_NUMBER && (expression->bits > 0 || literal))
        return new_expression(EXPRESSION_TO_TEXT, SQL_TEXT, expression);
    expression_free(expression);
    return beyond(text, "an unsupported cast to a text");
}

static Expression *cast_to_integer(SqlText *text, Expression *expression, int bits)
{
    SqlInt most = ((SqlInt) 1 << (bits - 1)) - 1;
    bool literal = expression->op == EXPRESSION_LITERAL && expression->value.scale == 0 &&
                   expression->value.number <= most && expression->value.number >= -most - 1;
    if (expression->kind == SQL_NUMBER && (literal || (expression->bits > 0 && expression->bits <= bits))) {
        /* a sum keeps the width that it must not leave; another one around it, of nothing, has the new one */
        if (expression->op == EXPRESSION_ADD)
            expression = new_expression(EXPRESSION_ADD, SQL_NUMBER, expression);
        expression->bits = bits;
        return expression;
    }
    expression_free(expression);
    return beyond(text, "a cast to an integer that is unsupported or does not fit");
}

static Expression *cast_to_number(SqlText *text, Expression *expression, bool real)
{
    bool exact =
        expression->kind == SQL_NUMBER && (real || expression->op == EXPRESSION_LITERAL || expression->bits > 0);
    if (exact || (real && expression->kind == SQL_REAL))
        return expression;
    expression_free(expression);
    return beyond(text, "an unsupported cast to a number");
}

Expression *expression_cast(SqlText *text, Expression *expression, const char *type)
{
    static const struct {
        const char *type;
        int bits;
    } integers[] = {{"byte", 8}, {"short", 16}, {"integer", 32}, {"long", 64}};
    if (!expression || expression->kind == SQL_NULL)
        return expression;
    for (size_t i = 0; i < G_N_ELEMENTS(integers); i++)
        if (strcmp(type, integers[i].type) == 0)
            return cast_to_integer(text, expression, integers[i].bits);
    if (strcmp(type, "string") == 0)
        return cast_to_text(text, expression);
    if (strcmp(type, "date") == 0 || g_str_has_prefix(type, "timestamp"))
        return cast_to_moment(text, expression, type[0] == 'd' ? SQL_DATE : SQL_TIME);
    if (strcmp(type, "float") == 0 || strcmp(type, "double") == 0 || g_str_has_prefix(type, "decimal"))
        return cast_to_number(text, expression, type[0] == 'f' || type[1] == 'o');
    if (strcmp(type, "boolean") == 0 && expression->kind == SQL_BOOL)
        return expression;
    expression_free(expression);
    return beyond(text, "an unsupported cast");
}

/* The schema's word for SQL's. */
static const char *take_type(SqlParser *parser)
{
    static const char *const words[][2] = {
        {"date", "date"},     {"timestamp", "timestamp"}, {"timestamp_ntz", "timestamp"},
        {"string", "string"}, {"int", "integer"},         {"integer", "integer"},
        {"bigint", "long"},   {"long", "long"},           {"smallint", "short"},
        {"short", "short"},   {"tinyint", "byte"},        {"byte", "byte"},
        {"double", "double"}, {"boolean", "boolean"}};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (sql_take_word(&parser->text, words[i][0]))
            return words[i][1];
    sql_beyond(&parser->text, "a cast to an unsupported type");
    return NULL;
}

static Expression *parse_cast(SqlParser *parser)
{
    g_autoptr(Expression) argument = parse_sum(parser);
    if (!argument || !sql_take_word(&parser->text, "as"))
        return beyond(&parser->text, "CAST without AS");
    const char *type = take_type(parser);
    return type ? expression_cast(&parser->text, g_steal_pointer(&argument), type) : NULL;
}

/* ---- functions: behind the opening bracket */

static Expression *parse_moment(SqlParser *parser)
{
    g_autoptr(Expression) argument = parse_sum(parser);
    if (argument && (argument->kind == SQL_DATE || argument->kind == SQL_TIME))
        return g_steal_pointer(&argument);
    return beyond(&parser->text, "something other than a date or timestamp");
}

static Expression *parse_part(SqlParser *parser, char letter)
{
    g_autoptr(Expression) argument = parse_moment(parser);
    if (!argument)
        return NULL;
    if (argument->kind == SQL_DATE && strchr("Hms", letter))
        return beyond(&parser->text, "a date without a clock");
    Expression *part = new_expression(EXPRESSION_PART, SQL_NUMBER, g_steal_pointer(&argument));
    part->letter = letter;
    part->bits = 32;
    return part;
}

static char *parse_text(SqlParser *parser)
{
    sql_skip_blanks(&parser->text);
    char quote = *parser->text.at;
    if (quote == '\'' || quote == '"')
        return sql_take_quoted(&parser->text, quote);
    sql_beyond(&parser->text, "something other than a text in quotes");
    return NULL;
}

/* Runs of letters whose meaning is the same in all of Spark's formatters, and signs. */
static bool is_known_pattern(const char *pattern)
{
    static const char *const runs[] = {"yyyy", "MM", "dd", "HH", "mm", "ss", NULL};
    while (*pattern) {
        size_t size = 1;
        while (pattern[size] == *pattern)
            size++;
        g_autofree char *run = g_strndup(pattern, size);
        if (g_ascii_isalpha(*pattern) ? !g_strv_contains(runs, run) : !strchr("-/:._ ", *pattern))
            return false;
        pattern += size;
    }
    return true;
}

static Expression *parse_format(SqlParser *parser)
{
    g_autoptr(Expression) argument = parse_moment(parser);
    if (!argument || !sql_take_symbol(&parser->text, ","))
        return beyond(&parser->text, "date_format() without a pattern");
    g_autofree char *pattern = parse_text(parser);
    if (!pattern || !is_known_pattern(pattern))
        return beyond(&parser->text, "a pattern of other letters than yyyy, MM, dd, HH, mm, ss");
    Expression *format = new_expression(EXPRESSION_FORMAT, SQL_TEXT, g_steal_pointer(&argument));
    format->text = g_steal_pointer(&pattern);
    return format;
}

static bool parse_integer(SqlParser *parser, int64_t *out)
{
    SqlValue value;
    if (!sql_take_number(&parser->text, &value))
        return false;
    *out = (int64_t) value.number;
    return (value.scale == 0 && *out <= INT32_MAX && *out >= INT32_MIN) ||
           sql_beyond(&parser->text, "something other than a 32-bit number");
}

static Expression *parse_substring(SqlParser *parser)
{
    g_autoptr(Expression) argument = parse_sum(parser);
    int64_t from;
    int64_t length = INT32_MAX;
    if (!argument || argument->kind != SQL_TEXT || !sql_take_symbol(&parser->text, ",") ||
        !parse_integer(parser, &from) || (sql_take_symbol(&parser->text, ",") && !parse_integer(parser, &length)))
        return beyond(&parser->text, "substring() of something other than a text and numbers");
    Expression *part = new_expression(EXPRESSION_SUBSTRING, SQL_TEXT, g_steal_pointer(&argument));
    part->from = from;
    part->length = length;
    return part;
}

static Expression *parse_trunc(SqlParser *parser)
{
    static const char *const units[] = {"year", "month", "day", "hour", "minute"};
    g_autofree char *unit = parse_text(parser);
    if (!unit || !sql_take_symbol(&parser->text, ","))
        return beyond(&parser->text, "date_trunc() without a unit");
    g_autoptr(Expression) argument =
        expression_cast(&parser->text, parse_moment(parser), "timestamp"); /* as Spark does */
    for (size_t i = 0; argument && i < G_N_ELEMENTS(units); i++)
        if (g_ascii_strcasecmp(unit, units[i]) == 0) {
            Expression *trunc = new_expression(EXPRESSION_TRUNC, SQL_TIME, g_steal_pointer(&argument));
            trunc->letter = "yMdHm"[i];
            return trunc;
        }
    return beyond(&parser->text, "a unit other than year, month, day, hour, minute");
}

static Expression *parse_call(SqlParser *parser, const char *name)
{
    static const struct {
        const char *name;
        char letter;
    } parts[] = {{"year", 'y'}, {"month", 'M'},  {"day", 'd'},   {"dayofmonth", 'd'},
                 {"hour", 'H'}, {"minute", 'm'}, {"second", 's'}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (g_ascii_strcasecmp(name, parts[i].name) == 0)
            return parse_part(parser, parts[i].letter);
    if (g_ascii_strcasecmp(name, "cast") == 0)
        return parse_cast(parser);
    if (g_ascii_strcasecmp(name, "date") == 0 || g_ascii_strcasecmp(name, "to_date") == 0)
        return expression_cast(&parser->text, parse_moment(parser), "date");
    if (g_ascii_strcasecmp(name, "date_format") == 0)
        return parse_format(parser);
    if (g_ascii_strcasecmp(name, "date_trunc") == 0)
        return parse_trunc(parser);
    if (g_ascii_strcasecmp(name, "substring") == 0 || g_ascii_strcasecmp(name, "substr") == 0)
        return parse_substring(parser);
    return beyond(&parser->text, "an unsupported function");
}

/* ---- operands */

static int bits_of(json_object *field)
{
    static const char *const types[] = {"byte", "short", "integer", "long"};
    for (int i = 0; i < (int) G_N_ELEMENTS(types); i++)
        if (g_strcmp0(delta_json_text(field, "type"), types[i]) == 0)
            return 8 << i;
    return 0;
}

static Expression *parse_column(SqlParser *parser, const char *name)
{
    SqlKind kind;
    json_object *field = *name ? delta_schema_field(parser->schema, name) : NULL;
    sql_skip_blanks(&parser->text);
    if (!field || *parser->text.at == '.' || *parser->text.at == '[')
        return beyond(&parser->text, "something that is not a column of the table");
    if (!sql_kind_of_field(field, &kind))
        return beyond(&parser->text, "a column of an unsupported type");
    Expression *column = new_expression(EXPRESSION_COLUMN, kind, NULL);
    column->bits = bits_of(field);
    column->column = delta_column_of(parser->input, name);
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    const char *filled = delta_json_text(metadata, "CURRENT_DEFAULT");
    if (column->column >= 0 || !filled || g_ascii_strcasecmp(filled, "NULL") == 0)
        return column;
    expression_free(column);
    return beyond(&parser->text, "a column that the rows leave out and that has a default");
}

/* DATE '2024-01-15' and its like; NULL without an error: it is something else. */
static Expression *parse_typed_literal(SqlParser *parser)
{
    const char *start = parser->text.at;
    SqlValue value;
    bool date = sql_take_word(&parser->text, "date");
    if (!date && !sql_take_word(&parser->text, "timestamp") && !sql_take_word(&parser->text, "timestamp_ntz"))
        return NULL;
    sql_skip_blanks(&parser->text);
    if (*parser->text.at == '\'')
        return (date ? sql_take_date : sql_take_time)(&parser->text, &value) ? new_literal(value) : NULL;
    parser->text.at = start;
    return NULL;
}

static Expression *parse_now(SqlParser *parser)
{
    bool day = sql_take_word(&parser->text, "current_date") || sql_take_word(&parser->text, "curdate");
    if (!day && !sql_take_word(&parser->text, "current_timestamp") && !sql_take_word(&parser->text, "now"))
        return NULL;
    if (sql_take_symbol(&parser->text, "(") && !sql_take_symbol(&parser->text, ")"))
        return beyond(&parser->text, "a missing closing bracket");
    Expression *now = new_expression(EXPRESSION_NOW, SQL_TIME, NULL);
    return day ? new_expression(EXPRESSION_TO_DATE, SQL_DATE, now) : now;
}

static Expression *parse_word(SqlParser *parser)
{
    if (sql_take_word(&parser->text, "null"))
        return new_literal((SqlValue){.kind = SQL_NULL});
    bool yes = sql_take_word(&parser->text, "true");
    if (yes || sql_take_word(&parser->text, "false"))
        return new_literal((SqlValue){.kind = SQL_BOOL, .number = yes});
    Expression *special = parse_now(parser);
    special = special || parser->text.err->message[0] ? special : parse_typed_literal(parser);
    if (special || parser->text.err->message[0])
        return special;
    bool quoted = *parser->text.at == '`';
    g_autofree char *name = sql_take_name(&parser->text);
    if (!name)
        return NULL;
    if (quoted || !sql_take_symbol(&parser->text, "("))
        return parse_column(parser, name);
    g_autoptr(Expression) call = parse_call(parser, name);
    if (call && sql_take_symbol(&parser->text, ")"))
        return g_steal_pointer(&call);
    return beyond(&parser->text, "a missing closing bracket");
}

static Expression *parse_number(SqlParser *parser)
{
    SqlValue value;
    return sql_take_number(&parser->text, &value) ? new_literal(value) : NULL;
}

static Expression *parse_operand(SqlParser *parser)
{
    sql_skip_blanks(&parser->text);
    char first = *parser->text.at;
    if (first == '\'' || first == '"') {
        char *text = parse_text(parser);
        if (!text)
            return NULL;
        Expression *literal =
            new_literal((SqlValue){.kind = SQL_TEXT, .text = {.data = text, .size = (int64_t) strlen(text)}});
        literal->text = text;
        return literal;
    }
    if (g_ascii_isdigit(first) || first == '-' || first == '.')
        return parse_number(parser);
    if (!sql_take_symbol(&parser->text, "("))
        return parse_word(parser);
    g_autoptr(Expression) inner = parse_sum(parser);
    if (inner && sql_take_symbol(&parser->text, ")"))
        return g_steal_pointer(&inner);
    return beyond(&parser->text, "a missing closing bracket");
}

/* An operand, or an integer with a number added to it. */
static Expression *parse_sum(SqlParser *parser)
{
    if (parser->depth >= MAX_DEPTH)
        return beyond(&parser->text, "an expression nested too deep");
    parser->depth++;
    g_autoptr(Expression) operand = parse_operand(parser);
    parser->depth--;
    sql_skip_blanks(&parser->text);
    char sign = *parser->text.at;
    if (!operand || (sign != '+' && sign != '-'))
        return g_steal_pointer(&operand);
    int64_t number;
    parser->text.at++;
    if (operand->bits < 32 || !parse_integer(parser, &number))
        return beyond(&parser->text, "a sum of something other than a column of 32 or 64 bits and a number");
    Expression *sum = new_expression(EXPRESSION_ADD, SQL_NUMBER, NULL);
    sum->bits = operand->bits;
    sum->argument = g_steal_pointer(&operand);
    sum->value.number = sign == '-' ? -(SqlInt) number : number;
    return sum;
}

Expression *expression_parse(const char *text, json_object *schema, const struct ArrowSchema *input, SfError *err)
{
    SqlParser parser = {.text = {text, err}, .schema = schema, .input = input};
    g_autoptr(Expression) expression = parse_sum(&parser);
    sql_skip_blanks(&parser.text);
    if (expression && *parser.text.at)
        return beyond(&parser.text, "something behind the expression");
    return g_steal_pointer(&expression);
}
