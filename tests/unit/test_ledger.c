/* The ledger by itself: random lives of splits and sinks against a model, and the rules one by one. SF_SEED repeats a
 * life. */
#include <glib.h>

#include "config/pipeline.h"
#include "runtime/ledger.h"

static const char text[] = "pipeline: p\nsteps:\n"
                           "  events: {source: test-source, columns: id int64}\n"
                           "  decoded: {transform: test-transform, from: events}\n"
                           "  bronze: {sink: test-sink, from: events, url: a}\n"
                           "  silver: {sink: test-sink, from: decoded, url: b}\n"
                           "  gold: {sink: test-sink, from: decoded, url: c}\n"
                           "  rejects: {sink: test-sink, from: [decoded.errors, gold.errors], url: d}\n";

enum { SPLITS = 3, READERS = 2, CHAINS = 5, LONGEST = 4000, STEPS = 3000, LIVES = 10 };
enum { BRONZE, SILVER, GOLD, TRANSFORM_ERRORS, SINK_ERRORS }; /* chains of one split */

typedef struct Range {
    gint64 start, end;
    bool rows;
} Range;

/* What a sink has of one split. */
typedef struct Model {
    const Step *sink;
    size_t input;
    gint64 stored;         /* what its store says; outlives the process. SF_POSITION_NONE: nothing */
    gint64 committed;      /* the same in this process, which may start where there is nothing to store */
    gint64 expected;       /* where the next range that it is given must start */
    GArray *queue;         /* Range */
    GArray *given;         /* Range, since the last commit */
    guint8 times[LONGEST]; /* how often the row is in the store */
} Model;

typedef struct World {
    Pipeline *pipeline;
    Ledger *ledger;
    GRand *random;
    guint32 seed;
    char readers[READERS]; /* their addresses are what counts */
    const SfSplit *splits[SPLITS];
    const char *owners[SPLITS];
    gint64 next[SPLITS];
    Model models[SPLITS][CHAINS];
} World;

/* ---- the world ------------------------------------------------ */

static Pipeline *load(void)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Pipeline *pipeline = pipeline_load_text(text, "p.yaml", diagnostics);
    if (!pipeline)
        g_error("%s", diagnostics_text(diagnostics));
    return pipeline;
}

static void forget_process(World *world)
{
    ledger_free(world->ledger);
    world->ledger = ledger_new(world->pipeline);
    for (guint s = 0; s < SPLITS; s++) {
        world->owners[s] = NULL;
        world->splits[s] = NULL;
        world->next[s] = 0;
        for (guint c = 0; c < CHAINS; c++) {
            g_array_set_size(world->models[s][c].queue, 0);
            g_array_set_size(world->models[s][c].given, 0);
        }
    }
}

static World *world_new(guint32 seed)
{
    static const char *const sinks[CHAINS] = {"bronze", "silver", "gold", "rejects", "rejects"};
    World *world = g_new0(World, 1);
    world->pipeline = load();
    world->seed = seed;
    world->random = g_rand_new_with_seed(seed);
    for (guint i = 0; i < SPLITS * CHAINS; i++) {
        Model *model = &world->models[i / CHAINS][i % CHAINS];
        model->sink = pipeline_step(world->pipeline, sinks[i % CHAINS]);
        model->input = i % CHAINS == SINK_ERRORS;
        model->stored = SF_POSITION_NONE;
        model->queue = g_array_new(FALSE, FALSE, sizeof(Range));
        model->given = g_array_new(FALSE, FALSE, sizeof(Range));
    }
    forget_process(world);
    return world;
}

static void world_free(World *world)
{
    for (guint i = 0; i < SPLITS * CHAINS; i++) {
        g_array_unref(world->models[i / CHAINS][i % CHAINS].queue);
        g_array_unref(world->models[i / CHAINS][i % CHAINS].given);
    }
    ledger_free(world->ledger);
    g_rand_free(world->random);
    pipeline_free(world->pipeline);
    g_free(world);
}

static guint pick(World *world, guint n)
{
    return (guint) g_rand_int_range(world->random, 0, (gint32) n);
}

/* Which rows come to a chain is the same each time they are read. */
static bool has_row(guint chain, gint64 position)
{
    static const guint shares[CHAINS] = {100, 80, 80, 20, 10}; /* in 100 */
    if (chain == SINK_ERRORS && !has_row(GOLD, position))
        return false;
    return ((guint64) position * 2654435761u + chain * (chain == GOLD ? 0 : 40503u)) % 100 < shares[chain];
}

static bool has_rows(guint chain, gint64 start, gint64 end)
{
    for (gint64 at = start; at < end; at++) {
        if (has_row(chain, at))
            return true;
    }
    return false;
}

/* ---- a sink ------------------------------------------------ */

static void take(Model *model, const Range *range)
{
    g_assert_cmpint(range->start, ==, model->expected); /* ranges chain */
    model->expected = range->end;
    g_array_append_val(model->given, *range);
}

static void queue(World *world, guint s, guint c, gint64 start, gint64 end)
{
    Model *model = &world->models[s][c];
    gint64 gap = SF_POSITION_NONE;
    if (!ledger_queue(world->ledger, model->sink, model->input, world->splits[s], start, end, &gap))
        return;
    Range before = {gap, start, false}, rows = {start, end, true};
    if (gap != SF_POSITION_NONE)
        g_array_append_val(model->queue, before);
    g_array_append_val(model->queue, rows);
}

static void write_range(World *world, guint s, Model *model, const Range *range)
{
    ledger_hand_out(world->ledger, model->sink, model->input, world->splits[s], range->end);
    take(model, range);
    ledger_written(world->ledger, model->sink, model->input, world->splits[s], range->end);
}

static void write_queued(World *world, guint s, guint c, guint most)
{
    Model *model = &world->models[s][c];
    guint n = MIN(most, model->queue->len);
    for (guint i = 0; i < n; i++)
        write_range(world, s, model, &g_array_index(model->queue, Range, i));
    if (n > 0)
        g_array_remove_range(model->queue, 0, n);
}

/* Rows and position in one atomic act. */
static void store(World *world, guint s, guint c, gint64 end)
{
    Model *model = &world->models[s][c];
    for (guint i = 0; i < model->given->len; i++) {
        const Range *range = &g_array_index(model->given, Range, i);
        for (gint64 at = MAX(range->start, model->stored); range->rows && at < MIN(range->end, end); at++)
            model->times[at] += has_row(c, at);
    }
    model->stored = model->committed = end;
    SfError err = {""};
    SfStatus status = ledger_commit(world->ledger, model->sink, model->input, world->splits[s], end, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
}

static void write_gaps(World *world, const Step *sink)
{
    g_autoptr(GArray) gaps = ledger_take_gaps(world->ledger, sink);
    for (guint i = 0; i < gaps->len; i++) {
        const LedgerGap *gap = &g_array_index(gaps, LedgerGap, i);
        for (guint s = 0; s < SPLITS; s++) {
            for (guint c = 0; c < CHAINS; c++) {
                Model *model = &world->models[s][c];
                if (model->sink == sink && model->input == gap->input && world->splits[s] == gap->split)
                    write_range(world, s, model, &(Range){gap->start, gap->end, false});
            }
        }
    }
}

static void commit(World *world, guint s, guint c);

/* What gold rejects before `end` is durable before it commits; see sf_settle. */
static void settle(World *world, guint s, gint64 end)
{
    Model *errors = &world->models[s][SINK_ERRORS];
    gint64 start = ledger_offered(world->ledger, errors->sink, errors->input, world->splits[s]);
    while (end > start && !has_row(SINK_ERRORS, end - 1))
        end--;
    if (end <= start)
        return;
    queue(world, s, SINK_ERRORS, start, end);
    commit(world, s, SINK_ERRORS);
}

/* Everything that it was given of the split. */
static void commit(World *world, guint s, guint c)
{
    Model *model = &world->models[s][c];
    write_queued(world, s, c, G_MAXUINT);
    write_gaps(world, model->sink);
    gint64 end = model->expected;
    if (c == GOLD)
        settle(world, s, end);
    store(world, s, c, end);
    g_array_set_size(model->given, 0);
}

/* Within what it was given last. */
static void commit_part(World *world, guint s, guint c)
{
    Model *model = &world->models[s][c];
    if (model->given->len == 0 || c == GOLD)
        return;
    gint64 from = MAX(model->stored, g_array_index(model->given, Range, model->given->len - 1).start);
    store(world, s, c, from + pick(world, (guint) (model->expected - from) + 1));
}

/* ---- a reader ------------------------------------------------ */

static gint64 own_position(const World *world, guint s, guint c, gint64 *recovered)
{
    const Model *model = &world->models[s][c];
    gint64 complete = c == SINK_ERRORS ? MAX(world->models[s][GOLD].stored, 0) : SF_POSITION_NONE;
    gint64 own = model->stored != SF_POSITION_NONE ? model->stored : MAX(complete, 0);
    *recovered = MAX(own, complete);
    return own;
}

static void assign(World *world, guint s, const char *reader)
{
    g_autofree char *name = g_strdup_printf("topic/%u", s);
    SfAssignment wanted = {.name = name, .topic = "topic", .partition = (int32_t) s, .start = 0};
    const SfSplit *split = NULL;
    SfError err = {""};
    gint64 lowest = G_MAXINT64;
    const Step *source = pipeline_step(world->pipeline, "events");
    SfStatus status = ledger_claim(world->ledger, reader, source, &wanted, 1, &split, &err);
    g_assert_cmpint(status, ==, world->owners[s] && world->owners[s] != reader ? SF_FENCED : SF_OK);
    if (status != SF_OK)
        return;
    if (pick(world, 4) == 0 || world->owners[s]) {
        ledger_give_up(world->ledger, reader, &split, 1);
        return;
    }
    world->splits[s] = split;
    for (guint c = 0; c < CHAINS; c++)
        ledger_ask(world->ledger, world->models[s][c].sink, world->models[s][c].input, split);
    for (guint c = 0; c < CHAINS; c++) {
        Model *model = &world->models[s][c];
        gint64 recovered;
        model->expected = model->committed = own_position(world, s, c, &recovered);
        lowest = MIN(lowest, recovered);
        ledger_recover(world->ledger, model->sink, model->input, split, model->stored, 0);
    }
    ledger_assign(world->ledger, reader, &split, &wanted, 1);
    g_assert_cmpint(wanted.position, ==, lowest);
    g_assert_true(wanted.split == split);
    world->owners[s] = reader;
    world->next[s] = lowest;
}

static void offer(World *world, guint s, gint64 start, gint64 end)
{
    for (guint c = BRONZE; c <= TRANSFORM_ERRORS; c++) {
        const Model *model = &world->models[s][c];
        if (has_rows(c, start, end))
            queue(world, s, c, start, end);
        else
            ledger_advance(world->ledger, model->sink, model->input, world->splits[s], end);
    }
}

static void read_some(World *world, guint s)
{
    gint64 start = world->next[s], end = MIN(start + pick(world, 12), LONGEST);
    SfError err = {""};
    SfStatus status = ledger_read(world->ledger, world->owners[s], world->splits[s], start + 1, end + 1, &err);
    g_assert_cmpint(status, ==, SF_FATAL); /* not its turn, and nothing has changed by it */
    status = ledger_read(world->ledger, world, world->splits[s], start, end, &err);
    g_assert_cmpint(status, ==, SF_FATAL); /* not the reader's, whoever that is */
    status = ledger_read(world->ledger, world->owners[s], world->splits[s], start, start - 1, &err);
    g_assert_cmpint(status, ==, SF_FATAL); /* ends before it begins */
    status = ledger_read(world->ledger, world->owners[s], world->splits[s], start, end, &err);
    g_assert_cmpint(status, ==, SF_OK);
    world->next[s] = end;
    for (gint64 from = start; from < end;) {
        gint64 to = ledger_next_cut(world->ledger, world->splits[s], from, end);
        offer(world, s, from, to);
        from = to;
    }
}

static gint64 stored_by_all(const World *world, guint s)
{
    gint64 lowest = world->next[s];
    for (guint c = 0; c < CHAINS; c++)
        lowest = MIN(lowest, world->models[s][c].committed);
    return lowest;
}

static void commit_all(World *world, guint s)
{
    for (guint c = 0; c < CHAINS; c++)
        commit(world, s, c);
    for (guint c = 0; c < CHAINS; c++) {
        write_gaps(world, world->models[s][c].sink);
        commit(world, s, c);
        g_assert_false(world->models[s][c].stored < world->next[s]);
    }
}

static void revoke_split(World *world, guint s)
{
    commit_all(world, s);
    ledger_revoke(world->ledger, &world->splits[s], 1);
    world->owners[s] = NULL;
}

/* ---- what must be true at any time ------------------------------------------------ */

static void check_published(World *world, const char *reader)
{
    g_autoptr(GArray) positions = ledger_publish(world->ledger, reader, true);
    guint mine = 0;
    for (guint s = 0; s < SPLITS; s++)
        mine += world->owners[s] == reader;
    g_assert_cmpuint(positions->len, ==, mine);
    for (guint i = 0; i < positions->len; i++) {
        const SfPosition *position = &g_array_index(positions, SfPosition, i);
        g_assert_cmpint(position->position, ==, stored_by_all(world, (guint) position->split->partition));
    }
    g_autoptr(GArray) again = ledger_publish(world->ledger, reader, false);
    g_assert_cmpuint(again->len, ==, 0);
}

static void check(World *world)
{
    bool complete = true;
    for (guint s = 0; s < SPLITS; s++)
        complete = complete && (!world->splits[s] || stored_by_all(world, s) >= world->next[s]);
    g_assert_cmpint(ledger_complete(world->ledger), ==, complete);
    check_published(world, &world->readers[pick(world, READERS)]);
}

static void check_exactly_once(const World *world)
{
    for (guint i = 0; i < SPLITS * CHAINS; i++) {
        const Model *model = &world->models[i / CHAINS][i % CHAINS];
        for (gint64 at = 0; at < MAX(model->stored, 0); at++)
            g_assert_cmpuint(model->times[at], ==, has_row(i % CHAINS, at));
    }
}

static void step(World *world)
{
    guint s = pick(world, SPLITS), c = pick(world, CHAINS), what = pick(world, 100);
    if (what == 0)
        forget_process(world);
    else if (!world->owners[s] || what < 5)
        assign(world, s, &world->readers[pick(world, READERS)]);
    else if (what < 50)
        read_some(world, s);
    else if (what < 80)
        write_queued(world, s, c, 1 + pick(world, 3));
    else if (what < 90)
        commit_part(world, s, c);
    else if (what < 98)
        commit(world, s, c);
    else
        revoke_split(world, s);
    check(world);
}

static void test_random_lives(void)
{
    const char *wanted = g_getenv("SF_SEED");
    for (guint life = 0; life < LIVES; life++) {
        guint32 seed = wanted ? (guint32) g_ascii_strtoull(wanted, NULL, 10) + life : g_random_int();
        g_test_message("SF_SEED=%u", seed);
        World *world = world_new(seed);
        for (guint i = 0; i < STEPS; i++)
            step(world);
        for (guint s = 0; s < SPLITS; s++) {
            while (!world->owners[s])
                assign(world, s, &world->readers[0]);
            commit_all(world, s);
        }
        g_assert_true(ledger_complete(world->ledger));
        check_exactly_once(world);
        world_free(world);
    }
}

/* ---- one by one ------------------------------------------------ */

/* A sink cannot have committed what it was not given. */
static void test_commit_beyond_what_was_given(void)
{
    World *world = world_new(1);
    while (!world->owners[0])
        assign(world, 0, &world->readers[0]);
    SfError err = {""};
    SfStatus status = ledger_commit(world->ledger, world->models[0][BRONZE].sink, 0, world->splits[0], 7, &err);
    g_assert_cmpint(status, ==, SF_FATAL);
    g_assert_cmpstr(err.message, ==, "it said that topic/0 is committed up to 7, of which it was given only up to 0");
    world_free(world);
}

/* A split that was revoked unread is waited for, until its only reader has been told which splits it has. */
static void test_on_the_way(void)
{
    World *world = world_new(1);
    while (!world->owners[0])
        assign(world, 0, &world->readers[0]);
    ledger_set_end(world->ledger, world->splits[0], 10);
    g_assert_false(ledger_on_the_way(world->ledger, G_USEC_PER_SEC * 1000));
    revoke_split(world, 0);
    g_assert_true(ledger_on_the_way(world->ledger, G_USEC_PER_SEC * 1000));
    ledger_assign(world->ledger, &world->readers[0], NULL, NULL, 0);
    g_assert_false(ledger_on_the_way(world->ledger, G_USEC_PER_SEC * 1000));
    world_free(world);
}

/* What a source says of its splits outlives their readers; what differs from it in a sink is told. */
static void test_origins(void)
{
    World *world = world_new(1);
    world->models[0][SILVER].stored = 5;
    while (!world->owners[0])
        assign(world, 0, &world->readers[0]);
    ledger_note_origin(world->ledger, world->models[0][SILVER].sink, 0, world->splits[0], "old");
    g_assert_null(ledger_other_origin(world->ledger, world->splits[0]));
    ledger_set_origin(world->ledger, world->splits[0], "new");
    g_assert_cmpstr(ledger_origin(world->ledger, world->splits[0]), ==, "new");
    g_assert_cmpstr(ledger_other_origin(world->ledger, world->splits[0]), ==, "old");
    g_assert_cmpint(ledger_furthest(world->ledger, world->splits[0]), ==, 5);
    world_free(world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ledger/random-lives", test_random_lives);
    g_test_add_func("/ledger/commit-beyond-what-was-given", test_commit_beyond_what_was_given);
    g_test_add_func("/ledger/on-the-way", test_on_the_way);
    g_test_add_func("/ledger/origins", test_origins);
    return g_test_run();
}
