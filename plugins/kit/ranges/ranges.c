/* Chains by their order and by a hash of input and split; what they all do alike. */
#include "ranges.h"

struct Ranges {
    SfNode *node;
    gsize size;
    GDestroyNotify clear;
    GPtrArray *all;      /* structs that begin with a Range */
    GHashTable *by_name; /* the same; keys are the structs */
};

static guint hash_chain(gconstpointer chain)
{
    const Range *range = chain;
    return g_direct_hash(range->split) * 31 + (guint) range->input;
}

static gboolean same_chain(gconstpointer a, gconstpointer b)
{
    const Range *x = a, *y = b;
    return x->split == y->split && x->input == y->input;
}

Ranges *ranges_new(SfNode *node, gsize size, GDestroyNotify clear)
{
    g_assert(size >= sizeof(Range));
    Ranges *ranges = g_new(Ranges, 1);
    *ranges = (Ranges){.node = node,
                       .size = size,
                       .clear = clear,
                       .all = g_ptr_array_new_with_free_func(g_free),
                       .by_name = g_hash_table_new(hash_chain, same_chain)};
    return ranges;
}

void ranges_free(Ranges *ranges)
{
    if (!ranges)
        return;
    g_hash_table_unref(ranges->by_name);
    for (guint i = 0; ranges->clear && i < ranges->all->len; i++)
        ranges->clear(ranges->all->pdata[i]);
    g_ptr_array_unref(ranges->all);
    g_free(ranges);
}

gpointer ranges_find(const Ranges *ranges, size_t input, const SfSplit *split)
{
    const Range wanted = {.input = input, .split = split};
    return g_hash_table_lookup(ranges->by_name, &wanted);
}

gpointer ranges_add(Ranges *ranges, size_t input, const SfSplit *split)
{
    Range *range = ranges_find(ranges, input, split);
    if (range)
        return range;
    range = g_malloc0(ranges->size);
    *range = (Range){.input = input, .split = split};
    range_reset(range, SF_POSITION_NONE);
    g_ptr_array_add(ranges->all, range);
    g_hash_table_add(ranges->by_name, range);
    return range;
}

void ranges_remove(Ranges *ranges, gpointer chain)
{
    g_hash_table_remove(ranges->by_name, chain);
    if (ranges->clear)
        ranges->clear(chain);
    g_ptr_array_remove(ranges->all, chain);
}

guint ranges_count(const Ranges *ranges)
{
    return ranges->all->len;
}

gpointer ranges_at(const Ranges *ranges, guint number)
{
    return g_ptr_array_index(ranges->all, number);
}

void range_reset(Range *range, int64_t committed)
{
    range->committed = range->start = range->end = committed;
}

SfStatus range_check(const Range *range, const SfBatch *batch, SfError *err)
{
    if (!range)
        return sf_fail(err, SF_FATAL, "split '%s' starts at %" G_GINT64_FORMAT ", but its position was never recovered",
                       batch->split->name, (gint64) batch->start);
    if (range->end == SF_POSITION_NONE || batch->start >= range->end)
        return SF_OK;
    return sf_fail(err, SF_FATAL,
                   "split '%s' starts at %" G_GINT64_FORMAT ", but is written up to %" G_GINT64_FORMAT " already",
                   batch->split->name, (gint64) batch->start, (gint64) range->end);
}

SfStatus range_write(Range *range, const SfBatch *batch, SfError *err)
{
    SF_TRY(range_check(range, batch, err));
    if (!range_moved(range))
        range->start = batch->start;
    range->end = batch->end;
    return SF_OK;
}

SfStatus ranges_write(Ranges *ranges, size_t input, const SfBatch *batch, SfError *err)
{
    return range_write(ranges_find(ranges, input, batch->split), batch, err);
}

bool ranges_moved(const Ranges *ranges)
{
    for (guint i = 0; i < ranges->all->len; i++)
        if (range_moved(ranges->all->pdata[i]))
            return true;
    return false;
}

SfStatus range_ends_settle(SfNode *node, const RangeEnd *ends, gsize n, SfError *err)
{
    g_autofree SfPosition *of_input = g_new(SfPosition, MAX(n, 1));
    for (size_t input = 0; input < node->n_inputs; input++) {
        gsize found = 0;
        for (gsize i = 0; i < n; i++)
            if (ends[i].input == input)
                of_input[found++] = ends[i].end;
        if (found > 0)
            SF_TRY(sf_settle(node, input, of_input, found, err));
    }
    return SF_OK;
}

static RangeEnd end_of(const Range *range)
{
    return (RangeEnd){.input = range->input, .end = {.split = range->split, .position = range->end}};
}

SfStatus range_settle(SfNode *node, const Range *range, SfError *err)
{
    RangeEnd end = end_of(range);
    return range_moved(range) ? sf_settle(node, end.input, &end.end, 1, err) : SF_OK;
}

SfStatus ranges_settle(const Ranges *ranges, SfError *err)
{
    g_autofree RangeEnd *ends = g_new(RangeEnd, MAX(ranges->all->len, 1));
    gsize n = 0;
    for (guint i = 0; i < ranges->all->len; i++)
        if (range_moved(ranges->all->pdata[i]))
            ends[n++] = end_of(ranges->all->pdata[i]);
    return range_ends_settle(ranges->node, ends, n, err);
}

void range_publish_to(SfNode *node, Range *range, int64_t end)
{
    if (end == range->committed)
        return;
    g_assert(end <= range->end);
    range->committed = range->start = end;
    sf_committed(node, range->input, range->split, end);
}

void range_publish(SfNode *node, Range *range)
{
    range_publish_to(node, range, range->end);
}

void ranges_publish(Ranges *ranges)
{
    for (guint i = 0; i < ranges->all->len; i++)
        range_publish(ranges->node, ranges->all->pdata[i]);
}
