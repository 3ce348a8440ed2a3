/* What the files of bronze-source share. Objects become lines (lines.c), the lines of a ledger entry rows in the order
 * of their positions (rows.c), the entries of a split batches (lane.c); which splits there are, bronze_source.c asks
 * ledgers.c. One thread, but for interrupt(). */
#ifndef BRONZE_SOURCE_H
#define BRONZE_SOURCE_H

#include "blocks.h"
#include "bronze/index.h"
#include "bronze/ledger.h"
#include "raw_rows.h"
#include "store/store.h"

/* ---- lines.c: one object ---- */

typedef struct Lines Lines;

/* Objects of up to `piece` bytes are checked before the first line, larger ones are read twice. SF_EMPTY: the object is
 * not there. SF_FATAL: it is not what the ledger says. `as` is borrowed. */
SfStatus lines_open(Store *store, const EntryObject *as, bool packed, int64_t piece, int64_t max_line, Lines **out,
                    SfError *err);
void lines_free(Lines *lines);
/* The next one, with so many line breaks in it, without that at its end; valid until the next call. SF_EMPTY: there was
 * the last one. */
SfStatus lines_next(Lines *lines, int64_t breaks, const char **data, size_t *size, SfError *err);
size_t lines_held(const Lines *lines);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lines, lines_free)

/* ---- rows.c: the objects of one entry ---- */

typedef struct Row {
    IndexRow of;
    const char *data;
    size_t size;
} Row;

typedef struct RowsLimits {
    int64_t piece;    /* bytes of all objects together that are asked for at once */
    int64_t max_line; /* bytes */
} RowsLimits;

typedef struct Rows Rows;

/* SF_EMPTY: one of the objects is not there (its number in *missing), and is not to be passed over. `entry` is
 * borrowed, and so is `passed`: objects that are passed over, or NULL. */
SfStatus rows_open(Store *store, const Entry *entry, const RowsLimits *limits, const bool *passed, Rows **out,
                   guint *missing, SfError *err);
void rows_free(Rows *rows);
/* The next row, which is *row until rows_take(). SF_EMPTY: there was the last one. */
SfStatus rows_peek(Rows *rows, Row *row, SfError *err);
void rows_take(Rows *rows);
size_t rows_held(const Rows *rows);
/* Whether positions are a guess: an entry of a version that kept no index, with holes. */
bool rows_guess(const Entry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_free)

/* ---- ledgers.c: which splits there are ---- */

typedef struct Ledger {
    char *prefix; /* of its keys, see kit/bronze/ledger.h */
    char *split;  /* its name */
    char *topic;
    int32_t partition;
    int64_t start; /* of the first entry */
} Ledger;

/* Those of these topics (none: of all) of a pipeline (NULL: of the only one; SF_CONFIG where there are several) that
 * `known` does not have, by their prefixes. */
SfStatus ledgers_find(Store *store, const char *root, const char *pipeline, const SfList *topics, GHashTable *known,
                      GPtrArray *out, SfError *err);
void ledger_free(Ledger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_free)
/* What the split is called: by the entry, or by the topic and the partition in entries that do not say. */
char *ledger_split(const Entry *entry);

/* ---- lane.c: one split ---- */

typedef enum Missing { MISSING_STOP, MISSING_SKIP } Missing;

typedef struct LaneOptions {
    const char *root;
    RowsLimits limits;
    int64_t batch_rows;
    int32_t missing; /* Missing */
    bool bounded;
} LaneOptions;

/* Objects and bytes that may still be begun before the next trigger; INT64_MAX: any number. */
typedef struct Quota {
    int64_t files;
    int64_t bytes;
    bool used; /* something was begun: one entry always may */
} Quota;

typedef struct Lane {
    Ledger *ledger;
    const SfSplit *split;
    char *origin; /* of its rows, as the host was told; NULL: not known */
    RawSource *raw;
    int64_t position; /* rows below it were given */
    int64_t next;     /* where the entry starts that comes next */
    int64_t end;      /* of the ledger, as far as it is known */
    int64_t ask_ms;   /* monotonic: when a new entry is looked for again */
    unsigned misses;  /* polls without a new entry */
    bool guessed;     /* that positions are a guess was said */
    bool done;        /* bounded: it ended */
    Entry *entry;     /* NULL: none is begun */
    bool *passed;     /* of its objects, those that are not there */
    Rows *rows;       /* NULL: they are to be opened, again after a failure */
} Lane;

Lane *lane_new(Ledger *ledger); /* takes the ledger over */
void lane_free(Lane *lane);
/* Where the ledger ends now: the start and the end of its last entry. */
SfStatus lane_look_ahead(Store *store, Lane *lane, SfError *err);
/* After sf_assign(): finds the entry that has the position. */
SfStatus lane_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position, SfError *err);
/* SF_EMPTY: nothing for now, or the quota is used up; SF_END. After a failure it goes on where it was. */
SfStatus lane_poll(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Blocks *blocks, Quota *quota,
                   SfBatch *out, SfError *err);
size_t lane_held(const Lane *lane);

#endif
