/* delta-silver-sink: the plugin's descriptor and hooks. Rows are rows.c, files are files.c, commits are commit.c. */
#include "maintain.h"

static const char *const compressions[] = {"snappy", "zstd", "none", NULL};

static const SfOption options[] = {
    STORE_OPTION_ROWS(Sink, store_options),
    SF_OPTION_LIST(Sink, partition_by, .doc = "Columns that files are partitioned by; an existing table keeps its own.",
                   .example = "[order_date]"),
    SF_OPTION_ENUM(Sink, compression, .value = "snappy", .words = compressions, .doc = "Codec of the Parquet pages."),
    SF_OPTION_INT(Sink, compression_level, .value = "1", .min = "1", .max = "19", .doc = "Level of zstd."),
    SF_OPTION_INT(
        Sink, checkpoint_interval, .value = "10", .min = "1", .max = "1000000",
        .doc = "Least number of commits between two checkpoints of the log. One is written when the commits since "
               "have brought as many bytes as the last checkpoint has, or are ten times as many; at the table's "
               "`delta.checkpointInterval`, where it has one, in any case."),
    SF_OPTION_SIZE(Sink, target_file_size, .value = "128MiB", .min = "1KiB", .max = "1GiB",
                   .doc = "A file that has grown to this is closed, and the next one begun."),
    SF_OPTION_INT(Sink, max_open_files, .value = "1000", .min = "1", .max = "100000",
                  .doc = "Partitions that are written at once; the one unused for longest is closed for another."),
    SF_OPTION_MAP(Sink, table_properties,
                  .doc = "Properties of a table that is created; also those that switch on a feature which this sink "
                         "supports: `delta.enableDeletionVectors`, `delta.enableChangeDataFeed`, "
                         "`delta.enableInCommitTimestamps`, `delta.enableTypeWidening`, `delta.columnMapping.mode`, "
                         "`delta.checkpointPolicy`, `delta.enableRowTracking`, `delta.feature.NAME: supported`.",
                  .example = "{delta.appendOnly: true}"),
    SF_OPTION_BOOL(Sink, merge_schema, .value = "true",
                   .doc = "Add columns that the table lacks at its end; else they stop the pipeline."),
    SF_OPTION_STRING(Sink, adopt,
                     .doc = "Name under which the table knows the rows so far, `pipeline/step`: this step goes on from "
                            "there. For pipelines and steps that were renamed; it may stay.",
                     .example = "old_pipeline/silver"),
    SF_OPTION_ENUM(Sink, start, .value = "known", .words = start_words,
                   .doc = "What to do where another pipeline or step has written the same split to the table: `known` "
                          "stops, `anew` reads it from the beginning, because the rows are others."),
    SF_OPTION_TREE(Sink, maintain,
                   .doc =
                       "Care of the table beside the rows: how often small files are packed (`optimize`) into files of "
                       "`target_size` (128MiB), their rows sorted by `sort_by`, and how often files are deleted "
                       "(`vacuum`) that no version within `retention` needs (the table's, 7 days).",
                   .example = "{optimize: 1h, target_size: 128MiB, sort_by: [order_id], vacuum: 24h, retention: 168h}"),
    SF_OPTION_END};

static SfStatus sink_bind(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    Sink *sink = node->state;
    sink->node = node;
    SF_TRY(store_check(&sink->store_options, err));
    SF_TRY(maintain_options_parse(sink->maintain, &sink->care, err));
    if (!sink->inputs) {
        sink->n_inputs = node->n_inputs;
        sink->inputs = g_new0(Input, sink->n_inputs);
    }
    Input *in = &sink->inputs[input];
    in->sink = sink;
    sf_schema_done(&in->given);
    SF_TRY(sf_schema_copy(schema, &in->given, err));
    return table_check_options(sink, &in->given, err);
}

static void input_open(Input *input)
{
    input->open = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) open_file_free);
    input->idle = g_ptr_array_new_with_free_func((GDestroyNotify) parquet_writer_free);
}

static SfStatus sink_open(SfNode *node, SfError *err)
{
    Sink *sink = node->state;
    if (!sink->chains) {
        sink->chains = ranges_new(node, sizeof(Chain), chain_clear);
        sink->scratch = parquet_scratch_new();
        sink->files = g_ptr_array_new_with_free_func((GDestroyNotify) data_file_free);
        for (size_t i = 0; i < sink->n_inputs; i++)
            input_open(&sink->inputs[i]);
        sink->store = store_new(node, &sink->store_options, err);
        if (!sink->store)
            return SF_CONFIG;
        sink->log = delta_log_new(node, sink->store);
    }
    SF_TRY(store_open(sink->store, err));
    SF_TRY(delta_log_load(sink->log, err));
    SF_TRY(table_plan(sink, err));
    return maintenance_start(sink, err);
}

static SfStatus sink_recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    Sink *sink = node->state;
    DeltaNews news = {0};
    SfStatus status = delta_log_update(sink->log, &news, err);
    sink->stale |= news.schema; /* what was read before an error is not read again */
    SF_TRY(status);
    SF_TRY(table_refresh(sink, err));
    return chains_recover(sink, chains, n, err);
}

/* Rows are taken before the position: what fails in between ends the attempt, and is read again. */
static SfStatus sink_write(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    Sink *sink = node->state;
    Range *range = ranges_find(sink->chains, input, batch->split);
    SF_TRY(range_check(range, batch, err));
    if (sink->pending >= (32 << 20)) {
        SfStatus status = files_upload(sink, err);
        files_charge(sink);
        SF_TRY(status);
    }
    SF_TRY(rows_write(&sink->inputs[input], batch, err));
    SF_TRY(range_write(range, batch, err));
    files_charge(sink);
    maintenance_charge(sink);
    return SF_OK;
}

static SfStatus sink_commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    Sink *sink = node->state;
    SfStatus status = commit_all(sink, reason, err);
    if (reason == SF_COMMIT_MEMORY)
        files_drop_idle(sink);
    files_charge(sink);
    if (reason == SF_COMMIT_END && status == SF_OK && node->bounded) /* a stop does not wait, see close */
        maintenance_finish(sink);
    maintenance_charge(sink);
    return status;
}

static void sink_interrupt(SfNode *node)
{
    Sink *sink = node->state;
    if (sink->store)
        store_interrupt(sink->store);
    if (sink->maintenance)
        maintenance_interrupt(sink->maintenance);
}

static void sink_close(SfNode *node)
{
    Sink *sink = node->state;
    maintenance_stop(sink);
    maintain_options_done(&sink->care);
    if (sink->chains) {
        files_drop_open(sink);
        for (size_t i = 0; i < sink->n_inputs; i++) {
            g_hash_table_unref(sink->inputs[i].open);
            g_ptr_array_unref(sink->inputs[i].idle);
        }
        ranges_free(sink->chains);
        g_ptr_array_unref(sink->files);
        parquet_scratch_free(sink->scratch);
        if (sink->charged)
            sf_charge(node, -sink->charged);
    }
    for (size_t i = 0; i < sink->n_inputs; i++) {
        delta_projection_done(&sink->inputs[i].projection);
        if (sink->inputs[i].rules)
            g_ptr_array_unref(sink->inputs[i].rules);
        if (sink->inputs[i].checks)
            g_ptr_array_unref(sink->inputs[i].checks);
        if (sink->inputs[i].fills)
            g_ptr_array_unref(sink->inputs[i].fills);
        sf_schema_done(&sink->inputs[i].schema);
        sf_schema_done(&sink->inputs[i].given);
        g_free(sink->inputs[i].partition);
    }
    g_free(sink->inputs);
    if (sink->partitions)
        g_ptr_array_unref(sink->partitions);
    if (sink->keys)
        g_ptr_array_unref(sink->keys);
    if (sink->identities)
        g_ptr_array_unref(sink->identities);
    json_object_put(sink->schema);
    delta_log_free(sink->log);
    store_free(sink->store);
    g_free(sink->txn_id);
    *sink = (Sink){0};
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(
        Sink, .name = "delta-silver-sink", .version = SF_VERSION,
        .summary = "Appends rows to a Delta table, exactly once, on a file system or S3",
        .doc =
            "Creates the table if it does not exist. One commit a checkpoint of the pipeline holds the new files and, "
            "for every "
            "split, a `txn` action with the appId `<pipeline>/<step>/<split>` (with several inputs "
            "`<pipeline>/<step>/<input>/<split>`) and the position that the rows reach. A split that the table knows "
            "under another name only (the pipeline or the step was renamed, an input added to the first) stops the "
            "pipeline before it doubles the rows: `adopt` goes on from there, `start: anew` says that the rows are "
            "others. Positions that move without rows are recorded at the end, when splits are "
            "given back, and at every 30th checkpoint.\n\n"
            "New columns are added at the table's end, nullable; names are compared as Spark does, without case. Rows "
            "that the table cannot hold are rejects: without a value for a column that is `not null`, longer than "
            "`varchar(n)` or `char(n)`, out of the range of `byte`, `short` or `float` columns, turned away by a CHECK "
            "constraint. An int fills a `bigint` column too, a timestamp a `timestamp_ntz` one (with the clock of "
            "UTC), "
            "a `list<struct<key, value>>` a map.\n\n"
            "Tables of others may have column mapping, deletion vectors, row tracking, clustering, v2 checkpoints, "
            "type widening, in-commit timestamps, a change data feed, and constraints of comparisons, IS NULL, IN, "
            "BETWEEN, length(), AND, OR and NOT. Columns that the rows leave out are filled as the table says: by "
            "their defaults (literals, CAST of literals, current_timestamp, current_date), as identity columns, as "
            "generated columns; a row with another value than a generated column's is a reject. Expressions of "
            "generated columns may have CAST, DATE, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, date_format with yyyy, MM, "
            "dd, HH, mm, ss, date_trunc, substring, and a number added to an integer; the time zone is UTC, as in a "
            "Spark session whose `spark.sql.session.timeZone` is UTC. What else a table needs is refused by name: "
            "`catalogManaged`, Iceberg compatibility, other expressions, `delta.setTransactionRetentionDuration`.\n\n"
            "Other writers of the same table are fine where they create versions only if they are absent: a commit "
            "that "
            "lost is made again on top of theirs. On S3 Spark's own log store overwrites instead; let Spark read such "
            "a "
            "table, but write to it only while no pipeline does.\n\n"
            "`maintain` packs and vacuums by a thread of its own, which never holds up a commit and takes up to half "
            "of "
            "the pipeline's memory; the table keeps when it was done last, so that several processes do it once, and a "
            "run that ends (`--once`) waits for what was due when it began. Who loses a version to another writer "
            "tries again, or leaves it to the next time.\n\n"
            "A checkpoint is followed, once a day, by the cleanup of the log: commits and checkpoints that lie before "
            "a checkpoint older than the table's `delta.logRetentionDuration` (30 days) are deleted, unless "
            "`delta.enableExpiredLogCleanup` is false.",
        .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = sink_bind,
    .open = sink_open,
    .recover = sink_recover,
    .write = sink_write,
    .commit = sink_commit,
    .interrupt = sink_interrupt,
    .close = sink_close,
    .audit = silver_audit,
};
