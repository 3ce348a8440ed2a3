/* What is known of splits, and what onlookers are shown; see ledger.h. */
#include "ledger.h"

#include <string.h>

#include "ledger_state.h"
#include "origin.h"

/* ---- what is known of splits ------------------------------------------------ */

void ledger_set_end(Ledger *ledger, const SfSplit *split, gint64 end)
{
    g_mutex_lock(&ledger->lock);
    split_of(split)->end = end;
    g_mutex_unlock(&ledger->lock);
}

void ledger_set_origin(Ledger *ledger, const SfSplit *split, const char *origin)
{
    g_mutex_lock(&ledger->lock);
    split_of(split)->origin = origin_keep(ledger->origins, origin);
    g_mutex_unlock(&ledger->lock);
}

const char *ledger_origin(Ledger *ledger, const SfSplit *split)
{
    g_mutex_lock(&ledger->lock);
    const char *origin = split_of(split)->origin;
    g_mutex_unlock(&ledger->lock);
    return origin;
}

void ledger_note_commit(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end, gint64 ms)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    if (chain && end != SF_POSITION_NONE && ms > 0) {
        chain->known_end = end;
        chain->known_ms = ms;
    }
    g_mutex_unlock(&ledger->lock);
}

void ledger_note_origin(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, const char *origin)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    if (chain)
        chain->origin = origin_keep(ledger->origins, origin);
    g_mutex_unlock(&ledger->lock);
}

gint64 ledger_furthest(Ledger *ledger, const SfSplit *split)
{
    const GPtrArray *chains = split_of(split)->chains;
    gint64 furthest = SF_POSITION_NONE;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < chains->len; i++)
        furthest = MAX(furthest, ((const Chain *) chains->pdata[i])->found);
    g_mutex_unlock(&ledger->lock);
    return furthest;
}

gint64 ledger_last_commit(Ledger *ledger, const SfSplit *split, gint64 *position)
{
    const GPtrArray *chains = split_of(split)->chains;
    gint64 newest = -1;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < chains->len; i++) {
        const Chain *chain = chains->pdata[i];
        if (chain->known_ms <= newest || chain->known_ms == 0)
            continue;
        newest = chain->known_ms;
        *position = chain->known_end;
    }
    g_mutex_unlock(&ledger->lock);
    return newest;
}

const char *ledger_other_origin(Ledger *ledger, const SfSplit *split)
{
    const Split *state = split_of(split);
    const char *other = NULL;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; state->origin && !other && i < state->chains->len; i++) {
        const Chain *chain = state->chains->pdata[i];
        if (chain->origin && chain->found != SF_POSITION_NONE && strcmp(chain->origin, state->origin) != 0)
            other = chain->origin;
    }
    g_mutex_unlock(&ledger->lock);
    return other;
}

/* ---- all splits ------------------------------------------------ */

/* The source's only reader has been told since which splits it has, and this one was not among them. */
static bool went_elsewhere(const Ledger *ledger, const Split *split)
{
    return ledger->pipeline->tasks == 1 && split->elsewhere;
}

bool ledger_on_the_way(Ledger *ledger, gint64 patience_us)
{
    bool found = false;
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; !found && i < ledger->splits->len; i++) {
        const Split *split = ledger->splits->pdata[i];
        found = !split->owner && split->next < split->end && !went_elsewhere(ledger, split) &&
                now - split->revoked_us < patience_us;
    }
    g_mutex_unlock(&ledger->lock);
    return found;
}

bool ledger_complete(Ledger *ledger)
{
    bool complete = true;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; complete && i < ledger->splits->len; i++) {
        const Split *split = ledger->splits->pdata[i];
        complete = split_committed(split) >= split->next;
    }
    g_mutex_unlock(&ledger->lock);
    return complete;
}

gint64 ledger_lag(Ledger *ledger, const Step *source)
{
    gint64 lag = -1;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < ledger->splits->len; i++) {
        const Split *split = ledger->splits->pdata[i];
        if (split->source == source && split->owner && split->end != SF_POSITION_NONE)
            lag = MAX(lag, 0) + MAX(split->end - MAX(split_committed(split), 0), 0);
    }
    g_mutex_unlock(&ledger->lock);
    return lag;
}

static gint by_key(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Split *const *) a)->key, (*(const Split *const *) b)->key);
}

static void show_split(const Split *split, void (*show)(gpointer data, const SplitView *view), gpointer data)
{
    g_autofree ChainView *chains = g_new0(ChainView, split->chains->len);
    for (guint i = 0; i < split->chains->len; i++) {
        const Chain *chain = split->chains->pdata[i];
        chains[i] = (ChainView){chain->sink, chain->input, chain->written, chain->committed};
    }
    show(data, &(SplitView){.source = split->source,
                            .name = split->name,
                            .assigned = split->owner != NULL,
                            .from = split->from,
                            .n_past = split->past->len,
                            .past = (const Span *) (const void *) split->past->data,
                            .read = split->next,
                            .committed = split_committed(split),
                            .end = split->end,
                            .n_chains = split->chains->len,
                            .chains = chains});
}

void ledger_show(Ledger *ledger, void (*show)(gpointer data, const SplitView *view), gpointer data)
{
    g_mutex_lock(&ledger->lock);
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(ledger->splits, NULL, NULL);
    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, by_key);
    for (guint i = 0; i < sorted->len; i++)
        show_split(sorted->pdata[i], show, data);
    g_mutex_unlock(&ledger->lock);
}
