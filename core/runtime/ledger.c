/* Splits, their chains, and who reads them; see ledger.h. What happens to one chain is chain.c's. */
#include "ledger.h"

#include "ledger_state.h"

#define ORIGINS_SIZE 256 /* bytes that are taken at once */
#define MOST_SPANS 16

Ledger *ledger_new(const Pipeline *pipeline)
{
    Ledger *ledger = g_new0(Ledger, 1);
    g_mutex_init(&ledger->lock);
    ledger->pipeline = pipeline;
    ledger->splits = g_ptr_array_new_with_free_func((GDestroyNotify) split_free);
    ledger->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    ledger->origins = g_string_chunk_new(ORIGINS_SIZE);
    return ledger;
}

void ledger_free(Ledger *ledger)
{
    if (!ledger)
        return;
    g_hash_table_unref(ledger->by_key);
    g_ptr_array_unref(ledger->splits);
    g_string_chunk_free(ledger->origins);
    g_mutex_clear(&ledger->lock);
    g_free(ledger);
}

/* All that is static is called with the lock held. */

/* ---- a split and its reader ------------------------------------------------ */

static Split *intern(Ledger *ledger, const Step *source, const SfAssignment *wanted)
{
    g_autofree char *key = g_strconcat(source->name, "/", wanted->name, NULL);
    Split *split = g_hash_table_lookup(ledger->by_key, key);
    if (split)
        return split;
    split = split_new(source, wanted, ledger->splits->len, g_steal_pointer(&key));
    g_ptr_array_add(ledger->splits, split);
    g_hash_table_insert(ledger->by_key, split->key, split);
    return split;
}

static bool is_of_another(const Split *split, gconstpointer reader)
{
    return (split->owner && split->owner != reader) || (split->claimant && split->claimant != reader);
}

SfStatus ledger_claim(Ledger *ledger, gconstpointer reader, const Step *source, const SfAssignment *wanted, size_t n,
                      const SfSplit **splits, SfError *err)
{
    SfStatus status = SF_OK;
    g_mutex_lock(&ledger->lock);
    for (size_t i = 0; i < n; i++) {
        Split *split = intern(ledger, source, &wanted[i]);
        splits[i] = &split->split;
        if (is_of_another(split, reader))
            status = sf_fail(err, SF_FENCED, "split '%s' of '%s' is read by another task already", split->name,
                             source->name);
    }
    for (size_t i = 0; status == SF_OK && i < n; i++)
        split_of(splits[i])->claimant = reader;
    g_mutex_unlock(&ledger->lock);
    return status;
}

void ledger_give_up(Ledger *ledger, gconstpointer reader, const SfSplit *const *splits, size_t n)
{
    g_mutex_lock(&ledger->lock);
    for (size_t i = 0; i < n; i++) {
        g_assert(split_of(splits[i])->claimant == reader);
        split_of(splits[i])->claimant = NULL;
    }
    g_mutex_unlock(&ledger->lock);
}

void ledger_ask(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    if (!chain) {
        chain = g_new0(Chain, 1);
        chain->sink = sink;
        chain->input = input;
        chain->split = split;
        g_ptr_array_add(split_of(split)->chains, chain);
    }
    chain->open = false;
    g_mutex_unlock(&ledger->lock);
}

/* A sink's errors are complete up to where the sink has committed: what it committed, it does not reject again. */
static gint64 complete_up_to(const SfSplit *split, const Edge *edge)
{
    const Chain *upstream = edge->errors ? ledger_find(split, edge->from, 0) : NULL;
    return upstream ? upstream->recovered : SF_POSITION_NONE;
}

void ledger_recover(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 found, gint64 start)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    gint64 complete = complete_up_to(split, sink->inputs->pdata[input]);
    gint64 own = found;
    if (own == SF_POSITION_NONE)
        own = complete != SF_POSITION_NONE ? complete : start;
    chain_recover(chain, found, own, complete);
    g_mutex_unlock(&ledger->lock);
}

static void start_split(Split *split, gconstpointer reader, SfAssignment *assignment)
{
    gint64 lowest = assignment->start, highest = assignment->start;
    for (guint i = 0; i < split->chains->len; i++) {
        gint64 place = ((const Chain *) split->chains->pdata[i])->recovered;
        lowest = i == 0 ? place : MIN(lowest, place);
        highest = i == 0 ? place : MAX(highest, place);
    }
    split->claimant = NULL;
    split->owner = reader;
    split->elsewhere = false;
    split->next = split->published = split->from = lowest;
    split->highest_cut = highest;
    assignment->position = lowest;
    assignment->split = &split->split;
}

void ledger_assign(Ledger *ledger, gconstpointer reader, const SfSplit *const *splits, SfAssignment *assignments,
                   size_t n)
{
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < ledger->splits->len; i++) {
        Split *split = ledger->splits->pdata[i];
        split->elsewhere = split->elsewhere || (!split->owner && split->former == reader);
    }
    for (size_t i = 0; i < n; i++) {
        g_assert(split_of(splits[i])->claimant == reader);
        start_split(split_of(splits[i]), reader, &assignments[i]);
    }
    g_mutex_unlock(&ledger->lock);
}

SfStatus ledger_read(Ledger *ledger, gconstpointer reader, const SfSplit *split, gint64 start, gint64 end, SfError *err)
{
    Split *state = split_of(split);
    SfStatus status = SF_OK;
    g_mutex_lock(&ledger->lock);
    if (!state || state->owner != reader || start != state->next || end < start)
        status = sf_fail(err, SF_FATAL,
                         "it gave the range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ") of %s, where %" G_GINT64_FORMAT
                         " comes next",
                         start, end, state ? state->name : "no split", state ? state->next : 0);
    else
        state->next = end;
    g_mutex_unlock(&ledger->lock);
    return status;
}

/* What was read and committed in the assignment that is over. */
static void note_span(Split *split)
{
    Span span = {.from = split->from, .to = split_committed(split)};
    Span *last = split->past->len > 0 ? &g_array_index(split->past, Span, split->past->len - 1) : NULL;
    split->from = SF_POSITION_NONE;
    if (span.from == SF_POSITION_NONE || span.to <= span.from)
        return;
    if (last && last->to == span.from)
        last->to = span.to;
    else
        g_array_append_val(split->past, span);
    if (split->past->len > MOST_SPANS) {
        g_array_index(split->past, Span, 1).from = g_array_index(split->past, Span, 0).from;
        g_array_remove_index(split->past, 0);
    }
}

void ledger_revoke(Ledger *ledger, const SfSplit *const *splits, size_t n)
{
    g_mutex_lock(&ledger->lock);
    for (size_t i = 0; i < n; i++) {
        Split *split = split_of(splits[i]);
        note_span(split);
        split->former = split->owner;
        split->owner = NULL;
        split->elsewhere = false;
        split->revoked_us = g_get_monotonic_time();
    }
    g_mutex_unlock(&ledger->lock);
}

GArray *ledger_publish(Ledger *ledger, gconstpointer reader, bool all)
{
    GArray *positions = g_array_new(FALSE, FALSE, sizeof(SfPosition));
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < ledger->splits->len; i++) {
        Split *split = ledger->splits->pdata[i];
        SfPosition position = {.split = &split->split, .position = split_committed(split)};
        if (split->owner != reader || (position.position == split->published && !all))
            continue;
        split->published = position.position;
        g_array_append_val(positions, position);
    }
    g_mutex_unlock(&ledger->lock);
    return positions;
}

/* ---- cuts ------------------------------------------------ */

bool ledger_is_cut(Ledger *ledger, const SfSplit *split, gint64 start)
{
    g_mutex_lock(&ledger->lock);
    bool cut = start < split_of(split)->highest_cut;
    g_mutex_unlock(&ledger->lock);
    return cut;
}

gint64 ledger_next_cut(Ledger *ledger, const SfSplit *split, gint64 from, gint64 end)
{
    const GPtrArray *chains = split_of(split)->chains;
    gint64 cut = end;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; i < chains->len; i++) {
        gint64 place = ((const Chain *) chains->pdata[i])->recovered;
        if (place > from && place < cut)
            cut = place;
    }
    g_mutex_unlock(&ledger->lock);
    return cut;
}

bool ledger_needs(Ledger *ledger, const SfSplit *split, const Step *step, gint64 end)
{
    const GPtrArray *chains = split_of(split)->chains;
    bool needed = false;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; !needed && i < chains->len; i++) {
        const Chain *chain = chains->pdata[i];
        needed = chain->recovered < end && step_reaches(step, chain->sink);
    }
    g_mutex_unlock(&ledger->lock);
    return needed;
}

/* ---- a chain ------------------------------------------------ */

bool ledger_queue(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 start, gint64 end,
                  gint64 *gap)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    bool queued = chain && chain_queue(chain, start, end, gap);
    g_mutex_unlock(&ledger->lock);
    return queued;
}

bool ledger_advance(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end)
{
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    bool asleep = chain && chain_advance(chain, end);
    g_mutex_unlock(&ledger->lock);
    return asleep;
}

gint64 ledger_offered(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split)
{
    g_mutex_lock(&ledger->lock);
    const Chain *chain = ledger_find(split, sink, input);
    gint64 offered = chain ? chain->offered : G_MAXINT64;
    g_mutex_unlock(&ledger->lock);
    return offered;
}

void ledger_hand_out(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end)
{
    g_mutex_lock(&ledger->lock);
    chain_hand_out(ledger_find(split, sink, input), end);
    g_mutex_unlock(&ledger->lock);
}

void ledger_written(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end)
{
    g_mutex_lock(&ledger->lock);
    chain_written(ledger_find(split, sink, input), end);
    g_mutex_unlock(&ledger->lock);
}

SfStatus ledger_commit(Ledger *ledger, const Step *sink, size_t input, const SfSplit *split, gint64 end, SfError *err)
{
    SfStatus status = SF_OK;
    g_mutex_lock(&ledger->lock);
    Chain *chain = ledger_find(split, sink, input);
    if (chain && !chain_commit(chain, end))
        status = sf_fail(err, SF_FATAL,
                         "it said that %s is committed up to %" G_GINT64_FORMAT ", of which it was given only up to "
                         "%" G_GINT64_FORMAT,
                         split->name, end, chain->handed);
    for (guint i = 0; status == SF_OK && i < sink->error_outputs->len; i++) {
        const Edge *edge = sink->error_outputs->pdata[i];
        Chain *errors = ledger_find(split, edge->to, edge->input);
        if (errors)
            chain_advance(errors, end);
    }
    g_mutex_unlock(&ledger->lock);
    return status;
}

/* ---- all chains of a sink ------------------------------------------------ */

typedef bool ChainTest(const Chain *chain);

static bool any(Ledger *ledger, const Step *sink, ChainTest *test)
{
    bool found = false;
    g_mutex_lock(&ledger->lock);
    for (guint i = 0; !found && i < ledger->splits->len; i++) {
        const Split *split = ledger->splits->pdata[i];
        for (guint k = 0; !found && k < split->chains->len; k++) {
            const Chain *chain = split->chains->pdata[k];
            found = chain->sink == sink && test(chain);
        }
    }
    g_mutex_unlock(&ledger->lock);
    return found;
}

static bool is_there(const Chain *chain)
{
    (void) chain;
    return true;
}

static bool is_open(const Chain *chain)
{
    return chain->offered > chain->committed;
}

bool ledger_reaches(Ledger *ledger, const Step *sink)
{
    return any(ledger, sink, is_there);
}

bool ledger_has_open(Ledger *ledger, const Step *sink)
{
    return any(ledger, sink, is_open);
}

bool ledger_has_gap(Ledger *ledger, const Step *sink)
{
    return any(ledger, sink, chain_has_gap);
}

/* The sink's chains with inputs in the order of the graph. */
static GPtrArray *chains_of(Ledger *ledger, const Step *sink)
{
    GPtrArray *chains = g_ptr_array_new();
    for (guint i = 0; i < ledger->splits->len; i++) {
        const Split *split = ledger->splits->pdata[i];
        for (guint k = 0; k < split->chains->len; k++) {
            if (((const Chain *) split->chains->pdata[k])->sink == sink)
                g_ptr_array_add(chains, split->chains->pdata[k]);
        }
    }
    return chains;
}

GArray *ledger_take_gaps(Ledger *ledger, const Step *sink)
{
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(LedgerGap));
    g_mutex_lock(&ledger->lock);
    g_autoptr(GPtrArray) chains = chains_of(ledger, sink);
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        if (!chain_has_gap(chain))
            continue;
        LedgerGap gap = {.input = chain->input, .split = chain->split, .start = chain_take_gap(chain)};
        gap.end = chain->queued;
        g_array_append_val(gaps, gap);
    }
    g_mutex_unlock(&ledger->lock);
    return gaps;
}

SfStatus ledger_check_commit(Ledger *ledger, const Step *sink, bool tells, bool all, SfError *err)
{
    SfStatus status = SF_OK;
    g_mutex_lock(&ledger->lock);
    g_autoptr(GPtrArray) chains = chains_of(ledger, sink);
    for (guint i = 0; i < chains->len; i++) {
        Chain *chain = chains->pdata[i];
        if (!tells)
            chain_commit(chain, chain->written);
        else if (all && chain->committed != chain->written)
            status = sf_fail(err, SF_FATAL,
                             "it said that all is committed, but %s ends at %" G_GINT64_FORMAT
                             " instead of %" G_GINT64_FORMAT,
                             chain->split->name, chain->committed, chain->written);
    }
    g_mutex_unlock(&ledger->lock);
    return status;
}
