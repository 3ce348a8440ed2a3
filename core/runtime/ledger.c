/* Positions of splits and chains; see ledger.h. */
#include "ledger.h"

Split *split_new(const Step *source, const SfAssignment *wanted, guint index, char *key)
{
    Split *split = g_new0(Split, 1);
    split->key = key;
    split->source = source;
    split->name = g_strdup(wanted->name);
    split->topic = g_strdup(wanted->topic ? wanted->topic : "");
    split->chains = g_ptr_array_new();
    split->end = SF_POSITION_NONE;
    split->split =
        (SfSplit){.name = split->name, .topic = split->topic, .partition = wanted->partition, .index = index};
    return split;
}

void split_free(Split *split)
{
    if (!split)
        return;
    g_ptr_array_unref(split->chains);
    g_free(split->key);
    g_free(split->name);
    g_free(split->topic);
    g_free(split);
}

gint64 split_committed(const Split *split)
{
    gint64 lowest = split->next;
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        lowest = MIN(lowest, chain->committed);
    }
    return lowest;
}

void chain_advance(Chain *chain, gint64 end)
{
    chain->offered = MAX(chain->offered, end);
}

bool chain_has_gap(const Chain *chain)
{
    return chain->written == chain->queued && chain->offered > chain->queued;
}
