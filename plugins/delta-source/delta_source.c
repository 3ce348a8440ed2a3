/* delta-source: a Delta table's rows, as a snapshot and version by version. Options, life and waiting; the split is
 * lane.c. */
#include "lane.h"
#include "wake.h"

#include <inttypes.h>
#include <string.h>

static const char *const starting_words[] = {"snapshot", "latest", "version", "timestamp", NULL};
static const char *const change_words[] = {"stop", "ignore", "cdf", NULL};
static const char *const missing_words[] = {"stop", "skip", NULL};

typedef struct DeltaSource {
    StoreOptions place;
    StartOptions start;
    const SfValue *wanted;
    const char *condition;
    int64_t interval_ms;
    int64_t max_files;
    int64_t spark_files; /* maxFilesPerTrigger */
    int64_t max_bytes;
    int64_t spark_bytes; /* maxBytesPerTrigger */
    LaneOptions lane_options;

    Store *store; /* atomic: interrupt() reads it */
    Columns columns;
    Lane lane;
    bool resolved; /* the columns are those of the table */
    bool assigned;
    Quota quota;
    int64_t trigger_ms; /* monotonic: when the quota was given; 0: never */
    int64_t look_ms;    /* likewise, when the log is looked at again */
    bool told_waiting;
    int64_t charged;
    Wake wake;
} DeltaSource;

static const SfOption options[] = {
    STORE_READER_ROWS(DeltaSource, place, "Where the table is: s3://bucket/path or file:///directory."),
    SF_OPTION_ENUM(DeltaSource, start.starting, .name = "starting", .value = "snapshot", .words = starting_words,
                   .doc = "Where to begin for a sink that knows nothing of the table: with all of its rows as of the "
                          "newest version, with what comes behind that, or with the changes of a version. "
                          "starting_version and starting_timestamp imply theirs."),
    SF_OPTION_INT(DeltaSource, start.version, .name = "starting_version", .value = "-1", .min = "-1",
                  .max = "92_000_000", .doc = "The first version whose changes are given; -1: not given."),
    SF_OPTION_STRING(DeltaSource, start.timestamp, .name = "starting_timestamp", .example = "2024-01-15T10:30:00Z",
                     .doc = "The same by time: the first version that was committed then or later; UTC."),
    SF_OPTION_STRING(DeltaSource, start.spark_version, .name = "startingVersion",
                     .doc = "Spark's name of starting_version; or `latest`."),
    SF_OPTION_STRING(DeltaSource, start.spark_timestamp, .name = "startingTimestamp",
                     .doc = "Spark's name of starting_timestamp."),
    SF_OPTION_TREE(DeltaSource, wanted, .name = "columns",
                   .example = "{order_id: string not null, sales: decimal(12,2)}",
                   .doc = "Columns to read: a list of names, or a map from names to types, which the table must have; "
                          "by default all, read from the table when the pipeline is loaded."),
    SF_OPTION_STRING(DeltaSource, condition, .name = "where", .example = "order_date >= '2024-01-15' AND region = 'EU'",
                     .doc = "Only rows that it holds for, as `sfrun table --where` has it; files whose partition or "
                            "statistics exclude it are not read."),
    SF_OPTION_ENUM(DeltaSource, lane_options.on_change, .name = "on_change", .value = "stop", .words = change_words,
                   .doc =
                       "A version that deletes or updates rows: stop, pass over it, or (cdf) give the table's change "
                       "data feed, with the columns _change_type, _commit_version and _commit_timestamp."),
    SF_OPTION_ENUM(DeltaSource, lane_options.on_missing, .name = "on_missing", .value = "stop", .words = missing_words,
                   .doc = "A data file that was vacuumed, or versions that the log no longer has: stop, or say so and "
                          "pass over their rows."),
    SF_OPTION_DURATION(DeltaSource, interval_ms, .name = "interval", .value = "1s", .min = "10ms", .max = "1d",
                       .doc = "How often new versions are looked for."),
    SF_OPTION_INT(DeltaSource, max_files, .name = "max_files_per_trigger", .value = "0", .min = "0",
                  .doc =
                      "Data files that are begun in a run of trigger `once`, or in an interval; the next one goes on "
                      "behind them, within a version, too; 0: all."),
    SF_OPTION_INT(DeltaSource, spark_files, .name = "maxFilesPerTrigger", .value = "0", .min = "0",
                  .doc = "Spark's name of max_files_per_trigger, which it overrides."),
    SF_OPTION_SIZE(DeltaSource, max_bytes, .name = "max_bytes_per_trigger", .value = "0",
                   .doc = "Likewise, bytes of the files as they are stored; 0: all."),
    SF_OPTION_SIZE(DeltaSource, spark_bytes, .name = "maxBytesPerTrigger", .value = "0",
                   .doc = "Spark's name of max_bytes_per_trigger, which it overrides."),
    SF_OPTION_END,
};

static const char doc[] =
    "Gives the rows of a Delta table: at first all of its newest version, then what each version behind it adds. The "
    "table is one split, whose positions go down to the row, so that a sink goes on exactly where it stopped, in the "
    "middle of a snapshot, too: version 12, row 345 is 1200000000345, and 5 × 10^10 more within a snapshot. Commits "
    "that change no data (OPTIMIZE) are passed over. Deletion vectors and column mapping by name are read.\n\n"
    "Columns come as the table has them, `_topic`, `_partition`, `_offset` and `_timestamp` of events like any other. "
    "Without `columns` they are read from the table when the pipeline is loaded, which `sfrun check` does, too; where "
    "the table gets another column then, the pipeline takes it up by beginning anew where it stood. With `columns` and "
    "their types nothing is asked before the run, and the table may come later.\n\n"
    "A run with trigger `once` reads up to the version that was the newest at its start. Otherwise new versions are "
    "looked for every `interval`. A table that was created anew under its name stops it: its id is kept by the "
    "sinks.\n\n"
    "`on_change: ignore` is Spark's skipChangeCommits. With `cdf` the rows of a snapshot are inserts, and versions "
    "without files of changes give what they added and removed. `on_missing: skip` is Spark's failOnDataLoss=false.\n\n"
    "One task reads the table; several processes would each read all of it.";

/* ---- life ------------------------------------------------------------------------------------------------------- */

static SfStatus make_store(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    if (source->store)
        return SF_OK;
    Store *store = store_new(node, &source->place, err);
    g_atomic_pointer_set(&source->store, store);
    return store ? SF_OK : SF_CONFIG;
}

static SfStatus check_feed(const DeltaSource *source, SfError *err)
{
    const DeltaLog *log = source->lane.follow.log;
    const char *enabled = delta_log_property(log, "delta.enableChangeDataFeed");
    if (!source->columns.changes || (enabled && g_ascii_strcasecmp(enabled, "true") == 0))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "on_change: %s has no change data feed (delta.enableChangeDataFeed is not 'true'); enable it: ALTER "
                   "TABLE … SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true'), or take another 'on_change'",
                   store_url(source->store));
}

/* The newest state of the table and its columns. SF_EMPTY: there is no table. */
static SfStatus load_table(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    Lane *lane = &source->lane;
    if (source->resolved)
        return SF_OK;
    if (!lane->follow.log)
        lane->follow = (Follow){.log = delta_log_new(node, source->store), .stamp_version = -1};
    SF_TRY(delta_log_load(lane->follow.log, err));
    if (lane->follow.log->version < 0)
        return SF_EMPTY;
    if (lane->follow.log->version > MOST_VERSION)
        return sf_fail(err, SF_CONFIG, "%s: version %" PRId64 " is beyond what positions have room for",
                       store_url(source->store), lane->follow.log->version);
    SF_TRY(delta_log_check_reading(lane->follow.log, err));
    SF_TRY(columns_resolve(&source->columns, lane->follow.log, err));
    SF_TRY(check_feed(source, err));
    source->resolved = true;
    return SF_OK;
}

static SfStatus refuse_nothing(const DeltaSource *source, SfError *err)
{
    return sf_fail(err, SF_CONFIG, "url: there is no Delta table at '%s'%s", store_url(source->store),
                   columns_typed(&source->columns)
                       ? ""
                       : "; where it is created later, 'columns' with their types says what it will have");
}

static void take_options(DeltaSource *source)
{
    source->max_files = source->spark_files > 0 ? source->spark_files : source->max_files;
    source->max_bytes = source->spark_bytes > 0 ? source->spark_bytes : source->max_bytes;
    source->columns.wanted = source->wanted;
    source->columns.condition = source->condition;
    source->columns.changes = source->lane_options.on_change == CHANGE_FEED;
}

static SfStatus delta_source_bind(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    DeltaSource *source = node->state;
    take_options(source);
    SF_TRY(store_check(&source->place, err));
    SF_TRY(start_check(&source->start, err));
    if (source->wanted && (sf_value_kind(source->wanted) < SF_VALUE_LIST || sf_value_size(source->wanted) == 0))
        return sf_fail(err, SF_CONFIG, "columns: a list of names, or a map from names to types, is expected");
    if (columns_typed(&source->columns))
        return columns_declare(&source->columns, out, err);
    SF_TRY(make_store(node, err));
    SfStatus status = load_table(node, err);
    if (status == SF_EMPTY)
        return refuse_nothing(source, err);
    SF_TRY(status);
    return sf_schema_copy(&source->columns.out, out, err);
}

static SfStatus delta_source_open(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    wake_init(&source->wake);
    source->lane.node = node;
    source->lane.options = &source->lane_options;
    source->lane.columns = &source->columns;
    return make_store(node, err);
}

static void delta_source_close(SfNode *node)
{
    DeltaSource *source = node->state;
    lane_done(&source->lane);
    columns_done(&source->columns);
    store_free(source->store);
    wake_done(&source->wake);
}

/* ---- where it begins -------------------------------------------------------------------------------------------- */

/* "<table's id>", and behind it a sum of the condition, which decides what a position within a chunk means. */
static char *origin_of(const DeltaSource *source)
{
    g_autoptr(GString) origin = g_string_new(NULL);
    const char *id = delta_json_text(source->lane.follow.log->metadata, "id");
    for (const char *at = id ? id : ""; *at && origin->len < SF_ORIGIN_MAX - 24; at++)
        g_string_append_c(origin, g_ascii_isgraph(*at) && *at != ',' ? *at : '_');
    if (origin->len == 0)
        g_string_append_c(origin, '-');
    if (source->condition && *source->condition) {
        g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, source->condition, -1);
        g_string_append_printf(origin, ",where=%.16s", sum);
    }
    return g_string_free(g_steal_pointer(&origin), FALSE);
}

static SfStatus compare_origins(const DeltaSource *source, const char *ours, const char *other, int64_t furthest,
                                SfError *err)
{
    size_t id = strcspn(ours, ",");
    const char *url = store_url(source->store);
    if (strcspn(other, ",") != id || strncmp(ours, other, id) != 0)
        return sf_fail(err, SF_CONFIG,
                       "%s: the table was created anew (its id is %.*s, a sink has rows of %s); give the sink another "
                       "place, and it is filled from the new table's beginning",
                       url, (int) id, ours, other);
    if (place_of(source->lane.position).row == 0 && place_of(MAX(furthest, 0)).row == 0) /* chunks are a file's */
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "where: it is another one than that by which a sink was filled up to the middle of a file; run the "
                   "pipeline with the old one until it has caught up, then change it");
}

static SfStatus check_position(const DeltaSource *source, SfError *err)
{
    Place place = place_of(source->lane.position);
    const DeltaLog *log = source->lane.follow.log;
    if (place.version <= log->version + (place.snapshot || place.row > 0 ? 0 : 1))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "%s: a sink has rows of version %" PRId64 ", but the newest is %" PRId64
                   ": commits were taken away, or it is another table; restore the log, or give the sink another place",
                   store_url(source->store), place.version, log->version);
}

/* The last part of a URL's path. */
static const char *last_part(const char *url)
{
    const char *slash = strrchr(url, '/');
    return slash && slash[1] ? slash + 1 : url;
}

/* The lane passes through every commit, but through the one snapshot that it begins with. So a sink that has nothing
 * begins with a snapshot before all that the others still need, not with the newest one. */
static SfStatus assign_before(SfNode *node, SfAssignment *assignment, SfError *err)
{
    DeltaSource *source = node->state;
    int64_t lowest = assignment->position;
    assignment->start = start_before(lowest);
    SF_TRY(sf_assign(node, assignment, 1, err));
    if (assignment->position >= lowest) /* every sink has something */
        return SF_OK;
    sf_log(node, SF_LOG_INFO, "a sink that has no rows yet begins with version %" PRId64 ", as another one got there",
           place_of(assignment->position).version);
    return start_check_snapshot(source->lane.follow.log, assignment->position, err);
}

/* A sink that has a part of a snapshot cannot be given the rest of it once the lane begins before it. */
static SfStatus check_furthest(const SfNode *node, int64_t furthest, SfError *err)
{
    const DeltaSource *source = node->state;
    Place place = place_of(MAX(furthest, 0));
    if (!place.snapshot || source->lane.position >= position_at(place.version, true, 0))
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "%s: one sink has a part of version %" PRId64 " as a snapshot, another one has got to version "
                   "%" PRId64 " only; run the pipeline without the latter until the former has caught up",
                   store_url(source->store), place.version, place_of(source->lane.position).version);
}

static SfStatus assign_table(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    Lane *lane = &source->lane;
    g_autofree char *name = NULL;
    SF_TRY(start_split_name(store_url(source->store), &name, err));
    SfAssignment assignment = {.name = name, .topic = last_part(name)};
    SF_TRY(start_position(&source->start, lane->follow.log, &assignment.start, err));
    SF_TRY(sf_assign(node, &assignment, 1, err));
    if (source->start.starting == START_SNAPSHOT && assignment.position < assignment.start)
        SF_TRY(assign_before(node, &assignment, err));
    lane->split = assignment.split;
    lane->position = assignment.position;
    backlog_begin(&lane->backlog, lane->position);
    lane->last_version = lane->follow.log->version;
    g_autofree char *origin = origin_of(source);
    sf_set_origin(node, lane->split, origin);
    const char *other = sf_other_origin(node, lane->split);
    int64_t furthest = sf_furthest(node, lane->split);
    if (other)
        SF_TRY(compare_origins(source, origin, other, furthest, err));
    SF_TRY(check_furthest(node, furthest, err));
    return check_position(source, err);
}

static void tell_waiting(SfNode *node)
{
    DeltaSource *source = node->state;
    if (!source->told_waiting)
        sf_log(node, SF_LOG_INFO, "there is no Delta table at '%s' yet; waiting for it", store_url(source->store));
    source->told_waiting = true;
}

/* SF_EMPTY: not yet. */
static SfStatus begin_table(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    if (source->assigned)
        return SF_OK;
    if (node->task > 0) {
        source->assigned = true;
        return sf_assign(node, NULL, 0, err);
    }
    if (sf_monotonic_ms(node) < source->look_ms)
        return SF_EMPTY;
    SfStatus status = load_table(node, err);
    if (status == SF_EMPTY && node->bounded)
        return refuse_nothing(source, err);
    if (status == SF_EMPTY) {
        tell_waiting(node);
        source->look_ms = sf_monotonic_ms(node) + source->interval_ms;
    }
    SF_TRY(status);
    source->look_ms = 0;
    SF_TRY(assign_table(node, err));
    sf_expect(node, -1);
    source->assigned = true;
    return SF_OK;
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

static void renew_quota(SfNode *node)
{
    DeltaSource *source = node->state;
    int64_t now_ms = sf_monotonic_ms(node);
    if (source->trigger_ms > 0 && (node->bounded || now_ms < source->trigger_ms + source->interval_ms))
        return;
    source->trigger_ms = MAX(now_ms, 1);
    source->quota = (Quota){.files = source->max_files > 0 ? source->max_files : INT64_MAX,
                            .bytes = source->max_bytes > 0 ? source->max_bytes : INT64_MAX};
}

/* The table became another than the one that the pipeline was bound to. */
static SfStatus meet_schema(DeltaSource *source, SfError *err)
{
    const DeltaLog *log = source->lane.follow.log;
    Columns now = {.wanted = source->wanted, .condition = source->condition, .changes = source->columns.changes};
    SF_TRY(delta_log_check_reading(log, err));
    SF_TRY(check_feed(source, err));
    SfStatus status = columns_resolve(&now, log, err);
    bool same = status == SF_OK && sf_schema_equal(&now.out, &source->columns.out);
    Columns old = same ? source->columns : now; /* names in files may be others by now; no file is open */
    if (same)
        source->columns = now;
    columns_done(&old);
    if (status != SF_OK)
        return sf_fail_prefix(err, status, "%s: version %" PRId64 " changed the table", store_url(source->store),
                              log->version);
    if (same)
        return SF_OK;
    return sf_fail(err, SF_FENCED,
                   "%s: version %" PRId64 " changed the table's columns; the pipeline begins anew with them, where it "
                   "stood",
                   store_url(source->store), log->version);
}

/* SF_EMPTY: nothing new. */
static SfStatus look_for_versions(SfNode *node, SfError *err)
{
    DeltaSource *source = node->state;
    Follow *follow = &source->lane.follow;
    int64_t now_ms = sf_monotonic_ms(node);
    if (now_ms < source->look_ms)
        return SF_EMPTY;
    SfStatus status = follow_look(follow, err);
    if (status == SF_EMPTY)
        source->look_ms = now_ms + source->interval_ms;
    if (status != SF_EMPTY || follow->log->version == source->lane.last_version)
        SF_TRY(status);
    if (follow->schema)
        SF_TRY(meet_schema(source, err));
    follow->schema = false;
    if (follow->log->version > MOST_VERSION)
        return sf_fail(err, SF_CONFIG, "%s: version %" PRId64 " is beyond what positions have room for",
                       store_url(source->store), follow->log->version);
    source->lane.last_version = follow->log->version;
    return SF_OK;
}

static SfStatus poll_table(SfNode *node, SfBatch *out, SfError *err)
{
    DeltaSource *source = node->state;
    SF_TRY(begin_table(node, err));
    if (node->task > 0)
        return SF_END;
    renew_quota(node);
    SfStatus status = lane_poll(&source->lane, &source->quota, out, err);
    if (status == SF_END && !node->bounded) {
        SF_TRY(look_for_versions(node, err));
        status = lane_poll(&source->lane, &source->quota, out, err);
    }
    if (status == SF_OK || status == SF_EMPTY || status == SF_END)
        sf_lag(node, source->lane.split, lane_lag_end(&source->lane));
    return status;
}

/* Figures of lag are the host's, of the end that it was told last. */
static void delta_source_committed(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    DeltaSource *source = node->state;
    (void) last;
    for (size_t i = 0; i < n; i++) {
        backlog_commit(&source->lane.backlog, positions[i].position);
        sf_lag(node, positions[i].split, lane_lag_end(&source->lane));
    }
}

static SfStatus delta_source_poll(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    DeltaSource *source = node->state;
    SfStatus status = poll_table(node, out, err);
    int64_t held = (int64_t) lane_held(&source->lane);
    if (held != source->charged)
        sf_charge(node, held - source->charged);
    source->charged = held;
    if (status == SF_RETRY)
        return wake_sleep(&source->wake, 0) ? SF_EMPTY : SF_RETRY;
    if (status != SF_EMPTY && status != SF_END)
        return status;
    if (node->bounded)
        return SF_END;
    wake_sleep(&source->wake, g_get_monotonic_time() + MIN(timeout_ms, source->interval_ms) * 1000);
    return SF_EMPTY;
}

static void delta_source_interrupt(SfNode *node)
{
    DeltaSource *source = node->state;
    wake_interrupt(&source->wake);
    store_interrupt(g_atomic_pointer_get(&source->store));
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(DeltaSource, .name = "delta-source", .version = SF_VERSION,
                   .summary = "Reads a Delta table: its rows, then those of each new version", .doc = doc,
                   .options = options),
    .bind = delta_source_bind,
    .open = delta_source_open,
    .poll = delta_source_poll,
    .committed = delta_source_committed,
    .interrupt = delta_source_interrupt,
    .close = delta_source_close,
};
