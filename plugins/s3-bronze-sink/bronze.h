/* What the files of the bronze sink share: its state and its chains of ranges. */
#ifndef BRONZE_H
#define BRONZE_H

#include "bronze/ledger.h"
#include "object.h"
#include "ranges/adopt.h"
#include "ranges/ranges.h"
#include "store/store.h"

/* ---- one split by one input ---- */

/* How much is there of an object and what lies beside it. */
typedef enum Stored { STORED_NONE, STORED_PARTLY, STORED_ALL } Stored;

/* A redo of an entry's range whose objects are not all there. */
typedef struct Redo {
    Entry *entry;
    GPtrArray *objects; /* Object * or NULL (all is stored already), one an entry's object */
    Stored *stored;     /* likewise */
} Redo;

/* A cut range on its way: its entry, then its objects. */
typedef struct Pending {
    int64_t start;
    int64_t end;
    GPtrArray *objects; /* Object *, sealed */
    GBytes *entry;      /* what is to be created; NULL: it is there */
    bool amends;        /* it takes the place of the one that is there */
    int64_t rejected;
} Pending;

/* committed ≤ begin ≤ cut_end ≤ range.end, where they are known. */
typedef struct Chain {
    Range range;       /* committed: its objects are durable */
    char *topic;       /* as keys have it */
    char *name;        /* likewise: the topic, or what tells the split from another of that topic, see chain_call() */
    char *ledger;      /* "_sf/sales/sales_events/0/" */
    int64_t begin;     /* of the range that has no entry yet, and is not pending */
    int64_t cut_end;   /* end of the closed objects */
    GPtrArray *closed; /* Object *, sealed, [begin, cut_end) */
    GPtrArray *open;   /* Object *, [cut_end, range.end) */
    Object *current;   /* the open one for event times in [low, high) */
    int64_t low;
    int64_t high;
    size_t expected;      /* bytes of the next range's first object, by the last ones */
    size_t held;          /* bytes of memory, as the host was told */
    int64_t rows;         /* in the open ones */
    int64_t newest_us;    /* latest event time so far, of all ranges */
    int64_t base_us;      /* event time that rotate.interval.ms counts from */
    int64_t opened_ms;    /* when the open range got its first row or position (monotonic); 0: it has none */
    int64_t rejected;     /* rejects in [cut_end, range.end) */
    int64_t rejected_cut; /* in [begin, cut_end) */
    const char *reason;   /* of the last cut */
    Redo *redo;
    Pending *pending;
} Chain;

/* ---- the sink ---- */

typedef struct Bronze {
    StoreOptions place;
    LayoutOptions layout_options;
    const char *topics_dir; /* as given */
    int64_t flush_size;
    int64_t rotate_ms;
    int64_t schedule_ms;
    int64_t pad;
    const char *extension;     /* of raw objects */
    int64_t connect_part_size; /* s3.part.size */
    const char *adopt;         /* a name that this step had before, or NULL */
    int32_t start;             /* Start */

    Layout layout;
    bool has_layout;
    char *root;   /* "" or "topics/" */
    Store *store; /* atomic: interrupt() reads it */
    char *writer; /* unique to this process and attempt */
    Workshop workshop;
    Ranges *chains;           /* of Chain */
    int64_t next_schedule_ms; /* by the wall clock; 0: not set yet */
    int64_t schedule_by_ms;   /* the same moment by the monotonic clock, as it was when that was set */
    int64_t charged;          /* told to the host */
} Bronze;

static inline Bronze *bronze_of(const SfNode *node)
{
    return node->state;
}

/* chain.c: rows into objects, and the rules by which ranges are cut */
void chain_init(const Bronze *bronze, const SfNode *node, Chain *chain); /* of ranges_add() */
void chain_done(gpointer chain);
void pending_free(Pending *pending);
void chain_reset(Chain *chain, int64_t position); /* drops all that is not committed */
SfStatus chain_write(SfNode *node, Chain *chain, const SfBatch *batch, SfError *err);
/* Closes what is open. */
SfStatus chain_cut(Chain *chain, int64_t end, const char *reason, SfError *err);
bool chain_has_open(const Chain *chain);
size_t chain_held(const Chain *chain);

/* names.c: what splits and objects are called. Own: "<topic>@s<hash of the split's name>", for a split whose topic and
 * partition another one has as well, such as a file that took another's place; else "<topic>", or "<topic>@<epoch>". */
void chain_call(const Bronze *bronze, const SfNode *node, Chain *chain, bool own);
/* Where its ledger is when the pipeline is called so. */
char *chain_ledger(const Bronze *bronze, const Chain *chain, const char *pipeline, bool own);
/* Whether it is told from all others by topic, partition and epoch. */
bool split_is_numbered(const SfSplit *split);
char *chain_directory(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket);
/* "<directory>/<name>+<partition>+<first>.json" */
char *chain_object_key(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket, int64_t first);
/* Likewise "….keys.json", "….headers.json", as Kafka Connect has them whatever the values' format. */
char *chain_beside_key(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket, int64_t first,
                       Beside kind);
/* Whether it is an object's of this chain by its name, whatever its directory. */
bool chain_owns_key(const Bronze *bronze, const Chain *chain, const char *key);
/* Whether it may be an object's of this chain: below its topic's directory. */
bool chain_has_key(const Bronze *bronze, const Chain *chain, const char *key);

/* redo.c: the rows of an entry's range once more */
/* Takes the entry and `stored`, one for each of its objects, over. */
Redo *redo_new(Entry *entry, Stored *stored, Workshop *workshop);
void redo_free(Redo *redo);
/* Puts one row where the entry has it; *into NULL: in an object that is stored already. */
SfStatus redo_row(const Bronze *bronze, Chain *chain, const LayoutRow *row, int64_t position, Object **into,
                  SfError *err);
/* The whole range was read: turns the redo into what is pending. Logs where the rows differ from the entry's; SF_FATAL:
 * they do in an object of which a part is stored. */
SfStatus redo_finish(SfNode *node, Chain *chain, SfError *err);

/* recover.c: finds under which name a split's ledger is, and where its chain ended */
/* written_ms: when the last entry was; 0: there is none. */
SfStatus chain_recover(SfNode *node, Chain *chain, int64_t hint, int64_t *position, int64_t *written_ms, SfError *err);

/* What lies under the key is not the object that the chain's entry of `start` describes. Returns SF_CONFIG. */
SfStatus refuse_foreign(SfNode *node, const Chain *chain, int64_t start, const char *key, int64_t size,
                        int64_t expected, SfError *err);

/* flush.c: entries, then objects, then sf_committed() */
SfStatus bronze_flush(SfNode *node, SfError *err);
/* Whether so much waits that it should go before more comes in. */
bool bronze_flush_due(const Bronze *bronze);

/* audit.c: hooks */
SfStatus bronze_audit(SfNode *node, SfAudit *audit, SfError *err);
SfStatus bronze_audit_rows(SfNode *node, SfAudit *audit, uint32_t input, const SfBatch *batch, SfError *err);

#endif
