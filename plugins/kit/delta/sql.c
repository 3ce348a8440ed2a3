/* Words of SQL, and values as Spark compares them. */
#include "sql.h"

#define MAX_EXPONENT 400

bool sql_beyond(SqlText *text, const char *what)
{
    if (!text->err->message[0])
        sf_fail(text->err, SF_CONFIG, *text->at ? "%s at '%.40s'" : "%s at the end", what, text->at);
    return false;
}

void sql_skip_blanks(SqlText *text)
{
    while (g_ascii_isspace(*text->at))
        text->at++;
}

bool sql_take_symbol(SqlText *text, const char *symbol)
{
    sql_skip_blanks(text);
    if (!g_str_has_prefix(text->at, symbol))
        return false;
    text->at += strlen(symbol);
    return true;
}

static bool is_name_character(char c)
{
    return g_ascii_isalnum(c) || c == '_' || (unsigned char) c >= 0x80;
}

bool sql_take_word(SqlText *text, const char *word)
{
    sql_skip_blanks(text);
    size_t size = strlen(word);
    if (g_ascii_strncasecmp(text->at, word, size) != 0 || is_name_character(text->at[size]))
        return false;
    text->at += size;
    return true;
}

/* Between quotes, which no escape or double may stand for: how Spark reads those is an option. */
char *sql_take_quoted(SqlText *text, char quote)
{
    const char *start = text->at + 1;
    const char *end = strchr(start, quote);
    if (!end || end[1] == quote || memchr(start, '\\', (size_t) (end - start))) {
        sql_beyond(text, "a quoted text with escapes");
        return NULL;
    }
    text->at = end + 1;
    return g_strndup(start, (gsize) (end - start));
}

char *sql_take_name(SqlText *text)
{
    sql_skip_blanks(text);
    const char *start = text->at;
    if (*start == '`')
        return sql_take_quoted(text, '`');
    while (is_name_character(*text->at))
        text->at++;
    return g_strndup(start, (gsize) (text->at - start));
}

/* Plain digits with a point: Spark's integers and decimals. Exponents make doubles, suffixes other types. */
bool sql_take_number(SqlText *text, SqlValue *out)
{
    int digits = 0;
    int behind = -1;
    SqlInt number = 0;
    bool negative = sql_take_symbol(text, "-");
    sql_skip_blanks(text);
    for (; g_ascii_isdigit(*text->at) || (*text->at == '.' && behind < 0); text->at++) {
        if (*text->at == '.') {
            behind = 0;
            continue;
        }
        number = number * 10 + (*text->at - '0');
        behind += behind >= 0;
        if (++digits > 18)
            return sql_beyond(text, "a number of more than 18 digits");
    }
    if (digits == 0 || is_name_character(*text->at))
        return sql_beyond(text, "an unknown number");
    *out = (SqlValue){.kind = SQL_NUMBER, .number = negative ? -number : number, .scale = MAX(behind, 0)};
    return true;
}

static char *take_literal(SqlText *text)
{
    sql_skip_blanks(text);
    return *text->at == '\'' ? sql_take_quoted(text, '\'') : NULL;
}

bool sql_parse_moment(const char *text, SqlKind kind, SqlValue *out)
{
    int64_t number;
    bool good = kind == SQL_DATE
                    ? delta_date_parse(text, &number)
                    : delta_timestamp_parse(text, ' ', &number) || delta_timestamp_parse(text, 'T', &number);
    if (good)
        *out = (SqlValue){.kind = kind, .number = number};
    return good;
}

bool sql_take_date(SqlText *text, SqlValue *out)
{
    g_autofree char *literal = take_literal(text);
    return (literal && sql_parse_moment(literal, SQL_DATE, out)) || sql_beyond(text, "no date yyyy-MM-dd");
}

bool sql_take_time(SqlText *text, SqlValue *out)
{
    g_autofree char *literal = take_literal(text);
    return (literal && sql_parse_moment(literal, SQL_TIME, out)) ||
           sql_beyond(text, "no timestamp yyyy-MM-dd HH:mm:ss");
}

/* "e-10" behind a number, which moves its point. */
static bool parse_exponent(const char *text, SqlValue *number)
{
    gint64 exponent;
    text += *text == '+';
    if (!g_ascii_string_to_signed(text, 10, -MAX_EXPONENT, MAX_EXPONENT, &exponent, NULL))
        return false;
    number->scale -= (int) exponent;
    for (; number->scale < 0; number->scale++) {
        if (__builtin_mul_overflow(number->number, (SqlInt) 10, &number->number))
            return false;
    }
    return true;
}

/* "-12.50", "1e-3": digits with a point, as many as an SqlInt takes: all of 38. */
static bool parse_number(const char *text, SqlValue *out)
{
    int digits = 0;
    int behind = -1;
    SqlInt number = 0;
    bool negative = *text == '-';
    for (text += *text == '-' || *text == '+'; *text && g_ascii_tolower(*text) != 'e'; text++) {
        if (*text == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (!g_ascii_isdigit(*text) || __builtin_mul_overflow(number, (SqlInt) 10, &number) ||
            __builtin_add_overflow(number, (SqlInt) (*text - '0'), &number))
            return false;
        behind += behind >= 0;
        digits++;
    }
    *out = (SqlValue){.kind = SQL_NUMBER, .number = negative ? -number : number, .scale = MAX(behind, 0)};
    return digits > 0 && (!*text || parse_exponent(text + 1, out));
}

static bool parse_real(const char *text, SqlValue *out)
{
    char *end;
    *out = (SqlValue){.kind = SQL_REAL, .real = g_ascii_strtod(text, &end)};
    return end != text && !*end;
}

/* A day is its beginning; 'T' may stand between day and time, Z behind it. */
static bool parse_time(const char *text, SqlValue *out)
{
    g_autofree char *with_zone = g_strconcat(text, "Z", NULL);
    SqlValue day;
    if (sql_parse_moment(text, SQL_TIME, out) || sql_parse_moment(with_zone, SQL_TIME, out))
        return true;
    if (!sql_parse_moment(text, SQL_DATE, &day))
        return false;
    *out = (SqlValue){.kind = SQL_TIME, .number = day.number * INT64_C(86400000000)};
    return true;
}

static bool parse_truth(const char *text, SqlValue *out)
{
    bool yes = g_ascii_strcasecmp(text, "true") == 0;
    *out = (SqlValue){.kind = SQL_BOOL, .number = yes};
    return yes || g_ascii_strcasecmp(text, "false") == 0;
}

bool sql_value_of_text(json_object *field, const char *text, SqlValue *out)
{
    SqlKind kind;
    if (g_strcmp0(delta_json_text(field, "type"), "timestamp_ntz") == 0)
        return parse_time(text, out);
    if (!sql_kind_of_field(field, &kind))
        return false;
    switch (kind) {
    case SQL_NUMBER:
        return parse_number(text, out);
    case SQL_REAL:
        return parse_real(text, out);
    case SQL_DATE:
        return sql_parse_moment(text, SQL_DATE, out);
    case SQL_TIME:
        return parse_time(text, out);
    case SQL_BOOL:
        return parse_truth(text, out);
    default:
        *out = (SqlValue){.kind = SQL_TEXT, .text = {text, (int64_t) strlen(text)}};
        return true;
    }
}

bool sql_kind_of_field(json_object *field, SqlKind *out)
{
    static const struct {
        const char *type;
        SqlKind kind;
    } kinds[] = {{"byte", SQL_NUMBER},    {"short", SQL_NUMBER}, {"integer", SQL_NUMBER}, {"long", SQL_NUMBER},
                 {"float", SQL_REAL},     {"double", SQL_REAL},  {"string", SQL_TEXT},    {"date", SQL_DATE},
                 {"timestamp", SQL_TIME}, {"boolean", SQL_BOOL}};
    const char *type = delta_json_text(field, "type");
    json_object *metadata = delta_json_member(field, "metadata", json_type_object);
    const char *real = delta_json_text(metadata, "__CHAR_VARCHAR_TYPE_STRING");
    if (!type || (real && !g_str_has_prefix(real, "varchar("))) /* char is padded before it is compared */
        return false;
    *out = SQL_NUMBER;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    return g_str_has_prefix(type, "decimal");
}

SqlValue sql_value_at(const SfColumn *column, SqlKind kind, int64_t row)
{
    SqlValue value = {.kind = sf_is_null(column, row) ? SQL_NULL : kind};
    if (value.kind == SQL_NULL)
        return value;
    switch (column->type) {
    case SF_BOOL:
        value.number = sf_bool(column, row);
        break;
    case SF_INT32:
    case SF_DATE:
        value.number = sf_i32(column, row);
        break;
    case SF_FLOAT64:
        value.real = sf_f64(column, row);
        break;
    case SF_DECIMAL128: {
        SfDecimal decimal = sf_decimal(column, row);
        value.number = (SqlInt) ((SqlBits) (uint64_t) decimal.high << 64 | decimal.low);
        value.scale = column->scale;
        break;
    }
    case SF_UTF8:
        value.text = sf_bytes(column, row);
        break;
    default:
        value.number = sf_i64(column, row);
    }
    return value;
}

/* What has no room at the finer scale is the larger one by far: literals have 18 digits. */
static int compare_numbers(const SqlValue *a, const SqlValue *b)
{
    SqlInt left = a->number;
    SqlInt right = b->number;
    for (int scale = a->scale; scale < b->scale; scale++)
        if (__builtin_mul_overflow(left, (SqlInt) 10, &left))
            return a->number < 0 ? -1 : 1;
    for (int scale = b->scale; scale < a->scale; scale++)
        if (__builtin_mul_overflow(right, (SqlInt) 10, &right))
            return b->number < 0 ? 1 : -1;
    return (left > right) - (left < right);
}

double sql_real(const SqlValue *value)
{
    if (value->kind == SQL_REAL)
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

int sql_compare(const SqlValue *a, const SqlValue *b)
{
    if (a->kind == SQL_REAL || b->kind == SQL_REAL)
        return compare_reals(sql_real(a), sql_real(b));
    return a->kind == SQL_TEXT ? compare_texts(a->text, b->text) : compare_numbers(a, b);
}
