/* Calls a plugin's hooks as the runtime does, and checks what comes back. */
#include "harness_private.h"

#include "data/rowfilter.h"

static const struct ArrowSchema *output_schema(const Harness *h)
{
    return h->own->outputs->pdata[h->own->outputs->len - 1];
}

/* ---- transform ---- */

static SfStatus apply(Harness *h, const SfBatch *batch, const SfBatch **out)
{
    const SfTransform *transform = &h->own->plugin->transform;
    harness_open(h);
    SfBatch made = {.newest_us = INT64_MIN};
    h->status = rowfilter_is(transform) ? rowfilter_apply(transform, h->node, batch, &made, &h->err)
                                        : transform->apply(h->node, batch, &made, &h->err);
    if (h->status != SF_OK) {
        if (made.rows.release)
            g_error("%s: apply gave rows and said %s", harness_name(h), sf_status_name(h->status));
        return h->status;
    }
    made.schema = output_schema(h);
    made.split = batch->split;
    made.start = batch->start;
    made.end = batch->end;
    if (made.rows.release)
        rows_assert_valid(made.schema, &made.rows);
    *out = harness_hold(h, &made);
    return SF_OK;
}

const SfBatch *harness_apply(Harness *h, const SfBatch *batch)
{
    const SfBatch *out = NULL;
    apply(h, batch, &out);
    harness_need_ok(h, "apply");
    return out;
}

SfStatus harness_try_apply(Harness *h, const SfBatch *batch)
{
    const SfBatch *out;
    return apply(h, batch, &out);
}

/* ---- sink ---- */

static SfStatus try_recover(Harness *h, gsize input, const char *split, gint64 hint)
{
    harness_open(h);
    const SfSink *sink = &h->own->plugin->sink;
    Chain *chain = harness_chain(h, input, harness_split(h, split));
    SfRecovery recovery = {.input = input, .split = chain->split, .hint = hint, .position = SF_POSITION_NONE};
    h->status = sink->recover(h->node, &recovery, 1, &h->err);
    if (h->status != SF_OK)
        return h->status;
    if (recovery.position < chain->committed)
        g_error("%s: has '%s' up to %" G_GINT64_FORMAT ", although it had committed up to %" G_GINT64_FORMAT,
                harness_name(h), split, recovery.position, chain->committed);
    chain->recovered = true;
    chain->written = chain->committed = recovery.position;
    return SF_OK;
}

SfStatus harness_try_recover(Harness *h, gsize input, const char *split)
{
    return try_recover(h, input, split, SF_POSITION_NONE);
}

gint64 harness_recover_hint(Harness *h, gsize input, const char *split, gint64 hint)
{
    try_recover(h, input, split, hint);
    harness_need_ok(h, "recover");
    return harness_chain(h, input, harness_split(h, split))->committed;
}

gint64 harness_recover(Harness *h, gsize input, const char *split)
{
    return harness_recover_hint(h, input, split, SF_POSITION_NONE);
}

/* Cuts off what the sink has already, as the runtime does. NULL: it has all. */
static const SfBatch *cut(Harness *h, const SfBatch *batch, gint64 position)
{
    if (position == SF_POSITION_NONE || batch->start >= position)
        return batch;
    if (batch->end <= position)
        return NULL;
    gint64 first = 0;
    while (first < sf_rows(batch) && harness_position(batch, first) < position)
        first++;
    SfBatch rest = {0};
    g_assert_cmpint(sf_batch_slice(batch, first, sf_rows(batch) - first, &rest, NULL), ==, SF_OK);
    rest.start = position;
    return harness_hold(h, &rest);
}

SfStatus harness_try_write(Harness *h, gsize input, const SfBatch *batch)
{
    harness_open(h);
    Chain *chain = harness_chain(h, input, batch->split);
    if (!chain->recovered)
        harness_recover(h, input, batch->split->name);
    h->status = SF_OK;
    batch = cut(h, batch, chain->written);
    if (!batch)
        return SF_OK;
    if (chain->written != SF_POSITION_NONE && batch->start != chain->written)
        g_error("the test leaves a gap in '%s' from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, batch->split->name,
                chain->written, batch->start);
    gint64 before = chain->written;
    chain->written = batch->end; /* a sink may commit within write */
    h->status = h->own->plugin->sink.write(h->node, input, batch, &h->err);
    if (h->status == SF_REJECT)
        harness_add_reject(h, batch, 0, sf_rows(batch), h->err.message);
    else if (h->status != SF_OK)
        chain->written = before;
    return h->status;
}

void harness_write(Harness *h, gsize input, const SfBatch *batch)
{
    harness_try_write(h, input, batch);
    harness_need_ok(h, "write");
}

static void check_all_committed(Harness *h)
{
    GPtrArray *chains = h->own->chains;
    for (guint i = 0; i < chains->len; i++) {
        const Chain *chain = chains->pdata[i];
        if (chain->recovered && chain->committed < chain->written && chain->written != SF_POSITION_NONE)
            g_error("%s: commit said ok and left '%s' at %" G_GINT64_FORMAT ", written up to %" G_GINT64_FORMAT,
                    harness_name(h), chain->split->name, chain->committed, chain->written);
    }
}

SfStatus harness_try_commit(Harness *h, SfCommitReason reason)
{
    harness_open(h);
    h->status = h->own->plugin->sink.commit(h->node, reason, &h->err);
    if (h->status == SF_OK && reason > SF_COMMIT_MEMORY)
        check_all_committed(h);
    return h->status;
}

void harness_commit(Harness *h, SfCommitReason reason)
{
    harness_try_commit(h, reason);
    harness_need_ok(h, "commit");
}

void harness_tick(Harness *h)
{
    harness_open(h);
    const SfSink *sink = &h->own->plugin->sink;
    h->status = sink->tick ? sink->tick(h->node, &h->err) : SF_OK;
    harness_need_ok(h, "tick");
}

gint64 harness_committed(Harness *h, gsize input, const char *split)
{
    return harness_chain(h, input, harness_split(h, split))->committed;
}

gint64 harness_known_ms(Harness *h, gsize input, const char *split)
{
    return harness_chain(h, input, harness_split(h, split))->known_ms;
}

/* ---- source ---- */

void harness_answer(Harness *h, const char *split, gint64 position)
{
    gint64 *answer = g_new(gint64, 1);
    *answer = position;
    g_hash_table_insert(h->own->answers, g_strdup(split), answer);
}

void harness_answer_fresh(Harness *h)
{
    h->own->fresh = true;
}

static void check_range(Harness *h, const SfBatch *batch)
{
    if (!batch->split)
        g_error("%s: poll gave a batch without a split", harness_name(h));
    const Reading *reading = harness_reading(h, batch->split);
    if (!reading->assigned)
        g_error("%s: poll gave rows of '%s', which is not assigned", harness_name(h), batch->split->name);
    if (batch->start != reading->polled || batch->end < batch->start)
        g_error("%s: range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ") of '%s' follows %" G_GINT64_FORMAT,
                harness_name(h), batch->start, batch->end, batch->split->name, reading->polled);
    gint64 least = batch->start;
    for (gint64 row = 0; row < sf_rows(batch); row++) {
        gint64 position = harness_position(batch, row);
        if (position < least || position >= batch->end)
            g_error("%s: position %" G_GINT64_FORMAT " in row %" G_GINT64_FORMAT " of range [%" G_GINT64_FORMAT
                    ", %" G_GINT64_FORMAT ")",
                    harness_name(h), position, row, batch->start, batch->end);
        least = position + 1;
    }
}

const SfBatch *harness_poll(Harness *h, gint64 timeout_ms)
{
    harness_open(h);
    SfBatch made = {.newest_us = INT64_MIN};
    h->status = h->own->plugin->source.poll(h->node, timeout_ms, &made, &h->err);
    if (h->status != SF_OK) {
        if (made.rows.release)
            g_error("%s: poll gave rows and said %s", harness_name(h), sf_status_name(h->status));
        return NULL;
    }
    made.schema = output_schema(h);
    if (made.rows.release)
        rows_assert_valid(made.schema, &made.rows);
    const SfBatch *batch = harness_hold(h, &made);
    check_range(h, batch);
    harness_reading(h, batch->split)->polled = batch->end;
    return batch;
}

SfStatus harness_try_serve(Harness *h)
{
    harness_open(h);
    const SfSource *source = &h->own->plugin->source;
    return h->status = source->serve ? source->serve(h->node, &h->err) : SF_OK;
}

GPtrArray *harness_poll_rows(Harness *h, gint64 rows)
{
    enum { PATIENCE_S = 60 };
    GPtrArray *batches = g_ptr_array_new();
    gint64 deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    for (gint64 got = 0; got < rows;) {
        const SfBatch *batch = harness_poll(h, 100);
        if (batch) {
            g_ptr_array_add(batches, (gpointer) batch);
            got += sf_rows(batch);
        } else if (h->status == SF_END) {
            break;
        } else if (h->status != SF_EMPTY && h->status != SF_RETRY) {
            harness_need_ok(h, "poll");
        }
        if (g_get_monotonic_time() > deadline)
            g_error("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows after %d s; %s", harness_name(h), got, rows,
                    PATIENCE_S, h->err.message);
    }
    g_ptr_array_add(batches, NULL);
    return batches;
}

gint64 harness_polled(Harness *h, const char *split)
{
    return harness_reading(h, harness_split(h, split))->polled;
}

void harness_publish(Harness *h, bool last)
{
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(SfPosition));
    for (guint i = 0; i < h->own->readings->len; i++) {
        Reading *reading = h->own->readings->pdata[i];
        if (!reading->assigned)
            continue;
        reading->published = reading->polled;
        const SfPosition position = {.split = reading->split, .position = reading->polled};
        g_array_append_val(positions, position);
    }
    const SfSource *source = &h->own->plugin->source;
    if (source->committed)
        source->committed(h->node, (const SfPosition *) (gpointer) positions->data, positions->len, last);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char *harness_assigned(Harness *h)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < h->own->readings->len; i++) {
        const Reading *reading = h->own->readings->pdata[i];
        if (reading->assigned)
            g_ptr_array_add(names, (gpointer) reading->split->name);
    }
    g_ptr_array_sort(names, by_name);
    g_ptr_array_add(names, NULL);
    return harness_hold_text(h, g_strjoinv(" ", (char **) names->pdata));
}

gint64 harness_lag(Harness *h, const char *split)
{
    return harness_reading(h, harness_split(h, split))->lag;
}

/* ---- interrupt ---- */

typedef struct Interrupt {
    void (*hook)(SfNode *);
    SfNode *node;
    gint64 ms;
} Interrupt;

static gpointer interrupt_later(gpointer data)
{
    g_autofree Interrupt *interrupt = data;
    g_usleep((gulong) interrupt->ms * 1000);
    interrupt->hook(interrupt->node);
    return NULL;
}

void harness_interrupt_after(Harness *h, gint64 ms)
{
    harness_open(h);
    const Plugin *plugin = h->own->plugin;
    void (*hook)(SfNode *) = plugin->kind == SF_SOURCE ? plugin->source.interrupt : plugin->sink.interrupt;
    if (!hook)
        g_error("%s: has no interrupt", harness_name(h));
    Interrupt *interrupt = g_new(Interrupt, 1);
    *interrupt = (Interrupt){.hook = hook, .node = h->node, .ms = ms};
    g_ptr_array_add(h->own->threads, g_thread_new("interrupt", interrupt_later, interrupt));
}
