/* The transitions of one chain; see chain.h. */
#include "chain.h"

static void check(const Chain *chain)
{
    if (!chain->open)
        return;
    g_assert_cmpint(chain->committed, <=, chain->handed);
    g_assert_cmpint(chain->written, <=, chain->handed);
    g_assert_cmpint(chain->handed, <=, chain->queued);
    g_assert_cmpint(chain->queued, <=, chain->offered);
    g_assert_cmpint(chain->recovered, <=, chain->offered);
}

void chain_recover(Chain *chain, gint64 found, gint64 own, gint64 start)
{
    chain->found = found;
    chain->committed = chain->written = chain->handed = chain->queued = own;
    chain->recovered = chain->offered = MAX(own, start);
    chain->open = true;
    check(chain);
}

bool chain_queue(Chain *chain, gint64 start, gint64 end, gint64 *gap)
{
    if (end <= chain->offered)
        return false;
    *gap = start > chain->queued ? chain->queued : SF_POSITION_NONE;
    chain->queued = chain->offered = end;
    check(chain);
    return true;
}

bool chain_advance(Chain *chain, gint64 end)
{
    bool had_gap = chain_has_gap(chain);
    chain->offered = MAX(chain->offered, end);
    check(chain);
    return !had_gap && chain_has_gap(chain);
}

bool chain_has_gap(const Chain *chain)
{
    return chain->written == chain->queued && chain->offered > chain->queued;
}

gint64 chain_take_gap(Chain *chain)
{
    gint64 start = chain->queued;
    chain->queued = chain->offered;
    check(chain);
    return start;
}

void chain_hand_out(Chain *chain, gint64 end)
{
    g_assert(!chain->writer || chain->writer == g_thread_self());
    chain->writer = g_thread_self();
    chain->handed = MAX(chain->handed, end);
    check(chain);
}

void chain_written(Chain *chain, gint64 end)
{
    g_assert(chain->writer == g_thread_self());
    chain->written = end;
    check(chain);
}

bool chain_commit(Chain *chain, gint64 end)
{
    if (!chain->open)
        return true;
    if (end > chain->handed)
        return false;
    chain->committed = MAX(chain->committed, end);
    check(chain);
    return true;
}
