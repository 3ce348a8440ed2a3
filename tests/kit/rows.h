/* Batches for tests: made from short texts, read back as short texts.
 *
 *   schema: "order_id string not null, sales decimal(12,2), tags list<string>, buyer struct<name string, age int>"
 *   row:    a JSON array, one value a column: ["ORD-1", 12.50, ["a", null], {"name": "Eve", "age": null}]
 *   types:  bool int bigint double decimal(p,s) string binary date timestamp list<…> struct<…>; `view` after string or
 *           binary asks for the view layout. Dates and timestamps are texts: "2024-01-15", "2024-01-15T10:30:01.5Z";
 *           those that no text can say are numbers of days and microseconds since 1970.
 *
 * Whatever is wrong with the texts ends the test program. */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include "data/auto.h"
#include "data/batch.h"

void rows_schema(const char *text, struct ArrowSchema *out);

/* Rows of that schema from n JSON arrays. */
void rows_from_json(const struct ArrowSchema *schema, const char *const *json, gsize n, struct ArrowArray *out);

/* A row of sf_schema_raw(). Zero is: key null, value null, no timestamp, headers null. */
typedef struct RawRow {
    const char *key;
    const char *value;
    gssize value_size; /* 0: value is a C string */
    gint64 offset;
    gint64 timestamp_us;        /* 0: null */
    const char *const *headers; /* key, value, key, value, …, NULL; a value "" stays empty */
} RawRow;

void rows_from_raw(const char *topic, gint32 partition, const RawRow *rows, gsize n, struct ArrowArray *out);

/* Rows of any schema with random values, a quarter of them null where they may be: reproducible by the generator's
 * seed. */
void rows_random(const struct ArrowSchema *schema, gsize n, GRand *random, struct ArrowArray *out);

/* All types, plain and view, nested two deep: what tests of the data layer go through. */
#define ROWS_EVERY_TYPE                                                                                                \
    "flag bool, small int, big bigint not null, real double, money decimal(38,10), text string, name string view, "    \
    "bytes binary, body binary view, day date, at timestamp not null, "                                                \
    "tags list<string>, views list<string view>, lines list<struct<sku string not null, n int, notes list<binary "     \
    "view>>>, "                                                                                                        \
    "buyer struct<name string view, age int not null, flags list<bool>>"

/* {"order_id":"ORD-1","sales":12.50,"tags":["a",null],"buyer":null}: numbers exact, binary that is no UTF-8 as
 * "\xhh". */
char *rows_text(const struct ArrowSchema *schema, const struct ArrowArray *rows, gint64 row);

/* Every row, a line each. */
char *batch_text(const SfBatch *batch);

/* Ends the test program unless the rows are whole: structure as the schema says, ends ascending, views within their
 * buffers, UTF-8 valid, null counts right, no nulls where the schema forbids them. */
void rows_assert_valid(const struct ArrowSchema *schema, const struct ArrowArray *rows);

#endif
