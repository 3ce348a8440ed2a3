/* What expressions give for a row, as Spark's functions do in a session whose time zone is UTC. */
#include "expression.h"
#include "civil.h"

static int64_t floor_days(int64_t us)
{
    return us / CIVIL_DAY_US - (us % CIVIL_DAY_US < 0);
}

/* A date or timestamp in its parts. */
typedef struct Moment {
    Civil date;
    int64_t second; /* of the day */
} Moment;

static Moment moment_of(const SqlValue *value)
{
    int64_t number = (int64_t) value->number;
    if (value->kind == SQL_DATE)
        return (Moment){.date = civil_from_days(number)};
    int64_t days = floor_days(number);
    return (Moment){.date = civil_from_days(days), .second = (number - days * CIVIL_DAY_US) / 1000000};
}

static int64_t part_of(const Moment *moment, char letter)
{
    switch (letter) {
    case 'y':
        return moment->date.year;
    case 'M':
        return moment->date.month;
    case 'd':
        return moment->date.day;
    case 'H':
        return moment->second / 3600;
    case 'm':
        return moment->second / 60 % 60;
    default:
        return moment->second % 60;
    }
}

static SqlValue trunc_time(const SqlValue *value, char letter)
{
    Moment moment = moment_of(value);
    int month = letter == 'y' ? 1 : moment.date.month;
    int day = letter == 'y' || letter == 'M' ? 1 : moment.date.day;
    int64_t second = letter == 'H' ? moment.second / 3600 * 3600 : letter == 'm' ? moment.second / 60 * 60 : 0;
    SqlValue out = *value;
    out.number = civil_to_days(moment.date.year, month, day) * CIVIL_DAY_US + second * 1000000;
    return out;
}

static bool fail(ExpressionRow *row, const char *why)
{
    row->why = why;
    return false;
}

static void point_to_room(ExpressionRow *row, SqlValue *value)
{
    *value = (SqlValue){.kind = SQL_TEXT, .text = {.data = row->room->str, .size = (int64_t) row->room->len}};
}

static bool format(const Expression *expression, ExpressionRow *row, SqlValue *value)
{
    Moment moment = moment_of(value);
    if (moment.date.year < 1 || moment.date.year > 9999)
        return fail(row, "its year is not one of four digits");
    g_string_truncate(row->room, 0);
    for (const char *at = expression->text; *at;) {
        int size = 1;
        while (at[size] == *at)
            size++;
        if (g_ascii_isalpha(*at))
            g_string_append_printf(row->room, "%0*d", size, (int) part_of(&moment, *at));
        else
            g_string_append_len(row->room, at, size);
        at += size;
    }
    point_to_room(row, value);
    return true;
}

/* Bytes of the first n characters. */
static int64_t prefix(SfBytes text, int64_t n)
{
    int64_t size = 0;
    for (; n > 0 && size < text.size; n--)
        size += g_utf8_skip[(unsigned char) text.data[size]];
    return MIN(size, text.size);
}

/* Positions count from 1, 0 is 1 too, negative ones from the end; what lies before the beginning counts for the length
 * (org.apache.spark.unsafe.types.UTF8String.substringSQL). */
static void substring(const Expression *expression, SqlValue *value)
{
    int64_t start = expression->from > 0 ? expression->from - 1 : 0;
    if (expression->from < 0)
        start = parquet_characters(value->text.data, value->text.size) + expression->from;
    int64_t end = start + expression->length;
    int64_t first = prefix(value->text, MAX(start, 0));
    int64_t behind = prefix(value->text, MAX(end, 0));
    value->text.data += first;
    value->text.size = MAX(behind - first, 0);
}

static bool add_operands(const Expression *expression, ExpressionRow *row, SqlValue *value)
{
    SqlInt most = ((SqlInt) 1 << (expression->bits - 1)) - 1;
    value->number += expression->value.number;
    return (value->number <= most && value->number >= -most - 1) || fail(row, "the sum is beyond its type");
}

static bool apply(const Expression *expression, ExpressionRow *row, SqlValue *value)
{
    Moment moment;
    switch (expression->op) {
    case EXPRESSION_TO_DATE:
        *value = (SqlValue){.kind = SQL_DATE, .number = floor_days((int64_t) value->number)};
        return true;
    case EXPRESSION_TO_TIME:
        *value = (SqlValue){.kind = SQL_TIME, .number = value->number * CIVIL_DAY_US};
        return (value->number <= INT64_MAX && value->number >= INT64_MIN) ||
               fail(row, "the date is beyond what timestamps can be");
    case EXPRESSION_TO_TEXT:
        g_string_printf(row->room, "%" G_GINT64_FORMAT, (int64_t) value->number);
        point_to_room(row, value);
        return true;
    case EXPRESSION_PART:
        moment = moment_of(value);
        *value = (SqlValue){.kind = SQL_NUMBER, .number = part_of(&moment, expression->letter)};
        return true;
    case EXPRESSION_TRUNC:
        *value = trunc_time(value, expression->letter);
        return true;
    case EXPRESSION_FORMAT:
        return format(expression, row, value);
    case EXPRESSION_SUBSTRING:
        substring(expression, value);
        return true;
    default:
        return add_operands(expression, row, value);
    }
}

bool expression_value(const Expression *expression, ExpressionRow *row, SqlValue *out)
{
    switch (expression->op) {
    case EXPRESSION_LITERAL:
        *out = expression->value;
        return true;
    case EXPRESSION_NOW:
        *out = (SqlValue){.kind = SQL_TIME, .number = row->now_us};
        return true;
    case EXPRESSION_COLUMN:
        *out = (SqlValue){.kind = SQL_NULL};
        if (expression->column >= 0)
            *out = sql_value_at(&row->columns[expression->column], expression->kind, row->row);
        return true;
    default:
        if (!expression_value(expression->argument, row, out))
            return false;
        return out->kind == SQL_NULL || apply(expression, row, out);
    }
}
