/* Single values: order, equality and hash for deduplication, text for the database. Allocates nothing but the text's
 * growth. */
#ifndef GOLD_VALUE_H
#define GOLD_VALUE_H

#include <glib.h>
#include <sf/sf.h>

/* Both of one type. Null is below everything, text and binary go by bytes, NaN is above all numbers (as in
 * PostgreSQL). */
int value_compare(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row);
bool value_equal(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row);

/* For sorting: ranks are in the order of the values, and equal ones tell nothing. `skip`: bytes with which all of the
 * texts begin, see value_shared(). Of a value that is not null. */
guint64 value_rank(const SfColumn *column, int64_t row, gsize skip);

/* How many of the first `most` bytes two values that are not null have in common; 0 unless they are text or binary. */
gsize value_shared(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row, gsize most);

/* Of a value that is not null. */
guint64 value_hash(guint64 seed, const SfColumn *column, int64_t row);

/* Appends a value that is not null: 42, 1250.50, true, 2024-01-15, 2024-01-15 10:30:00.000000, text as it is, binary
 * in hex. SF_REJECT for what no warehouse takes: NUL in a text, years outside 1 … 9999. */
SfStatus value_text(GString *out, const SfColumn *column, int64_t row, SfError *err);

/* SF_REJECT for a text that no warehouse takes. */
SfStatus value_check_text(const SfColumn *column, SfBytes bytes, SfError *err);

/* The same, and copies it to where there is room. */
SfStatus value_copy_text(char *to, const SfColumn *column, SfBytes bytes, SfError *err);

/* The day that was written last, for rows that lie together are mostly of one. Begins as VALUE_NO_DAY. */
typedef struct ValueDay {
    int64_t number; /* since 1970-01-01 */
    char text[10];
} ValueDay;
#define VALUE_NO_DAY ((ValueDay){.number = INT64_MIN})

/* Bytes of a timestamp's text; a date's are the first ten. */
#define VALUE_TIME_SIZE 26

/* A date or timestamp that is not null, as value_text() has it, without a NUL behind it; returns in *size how many
 * bytes. SF_REJECT likewise. */
SfStatus value_time(char *to, ValueDay *day, const SfColumn *column, int64_t row, int64_t *size, SfError *err);

/* Dates and timestamps in the range that value_text takes; SF_REJECT otherwise. */
SfStatus value_check_time(const SfColumn *column, int64_t row, SfError *err);

/* Appends a text or binary value as hex digits. */
void value_hex(GString *out, SfBytes bytes);

#endif
