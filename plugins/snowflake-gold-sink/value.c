/* Comparing, hashing and writing single values. */
#include "value.h"

#include <math.h>
#include <string.h>
#include "civil.h"
#include "json/write.h"

#define FIRST_DAY INT64_C(-719162) /* 0001-01-01 */
#define LAST_DAY INT64_C(2932896)  /* 9999-12-31 */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_values_by_bytes(SfBytes a, SfBytes b)
{
    int64_t shared = MIN(a.size, b.size);
    int order = shared > 0 ? memcmp(a.data, b.data, (size_t) shared) : 0;
    return order != 0 ? order : ORDER(a.size, b.size);
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return ORDER(a, b);
}

int value_compare(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row)
{
    bool a_null = sf_is_null(a, a_row), b_null = sf_is_null(b, b_row);
    if (a_null || b_null)
        return (int) b_null - (int) a_null;
    switch (a->type) {
    case SF_BOOL:
        return (int) sf_bool(a, a_row) - (int) sf_bool(b, b_row);
    case SF_INT32:
    case SF_DATE:
        return ORDER(sf_i32(a, a_row), sf_i32(b, b_row));
    case SF_INT64:
    case SF_TIMESTAMP:
        return ORDER(sf_i64(a, a_row), sf_i64(b, b_row));
    case SF_FLOAT64:
        return compare_doubles(sf_f64(a, a_row), sf_f64(b, b_row));
    case SF_DECIMAL128: {
        SfDecimal x = sf_decimal(a, a_row), y = sf_decimal(b, b_row);
        return x.high != y.high ? ORDER(x.high, y.high) : ORDER(x.low, y.low);
    }
    default:
        return compare_values_by_bytes(sf_bytes(a, a_row), sf_bytes(b, b_row));
    }
}

bool value_equal(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row)
{
    if ((a->type != SF_UTF8 && a->type != SF_BINARY) || sf_is_null(a, a_row) || sf_is_null(b, b_row))
        return value_compare(a, a_row, b, b_row) == 0;
    SfBytes x = sf_bytes(a, a_row), y = sf_bytes(b, b_row);
    return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, (size_t) x.size) == 0);
}

/* Big endian, so that numbers go by bytes as memcmp() does; what a shorter value lacks is 0. */
static guint64 rank_bytes(SfBytes bytes, gsize skip)
{
    guint64 rank = 0;
    gsize size = MIN((gsize) bytes.size - MIN((gsize) bytes.size, skip), sizeof rank);
    if (size > 0)
        memcpy(&rank, bytes.data + skip, size);
    return GUINT64_FROM_BE(rank);
}

static guint64 rank_int(int64_t value)
{
    return (guint64) value ^ G_GUINT64_CONSTANT(1) << 63;
}

/* What does not fit into 64 bits is at their end. */
static guint64 rank_decimal(SfDecimal value)
{
    bool negative = value.high < 0;
    bool fits = value.high == ((int64_t) value.low < 0 ? -1 : 0);
    if (fits)
        return rank_int((int64_t) value.low);
    return negative ? 0 : G_MAXUINT64;
}

guint64 value_rank(const SfColumn *column, int64_t row, gsize skip)
{
    switch (column->type) {
    case SF_BOOL:
        return sf_bool(column, row);
    case SF_INT32:
    case SF_DATE:
        return rank_int(sf_i32(column, row));
    case SF_INT64:
    case SF_TIMESTAMP:
        return rank_int(sf_i64(column, row));
    case SF_DECIMAL128:
        return rank_decimal(sf_decimal(column, row));
    case SF_UTF8:
    case SF_BINARY:
        return rank_bytes(sf_bytes(column, row), skip);
    default:
        return 0; /* a double, which cannot be a key */
    }
}

gsize value_shared(const SfColumn *a, int64_t a_row, const SfColumn *b, int64_t b_row, gsize most)
{
    if (a->type != SF_UTF8 && a->type != SF_BINARY)
        return 0;
    SfBytes x = sf_bytes(a, a_row), y = sf_bytes(b, b_row);
    gsize size = MIN((gsize) MIN(x.size, y.size), most), shared = 0;
    if (size > 0 && memcmp(x.data, y.data, size) == 0)
        return size;
    while (shared < size && x.data[shared] == y.data[shared])
        shared++;
    return shared;
}

static inline guint64 mix_hash(guint64 seed, guint64 value)
{
    __extension__ typedef unsigned __int128 Wide;
    Wide product = (Wide) (seed ^ UINT64_C(0x9E3779B97F4A7C15)) * (value ^ UINT64_C(0xD1B54A32D192ED03));
    return (guint64) product ^ (guint64) (product >> 64);
}

static guint64 hash_value_bytes(guint64 seed, SfBytes bytes)
{
    const char *at = bytes.data;
    int64_t left = bytes.size;
    guint64 word = 0;
    seed = mix_hash(seed, (guint64) bytes.size);
    for (; left > 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        seed = mix_hash(seed, word);
    }
    word = 0;
    if (left > 0)
        memcpy(&word, at, (size_t) left);
    return mix_hash(seed, word);
}

guint64 value_hash(guint64 seed, const SfColumn *column, int64_t row)
{
    switch (column->type) {
    case SF_BOOL:
        return mix_hash(seed, sf_bool(column, row));
    case SF_INT32:
    case SF_DATE:
        return mix_hash(seed, (guint64) sf_i32(column, row));
    case SF_INT64:
    case SF_TIMESTAMP:
        return mix_hash(seed, (guint64) sf_i64(column, row));
    case SF_DECIMAL128: {
        SfDecimal value = sf_decimal(column, row);
        return mix_hash(mix_hash(seed, value.low), (guint64) value.high);
    }
    default:
        return hash_value_bytes(seed, sf_bytes(column, row));
    }
}

static int64_t day_of(int64_t us)
{
    return us / CIVIL_DAY_US - (us % CIVIL_DAY_US < 0);
}

static SfStatus check_day(const SfColumn *column, int64_t day, SfError *err)
{
    if (day >= FIRST_DAY && day <= LAST_DAY)
        return SF_OK;
    return sf_fail(err, SF_REJECT, "%s: the year %" G_GINT64_FORMAT " is outside of 1 to 9999", column->schema->name,
                   civil_from_days(day).year);
}

SfStatus value_check_time(const SfColumn *column, int64_t row, SfError *err)
{
    return check_day(column, column->type == SF_DATE ? sf_i32(column, row) : day_of(sf_i64(column, row)), err);
}

static inline void put_two_digits(char *to, unsigned number)
{
    to[0] = (char) ('0' + number / 10);
    to[1] = (char) ('0' + number % 10);
}

static void set_day(ValueDay *day, int64_t number)
{
    Civil civil = civil_from_days(number);
    memcpy(day->text, "0000-00-00", sizeof day->text);
    put_two_digits(day->text, (unsigned) civil.year / 100);
    put_two_digits(day->text + 2, (unsigned) civil.year % 100);
    put_two_digits(day->text + 5, (unsigned) civil.month);
    put_two_digits(day->text + 8, (unsigned) civil.day);
    day->number = number;
}

/* " 10:30:00.000000" */
static void put_time_of_day(char *to, int64_t us)
{
    unsigned seconds = (unsigned) (us / 1000000), rest = (unsigned) (us % 1000000);
    memcpy(to, " 00:00:00.000000", VALUE_TIME_SIZE - 10);
    put_two_digits(to + 1, seconds / 3600);
    put_two_digits(to + 4, seconds / 60 % 60);
    put_two_digits(to + 7, seconds % 60);
    put_two_digits(to + 10, rest / 10000);
    put_two_digits(to + 12, rest / 100 % 100);
    put_two_digits(to + 14, rest % 100);
}

SfStatus value_time(char *to, ValueDay *day, const SfColumn *column, int64_t row, int64_t *size, SfError *err)
{
    bool date = column->type == SF_DATE;
    int64_t us = date ? 0 : sf_i64(column, row);
    int64_t number = date ? sf_i32(column, row) : day_of(us);
    if (number != day->number) {
        SF_TRY(check_day(column, number, err));
        set_day(day, number);
    }
    memcpy(to, day->text, sizeof day->text);
    *size = sizeof day->text;
    if (!date) {
        put_time_of_day(to + sizeof day->text, us - number * CIVIL_DAY_US);
        *size = VALUE_TIME_SIZE;
    }
    return SF_OK;
}

void value_hex(GString *out, SfBytes bytes)
{
    static const char hex[] = "0123456789abcdef";
    gsize start = out->len;
    g_string_set_size(out, start + 2 * (gsize) bytes.size);
    for (int64_t i = 0; i < bytes.size; i++) {
        out->str[start + 2 * (gsize) i] = hex[(guchar) bytes.data[i] >> 4];
        out->str[start + 2 * (gsize) i + 1] = hex[(guchar) bytes.data[i] & 15];
    }
}

/* What is not finite by the names that all databases read. */
static void write_double(GString *out, double value)
{
    if (isnan(value))
        g_string_append(out, "NaN");
    else if (isinf(value))
        g_string_append(out, value < 0 ? "-inf" : "inf");
    else
        json_write_float(out, value);
}

static SfStatus refuse_nul(const SfColumn *column, SfError *err)
{
    return sf_fail(err, SF_REJECT, "%s: the text has a NUL character in it", column->schema->name);
}

SfStatus value_check_text(const SfColumn *column, SfBytes bytes, SfError *err)
{
    return bytes.size > 0 && memchr(bytes.data, '\0', (size_t) bytes.size) ? refuse_nul(column, err) : SF_OK;
}

/* Not 0 where one of eight bytes is. */
static inline guint64 zero_among(guint64 word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Not 0 where there is a NUL. By words, of which the last two may overlap: texts are too short to be worth two calls
 * each. */
static guint64 copy_short_text(char *to, const char *from, gsize size)
{
    guint64 word = 0, nul = 0;
    if (size < sizeof word) {
        for (gsize i = 0; i < size; i++)
            nul |= (to[i] = from[i]) == '\0';
        return nul;
    }
    for (gsize at = 0; at < size; at += sizeof word) {
        gsize here = MIN(at, size - sizeof word);
        memcpy(&word, from + here, sizeof word);
        memcpy(to + here, &word, sizeof word);
        nul |= zero_among(word);
    }
    return nul;
}

#define SHORT_TEXT 64

SfStatus value_copy_text(char *to, const SfColumn *column, SfBytes bytes, SfError *err)
{
    gsize size = (gsize) bytes.size;
    if (size <= SHORT_TEXT)
        return copy_short_text(to, bytes.data, size) != 0 ? refuse_nul(column, err) : SF_OK;
    SF_TRY(value_check_text(column, bytes, err));
    memcpy(to, bytes.data, size);
    return SF_OK;
}

static SfStatus write_text(GString *out, const SfColumn *column, SfBytes bytes, SfError *err)
{
    SF_TRY(value_check_text(column, bytes, err));
    g_string_append_len(out, bytes.data ? bytes.data : "", (gssize) bytes.size);
    return SF_OK;
}

static SfStatus write_time(GString *out, const SfColumn *column, int64_t row, SfError *err)
{
    ValueDay day = VALUE_NO_DAY;
    char text[VALUE_TIME_SIZE];
    int64_t size = 0;
    SF_TRY(value_time(text, &day, column, row, &size, err));
    g_string_append_len(out, text, (gssize) size);
    return SF_OK;
}

SfStatus value_text(GString *out, const SfColumn *column, int64_t row, SfError *err)
{
    switch (column->type) {
    case SF_BOOL:
        g_string_append(out, sf_bool(column, row) ? "true" : "false");
        return SF_OK;
    case SF_INT32:
        json_write_int(out, sf_i32(column, row));
        return SF_OK;
    case SF_INT64:
        json_write_int(out, sf_i64(column, row));
        return SF_OK;
    case SF_FLOAT64:
        write_double(out, sf_f64(column, row));
        return SF_OK;
    case SF_DECIMAL128:
        json_write_decimal(out, sf_decimal(column, row), column->scale);
        return SF_OK;
    case SF_DATE:
    case SF_TIMESTAMP:
        return write_time(out, column, row, err);
    case SF_BINARY:
        value_hex(out, sf_bytes(column, row));
        return SF_OK;
    default:
        return write_text(out, column, sf_bytes(column, row), err);
    }
}
