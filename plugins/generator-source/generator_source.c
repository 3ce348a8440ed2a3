/* generator-source: a stream of sales events for demonstrations and tests, at a pace, from any position. The events
 * themselves are event.c's. */
#include <string.h>

#include "event.h"
#include "raw_rows.h"
#include "wake.h"

#define BATCH_ROWS 2048

/* Slow enough, or few enough, for a line per event. */
#define ANNOUNCE_US (100 * 1000)
#define ANNOUNCE_EVENTS 100

typedef struct Generator {
    /* options */
    int64_t events;
    int64_t interval;
    double rate;
    int64_t seed;
    const char *topic;
    double duplicates;
    double late;
    double broken;
    const char *start_date;
    /* run */
    EventPlan plan;
    double step_us; /* between two events; 0: as fast as it goes */
    RawSource *raw;
    const SfSplit *split;
    int64_t next;
    int64_t announced;
    gint64 begun_us; /* when event `first` was due */
    int64_t first;
    bool opened;
    Wake wake;
} Generator;

static const SfOption options[] = {
    SF_OPTION_INT(Generator, events, .value = "0", .min = "0", .doc = "How many events; 0: endless."),
    SF_OPTION_DURATION(Generator, interval, .value = "1s", .min = "0s", .max = "1d",
                       .doc = "Pause between two events; 0s: as fast as they are taken."),
    SF_OPTION_FLOAT(Generator, rate, .value = "0", .min = "0", .max = "10000000",
                    .doc = "Events per second, instead of interval."),
    SF_OPTION_INT(Generator, seed, .value = "42", .doc = "The same seed gives the same events."),
    SF_OPTION_STRING(Generator, topic, .value = "sales_events", .doc = "What the rows say in their column topic."),
    SF_OPTION_FLOAT(Generator, duplicates, .value = "0", .min = "0", .max = "1",
                    .doc = "Share of events that send an earlier order again; every second of them corrects it."),
    SF_OPTION_FLOAT(Generator, late, .value = "0", .min = "0", .max = "1",
                    .doc = "Share of orders whose time and order_date lie up to three days back."),
    SF_OPTION_FLOAT(
        Generator, broken, .value = "0", .min = "0", .max = "1",
        .doc =
            "Share of events that cannot be used: truncated, field missing, wrong type, bad UTF-8, number too large."),
    SF_OPTION_STRING(
        Generator, start_date,
        .doc = "Day of event 0 (2024-01-15), so that dates and times are the same in every run; default: events "
               "happen now."),
    SF_OPTION_END,
};

static SfStatus parse_start(Generator *generator, SfError *err)
{
    const char *text = generator->start_date;
    generator->plan.start_ms = -1;
    if (!text)
        return SF_OK;
    g_autofree char *stamp = g_strdup_printf("%sT00:00:00Z", text);
    g_autoptr(GDateTime) time = strlen(text) == 10 ? g_date_time_new_from_iso8601(stamp, NULL) : NULL;
    if (!time || g_date_time_to_unix(time) < 4 * 86400)
        return sf_fail(err, SF_CONFIG, "start_date: '%s' is not a valid date from 1970-01-05 on, such as 2024-01-15",
                       text);
    generator->plan.start_ms = g_date_time_to_unix(time) * 1000;
    return SF_OK;
}

static SfStatus bind_source(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    Generator *generator = node->state;
    SF_TRY(parse_start(generator, err));
    generator->step_us = generator->rate > 0 ? 1e6 / generator->rate : (double) generator->interval * 1000;
    generator->plan.seed = (uint64_t) generator->seed;
    generator->plan.duplicates = generator->duplicates;
    generator->plan.late = generator->late;
    generator->plan.broken = generator->broken;
    generator->plan.step_ms = generator->step_us > 0 ? generator->step_us / 1000 : 1;
    return sf_schema_raw(out, err);
}

static SfStatus open_source(SfNode *node, SfError *err)
{
    Generator *generator = node->state;
    if (node->bounded && generator->events == 0)
        return sf_fail(err, SF_CONFIG, "an endless generator never ends with trigger 'once'; set 'events'");
    wake_init(&generator->wake);
    generator->opened = true;
    generator->raw = raw_source_new(generator->topic, 0, BATCH_ROWS);
    return SF_OK;
}

/* There is one split, so one task of the pipeline has all of it. */
static SfStatus assign(SfNode *node, SfError *err)
{
    Generator *generator = node->state;
    SfAssignment assignment = {.name = "generator/0", .topic = generator->topic, .partition = 0, .start = 0};
    SF_TRY(sf_assign(node, &assignment, 1, err));
    generator->split = assignment.split;
    generator->first = generator->next = generator->announced = assignment.position;
    generator->begun_us = g_get_monotonic_time();
    if (generator->events > 0) {
        sf_lag(node, generator->split, generator->events);
        sf_expect(node, MAX(generator->events - generator->next, 0));
    } else {
        sf_expect(node, -1);
    }
    return SF_OK;
}

/* Events that are due by now, at most a batch. */
static int64_t due(const Generator *generator)
{
    int64_t n = BATCH_ROWS;
    if (generator->step_us > 0) {
        double passed = (double) (g_get_monotonic_time() - generator->begun_us) / generator->step_us;
        n = MIN(n, generator->first + 1 + (int64_t) passed - generator->next);
    }
    if (generator->events > 0)
        n = MIN(n, generator->events - generator->next);
    return MAX(n, 0);
}

/* Until the next event is due, the deadline or interrupt. */
static bool wait_until(Generator *generator, gint64 deadline)
{
    double ahead = (double) (generator->next - generator->first) * generator->step_us;
    gint64 until = MIN(deadline, generator->begun_us + (gint64) ahead);
    return !wake_sleep(&generator->wake, until) && g_get_monotonic_time() < deadline;
}

static SfStatus make_batch(SfNode *node, int64_t n, SfBatch *out, SfError *err)
{
    Generator *generator = node->state;
    GByteArray *bytes = g_byte_array_sized_new((guint) (n * sizeof(Event)));
    g_byte_array_set_size(bytes, (guint) (n * sizeof(Event)));
    g_autoptr(RawRows) rows = raw_rows_new(generator->raw, n, (GDestroyNotify) g_byte_array_unref, bytes, err);
    if (!rows) {
        g_byte_array_unref(bytes);
        return SF_RETRY;
    }
    Event *events = (Event *) (gpointer) bytes->data;
    int64_t now = sf_now_ms(node);
    out->newest_us = INT64_MIN;
    for (int64_t i = 0; i < n; i++) {
        Event *event = &events[i];
        event_make(&generator->plan, generator->next + i, now, event);
        raw_rows_add(rows, event->key, (size_t) event->key_size, event->value, (size_t) event->value_size,
                     generator->next + i, event->time_ms * 1000);
        out->newest_us = MAX(out->newest_us, event->time_ms * 1000);
    }
    SF_TRY(raw_rows_finish(g_steal_pointer(&rows), NULL, &out->rows, err));
    out->split = generator->split;
    out->start = generator->next;
    out->end = generator->next + n;
    out->bytes = n * (int64_t) sizeof(Event);
    generator->next += n;
    return SF_OK;
}

static SfStatus poll_source(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    Generator *generator = node->state;
    if (node->task > 0)
        return SF_END;
    if (!generator->split)
        SF_TRY(assign(node, err));
    gint64 deadline = g_get_monotonic_time() + timeout_ms * 1000;
    for (;;) {
        if (generator->events > 0 && generator->next >= generator->events)
            return SF_END;
        int64_t n = due(generator);
        if (n > 0)
            return make_batch(node, n, out, err);
        if (!wait_until(generator, deadline))
            return SF_EMPTY;
    }
}

/* Says of each event that it is durable in all sinks, where events are slow enough for that. */
static void announce(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    Generator *generator = node->state;
    Event event;
    (void) last;
    bool few = generator->events > 0 && generator->events <= ANNOUNCE_EVENTS;
    if (n == 0 || (generator->step_us < ANNOUNCE_US && !few))
        return;
    for (; generator->announced < positions[0].position; generator->announced++) {
        char total[24] = "";
        if (generator->events > 0)
            g_snprintf(total, sizeof total, "/%" G_GINT64_FORMAT, generator->events);
        event_make(&generator->plan, generator->announced, 0, &event);
        sf_log(node, SF_LOG_INFO, "Event %" G_GINT64_FORMAT "%s produced - Order ID: %.*s", generator->announced + 1,
               total, event.key_size, event.key);
    }
}

static void interrupt(SfNode *node)
{
    Generator *generator = node->state;
    wake_interrupt(&generator->wake);
}

static void close_source(SfNode *node)
{
    Generator *generator = node->state;
    if (!generator->opened)
        return;
    raw_source_unref(generator->raw);
    wake_done(&generator->wake);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(
        Generator, .name = "generator-source", .version = SF_VERSION,
        .summary = "Makes sales events for demonstrations and tests",
        .doc = "Rows are raw records: the key is the order's number, the value its JSON text. Event N is the same in "
               "every run with the same options, so a run goes on where the last one stopped.",
        .options = options),
    .bind = bind_source,
    .open = open_source,
    .poll = poll_source,
    .committed = announce,
    .interrupt = interrupt,
    .close = close_source,
};
