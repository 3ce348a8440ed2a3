/* Chains and their positions in the table: under our own name, or another's that is adopted. */
#include <string.h>

#include "sink.h"

void chain_clear(gpointer data)
{
    Chain *chain = data;
    g_free(chain->app_id);
    g_free(chain->adopted);
    g_free(chain->origin);
}

/* <pipeline>/<step>/<split>; the input's name in between when there are several. Nothing in it may ever change. */
static char *app_id_of(const SfNode *node, const char *prefix, const Chain *chain)
{
    return node->n_inputs > 1
               ? g_strdup_printf("%s/%s/%s", prefix, node->inputs[chain->range.input], chain->range.split->name)
               : g_strdup_printf("%s/%s", prefix, chain->range.split->name);
}

static Chain *chain_new(Sink *sink, size_t input, const SfSplit *split)
{
    g_autofree char *prefix = g_strdup_printf("%s/%s", sink->node->pipeline, sink->node->step);
    Chain *chain = ranges_add(sink->chains, input, split);
    chain->logged = SF_POSITION_NONE;
    chain->app_id = app_id_of(sink->node, prefix, chain);
    return chain;
}

/* Names under which positions are told in the table: what stands before "/<split>", when that is two or three of our
 * names; NULL: another kind of appId. */
static char *writer_of(const char *app_id, const char *split)
{
    size_t size = strlen(app_id);
    size_t tail = strlen(split);
    if (size < tail + 2 || app_id[size - tail - 1] != '/' || strcmp(app_id + size - tail, split) != 0)
        return NULL;
    g_autofree char *writer = g_strndup(app_id, size - tail - 1);
    g_auto(GStrv) names = g_strsplit(writer, "/", -1);
    guint n = g_strv_length(names);
    for (guint i = 0; i < n; i++)
        if (!names[i][0])
            return NULL;
    return n == 2 || n == 3 ? g_steal_pointer(&writer) : NULL;
}

static bool is_ours(const Sink *sink, const char *app_id, const SfSplit *split)
{
    for (size_t input = 0; input < sink->n_inputs; input++) {
        g_autofree char *prefix = g_strdup_printf("%s/%s", sink->node->pipeline, sink->node->step);
        g_autofree char *own = app_id_of(sink->node, prefix, &(Chain){.range = {.input = input, .split = split}});
        if (g_str_equal(own, app_id))
            return true;
    }
    return false;
}

/* Rows that the table has already under another name would be there twice. */
static SfStatus check_others(const Sink *sink, const Chain *chain, SfError *err)
{
    GHashTableIter iter;
    gpointer app_id;
    g_hash_table_iter_init(&iter, sink->log->txns);
    while (g_hash_table_iter_next(&iter, &app_id, NULL)) {
        g_autofree char *writer = writer_of(app_id, chain->range.split->name);
        if (!writer || is_ours(sink, app_id, chain->range.split))
            continue;
        return sf_fail(err, SF_CONFIG,
                       "%s: '%s' has written '%s' to this table already, and every row would be there twice; set "
                       "'adopt: %s' if '%s' takes over from it (a pipeline, step or input that was renamed), or "
                       "'start: anew' if its rows are others",
                       store_url(sink->store), writer, chain->range.split->name, writer, sink->node->step);
    }
    return SF_OK;
}

/* With the input where the step had several. */
static char *adopted_id(const Sink *sink, const Chain *chain)
{
    g_auto(GStrv) names = adopt_names(sink->node, sink->adopt);
    for (char **name = names; *name; name++) {
        g_autofree char *id = app_id_of(sink->node, *name, chain);
        if (delta_log_find_txn(sink->log, id))
            return g_steal_pointer(&id);
    }
    return NULL;
}

/* What the origin's txn is called. A position's own has no room for it, and nothing but txns outlives the log's
 * cleanup in every table. It is written where the origin is new, with the end of the range as its version. */
static char *origin_id(const char *app_id, const char *origin)
{
    return g_strconcat(app_id, "#origin:", origin, NULL);
}

/* The origin that the position under app_id is of: the newest that was written; NULL: none was. */
static char *recover_origin(const DeltaLog *log, const char *app_id)
{
    g_autofree char *prefix = origin_id(app_id, "");
    const char *newest = NULL;
    int64_t version = -1;
    GHashTableIter iter;
    gpointer id, txn;
    g_hash_table_iter_init(&iter, log->txns);
    while (g_hash_table_iter_next(&iter, &id, &txn)) {
        if (!g_str_has_prefix(id, prefix) || ((const DeltaTxn *) txn)->version <= version)
            continue;
        version = ((const DeltaTxn *) txn)->version;
        newest = (const char *) id + strlen(prefix);
    }
    return g_strdup(newest);
}

void chain_encode(Sink *sink, Chain *chain, int64_t now, GString *out)
{
    delta_txn_encode(chain->app_id, chain->range.end, now, out);
    chain->told = sf_origin(sink->node, chain->range.split);
    if (!chain->told || g_strcmp0(chain->told, chain->origin) == 0)
        return;
    g_autofree char *id = origin_id(chain->app_id, chain->told);
    delta_txn_encode(id, chain->range.end, now, out);
}

static void tell_recovered(const Sink *sink, Chain *chain, const DeltaTxn *txn)
{
    const char *app_id = chain->adopted ? chain->adopted : chain->app_id;
    g_autofree char *origin = recover_origin(sink->log, app_id);
    sf_recovered(sink->node, chain->range.input, chain->range.split, txn->version, txn->updated_ms);
    sf_recovered_origin(sink->node, chain->range.input, chain->range.split, origin);
    if (!chain->adopted)
        chain->origin = g_steal_pointer(&origin);
}

static SfStatus recover_chain(Sink *sink, Chain *chain, SfError *err)
{
    const DeltaTxn *txn = delta_log_find_txn(sink->log, chain->app_id);
    g_clear_pointer(&chain->adopted, g_free);
    g_clear_pointer(&chain->origin, g_free);
    chain->logged = txn ? txn->version : SF_POSITION_NONE;
    if (!txn && sink->adopt) {
        chain->adopted = adopted_id(sink, chain);
        txn = chain->adopted ? delta_log_find_txn(sink->log, chain->adopted) : NULL;
    }
    if (!txn && sink->start == START_KNOWN)
        SF_TRY(check_others(sink, chain, err));
    range_reset(&chain->range, txn ? txn->version : SF_POSITION_NONE);
    if (txn)
        tell_recovered(sink, chain, txn);
    return SF_OK;
}

SfStatus chains_recover(Sink *sink, SfRecovery *chains, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        Chain *chain = ranges_find(sink->chains, chains[i].input, chains[i].split);
        if (!chain)
            chain = chain_new(sink, chains[i].input, chains[i].split);
        else if (range_moved(&chain->range))
            return sf_fail(err, SF_FENCED, "%s was given back with rows that are not committed",
                           chain->range.split->name);
        SF_TRY(recover_chain(sink, chain, err));
        chains[i].position = chain->range.committed;
    }
    return SF_OK;
}

/* Compare and set: the table must stand where this process left it, or another one has taken over. */
SfStatus chains_check_fence(Sink *sink, SfError *err)
{
    for (guint i = 0; i < ranges_count(sink->chains); i++) {
        const Chain *chain = ranges_at(sink->chains, i);
        if (!chain_moved(chain))
            continue;
        const char *moved = chain->app_id;
        int64_t expected = chain->logged;
        int64_t there = delta_log_txn(sink->log, chain->app_id);
        if (there == expected && chain->adopted) {
            moved = chain->adopted;
            expected = chain->range.committed;
            there = delta_log_txn(sink->log, chain->adopted);
        }
        if (there == expected)
            continue;
        files_delete(sink);
        return sf_fail(err, SF_FENCED,
                       "%s: another process has moved %s to %" G_GINT64_FORMAT " (from %" G_GINT64_FORMAT " here)",
                       store_url(sink->store), moved, there, expected);
    }
    return SF_OK;
}

void chains_publish(Sink *sink)
{
    for (guint i = 0; i < ranges_count(sink->chains); i++) {
        Chain *chain = ranges_at(sink->chains, i);
        if (!chain_moved(chain))
            continue;
        g_clear_pointer(&chain->adopted, g_free);
        if (chain->told && g_strcmp0(chain->told, chain->origin) != 0) {
            g_free(chain->origin);
            chain->origin = g_strdup(chain->told);
        }
        chain->logged = chain->range.end;
    }
    ranges_publish(sink->chains);
}
