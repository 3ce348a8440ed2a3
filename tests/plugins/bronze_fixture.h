/* What the bronze sink's tests share: a place to write to, and what lies there as text. */
#ifndef TEST_BRONZE_FIXTURE_H
#define TEST_BRONZE_FIXTURE_H

#include "harness.h"

#define EVENTS "sales_events/0"
#define DAY_US INT64_C(86400000000)
#define NOON_US INT64_C(1705320000000000) /* 2024-01-15 12:00 UTC */

typedef struct Place {
    char *path;
} Place;

void place_set_up(Place *place, gconstpointer unused);
void place_tear_down(Place *place, gconstpointer unused);

/* A sink that writes to <path>/<below>; options are more lines of YAML. */
Harness *place_sink(const Place *place, const char *options);

/* "key: line|line|\n" of every object below, in order of keys; without the ledger unless it is asked for. */
char *place_objects(const Place *place);
/* "key: start-end reason rows/rejected objects\n" of every ledger entry. */
char *place_entries(const Place *place);
char *place_read(const Place *place, const char *key);
void place_delete(const Place *place, const char *key);
void place_put(const Place *place, const char *key, const char *text);
void place_pack(const Place *place, const char *key, const char *text); /* by gzip */
void place_cut(const Place *place, const char *key, gsize size);

/* n raw rows of {"n":<position>}, one µs apart, from `first` on. */
const SfBatch *numbers(Harness *h, const char *split, gint64 first, gsize n, gint64 time_us);

/* A bounded bronze-source of <path>; options are more lines of YAML. */
Harness *place_source(const Place *place, const char *options);
/* Reading ends for good, with a message that has this in it. */
void place_expect_refusal(const Place *place, const char *options, const char *message);

/* One ledger entry of n rows, ten an object. */
void place_numbers(const Place *place, gint64 first, gsize n);

/* What a sink with these options makes of [0, 200) in batches of 50: days alternate, three of eight positions are not
 * there, some values are null. The rows as text. */
char *write_mixed(const Place *place, const char *options);
/* n rows of 1 KiB, at once. */
void write_large(const Place *place, const char *options, gsize n);

/* Rows of a bounded run to its end. */
gint64 rows_in_a_run(const Place *place, const char *options, gint64 from);
void assert_end(Harness *h);

#endif
