/* What the ledger tells of splits: spans, lag, commits that sinks know of, gaps, and sinks that tell too little. */
#include "runtime/ledger.h"

static const char text[] = "pipeline: p\nsteps:\n"
                           "  events: {source: test-source, columns: id int64}\n"
                           "  others: {source: test-source, columns: id int64}\n"
                           "  bronze: {sink: test-sink, from: events, url: a}\n"
                           "  silver: {sink: test-sink, from: [events, others], url: b}\n";

typedef struct Fixture {
    Pipeline *pipeline;
    Ledger *ledger;
    const Step *events, *bronze, *silver;
    const SfSplit *split;
    char reader;
} Fixture;

/* The split goes on at `start`, which both sinks say. */
static void assign(Fixture *fixture, gint64 start)
{
    SfAssignment wanted = {.name = "topic/0", .topic = "topic", .start = 0};
    SfError err = {0};
    const Step *sinks[] = {fixture->bronze, fixture->silver};
    g_assert_cmpint(ledger_claim(fixture->ledger, &fixture->reader, fixture->events, &wanted, 1, &fixture->split, &err),
                    ==, SF_OK);
    for (guint i = 0; i < G_N_ELEMENTS(sinks); i++) {
        ledger_ask(fixture->ledger, sinks[i], 0, fixture->split);
        ledger_recover(fixture->ledger, sinks[i], 0, fixture->split, start, 0);
    }
    ledger_assign(fixture->ledger, &fixture->reader, &fixture->split, &wanted, 1);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    fixture->pipeline = pipeline_load_text(text, "p.yaml", diagnostics);
    if (!fixture->pipeline)
        g_error("%s", diagnostics_text(diagnostics));
    fixture->ledger = ledger_new(fixture->pipeline);
    fixture->events = pipeline_step(fixture->pipeline, "events");
    fixture->bronze = pipeline_step(fixture->pipeline, "bronze");
    fixture->silver = pipeline_step(fixture->pipeline, "silver");
    assign(fixture, 100);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void) data;
    ledger_free(fixture->ledger);
    pipeline_free(fixture->pipeline);
}

static void read_to(Fixture *fixture, gint64 start, gint64 end)
{
    SfError err = {0};
    g_assert_cmpint(ledger_read(fixture->ledger, &fixture->reader, fixture->split, start, end, &err), ==, SF_OK);
}

static void write_to(Fixture *fixture, const Step *sink, gint64 start, gint64 end)
{
    gint64 gap = SF_POSITION_NONE;
    g_assert_true(ledger_queue(fixture->ledger, sink, 0, fixture->split, start, end, &gap));
    g_assert_cmpint(gap, ==, SF_POSITION_NONE);
    ledger_hand_out(fixture->ledger, sink, 0, fixture->split, end);
    ledger_written(fixture->ledger, sink, 0, fixture->split, end);
}

static void commit_to(Fixture *fixture, const Step *sink, gint64 end)
{
    SfError err = {0};
    g_assert_cmpint(ledger_commit(fixture->ledger, sink, 0, fixture->split, end, &err), ==, SF_OK);
}

static void pass_rows(Fixture *fixture, gint64 start, gint64 end)
{
    read_to(fixture, start, end);
    write_to(fixture, fixture->bronze, start, end);
    write_to(fixture, fixture->silver, start, end);
    commit_to(fixture, fixture->bronze, end);
    commit_to(fixture, fixture->silver, end);
}

/* What the slowest sink has not committed of assigned splits whose end is known. */
static void test_lag(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, -1);
    ledger_set_end(fixture->ledger, fixture->split, 150);
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, 50);
    g_assert_cmpint(ledger_lag(fixture->ledger, pipeline_step(fixture->pipeline, "others")), ==, -1);
    read_to(fixture, 100, 120);
    write_to(fixture, fixture->bronze, 100, 120);
    commit_to(fixture, fixture->bronze, 120);
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, 50);
    write_to(fixture, fixture->silver, 100, 120);
    commit_to(fixture, fixture->silver, 120);
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, 30);
    ledger_set_end(fixture->ledger, fixture->split, 110); /* the topic is another one now */
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, 0);
    ledger_revoke(fixture->ledger, &fixture->split, 1);
    g_assert_cmpint(ledger_lag(fixture->ledger, fixture->events), ==, -1);
}

static void test_newest_commit(Fixture *fixture, gconstpointer data)
{
    (void) data;
    gint64 position = 7;
    g_assert_cmpint(ledger_last_commit(fixture->ledger, fixture->split, &position), ==, -1);
    g_assert_cmpint(position, ==, 7);
    ledger_note_commit(fixture->ledger, fixture->bronze, 0, fixture->split, 90, 1000);
    ledger_note_commit(fixture->ledger, fixture->silver, 0, fixture->split, 80, 2000);
    g_assert_cmpint(ledger_last_commit(fixture->ledger, fixture->split, &position), ==, 2000);
    g_assert_cmpint(position, ==, 80);
    ledger_note_commit(fixture->ledger, fixture->bronze, 0, fixture->split, 95, 3000);
    g_assert_cmpint(ledger_last_commit(fixture->ledger, fixture->split, &position), ==, 3000);
    g_assert_cmpint(position, ==, 95);
    ledger_note_commit(fixture->ledger, fixture->bronze, 0, fixture->split, SF_POSITION_NONE, 9000);
    ledger_note_commit(fixture->ledger, fixture->bronze, 0, fixture->split, 99, 0);
    ledger_note_commit(fixture->ledger, fixture->bronze, 1, fixture->split, 99, 9000); /* an input that it has not */
    g_assert_cmpint(ledger_last_commit(fixture->ledger, fixture->split, &position), ==, 3000);
    g_assert_cmpint(position, ==, 95);
}

static void keep_spans(gpointer data, const SplitView *view)
{
    GArray *spans = data;
    g_assert_cmpstr(view->name, ==, "topic/0");
    g_array_append_vals(spans, view->past, (guint) view->n_past);
}

/* Assignments that meet are one span; of more than sixteen the oldest two are one. */
static void test_spans(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(Span));
    pass_rows(fixture, 100, 110);
    ledger_revoke(fixture->ledger, &fixture->split, 1);
    assign(fixture, 110);
    pass_rows(fixture, 110, 120);
    ledger_revoke(fixture->ledger, &fixture->split, 1);
    for (gint64 start = 1000; start <= 17000; start += 1000) { /* 17 that another process has made holes between */
        assign(fixture, start);
        pass_rows(fixture, start, start + 10);
        ledger_revoke(fixture->ledger, &fixture->split, 1);
    }
    assign(fixture, 20000); /* in which nothing came */
    ledger_revoke(fixture->ledger, &fixture->split, 1);
    ledger_show(fixture->ledger, keep_spans, spans);
    g_assert_cmpuint(spans->len, ==, 16);
    const Span *first = &g_array_index(spans, Span, 0), *last = &g_array_index(spans, Span, 15);
    g_assert_cmpint(first->from, ==, 100);
    g_assert_cmpint(first->to, ==, 2010);
    g_assert_cmpint(g_array_index(spans, Span, 1).from, ==, 3000);
    g_assert_cmpint(last->from, ==, 17000);
    g_assert_cmpint(last->to, ==, 17010);
}

/* Ranges without rows are told of before a commit, and each once. */
static void test_gaps(Fixture *fixture, gconstpointer data)
{
    (void) data;
    read_to(fixture, 100, 130);
    g_assert_false(ledger_has_gap(fixture->ledger, fixture->bronze));
    g_assert_false(ledger_has_open(fixture->ledger, fixture->bronze));
    g_assert_true(ledger_advance(fixture->ledger, fixture->bronze, 0, fixture->split, 120));
    g_assert_false(ledger_advance(fixture->ledger, fixture->bronze, 0, fixture->split, 130)); /* it is awake */
    g_assert_true(ledger_has_gap(fixture->ledger, fixture->bronze));
    g_assert_true(ledger_has_open(fixture->ledger, fixture->bronze));
    g_assert_false(ledger_has_gap(fixture->ledger, fixture->silver));
    g_autoptr(GArray) gaps = ledger_take_gaps(fixture->ledger, fixture->bronze);
    g_assert_cmpuint(gaps->len, ==, 1);
    const LedgerGap *gap = &g_array_index(gaps, LedgerGap, 0);
    g_assert_cmpint(gap->start, ==, 100);
    g_assert_cmpint(gap->end, ==, 130);
    g_assert_true(gap->split == fixture->split);
    g_autoptr(GArray) again = ledger_take_gaps(fixture->ledger, fixture->bronze);
    g_assert_cmpuint(again->len, ==, 0);
}

/* A sink that tells must have told of everything; of one that does not, what it wrote is committed. */
static void test_commit_is_checked(Fixture *fixture, gconstpointer data)
{
    (void) data;
    SfError err = {0};
    read_to(fixture, 100, 120);
    write_to(fixture, fixture->bronze, 100, 120);
    write_to(fixture, fixture->silver, 100, 120);
    g_assert_cmpint(ledger_check_commit(fixture->ledger, fixture->bronze, true, false, &err), ==, SF_OK);
    g_assert_cmpint(ledger_check_commit(fixture->ledger, fixture->bronze, true, true, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "it said that all is committed, but topic/0 ends at 100 instead of 120");
    commit_to(fixture, fixture->bronze, 120);
    g_assert_cmpint(ledger_check_commit(fixture->ledger, fixture->bronze, true, true, &err), ==, SF_OK);
    g_assert_false(ledger_complete(fixture->ledger));
    g_assert_cmpint(ledger_check_commit(fixture->ledger, fixture->silver, false, false, &err), ==, SF_OK);
    g_assert_true(ledger_complete(fixture->ledger));
}

static void assert_refused(Fixture *fixture, const char *reader, const SfSplit *split, gint64 start, gint64 end,
                           const char *wanted)
{
    SfError err = {0};
    g_assert_cmpint(ledger_read(fixture->ledger, reader, split, start, end, &err), ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, wanted);
}

/* What is read is its reader's, and goes on where it stands. */
static void test_reading_out_of_turn(Fixture *fixture, gconstpointer data)
{
    (void) data;
    const char another = 0;
    const char *mine = &fixture->reader;
    read_to(fixture, 100, 110);
    read_to(fixture, 110, 110);
    assert_refused(fixture, mine, fixture->split, 111, 120,
                   "it gave the range [111, 120) of topic/0, where 110 comes next");
    assert_refused(fixture, mine, fixture->split, 109, 120,
                   "it gave the range [109, 120) of topic/0, where 110 comes next");
    assert_refused(fixture, mine, fixture->split, 110, 109,
                   "it gave the range [110, 109) of topic/0, where 110 comes next");
    assert_refused(fixture, &another, fixture->split, 110, 120,
                   "it gave the range [110, 120) of topic/0, where 110 comes next");
    assert_refused(fixture, mine, NULL, 0, 1, "it gave the range [0, 1) of no split, where 0 comes next");
    ledger_revoke(fixture->ledger, &fixture->split, 1);
    assert_refused(fixture, mine, fixture->split, 110, 120,
                   "it gave the range [110, 120) of topic/0, where 110 comes next");
}

#define ADD(name, test) g_test_add("/positions/" name, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("lag", test_lag);
    ADD("newest-commit", test_newest_commit);
    ADD("spans", test_spans);
    ADD("gaps", test_gaps);
    ADD("commit-is-checked", test_commit_is_checked);
    ADD("reading-out-of-turn", test_reading_out_of_turn);
    return g_test_run();
}
