/* A sink's book of positions: of every chain (a split by one input) how far it is committed and how far it is written.
 *
 *   recover:  Chain *chain = ranges_add(ranges, input, split);  range_reset(&chain->range, position);
 *   write:    SF_TRY(ranges_write(ranges, input, batch, err));          // after the sink has taken the rows
 *   commit:   SF_TRY(ranges_settle(ranges, err));  …one atomic act, rows and ends…  ranges_publish(ranges);
 *
 * What else a sink knows of a chain stands in a struct of its own that begins with a Range. The sink's thread only. */
#ifndef KIT_RANGES_H
#define KIT_RANGES_H

#include <glib.h>
#include <sf/sf.h>

/* committed ≤ start ≤ end, where they are known. */
typedef struct Range {
    size_t input;
    const SfSplit *split;
    int64_t committed; /* end of what is durable, and the host was told of; SF_POSITION_NONE: nothing is */
    int64_t start;     /* of the first batch that was written since then; committed, while there is none */
    int64_t end;       /* of the last one; likewise */
} Range;

typedef struct Ranges Ranges;

/* Of structs of so many bytes, which begin with a Range; `clear` frees what is in one, not the struct. May be NULL. */
Ranges *ranges_new(SfNode *node, gsize size, GDestroyNotify clear);
void ranges_free(Ranges *ranges);

/* The chain's struct, which stays where it is until it is removed; NULL: there is none. */
gpointer ranges_find(const Ranges *ranges, size_t input, const SfSplit *split);
/* Likewise; a new one has no positions, and zeroes behind its Range. */
gpointer ranges_add(Ranges *ranges, size_t input, const SfSplit *split);

/* Forgets a chain, whatever is open in it. */
void ranges_remove(Ranges *ranges, gpointer chain);

/* All of them, in the order in which they were added. */
guint ranges_count(const Ranges *ranges);
gpointer ranges_at(const Ranges *ranges, guint number);

/* So far it is committed; nothing is written beyond that. */
void range_reset(Range *range, int64_t committed);

/* The batch has been written. SF_FATAL: its chain was never added, or has its rows already. */
SfStatus range_write(Range *range, const SfBatch *batch, SfError *err);
SfStatus ranges_write(Ranges *ranges, size_t input, const SfBatch *batch, SfError *err);
/* Whether ranges_write() would take it: for sinks that cannot give rows back. */
SfStatus range_check(const Range *range, const SfBatch *batch, SfError *err);

/* Something is written that is not committed, if only the position of rows that were left out. */
static inline bool range_moved(const Range *range)
{
    return range->end != range->committed;
}
bool ranges_moved(const Ranges *ranges);

/* Rejects of what was written are durable when this returns SF_OK: before the ends that leave them out are. */
SfStatus ranges_settle(const Ranges *ranges, SfError *err);
SfStatus range_settle(SfNode *node, const Range *range, SfError *err);

/* Likewise for ends that are not the ranges' own: of sinks that commit what they wrote piece by piece. */
typedef struct RangeEnd {
    size_t input;
    SfPosition end;
} RangeEnd;
SfStatus range_ends_settle(SfNode *node, const RangeEnd *ends, gsize n, SfError *err);

/* What was written is committed: tells the host. */
void ranges_publish(Ranges *ranges);
void range_publish(SfNode *node, Range *range);
/* Likewise up to an end that is not behind what was written: of sinks that commit piece by piece. */
void range_publish_to(SfNode *node, Range *range, int64_t end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ranges, ranges_free)

#endif
