/* bronze-source: rows of bronze as the topic gave them. Options, life, and whose turn it is; which splits there are is
 * in ledgers.c and listing.c, what one of them gives in lane.c. */
#include "source.h"

#include "ignored.h"
#include "wake.h"

#include <inttypes.h>
#include <string.h>

#define PIECE_BYTES ((int64_t) 4 << 20)
#define LEDGERS_MS 30000 /* how often new topics and partitions are looked for */

enum { START_EARLIEST, START_LATEST };
static const char *const start_words[] = {"earliest", "latest", NULL};
static const char *const missing_words[] = {"stop", "skip", NULL};
static const char *const layout_words[] = {"ledger", "connect", "files", NULL};
enum { SPLIT_BY_PARTITION, SPLIT_BY_DIRECTORY };
static const char *const split_words[] = {"partition", "directory", NULL};

typedef struct BronzeSource {
    StoreOptions place;
    const char *topics_dir;
    const char *ledger;
    SfList topics;
    const char *path;
    int32_t split_by;
    int32_t start;
    int64_t interval_ms;
    int64_t max_files;
    int64_t spark_files; /* maxFilesPerTrigger */
    int64_t max_bytes;
    LaneOptions lane;

    char *root;
    Store *store; /* atomic: interrupt() reads it */
    Blocks *blocks;
    GPtrArray *lanes;  /* of Lane */
    GHashTable *known; /* prefixes of ledgers that were looked at */
    Listing *listing;  /* of objects of others, or NULL */
    guint turn;        /* of the lane that is asked next */
    Quota quota;
    int64_t trigger_ms; /* monotonic: when the quota was given */
    int64_t looked_ms;  /* when splits were looked for; 0: never */
    bool told;          /* of what is not of the layout */
    int64_t charged;
    bool opened;
    Wake wake;
} BronzeSource;

static const SfOption options[] = {
    STORE_READER_ROWS(BronzeSource, place,
                      "Where bronze is, as s3-bronze-sink has it: s3://bucket/prefix or file:///directory."),
    SF_OPTION_STRING(BronzeSource, topics_dir, .name = "topics.dir", .value = "",
                     .doc = "Directory below the URL that holds the topics, as s3-bronze-sink has it; empty: none."),
    SF_OPTION_STRING(BronzeSource, ledger,
                     .doc = "Name of the pipeline that wrote the rows; needed only where several have written there.",
                     .example = "sales"),
    SF_OPTION_LIST(BronzeSource, topics, .doc = "Topics to read; by default all that are there.",
                   .example = "[sales_events]"),
    SF_OPTION_ENUM(BronzeSource, lane.layout, .name = "layout", .value = "ledger", .words = layout_words,
                   .doc = "Who wrote: `ledger`, s3-bronze-sink; `connect`, an S3 sink of Kafka Connect (Confluent's or "
                          "Aiven's names); `files`, anybody, JSON lines as Spark's file stream reads them."),
    SF_OPTION_STRING(BronzeSource, path, .name = "path", .example = "2024/**/*.json.gz",
                     .doc = "Objects to read with layout connect or files: a pattern of keys below the URL (and "
                            "topics.dir), with `*` and `?` within a directory and `**` for any number of them."),
    SF_OPTION_ENUM(BronzeSource, split_by, .name = "split_by", .value = "partition", .words = split_words,
                   .doc = "With layout connect: a split is a partition, or, where a field spreads partitions over "
                          "directories, each directory of one."),
    SF_OPTION_BOOL(BronzeSource, lane.keys, .name = "store.kafka.keys", .value = "false",
                   .doc = "With layout connect: keys lie beside the objects, `….keys.json`. Those that s3-bronze-sink "
                          "wrote are read without being asked for."),
    SF_OPTION_BOOL(BronzeSource, lane.headers, .name = "store.kafka.headers", .value = "false",
                   .doc = "Likewise headers, `….headers.json`."),
    SF_OPTION_ENUM(BronzeSource, start, .value = "earliest", .words = start_words,
                   .doc = "Where to begin in a split that no sink knows: with its first row in bronze, or behind its "
                          "last one (layout connect: with its last object)."),
    SF_OPTION_DURATION(BronzeSource, interval_ms, .name = "interval", .value = "1s", .min = "10ms", .max = "1d",
                       .doc = "How often new objects are looked for."),
    SF_OPTION_INT(BronzeSource, max_files, .name = "max_files_per_trigger", .value = "0", .min = "0",
                  .doc = "Objects that are begun in a run of trigger `once`, or in an interval: about as many, since a "
                         "ledger entry's are read together, and each task has its part, one at least; 0: all."),
    SF_OPTION_INT(BronzeSource, spark_files, .name = "maxFilesPerTrigger", .value = "0", .min = "0",
                  .doc = "Spark's name of max_files_per_trigger, which it overrides."),
    SF_OPTION_SIZE(BronzeSource, max_bytes, .name = "max_bytes_per_trigger", .value = "0",
                   .doc = "Likewise, bytes of the objects as they are stored; 0: all."),
    SF_OPTION_ENUM(
        BronzeSource, lane.missing, .name = "on_missing", .value = "stop", .words = missing_words,
        .doc = "An object that the ledger or a listing named and that is gone, one that came too late, or a gap "
               "in the ledger: stop, or say so and pass over its rows. Keys or headers that are gone are null then."),
    SF_OPTION_INT(BronzeSource, lane.batch_rows, .name = "batch_rows", .value = "4096", .min = "1", .max = "1_000_000",
                  .doc = "Rows in a batch at most."),
    SF_OPTION_SIZE(BronzeSource, lane.limits.max_line, .name = "max_line", .value = "64MiB", .min = "1KiB",
                   .max = "256MiB", .doc = "Longest line."),
    SF_OPTION_END,
};

static const char doc[] =
    "Gives the rows that s3-bronze-sink wrote as the topic gave them: splits, offsets and timestamps are the topic's, "
    "so that a sink which was fed from bronze goes on from Kafka without a gap or a duplicate, and the other way "
    "round. "
    "`key` and `headers` are null where they were not written beside the objects (store.kafka.keys and "
    "store.kafka.headers of s3-bronze-sink).\n\n"
    "It follows the ledger below `_sf/` and never lists objects: what is not in the ledger is not read, and what is in "
    "it is read in the order of offsets, whatever directories it is in. Each object is compared with the size and "
    "checksum that the ledger has before a row of it is given.\n\n"
    "A run with trigger `once` reads what was there at its start. Otherwise new objects are looked for every "
    "`interval`, and new topics and partitions every 30 s.\n\n"
    "Entries of versions before the ledger kept timestamps give rows without one. The splits are shared out among the "
    "tasks of one process; several processes would each read all of them.\n\n"
    "**Objects of others** are found by listing. They may be packed by gzip or zstd; names that begin with a dot or an "
    "underscore, and what lies below such directories, are passed over. Rows have no timestamp.\n\n"
    "With `layout: connect` the objects of Kafka Connect's S3 sinks are read, `<topic>+<partition>+<offset>.json` "
    "(Confluent; also `.bin`) and `<topic>-<partition>-<offset>` (Aiven, one value a line), in whatever directories a "
    "partitioner put them. Splits are the topic's partitions, and a row's offset is its object's, counted on line by "
    "line: that of the topic where the topic has no holes. Positions between two objects that neither has are said in "
    "a "
    "warning, once a split with the first of them and then with their number. Objects that have the same positions "
    "stop "
    "it: a copy, or a partitioner by field, for which there is `split_by: directory`; then splits are called "
    "`<topic>/<partition>:<directory>`, and offsets are unique within those.\n\n"
    "With `layout: files` every file below the URL is a split of its own by its URL, with its key as the topic, and a "
    "row's offset is its line's number from 0. Blank lines are passed over and keep their number. Files are to be put "
    "there whole and not to change: one that did after something of it was read stops the pipeline. What was read to "
    "its end is known by the sinks and not read again. Sinks keep a position for each file, so tens of thousands of "
    "them are too many.\n\n"
    "Names of what was listed stay in memory, about 60 bytes an object.";

static SfStatus check_layout(const BronzeSource *source, SfError *err)
{
    int32_t layout = source->lane.layout;
    bool ledger = layout == LAYOUT_LEDGER, connect = layout == LAYOUT_CONNECT, files = layout == LAYOUT_FILES;
    g_autofree char *why = g_strdup_printf("with 'layout: %s'", layout_words[layout]);
    const Ignored rules[] = {
        {"path", source->path && ledger, why},
        {"split_by", source->split_by != SPLIT_BY_PARTITION && !connect, why},
        {"ledger", source->ledger && !ledger, why},
        {"topics", source->topics.size > 0 && files, why},
        {"store.kafka.keys", source->lane.keys && !connect, why},
        {"store.kafka.headers", source->lane.headers && !connect, why},
    };
    return ignored_refuse(rules, G_N_ELEMENTS(rules), err);
}

static SfStatus bronze_source_bind(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    BronzeSource *source = node->state;
    if (source->spark_files > 0)
        source->max_files = source->spark_files;
    SF_TRY(check_layout(source, err));
    SF_TRY(store_check(&source->place, err));
    g_free(source->root);
    source->root = NULL;
    SF_TRY(ledger_root(source->topics_dir, &source->root, err));
    return sf_schema_raw(out, err);
}

static SfStatus bronze_source_open(SfNode *node, SfError *err)
{
    BronzeSource *source = node->state;
    if (!source->opened) {
        wake_init(&source->wake);
        source->blocks = blocks_new();
        source->lanes = g_ptr_array_new_with_free_func((GDestroyNotify) lane_free);
        source->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        source->lane.root = source->root;
        source->lane.bounded = node->bounded;
        source->lane.limits.piece = PIECE_BYTES;
        ListingOptions listing = {.lane = &source->lane,
                                  .path = source->path,
                                  .topics = &source->topics,
                                  .by_directory = source->split_by == SPLIT_BY_DIRECTORY};
        if (source->lane.layout != LAYOUT_LEDGER)
            source->listing = listing_new(&listing);
        source->opened = true;
    }
    Store *store = store_new(node, &source->place, err);
    g_atomic_pointer_set(&source->store, store);
    return store ? SF_OK : SF_CONFIG;
}

/* ---- which splits there are ---- */

static bool is_of_our_topics(const SfNode *node, const Lane *lane)
{
    const BronzeSource *source = node->state;
    bool wanted = source->topics.size == 0;
    for (size_t i = 0; i < source->topics.size && !wanted; i++)
        wanted = g_str_equal(source->topics.items[i], lane->topic);
    return wanted;
}

/* Where a split begins that no sink knows. Those that are found while the pipeline runs begin with their first row,
 * whatever `start` says: nobody saw it. */
static int64_t lane_start_of(const BronzeSource *source, const Lane *lane)
{
    if (source->start != START_LATEST || source->looked_ms > 0)
        return lane->start;
    if (source->lane.layout == LAYOUT_LEDGER)
        return lane->end;
    return source->lane.layout == LAYOUT_FILES ? trail_whole(lane) : trail_last(lane);
}

static SfStatus assign_lanes(SfNode *node, const GPtrArray *lanes, SfError *err)
{
    const BronzeSource *source = node->state;
    g_autofree SfAssignment *assignments = g_new0(SfAssignment, lanes->len + 1);
    for (guint i = 0; i < lanes->len; i++) {
        Lane *lane = lanes->pdata[i];
        if (lane->ledger)
            SF_TRY(entries_look_ahead(source->store, lane, err));
        assignments[i] = (SfAssignment){.name = lane->name,
                                        .topic = lane->topic,
                                        .partition = lane->partition,
                                        .start = lane_start_of(source, lane)};
    }
    SF_TRY(sf_assign(node, assignments, lanes->len, err));
    for (guint i = 0; i < lanes->len; i++) {
        Lane *lane = lanes->pdata[i];
        lane->split = assignments[i].split;
        SF_TRY(lane_begin(node, source->store, lane, &source->lane, assignments[i].position, err));
    }
    return SF_OK;
}

static int64_t rows_ahead(const BronzeSource *source)
{
    int64_t rows = 0;
    for (guint i = 0; i < source->lanes->len; i++) {
        const Lane *lane = source->lanes->pdata[i];
        rows += MAX(lane->end - lane->position, 0);
    }
    return rows;
}

static guint longest_lane(const BronzeSource *source)
{
    guint longest = 0;
    int64_t most = -1;
    for (guint i = 0; i < source->lanes->len; i++) {
        const Lane *lane = source->lanes->pdata[i];
        longest = lane->end - lane->position > most ? i : longest;
        most = MAX(most, lane->end - lane->position);
    }
    return longest;
}

static SfStatus explain_nothing(const SfNode *node, SfError *err)
{
    const BronzeSource *source = node->state;
    const char *of_topics = source->topics.size > 0 ? " for these topics" : "", *stranger = NULL;
    g_autofree char *place =
        g_strdup_printf("%s/%s%s", store_url(source->store), source->root, source->path ? source->path : "");
    if (source->lane.layout == LAYOUT_LEDGER)
        return sf_fail(err, SF_CONFIG,
                       "there is no ledger of s3-bronze-sink below '%s" LEDGERS
                       "%s'%s; are url, topics.dir, ledger and "
                       "topics those of the step that wrote? Objects of others are read with 'layout: connect' or "
                       "'layout: files'",
                       place, source->ledger ? source->ledger : "", of_topics);
    if (source->lane.layout == LAYOUT_FILES)
        return sf_fail(err, SF_CONFIG, "there is no file below '%s'; is that the place, and the pattern?", place);
    bool others = listing_strangers(source->listing, &stranger) > 0;
    return sf_fail(err, SF_CONFIG,
                   "no object below '%s' is named as Kafka Connect does (sales+0+0000000000.json, sales-0-0)%s%s%s%s",
                   place, of_topics, others ? "; there is '" : "", others ? stranger : "",
                   others ? "', which 'layout: files' would read" : "");
}

static SfStatus meet_nothing(SfNode *node, SfError *err)
{
    SfError why;
    explain_nothing(node, &why);
    if (node->bounded)
        return sf_fail(err, SF_CONFIG, "%s", why.message);
    sf_log(node, SF_LOG_WARNING, "%s; waiting for it", why.message);
    return SF_OK;
}

/* `lanes`: this task's that are new; *all: how many splits there are, or new ones. */
static SfStatus find_ledgers(SfNode *node, GPtrArray *prefixes, GPtrArray *lanes, guint *all, SfError *err)
{
    const BronzeSource *source = node->state;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) lane_free);
    SF_TRY(ledgers_find(source->store, source->root, source->ledger, &source->topics, source->known, found, err));
    while (found->len > 0) {
        g_autoptr(Lane) lane = g_ptr_array_steal_index(found, 0);
        g_ptr_array_add(prefixes, g_strdup(lane->ledger));
        bool ours = is_of_our_topics(node, lane);
        *all += ours;
        if (ours && g_str_hash(lane->name) % MAX(node->tasks, 1) == node->task)
            g_ptr_array_add(lanes, g_steal_pointer(&lane));
    }
    return SF_OK;
}

static void say_strangers(SfNode *node)
{
    BronzeSource *source = node->state;
    const char *example;
    int64_t n = source->listing ? listing_strangers(source->listing, &example) : 0;
    if (n > 0 && !source->told)
        sf_log(node, SF_LOG_WARNING,
               "%" PRId64
               " objects below '%s/%s' are not named as Kafka Connect does and are passed over, such as '%s'",
               n, store_url(source->store), source->root, example);
    source->told = source->told || n > 0;
}

static void adopt_lanes(SfNode *node, GPtrArray *lanes, GPtrArray *prefixes)
{
    BronzeSource *source = node->state;
    while (lanes->len > 0)
        g_ptr_array_add(source->lanes, g_ptr_array_steal_index(lanes, 0));
    while (prefixes->len > 0)
        g_hash_table_add(source->known, g_ptr_array_steal_index(prefixes, 0));
    source->turn = longest_lane(source); /* a quota that is used up does not leave the same ones behind for ever */
    if (source->looked_ms == 0)
        sf_expect(node, node->bounded && !source->listing ? rows_ahead(source) : -1);
}

static SfStatus look_for_splits(SfNode *node, SfError *err)
{
    BronzeSource *source = node->state;
    int64_t now_ms = sf_monotonic_ms(node), every_ms = source->listing ? source->interval_ms : LEDGERS_MS;
    if (source->looked_ms > 0 && (node->bounded || now_ms < source->looked_ms + every_ms))
        return SF_OK;
    guint all = 0;
    g_autoptr(GPtrArray) prefixes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func((GDestroyNotify) lane_free);
    GPtrArray *lanes = source->listing ? listing_fresh(source->listing) : own;
    if (source->listing) {
        SF_TRY(listing_look(node, source->store, source->listing, err));
        all = listing_splits(source->listing);
    } else {
        SF_TRY(find_ledgers(node, prefixes, own, &all, err));
    }
    if (all == 0 && source->looked_ms == 0)
        SF_TRY(meet_nothing(node, err));
    say_strangers(node);
    if (lanes->len > 0 || source->looked_ms == 0)
        SF_TRY(assign_lanes(node, lanes, err));
    adopt_lanes(node, lanes, prefixes);
    source->looked_ms = MAX(now_ms, 1);
    return SF_OK;
}

/* ---- turns ---- */

static int64_t share_of(const SfNode *node, int64_t all)
{
    return all > 0 ? MAX(all / MAX(node->tasks, 1), 1) : INT64_MAX;
}

static void renew_quota(SfNode *node)
{
    BronzeSource *source = node->state;
    int64_t now_ms = sf_monotonic_ms(node);
    if (source->trigger_ms > 0 && (node->bounded || now_ms < source->trigger_ms + source->interval_ms))
        return;
    source->trigger_ms = MAX(now_ms, 1);
    source->quota = (Quota){.files = share_of(node, source->max_files), .bytes = share_of(node, source->max_bytes)};
}

static void charge_lanes(SfNode *node)
{
    BronzeSource *source = node->state;
    int64_t held = (int64_t) listing_held(source->listing);
    for (guint i = 0; i < source->lanes->len; i++)
        held += (int64_t) lane_held(source->lanes->pdata[i]);
    if (held != source->charged)
        sf_charge(node, held - source->charged);
    source->charged = held;
}

/* SF_EMPTY also where it ended, and where it is asked again after `interval` only: each question is a request. */
static SfStatus poll_lane(SfNode *node, Lane *lane, SfBatch *out, SfError *err)
{
    BronzeSource *source = node->state;
    int64_t now_ms = sf_monotonic_ms(node);
    if (lane->done || now_ms < lane->ask_ms)
        return SF_EMPTY;
    SfStatus status = lane_poll(node, source->store, lane, &source->lane, source->blocks, &source->quota, out, err);
    lane->done = lane->done || status == SF_END;
    lane->end = MAX(lane->end, lane->position);
    if ((status == SF_OK || status == SF_EMPTY) && source->lane.layout != LAYOUT_FILES)
        sf_lag(node, lane->split, lane->end);
    if (status == SF_EMPTY)
        lane->ask_ms = now_ms + source->interval_ms;
    return status == SF_END ? SF_EMPTY : status;
}

/* An entry is read to its end before another split has its turn: its objects are in memory. */
static SfStatus poll_lanes(SfNode *node, SfBatch *out, SfError *err)
{
    BronzeSource *source = node->state;
    for (guint tried = 0; tried < source->lanes->len; tried++) {
        Lane *lane = source->lanes->pdata[source->turn % source->lanes->len];
        SfStatus status = poll_lane(node, lane, out, err);
        if (!lane_is_amid(lane) || status == SF_EMPTY)
            source->turn++;
        if (status != SF_EMPTY)
            return status;
    }
    return SF_EMPTY;
}

static SfStatus poll_source(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    BronzeSource *source = node->state;
    SfStatus status = look_for_splits(node, err);
    renew_quota(node);
    if (status == SF_OK)
        status = poll_lanes(node, out, err);
    charge_lanes(node);
    if (status == SF_RETRY)
        return wake_sleep(&source->wake, 0) ? SF_EMPTY : SF_RETRY;
    if (status != SF_EMPTY)
        return status;
    if (node->bounded)
        return SF_END;
    wake_sleep(&source->wake, g_get_monotonic_time() + MIN(timeout_ms, source->interval_ms) * 1000);
    return SF_EMPTY;
}

static void interrupt(SfNode *node)
{
    BronzeSource *source = node->state;
    wake_interrupt(&source->wake);
    store_interrupt(g_atomic_pointer_get(&source->store));
}

static void bronze_source_close(SfNode *node)
{
    BronzeSource *source = node->state;
    g_free(source->root);
    if (!source->opened)
        return;
    g_ptr_array_unref(source->lanes);
    listing_free(source->listing);
    g_hash_table_unref(source->known);
    blocks_free(source->blocks);
    store_free(source->store);
    wake_done(&source->wake);
}

static SfStatus bronze_source_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    BronzeSource *source = node->state;
    SF_TRY(bronze_source_open(node, err)); /* which only reads */
    if (source->lane.layout != LAYOUT_LEDGER) {
        sf_audit_unknown(audit, store_url(source->store), "objects of others have no ledger to compare with");
        return SF_OK;
    }
    SF_TRY(
        ledgers_find(source->store, source->root, source->ledger, &source->topics, source->known, source->lanes, err));
    return lanes_audit(node, audit, source->store, source->lanes, &source->lane, source->blocks, err);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(BronzeSource, .name = "bronze-source", .version = SF_VERSION,
                   .summary = "Reads bronze as its topics: the same splits, offsets and timestamps", .doc = doc,
                   .options = options),
    .bind = bronze_source_bind,
    .open = bronze_source_open,
    .poll = poll_source,
    .interrupt = interrupt,
    .close = bronze_source_close,
    .audit = bronze_source_audit,
};
