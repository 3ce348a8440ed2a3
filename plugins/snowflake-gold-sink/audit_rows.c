/* The audit of the warehouse against what should have come: rows are deduplicated as when they are loaded, some
 * thousands at a time, and what is left of each key is looked up there. Memory is for those, and for figures of each
 * table, topic and partition. */
#include "audit_rows.h"

#include <string.h>

#include "pending.h"

/* Rows that are looked up together. */
#define LOT 65536
#define MOST_SPANS 8

/* Of one verdict. */
typedef struct Spans {
    int64_t n;
    guint n_spans;
    GString *text; /* the first offsets: "5, 17, 100 to 103" */
} Spans;

typedef enum Verdict { SAME, CHANGED, MISSING, OLDER, BEATEN, KEPT, N_VERDICTS } Verdict;

/* What became of the rows of one partition in one table. */
typedef struct Tally {
    guint target;
    char *topic;
    int32_t partition;
    int64_t first, last; /* offsets that were audited */
    Spans of[N_VERDICTS];
} Tally;

typedef struct Listening {
    AuditLookup *lookup;
    guint target;
    LoaderListener listener;
} Listening;

struct AuditLookup {
    GoldAudit *audit;
    Pending *pending;
    int64_t n; /* pending rows */
    Listening *listening;
    GPtrArray *checkers; /* Loader *, one a target; NULL: the table is not to be looked into */
    GPtrArray *erasers;  /* likewise */
    GPtrArray *tallies;  /* Tally * */
};

static void tally_free(gpointer data)
{
    Tally *tally = data;
    for (gsize i = 0; i < N_VERDICTS; i++)
        if (tally->of[i].text)
            g_string_free(tally->of[i].text, TRUE);
    g_free(tally->topic);
    g_free(tally);
}

/* The last ones are asked for again and again. */
static Tally *find_tally(AuditLookup *lookup, guint target, const char *topic, gsize size, int32_t partition)
{
    for (guint i = lookup->tallies->len; i-- > 0;) {
        Tally *tally = lookup->tallies->pdata[i];
        if (tally->target == target && tally->partition == partition && strlen(tally->topic) == size &&
            memcmp(tally->topic, topic, size) == 0)
            return tally;
    }
    Tally *tally = g_new0(Tally, 1);
    *tally = (Tally){
        .target = target, .topic = g_strndup(topic, size), .partition = partition, .first = INT64_MAX, .last = -1};
    g_ptr_array_add(lookup->tallies, tally);
    return tally;
}

static void append_span(GString *out, const Finding *finding)
{
    bool gaps = finding->last - finding->first >= finding->n;
    g_string_append_printf(out, "%s%s%" G_GINT64_FORMAT, out->len > 0 ? ", " : "", gaps ? "between " : "",
                           (gint64) finding->first);
    if (finding->last != finding->first)
        g_string_append_printf(out, " %s %" G_GINT64_FORMAT, gaps ? "and" : "to", (gint64) finding->last);
}

static void hear_finding(gpointer data, const Finding *finding)
{
    static const char *const names[N_VERDICTS] = {"same", "changed", "missing", "older", "beaten", "kept"};
    const Listening *listening = data;
    Tally *tally =
        find_tally(listening->lookup, listening->target, finding->topic, strlen(finding->topic), finding->partition);
    for (gsize i = 0; i < N_VERDICTS; i++) {
        if (strcmp(names[i], finding->verdict) != 0)
            continue;
        Spans *spans = &tally->of[i];
        spans->n += finding->n;
        if (i == SAME || i == BEATEN || spans->n_spans++ >= MOST_SPANS)
            return;
        if (!spans->text)
            spans->text = g_string_new(NULL);
        append_span(spans->text, finding);
    }
}

AuditLookup *audit_lookup_new(GoldAudit *audit)
{
    const Model *model = audit->session.model;
    AuditLookup *lookup = g_new0(AuditLookup, 1);
    lookup->audit = audit;
    lookup->pending = pending_new(model);
    lookup->tallies = g_ptr_array_new_with_free_func(tally_free);
    lookup->listening = g_new0(Listening, model->targets->len);
    lookup->checkers = g_ptr_array_new_with_free_func((GDestroyNotify) loader_free);
    lookup->erasers = g_ptr_array_new_with_free_func((GDestroyNotify) loader_free);
    for (guint i = 0; i < model->targets->len; i++) {
        Listening *listening = &lookup->listening[i];
        *listening = (Listening){lookup, i, {hear_finding, listening}};
        Place place = audit_place(audit, i), none = {0};
        bool intact = g_array_index(audit->intact, bool, i), deletes = place.target->deleted != NULL;
        Place deleted = deletes ? sql_deleted(&place) : none;
        Odbc *odbc = audit->session.odbc;
        g_ptr_array_add(lookup->checkers,
                        intact ? loader_new_checker(odbc, &place, &none, lookup->pending, &listening->listener) : NULL);
        g_ptr_array_add(lookup->erasers, intact && deletes ? loader_new_checker(odbc, &deleted, &place, lookup->pending,
                                                                                &listening->listener)
                                                           : NULL);
    }
    return lookup;
}

void audit_lookup_free(AuditLookup *lookup)
{
    if (!lookup)
        return;
    g_ptr_array_unref(lookup->checkers);
    g_ptr_array_unref(lookup->erasers);
    g_ptr_array_unref(lookup->tallies);
    pending_free(lookup->pending);
    g_free(lookup->listening);
    g_free(lookup);
}

/* ---- looking up ---- */

static SfStatus look_up(Loader *checker, const RowRef *rows, gsize n, SfError *err)
{
    if (!checker || n == 0)
        return SF_OK;
    if (checker->class->stage)
        SF_TRY(checker->class->stage(checker, rows, n, err));
    return checker->class->load(checker, rows, 0, n, err);
}

static SfStatus look_up_all(AuditLookup *lookup, SfError *err)
{
    Pending *pending = lookup->pending;
    lookup->n = 0;
    SF_TRY(pending_sort(pending, err));
    if (pending_strike_untakable(pending, NULL) > 0) {
        pending_restart(pending);
        SF_TRY(pending_sort(pending, err));
    }
    for (guint i = 0; i < lookup->checkers->len; i++) {
        const Winners *winners = &pending->winners[i];
        SfError why;
        SfStatus status = look_up(lookup->checkers->pdata[i], winners->rows, winners->n_kept, &why);
        if (status == SF_OK)
            status =
                look_up(lookup->erasers->pdata[i], winners->rows + winners->n_kept, winners->n - winners->n_kept, &why);
        if (status == SF_REJECT)
            sf_audit_unknown(lookup->audit->report, winners->target->table, "some rows cannot be looked up: %s",
                             why.message);
        else if (status != SF_OK)
            return sf_fail(err, status == SF_EMPTY ? SF_RETRY : status, "%s", why.message);
    }
    pending_clear(pending);
    return SF_OK;
}

/* ---- what was looked at ---- */

static void widen(AuditLookup *lookup, const char *topic, gsize size, int32_t partition, int64_t first, int64_t last)
{
    for (guint i = 0; i < lookup->checkers->len; i++) {
        Tally *tally = find_tally(lookup, i, topic, size, partition);
        tally->first = MIN(tally->first, first);
        tally->last = MAX(tally->last, last);
    }
}

/* A topic's partition is audited over the whole range: what stands there in between is nobody's. */
static void widen_by_split(AuditLookup *lookup, const SfBatch *batch)
{
    const char *name = batch->split->name, *slash = strrchr(name, '/');
    guint64 partition = 0;
    if (slash && g_ascii_string_to_unsigned(slash + 1, 10, 0, INT32_MAX, &partition, NULL) && batch->start >= 0)
        widen(lookup, name, (gsize) (slash - name), (int32_t) partition, batch->start, batch->end - 1);
}

static SfStatus widen_by_rows(AuditLookup *lookup, const gint64 *numbers, const SfBatch *batch, SfError *err)
{
    const Model *model = lookup->audit->session.model;
    SfColumn views[3];
    for (gsize i = 0; i < G_N_ELEMENTS(views); i++) {
        gint64 source = name_set_find(model->source_names, model_provenance[i]);
        SF_TRY(sf_column_at(batch, numbers[source], &views[i], err));
    }
    SfBytes topic = {0};
    int32_t partition = 0;
    int64_t first = INT64_MAX, last = -1;
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (sf_is_null(&views[0], row) || sf_is_null(&views[1], row) || sf_is_null(&views[2], row))
            continue;
        SfBytes its = sf_bytes(&views[0], row);
        int32_t part = sf_i32(&views[1], row);
        bool other = its.size != topic.size || part != partition || memcmp(its.data, topic.data, (gsize) its.size) != 0;
        if (other && last >= 0)
            widen(lookup, topic.data, (gsize) topic.size, partition, first, last);
        if (other)
            first = INT64_MAX, last = -1;
        topic = its;
        partition = part;
        first = MIN(first, sf_i64(&views[2], row));
        last = MAX(last, sf_i64(&views[2], row));
    }
    if (last >= 0)
        widen(lookup, topic.data, (gsize) topic.size, partition, first, last);
    return SF_OK;
}

/* ---- the outcome ---- */

/* Of the topic's partition, or of all splits where they are of another kind. */
static int64_t rejected_of(const GoldAudit *audit, const Tally *tally)
{
    g_autofree char *name = g_strdup_printf("%s/%d", tally->topic, tally->partition);
    int64_t all = 0, own = 0;
    bool known = false;
    for (guint i = 0; i < audit->chains->len; i++) {
        const AuditChain *chain = &g_array_index(audit->chains, AuditChain, i);
        bool is_it = strcmp(chain->split, name) == 0;
        known |= is_it;
        own += is_it ? chain->rejected : 0;
        all += chain->rejected;
    }
    return known ? own : all;
}

/* The ledger counts what was refused, over its whole life: as many rows may be lost, or be among the errors. */
static void tell_tally(const GoldAudit *audit, const Tally *tally, Verdict verdict, const char *what)
{
    const Spans *spans = &tally->of[verdict];
    if (spans->n == 0)
        return;
    const Target *target = audit->session.model->targets->pdata[tally->target];
    g_autofree char *rows = audit_rows_text(spans->n);
    int64_t rejected = rejected_of(audit, tally);
    bool lost = verdict == MISSING || verdict == OLDER;
    g_autofree char *message =
        g_strdup_printf("%s %s of '%s/%d', offset %s%s", what, rows, tally->topic, tally->partition, spans->text->str,
                        spans->n_spans > MOST_SPANS ? " and others" : "");
    if (lost && tally->of[MISSING].n + tally->of[OLDER].n <= rejected)
        sf_audit_unknown(audit->report, target->table,
                         "%s; the database has refused %" G_GINT64_FORMAT ", and the ledger does not say which",
                         message, (gint64) rejected);
    else
        sf_audit_fault(audit->report, target->table, "%s", message);
}

static SfStatus take_count(gpointer data, char **cells, SfError *err)
{
    (void) err;
    *(int64_t *) data = audit_number(cells[0]);
    return SF_OK;
}

/* Each row of the table is some event's that was looked up, and found there. */
static SfStatus count_others(const GoldAudit *audit, const Tally *tally, SfError *err)
{
    Place place = audit_place(audit, tally->target);
    int64_t n = 0, known = tally->of[SAME].n + tally->of[CHANGED].n;
    g_autoptr(GString) sql = g_string_new("SELECT COUNT(*) FROM ");
    sql_table(place.dialect, place.schema, place.target->table, sql);
    g_string_append(sql, " WHERE ");
    audit_provenance(&place, 0, sql);
    g_string_append(sql, " = ");
    sql_string(place.dialect, tally->topic, sql);
    g_string_append(sql, " AND ");
    audit_provenance(&place, 1, sql);
    g_string_append_printf(sql, " = %d AND ", tally->partition);
    audit_provenance(&place, 2, sql);
    g_string_append_printf(sql, " BETWEEN %" G_GINT64_FORMAT " AND %" G_GINT64_FORMAT, (gint64) tally->first,
                           (gint64) tally->last);
    SF_TRY(audit_query(audit, sql->str, 1, take_count, &n, err));
    g_autofree char *rows = audit_rows_text(n - known);
    if (n > known)
        sf_audit_fault(audit->report, place.target->table,
                       "has %s of '%s/%d' between offsets %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                       " that no event accounts for: doubled, made up, or with another key",
                       rows, tally->topic, tally->partition, (gint64) tally->first, (gint64) tally->last);
    return SF_OK;
}

static SfStatus conclude(AuditLookup *lookup, SfError *err)
{
    GoldAudit *audit = lookup->audit;
    SF_TRY(look_up_all(lookup, err));
    for (guint i = 0; i < lookup->tallies->len; i++) {
        const Tally *tally = lookup->tallies->pdata[i];
        if (!g_array_index(audit->intact, bool, tally->target))
            continue;
        tell_tally(audit, tally, MISSING, "lacks");
        tell_tally(audit, tally, OLDER, "has older rows in the place of");
        tell_tally(audit, tally, CHANGED, "differs from the events in");
        tell_tally(audit, tally, KEPT, "still has keys that were deleted by");
        SF_TRY(count_others(audit, tally, err));
    }
    return SF_OK;
}

SfStatus audit_lookup_rows(AuditLookup *lookup, SfAudit *report, gsize input, const gint64 *numbers,
                           const SfBatch *batch, SfError *err)
{
    lookup->audit->report = report;
    if (!batch)
        return conclude(lookup, err);
    widen_by_split(lookup, batch);
    if (sf_rows(batch) == 0)
        return SF_OK;
    SF_TRY(widen_by_rows(lookup, numbers, batch, err));
    SF_TRY(pending_add(lookup->pending, NULL, batch, input, numbers, err));
    lookup->n += sf_rows(batch);
    return lookup->n >= LOT ? look_up_all(lookup, err) : SF_OK;
}
