/* Positions: whose each split is, how far it was read, how far each sink has it. Nothing else writes them.
 *
 * A split is claimed and assigned by a reader (a source thread), which reads it until it is revoked. What is read goes
 * on its way to each sink by a chain: offered → queued → handed out → written → committed. Splits are known by the
 * SfSplit that plugins see, chains by sink, input and split.
 *
 * Each function takes the ledger's lock and nothing else, calls nobody, and may be called with the context's lock held;
 * any thread, unless said otherwise. A broken invariant ends the process: what is committed by then is right. */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "config/pipeline.h"
#include "span.h"

typedef struct Ledger Ledger;

/* A range without rows that a sink is to be told of. */
typedef struct LedgerGap {
    size_t input;
    const SfSplit *split;
    gint64 start, end;
} LedgerGap;

Ledger *ledger_new(const Pipeline *pipeline);
void ledger_free(Ledger *ledger);

/* ---- a split and its reader; the reader's thread -------------------------------- */

/* The splits of these names, made at first sight: `splits` gets n of them. SF_FENCED when another reader has one. What
 * is claimed must be assigned or given up. */
SfStatus ledger_claim(Ledger *ledger, gconstpointer reader, const Step *source, const SfAssignment *wanted, size_t n,
                      const SfSplit **splits, SfError *err);
void ledger_give_up(Ledger *ledger, gconstpointer reader, const SfSplit *const *splits, size_t n);

/* The sink will be asked where it is. What it commits up to its answer counts for nothing. */
void ledger_ask(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split);

/* Its answer, or SF_POSITION_NONE: then it goes on at `start`. Where a sink's errors are complete beyond what their
 * reader has, the reader gets the range between without rows. Sinks upstream of it have been taken over before. */
void ledger_recover(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 found, gint64 start);

/* The claimed splits are the reader's (n may be 0): each goes on at the lowest place where one of its sinks does, or at
 * its start. */
void ledger_assign(Ledger *ledger, gconstpointer reader, const SfSplit *const *splits, SfAssignment *assignments,
                   size_t n);

/* The reader has read [start, end). SF_FATAL when it is not its turn. */
SfStatus ledger_read(Ledger *ledger, gconstpointer reader, const SfSplit *split, gint64 start, gint64 end,
                     SfError *err);

void ledger_revoke(Ledger *ledger, const SfSplit *const *splits, size_t n);

/* SfPosition of the reader's splits: how far all sinks have committed, where that has changed since it was told last,
 * or all of them. */
GArray *ledger_publish(Ledger *ledger, gconstpointer reader, bool all);

/* ---- cuts: where sinks go on at different places -------------------------------- */

/* Whether some sink has rows at or after `start` already. */
bool ledger_is_cut(Ledger *ledger, const SfSplit *split, gint64 start);

/* The next place in (from, end) where some sink goes on, or end. */
gint64 ledger_next_cut(Ledger *ledger, const SfSplit *split, gint64 from, gint64 end);

/* Whether a sink at or behind the step needs rows before `end`. */
bool ledger_needs(Ledger *ledger, const SfSplit *split, const Step *step, gint64 end);

/* ---- a chain -------------------------------- */

/* A batch with rows is to be queued by who has the split, or for errors their sink's thread: one at a time. False: the
 * sink has it, or the split does not reach it. *gap: see chain_queue(). */
bool ledger_queue(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 start, gint64 end,
                  gint64 *gap);

/* The range goes on to `end` without rows. True: the sink does not know of it, may sleep, and must be roused. */
bool ledger_advance(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end);

/* Up to where the chain was offered; G_MAXINT64: the split does not reach it. */
gint64 ledger_offered(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split);

/* Around a write. The sink's thread, which is asserted. */
void ledger_hand_out(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end);
void ledger_written(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end);

/* The sink says that it has committed up to `end`; its errors are complete up to there. SF_FATAL when it was not given
 * that much. */
SfStatus ledger_commit(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end, SfError *err);

/* ---- all chains of a sink -------------------------------- */

bool ledger_reaches(Ledger *ledger, const Step *sink);  /* there is one */
bool ledger_has_open(Ledger *ledger, const Step *sink); /* what it was offered is not all committed */
bool ledger_has_gap(Ledger *ledger, const Step *sink);

/* LedgerGap of each, to be handed out at once. The sink's thread. */
GArray *ledger_take_gaps(Ledger *ledger, const Step *sink);

/* After a commit of the sink's. One that does not tell has committed what it has written; one that tells must have told
 * of everything when all was to be committed, otherwise SF_FATAL. */
SfStatus ledger_check_commit(Ledger *ledger, const Step *sink, bool tells, bool all, SfError *err);

/* ---- what is known of splits -------------------------------- */

void ledger_set_end(Ledger *ledger, const SfSplit *split, gint64 end);
void ledger_set_origin(Ledger *ledger, const SfSplit *split, const char *origin);
const char *ledger_origin(Ledger *ledger, const SfSplit *split); /* NULL: not known; valid as long as the ledger */

/* What a sink has kept beside its position: when that was committed, and the origin. */
void ledger_note_commit(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end, gint64 ms);
void ledger_note_origin(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, const char *origin);

/* The highest answer of a sink to the split's last assignment, or SF_POSITION_NONE. */
gint64 ledger_furthest(Ledger *ledger, const SfSplit *split);

/* Time and end of the newest commit of the split that a sink can tell; -1: none, and *position stays. */
gint64 ledger_last_commit(Ledger *ledger, const SfSplit *split, gint64 *position);

/* An origin other than the split's that a sink has its position from, or NULL. */
const char *ledger_other_origin(Ledger *ledger, const SfSplit *split);

/* ---- all splits -------------------------------- */

/* Whether a split that was not read to its end was revoked less than patience_us ago, and may come back: a source with
 * one reader has had a chance since to take it. */
bool ledger_on_the_way(Ledger *ledger, gint64 patience_us);

/* Everything that was read is committed by all. */
bool ledger_complete(Ledger *ledger);

/* Of a source's assigned splits whose end is known, what is not committed yet; -1: none is known. */
gint64 ledger_lag(Ledger *ledger, const Step *source);

typedef struct ChainView {
    const Step *sink;
    size_t input;
    gint64 written, committed;
} ChainView;

typedef struct SplitView {
    const Step *source;
    const char *name;
    bool assigned;
    gint64 from; /* where it was assigned; SF_POSITION_NONE: it is not */
    size_t n_past;
    const Span *past;            /* of assignments that are over, in their order; of many, the oldest two are one */
    gint64 read, committed, end; /* SF_POSITION_NONE: the end is not known */
    size_t n_chains;
    const ChainView *chains;
} SplitView;

/* Shows all splits in the order of their names, under the lock: `show` must not call the ledger. */
void ledger_show(Ledger *ledger, void (*show)(gpointer data, const SplitView *view), gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_free)

#endif
