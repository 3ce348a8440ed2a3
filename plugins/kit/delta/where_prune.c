/* Which files cannot have a row that a condition asks for, by their statistics (PROTOCOL.md, "Per-file Statistics").
 * What is not certain excludes nothing. */
#include "where.h"

#define MS_US 1000 /* times are cut to milliseconds: the greatest may be greater by so much */

static int64_t count_of(json_object *stats, const char *part, const char *name)
{
    json_object *number = part
                              ? delta_json_member(delta_json_member(stats, part, json_type_object), name, json_type_int)
                              : delta_json_member(stats, name, json_type_int);
    return number ? json_object_get_int64(number) : -1;
}

/* A least or greatest value; false: we do not understand it, or it is missing. */
static bool bound_of(const WhereTerm *term, json_object *stats, const char *part, const char *name, SqlValue *out)
{
    json_object *bound = NULL;
    if (!json_object_object_get_ex(delta_json_member(stats, part, json_type_object), name, &bound) || !bound)
        return false;
    const char *text = json_object_get_string(bound);
    if (term->kind != SQL_TEXT) {
        bool known = delta_json_fits(bound) && sql_value_of_text(term->field, text, out);
        if (known && g_strcmp0(delta_json_text(term->field, "type"), "float") == 0)
            out->real = (float) out->real; /* Spark writes 0.1 for the float that is nearest to it */
        return known;
    }
    *out = (SqlValue){.kind = SQL_TEXT, .text = {text, json_object_get_string_len(bound)}};
    return json_object_is_type(bound, json_type_string);
}

static bool excluded_by_least(const WhereTerm *term, const SqlValue *least)
{
    int order = sql_compare(&term->value, least);
    if (term->op == WHERE_LT)
        return order <= 0;
    return (term->op == WHERE_EQ || term->op == WHERE_LE) && order < 0;
}

/* NaN is above all numbers, and not in the statistics. */
static bool excluded_by_greatest(const WhereTerm *term, const SqlValue *greatest)
{
    bool nan = term->kind == SQL_REAL && (term->op != WHERE_EQ || term->value.real != term->value.real);
    int order = nan ? -1 : sql_compare(&term->value, greatest);
    if (term->op == WHERE_GT)
        return order >= 0;
    return (term->op == WHERE_EQ || term->op == WHERE_GE) && order > 0;
}

/* Texts are cut, times too: only of numbers and dates is it certain that all are this one. */
static bool all_are_it(const WhereTerm *term, const SqlValue *least, const SqlValue *greatest)
{
    bool exact = term->kind == SQL_NUMBER || term->kind == SQL_DATE || term->kind == SQL_BOOL;
    return exact && sql_compare(&term->value, least) == 0 && sql_compare(&term->value, greatest) == 0;
}

bool where_term_excludes(const WhereTerm *term, json_object *stats, const char *name)
{
    int64_t rows = count_of(stats, NULL, "numRecords"), nulls = count_of(stats, "nullCount", name);
    if (term->op == WHERE_NULL)
        return nulls == 0;
    if (rows >= 0 && nulls == rows)
        return true;
    if (term->op == WHERE_NOT_NULL)
        return false;
    SqlValue least, greatest;
    bool has_least = bound_of(term, stats, "minValues", name, &least);
    bool has_greatest = bound_of(term, stats, "maxValues", name, &greatest);
    if (has_greatest && term->kind == SQL_TIME)
        greatest.number += MS_US;
    if (term->op == WHERE_NE)
        return has_least && has_greatest && all_are_it(term, &least, &greatest);
    return (has_least && excluded_by_least(term, &least)) || (has_greatest && excluded_by_greatest(term, &greatest));
}

/* AND is never true where one part never is, and always where all are; OR is its mirror. */
static WhereFate fate_of(const Where *where, const WhereNode *node, WhereJudge judge, gpointer user)
{
    if (node->kind == WHERE_TERM)
        return judge(user, where_term(where, node->term));
    WhereFate decides = node->kind == WHERE_AND ? WHERE_NEVER : WHERE_ALWAYS;
    WhereFate fate = node->kind == WHERE_AND ? WHERE_ALWAYS : WHERE_NEVER;
    for (guint i = 0; i < node->children->len; i++) {
        WhereFate part = fate_of(where, node->children->pdata[i], judge, user);
        if (part == decides)
            return decides;
        fate = part == WHERE_OPEN ? WHERE_OPEN : fate;
    }
    return fate;
}

WhereFate where_fate(const Where *where, WhereJudge judge, gpointer user)
{
    return where->root ? fate_of(where, where->root, judge, user) : WHERE_ALWAYS;
}
