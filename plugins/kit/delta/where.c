/* Reading conditions, and asking rows. Which files they exclude: where_prune.c. */
#include "where.h"

#include <string.h>

#define MAX_DEPTH 100 /* of parentheses */
#define MAX_TERMS 10000

typedef struct Parser {
    const char *at;
    json_object *schema;
    SfError *err;
    const char *fault; /* where the mistake is */
    GArray *terms;
    int depth;
} Parser;

static void term_done(gpointer data)
{
    WhereTerm *term = data;
    g_free(term->text);
}

static void node_free(gpointer data)
{
    WhereNode *node = data;
    if (node->children)
        g_ptr_array_unref(node->children);
    g_free(node);
}

static void node_clear(WhereNode **node)
{
    g_clear_pointer(node, node_free);
}

typedef WhereNode *OwnedNode;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OwnedNode, node_clear)

void where_done(Where *where)
{
    g_clear_pointer(&where->terms, g_array_unref);
    g_clear_pointer(&where->root, node_free);
}

static void skip_blanks(Parser *parser)
{
    while (g_ascii_isspace(*parser->at))
        parser->at++;
}

static SfStatus wrong(Parser *parser, const char *at, const char *format, ...) SF_PRINTF(3, 4);
static SfStatus wrong(Parser *parser, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sf_fail_v(parser->err, SF_CONFIG, format, args);
    va_end(args);
    parser->fault = at;
    return SF_CONFIG;
}

static bool in_name(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '$' || (unsigned char) c >= 0x80;
}

static bool take_word(Parser *parser, const char *word)
{
    skip_blanks(parser);
    size_t size = strlen(word);
    if (g_ascii_strncasecmp(parser->at, word, size) != 0 || in_name(parser->at[size]))
        return false;
    parser->at += size;
    return true;
}

/* Between quotes, which are doubled within. NULL after a complaint. */
static char *take_quoted(Parser *parser)
{
    const char *start = parser->at;
    char quote = *parser->at++;
    GString *out = g_string_new(NULL);
    for (; *parser->at; parser->at++) {
        if (*parser->at == quote && *++parser->at != quote)
            return g_string_free(out, FALSE);
        g_string_append_c(out, *parser->at);
    }
    g_string_free(out, TRUE);
    wrong(parser, start, "a quotation mark %c is not closed", quote);
    return NULL;
}

static void suggest_column(const Parser *parser, const char *name, char *out, size_t size)
{
    json_object *fields = delta_json_member(parser->schema, "fields", json_type_array);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        const char *known = delta_json_text(json_object_array_get_idx(fields, i), "name");
        if (known)
            g_ptr_array_add(names, (gpointer) known);
    }
    sf_suggest(name, (const char *const *) names->pdata, names->len, out, size);
}

static SfStatus take_column(Parser *parser, WhereTerm *term)
{
    skip_blanks(parser);
    const char *start = parser->at;
    g_autofree char *name = NULL;
    if (*start == '`' || *start == '"') {
        name = take_quoted(parser);
    } else {
        while (in_name(*parser->at))
            parser->at++;
        name = g_strndup(start, (gsize) (parser->at - start));
    }
    if (!name)
        return SF_CONFIG;
    if (!*name)
        return wrong(parser, start, *start ? "a column is expected here" : "a column is expected at the end");
    term->field = delta_schema_field(parser->schema, name);
    if (!term->field) {
        char suggestion[128];
        suggest_column(parser, name, suggestion, sizeof suggestion);
        return wrong(parser, start, "there is no column '%s'%s", name, suggestion);
    }
    return SF_OK;
}

/* Whether values of the column can be compared. */
static bool kind_of(json_object *field, SqlKind *kind)
{
    const char *type = delta_json_text(field, "type");
    if (sql_kind_of_field(field, kind))
        return true;
    *kind = g_strcmp0(type, "timestamp_ntz") == 0 ? SQL_TIME : SQL_TEXT;
    return *kind == SQL_TIME || g_strcmp0(type, "string") == 0;
}

static SfStatus take_operator(Parser *parser, WhereTerm *term)
{
    static const struct {
        const char *text;
        WhereOp op;
    } ops[] = {{"!=", WHERE_NE}, {"<>", WHERE_NE}, {"<=", WHERE_LE}, {">=", WHERE_GE},
               {"==", WHERE_EQ}, {"=", WHERE_EQ},  {"<", WHERE_LT},  {">", WHERE_GT}};
    skip_blanks(parser);
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        if (g_str_has_prefix(parser->at, ops[i].text)) {
            parser->at += strlen(ops[i].text);
            term->op = ops[i].op;
            return SF_OK;
        }
    }
    return wrong(parser, parser->at, "a comparison is expected %s: = != < <= > >=, IN, BETWEEN, IS NULL or IS NOT NULL",
                 *parser->at ? "here" : "at the end");
}

/* What values of the column look like. */
static const char *example_of(SqlKind kind)
{
    static const char *const examples[] = {
        [SQL_NUMBER] = "a number such as 12.50",
        [SQL_REAL] = "a number such as 1.5e3",
        [SQL_TEXT] = "a text in quotes such as 'EU'",
        [SQL_DATE] = "a date such as '2024-01-15'",
        [SQL_TIME] = "a time in UTC such as '2024-01-15 10:30:01'",
        [SQL_BOOL] = "true or false",
    };
    return examples[kind];
}

static SfStatus read_value(Parser *parser, const char *start, bool quoted, WhereTerm *term)
{
    if (!quoted && g_ascii_strcasecmp(term->text, "null") == 0)
        return wrong(parser, start, "nothing is equal to NULL; write IS NULL or IS NOT NULL");
    if (term->kind == SQL_TEXT && quoted) {
        term->value = (SqlValue){.kind = SQL_TEXT, .text = {term->text, (int64_t) strlen(term->text)}};
        return SF_OK;
    }
    if (term->kind != SQL_TEXT && sql_value_of_text(term->field, term->text, &term->value))
        return SF_OK;
    return wrong(parser, start, "column '%s' (%s) is compared with %s", delta_json_text(term->field, "name"),
                 delta_json_text(term->field, "type"), example_of(term->kind));
}

static SfStatus take_value(Parser *parser, WhereTerm *term)
{
    skip_blanks(parser);
    const char *start = parser->at;
    bool quoted = *start == '\'' || *start == '"';
    if (quoted) {
        term->text = take_quoted(parser);
        return term->text ? read_value(parser, start, true, term) : SF_CONFIG;
    }
    while (*parser->at && !g_ascii_isspace(*parser->at) && !strchr("(),'\"", *parser->at))
        parser->at++;
    if (parser->at == start)
        return wrong(parser, start, "%s is expected %s", example_of(term->kind), *start ? "here" : "at the end");
    term->text = g_strndup(start, (gsize) (parser->at - start));
    bool typed = *parser->at != '\0' &&
                 (g_ascii_strcasecmp(term->text, "date") == 0 || g_ascii_strcasecmp(term->text, "timestamp") == 0);
    const char *word = parser->at;
    skip_blanks(parser);
    if (typed && *parser->at == '\'') {
        g_clear_pointer(&term->text, g_free);
        return take_value(parser, term);
    }
    parser->at = word;
    return read_value(parser, start, false, term);
}

/* ---- comparisons ------------------------------------------------------------------------------------------------ */

static WhereNode *where_node_new(WhereKind kind)
{
    WhereNode *node = g_new0(WhereNode, 1);
    node->kind = kind;
    if (kind != WHERE_TERM)
        node->children = g_ptr_array_new_with_free_func(node_free);
    return node;
}

static WhereOp opposite(WhereOp op)
{
    static const WhereOp opposites[] = {
        [WHERE_EQ] = WHERE_NE, [WHERE_NE] = WHERE_EQ, [WHERE_LT] = WHERE_GE,         [WHERE_LE] = WHERE_GT,
        [WHERE_GT] = WHERE_LE, [WHERE_GE] = WHERE_LT, [WHERE_NULL] = WHERE_NOT_NULL, [WHERE_NOT_NULL] = WHERE_NULL};
    return opposites[op];
}

/* Takes the term over. */
static SfStatus add_term(Parser *parser, WhereTerm *term, bool negate, WhereNode **out)
{
    if (parser->terms->len >= MAX_TERMS) {
        term_done(term);
        return wrong(parser, parser->at, "a condition has %d comparisons at most", MAX_TERMS);
    }
    term->op = negate ? opposite(term->op) : term->op;
    *out = where_node_new(WHERE_TERM);
    (*out)->term = parser->terms->len;
    g_array_append_val(parser->terms, *term);
    return SF_OK;
}

static SfStatus need_kind(Parser *parser, const char *at, WhereTerm *term)
{
    if (kind_of(term->field, &term->kind))
        return SF_OK;
    json_object *type = delta_type_of(term->field, "type");
    return wrong(parser, at, "a column of the type %.60s can only be asked for IS NULL and IS NOT NULL",
                 type ? json_object_get_string(type) : "null");
}

/* A value behind an operator that is known. */
static SfStatus add_value(Parser *parser, const WhereTerm *like, WhereOp op, bool negate, WhereNode **out)
{
    WhereTerm term = {.field = like->field, .kind = like->kind, .op = op};
    SfStatus status = take_value(parser, &term);
    if (status == SF_OK)
        return add_term(parser, &term, negate, out);
    term_done(&term);
    return status;
}

static SfStatus add_child(Parser *parser, const WhereTerm *like, WhereOp op, bool negate, WhereNode *parent)
{
    WhereNode *child = NULL;
    SF_TRY(add_value(parser, like, op, negate, &child));
    g_ptr_array_add(parent->children, child);
    return SF_OK;
}

static bool take_character(Parser *parser, char c)
{
    skip_blanks(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

/* "('EU', 'US')" */
static SfStatus take_list(Parser *parser, const WhereTerm *like, bool negate, WhereNode **out)
{
    g_auto(OwnedNode) any = where_node_new(negate ? WHERE_AND : WHERE_OR);
    if (!take_character(parser, '('))
        return wrong(parser, parser->at, "a list of values in parentheses is expected %s",
                     *parser->at ? "here" : "at the end");
    do
        SF_TRY(add_child(parser, like, WHERE_EQ, negate, any));
    while (take_character(parser, ','));
    if (!take_character(parser, ')'))
        return wrong(parser, parser->at, "a comma or a closing parenthesis is expected %s",
                     *parser->at ? "here" : "at the end");
    *out = g_steal_pointer(&any);
    return SF_OK;
}

/* "3 AND 5", both included. */
static SfStatus take_between(Parser *parser, const WhereTerm *like, bool negate, WhereNode **out)
{
    g_auto(OwnedNode) both = where_node_new(negate ? WHERE_OR : WHERE_AND);
    SF_TRY(add_child(parser, like, WHERE_GE, negate, both));
    if (!take_word(parser, "and"))
        return wrong(parser, parser->at, "AND and the upper bound of BETWEEN are expected %s",
                     *parser->at ? "here" : "at the end");
    SF_TRY(add_child(parser, like, WHERE_LE, negate, both));
    *out = g_steal_pointer(&both);
    return SF_OK;
}

static SfStatus take_null(Parser *parser, WhereTerm *term, bool negate, WhereNode **out)
{
    term->op = take_word(parser, "not") ? WHERE_NOT_NULL : WHERE_NULL;
    const char *at = parser->at;
    return take_word(parser, "null") ? add_term(parser, term, negate, out) : wrong(parser, at, "NULL is expected here");
}

static SfStatus take_comparison(Parser *parser, bool negate, WhereNode **out)
{
    WhereTerm term = {0};
    SF_TRY(take_column(parser, &term));
    skip_blanks(parser);
    const char *at = parser->at;
    if (*at == '.')
        return wrong(parser, at, "members of columns cannot be compared, only columns");
    if (take_word(parser, "is"))
        return take_null(parser, &term, negate, out);
    bool reverse = take_word(parser, "not");
    bool in = take_word(parser, "in"), between = !in && take_word(parser, "between");
    if (reverse && !in && !between)
        return wrong(parser, parser->at, "IN or BETWEEN is expected %s", *parser->at ? "here" : "at the end");
    if (!in && !between)
        SF_TRY(take_operator(parser, &term));
    SF_TRY(need_kind(parser, at, &term));
    if (in)
        return take_list(parser, &term, negate != reverse, out);
    if (between)
        return take_between(parser, &term, negate != reverse, out);
    return add_value(parser, &term, term.op, negate, out);
}

/* ---- AND, OR, NOT ----------------------------------------------------------------------------------------------- */

static SfStatus take_any(Parser *parser, bool negate, WhereNode **out);

static SfStatus take_inner(Parser *parser, bool negate, WhereNode **out)
{
    while (take_word(parser, "not"))
        negate = !negate;
    const char *start = parser->at;
    if (!take_character(parser, '('))
        return take_comparison(parser, negate, out);
    if (parser->depth >= MAX_DEPTH)
        return wrong(parser, start, "parentheses are nested more than %d deep", MAX_DEPTH);
    parser->depth++;
    g_auto(OwnedNode) inner = NULL;
    SF_TRY(take_any(parser, negate, &inner));
    parser->depth--;
    if (!take_character(parser, ')'))
        return wrong(parser, parser->at, "AND, OR or a closing parenthesis is expected %s",
                     *parser->at ? "here" : "at the end");
    *out = g_steal_pointer(&inner);
    return SF_OK;
}

typedef SfStatus (*TakePart)(Parser *parser, bool negate, WhereNode **out);

/* Parts with a word between them; one alone is itself. */
static SfStatus take_parts(Parser *parser, const char *word, WhereKind kind, TakePart take, bool negate,
                           WhereNode **out)
{
    g_auto(OwnedNode) all = where_node_new(kind);
    do {
        WhereNode *part = NULL;
        SF_TRY(take(parser, negate, &part));
        g_ptr_array_add(all->children, part);
    } while (take_word(parser, word));
    *out = all->children->len == 1 ? g_ptr_array_steal_index(all->children, 0) : g_steal_pointer(&all);
    return SF_OK;
}

static SfStatus take_all(Parser *parser, bool negate, WhereNode **out)
{
    return take_parts(parser, "and", negate ? WHERE_OR : WHERE_AND, take_inner, negate, out);
}

static SfStatus take_any(Parser *parser, bool negate, WhereNode **out)
{
    return take_parts(parser, "or", negate ? WHERE_AND : WHERE_OR, take_all, negate, out);
}

SfStatus where_parse(const char *text, json_object *schema, Where *out, const char **at, SfError *err)
{
    Parser parser = {.at = text ? text : "", .schema = schema, .err = err};
    out->terms = parser.terms = g_array_new(FALSE, TRUE, sizeof(WhereTerm));
    g_array_set_clear_func(out->terms, term_done);
    skip_blanks(&parser);
    SfStatus status = *parser.at ? take_any(&parser, false, &out->root) : SF_OK;
    skip_blanks(&parser);
    if (status == SF_OK && *parser.at)
        status = wrong(&parser, parser.at, "AND, OR or the end is expected here");
    *at = parser.fault;
    return status;
}

bool where_term_holds(const WhereTerm *term, const SqlValue *value)
{
    bool null = value->kind == SQL_NULL;
    if (term->op >= WHERE_NULL)
        return null == (term->op == WHERE_NULL);
    if (null)
        return false;
    int order = sql_compare(value, &term->value);
    switch (term->op) {
    case WHERE_EQ:
        return order == 0;
    case WHERE_NE:
        return order != 0;
    case WHERE_LT:
        return order < 0;
    case WHERE_LE:
        return order <= 0;
    case WHERE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool term_holds_at(const WhereTerm *term, const SfColumn *columns, int64_t row)
{
    const SfColumn *column = &columns[term->column];
    SqlValue value = {.kind = sf_is_null(column, row) ? SQL_NULL : SQL_TEXT};
    if (term->op < WHERE_NULL)
        value = sql_value_at(column, term->kind, row);
    return where_term_holds(term, &value);
}

static bool node_holds(const Where *where, const WhereNode *node, const SfColumn *columns, int64_t row)
{
    if (node->kind == WHERE_TERM)
        return term_holds_at(where_term(where, node->term), columns, row);
    bool any = node->kind == WHERE_OR;
    for (guint i = 0; i < node->children->len; i++) {
        if (node_holds(where, node->children->pdata[i], columns, row) == any)
            return any;
    }
    return !any;
}

bool where_holds(const Where *where, const SfColumn *columns, int64_t row)
{
    return !where->root || node_holds(where, where->root, columns, row);
}
