/* What the files of bronze-source share. Objects become lines (lines.c), lines rows in the order of their positions
 * (rows.c), rows batches (lane.c). Which objects a split has, and in which order, is said by its ledger (entries.c) or,
 * where others wrote them, by their names (trail.c). Which splits there are is found in ledgers (ledgers.c) or listings
 * (listing.c, names.c). One thread, but for interrupt(). */
#ifndef BRONZE_SOURCE_H
#define BRONZE_SOURCE_H

#include "blocks.h"
#include "bronze/index.h"
#include "bronze/ledger.h"
#include "raw_rows.h"
#include "store/store.h"

/* ---- lines.c: one object ---- */

typedef struct Lines Lines;

typedef struct LinesForm {
    bool foreign;        /* nobody knows its checksum and packing, and its last line may have no end */
    Compression packing; /* of one that is not */
    int64_t piece;       /* bytes that are asked for at once */
    int64_t max_line;    /* bytes */
} LinesForm;

/* Objects of up to `piece` bytes are checked before the first line, larger ones are read twice. SF_EMPTY: the object is
 * not there. SF_FATAL: it is not what `as` says, which is borrowed. */
SfStatus lines_open(Store *store, const EntryObject *as, const LinesForm *form, Lines **out, SfError *err);
void lines_free(Lines *lines);
/* The next one, with so many line breaks in it, without that at its end; valid until the next call. SF_EMPTY: there was
 * the last one. */
SfStatus lines_next(Lines *lines, int64_t breaks, const char **data, size_t *size, SfError *err);
size_t lines_held(const Lines *lines);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lines, lines_free)

/* ---- rows.c: the objects of one entry, or one of others ---- */

/* A line of an object beside. */
typedef struct RowBeside {
    const char *data; /* NULL: there is no such object */
    size_t size;
} RowBeside;

typedef struct Row {
    IndexRow of;
    const char *data;
    size_t size;
    RowBeside beside[BESIDE_KINDS];
} Row;

typedef struct RowsLimits {
    int64_t piece;    /* bytes of all objects together that are asked for at once */
    int64_t max_line; /* bytes */
} RowsLimits;

typedef struct Rows Rows;

/* Of an object of an entry: its values, and what lies beside it. */
#define PARTS (1 + BESIDE_KINDS)

/* No I/O. `entry` is borrowed, and so is `passed`: parts that are passed over, PARTS of each object, or NULL. */
Rows *rows_open(Store *store, const Entry *entry, const RowsLimits *limits, const bool *passed);
/* Likewise: its lines have the positions from as->first on, and what lies beside it has as many. text: blank ones are
 * passed over. */
Rows *rows_open_foreign(Store *store, const EntryObject *as, const RowsLimits *limits, bool text);
void rows_free(Rows *rows);
/* The next row, which is *row until rows_take(). SF_EMPTY: there was the last one, or an object is missing. */
SfStatus rows_peek(Rows *rows, Row *row, SfError *err);
void rows_take(Rows *rows);
/* The object that is not there, or one beside it is not, or NULL; its key. */
const EntryObject *rows_missing(const Rows *rows, const char **key);
/* After the last row of rows_open_foreign(): the position behind it. */
int64_t rows_end(const Rows *rows);
size_t rows_held(const Rows *rows);
/* Whether positions are a guess: an entry of a version that kept no index, with holes. */
bool rows_guess(const Entry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_free)

/* ---- splits ---- */

typedef enum Missing { MISSING_STOP, MISSING_SKIP } Missing;
typedef enum LayoutOf { LAYOUT_LEDGER, LAYOUT_CONNECT, LAYOUT_FILES } LayoutOf;

typedef struct LaneOptions {
    const char *root;
    RowsLimits limits;
    int64_t batch_rows;
    int32_t missing; /* Missing */
    int32_t layout;  /* LayoutOf */
    bool keys;       /* layout connect: they lie beside, and likewise: */
    bool headers;
    bool bounded;
} LaneOptions;

/* Objects and bytes that may still be begun before the next trigger; INT64_MAX: any number. */
typedef struct Quota {
    int64_t files;
    int64_t bytes;
    bool used; /* something was begun: one entry always may */
} Quota;

/* false: it is used up. */
static inline bool quota_spend(Quota *quota, int64_t files, int64_t bytes)
{
    if (quota->used && (files > quota->files || bytes > quota->bytes))
        return false;
    quota->used = true;
    quota->files = MAX(quota->files - files, 0);
    quota->bytes = MAX(quota->bytes - bytes, 0);
    return true;
}

typedef struct Trail Trail;

typedef struct Lane {
    char *name; /* of the split */
    char *topic;
    int32_t partition;
    int64_t start; /* of the first entry or object */
    char *ledger;  /* what begins its keys, see kit/bronze/ledger.h; NULL: objects of others */
    Trail *trail;  /* those; NULL: there is a ledger */
    const SfSplit *split;
    char *origin; /* of its rows, as the host was told; NULL: not known */
    RawSource *raw;
    int64_t position; /* rows below it were given */
    int64_t next;     /* where the entry or object starts that comes next */
    int64_t end;      /* as far as it is known */
    int64_t ask_ms;   /* monotonic: when a new entry is looked for again */
    unsigned misses;  /* polls without a new entry */
    bool guessed;     /* that positions are a guess was said */
    bool done;        /* it ended, for this run or for ever */
    Entry *entry;     /* NULL: none is begun */
    bool *passed;     /* PARTS of each of its objects: those that are not there */
    Rows *rows;       /* of what is begun; NULL: they are to be opened, again after a failure */
} Lane;

/* ---- lane.c: what both kinds of splits share ---- */

/* Texts are copied; ledger NULL: objects of others. */
Lane *lane_new(const char *name, const char *topic, int32_t partition, const char *ledger);
void lane_free(Lane *lane);
/* Whether an entry or an object is begun and not ended. */
bool lane_is_amid(const Lane *lane);
/* After sf_assign(): finds the entry or object that has the position. */
SfStatus lane_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position, SfError *err);
/* SF_EMPTY: nothing for now, or the quota is used up; SF_END. After a failure it goes on where it was. */
SfStatus lane_poll(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Blocks *blocks, Quota *quota,
                   SfBatch *out, SfError *err);
size_t lane_held(const Lane *lane);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lane, lane_free)

/* ---- entries.c: the entries of a ledger ---- */

/* Where the ledger ends now: the end of its last entry. */
SfStatus entries_look_ahead(Store *store, Lane *lane, SfError *err);
SfStatus entries_start(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, int64_t position,
                       SfError *err);
/* The next one that has rows from the position on, unless one is begun. */
SfStatus entries_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota, SfError *err);
/* SF_OK: rows are to be opened anew. */
SfStatus entries_miss(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const EntryObject *missing,
                      const char *key, SfError *err);
void entries_end(Lane *lane);
/* What the split is called: by the entry, or by the topic and the partition in entries that do not say. */
char *entry_split(const Entry *entry);

/* ---- trail.c: objects of others, of one split ---- */

/* One of them. Texts are the listing's. */
typedef struct Found {
    int64_t start; /* position of its first line */
    int64_t bytes;
    int64_t modified_ms;
    const char *directory; /* "topics/sales/partition=0/" */
    const char *name;      /* behind it, up to the digits of the start: "sales+0+" */
    const char *ending;    /* behind them: ".json.gz" */
    int32_t digits;        /* 0: the name has no start */
} Found;

Trail *trail_new(void);
void trail_free(Trail *trail);
char *found_key(const Found *found);
/* One that a listing gave, again and again. SF_FATAL: it was changed, or came behind the position. */
SfStatus trail_add(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const Found *found,
                   SfError *err);
/* Likewise, one that lies beside another. */
void trail_add_beside(Lane *lane, Beside kind, const Found *found);
/* After a listing. SF_FATAL: two of them start with the same position. */
SfStatus trail_sort(Store *store, Lane *lane, SfError *err);
/* After it: where the first object starts, and the last one. */
int64_t trail_first(const Lane *lane);
int64_t trail_last(const Lane *lane);
size_t trail_held(const Lane *lane);
const EntryObject *trail_object(const Lane *lane); /* that is begun, or NULL */

SfStatus trail_start(SfNode *node, Lane *lane, const LaneOptions *options, int64_t position, SfError *err);
SfStatus trail_begin(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, Quota *quota, SfError *err);
/* SF_OK: rows are to be opened anew, without it; where it lies beside the object: without that only. */
SfStatus trail_miss(SfNode *node, Store *store, Lane *lane, const LaneOptions *options, const char *key, SfError *err);
/* All rows of what was begun were read: up to where its range goes. */
int64_t trail_reach(const Lane *lane, const LaneOptions *options);
void trail_end(Lane *lane, const LaneOptions *options);
/* Layout files: the position that says that all of a file was read: no line of it can have it. */
int64_t trail_whole(const Lane *lane);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trail, trail_free)

/* ---- ledgers.c: which ledgers there are ---- */

/* Lanes of those of these topics (none: of all) of a pipeline (NULL: of the only one; SF_CONFIG where there are
 * several) that `known` does not have, by what begins their keys. */
SfStatus ledgers_find(Store *store, const char *root, const char *pipeline, const SfList *topics, GHashTable *known,
                      GPtrArray *out, SfError *err);
/* ---- names.c: what objects of others are called ---- */

typedef struct ObjectName {
    char *topic;
    int32_t partition;
    int64_t start;
    size_t directory; /* bytes of the key up to the last '/', that one included */
    size_t name;      /* behind it, up to the digits of the start */
    size_t digits;
} ObjectName;

/* Kafka Connect's names, Confluent's "<topic>+<partition>+<start>.json" and Aiven's "<topic>-<partition>-<start>".
 * false: it is another. */
bool name_read(const char *key, ObjectName *out);
/* Whether readers of lakes pass over it: a segment begins with '_' or '.'. */
bool name_is_hidden(const char *key);

/* ---- listing.c: which objects of others there are ---- */

typedef struct Listing Listing;

typedef struct ListingOptions {
    LaneOptions *lane;
    const char *path; /* glob below the root; NULL: all */
    const SfList *topics;
    bool by_directory; /* each directory of a partition is a split */
} ListingOptions;

Listing *listing_new(const ListingOptions *options);
void listing_free(Listing *listing);
/* Lists, and adds to the trails what is new. Lanes that are new are the listing's until they are taken. After a failure
 * it may be called again. */
SfStatus listing_look(SfNode *node, Store *store, Listing *listing, SfError *err);
GPtrArray *listing_fresh(Listing *listing); /* of Lane; to be emptied by who takes them */
/* How many splits there are, of all tasks. */
guint listing_splits(const Listing *listing);
/* What was listed and is not of the layout: how many, and one of them. */
int64_t listing_strangers(const Listing *listing, const char **example);
size_t listing_held(const Listing *listing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listing, listing_free)

/* ---- audit.c ---- */

/* What these splits have, which their ledgers tell; in a deep audit the rows. */
SfStatus lanes_audit(SfNode *node, SfAudit *audit, Store *store, const GPtrArray *lanes, const LaneOptions *options,
                     Blocks *blocks, SfError *err);

#endif
