/* Care of a Delta table: small files are packed into larger ones, and files that no version needs are deleted, beside
 * readers and writers. Who wins is decided by commits that are made only if their version is absent: several processes,
 * and threads with a DeltaLog of their own each, may do it at once. */
#ifndef KIT_DELTA_CARE_H
#define KIT_DELTA_CARE_H

#include "delta/read.h"

/* What a run may use, and who ends it. Its functions and values are used by the run's thread. */
typedef struct CareLimits {
    const gint *stop;                            /* atomic; not 0: SF_RETRY soon. NULL: never */
    void (*held)(gpointer user, int64_t memory); /* bytes that it holds now; may be NULL */
    gpointer user;
} CareLimits;

static inline bool care_stops(const CareLimits *limits)
{
    return limits && limits->stop && g_atomic_int_get(limits->stop);
}

typedef struct CareOptimize {
    int64_t target; /* bytes: smaller files are packed into files of about so many */
    bool dry_run;
    bool thrifty;               /* not when most of the new file would be one old one */
    const char *const *sort_by; /* columns, NULL-terminated, by which rows of a new file are sorted; NULL: none */
    ParquetCodec codec;
    int level;
    const char *app_id; /* a txn with it and the time in seconds goes with every commit; NULL: none */
    CareLimits limits;
} CareOptimize;

typedef struct CareOptimized {
    int64_t old_files, new_files;
    int64_t old_bytes, new_bytes;
    int64_t rows;
    int64_t commits;
} CareOptimized;

/* Packs the files of the log's version; the log is then of the newest. SF_FENCED: another writer was first, and what
 * `out` has stays. SF_CONFIG: the table has what a copy would lose. */
SfStatus care_optimize(DeltaLog *log, const CareOptimize *how, CareOptimized *out, SfError *err);

typedef struct CareVacuum {
    int64_t retention_ms; /* -1: the table's, else 7 days */
    bool dry_run;
    bool force;                                           /* a retention shorter than the table's is taken */
    void (*tell)(gpointer user, const StoreEntry *entry); /* of each file that is, or would be, deleted; may be NULL */
    gpointer user;
    CareLimits limits;
} CareVacuum;

typedef struct CareVacuumed {
    int64_t files, bytes, kept;
} CareVacuumed;

/* Deletes what no version within the retention needs; it may be stopped at any time, and called again. */
SfStatus care_vacuum(DeltaLog *log, const CareVacuum *how, CareVacuumed *out, SfError *err);

/* A commit of a txn alone, with the time in seconds: when something was done. */
SfStatus care_record(DeltaLog *log, const char *app_id, const char *operation, SfError *err);

#endif
