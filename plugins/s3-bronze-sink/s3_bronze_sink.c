/* s3-bronze-sink: JSON lines in an object store, by day, exactly once. Options, life, and when ranges are cut by
 * the clock; rows are in chain.c, durability in flush.c, recovery in recover.c. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bronze.h"
#include "ignored.h"

#define ABANDONED_MS 3600000 /* the one before us may be about to end what is younger */
#define UNIT_MS 1            /* of layout_units */
#define AGE_MS 60000         /* a range without any rotate option is cut when it has been open for so long */

static const SfOption options[] = {
    STORE_OPTION_ROWS(Bronze, place),
    SF_OPTION_STRING(Bronze, topics_dir, .name = "topics.dir", .value = "",
                     .doc = "Directory below the URL that holds the topics; empty: none."),
    SF_OPTION_ENUM(
        Bronze, layout_options.format, .name = "format", .value = "json", .words = layout_formats,
        .doc = "json: values must be JSON, a line each; raw: values as they are, with a line break behind each."),
    SF_OPTION_INT(Bronze, flush_size, .name = "flush.size", .value = "10000", .min = "1",
                  .doc =
                      "Rows of a partition after which its objects are written; a large number leaves it to the other "
                      "bounds."),
    SF_OPTION_DURATION(
        Bronze, rotate_ms, .name = "rotate.interval.ms", .value = "0", .min = "-1", .max = "36500d",
        .doc = "Write when the rows' event time has moved on by this much, or the clock since the first row; "
               "0 or -1: no such bound."),
    SF_OPTION_DURATION(
        Bronze, schedule_ms, .name = "rotate.schedule.interval.ms", .value = "0", .min = "-1", .max = "36500d",
        .doc = "Write at every multiple of this by the clock, counted from midnight in timezone; 0 or -1: no such "
               "bound. Without either rotate option rows wait for a minute at most."),
    SF_OPTION_STRING(Bronze, layout_options.path_format, .name = "path.format", .value = "year=YYYY/month=MM/day=DD",
                     .doc =
                         "Directory of an event time: YYYY MM DD HH mm among words, or Joda's notation with words in "
                         "quotes ('year'=YYYY/'month'=MM/'day'=dd/'hour'=HH). Other patterns of dates (M, yy, DDD) "
                         "are refused."),
    SF_OPTION_DURATION(
        Bronze, layout_options.duration_ms, .name = "partition.duration.ms", .value = "0", .min = "-1", .max = "36500d",
        .doc = "Event times are cut to multiples of this before path.format sees them; 0 or -1: they are not."),
    SF_OPTION_STRING(Bronze, layout_options.timezone, .name = "timezone", .value = "UTC",
                     .doc = "Time zone of path.format and of times without one: UTC, +01:00, Europe/Zurich."),
    SF_OPTION_ENUM(Bronze, layout_options.extractor, .name = "timestamp.extractor", .value = "Record",
                   .words = layout_extractors,
                   .doc = "Event time: the record's timestamp, a field of its JSON (timestamp.field), or the clock."),
    SF_OPTION_STRING(Bronze, layout_options.field, .name = "timestamp.field", .example = "event.created_at",
                     .doc =
                         "Where in the JSON value its time is, for RecordField: an ISO 8601 text or a number. A path "
                         "as json-decode has it: `created_at`, `event.created_at`, `$.events[0].time`."),
    SF_OPTION_ENUM(Bronze, layout_options.unit, .name = "timestamp.unit", .value = "ms", .words = layout_units,
                   .doc = "What a number in timestamp.field counts since 1970."),
    SF_OPTION_ENUM(Bronze, layout_options.nulls, .name = "behavior.on.null.values", .value = "reject",
                   .words = layout_nulls,
                   .doc = "Rows without a value: to the step's errors, left out, or written as null."),
    SF_OPTION_BOOL(Bronze, layout_options.keys, .name = "store.kafka.keys", .value = "false",
                   .doc = "Write the rows' keys beside their objects, `….keys.json`, a line each: a text, null, or "
                          "{\"key_base64\":\"…\"} where it is not UTF-8."),
    SF_OPTION_BOOL(Bronze, layout_options.headers, .name = "store.kafka.headers", .value = "false",
                   .doc = "Write the rows' headers beside their objects, `….headers.json`, a line each: "
                          "{\"headers\":[{\"key\":\"…\",\"value\":\"…\"}]}, or null."),
    SF_OPTION_INT(Bronze, pad, .name = "filename.offset.zero.pad.width", .value = "10", .min = "0", .max = "20",
                  .doc = "Digits of the offset in an object's name."),
    SF_OPTION_STRING(Bronze, extension, .name = "format.bytearray.extension", .value = ".bin",
                     .doc = "End of an object's name with format raw."),
    SF_OPTION_ENUM(Bronze, layout_options.compression, .name = "s3.compression.type", .value = "none",
                   .words = layout_compressions, .doc = "Compression of the objects."),
    SF_OPTION_INT(Bronze, layout_options.level, .name = "s3.compression.level", .value = "-1", .min = "-1", .max = "9",
                  .doc = "gzip's level; -1: its default."),
    SF_OPTION_SIZE(Bronze, connect_part_size, .name = "s3.part.size", .min = "5MiB", .max = "1GiB",
                   .doc = "Kafka Connect's name of part_size, which it overrides."),
    SF_OPTION_STRING(Bronze, adopt, .name = "adopt",
                     .doc =
                         "Name under which the ledger knows the rows so far, `pipeline/step`: this step goes on from "
                         "there. For pipelines and steps that were renamed; it may stay.",
                     .example = "old_pipeline/bronze"),
    SF_OPTION_ENUM(Bronze, start, .name = "start", .value = "known", .words = start_words,
                   .doc = "What to do where another pipeline has written the same topic to this place: `known` stops, "
                          "`anew` reads it from the beginning. Objects of the other that are still there stop it all "
                          "the same."),
    SF_OPTION_END,
};

static bool has_column(const struct ArrowSchema *schema, const char *name, SfType type, SfType other)
{
    int64_t column = sf_schema_find(schema, name);
    SfField field = {0};
    if (column < 0 || sf_schema_field(schema->children[column], &field, NULL) != SF_OK)
        return false;
    return field.type == type || field.type == other;
}

static SfStatus check_beside(const SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    const LayoutOptions *layout = &bronze_of(node)->layout_options;
    if (layout->keys && !has_column(schema, "key", SF_BINARY, SF_UTF8))
        return sf_fail(err, SF_CONFIG, "store.kafka.keys: input '%s' has no column 'key' of bytes or text",
                       node->inputs[input]);
    if (layout->headers && !has_column(schema, "headers", SF_LIST, SF_LIST))
        return sf_fail(err, SF_CONFIG, "store.kafka.headers: input '%s' has no column 'headers'", node->inputs[input]);
    return SF_OK;
}

static SfStatus check_value(const SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    int64_t value = sf_schema_find(schema, "value");
    SfField field = {0};
    if (value >= 0)
        SF_TRY(sf_schema_field(schema->children[value], &field, err));
    if (field.type != SF_BINARY && field.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG,
                       "input '%s' has no column 'value' of bytes or text: bronze keeps rows as they came; "
                       "read from the source, before they are decoded",
                       node->inputs[input]);
    return check_beside(node, input, schema, err);
}

static SfStatus check_extension(const Bronze *bronze, SfError *err)
{
    if (!strchr(bronze->extension, '/'))
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "format.bytearray.extension: '%s' has a '/', which a file's name cannot have",
                   bronze->extension);
}

static SfStatus check_ignored(const Bronze *bronze, SfError *err)
{
    const LayoutOptions *layout = &bronze->layout_options;
    bool by_field = layout->extractor == EXTRACT_FIELD, packs = layout->compression != COMPRESSION_NONE;
    const Ignored rules[] = {
        {"timestamp.field", layout->field && *layout->field && !by_field, "without 'timestamp.extractor: RecordField'"},
        {"timestamp.unit", layout->unit != UNIT_MS && !by_field, "without 'timestamp.extractor: RecordField'"},
        {"s3.compression.level", layout->level != -1 && !packs, "without 's3.compression.type: gzip'"},
        {"format.bytearray.extension", !g_str_equal(bronze->extension, ".bin") && layout->format == FORMAT_JSON,
         "without 'format: raw'"},
    };
    return ignored_refuse(rules, G_N_ELEMENTS(rules), err);
}

/* All that is wrong with the options, not the first only. */
static SfStatus read_options(Bronze *bronze, SfError *err)
{
    SfError all = {0}, one;
    bronze->layout_options.duration_ms = MAX(bronze->layout_options.duration_ms, 0); /* -1 is Kafka Connect's none */
    if (store_check(&bronze->place, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (check_extension(bronze, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (check_ignored(bronze, &one) != SF_OK)
        sf_fail_also(&all, &one);
    g_clear_pointer(&bronze->root, g_free);
    if (ledger_root(bronze->topics_dir, &bronze->root, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (layout_init(&bronze->layout, &bronze->layout_options, &one) == SF_OK)
        bronze->has_layout = true;
    else
        sf_fail_also(&all, &one);
    return all.message[0] ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus bind_input(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    Bronze *bronze = bronze_of(node);
    if (!bronze->chains) {
        SF_TRY(read_options(bronze, err));
        bronze->chains = ranges_new(node, sizeof(Chain), chain_done);
        spares_init(&bronze->workshop.spares);
    }
    return check_value(node, input, schema, err);
}

static SfStatus open_sink(SfNode *node, SfError *err)
{
    Bronze *bronze = bronze_of(node);
    if (bronze->connect_part_size > 0)
        bronze->place.part_size = bronze->connect_part_size;
    if (!bronze->writer)
        bronze->writer = g_strdup_printf("%s/%d/%08x", g_get_host_name(), (int) getpid(), g_random_int());
    if (!bronze->store) {
        Store *store = store_new(node, &bronze->place, err);
        if (!store)
            return SF_CONFIG;
        g_atomic_pointer_set(&bronze->store, store);
        bronze->workshop.store = store;
        bronze->workshop.compressor = compressor_new();
        bronze->workshop.line = g_string_new(NULL);
    }
    SF_TRY(store_open(bronze->store, err));
    return store_prove_parts(bronze->store, err);
}

static void close_sink(SfNode *node)
{
    Bronze *bronze = bronze_of(node);
    ranges_free(bronze->chains);
    store_free(bronze->store);
    spares_done(&bronze->workshop.spares);
    compressor_free(bronze->workshop.compressor);
    if (bronze->workshop.line)
        g_string_free(bronze->workshop.line, TRUE);
    if (bronze->has_layout)
        layout_done(&bronze->layout);
    g_free(bronze->root);
    g_free(bronze->writer);
}

static void interrupt(SfNode *node)
{
    store_interrupt(g_atomic_pointer_get(&bronze_of(node)->store));
}

/* Tells the host what is held now. Thousands of objects may be open: what a batch did not touch is not counted anew. */
static void charge(SfNode *node, const Chain *touched)
{
    Bronze *bronze = bronze_of(node);
    int64_t held = (int64_t) bronze->workshop.spares.bytes;
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        Chain *chain = ranges_at(bronze->chains, i);
        if (!touched || chain == touched)
            chain->held = chain_held(chain);
        held += (int64_t) chain->held;
    }
    if (held != bronze->charged)
        sf_charge(node, held - bronze->charged);
    bronze->charged = held;
}

/* ---- recovery ---- */

static SfStatus take_chain(SfNode *node, size_t input, const SfSplit *split, Chain **out, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    *out = ranges_find(bronze->chains, input, split);
    if (*out)
        return SF_OK;
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        const Range *range = ranges_at(bronze->chains, i);
        if (g_str_equal(range->split->name, split->name))
            return sf_fail(err, SF_CONFIG,
                           "inputs '%s' and '%s' both have '%s' (topic '%s', partition %" PRId32 "), whose objects "
                           "would have the same names; write them by two steps with a url or topics.dir each",
                           node->inputs[range->input], node->inputs[input], split->name, split->topic,
                           split->partition);
    }
    *out = ranges_add(bronze->chains, input, split);
    chain_init(bronze, node, *out);
    return SF_OK;
}

typedef struct Recovered {
    const Bronze *bronze;
    const SfRecovery *chains;
    size_t n;
} Recovered;

static bool is_among(const Recovered *recovered, const Chain *chain)
{
    for (size_t i = 0; i < recovered->n; i++)
        if (chain->range.split == recovered->chains[i].split)
            return true;
    return false;
}

static bool owns_key(gconstpointer user, const char *key)
{
    const Recovered *recovered = user;
    const Bronze *bronze = recovered->bronze;
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        const Chain *chain = ranges_at(bronze->chains, i);
        if (chain_owns_key(bronze, chain, key) && is_among(recovered, chain))
            return true;
    }
    return false;
}

/* Whoever has a chain now is the only one who writes its objects: what others began of them, they will not end. Once a
 * topic. */
static void tidy_drafts(const Bronze *bronze, const SfRecovery *chains, size_t n)
{
    g_autoptr(GHashTable) topics = g_hash_table_new(g_str_hash, g_str_equal);
    Recovered recovered = {.bronze = bronze, .chains = chains, .n = n};
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        const Chain *chain = ranges_at(bronze->chains, i);
        g_autofree char *below = g_strconcat(bronze->root, chain->topic, "/", NULL);
        if (is_among(&recovered, chain) && g_hash_table_add(topics, chain->topic))
            store_tidy(bronze->store, below, ABANDONED_MS, owns_key, &recovered);
    }
}

static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        Chain *chain = NULL;
        SF_TRY(take_chain(node, chains[i].input, chains[i].split, &chain, err));
        int64_t written_ms = 0;
        SF_TRY(chain_recover(node, chain, chains[i].hint, &chains[i].position, &written_ms, err));
        sf_recovered(node, chain->range.input, chain->range.split, chains[i].position, written_ms);
    }
    tidy_drafts(bronze_of(node), chains, n);
    charge(node, NULL);
    return SF_OK;
}

/* ---- cuts by the clock ---- */

/* The next multiple of the interval, counted from a midnight in the time zone. */
static int64_t next_schedule(const Bronze *bronze, int64_t now_ms)
{
    int64_t offset_ms = 0;
    if (bronze->layout.zone) {
        int interval = g_time_zone_find_interval(bronze->layout.zone, G_TIME_TYPE_UNIVERSAL, now_ms / 1000);
        offset_ms = (int64_t) g_time_zone_get_offset(bronze->layout.zone, interval) * 1000;
    }
    int64_t local = now_ms + offset_ms;
    return local - local % bronze->schedule_ms + bronze->schedule_ms - offset_ms;
}

/* Whether the schedule's moment has come. A wall clock that is set back would put it off by as much: then the time that
 * was left when it was set counts. */
static bool schedule_is_due(SfNode *node)
{
    Bronze *bronze = bronze_of(node);
    int64_t now_ms = sf_now_ms(node), monotonic_ms = sf_monotonic_ms(node);
    bool set = bronze->next_schedule_ms > 0;
    bool due = set && (now_ms >= bronze->next_schedule_ms || monotonic_ms >= bronze->schedule_by_ms);
    if (due || !set) {
        bronze->next_schedule_ms = next_schedule(bronze, now_ms);
        bronze->schedule_by_ms = monotonic_ms + bronze->next_schedule_ms - now_ms;
    }
    return due;
}

static const char *due_by_clock(const Bronze *bronze, const Chain *chain, int64_t monotonic_ms, bool scheduled)
{
    if (chain->redo || !chain_has_open(chain))
        return NULL;
    if (scheduled)
        return "schedule";
    int64_t age_ms = bronze->rotate_ms > 0 ? bronze->rotate_ms : bronze->schedule_ms > 0 ? INT64_MAX : AGE_MS;
    return monotonic_ms - chain->opened_ms >= age_ms ? "age" : NULL;
}

static SfStatus cut_by_clock(SfNode *node, SfError *err)
{
    Bronze *bronze = bronze_of(node);
    int64_t monotonic_ms = sf_monotonic_ms(node);
    bool scheduled = bronze->schedule_ms > 0 && schedule_is_due(node);
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        Chain *chain = ranges_at(bronze->chains, i);
        const char *due = due_by_clock(bronze, chain, monotonic_ms, scheduled);
        if (due)
            SF_TRY(chain_cut(chain, chain->range.end, due, err));
    }
    return SF_OK;
}

/* ---- writing ---- */

static SfStatus write_batch(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    SF_TRY(cut_by_clock(node, err));
    if (bronze_flush_due(bronze)) {
        SF_TRY(bronze_flush(node, err));
        charge(node, NULL);
    }
    Chain *chain = ranges_find(bronze->chains, input, batch->split);
    if (!chain)
        return range_check(NULL, batch, err);
    SfStatus status = chain_write(node, chain, batch, err);
    charge(node, chain);
    return status;
}

static SfStatus tick(SfNode *node, SfError *err)
{
    SF_TRY(cut_by_clock(node, err));
    SfStatus status = bronze_flush(node, err);
    charge(node, NULL);
    return status;
}

/* A range that a ledger entry has fixed cannot be cut elsewhere. Where only memory is wanted it goes on: others have to
 * give theirs, or it would be read again and again up to the same row. */
static SfStatus cut_all(SfNode *node, const char *reason, bool all, SfError *err)
{
    const Bronze *bronze = bronze_of(node);
    for (guint i = 0; i < ranges_count(bronze->chains); i++) {
        Chain *chain = ranges_at(bronze->chains, i);
        if (chain->redo && range_moved(&chain->range) && all)
            return sf_fail(err, SF_FENCED,
                           "%s: the range [%" PRId64 ", %" PRId64 ") that its ledger entry fixed was read up "
                           "to %" PRId64 " only; whoever reads it next finishes it",
                           chain->range.split->name, chain->redo->entry->start, chain->redo->entry->end,
                           chain->range.end);
        if (!chain->redo && chain_has_open(chain))
            SF_TRY(chain_cut(chain, chain->range.end, reason, err));
    }
    return SF_OK;
}

static const char *reason_of(SfCommitReason reason)
{
    switch (reason) {
    case SF_COMMIT_MEMORY:
        return "memory";
    case SF_COMMIT_REVOKE:
        return "revoke";
    case SF_COMMIT_SETTLE:
        return "settle";
    default:
        return "end";
    }
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    if (reason == SF_COMMIT_CHECKPOINT)
        return tick(node, err);
    SF_TRY(cut_all(node, reason_of(reason), reason != SF_COMMIT_MEMORY, err));
    SfStatus status = bronze_flush(node, err);
    if (status == SF_OK) { /* nothing is held any more, not even in reserve */
        spares_done(&bronze_of(node)->workshop.spares);
        spares_init(&bronze_of(node)->workshop.spares);
    }
    charge(node, NULL);
    return status;
}

static const char doc[] =
    "Objects are named `<topics.dir>/<topic>/<path.format>/<topic>+<partition>+<first offset>.json`. Rows of one "
    "partition that belong to several directories (late ones, midnight) are kept in several open objects, which "
    "are cut together. Objects of a topic that was created anew (`epoch: 2` of kafka-source) are called "
    "`<topic>@2+<partition>+<first offset>.json`. Files that share a topic, such as one that took another's place when "
    "it was rotated, have positions of their own: all but the first, which claims the topic's name by the object "
    "`split.json` beside its ledger entries, are called `<topic>@s<hash>+0+<first line>.json`.\n\n"
    "Before the objects of a range are written, a ledger entry `_sf/<pipeline>/<topic>/<partition>/<start>.json` "
    "is created by a conditional write. It fixes where the range ends and what its objects are, so that a "
    "restart, or another process that takes over, writes the same bytes under the same names, whatever rule made "
    "the cut: every row is there exactly once with any rotation, by the clock as well.\n\n"
    "Objects are created only where there is none. One that is there and is not what the ledger entry describes, such "
    "as what Kafka Connect wrote under the same name, stays as it is and stops the pipeline, which names it. The store "
    "must be able to do that, which is tried when the sink opens.\n\n"
    "A range is cut by `flush.size`, by event time and age (`rotate.interval.ms`), by the clock "
    "(`rotate.schedule.interval.ms`), when the pipeline stops, when a partition moves to another process, and "
    "when the memory budget is used up. The last partial range is never left waiting.\n\n"
    "Large objects go to the store while their rows come in: into a temporary file, or to S3 in parts of `part_size`. "
    "They can be seen when they are complete.\n\n"
    "Readers take the files below a topic's directory; `_sf` and `.sf-tmp` beside it are not for them.";

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(Bronze, .name = "s3-bronze-sink", .version = SF_VERSION,
                 .summary = "Writes JSON lines to S3 or a directory, by day, exactly once", .doc = doc,
                 .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = bind_input,
    .open = open_sink,
    .recover = recover,
    .write = write_batch,
    .commit = commit,
    .tick = tick,
    .interrupt = interrupt,
    .close = close_sink,
    .audit = bronze_audit,
    .audit_rows = bronze_audit_rows,
};
