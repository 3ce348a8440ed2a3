/* A source of numbers for the runtime's tests: `splits` splits of `rows` rows each, offset = value. Can leave holes,
 * give its splits away and take them back, ask to be asked again. */
#include <glib.h>
#include <stdio.h>
#include <sf/sf.h>

typedef struct State {
    int64_t splits, rows, batch, hole, shift, crowd, revoke_every, serve_revoke, retry_every, hand_over, give_up, bytes,
        most;
    bool given_up, over_now;
    int64_t patience;
    const char *over, *cheat, *lost;
    const char *published, *away, *origin, *served, *ill;
    int64_t *next;
    const SfSplit **held;
    int64_t polls, serves, turn;
    struct ArrowSchema schema;
} State;

static const SfOption options[] = {
    SF_OPTION_INT(State, splits, .value = "1", .min = "1", .doc = "Splits."),
    SF_OPTION_INT(State, rows, .value = "1000", .min = "0", .doc = "Rows a split."),
    SF_OPTION_INT(State, batch, .value = "37", .min = "1", .doc = "Positions a batch."),
    SF_OPTION_INT(State, hole, .value = "0", .doc = "Leaves out offsets that this divides; 0: none."),
    SF_OPTION_INT(State, shift, .value = "0", .doc = "Its column offset says so much more than the position."),
    SF_OPTION_INT(State, crowd, .value = "1", .min = "1", .doc = "Rows a position."),
    SF_OPTION_INT(State, revoke_every, .value = "0",
                  .doc = "Polls after which all splits go and come again; 0: never."),
    SF_OPTION_INT(
        State, serve_revoke, .value = "0",
        .doc = "Serves in a row after which all splits go and come again, and the file '<served>' is made; 0: never."),
    SF_OPTION_STRING(State, served, .doc = "That file."),
    SF_OPTION_STRING(State, ill, .doc = "While there is such a file, a serve says that something is wrong."),
    SF_OPTION_INT(State, retry_every, .value = "0", .doc = "Polls after which it asks for another try; 0: never."),
    SF_OPTION_INT(State, hand_over, .value = "0", .doc = "Polls after which task 0 gives all to task 1; 0: never."),
    SF_OPTION_STRING(State, away, .doc = "Its open asks for another try for ever, and makes this file."),
    SF_OPTION_INT(State, give_up, .value = "0",
                  .doc = "Polls after which all splits go to another process, which its group tells; 0: never."),
    SF_OPTION_INT(State, bytes, .value = "0", .doc = "What it says that a batch holds; 0: nothing."),
    SF_OPTION_INT(State, most, .value = "0", .doc = "It fails when more batches than this are on their way; 0: never."),
    SF_OPTION_INT(State, patience, .value = "0", .doc = "How many ms it may wait for sinks; 0: for ever."),
    SF_OPTION_STRING(State, cheat, .doc = "What is wrong with its batches: gap, back, again, nobody."),
    SF_OPTION_STRING(State, lost, .doc = "Where there is no such file its splits are lost once, and the file is made."),
    SF_OPTION_STRING(State, over, .doc = "File that it makes when the host says that they are over."),
    SF_OPTION_STRING(State, origin, .doc = "The origin of its splits; it fails where sinks have kept another."),
    SF_OPTION_STRING(State, published, .doc = "File that gets a line for each published position."),
    SF_OPTION_END};

static SfStatus bind(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    static const SfField fields[] = {{.name = "offset", .type = SF_INT64},
                                     {.name = "half", .type = SF_INT64, .nullable = true}};
    State *state = node->state;
    SF_TRY(sf_schema_make(fields, 2, &state->schema, err));
    return sf_schema_copy(&state->schema, out, err);
}

static SfStatus open_source(SfNode *node, SfError *err)
{
    State *state = node->state;
    sf_patience(node, state->patience);
    if (!state->away)
        return SF_OK;
    g_file_set_contents(state->away, "", 0, NULL);
    return sf_fail(err, SF_RETRY, "the numbers cannot be opened");
}

static SfStatus unless_over(const State *state, SfStatus status)
{
    if (status != SF_OK && state->over)
        g_file_set_contents(state->over, sf_status_name(status), -1, NULL);
    return status;
}

static SfStatus originate(SfNode *node, const SfSplit *split, SfError *err)
{
    const State *state = node->state;
    sf_set_origin(node, split, state->origin);
    const char *other = sf_other_origin(node, split);
    return other ? sf_fail(err, SF_CONFIG, "%s was '%s'", split->name, other) : SF_OK;
}

static SfStatus assign(SfNode *node, SfError *err)
{
    State *state = node->state;
    g_autofree SfAssignment *wanted = g_new0(SfAssignment, state->splits);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (int64_t i = 0; i < state->splits; i++) {
        g_ptr_array_add(names, g_strdup_printf("count/%d", (int) i));
        wanted[i] = (SfAssignment){.name = names->pdata[i], .topic = "count", .partition = (int32_t) i, .start = 0};
    }
    SF_TRY(unless_over(state, sf_assign(node, wanted, (size_t) state->splits, err)));
    if (!state->held) {
        state->held = g_new0(const SfSplit *, state->splits);
        state->next = g_new0(int64_t, state->splits);
    }
    for (int64_t i = 0; i < state->splits; i++) {
        state->held[i] = wanted[i].split;
        state->next[i] = wanted[i].position;
        SF_TRY(originate(node, wanted[i].split, err));
        sf_lag(node, wanted[i].split, state->rows);
    }
    sf_expect(node, state->rows * state->splits);
    return SF_OK;
}

static gint on_the_way; /* batches */

typedef struct Counted {
    void (*release)(struct ArrowArray *);
    void *private_data;
} Counted;

static void release_counted(struct ArrowArray *array)
{
    Counted *counted = array->private_data;
    array->release = counted->release;
    array->private_data = counted->private_data;
    g_free(counted);
    g_atomic_int_add(&on_the_way, -1);
    array->release(array);
}

static void count(struct ArrowArray *array)
{
    Counted counted = {.release = array->release, .private_data = array->private_data};
    array->private_data = g_memdup2(&counted, sizeof counted);
    array->release = release_counted;
    g_atomic_int_inc(&on_the_way);
}

/* Breaks a rule of batches once a few have been sound. */
static void cheat(const State *state, SfBatch *out)
{
    if (!state->cheat || out->start < 5 * state->batch)
        return;
    out->start += g_str_equal(state->cheat, "gap") ? 1 : 0;
    out->start -= g_str_equal(state->cheat, "again") ? 1 : 0;
    out->end = g_str_equal(state->cheat, "back") ? out->start - 1 : out->end;
    out->split = g_str_equal(state->cheat, "nobody") ? NULL : out->split;
}

static SfStatus fill(State *state, int64_t split, SfBatch *out, SfError *err)
{
    SfBuilder *builder = sf_builder_new(&state->schema, err);
    int64_t end = MIN(state->next[split] + state->batch, state->rows);
    SfStatus status = SF_OK;
    for (int64_t i = state->next[split] * state->crowd; status == SF_OK && i < end * state->crowd; i++) {
        int64_t n = i / state->crowd;
        if (state->hole && n % state->hole == 0)
            continue;
        sf_add_i64(sf_builder_column(builder, 0), n + state->shift);
        sf_add_i64(sf_builder_column(builder, 1), n / 2);
        status = sf_builder_end_row(builder, err);
    }
    if (status == SF_OK)
        status = sf_builder_finish(builder, &out->rows, err);
    sf_builder_free(builder);
    if (status == SF_OK)
        count(out->rows.children[0]);
    if (status == SF_OK && state->most && g_atomic_int_get(&on_the_way) > state->most)
        status = sf_fail(err, SF_FATAL, "%d batches are on their way", g_atomic_int_get(&on_the_way));
    out->bytes = state->bytes;
    out->split = state->held[split];
    out->start = state->next[split];
    out->end = state->next[split] = end;
    cheat(state, out);
    return status;
}

static gint handed_over; /* between the tasks, as a group's coordinator */

static SfStatus give_away(SfNode *node, SfError *err)
{
    State *state = node->state;
    SF_TRY(sf_revoke(node, state->held, (size_t) state->splits, false, err));
    g_clear_pointer(&state->held, g_free);
    g_clear_pointer(&state->next, g_free);
    g_atomic_int_set(&handed_over, 1);
    return SF_OK;
}

/* The group has shared the splits out, and none of them is ours any more. */
static SfStatus give_up(SfNode *node, SfError *err)
{
    State *state = node->state;
    SF_TRY(sf_revoke(node, state->held, (size_t) state->splits, false, err));
    state->given_up = true;
    return sf_assign(node, NULL, 0, err);
}

/* Whether this task has nothing, for now or for good. */
static bool without(const SfNode *node)
{
    const State *state = node->state;
    if (state->given_up)
        return true;
    return state->hand_over && (int) node->task != g_atomic_int_get(&handed_over);
}

/* A group shares out anew while nothing is polled. */
static SfStatus serve(SfNode *node, SfError *err)
{
    State *state = node->state;
    if (state->ill && g_file_test(state->ill, G_FILE_TEST_EXISTS))
        return sf_fail(err, SF_RETRY, "the numbers are ill");
    if (state->serve_revoke && state->held && ++state->serves == state->serve_revoke) {
        SF_TRY(sf_revoke(node, state->held, (size_t) state->splits, false, err));
        SF_TRY(assign(node, err));
        g_file_set_contents(state->served, "", 0, NULL);
    }
    bool mine = state->hand_over && node->task == 1 && g_atomic_int_get(&handed_over);
    return mine && !state->held ? assign(node, err) : SF_OK;
}

/* Splits go and come again, or are lost. */
static SfStatus move_splits(SfNode *node, SfError *err)
{
    State *state = node->state;
    if (state->revoke_every && state->polls % state->revoke_every == 0) {
        SF_TRY(unless_over(state, sf_revoke(node, state->held, (size_t) state->splits, false, err)));
        SF_TRY(assign(node, err));
    }
    if (state->lost && state->polls == 10 && !g_file_test(state->lost, G_FILE_TEST_EXISTS)) {
        g_file_set_contents(state->lost, "", 0, NULL);
        SF_TRY(sf_revoke(node, state->held, (size_t) state->splits, true, err));
    }
    return SF_OK;
}

static SfStatus poll(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    State *state = node->state;
    if (state->over_now)
        return sf_fail(err, SF_FATAL, "polled after it was told that it is about to close");
    state->polls++;
    state->serves = 0;
    if (state->retry_every && state->polls % state->retry_every == 0)
        return sf_fail(err, SF_RETRY, "the numbers are away");
    if (node->task == 0 && state->polls == state->hand_over)
        SF_TRY(give_away(node, err));
    if (state->give_up && state->polls == state->give_up)
        SF_TRY(give_up(node, err));
    if (without(node))
        return SF_END;
    if (!state->held)
        SF_TRY(assign(node, err));
    SF_TRY(move_splits(node, err));
    for (int64_t i = 0; i < state->splits; i++) {
        int64_t split = state->turn++ % state->splits;
        if (state->next[split] < state->rows)
            return fill(state, split, out, err);
    }
    if (node->bounded)
        return SF_END;
    g_usleep((gulong) timeout_ms * 100);
    return SF_EMPTY;
}

static void committed(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    State *state = node->state;
    state->over_now = state->over_now || last;
    FILE *file = state->published ? fopen(state->published, "a") : NULL;
    for (size_t i = 0; file && i < n; i++)
        fprintf(file, "%s %" G_GINT64_FORMAT "\n", positions[i].split->name, (gint64) positions[i].position);
    if (file)
        fclose(file);
}

static void close_source(SfNode *node)
{
    State *state = node->state;
    g_free(state->held);
    g_free(state->next);
    sf_schema_done(&state->schema);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(State, .name = "count-source", .version = "1.0.0", .summary = "Numbers", .options = options),
    .bind = bind,
    .open = open_source,
    .poll = poll,
    .serve = serve,
    .committed = committed,
    .close = close_source};
