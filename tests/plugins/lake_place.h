/* Delta tables to read from: written by delta-silver-sink, changed by hand, and read by delta-source. */
#ifndef TEST_LAKE_PLACE_H
#define TEST_LAKE_PLACE_H

#include "delta/delta.h"
#include "harness.h"

#define VERSION INT64_C(100000000000)
#define SNAPSHOT (VERSION / 2)

typedef struct Lake {
    char *dir;
    char *table; /* DIR/t: the split's name, too */
} Lake;

void lake_set_up(Lake *lake, gconstpointer unused);
void lake_tear_down(Lake *lake, gconstpointer unused);

/* One commit of rows {"id": first … , "day", "text": "row <id>"}; days change every 1,000 ids. Options of the sink. */
void lake_write(const Lake *lake, gint64 first, gsize n, const char *options);
/* A commit by hand, after the newest. Its version. */
gint64 lake_commit(const Lake *lake, const char *lines);
gint64 lake_newest(const Lake *lake);
/* Path of a data file that the version added, which has that text in it. */
char *lake_added(const Lake *lake, gint64 version, const char *part);
char *lake_log_path(const Lake *lake, gint64 version);
/* In the text of a version's commit. */
void lake_replace(const Lake *lake, gint64 version, const char *old, const char *new);

/* A source of the table; options are more lines of YAML. */
Harness *lake_source(const Lake *lake, const char *options);
Harness *lake_source_once(const Lake *lake, const char *options);
/* Polls to SF_EMPTY or SF_END: the ids of all rows, in order, as "0-99 150 200-299". Ranges chain. */
char *lake_ids(Harness *h);
/* The same, which are to be these, without a message; or with one at the end that has this text in it. */
void lake_expect_ids(Harness *h, SfStatus status, const char *ids);
void lake_expect_stop(Harness *h, SfStatus status, const char *ids, const char *message);
/* The position of each row by its id: of a bounded run from `from` (-1: a sink that knows nothing) to its end. */
GHashTable *lake_positions(const Lake *lake, const char *options, gint64 from);

#endif
