/* The equation: what should have come to a sink's input = what its store has + what it has rejected, by position where
 * rows were read, by number otherwise. What cannot be told is said. */
#include "compare.h"

#include <string.h>

#include "replay.h"
#include "start.h"

#define MOST_GAPS 20 /* that are named, of one split by one input */

#define N "%" G_GINT64_FORMAT

/* ---- what readers of errors have -------------------------------------------------------------------------------- */

/* Rows that the store has of an input: -1: not known. */
static gint64 stored_rows(const AuditStep *step, guint input)
{
    gint64 sum = 0;
    if (!step->asked)
        return -1;
    if (step->gave_rows[input]) {
        for (guint i = 0; i < step->lanes->len; i++) {
            const AuditLane *lane = step->lanes->pdata[i];
            sum += lane->input == input ? lane->stored : 0;
        }
        return sum;
    }
    if (step->totals[input] >= 0)
        return step->totals[input];
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input == input && chain->rows < 0)
            return -1;
        sum += chain->input == input ? chain->rows : 0;
    }
    return sum;
}

static gint64 ledger_rejected(const AuditStep *step, guint input)
{
    gint64 sum = 0;
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input == input && chain->rejected < 0)
            return -1;
        sum += chain->input == input ? chain->rejected : 0;
    }
    return sum;
}

/* The reader of the step's errors that is asked: NULL: none can be. */
static const Edge *errors_reader(const Audit *audit, const Step *step)
{
    for (guint i = 0; i < step->error_outputs->len; i++) {
        const Edge *edge = step->error_outputs->pdata[i];
        if (edge->to->plugin->kind == SF_SINK && audit->steps[edge->to->index].asked)
            return edge;
    }
    return NULL;
}

/* Rows that the step has rejected, as the store has them that they went to; -1: nobody knows. */
static gint64 rejected_rows(const Audit *audit, const Step *step)
{
    const Edge *reader = errors_reader(audit, step);
    if (reader)
        return stored_rows(&audit->steps[reader->to->index], (guint) reader->input);
    return step->error_outputs->len == 0 && step->on_reject == ON_REJECT_STOP ? 0 : -1;
}

/* ---- the way from the source ------------------------------------------------------------------------------------ */

typedef struct Way {
    bool direct;     /* no transform is on it */
    bool errors;     /* it is somebody's rejects */
    gint64 rejected; /* by the transforms on it; -1: not known */
} Way;

static Way way_of(const Audit *audit, const Step *step, guint input)
{
    Way way = {.direct = true};
    for (const Edge *edge = step->inputs->pdata[input];; edge = edge->from->inputs->pdata[0]) {
        way.errors |= edge->errors;
        if (edge->from->inputs->len == 0)
            return way;
        gint64 rejected = rejected_rows(audit, edge->from);
        way.direct = false;
        way.rejected = way.rejected < 0 || rejected < 0 ? -1 : way.rejected + rejected;
    }
}

/* Positions that the chains of an input cover, as far as the source can still be asked for them. */
static gint64 covered(const Audit *audit, const AuditStep *step, guint input)
{
    gint64 sum = 0;
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input == input)
            sum += MAX(chain->end - replay_start(audit, step, chain), 0);
    }
    return sum;
}

/* Whether a sink that reads the same source directly covers just the same, so that its rows are all records. */
static bool covers_same(const Audit *audit, const AuditStep *step, guint input, const AuditStep *other,
                        guint other_input)
{
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        const AuditChain *its = step_chain(other, other_input, chain->split);
        if (chain->input != input)
            continue;
        if (!its || its->end != chain->end || its->rows < 0 ||
            replay_start(audit, other, its) != replay_start(audit, step, chain))
            return false;
    }
    return true;
}

static gint64 records_by(const AuditStep *step, guint input)
{
    gint64 rows = stored_rows(step, input), rejected = ledger_rejected(step, input);
    return rows < 0 || rejected < 0 ? -1 : rows + rejected;
}

/* The records that the input's chains cover, by what another sink has of them, with its name. -1: nobody says. */
static gint64 known_records(const Audit *audit, const AuditStep *step, guint input, const char **by)
{
    const Step *source = audit_source_of(step->step, input);
    for (guint i = 0; i < source->outputs->len; i++) {
        const Edge *edge = source->outputs->pdata[i];
        const AuditStep *other = &audit->steps[edge->to->index];
        if (edge->to->plugin->kind != SF_SINK || other == step || !other->asked ||
            !covers_same(audit, step, input, other, (guint) edge->input))
            continue;
        *by = edge->to->name;
        return records_by(other, (guint) edge->input);
    }
    return -1;
}

/* ---- by number -------------------------------------------------------------------------------------------------- */

/* Whether a reader of rejects stands elsewhere than the step in some split: they commit by themselves. */
static bool stands_elsewhere(const AuditStep *step, guint input, const Edge *reader)
{
    const AuditStep *other = &step->audit->steps[reader->to->index];
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        const AuditChain *its = step_chain(other, (guint) reader->input, chain->split);
        if (chain->input == input && (its ? its->end : 0) != chain->end)
            return true;
    }
    return false;
}

static bool rejects_elsewhere(const AuditStep *step, guint input)
{
    const Audit *audit = step->audit;
    const Edge *own = errors_reader(audit, step->step);
    if (own && stands_elsewhere(step, input, own))
        return true;
    for (const Edge *edge = step->step->inputs->pdata[input]; edge->from->inputs->len > 0;
         edge = edge->from->inputs->pdata[0]) {
        const Edge *reader = errors_reader(audit, edge->from);
        if (reader && stands_elsewhere(step, input, reader))
            return true;
    }
    return false;
}

static void say_fewer(AuditStep *step, const Way *way, gint64 missing, gint64 of, const char *by)
{
    if (by && way->direct) {
        step_find(step, SF_AUDIT_FAULT, NULL, N " records are missing, of " N " that '%s' has", missing, of, by);
        return;
    }
    step_find(step, SF_AUDIT_UNKNOWN, NULL, N " of " N " %s have no row here: %s, or rows that are lost; --deep tells",
              missing, of, by ? "records" : "positions",
              way->direct ? "holes of the topic (compaction, transactions)"
                          : "holes of the topic, rows that a transform leaves out");
}

static void say_more(AuditStep *step, const Way *way, gint64 more, gint64 of)
{
    if (way->direct)
        step_find(step, SF_AUDIT_FAULT, NULL, N " rows more than the " N " records that they come from: doubled", more,
                  of);
    else
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  N " rows more than the " N " records that they come from, which only a transform could have made; "
                    "--deep tells",
                  more, of);
}

/* Whether a number of rows is of more than --from leaves. */
static bool is_cut(const AuditStep *step, guint input)
{
    bool cut = step->totals[input] >= 0 && !step->gave_rows[input] && g_hash_table_size(step->audit->from) > 0;
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        cut |= chain->input == input && chain->cut;
    }
    return cut && !step->gave_rows[input];
}

static bool reader_is_cut(const Audit *audit, const Step *step)
{
    const Edge *reader = errors_reader(audit, step);
    return reader && is_cut(&audit->steps[reader->to->index], (guint) reader->input);
}

/* The numbers that the input's are compared with are those of others, too. */
static bool numbers_are_cut(const AuditStep *step, guint input, const char *by)
{
    const Audit *audit = step->audit;
    bool cut = is_cut(step, input) || reader_is_cut(audit, step->step);
    for (const Edge *edge = step->step->inputs->pdata[input]; edge->from->inputs->len > 0;
         edge = edge->from->inputs->pdata[0])
        cut |= reader_is_cut(audit, edge->from);
    const Step *source = audit_source_of(step->step, input);
    for (guint i = 0; by && i < source->outputs->len; i++) {
        const Edge *edge = source->outputs->pdata[i];
        cut |= strcmp(edge->to->name, by) == 0 && is_cut(&audit->steps[edge->to->index], (guint) edge->input);
    }
    return cut;
}

static void say_cut(AuditStep *step)
{
    step_find(step, SF_AUDIT_UNKNOWN, NULL,
              "--from lies within ranges whose rows are known only by their number: they cannot be compared; begin "
              "where a range begins%s",
              step->audit->depth < SF_AUDIT_DEEP ? ", or compare by position with --deep" : "");
}

static void compare_numbers(AuditStep *step, AuditLine *line)
{
    const Audit *audit = step->audit;
    const Way way = way_of(audit, step->step, line->input);
    const char *by = NULL;
    gint64 records = known_records(audit, step, line->input, &by);
    if (way.errors || (step->step->plugin->sink.audit_rows && line->stored < 0))
        return; /* counted with the rows that were not rejected; or one a key */
    if (records < 0) {
        by = NULL;
        records = covered(audit, step, line->input);
    }
    line->events = records;
    if (numbers_are_cut(step, line->input, by)) {
        say_cut(step);
        return;
    }
    if (line->stored < 0 || line->rejected < 0 || way.rejected < 0) {
        step_find(step, SF_AUDIT_UNKNOWN, NULL, "how many rows %s cannot be told%s",
                  line->stored < 0 ? "it has" : "were rejected", audit->depth < SF_AUDIT_DEEP ? "; --deep may" : "");
        return;
    }
    line->rejected += way.rejected;
    gint64 there = line->stored + line->rejected;
    if (there != records && rejects_elsewhere(step, line->input))
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  "rejects are stored up to other positions than rows (the pipeline runs, or was killed), so that they "
                  "cannot be added up; --deep compares by position");
    else if (there < records)
        say_fewer(step, &way, records - there, records, by);
    else if (there > records)
        say_more(step, &way, there - records, records);
}

/* ---- by position ------------------------------------------------------------------------------------------------ */

static void say_gap(AuditStep *step, const AuditLane *lane, const GridGap *gap)
{
    const char *what = gap->rows < 0 ? "missing" : "more than there should be (doubled, or not of this topic)";
    if (gap->position >= 0)
        step_find(step, SF_AUDIT_FAULT, NULL, "%s/%d: the row at position " N " is %s", lane->topic, lane->partition,
                  gap->position, gap->rows < 0 ? "missing" : "there more often than it should be");
    else if (gap->rows != 0)
        step_find(step, SF_AUDIT_FAULT, NULL, "%s/%d: " N " rows between positions " N " and " N " are %s", lane->topic,
                  lane->partition, ABS(gap->rows), gap->from, gap->to - 1, what);
    else
        step_find(step, SF_AUDIT_FAULT, NULL,
                  "%s/%d: between positions " N " and " N " there are as many rows as there should be, but others",
                  lane->topic, lane->partition, gap->from, gap->to - 1);
}

static void say_gaps(AuditStep *step, const AuditLane *lane, const GArray *gaps)
{
    gint64 rest = 0;
    for (guint i = 0; i < gaps->len; i++) {
        const GridGap *gap = &g_array_index(gaps, GridGap, i);
        if (i < MOST_GAPS)
            say_gap(step, lane, gap);
        else
            rest += ABS(gap->rows);
    }
    if (rest > 0)
        step_find(step, SF_AUDIT_FAULT, NULL, "%s/%d: and " N " rows more like these, in %u places", lane->topic,
                  lane->partition, rest, gaps->len - MOST_GAPS);
}

/* Rows that are missing may be those that the step was told to drop. */
static bool were_dropped(const AuditStep *step, const AuditLane *lane, const GArray *gaps)
{
    const Step *of = step->step;
    gint64 missing = 0;
    for (guint i = 0; i < gaps->len; i++) {
        gint64 rows = g_array_index(gaps, GridGap, i).rows;
        if (rows >= 0)
            return false;
        missing -= rows;
    }
    if (errors_reader(step->audit, of) || (of->error_outputs->len == 0 && of->on_reject == ON_REJECT_STOP))
        return false;
    const AuditChain *chain = step_chain_of(step, lane->input, lane->topic, lane->partition);
    if (chain && chain->rejected >= missing)
        return true;
    step_find((AuditStep *) step, SF_AUDIT_UNKNOWN, NULL,
              "%s/%d: " N " rows are not here: rejected and kept nowhere that can be asked, or lost", lane->topic,
              lane->partition, missing);
    return true;
}

static void compare_lane(AuditStep *step, const AuditLane *lane)
{
    const Audit *audit = step->audit;
    const Edge *reader = errors_reader(audit, step->step);
    g_auto(Grid) all = {0};
    grid_init(&all);
    grid_merge(&all, &lane->grid);
    const GPtrArray *lanes = reader ? audit->steps[reader->to->index].lanes : NULL;
    for (guint i = 0; lanes && i < lanes->len; i++) {
        const AuditLane *rejects = lanes->pdata[i];
        if (rejects->input == reader->input && rejects->partition == lane->partition &&
            strcmp(rejects->topic, lane->topic) == 0)
            grid_merge(&all, &rejects->grid);
    }
    g_autoptr(GArray) gaps = grid_gaps(&all);
    if (gaps->len > 0 && !were_dropped(step, lane, gaps))
        say_gaps(step, lane, gaps);
}

/* Whether rows of the lane may be of a split that the source does not have. */
static bool has_strangers(const AuditStep *step, const AuditLane *lane)
{
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        bool same = !chain->topic || (chain->partition == lane->partition && strcmp(chain->topic, lane->topic) == 0);
        if (chain->input == lane->input && same &&
            !audit_source_chain(step->audit, step->step, chain->input, chain->split))
            return true;
    }
    return false;
}

static bool knows_topic(const AuditStep *step, const AuditLane *lane)
{
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input == lane->input && chain->partition == lane->partition &&
            g_strcmp0(chain->topic, lane->topic) == 0)
            return true;
    }
    return false;
}

static void compare_lanes(AuditStep *step, AuditLine *line)
{
    line->events = 0;
    for (guint i = 0; i < step->lanes->len; i++) {
        const AuditLane *lane = step->lanes->pdata[i];
        if (lane->input != line->input)
            continue;
        line->events += lane->expected;
        if (has_strangers(step, lane))
            continue; /* compare_chain() has said so */
        if (!knows_topic(step, lane)) {
            if (lane->stored > 0)
                step_find(step, SF_AUDIT_FAULT, NULL,
                          "%s/%d: " N " rows are here, but no position: the next run would read them again",
                          lane->topic, lane->partition, lane->stored);
            continue;
        }
        if (lane->beyond > 0)
            step_find(step, SF_AUDIT_FAULT, NULL,
                      "%s/%d: " N " rows are behind the position that the step has, the first at " N
                      ": the next run would read them again",
                      lane->topic, lane->partition, lane->beyond, lane->beyond_first);
        start_say_unknown(step, lane);
        compare_lane(step, lane);
    }
}

/* Rows without positions. */
static void compare_replayed(AuditStep *step, AuditLine *line)
{
    line->events = 0;
    for (guint i = 0; i < step->lanes->len; i++) {
        const AuditLane *lane = step->lanes->pdata[i];
        line->events += lane->input == line->input ? lane->expected : 0;
    }
    if (step->step->plugin->sink.audit_rows)
        return;
    gint64 rejected = MAX(line->rejected, 0);
    if (numbers_are_cut(step, line->input, NULL))
        say_cut(step);
    else if (line->stored < 0)
        step_find(step, SF_AUDIT_UNKNOWN, NULL, "how many rows it has cannot be told");
    else if (line->stored + rejected != line->events)
        step_find(step, line->rejected < 0 && line->stored < line->events ? SF_AUDIT_UNKNOWN : SF_AUDIT_FAULT, NULL,
                  "it has " N " rows and has rejected " N ", where " N " came to it", line->stored, rejected,
                  line->events);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void compare_chain(AuditStep *step, AuditLine *line, const AuditChain *chain)
{
    const AuditChain *source = audit_source_chain(step->audit, step->step, chain->input, chain->split);
    start_compare(step, chain, source);
    if (!source) {
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  "%s: the source has no such split (any more): the rows cannot be compared", chain->split);
        return;
    }
    if (chain->end > source->end)
        step_find(step, SF_AUDIT_FAULT, NULL,
                  "%s: the step is at position " N ", behind the end of the source at " N
                  ": the source was truncated, or made anew",
                  chain->split, chain->end, source->end);
    line->behind += MAX(source->end - chain->end, 0);
}

static bool reads_source(const AuditStep *step, guint input)
{
    return !way_of(step->audit, step->step, input).errors;
}

static void compare_missing_splits(AuditStep *step, AuditLine *line)
{
    const AuditStep *source = &step->audit->steps[audit_source_of(step->step, line->input)->index];
    for (guint i = 0; i < source->chains->len; i++) {
        const AuditChain *its = source->chains->pdata[i];
        if (reads_source(step, line->input) && !step_chain(step, line->input, its->split))
            line->behind += MAX(its->end - MAX(its->start, audit_from(step->audit, its->split)), 0);
    }
}

static void compare_input(AuditStep *step, guint input)
{
    AuditLine line = {.step = step, .input = input, .events = -1, .stored = stored_rows(step, input)};
    const Edge *edge = step->step->inputs->pdata[input];
    const Audit *audit = step->audit;
    gint64 ledger = ledger_rejected(step, input);
    line.rejected = ledger >= 0 ? ledger : rejected_rows(audit, step->step);
    for (guint i = 0; i < step->chains->len; i++) {
        const AuditChain *chain = step->chains->pdata[i];
        if (chain->input == input)
            compare_chain(step, &line, chain);
    }
    compare_missing_splits(step, &line);
    bool replayed = audit->depth == SF_AUDIT_DEEP && audit->steps[audit_source_of(step->step, input)->index].asked;
    bool sinks_rejects = edge->errors && edge->from->plugin->kind == SF_SINK; /* compared with the sink's rows */
    if (replayed && step->gave_rows[input] && !sinks_rejects)
        compare_lanes(step, &line);
    else if (replayed && !sinks_rejects)
        compare_replayed(step, &line);
    else if (!sinks_rejects)
        compare_numbers(step, &line);
    g_array_append_val(step->audit->lines, line);
}

void compare_all(Audit *audit)
{
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        AuditStep *step = &audit->steps[i];
        for (guint input = 0; step->asked && step->step->plugin->kind == SF_SINK && input < step->step->inputs->len;
             input++)
            compare_input(step, input);
    }
}
