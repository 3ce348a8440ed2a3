/* What the files of delta-source share. The log becomes versions (follow.c), a version a list of files (listing.c), a
 * file batches (reading.c); which columns there are is in columns.c, where to begin in start.c. One thread, but for
 * interrupt(). */
#ifndef DELTA_SOURCE_H
#define DELTA_SOURCE_H

#include "delta/data_file.h"
#include "store/store.h"

/* ---- positions ----
 *
 * A table is one split. A position has to tell a row within a version, since a snapshot is read in several runs
 * (`max_files_per_trigger`), and it has to mean the same row after a restart, whatever has been committed, optimized or
 * vacuumed meanwhile: a sink keeps nothing else. Spark's offset is (reservoirVersion, index, isStartingVersion), whose
 * index is that of a file. Ours is one number, and goes down to the row:
 *
 *     version × 10^11 + row                  of what commit `version` changed
 *     version × 10^11 + 5 × 10^10 + row      of the table as of `version`
 *
 * so that 1200000000345 reads: version 12, row 345. A snapshot lies behind the commit that made it and before the next
 * one. `row` is counted over the version's files, deleted rows included: those of a commit in its order, those of a
 * snapshot by time of modification and name, an order that does not depend on which checkpoint they were read from.
 * Files that `where` leaves out are counted, too.
 *
 * Within a file rows are taken in chunks of CHUNK_ROWS. A row's position is that of its chunk and its number among the
 * chunk's rows that are given: without those that are deleted, or that `where` leaves out. Thus a batch has no holes
 * between its rows (the host numbers them from its start), and a restart within a chunk skips so many. Deleted rows
 * cannot change, as a file is its path and its deletion vector; `where` could, so it is part of the split's origin. */

#define VERSION_ROWS INT64_C(100000000000)
#define SNAPSHOT_ROWS (VERSION_ROWS / 2)
#define MOST_VERSION (INT64_MAX / VERSION_ROWS - 1)
#define CHUNK_ROWS 4096

typedef struct Place {
    int64_t version;
    bool snapshot;
    int64_t row;
} Place;

static inline int64_t position_at(int64_t version, bool snapshot, int64_t row)
{
    return version * VERSION_ROWS + (snapshot ? SNAPSHOT_ROWS : 0) + row;
}

static inline Place place_of(int64_t position)
{
    int64_t rest = position % VERSION_ROWS;
    bool snapshot = rest >= SNAPSHOT_ROWS;
    return (Place){position / VERSION_ROWS, snapshot, snapshot ? rest - SNAPSHOT_ROWS : rest};
}

/* ---- columns.c ---- */

typedef struct Columns {
    const SfValue *wanted; /* the option: names, or names with types; NULL: all */
    const char *condition; /* the option `where` */
    bool changes;          /* the change feed's columns come, too */
    json_object *schema;   /* of the table */
    GPtrArray *fields;     /* of it: those that are given, then those that only the condition needs; borrowed */
    guint given;
    Where where;
    struct ArrowSchema rows;      /* of `fields` */
    struct ArrowSchema out;       /* what is given */
    json_object *feed_fields;     /* an array: _change_type, _commit_version, _commit_timestamp */
    struct ArrowSchema with_type; /* of `fields` and _change_type */
} Columns;

/* Whether the columns have types of their own, so that nobody has to ask the table. */
bool columns_typed(const Columns *columns);
/* Their schema, from the option alone. */
SfStatus columns_declare(const Columns *columns, struct ArrowSchema *out, SfError *err);
/* From the table. May be called again with a newer state of it. */
SfStatus columns_resolve(Columns *columns, const DeltaLog *log, SfError *err);
void columns_done(Columns *columns);

/* ---- listing.c: the files of a version ---- */

typedef enum OnChange { CHANGE_STOP, CHANGE_IGNORE, CHANGE_FEED } OnChange;

/* A file that a version has to give. */
typedef struct SourceFile {
    json_object *action; /* add, remove or cdc, without statistics */
    json_object *but;    /* another action of the same file: only rows that its deletion vector has; NULL: all */
    const char *change;  /* _change_type of all its rows; NULL: its column tells, or nobody asks */
    int64_t rows;        /* by the statistics; -1: they do not say */
    WhereFate fate;      /* of the condition over its rows */
    int64_t modified_ms; /* of a snapshot's file, likewise below */
    char *identity;
} SourceFile;

void source_file_free(gpointer file);

typedef struct Listing {
    int64_t version;
    bool snapshot;
    char *time;       /* of the commit, as a timestamp's text; NULL: not known */
    GPtrArray *files; /* SourceFile; of a snapshot a window of them */
    guint next;       /* in `files` */
    int64_t row;      /* rows of all files before it */
    int64_t n_files;  /* that were listed so far */
    int64_t pruned;   /* of those */
    int64_t left;     /* rows of the files from `next` on, as far as they are known */
    DeltaLog *log;    /* of a snapshot: as of the version */
    bool more;        /* files behind the window */
} Listing;

typedef struct ListingOptions {
    const Columns *columns;
    OnChange on_change;
    SfNode *node;
    const DeltaLog *log; /* the newest state */
} ListingOptions;

/* SF_EMPTY: the commit is not there. */
SfStatus listing_of_commit(const ListingOptions *options, int64_t version, Listing **out, SfError *err);
SfStatus listing_of_snapshot(const ListingOptions *options, int64_t version, Listing **out, SfError *err);
/* The next file, borrowed until the next call; SF_END: there was the last one. */
SfStatus listing_next(const ListingOptions *options, Listing *listing, SourceFile **out, SfError *err);
void listing_free(Listing *listing);
size_t listing_held(const Listing *listing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listing, listing_free)

/* ---- reading.c: one file ---- */

typedef struct Reading Reading;

/* Rows from number `row` of the file on, as positions count them. `file` is borrowed. SF_EMPTY: it is not there. */
SfStatus reading_new(const DeltaLog *log, const Columns *columns, const Listing *listing, const SourceFile *file,
                     int64_t row, Reading **out, SfError *err);
void reading_free(Reading *reading);
/* out->rows, and out->start and out->end as numbers of rows in the file. SF_END: there was the last one. */
SfStatus reading_next(Reading *reading, SfBatch *out, SfError *err);
int64_t reading_rows(const Reading *reading); /* of the file in all */
size_t reading_held(const Reading *reading);
/* How many rows a file has, where the log does not say. SF_EMPTY: it is not there. */
SfStatus reading_count(const DeltaLog *log, const SourceFile *file, int64_t *rows, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reading, reading_free)

/* ---- follow.c: the log as it grows ---- */

typedef struct Follow {
    DeltaLog *log;
    int64_t stamp_version; /* a commit, and what its object is like: another object is another table; -1: none */
    int64_t stamp_size;
    int64_t stamp_ms;
    unsigned misses; /* looks that found nothing */
    bool schema;     /* a commit changed what the table is; who takes that up clears it */
    bool unchecked;  /* log->version is new, and a look ended before it was compared with the store */
} Follow;

/* Takes the commits behind log->version. SF_FENCED: the table is to be bound anew. SF_FATAL: the log has a hole.
 * SF_CONFIG: the table is another one. After any failure the next look goes on where this one was. */
SfStatus follow_look(Follow *follow, SfError *err);

/* ---- start.c: where to begin ---- */

typedef enum Starting { START_SNAPSHOT, START_LATEST, START_VERSION, START_TIMESTAMP } Starting;

typedef struct StartOptions {
    int32_t starting; /* Starting */
    int64_t version;  /* -1: not given */
    const char *timestamp;
    const char *spark_version; /* a number, or "latest" */
    const char *spark_timestamp;
} StartOptions;

/* Whether the options go together; the others' names are taken over into starting, version, timestamp. */
SfStatus start_check(StartOptions *start, SfError *err);
/* The position for a sink that has none. */
SfStatus start_position(const StartOptions *start, DeltaLog *log, int64_t *position, SfError *err);
/* The newest snapshot that all versions from `position` on can follow: where a sink begins that has nothing, while
 * another one stands there. Before version 0 there is nothing: the position of its commit. */
int64_t start_before(int64_t position);
/* SF_CONFIG: the snapshot of start_before() can no longer be read. */
SfStatus start_check_snapshot(DeltaLog *log, int64_t position, SfError *err);
/* Of the table's split: the same for all spellings of the URL: "s3://bucket/path", or a directory's path from the
 * root. */
SfStatus start_split_name(const char *url, char **out, SfError *err);

#endif
