/* Conditions of rows: "order_date = '2024-01-15' AND (amount > 3 OR region IN ('EU', 'US'))". */
#ifndef KIT_DELTA_WHERE_H
#define KIT_DELTA_WHERE_H

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

/* Comparisons under AND and OR. There is no NOT: it was taken down to the comparisons, which have opposites, so that a
 * comparison with null, which is neither true nor false in SQL, can count as false. */
typedef enum WhereKind { WHERE_TERM, WHERE_AND, WHERE_OR } WhereKind;

typedef struct WhereNode {
    WhereKind kind;
    guint term;          /* number of the comparison */
    GPtrArray *children; /* WhereNode *, of AND and OR: one at least */
} WhereNode;

typedef struct Where {
    GArray *terms;   /* WhereTerm */
    WhereNode *root; /* NULL: always true */
} Where;

/* SF_CONFIG, and *at is the place of the mistake in the text. An empty or NULL text is always true. */
SfStatus where_parse(const char *text, json_object *schema, Where *out, const char **at, SfError *err);
void where_done(Where *where);

static inline WhereTerm *where_term(const Where *where, guint number)
{
    return &g_array_index(where->terms, WhereTerm, number);
}

/* Whether the value (SQL_NULL: null) is what the term asks for. */
bool where_term_holds(const WhereTerm *term, const SqlValue *value);

/* columns: of the rows, by the terms' numbers. */
bool where_holds(const Where *where, const SfColumn *columns, int64_t row);

/* Whether no row of a file with these statistics (NULL: none) can be what the term asks for. `name`: of the column in
 * them. */
bool where_term_excludes(const WhereTerm *term, json_object *stats, const char *name);

/* What is known of a comparison over all rows of a file. */
typedef enum WhereFate { WHERE_OPEN, WHERE_NEVER, WHERE_ALWAYS } WhereFate;
typedef WhereFate (*WhereJudge)(gpointer user, const WhereTerm *term);

/* The same of the whole condition. */
WhereFate where_fate(const Where *where, WhereJudge judge, gpointer user);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Where, where_done)

#endif
