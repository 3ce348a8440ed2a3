/* Conditions of rows: "order_date = '2024-01-15' AND amount > 3". */
#ifndef COMMANDS_TABLE_WHERE_H
#define COMMANDS_TABLE_WHERE_H

#include "delta/sql.h"

typedef enum WhereOp { WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE, WHERE_NULL, WHERE_NOT_NULL } WhereOp;

/* One comparison. */
typedef struct WhereTerm {
    json_object *field; /* of the table's schema; borrowed */
    SqlKind kind;
    WhereOp op;
    SqlValue value;
    char *text; /* of the value */
    int column; /* of the rows; the caller's to fill in */
} WhereTerm;

/* All of them have to hold. */
typedef struct Where {
    GArray *terms; /* WhereTerm */
} Where;

/* SF_CONFIG, and *at is the place of the mistake in the text. An empty or NULL text is always true. */
SfStatus where_parse(const char *text, json_object *schema, Where *out, const char **at, SfError *err);
void where_done(Where *where);

/* Whether the value (SQL_NULL: null) is what the term asks for. */
bool where_term_holds(const WhereTerm *term, const SqlValue *value);

/* columns: of the rows, by the terms' numbers. */
bool where_holds(const Where *where, const SfColumn *columns, int64_t row);

/* Whether no row of a file with these statistics (NULL: none) can be what the term asks for. `name`: of the column in
 * them. */
bool where_term_excludes(const WhereTerm *term, json_object *stats, const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Where, where_done)

#endif
