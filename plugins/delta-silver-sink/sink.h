/* What the files of this room share. */
#ifndef SILVER_SINK_H
#define SILVER_SINK_H

#include "delta/delta.h"
#include "ranges/adopt.h"
#include "ranges/ranges.h"

/* One file that is being written: rows of one input with the same partition values. */
typedef struct OpenFile {
    struct Input *input;
    ParquetWriter *writer;
    char *key;         /* of the partition, in input->open */
    GPtrArray *values; /* char *, NULL: null; one a partition column */
    GArray *rows;      /* int32_t: rows of the batch at hand that go here */
    guint64 used;      /* sink->clock when rows came last */
} OpenFile;

/* A file that is complete: on its way to the store, or there and waiting for its commit. */
typedef struct DataFile {
    DeltaAdd *add;
    GBytes *body; /* NULL: it is in the store */
    int64_t rows;
} DataFile;

typedef struct PartitionColumn {
    int number;    /* in the input; -1: the input lacks it, so it is null */
    bool nullable; /* by the table */
    bool local;    /* timestamp_ntz, whose texts have no zone */
} PartitionColumn;

typedef struct Input {
    struct Sink *sink;
    struct ArrowSchema given;  /* of its rows */
    struct ArrowSchema schema; /* the same, and behind them the columns that the table fills */
    GPtrArray *fills;          /* DeltaFill *; NULL: the table is not known yet */
    const SfBatch *rejects;    /* the batch at hand, as it came */
    DeltaProjection projection;
    GPtrArray *rules;  /* DeltaRule * */
    GPtrArray *checks; /* DeltaCheck *; NULL: none */
    PartitionColumn *partition;
    GHashTable *open; /* char *key → OpenFile * */
    GPtrArray *idle;  /* ParquetWriter *: buffers and what they learned are kept for the next file */
} Input;

/* One chain of ranges: a split by one input. */
typedef struct Chain {
    Range range;
    char *app_id;
    char *adopted;    /* appId whose position it goes on from, until its own is in the log; NULL: none */
    char *origin;     /* of the split, as the log has it; NULL: not known */
    const char *told; /* likewise, as the commit at hand has it */
    int64_t logged;   /* position in the log under app_id, or SF_POSITION_NONE */
} Chain;

/* maintain.h */
typedef struct Maintenance Maintenance;
typedef struct MaintainOptions {
    int64_t optimize_ms; /* between two; 0: never, likewise below */
    int64_t vacuum_ms;
    int64_t target;
    int64_t retention_ms; /* -1: the table's */
    GPtrArray *sort_by;   /* char * */
} MaintainOptions;

typedef struct Sink {
    /* options */
    StoreOptions store_options;
    SfList partition_by;
    int32_t compression;
    int64_t compression_level;
    int64_t checkpoint_interval;
    int64_t target_file_size;
    int64_t max_open_files;
    SfMap table_properties;
    bool merge_schema;
    const char *adopt; /* NULL: none */
    int32_t start;     /* Start */
    const SfValue *maintain;
    /* the table */
    SfNode *node;
    Store *store;
    DeltaLog *log;
    json_object *schema;   /* as it is, or will be after the next commit */
    bool schema_changed;   /* the next commit brings metaData */
    GPtrArray *partitions; /* char *: names of the partition columns, the table's */
    GPtrArray *keys;       /* char *: the same as files and the log have them */
    bool mapped;           /* by column mapping, these are others */
    int64_t column_id;     /* the highest that has been given out */
    GPtrArray *identities; /* DeltaIdentity * */
    /* what is open */
    size_t n_inputs;
    Input *inputs;
    Ranges *chains;   /* Chain */
    GPtrArray *files; /* DataFile * */
    ParquetScratch *scratch;
    guint n_open; /* OpenFiles of all inputs */
    guint64 clock;
    int64_t pending; /* bytes of bodies that are not in the store yet */
    int64_t charged;
    unsigned idle_beats; /* checkpoints at which nothing but positions had moved */
    char *txn_id;        /* of the commit under way */
    bool uncertain;      /* its outcome is not known */
    bool landed;         /* it has been seen in the log */
    bool stale;          /* the table has changed shape since table_plan() */
    MaintainOptions care;
    Maintenance *maintenance; /* NULL: there is none */
} Sink;

/* table.c: what the table looks like, and what that means for each input. */
SfStatus table_check_options(const Sink *sink, const struct ArrowSchema *input, SfError *err);
/* From the log's newest state; writers are kept when the files stay the same, else SF_FENCED. */
SfStatus table_plan(Sink *sink, SfError *err);
SfStatus table_refresh(Sink *sink, SfError *err); /* table_plan() where that is due */
json_object *table_metadata(Sink *sink);
bool table_changes(const Sink *sink);    /* the next commit brings metaData */
void table_committed(Sink *sink);        /* it has landed */
int64_t table_indexed(const Sink *sink); /* columns that have statistics; -1: all */
int64_t table_number(const Sink *sink, const char *property, int64_t other);

/* properties.c: what table_properties ask for, when the table is created. */
void properties_check(const Sink *sink, SfError *all); /* as sf_fail_also() */
bool properties_track_rows(const Sink *sink);
bool properties_map_columns(const Sink *sink);
bool properties_commit_time(const Sink *sink);
json_object *properties_protocol(const Sink *sink); /* the action */
void properties_add(const Sink *sink, json_object *configuration);

/* rows.c: batches into open files. */
SfStatus rows_write(Input *input, const SfBatch *batch, SfError *err);

/* files.c: open files, finished files, uploads. */
OpenFile *files_open(Input *input, const char *key, GPtrArray *values, SfError *err);
SfStatus files_add_rows(OpenFile *file, const SfBatch *batch, SfError *err); /* file->rows, which are emptied */
SfStatus files_finish(OpenFile *file, SfError *err);                         /* and frees it */
SfStatus files_finish_all(Sink *sink, SfError *err);
SfStatus files_upload(Sink *sink, SfError *err);
void files_charge(Sink *sink);
void files_drop_open(Sink *sink);
void files_drop_idle(Sink *sink);
void files_delete(Sink *sink); /* those in the store that no commit will name */
void open_file_free(OpenFile *file);
void data_file_free(DataFile *file);

/* chains.c */
void chain_clear(gpointer chain);
SfStatus chains_recover(Sink *sink, SfRecovery *chains, size_t n, SfError *err); /* from the log's newest state */
SfStatus chains_check_fence(Sink *sink, SfError *err);
/* The actions that move the chain's position. */
void chain_encode(Sink *sink, Chain *chain, int64_t now, GString *out);
void chains_publish(Sink *sink); /* after the commit */

/* Whether the next commit brings its txn. */
static inline bool chain_moved(const Chain *chain)
{
    return range_moved(&chain->range) || chain->adopted;
}

/* commit.c */
SfStatus commit_all(Sink *sink, SfCommitReason reason, SfError *err);

/* audit.c: the hook */
SfStatus silver_audit(SfNode *node, SfAudit *audit, SfError *err);

#endif
