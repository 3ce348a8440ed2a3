/* Reading tables: the state of any version, its live files, what is in them. */
#ifndef KIT_DELTA_READ_H
#define KIT_DELTA_READ_H

#include "delta.h"

/* ---- versions: log_read.c, history.c
 * ------------------------------------------------------------------------------------ */

/* As delta_log_load(), of what there is up to a version. */
SfStatus delta_log_load_until(DeltaLog *log, int64_t version, SfError *err);

/* The same, as of that version. SF_CONFIG tells which there are where it cannot be had. */
SfStatus delta_log_load_at(DeltaLog *log, int64_t version, SfError *err);

/* SF_CONFIG, with the feature's name, when the table needs what we lack for reading. */
SfStatus delta_log_check_reading(const DeltaLog *log, SfError *err);

/* A commit that the log has. */
typedef struct DeltaCommit {
    int64_t version;
    int64_t time_ms; /* of its file */
} DeltaCommit;

/* All of them, ascending. */
SfStatus delta_commits_list(DeltaLog *log, GArray **out, SfError *err);

/* What a commit says of itself (NULL: nothing), and counts of its actions. */
typedef struct DeltaCommitInfo {
    json_object *info;
    int64_t time_ms; /* in-commit, or that of the file */
    int64_t added;
    int64_t added_bytes;
    int64_t added_rows; /* -1: not all files say */
    int64_t removed;
    bool data_change;
    bool schema; /* a metaData or protocol action */
} DeltaCommitInfo;

SfStatus delta_commit_info(DeltaLog *log, const DeltaCommit *commit, DeltaCommitInfo *out, SfError *err);
void delta_commit_info_done(DeltaCommitInfo *info);

/* The last version at that time; SF_CONFIG when the log does not go back so far. */
SfStatus delta_version_at(DeltaLog *log, int64_t time_ms, int64_t *version, SfError *err);

/* ---- files: files.c
 * ------------------------------------------------------------------------------------------------ */

/* Each live file of the log's version, as its add action, with stats as a text. Borrowed for the call. Other statuses
 * than SF_OK end it; SF_EMPTY is for who has enough. */
typedef SfStatus (*DeltaFileCall)(gpointer user, json_object *add, SfError *err);

/* Memory is that of a checkpoint's file and of the paths that the commits behind it name. */
SfStatus delta_files_each(DeltaLog *log, DeltaFileCall call, gpointer user, SfError *err);

/* The same, and with `removed` each remove action that the log still has of a file that is not live. */
SfStatus delta_files_all(DeltaLog *log, DeltaFileCall call, DeltaFileCall removed, gpointer user, SfError *err);

/* Each remove action of the commits `from` to `to`, newest first, of files that no later one of them adds again.
 * SF_FATAL where one of the commits is gone. */
SfStatus delta_removals_each(DeltaLog *log, int64_t from, int64_t to, DeltaFileCall removed, gpointer user,
                             SfError *err);

/* A file is its path and its deletion vector (PROTOCOL.md, "Action Reconciliation"). */
char *delta_file_identity(json_object *action);

/* The store's key of an add's path; NULL and SF_CONFIG where it lies outside of the table. */
char *delta_file_key(const DeltaLog *log, json_object *add, SfError *err);

/* ---- deletion vectors: vector.c
 * ------------------------------------------------------------------------------------------------ */

/* The store's key of an action's vector; *out stays NULL without a vector, and where it is inline. SF_CONFIG where it
 * lies outside of the table, or we do not know where. */
SfStatus delta_vector_key(const DeltaLog *log, json_object *action, char **out, SfError *err);

/* Which of a file's rows are deleted, a bit a row (least significant first); *out stays NULL without a vector. */
SfStatus delta_vector_read(const DeltaLog *log, json_object *add, int64_t rows, uint8_t **out, SfError *err);

static inline bool delta_vector_has(const uint8_t *vector, int64_t row)
{
    return vector && vector[row >> 3] >> (row & 7) & 1;
}

/* Rows that it deletes; 0: there is none. */
int64_t delta_vector_cardinality(json_object *add);

/* ---- columns: fields.c
 * ------------------------------------------------------------------------------------------------ */

/* Columns (fields of the table's schema, borrowed) as a struct of rows: all nullable, maps as lists of key and value.
 * `files`: with the names that files have. SF_CONFIG names a column whose type we lack. */
SfStatus delta_fields_schema(json_object *const *fields, size_t n, bool mapped, bool files, struct ArrowSchema *out,
                             SfError *err);

/* A partition's value as a column of n rows; NULL: null. SF_FATAL where the text is not of the field's type. */
SfStatus delta_constant_column(json_object *field, const char *text, int64_t n, struct ArrowArray *out, SfError *err);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeltaCommitInfo, delta_commit_info_done)

#endif
