/* Making, freeing and finding; see ledger_state.h. */
#include "ledger_state.h"

Split *split_new(const Step *source, const SfAssignment *wanted, guint index, char *key)
{
    Split *split = g_new0(Split, 1);
    split->key = key;
    split->source = source;
    split->name = g_strdup(wanted->name);
    split->topic = g_strdup(wanted->topic ? wanted->topic : "");
    split->chains = g_ptr_array_new_with_free_func(g_free);
    split->end = split->from = SF_POSITION_NONE;
    split->past = g_array_new(FALSE, FALSE, sizeof(Span));
    split->split =
        (SfSplit){.name = split->name, .topic = split->topic, .partition = wanted->partition, .index = index};
    return split;
}

void split_free(Split *split)
{
    g_ptr_array_unref(split->chains);
    g_array_unref(split->past);
    g_free(split->key);
    g_free(split->name);
    g_free(split->topic);
    g_free(split);
}

Split *split_of(const SfSplit *split)
{
    return (Split *) (gpointer) split;
}

gint64 split_committed(const Split *split)
{
    gint64 lowest = split->next;
    for (guint i = 0; i < split->chains->len; i++)
        lowest = MIN(lowest, ((const Chain *) split->chains->pdata[i])->committed);
    return lowest;
}

Chain *ledger_find(const SfSplit *split, const Step *sink, size_t input)
{
    const GPtrArray *chains = split_of(split)->chains;
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        if (chain->sink == sink && chain->input == input)
            return chain;
    }
    return NULL;
}
