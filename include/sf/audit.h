/* The audit: `sfrun audit` asks every step what its own store has, and compares the answers. A plugin takes part by the
 * hook `audit` at the end of its descriptor, and says only what it has looked up, never what it counted while it ran.
 *
 * The node has been bound and is never opened: the hook connects by itself. It writes nothing, takes no lock, joins no
 * group, fences nobody, and may run while the pipeline does. It reads its positions first and answers for what they
 * cover, or reads one snapshot: what is committed meanwhile is not a fault. It is called once for a state. SF_RETRY:
 * what it reported is forgotten, and it is called again with a new state, a few times. What cannot be read is an error;
 * what is wrong with what was read is a finding, and the hook goes on.
 *
 * A sink gives
 *   - its ranges, each with as many rows as its ledger or its statistics say: sf_audit_range()
 *   - in a deep audit, after the ranges: the position of every row that it has: sf_audit_rows(). A sink whose rows are
 *     one a key, not one an event, gives none, and has the hook `audit_rows` instead: it is handed every row that
 *     should have come to it, in order of positions a split, and looks it up in its store.
 *   - what it found: sf_audit_fault(), sf_audit_orphan(), sf_audit_unknown(), sf_audit_note().
 * A source gives its splits with the positions that it still has: sf_audit_range(); and in a deep audit all of its rows
 * within sf_audit_wanted(), as batches like those of poll: sf_audit_batch(). The host runs them through the pipeline's
 * transforms, so that what every sink should have is known whatever they leave out or reject.
 *
 * The host compares, for each chain (one split by one input): ranges without gap or overlap; the rows that should be
 * there with those that are, and with those that the readers of the sink's errors have. It needs memory for ranges, not
 * for rows.
 *
 * All functions are called from within the hooks, by the thread that runs them. Texts are copied. */
#ifndef SF_AUDIT_H
#define SF_AUDIT_H

#include <sf/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each does what those before it do, too. */
typedef enum SfAuditDepth {
    SF_AUDIT_QUICK = 1, /* seconds, however much there is: ledgers, logs, statistics, counts that the store keeps */
    SF_AUDIT_STORED,    /* every object and file that a ledger or log names is there, with its size, and its checksum
                         * where the store knows it without sending the bytes; objects with our names that no ledger
                         * names are orphans */
    SF_AUDIT_DEEP,      /* all rows are read, all checksums are worked out */
    SF_AUDIT_32_BITS = INT32_MAX
} SfAuditDepth;

typedef enum SfAuditKind {
    SF_AUDIT_FAULT = 1, /* rows are lost, doubled, changed, or cannot be read */
    SF_AUDIT_ORPHAN,    /* an object that looks like ours and that nobody names: no reader sees it, it costs space */
    SF_AUDIT_UNKNOWN,   /* something that cannot be known, and why: "records before 100 are gone (retention)" */
    SF_AUDIT_NOTE,      /* a person should know it, and nothing is wrong */
    SF_AUDIT_KIND_32_BITS = INT32_MAX
} SfAuditKind;

/* What a store has of a part of a chain (sink), or of a split (source). */
typedef struct SfAuditRange {
    uint32_t size;     /* sizeof(SfAuditRange): sf_audit_range_new() sets it */
    uint32_t input;    /* sink: number of the input */
    const char *split; /* its name: "sales_events/0"; NULL: not known, then topic and partition say it */
    const char *topic; /* source: always; sink: where the store keeps it, else NULL */
    int32_t partition; /* with the topic */
    int32_t reserved;
    int64_t start;     /* [start, end); start SF_POSITION_NONE: only the end is known (Delta's txn, a ledger's row) */
    int64_t end;       /* source: what it would read up to now */
    int64_t rows;      /* stored rows of the range; source: records in it. -1: not known at this depth */
    int64_t rejected;  /* rows of it that went to the errors, where the store keeps that; -1: it does not */
    const char *place; /* what says so, for people: "sales_events/0/00000000000000000100.json", "version 17"; or NULL */
} SfAuditRange;

/* A range of which nothing more is known; fill in what is. */
static inline SfAuditRange sf_audit_range_new(uint32_t input, const char *split, int64_t start, int64_t end)
{
    SfAuditRange range = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0};
    range.size = sizeof range;
    range.input = input;
    range.split = split;
    range.start = start;
    range.end = end;
    return range;
}

/* The host's; valid until the hook returns. */
struct SfAudit {
    uint32_t size;
    SfAuditDepth depth;
    void *host_data;
    void (*range)(SfAudit *audit, const SfAuditRange *range);
    void (*rows)(SfAudit *audit, uint32_t input, const char *topic, int32_t partition, const int64_t *positions,
                 size_t n);
    void (*find)(SfAudit *audit, SfAuditKind kind, const char *place, const char *message);
    void (*checked)(SfAudit *audit, const char *what, int64_t n, int64_t bytes);
    void (*wanted)(SfAudit *audit, const char *split, int64_t *from, int64_t *to);
    SfStatus (*batch)(SfAudit *audit, SfBatch *batch, SfError *err);
};

/* Any order, but those of one split by one input by their positions. In a quick audit ranges that touch may be given as
 * one. Rows that belong to no split in particular (a table's statistics): split and topic NULL, start and end
 * SF_POSITION_NONE, `rows` those of the input in all. */
static inline void sf_audit_range(SfAudit *audit, const SfAuditRange *range)
{
    audit->range(audit, range);
}

/* Sink, deep: it has rows of these events, one a position, in any order, the same one twice where it is there twice:
 * what `_topic`, `_partition` and `_offset` say (topic, partition and offset of raw rows). n up to some thousands. */
static inline void sf_audit_rows(SfAudit *audit, uint32_t input, const char *topic, int32_t partition,
                                 const int64_t *positions, size_t n)
{
    audit->rows(audit, input, topic, partition, positions, n);
}

/* What was looked at, for the report: "objects", "files", "rows of fact_sales"; figures of the same `what` add up.
 * bytes 0: of no interest. */
static inline void sf_audit_checked(SfAudit *audit, const char *what, int64_t n, int64_t bytes)
{
    audit->checked(audit, what, n, bytes);
}

/* Which positions [*from, *to) of a split are audited: 0 and INT64_MAX unless the user, or for a source the ends of the
 * sinks, say less. Reports outside of it do no harm. */
static inline void sf_audit_wanted(SfAudit *audit, const char *split, int64_t *from, int64_t *to)
{
    audit->wanted(audit, split, from, to);
}

/* Source, deep: the next rows of a split, moved (batch->rows.release becomes NULL), also on failure: return its status.
 * batch->split is the plugin's, valid until the hook returns; its index is not looked at. Ranges chain; the first one
 * starts at or before `from`, where the source has that. */
static inline SfStatus sf_audit_batch(SfAudit *audit, SfBatch *batch, SfError *err)
{
    return audit->batch(audit, batch, err);
}

/* place: what it is about, as a person finds it: an object's whole URL or key, a file, a table; may be NULL. The
 * message says what is wrong with it, in figures: "is missing; it has 100 rows, sales_events/0 from 200 to 300". */
SF_API void sf_audit_fault(SfAudit *audit, const char *place, const char *message, ...) SF_PRINTF(3, 4);
SF_API void sf_audit_orphan(SfAudit *audit, const char *place, const char *message, ...) SF_PRINTF(3, 4);
SF_API void sf_audit_unknown(SfAudit *audit, const char *place, const char *message, ...) SF_PRINTF(3, 4);
SF_API void sf_audit_note(SfAudit *audit, const char *place, const char *message, ...) SF_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
