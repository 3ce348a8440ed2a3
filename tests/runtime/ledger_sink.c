/* An exactly-once sink for the runtime's tests: rows and ranges go into one file by one write a commit. Can refuse
 * rows, ask for another try, be fenced, fail, commit only a part at checkpoints, and never come back from a hook.
 *
 * Built once more as ticking-sink (TICKS), which tells of ticks while it has nothing to commit, and as plain-sink
 * (PLAIN), which has no more hooks than it must, and knows nothing of positions. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sf/sf.h>

#define MAYBE_UNUSED __attribute__((unused)) /* as plain-sink */

#ifdef PLAIN
#define EXACT false
#else
#define EXACT true
#endif

typedef struct Open {
    size_t input;
    const SfSplit *split;
    int64_t start, end, rows, sum;
} Open;

typedef struct State {
    const char *path;
    const char *away, *until, *hang;
    int64_t reject, refuse, retry_every, fence_at, fail_at, slow_us, hold, mark;
    bool lazy, twice, waits, anywhere;
    gint interrupted; /* atomic */
    GArray *open;     /* Open */
    int64_t calls, writes, commits, idle_ticks;
} State;

static const SfOption options[] = {
    SF_OPTION_STRING(State, path, .required = true, .doc = "The ledger's file."),
    SF_OPTION_INT(State, reject, .value = "0", .doc = "Rejects offsets that this divides; 0: none."),
    SF_OPTION_INT(State, refuse, .value = "0", .doc = "Refuses batches that start at what this divides; 0: none."),
    SF_OPTION_INT(State, retry_every, .value = "0", .doc = "Hook calls after which it asks for another try; 0: never."),
    SF_OPTION_INT(State, fence_at, .value = "0", .doc = "The commit that is fenced, once; 0: none."),
    SF_OPTION_INT(State, fail_at, .value = "0", .doc = "The commit that fails for good; 0: none."),
    SF_OPTION_INT(State, slow_us, .value = "0", .doc = "Time that a write takes."),
    SF_OPTION_STRING(State, away, .doc = "The hook that asks for another try."),
    SF_OPTION_STRING(State, until, .doc = "The file that ends it; without one it never ends."),
    SF_OPTION_STRING(State, hang, .doc = "The hook that does not return."),
    SF_OPTION_INT(State, mark, .value = "0", .doc = "The write after which the file '<path>.marked' is made; 0: none."),
    SF_OPTION_SIZE(State, hold, .value = "0", .doc = "Memory that it takes when it is opened, and keeps."),
    SF_OPTION_BOOL(State, twice, .doc = "Asks for each batch again when it has rejected what it rejects of it."),
    SF_OPTION_BOOL(State, waits,
                   .doc =
                       "Commits wait for the file of 'until', or make '<path>.interrupted' and ask for another try."),
    SF_OPTION_BOOL(State, anywhere, .doc = "Offsets need not be positions."),
    SF_OPTION_BOOL(State, lazy, .doc = "Commits nothing at checkpoints."),
    SF_OPTION_END};

static SfStatus bind(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    State *state = node->state;
    (void) input;
    if (sf_schema_find(schema, "offset") < 0)
        return sf_fail(err, SF_CONFIG, "there is no column 'offset'");
    if (!state->open)
        state->open = g_array_new(FALSE, TRUE, sizeof(Open));
    return SF_OK;
}

static bool once_more(State *state)
{
    return state->retry_every && ++state->calls % state->retry_every == 0;
}

/* Tells tests that a hook was reached: a file beside the ledger. */
static void mark(const State *state, const char *what)
{
    g_autofree char *path = g_strconcat(state->path, ".", what, NULL);
    g_file_set_contents(path, "", 0, NULL);
}

static SfStatus enter(State *state, const char *hook, SfError *err)
{
    while (g_strcmp0(state->hang, hook) == 0) {
        mark(state, hook);
        g_usleep(10000);
    }
    bool back = state->until && g_file_test(state->until, G_FILE_TEST_EXISTS);
    if (g_strcmp0(state->away, hook) == 0 && !back) {
        mark(state, hook);
        return sf_fail(err, SF_RETRY, "the ledger is away for %s", hook);
    }
    return once_more(state) ? sf_fail(err, SF_RETRY, "the ledger is away") : SF_OK;
}

MAYBE_UNUSED static SfStatus open_sink(SfNode *node, SfError *err)
{
    State *state = node->state;
    SF_TRY(enter(state, "open", err));
    sf_charge(node, state->hold);
    return SF_OK;
}

static int64_t last_end(const State *state, const char *input, const char *split)
{
    g_autofree char *text = NULL;
    int64_t end = SF_POSITION_NONE;
    if (!g_file_get_contents(state->path, &text, NULL, NULL))
        return end;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);
        if (g_strv_length(words) == 6 && strcmp(words[0], input) == 0 && strcmp(words[1], split) == 0)
            end = MAX(end, g_ascii_strtoll(words[3], NULL, 10));
    }
    return end;
}

/* Beside the ledger, one for all splits. */
static char *origin_path(const State *state)
{
    return g_strconcat(state->path, ".origin", NULL);
}

static void keep_origin(SfNode *node, const SfSplit *split)
{
    g_autofree char *path = origin_path(node->state);
    const char *origin = sf_origin(node, split);
    if (origin)
        g_file_set_contents(path, origin, -1, NULL);
}

MAYBE_UNUSED static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    State *state = node->state;
    SF_TRY(enter(state, "recover", err));
    g_autofree char *path = origin_path(state), *origin = NULL;
    g_file_get_contents(path, &origin, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        chains[i].position = last_end(state, node->inputs[chains[i].input], chains[i].split->name);
        sf_recovered_origin(node, chains[i].input, chains[i].split, origin);
    }
    return SF_OK;
}

static Open *open_of(State *state, size_t input, const SfBatch *batch)
{
    for (guint i = 0; i < state->open->len; i++) {
        Open *open = &g_array_index(state->open, Open, i);
        if (open->input == input && open->split == batch->split)
            return open;
    }
    Open fresh = {.input = input, .split = batch->split, .start = batch->start, .end = batch->start};
    g_array_append_val(state->open, fresh);
    return &g_array_index(state->open, Open, state->open->len - 1);
}

static SfStatus write_batch(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    State *state = node->state;
    SfColumn offsets;
    SF_TRY(enter(state, "write", err));
    g_usleep((gulong) state->slow_us);
    if (batch->rows.n_children != batch->schema->n_children)
        return sf_fail(err, SF_FATAL, "%s: %d columns where the schema has %d", batch->split->name,
                       (int) batch->rows.n_children, (int) batch->schema->n_children);
    Open *open = open_of(state, input, batch);
    if (batch->start != open->end)
        return sf_fail(err, SF_FATAL, "%s goes on at %" G_GINT64_FORMAT " instead of %" G_GINT64_FORMAT,
                       batch->split->name, (gint64) batch->start, (gint64) open->end);
    SF_TRY(sf_column(batch, "offset", SF_INT64, &offsets, err));
    if (state->refuse && sf_rows(batch) > 0 && batch->start % state->refuse == 0)
        return sf_fail(err, SF_REJECT, "the batch at %" G_GINT64_FORMAT " is not wanted", (gint64) batch->start);
    Open before = *open;
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        int64_t offset = sf_i64(&offsets, row);
        if (!state->anywhere && (offset < batch->start || offset >= batch->end))
            return sf_fail(err, SF_FATAL, "offset %" G_GINT64_FORMAT " is outside its range", (gint64) offset);
        if (state->reject && offset % state->reject == 0) {
            sf_reject(node, batch, row, "%" G_GINT64_FORMAT " is divided by %" G_GINT64_FORMAT, (gint64) offset,
                      (gint64) state->reject);
            continue;
        }
        open->rows++;
        open->sum += offset;
    }
    if (state->twice && ++state->writes % 2 == 1) {
        *open = before;
        return sf_fail(err, SF_RETRY, "once more, please");
    }
    open->end = batch->end;
    if (++state->writes == state->mark)
        mark(state, "marked");
    return SF_OK;
}

static SfStatus settle_all(SfNode *node, SfError *err)
{
    State *state = node->state;
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(SfPosition));
    for (guint i = 0; i < state->open->len; i++) {
        const Open *open = &g_array_index(state->open, Open, i);
        SfPosition end = {.split = open->split, .position = open->end};
        g_array_append_val(ends, end);
    }
    return sf_settle(node, 0, (const SfPosition *) (const void *) ends->data, ends->len, err);
}

static SfStatus append(State *state, const GString *text, SfError *err)
{
    int file = open(state->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool done = file >= 0 && write(file, text->str, text->len) == (gssize) text->len;
    if (file >= 0)
        close(file);
    return done ? SF_OK : sf_fail(err, SF_FATAL, "cannot write '%s': %s", state->path, g_strerror(errno));
}

static SfStatus wait_to_commit(State *state, SfError *err)
{
    if (!state->waits)
        return SF_OK;
    g_atomic_int_set(&state->interrupted, 0);
    mark(state, "waits");
    while (!g_file_test(state->until, G_FILE_TEST_EXISTS)) {
        if (g_atomic_int_get(&state->interrupted)) {
            mark(state, "interrupted");
            return sf_fail(err, SF_RETRY, "interrupted");
        }
        g_usleep(1000);
    }
    return SF_OK;
}

MAYBE_UNUSED static void interrupt_wait(SfNode *node)
{
    State *state = node->state;
    g_atomic_int_set(&state->interrupted, 1);
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    State *state = node->state;
    g_autoptr(GString) text = g_string_new(NULL);
    if (reason == SF_COMMIT_CHECKPOINT && state->lazy)
        return SF_OK;
    SF_TRY(enter(state, "commit", err));
    SF_TRY(wait_to_commit(state, err));
    g_autofree char *fenced = g_strconcat(state->path, ".fenced", NULL);
    if (++state->commits == state->fence_at && !g_file_test(fenced, G_FILE_TEST_EXISTS)) {
        mark(state, "fenced");
        return sf_fail(err, SF_FENCED, "somebody else wrote the ledger");
    }
    if (state->commits == state->fail_at)
        return sf_fail(err, SF_FATAL, "the ledger is broken");
    SF_TRY(EXACT ? settle_all(node, err) : SF_OK);
    sf_fault(node, "ledger-before-append");
    for (guint i = 0; i < state->open->len; i++) {
        const Open *open = &g_array_index(state->open, Open, i);
        if (open->end > open->start)
            g_string_append_printf(
                text, "%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
                node->inputs[open->input], open->split->name, (gint64) open->start, (gint64) open->end,
                (gint64) open->rows, (gint64) open->sum);
    }
    SF_TRY(append(state, text, err));
    sf_fault(node, "ledger-after-append");
    for (guint i = 0; i < state->open->len; i++) {
        Open *open = &g_array_index(state->open, Open, i);
        if (EXACT) {
            keep_origin(node, open->split);
            sf_committed(node, open->input, open->split, open->end);
        }
        *open = (Open){.input = open->input, .split = open->split, .start = open->end, .end = open->end};
    }
    return SF_OK;
}

static void close_sink(SfNode *node)
{
    State *state = node->state;
    if (state->open)
        g_array_unref(state->open);
}

#ifdef PLAIN
SF_SINK_PLUGIN = {
    SF_SINK_HEAD(State, .name = "plain-sink", .version = "1.0.0", .summary = "Ranges", .options = options),
    .delivery = SF_AT_LEAST_ONCE,
    .bind = bind,
    .write = write_batch,
    .commit = commit,
    .close = close_sink};
#else
#ifdef TICKS
#define NAME "ticking-sink"
/* After the third while everything is committed, the file '<path>.ticked' is there. */
static SfStatus count_ticks(SfNode *node, SfError *err)
{
    State *state = node->state;
    (void) err;
    for (guint i = 0; i < state->open->len; i++) {
        const Open *open = &g_array_index(state->open, Open, i);
        if (open->end > open->start)
            return SF_OK;
    }
    if (state->commits > 0 && ++state->idle_ticks == 3)
        mark(state, "ticked");
    return SF_OK;
}
#else
#define NAME "ledger-sink"
#define count_ticks NULL
#endif

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(State, .name = NAME, .version = "1.0.0", .summary = "Ranges in a file", .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = bind,
    .open = open_sink,
    .recover = recover,
    .write = write_batch,
    .commit = commit,
    .tick = count_ticks,
    .interrupt = interrupt_wait,
    .close = close_sink};
#endif
