/* What an audit knows, by step: chains of ranges, rows by topic and partition, findings. A session (session.h) binds
 * the pipeline's steps and calls their hooks, which report (reports.h); the rows that each sink should have are worked
 * out by the pipeline's own transforms (replay.h); both are compared (compare.h) and shown (print.h). One thread. */
#ifndef COMMANDS_AUDIT_MODEL_H
#define COMMANDS_AUDIT_MODEL_H

#include "config/instance.h"
#include "grid.h"
#include "runtime/rejects.h"

typedef struct Audit Audit;

/* The ranges of one split that came by one input: of a sink as its store has them, of a source what there is. */
typedef struct AuditChain {
    guint input;
    char *split; /* its name, or "topic/partition" where the store does not keep it */
    char *topic; /* NULL: not known */
    gint32 partition;
    gint64 start; /* of the first range, or SF_POSITION_NONE */
    gint64 end;   /* of the last one */
    gint64 rows;  /* of all ranges; -1: not known */
    gint64 rejected;
    guint n_ranges;
    bool cut; /* --from lies within a range: its rows are known only as a whole */
} AuditChain;

/* Rows of one input that are known by topic and partition: those that the store has less those that should be there.
 * Splits of files may share one. */
typedef struct AuditLane {
    guint input;
    char *topic;
    gint32 partition;
    Grid grid;
    gint64 stored;
    gint64 expected;
    gint64 lowest; /* position that is stored, or -1 */
    gint64 beyond; /* stored rows outside of what the ranges cover */
    gint64 beyond_first;
    gint64 before; /* rows of the source before the first one that is stored, where it is not known where it began */
    gint64 before_first;
} AuditLane;

typedef struct AuditFinding {
    SfAuditKind kind;
    char *place; /* or NULL */
    char *message;
} AuditFinding;

typedef struct AuditCount {
    char *what;
    gint64 n;
    gint64 bytes;
} AuditCount;

typedef struct AuditStep {
    Audit *audit;
    const Step *step;
    Instance *instance;              /* bound; a transform's is opened for the replay, a sink's has answered its hook */
    GPtrArray *spent;                /* Instance *: those before it */
    Caller caller;                   /* for the errors of a transform */
    bool asked;                      /* it has the hook, and has answered */
    SfAudit handed;                  /* what its hooks are given, with the depth at which it is asked at the moment */
    GPtrArray *chains;               /* AuditChain * */
    GPtrArray *lanes;                /* AuditLane * */
    GArray *findings;                /* of AuditFinding, up to a bound */
    gint64 found[SF_AUDIT_NOTE + 1]; /* by kind: all of them */
    GArray *counts;                  /* of AuditCount */
    gint64 *totals;  /* of each input, where the store knows how many rows it has, but not of which splits; -1 */
    bool *gave_rows; /* of each input: their positions, too */
} AuditStep;

/* One line of the result: a sink's input. */
typedef struct AuditLine {
    const AuditStep *step;
    guint input;
    gint64 events;   /* that should be here; -1: not known */
    gint64 stored;   /* -1: not known */
    gint64 rejected; /* by this step, as the readers of its errors have them, or its own ledger; -1: not known */
    gint64 behind;   /* positions that the source has beyond those of the step */
} AuditLine;

struct Audit {
    const Pipeline *pipeline;
    SfAuditDepth depth;
    GHashTable *from; /* split, or "" for all → gint64 * */
    AuditStep *steps; /* by step index */
    GArray *lines;    /* of AuditLine */
    gint64 seen;      /* rows, for the progress */
    bool tell;        /* progress on standard error */
    gint64 told_us;
};

void audit_init(Audit *audit, const Pipeline *pipeline, SfAuditDepth depth);
void audit_done(Audit *audit);
gint64 audit_from(const Audit *audit, const char *split); /* --from */
/* SF_CONFIG: a --from that no split reaches, by what the steps have said. */
SfStatus audit_check_from(const Audit *audit, SfError *err);
void audit_progress(Audit *audit, const char *step, gint64 rows);
gint64 audit_found(const Audit *audit, SfAuditKind kind); /* findings of all steps */

void step_forget(AuditStep *step); /* what it reported so far */
void step_add_finding(AuditStep *step, SfAuditKind kind, const char *place, const char *message);
void step_find(AuditStep *step, SfAuditKind kind, const char *place, const char *format, ...) G_GNUC_PRINTF(4, 5);
AuditChain *step_chain(const AuditStep *step, guint input, const char *split); /* or NULL */
AuditLane *step_lane(AuditStep *step, guint input, const char *topic, gint32 partition);
/* The only chain of the step's input that has this topic and partition; NULL: there is none, or several. */
const AuditChain *step_chain_of(const AuditStep *step, guint input, const char *topic, gint32 partition);
/* The source that an input's rows come from, and its word of a split; NULL: it does not have it. */
const Step *audit_source_of(const Step *step, guint input);
const AuditChain *audit_source_chain(const Audit *audit, const Step *step, guint input, const char *split);

#endif
