/* The transaction, the search for rows that the database refuses, and the COMMIT whose answer was lost. */
#include "commit.h"

#include "ready.h"

/* Rows that a search starts from: a bad row costs about twice this in loading again. */
#define LOT 4096

typedef struct Search {
    Session *session;
    Pending *pending;
    Loader *loader;
    const RowRef *rows; /* the loader's */
    const Target *target;
    gsize struck;
} Search;

/* An upsert needs the key to be unique; tables that others made may lack that. */
static SfStatus explain_missing_index(const Place *place, SfError *err)
{
    g_autoptr(GString) index = g_string_new(NULL);
    sql_unique_index(place, index);
    return sf_value_fail(place->target->place, err, "table '%s' has no unique index over its key; create one: %s",
                         place->target->table, index->str);
}

static SfStatus load_rows_once(const Search *search, gsize first, gsize n, SfError *err)
{
    SfStatus status = search->loader->class->load(search->loader, search->rows, first, n, err);
    return status == SF_CONFIG ? explain_missing_index(&search->loader->place, err) : status;
}

static SfStatus run_savepoint(const Search *search, const char *sql, SfError *err)
{
    return search->session->dialect->has_savepoints ? session_exec(search->session, sql, err) : SF_OK;
}

/* Loads rows[first, first + n); those that the database refuses are found by halving, and struck out. */
static SfStatus load_lot(Search *search, gsize first, gsize n, SfError *err)
{
    SF_TRY(run_savepoint(search, "SAVEPOINT sf_lot", err));
    SfError why = {""};
    SfStatus status = load_rows_once(search, first, n, &why);
    if (status == SF_REJECT)
        SF_TRY(run_savepoint(search, "ROLLBACK TO SAVEPOINT sf_lot", err));
    else if (status != SF_OK)
        return sf_fail(err, status, "%s", why.message);
    SF_TRY(run_savepoint(search, "RELEASE SAVEPOINT sf_lot", err));
    if (status == SF_OK)
        return SF_OK;
    if (n > 1) {
        SF_TRY(load_lot(search, first, n / 2, err));
        return load_lot(search, first + n / 2, n - n / 2, err);
    }
    g_autofree char *cause = g_strdup_printf("table '%s': %s", search->target->table, why.message);
    pending_strike(search->pending, search->session->node, search->rows[first], cause);
    search->struck++;
    return SF_OK;
}

static SfStatus load_rows(Search *search, Loader *loader, const RowRef *rows, gsize n, bool careful, SfError *err)
{
    search->loader = loader;
    search->rows = rows;
    if (n == 0)
        return SF_OK;
    if (!careful)
        return load_rows_once(search, 0, n, err);
    for (gsize first = 0; first < n; first += LOT)
        SF_TRY(load_lot(search, first, MIN(LOT, n - first), err));
    return SF_OK;
}

static SfStatus load_target(Search *search, guint number, bool careful, SfError *err)
{
    const Session *session = search->session;
    const Winners *winners = &search->pending->winners[number];
    search->target = winners->target;
    SF_TRY(load_rows(search, session->loaders->pdata[number], winners->rows, winners->n_kept, careful, err));
    sf_fault(session->node, "gold-loaded");
    if (winners->n_kept == winners->n)
        return SF_OK;
    SF_TRY(load_rows(search, session->erasers->pdata[number], winners->rows + winners->n_kept,
                     winners->n - winners->n_kept, careful, err));
    sf_fault(session->node, "gold-erased");
    return SF_OK;
}

static SfStatus stage_rows(Loader *loader, const RowRef *rows, gsize n, SfError *err)
{
    return n > 0 && loader->class->stage ? loader->class->stage(loader, rows, n, err) : SF_OK;
}

static SfStatus stage_all(Session *session, const Pending *pending, SfError *err)
{
    for (guint i = 0; i < session->loaders->len; i++) {
        const Winners *winners = &pending->winners[i];
        SF_TRY(stage_rows(session->loaders->pdata[i], winners->rows, winners->n_kept, err));
        SF_TRY(
            stage_rows(session->erasers->pdata[i], winners->rows + winners->n_kept, winners->n - winners->n_kept, err));
    }
    sf_fault(session->node, "gold-staged");
    return SF_OK;
}

/* From here on a failure does not tell whether the transaction is there. */
static SfStatus commit_transaction(Session *session, const Ranges *chains, SfError *err)
{
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        chain->uncertain = range_moved(&chain->range) ? chain->range.end : SF_POSITION_NONE;
    }
    SF_TRY(odbc_commit(session->odbc, err));
    sf_fault(session->node, "gold-committed");
    return SF_OK;
}

/* In the order of the tables, so that two processes do not wait for each other. */
static SfStatus lock_deleted(Session *session, const Pending *pending, SfError *err)
{
    for (guint i = 0; session->dialect->lock && i < session->loaders->len; i++) {
        const Winners *winners = &pending->winners[i];
        if (winners->n == 0 || !winners->target->deleted)
            continue;
        g_autoptr(GString) table = g_string_new(NULL), sql = g_string_new(NULL);
        sql_table(session->dialect, session->schema, winners->target->deleted->table, table);
        session->dialect->lock(table->str, winners->n_kept < winners->n, sql);
        SF_TRY(session_exec(session, sql->str, err));
    }
    return SF_OK;
}

/* One try. Careful: searches for bad rows; *struck tells how many it found, and then nothing is committed. */
static SfStatus attempt_transaction(Session *session, Pending *pending, const Ranges *chains, bool careful,
                                    gsize *struck, SfError *err)
{
    Search search = {.session = session, .pending = pending};
    *struck = careful ? pending_strike_untakable(pending, session->node) : 0;
    if (*struck > 0)
        return SF_OK;
    SF_TRY(stage_all(session, pending, err));
    SF_TRY(odbc_autocommit(session->odbc, false, err));
    if (careful && session->dialect->strict)
        SF_TRY(session_exec(session, session->dialect->strict, err));
    /* one after the other where some delete: see lock_deleted() */
    bool ledger_last = session->dialect->ledger_last && !model_deletes(session->model);
    if (!ledger_last)
        SF_TRY(ledger_move(session, chains, err));
    SF_TRY(lock_deleted(session, pending, err));
    for (guint i = 0; i < session->loaders->len; i++)
        SF_TRY(load_target(&search, i, careful, err));
    *struck = search.struck;
    if (search.struck > 0)
        return SF_OK;
    if (ledger_last)
        SF_TRY(ledger_move(session, chains, err));
    SF_TRY(ranges_settle(chains, err)); /* rejects first: the ends leave them out */
    sf_fault(session->node, "gold-settled");
    return commit_transaction(session, chains, err);
}

static SfStatus back_out(Session *session, SfError *err)
{
    SF_TRY(odbc_rollback(session->odbc, err));
    return odbc_autocommit(session->odbc, true, err);
}

/* The fast way first. When rows are refused: all of it again in search of them, then the fast way with the winners
 * that are left, as often as a key's next best row is refused as well. */
static SfStatus transact(Session *session, Pending *pending, const Ranges *chains, SfError *err)
{
    for (bool careful = false;;) {
        gsize struck = 0;
        SF_TRY(pending_sort(pending, err));
        SfStatus status = attempt_transaction(session, pending, chains, careful, &struck, err);
        if (status == SF_REJECT && careful)
            return sf_fail_prefix(err, SF_FATAL, "the database refuses the transaction, but none of its rows");
        if (status != SF_OK && status != SF_REJECT)
            return status;
        if (status == SF_OK && struck == 0)
            return odbc_autocommit(session->odbc, true, err);
        SF_TRY(back_out(session, err));
        careful = status == SF_REJECT;
        if (struck > 0)
            pending_restart(pending);
    }
}

/* After a failure: which of our positions does the ledger have? */
static SfStatus reconcile(Session *session, const Ranges *chains, bool *all_there, SfError *err)
{
    SF_TRY(ledger_read(session, chains, err));
    *all_there = true;
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        bool is_ours =
            chain->there == chain->ledger || (chain->uncertain != SF_POSITION_NONE && chain->there == chain->uncertain);
        if (range_moved(&chain->range) && !is_ours)
            return sf_fail(err, SF_FENCED, "the ledger has moved on: another process commits split '%s' for step '%s'",
                           chain->range.split->name, session->node->step);
        if (is_ours)
            chain->ledger = chain->there;
        chain->uncertain = SF_POSITION_NONE;
        *all_there &= !range_moved(&chain->range) || chain->ledger == chain->range.end;
    }
    return SF_OK;
}

SfStatus commit_pending(Session *session, Pending *pending, const Ranges *chains, SfError *err)
{
    bool fresh = session->dialect == NULL;
    bool all_there = false;
    SfStatus status = session_ready(session, err);
    if (status == SF_OK && fresh)
        status = reconcile(session, chains, &all_there, err);
    if (status == SF_OK && !all_there)
        status = session_purge(session, err);
    if (status == SF_OK && !all_there)
        status = transact(session, pending, chains, err);
    if (status != SF_OK) {
        session_drop(session);
        return status == SF_EMPTY ? SF_RETRY : status;
    }
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        chain->ledger = range_moved(&chain->range) ? chain->range.end : chain->ledger;
        chain->uncertain = SF_POSITION_NONE;
    }
    return SF_OK;
}
