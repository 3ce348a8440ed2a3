/* SQL as the metadata of tables has it: its words, and values as Spark compares them. Internal to the kit. */
#ifndef KIT_DELTA_SQL_H
#define KIT_DELTA_SQL_H

#include "delta.h"

__extension__ typedef __int128 SqlInt;
__extension__ typedef unsigned __int128 SqlBits;

/* Values compare within a kind, numbers and reals with each other. */
typedef enum SqlKind { SQL_NUMBER, SQL_REAL, SQL_TEXT, SQL_DATE, SQL_TIME, SQL_BOOL, SQL_NULL } SqlKind;

typedef struct SqlValue {
    SqlKind kind;  /* SQL_NULL: no value */
    SqlInt number; /* × 10^scale; days, microseconds and truths too */
    int scale;
    double real;
    SfBytes text;
} SqlValue;

/* A text that is read from its beginning on. */
typedef struct SqlText {
    const char *at;
    SfError *err;
} SqlText;

/* What parsers of expressions and conditions share. */
typedef struct SqlParser {
    SqlText text;
    json_object *schema;             /* of the table */
    const struct ArrowSchema *input; /* of the rows */
    int depth;
} SqlParser;

/* false, and SF_CONFIG with the place; what was said first stays. */
bool sql_beyond(SqlText *text, const char *what);
void sql_skip_blanks(SqlText *text);
bool sql_take_symbol(SqlText *text, const char *symbol);
bool sql_take_word(SqlText *text, const char *word); /* of any case */
char *sql_take_quoted(SqlText *text, char quote);    /* or NULL */
char *sql_take_name(SqlText *text);                  /* of a column, quoted by ` or not; "" where there is none */
bool sql_take_number(SqlText *text, SqlValue *out);  /* with its sign */
bool sql_take_date(SqlText *text, SqlValue *out);    /* 'yyyy-MM-dd' */
bool sql_take_time(SqlText *text, SqlValue *out);    /* 'yyyy-MM-dd HH:mm:ss', with a fraction, with a Z */

/* The same of a text without quotes: SQL_DATE or SQL_TIME. */
bool sql_parse_moment(const char *text, SqlKind kind, SqlValue *out);

/* A text as a value of a table's column: of a partition, or a literal that is compared with it. Numbers are exact and
 * have up to 38 digits; SQL_TEXT borrows it. false: it is not of that type, or we cannot compare it. */
bool sql_value_of_text(json_object *field, const char *text, SqlValue *out);

/* What values of a table's column are; false: we cannot compare them. */
bool sql_kind_of_field(json_object *field, SqlKind *out);
SqlValue sql_value_at(const SfColumn *column, SqlKind kind, int64_t row);
double sql_real(const SqlValue *value);
/* < 0, 0, > 0. Neither is null. */
int sql_compare(const SqlValue *a, const SqlValue *b);

#endif
