/* Batches until their commit, and the local half of the deduplication. */
#include "pending.h"

#include <stdlib.h>
#include <string.h>
#include "value.h"

#define FIRST_SLOTS 1024

Pending *pending_new(const Model *model)
{
    Pending *pending = g_new0(Pending, 1);
    pending->model = model;
    pending->parts = g_array_new(FALSE, TRUE, sizeof(Part));
    pending->winners = g_new0(Winners, model->targets->len);
    for (guint i = 0; i < model->targets->len; i++)
        pending->winners[i].target = model->targets->pdata[i];
    return pending;
}

static void winners_clear(Winners *winners)
{
    g_free(winners->rows);
    g_free(winners->hashes);
    g_free(winners->slots);
    *winners = (Winners){.target = winners->target};
}

void pending_clear(Pending *pending)
{
    for (guint i = 0; i < pending->parts->len; i++) {
        Part *part = &g_array_index(pending->parts, Part, i);
        sf_batch_unref(part->batch);
        g_free(part->views);
        g_free(part->struck);
    }
    g_array_set_size(pending->parts, 0);
    pending->sorted = false;
    for (guint i = 0; i < pending->model->targets->len; i++)
        winners_clear(&pending->winners[i]);
}

void pending_free(Pending *pending)
{
    if (!pending)
        return;
    pending_clear(pending);
    g_array_unref(pending->parts);
    g_free(pending->winners);
    g_free(pending);
}

gsize pending_bytes(const Pending *pending)
{
    gsize bytes = 0;
    for (guint i = 0; i < pending->model->targets->len; i++) {
        const Winners *winners = &pending->winners[i];
        bytes += winners->capacity * (sizeof(RowRef) + sizeof(guint32)) + winners->n_slots * sizeof(guint32);
    }
    return bytes + pending->parts->len * (sizeof(Part) + pending->model->sources->len * sizeof(SfColumn));
}

/* ---- the winners of one table ---- */

/* Room for n rows in all, with at most half of the slots taken; false when memory is short. */
static bool winners_reserve(Winners *winners, gsize n)
{
    gsize n_slots = MAX(winners->n_slots, FIRST_SLOTS);
    while (n_slots / 2 < n)
        n_slots *= 2;
    if (n_slots == winners->n_slots)
        return true;
    RowRef *rows = g_try_renew(RowRef, winners->rows, n_slots / 2);
    if (rows)
        winners->rows = rows;
    guint32 *hashes = g_try_renew(guint32, winners->hashes, n_slots / 2);
    if (hashes)
        winners->hashes = hashes;
    guint32 *slots = g_try_new0(guint32, n_slots);
    if (!rows || !hashes || !slots || n_slots > G_MAXUINT32) {
        g_free(slots);
        return false;
    }
    for (gsize i = 0; i < winners->n; i++) {
        gsize slot = hashes[i] & (n_slots - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (guint32) i + 1;
    }
    g_free(winners->slots);
    winners->slots = slots;
    winners->n_slots = n_slots;
    winners->capacity = n_slots / 2;
    return true;
}

static bool rows_share_key(const Pending *pending, const Target *target, RowRef a, RowRef b)
{
    for (guint i = 0; i < target->key->len; i++) {
        guint source = target_column(target, g_array_index(target->key, guint, i))->source;
        if (!value_equal(pending_view(pending, a, source), a.row, pending_view(pending, b, source), b.row))
            return false;
    }
    return true;
}

static int compare_by(const Pending *pending, const Target *target, const GArray *columns, RowRef a, RowRef b)
{
    for (guint i = 0; i < columns->len; i++) {
        guint source = target_column(target, g_array_index(columns, guint, i))->source;
        int order = value_compare(pending_view(pending, a, source), a.row, pending_view(pending, b, source), b.row);
        if (order != 0)
            return order;
    }
    return 0;
}

static Fate fate_of(const Pending *pending, const Target *target, RowRef ref)
{
    return target_fate(target, pending->model->tombstone, pending_part(pending, ref.part)->views, ref.row);
}

static bool row_deletes(const Pending *pending, const Target *target, RowRef ref)
{
    return target->deleted && fate_of(pending, target, ref) != FATE_KEEP;
}

/* The later of two rows in one place is the same event again, and wins. Without a place they are two events: there a
 * delete wins in whatever order they come. */
static bool beats(const Pending *pending, const Target *target, RowRef ref, RowRef winner)
{
    int order = compare_by(pending, target, target->order, ref, winner);
    if (order != 0 || pending->model->provenance)
        return order >= 0;
    return row_deletes(pending, target, ref) || !row_deletes(pending, target, winner);
}

/* A row on its way to the winners. */
typedef struct Entrant {
    RowRef ref;
    guint32 hash;
} Entrant;

/* False: it takes part in no contest, for it is not for this table or has no key. */
static bool make_entrant(const Pending *pending, const Target *target, RowRef ref, Entrant *out)
{
    guint64 hash = 0;
    if (target->skip_when && fate_of(pending, target, ref) == FATE_SKIP)
        return false;
    for (guint i = 0; i < target->key->len; i++) {
        const SfColumn *view =
            pending_view(pending, ref, target_column(target, g_array_index(target->key, guint, i))->source);
        if (sf_is_null(view, ref.row))
            return false;
        hash = value_hash(hash, view, ref.row);
    }
    *out = (Entrant){ref, (guint32) (hash ^ hash >> 32)};
    return true;
}

/* Takes part in the contest for its key, for which there is room. */
static void winners_offer(const Pending *pending, Winners *winners, const Entrant *entrant)
{
    const Target *target = winners->target;
    gsize slot = entrant->hash & (winners->n_slots - 1);
    for (; winners->slots[slot] != 0; slot = (slot + 1) & (winners->n_slots - 1)) {
        guint32 other = winners->slots[slot] - 1;
        if (winners->hashes[other] != entrant->hash ||
            !rows_share_key(pending, target, winners->rows[other], entrant->ref))
            continue;
        if (beats(pending, target, entrant->ref, winners->rows[other]))
            winners->rows[other] = entrant->ref;
        return;
    }
    winners->rows[winners->n] = entrant->ref;
    winners->hashes[winners->n] = entrant->hash;
    winners->slots[slot] = (guint32) ++winners->n;
}

/* ---- rows coming in and going out ---- */

static bool is_struck(const Part *part, guint32 row)
{
    return part->struck && (part->struck[row >> 3] >> (row & 7) & 1);
}

/* Rows that are looked up together: their slots, in any order in memory, are fetched meanwhile. */
#define ENTRANTS 32

static void offer_rows(const Pending *pending, Winners *winners, guint32 number)
{
    const Part *part = pending_part(pending, number);
    Entrant entrants[ENTRANTS];
    guint n = 0;
    for (guint32 row = 0, rows = (guint32) sf_rows(part->batch); row < rows; row++) {
        if (!is_struck(part, row) && make_entrant(pending, winners->target, (RowRef){number, row}, &entrants[n]))
            __builtin_prefetch(&winners->slots[entrants[n++].hash & (winners->n_slots - 1)], 1);
        if (n < ENTRANTS && row + 1 < rows)
            continue;
        for (guint i = 0; i < n; i++)
            winners_offer(pending, winners, &entrants[i]);
        n = 0;
    }
}

static void offer_part(Pending *pending, guint32 number)
{
    for (guint i = 0; i < pending->model->targets->len; i++)
        offer_rows(pending, &pending->winners[i], number);
}

void pending_strike(Pending *pending, SfNode *node, RowRef ref, const char *cause)
{
    Part *part = &g_array_index(pending->parts, Part, ref.part);
    if (!part->struck)
        part->struck = g_malloc0((gsize) (sf_rows(part->batch) + 7) / 8);
    if (is_struck(part, ref.row))
        return;
    part->struck[ref.row >> 3] |= (guint8) (1u << (ref.row & 7));
    if (node)
        sf_reject(node, part->batch, ref.row, "%s", cause);
}

static SfStatus check_values(const Pending *pending, const Target *target, RowRef ref, GString *scratch, SfError *why)
{
    for (guint i = 0; i < target->columns->len; i++) {
        const SfColumn *view = pending_view(pending, ref, target_column(target, i)->source);
        if (!sf_is_null(view, ref.row))
            SF_TRY(value_text(g_string_truncate(scratch, 0), view, ref.row, why));
    }
    return SF_OK;
}

gsize pending_strike_untakable(Pending *pending, SfNode *node)
{
    gsize struck = 0;
    g_autoptr(GString) scratch = g_string_new(NULL);
    for (guint i = 0; i < pending->model->targets->len; i++) {
        const Winners *winners = &pending->winners[i];
        for (gsize row = 0; row < winners->n; row++) {
            const Target *target = row < winners->n_kept ? winners->target : winners->target->deleted;
            SfError why;
            if (check_values(pending, target, winners->rows[row], scratch, &why) == SF_OK)
                continue;
            g_autofree char *cause = g_strdup_printf("table '%s': %s", winners->target->table, why.message);
            pending_strike(pending, node, winners->rows[row], cause);
            struck++;
        }
    }
    return struck;
}

/* Why a row is of no use to a table, or NULL: a fact's row without its key cannot be told from others, a dimension's is
 * only left out there, where there are facts, unless it is to delete. */
static const char *keyless(const Pending *pending, const Target *target, RowRef ref, guint key)
{
    const SfColumn *view = pending_view(pending, ref, target_column(target, key)->source);
    if (!sf_is_null(view, ref.row))
        return NULL;
    Fate fate = fate_of(pending, target, ref);
    bool optional = !target->is_fact && pending->model->n_dimensions < pending->model->targets->len;
    if (fate == FATE_SKIP || (optional && fate != FATE_DELETE))
        return NULL;
    return fate == FATE_KEEP
               ? ""
               : ", without which nothing can be deleted; a delete may have it elsewhere: 'from after.id or before.id'";
}

static void strike_keyless(Pending *pending, SfNode *node, const Target *target, guint32 number)
{
    for (guint k = 0; k < target->key->len; k++) {
        guint key = g_array_index(target->key, guint, k);
        const Column *column = target_column(target, key);
        const SfColumn *view = pending_view(pending, (RowRef){number, 0}, column->source);
        for (guint32 row = 0; view->validity && row < view->length; row++) {
            const char *more = keyless(pending, target, (RowRef){number, row}, key);
            if (!more)
                continue;
            g_autofree char *cause = g_strdup_printf("%s: is null, but the key of table '%s'%s",
                                                     column_source(pending->model, column)->name, target->table, more);
            pending_strike(pending, node, (RowRef){number, row}, cause);
        }
    }
}

static bool has_key(const Pending *pending, const Target *target, RowRef ref)
{
    for (guint i = 0; i < target->key->len; i++) {
        guint source = target_column(target, g_array_index(target->key, guint, i))->source;
        if (sf_is_null(pending_view(pending, ref, source), ref.row))
            return false;
    }
    return true;
}

static bool has_order(const Pending *pending, const Target *target, RowRef ref)
{
    for (guint i = 0; i < target->n_latest; i++) {
        guint source = target_column(target, g_array_index(target->order, guint, i))->source;
        if (!sf_is_null(pending_view(pending, ref, source), ref.row))
            return true;
    }
    return false;
}

/* A delete with null in all of `latest_by` would lose against every row that it could delete, in silence: a tombstone
 * has nothing but its place. */
static void strike_timeless(Pending *pending, SfNode *node, const Target *target, guint32 number)
{
    gint64 rows = sf_rows(pending_part(pending, number)->batch);
    for (guint32 row = 0; target->deleted && target->n_latest > 0 && row < rows; row++) {
        RowRef ref = {number, row};
        if (has_order(pending, target, ref) || !has_key(pending, target, ref))
            continue;
        Fate fate = fate_of(pending, target, ref);
        if (fate != FATE_DELETE && fate != FATE_TOMBSTONE)
            continue;
        const Column *column = target_column(target, g_array_index(target->order, guint, 0));
        g_autofree char *cause = g_strdup_printf(
            "%s: is null, but tells whether the delete is the latest of table '%s'; take what every %s has for "
            "'latest_by', such as _timestamp or _offset",
            column_source(pending->model, column)->name, target->table,
            fate == FATE_TOMBSTONE ? "tombstone" : "delete");
        pending_strike(pending, node, ref, cause);
    }
}

SfStatus pending_add(Pending *pending, SfNode *node, const SfBatch *batch, gsize input, const gint64 *numbers,
                     SfError *err)
{
    if (sf_rows(batch) >= G_MAXUINT32)
        return sf_fail(err, SF_FATAL, "a batch of %" G_GINT64_FORMAT " rows is too large", (gint64) sf_rows(batch));
    g_autofree SfColumn *views = g_new0(SfColumn, pending->model->sources->len);
    for (guint i = 0; i < pending->model->sources->len; i++)
        SF_TRY(sf_column_at(batch, numbers[i], &views[i], err));
    if (pending->sorted)
        pending_restart(pending);
    for (guint i = 0; i < pending->model->targets->len; i++)
        if (!winners_reserve(&pending->winners[i], pending->winners[i].n + (gsize) sf_rows(batch)))
            return sf_fail(err, SF_RETRY, "no memory for the keys of %" G_GSIZE_FORMAT " rows", pending->winners[i].n);
    Part part = {.batch = sf_batch_ref(batch), .input = input, .views = g_steal_pointer(&views)};
    g_array_append_val(pending->parts, part);
    for (guint i = 0; i < pending->model->targets->len; i++) {
        strike_keyless(pending, node, pending->model->targets->pdata[i], pending->parts->len - 1);
        strike_timeless(pending, node, pending->model->targets->pdata[i], pending->parts->len - 1);
    }
    offer_part(pending, pending->parts->len - 1);
    return SF_OK;
}

void pending_restart(Pending *pending)
{
    for (guint i = 0; i < pending->model->targets->len; i++) {
        Winners *winners = &pending->winners[i];
        winners->n = 0;
        if (winners->slots)
            memset(winners->slots, 0, winners->n_slots * sizeof *winners->slots);
    }
    pending->sorted = false;
    /* the same rows as before or fewer: there is room */
    for (guint32 i = 0; i < pending->parts->len; i++)
        offer_part(pending, i);
}

typedef struct Sorting {
    const Pending *pending;
    const Target *target;
} Sorting;

/* The rank of the key's first column decides nearly always, without a look at the rows. */
typedef struct Ranked {
    guint64 rank;
    RowRef ref;
} Ranked;

static int compare_ranked(const void *a, const void *b, void *data)
{
    const Sorting *sorting = data;
    const Ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return compare_by(sorting->pending, sorting->target, sorting->target->key, x->ref, y->ref);
}

static void rank_rows(const Sorting *sorting, const RowRef *rows, gsize n, Ranked *out)
{
    guint source = target_column(sorting->target, g_array_index(sorting->target->key, guint, 0))->source;
    const SfColumn *first = pending_view(sorting->pending, rows[0], source);
    gsize skip = G_MAXSIZE;
    for (gsize i = 0; i < n; i++)
        skip = value_shared(first, rows[0].row, pending_view(sorting->pending, rows[i], source), rows[i].row, skip);
    for (gsize i = 0; i < n; i++)
        out[i] = (Ranked){value_rank(pending_view(sorting->pending, rows[i], source), rows[i].row, skip), rows[i]};
}

/* Rows that delete go behind the others. */
static void part_winners(const Pending *pending, Winners *winners)
{
    winners->n_kept = winners->n;
    for (gsize i = 0; winners->target->deleted && i < winners->n_kept;) {
        RowRef ref = winners->rows[i];
        if (!row_deletes(pending, winners->target, ref)) {
            i++;
            continue;
        }
        winners->rows[i] = winners->rows[--winners->n_kept];
        winners->rows[winners->n_kept] = ref;
    }
}

static bool sort_rows(Sorting *sorting, RowRef *rows, gsize n)
{
    if (n < 2)
        return true;
    g_autofree Ranked *ranked = g_try_new(Ranked, n);
    if (!ranked)
        return false;
    rank_rows(sorting, rows, n, ranked);
    qsort_r(ranked, n, sizeof *ranked, compare_ranked, sorting);
    for (gsize i = 0; i < n; i++)
        rows[i] = ranked[i].ref;
    return true;
}

static bool sort_winners(const Pending *pending, Winners *winners)
{
    Sorting sorting = {pending, winners->target};
    part_winners(pending, winners);
    return sort_rows(&sorting, winners->rows, winners->n_kept) &&
           sort_rows(&sorting, winners->rows + winners->n_kept, winners->n - winners->n_kept);
}

SfStatus pending_sort(Pending *pending, SfError *err)
{
    for (guint i = 0; i < pending->model->targets->len && !pending->sorted; i++) {
        if (sort_winners(pending, &pending->winners[i]))
            continue;
        pending_restart(pending); /* the slots point to where rows were */
        return sf_fail(err, SF_RETRY, "no memory to sort %" G_GSIZE_FORMAT " rows", pending->winners[i].n);
    }
    pending->sorted = true;
    return SF_OK;
}
