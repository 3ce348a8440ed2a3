/* Expressions of SQL that give a column its value: what Spark's functions give in a session whose time zone is UTC.
 * Internal to the kit. */
#ifndef KIT_DELTA_EXPRESSION_H
#define KIT_DELTA_EXPRESSION_H

#include "sql.h"

typedef enum ExpressionOp {
    EXPRESSION_LITERAL,
    EXPRESSION_NOW,
    EXPRESSION_COLUMN,
    EXPRESSION_TO_DATE, /* of a timestamp */
    EXPRESSION_TO_TIME, /* of a date */
    EXPRESSION_TO_TEXT, /* of an integer */
    EXPRESSION_PART,    /* `letter` of a date or timestamp, as a number */
    EXPRESSION_TRUNC,   /* of a timestamp, to `letter` */
    EXPRESSION_FORMAT,  /* of a date or timestamp, by a pattern */
    EXPRESSION_SUBSTRING,
    EXPRESSION_ADD /* a literal to an integer */
} ExpressionOp;

/* Functions have one argument that is not a literal. */
typedef struct Expression {
    ExpressionOp op;
    SqlKind kind; /* SQL_NULL: always null */
    struct Expression *argument;
    SqlValue value; /* a literal's, or what is added */
    char *text;     /* a literal's, or the pattern */
    int column;     /* in the rows; -1: they leave it out, so it is null */
    int bits;       /* an integer's; 0: another kind */
    char letter;    /* as in patterns */
    int64_t from;   /* of a substring, as SQL counts */
    int64_t length;
} Expression;

/* NULL, and why (SF_CONFIG), where the text is beyond us. */
Expression *expression_parse(const char *text, json_object *schema, const struct ArrowSchema *input, SfError *err);
void expression_free(Expression *expression);

typedef struct ExpressionRow {
    const SfColumn *columns; /* of the rows, by number */
    int64_t row;
    int64_t now_us;
    GString *room;   /* of texts that are made: overwritten by the next value */
    const char *why; /* why there is no value */
} ExpressionRow;

/* false: the row has none, and `why` is set. */
bool expression_value(const Expression *expression, ExpressionRow *row, SqlValue *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expression, expression_free)

/* As `type` of a table's schema, where Spark casts to it by itself; consumes the expression. */
Expression *expression_cast(SqlText *text, Expression *expression, const char *type);

#endif
