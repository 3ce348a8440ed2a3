/* Writing checkpoints: what their files share. */
#ifndef KIT_DELTA_CHECKPOINT_PARTS_H
#define KIT_DELTA_CHECKPOINT_PARTS_H

#include "read.h"

/* ---- checkpoint_file.c: a Parquet file of actions, one nullable struct a column ---------------------------------- */

typedef struct ActionFile {
    struct ArrowSchema schema; /* borrows its columns */
    ParquetWriter *writer;
    SfBuilder *builder;
    int64_t actions;
} ActionFile;

/* The columns are borrowed until action_file_done(). */
SfStatus action_file_init(ActionFile *file, struct ArrowSchema **columns, int64_t n, SfError *err);
void action_file_done(ActionFile *file);
SfStatus action_file_add(ActionFile *file, int64_t column, json_object *action, SfError *err);
/* Rows of an older file, straight from its columns, which are of the same types; `picked`: n of them. */
SfStatus action_file_copy(ActionFile *file, struct ArrowArray *const *columns, const int32_t *picked, int64_t n,
                          SfError *err);
SfStatus action_file_finish(ActionFile *file, GBytes **out, SfError *err);
/* The state without its files: protocol, metaData, txns, domains. `columns`: theirs, by DeltaColumn. */
SfStatus action_file_add_state(ActionFile *file, const DeltaLog *log, SfError *err);

/* The checkpoint's own file. */
typedef struct Written {
    char *key;
    int64_t size;
    int64_t actions;
    int64_t adds; /* -1: not counted */
} Written;

static inline void written_done(Written *written)
{
    g_free(written->key);
}

/* ---- checkpoint_merge.c: the file actions that hold, out of commits and an older checkpoint ---------------------- */

typedef struct Merge {
    DeltaLog *log;
    struct ArrowSchema typed; /* of what is read, with stats_parsed */
    struct ArrowSchema plain; /* the same without, for files where that cannot be read */
    bool has_typed;
    DeltaStatsForm stats;
    int first;           /* column of `typed` and `plain` that the file begins with */
    ActionFile file;     /* from there to DELTA_COLUMN_REMOVE */
    GPtrArray *sidecars; /* json_object *: those that the older checkpoint refers to */
    GHashTable *seen;    /* char *: files that a newer commit has decided on */
    bool fresh;          /* the commits have added files with names of their own, and no more */
    bool commit_adds;    /* of the commit at hand; likewise */
    bool commit_ours;
    int64_t commit_bytes;
    int64_t adds;
    int64_t expired_before; /* removes with an older deletionTimestamp are dropped */
} Merge;

SfStatus merge_init(Merge *merge, DeltaLog *log, int first, SfError *err);
void merge_done(Merge *merge);
/* A file that the log names; SF_FATAL: it is gone. */
SfStatus merge_get(const Merge *merge, const char *key, int64_t limit, GBytes **out, SfError *err);
/* From the newest on; then the older checkpoint's files. */
SfStatus merge_commit(Merge *merge, int64_t version, SfError *err);
SfStatus merge_file(Merge *merge, const char *key, SfError *err);

/* Columns of file actions: what decides whether a row stays. */
typedef struct FileColumns {
    SfColumn action;
    SfColumn path;
    SfColumn vector;
    SfColumn storage;
    SfColumn inline_or_path;
    SfColumn offset;
    SfColumn removed_at; /* of removes */
    SfColumn stats;      /* of adds; likewise */
    SfColumn parsed;     /* type 0: the file has nothing that we can read */
} FileColumns;

SfStatus file_columns_view(const struct ArrowSchema *schema, const struct ArrowArray *rows, int64_t column,
                           FileColumns *out, SfError *err);
/* Whether a newer commit has decided on the file of that row. */
bool merge_decides(const Merge *merge, const FileColumns *files, int64_t row);
bool merge_expires(const Merge *merge, const FileColumns *removes, int64_t row);

/* ---- checkpoint_sidecars.c: checkpoints of V2 -------------------------------------------------------------------- */

/* Writes one of log->version on top of the older one's keys, of which sidecars stay as they are where nothing in them
 * has changed. */
SfStatus sidecars_write(DeltaLog *log, int64_t base, const GPtrArray *keys, Written *out, SfError *err);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Written, written_done)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ActionFile, action_file_done)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_done)

#endif
