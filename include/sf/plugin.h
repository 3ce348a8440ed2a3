/* Plugins: three descriptors (source, transform, sink) with a common head, and the host's services.
 *
 * A plugin is a shared module `<name>.so` that exports one constant, sf_plugin_v1. The 1 is the ABI's major version.
 * The minor one is the descriptor's size as the plugin was compiled: the host copies min(size, its own) into a zeroed
 * struct, so a hook that an older plugin lacks is NULL. All public structs are append only within v1.
 *
 * State. No void * context: the host allocates state_size zeroed bytes, fills them from the option table, sets
 * node->state and calls bind. It frees them after close. Nothing of it is shared between nodes.
 *
 * Threads. Hooks of one node are called by one thread at a time, never re-entered; only `interrupt` may come from
 * another, at any time between open's SF_OK and close, more than once, and between two hooks too: then the next wait
 * may end at once. It does not reach open, whose waits need a deadline. A plugin needs no locks. Services (below) are
 * called from within hooks of the same node only, except sf_log, sf_now_ms, sf_monotonic_ms and sf_fault, which any
 * thread of the plugin may call.
 *
 * Life. source: bind → open → (poll | serve | committed)* → close; transform: bind → open → apply* → close; sink: bind
 * (once an input) → open → (recover | write | tick | commit)* → close. bind checks all that can be known without I/O,
 * and is all that `sfrun check` calls; open connects. close is called whatever failed before, so it accepts a node
 * that was only bound, or half opened; what was written and not committed is dropped by it. For a new attempt the host
 * starts over with a new state. Hooks that a plugin has no work for are NULL; only a source's bind and poll, a
 * transform's apply (or keep_row), and a sink's write, commit and (for exactly once) recover must be there.
 *
 * Delivery. A sink stores, in the same atomic act as its rows, the range that they come from. `recover` tells the host
 * how far that got; the host starts the source at the lowest answer and cuts off for each sink what it has. After
 * SIGKILL at any point nothing is lost and nothing is there twice. */
#ifndef SF_PLUGIN_H
#define SF_PLUGIN_H

#include <sf/builder.h>
#include <sf/option.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SfHost SfHost;
typedef struct SfAudit SfAudit; /* audit.h */

/* One step of one task, as the plugin sees it. The host's; valid from open to close. */
typedef struct SfNode {
    uint32_t size;
    uint32_t task;        /* 0 … tasks - 1 */
    const char *pipeline; /* names, as in the YAML */
    const char *step;
    void *state;
    const SfHost *host;
    void *host_data;           /* the host's own */
    const char *const *inputs; /* names in `from`, NULL-terminated: "events", "sales.errors" */
    size_t n_inputs;
    bool bounded;   /* trigger `once`: a source ends with SF_END where its splits ended when they were assigned */
    uint32_t tasks; /* of the pipeline in this process, each with a node of this step (sinks have one); 0: older host */
} SfNode;

typedef enum SfKind { SF_SOURCE = 1, SF_TRANSFORM = 2, SF_SINK = 3, SF_KIND_32_BITS = INT32_MAX } SfKind;

/* The common head of the three descriptors. Text is static. */
typedef struct SfHead {
    uint32_t size; /* of the whole descriptor */
    SfKind kind;
    const char *name;        /* the module's file name without .so */
    const char *version;     /* "1.0.0" */
    const char *summary;     /* one line, without a full stop: "Reads lines of files as raw rows" */
    const char *doc;         /* paragraphs for the reference page, Markdown; may be NULL */
    const SfOption *options; /* ended by SF_OPTION_END */
    uint32_t option_size;    /* of one row, as compiled */
    uint32_t reserved;
    size_t state_size;
} SfHead;

/* ---- source ------------------------------------------------ */

/* What a source says of a split that it is about to read, and what it gets back. */
typedef struct SfAssignment {
    const char *name; /* becomes SfSplit.name, and so on; copied */
    const char *topic;
    int32_t partition;
    int64_t start;        /* where reading starts when no sink knows the split: the source's own `start` option */
    int64_t position;     /* out: where to start reading: the lowest that any sink still needs */
    const SfSplit *split; /* out */
} SfAssignment;

typedef struct SfSource {
    SfHead head;
    /* The schema of the rows. No I/O. */
    SfStatus (*bind)(SfNode *node, struct ArrowSchema *out, SfError *err);
    SfStatus (*open)(SfNode *node, SfError *err);
    /* The next batch of one split: SF_OK with out->rows, split, start, end; SF_EMPTY when there is none within
     * timeout_ms (0: do not wait) or after interrupt; SF_END. New splits are announced by sf_assign() in here, lost
     * ones by sf_revoke(). Batches of some thousand rows or 1–4 MiB serve best. */
    SfStatus (*poll)(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err);
    /* Instead of poll while full or paused: stay a member, read nothing; the host shows an SF_RETRY. May be NULL. */
    SfStatus (*serve)(SfNode *node, SfError *err);
    /* Every sink has committed up to these positions: publish them for lag tools, free what was kept for a re-read.
     * Never needed for correctness. May be NULL. `last`: the task is about to close. */
    void (*committed)(SfNode *node, const SfPosition *positions, size_t n, bool last);
    /* From any thread: makes a running poll return soon (within a second). May be NULL when poll keeps its timeout. */
    void (*interrupt)(SfNode *node);
    void (*close)(SfNode *node);
    /* Of a node that is bound and never opened: what the source has of each split, see audit.h. May be NULL. */
    SfStatus (*audit)(SfNode *node, SfAudit *audit, SfError *err);
} SfSource;

/* ---- transform ------------------------------------------------ */

/* A column that a row filter reads: its name, or "$option" where the string option of that field names it. */
typedef struct SfNeed {
    const char *name; /* NULL ends the list */
    SfType type;
} SfNeed;

typedef struct SfTransform {
    SfHead head;
    /* The output's schema from the input's. No I/O. NULL: the same schema. On SF_CONFIG, `out` may be
     * filled with the columns that are known, so that `sfrun check` tells what is wrong behind this step, too. */
    SfStatus (*bind)(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err);
    SfStatus (*open)(SfNode *node, SfError *err);
    /* Fills out->rows (any number of rows) from `in`; the host copies split and range. Rows that cannot be processed go
     * to sf_reject() and are left out. */
    SfStatus (*apply)(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err);
    void (*close)(SfNode *node);
    /* Instead of apply, the whole of a filter: columns[i] is the view of needs[i]; return whether the row stays. */
    const SfNeed *needs;
    bool (*keep_row)(SfNode *node, const SfColumn *columns, int64_t row);
} SfTransform;

/* ---- sink ------------------------------------------------ */

typedef enum SfDelivery { SF_AT_LEAST_ONCE = 1, SF_EXACTLY_ONCE = 2, SF_DELIVERY_32_BITS = INT32_MAX } SfDelivery;

/* Why commit is called. */
typedef enum SfCommitReason {
    SF_COMMIT_CHECKPOINT = 1, /* the pipeline's beat: commit what makes sense to (an object store sink may go on) */
    SF_COMMIT_MEMORY,         /* the process's memory budget is used up: commit all that can be committed now */
    SF_COMMIT_REVOKE,         /* splits move to another process, or a pause begins: commit everything */
    SF_COMMIT_END,            /* a bounded run, or the pipeline, ends: commit everything */
    SF_COMMIT_SETTLE,         /* a sink whose rejects these are waits for them: commit everything */
    SF_COMMIT_32_BITS = INT32_MAX
} SfCommitReason;

/* One chain of ranges: the rows of one split that reach the sink by one input. */
typedef struct SfRecovery {
    size_t input; /* number of the input in node->inputs */
    const SfSplit *split;
    int64_t hint; /* a position that was surely committed in an earlier run, or SF_POSITION_NONE: where to look from */
    int64_t position; /* out: end of what the sink has of this chain, or SF_POSITION_NONE */
} SfRecovery;

typedef struct SfSink {
    SfHead head;
    SfDelivery delivery;
    /* Called once an input (schemas may differ). No I/O. */
    SfStatus (*bind)(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err);
    SfStatus (*open)(SfNode *node, SfError *err);
    /* Fills in the positions of chains that are new to this process. Chains that were recovered before may come again:
     * whatever is open for them has been dropped or committed. */
    SfStatus (*recover)(SfNode *node, SfRecovery *chains, size_t n, SfError *err);
    /* Takes one batch; its start is the previous end of its chain. It may have no rows and only move the range.
     * SF_RETRY: nothing of it was taken. SF_REJECT: likewise, and the host sends all its rows to the step's errors,
     * then writes its range again without rows. */
    SfStatus (*write)(SfNode *node, size_t input, const SfBatch *batch, SfError *err);
    /* Makes written rows durable and visible together with their ranges, and tells sf_committed() how far each chain
     * got. SF_RETRY: called again with the same reason; must be idempotent. For reasons after SF_COMMIT_MEMORY
     * everything written must be committed when it returns SF_OK. */
    SfStatus (*commit)(SfNode *node, SfCommitReason reason, SfError *err);
    /* Up to ten times a second between writes and after them, less often the longer there are none, and at least about
     * once a second: for timers, which are late by an eighth of the time since the last write, and for transfers
     * under way. May be NULL; such a sink sleeps while there is nothing to do. */
    SfStatus (*tick)(SfNode *node, SfError *err);
    /* From any thread: a waiting hook returns SF_RETRY soon. May be NULL when no hook waits for more than a second. */
    void (*interrupt)(SfNode *node);
    void (*close)(SfNode *node);
    /* Of a node that is bound and never opened: what the store has, see audit.h. May be NULL. */
    SfStatus (*audit)(SfNode *node, SfAudit *audit, SfError *err);
    /* Deep audit, after `audit` and on the same state: rows that should have come by this input, up to the ends that it
     * gave, to be looked up in the store. batch NULL: there are no more, of any input. May be NULL. */
    SfStatus (*audit_rows)(SfNode *node, SfAudit *audit, uint32_t input, const SfBatch *batch, SfError *err);
} SfSink;

/* ---- the host's services ------------------------------------------------ */

typedef enum SfLogLevel {
    SF_LOG_DEBUG = 1,
    SF_LOG_INFO,
    SF_LOG_WARNING, /* something that a person should know and that the plugin has dealt with */
    SF_LOG_32_BITS = INT32_MAX
} SfLogLevel;

struct SfHost {
    uint32_t size;
    void (*log)(SfNode *node, SfLogLevel level, const char *message);
    int64_t (*now_ms)(SfNode *node);
    SfStatus (*assign)(SfNode *node, SfAssignment *assignments, size_t n, SfError *err);
    SfStatus (*revoke)(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err);
    void (*lag)(SfNode *node, const SfSplit *split, int64_t end);
    void (*reject)(SfNode *node, const SfBatch *batch, int64_t row, const char *cause);
    SfStatus (*settle)(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err);
    void (*committed)(SfNode *node, size_t input, const SfSplit *split, int64_t end);
    void (*charge)(SfNode *node, int64_t bytes);
    void (*fault)(SfNode *node, const char *point);
    void (*expect)(SfNode *node, int64_t rows);
    void (*recovered)(SfNode *node, size_t input, const SfSplit *split, int64_t position, int64_t committed_ms);
    int64_t (*last_commit)(SfNode *node, const SfSplit *split, int64_t *position);
    int64_t (*furthest)(SfNode *node, const SfSplit *split);
    int64_t (*monotonic_ms)(SfNode *node);
    void (*patience)(SfNode *node, int64_t ms);
    void (*set_origin)(SfNode *node, const SfSplit *split, const char *origin);
    const char *(*other_origin)(SfNode *node, const SfSplit *split);
    const char *(*origin)(SfNode *node, const SfSplit *split);
    void (*recovered_origin)(SfNode *node, size_t input, const SfSplit *split, const char *origin);
    int64_t (*memory)(SfNode *node);
};

/* A line for the operator, not an error: "assigned sales_events/0 at 100". Any thread. */
SF_API void sf_log(SfNode *node, SfLogLevel level, const char *format, ...) SF_PRINTF(3, 4);

/* Wall clock, ms since 1970-01-01 UTC; tests set it. Any thread. */
static inline int64_t sf_now_ms(SfNode *node)
{
    return node->host->now_ms(node);
}

/* For durations and deadlines: ms since some moment in the past, which no change of the wall clock moves; tests set it.
 * Any thread. With an older host: the wall clock. */
static inline int64_t sf_monotonic_ms(SfNode *node)
{
    bool has = node->host->size > offsetof(SfHost, monotonic_ms);
    return has ? node->host->monotonic_ms(node) : node->host->now_ms(node);
}

/* Source: asks every sink where it got to in these splits (waits for them) and fills in position and split. Errors are
 * to be returned from the hook as they are. n may be 0: splits were shared out, and this task gets none. May be called
 * again, with other starts, for splits of which no batch has been given yet. */
static inline SfStatus sf_assign(SfNode *node, SfAssignment *assignments, size_t n, SfError *err)
{
    return node->host->assign(node, assignments, n, err);
}

/* Source: others (the members of its group) wait while it waits for sinks: so many ms at most. After that sf_assign
 * gives SF_RETRY, and is to be called again; sf_revoke gives SF_FENCED: the source lets others have the splits at once,
 * and their next owner reads again what was not committed. 0, and before the first call: no limit. */
static inline void sf_patience(SfNode *node, int64_t ms)
{
    if (node->host->size > offsetof(SfHost, patience))
        node->host->patience(node, ms);
}

/* Source, after sf_assign: the highest position that any sink has of the split, where SfAssignment.position is the
 * lowest; SF_POSITION_NONE: none has any, or an older host. */
static inline int64_t sf_furthest(SfNode *node, const SfSplit *split)
{
    return node->host->size > offsetof(SfHost, furthest) ? node->host->furthest(node, split) : SF_POSITION_NONE;
}

/* Source, after sf_assign: ms since 1970 of the newest commit of the split that any sink knows the time of, and its
 * end; -1: none does. What the source has below that end must be older; if not, the split is another by now. */
static inline int64_t sf_last_commit(SfNode *node, const SfSplit *split, int64_t *position)
{
    return node->host->size > offsetof(SfHost, last_commit) ? node->host->last_commit(node, split, position) : -1;
}

/* An origin tells a split from another one that had its name before: a topic's id, which changes when the topic is
 * deleted and created anew. 1 to SF_ORIGIN_MAX printable ASCII characters without spaces, whose meaning only the source
 * knows; any other text is ignored. Sinks keep it beside the position, so that a source can tell, however long the
 * pipeline was stopped, whether positions still mean what it reads. */
#define SF_ORIGIN_MAX 200

/* Source, after sf_assign and before the split's first batch; and again when it changes: the split's origin. */
static inline void sf_set_origin(SfNode *node, const SfSplit *split, const char *origin)
{
    if (node->host->size > offsetof(SfHost, set_origin))
        node->host->set_origin(node, split, origin);
}

/* Source, after sf_set_origin: an origin other than that, which a sink has its position in the split from; NULL: there
 * is no other, no sink knows, or the host is older. Valid until close. */
static inline const char *sf_other_origin(SfNode *node, const SfSplit *split)
{
    return node->host->size > offsetof(SfHost, other_origin) ? node->host->other_origin(node, split) : NULL;
}

/* Sink, from write, tick or commit: the origin to keep beside the position; NULL: not known, or an older host. Valid
 * until close. */
static inline const char *sf_origin(SfNode *node, const SfSplit *split)
{
    return node->host->size > offsetof(SfHost, origin) ? node->host->origin(node, split) : NULL;
}

/* Sink, from recover: the origin that it has kept beside the position that it answers. NULL is ignored. */
static inline void sf_recovered_origin(SfNode *node, size_t input, const SfSplit *split, const char *origin)
{
    if (origin && node->host->size > offsetof(SfHost, recovered_origin))
        node->host->recovered_origin(node, input, split, origin);
}

/* Source: these splits go to another process. Unless they are lost already, waits until every sink has committed what
 * it was given of them; the source publishes positions after it, in its `committed`, which is called within. */
static inline SfStatus sf_revoke(SfNode *node, const SfSplit *const *splits, size_t n, bool lost, SfError *err)
{
    return node->host->revoke(node, splits, n, lost, err);
}

/* Source: the split ends at `end` for now (a high watermark): for lag figures. */
static inline void sf_lag(SfNode *node, const SfSplit *split, int64_t end)
{
    node->host->lag(node, split, end);
}

/* Source: so many rows will come in all, for the progress line; negative: endless. */
static inline void sf_expect(SfNode *node, int64_t rows)
{
    node->host->expect(node, rows);
}

/* Transform and sink: this row of a batch from the host cannot be processed; it goes with its cause to the step's
 * errors. The cause names the column, the value and what was expected: "sales: 'abc' is not a valid decimal(12,2)". */
SF_API void sf_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause, ...) SF_PRINTF(4, 5);

/* Sink: before a commit of these chains up to these ends becomes visible: waits until every row before them that this
 * node has rejected is durable in the steps that read its errors. All rejects before the ends must have been reported.
 * Without any it returns at once. SF_RETRY when the pipeline stops meanwhile: return it. */
static inline SfStatus sf_settle(SfNode *node, size_t input, const SfPosition *ends, size_t n, SfError *err)
{
    return node->host->settle(node, input, ends, n, err);
}

/* Sink: the chain's rows up to `end` are durable and visible. From write, tick or commit. */
static inline void sf_committed(SfNode *node, size_t input, const SfSplit *split, int64_t end)
{
    node->host->committed(node, input, split, end);
}

/* Sink, from recover, where it can tell: the rows up to `position` were read no later than this, by the clock (ms since
 * 1970): the time of the commit. */
static inline void sf_recovered(SfNode *node, size_t input, const SfSplit *split, int64_t position,
                                int64_t committed_ms)
{
    if (node->host->size > offsetof(SfHost, recovered))
        node->host->recovered(node, input, split, position, committed_ms);
}

/* Sink, transform: the node now holds so many bytes more (negative: less) beside the batches that it keeps alive. */
static inline void sf_charge(SfNode *node, int64_t bytes)
{
    node->host->charge(node, bytes);
}

/* From open on: the pipeline's fair part of the process's memory budget, in bytes, for all of its nodes together;
 * INT64_MAX with an older host. What a node is going to hold all the time (queues, caches) should be a small part of
 * it, and be charged by sf_charge at the end of open: rows on their way get the rest. It changes when another pipeline
 * of the process starts or ends: a node whose caches can shrink or grow may ask again in any hook. The host goes by the
 * new part at once: it polls sources less, and asks sinks to commit (SF_COMMIT_MEMORY). */
static inline int64_t sf_memory(SfNode *node)
{
    return node->host->size > offsetof(SfHost, memory) ? node->host->memory(node) : INT64_MAX;
}

/* A numbered place between two side effects, where a debug build can be killed: SF_FAULT=point:n dies by SIGKILL at the
 * n-th passage. Nothing in a release build. Any thread. */
#ifdef SF_FAULTS
#define sf_fault(node, point) ((node)->host->fault((node), (point)))
#else
#define sf_fault(node, point) ((void) (node))
#endif

/* ---- declaring ------------------------------------------------ */

/*   SF_SINK_PLUGIN = {
 *       SF_SINK_HEAD(MyState, .name = "my-sink", .version = "1.0.0", .summary = "…", .options = options),
 *       .delivery = SF_EXACTLY_ONCE, .open = my_open, …
 *   };
 */
#define SF_HEAD_(descriptor, number, state, ...)                                                                       \
    .head = {.size = sizeof(descriptor),                                                                               \
             .kind = number,                                                                                           \
             .option_size = sizeof(SfOption),                                                                          \
             .state_size = sizeof(state),                                                                              \
             __VA_ARGS__}
#define SF_SOURCE_HEAD(state, ...) SF_HEAD_(SfSource, SF_SOURCE, state, __VA_ARGS__)
#define SF_TRANSFORM_HEAD(state, ...) SF_HEAD_(SfTransform, SF_TRANSFORM, state, __VA_ARGS__)
#define SF_SINK_HEAD(state, ...) SF_HEAD_(SfSink, SF_SINK, state, __VA_ARGS__)

#define SF_SOURCE_PLUGIN                                                                                               \
    SF_API extern const SfSource sf_plugin_v1;                                                                         \
    const SfSource sf_plugin_v1
#define SF_TRANSFORM_PLUGIN                                                                                            \
    SF_API extern const SfTransform sf_plugin_v1;                                                                      \
    const SfTransform sf_plugin_v1
#define SF_SINK_PLUGIN                                                                                                 \
    SF_API extern const SfSink sf_plugin_v1;                                                                           \
    const SfSink sf_plugin_v1

#ifdef __cplusplus
}
#endif

#endif
