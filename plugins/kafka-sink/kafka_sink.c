/* kafka-sink: descriptor, options, life. See sink.h for how rows and ranges become durable together. */
#include <string.h>

#include "sink.h"

/* A transaction is ended before the broker loses patience with it (transaction.timeout.ms). */
#define OLD_US (20 * G_USEC_PER_SEC)

#define CLOSE_MS 5000

static const char *const delivery_words[] = {"exactly-once", "at-least-once", NULL};

static const char *const create_words[] = {"auto", "true", "false", NULL};
static const char *const missing_words[] = {"wait", "stop", NULL};

static const SfOption options[] = {
    KAFKA_OPTION_ROWS(Sink, link),
    SF_OPTION_STRING(Sink, topic, .required = true, .doc = "Topic to write to."),
    SF_OPTION_STRING(Sink, topic_column,
                     .doc =
                         "Column that names each row's topic; null: the option topic. A row whose topic is not there "
                         "and is not created (create_topic), or can never be, is a reject."),
    SF_OPTION_STRING(Sink, key,
                     .doc = "Column that becomes the record's key (string, binary or integer); raw rows keep theirs."),
    SF_OPTION_ENUM(Sink, delivery, .value = "exactly-once", .words = delivery_words,
                   .doc =
                       "exactly-once: transactions, a producer a split that has rows, 12 at a time. at-least-once: one "
                       "idempotent producer."),
    SF_OPTION_ENUM(Sink, create_topic, .value = "auto", .words = create_words,
                   .doc =
                       "Whether a topic that does not exist is created; brokers are never left to do it. auto: where "
                       "partitions, replication_factor or topic_config say how; and the topic of an input of rejects "
                       "when the first of them comes (or, where the input is not from a topic of this cluster, with "
                       "the first position). true: also with the broker's defaults. false: never."),
    SF_OPTION_ENUM(Sink, missing_topic, .value = "wait", .words = missing_words,
                   .doc = "When the topic does not exist at the start and is not created."),
    SF_OPTION_INT(Sink, partitions, .value = "0", .min = "0", .max = "100000",
                  .doc = "Partitions of a topic that is created; 0: the broker's default."),
    SF_OPTION_INT(Sink, replication_factor, .value = "0", .min = "0", .max = "100",
                  .doc = "Copies of a topic that is created; 0: the broker's default."),
    SF_OPTION_MAP(Sink, topic_config, .doc = "Configuration of a topic that is created.",
                  .example = "{retention.ms: 604800000}"),
    SF_OPTION_END,
};

static Sink *sink_of(const SfNode *node)
{
    return node->state;
}

static SfStatus bind_input(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    Sink *sink = sink_of(node);
    if (!sink->inputs)
        sink->inputs = g_array_new(FALSE, TRUE, sizeof(Input));
    g_autoptr(rd_kafka_conf_t) conf =
        lane_conf(node, sink->delivery == DELIVERY_EXACTLY_ONCE ? node->step : NULL, 1, err);
    if (!conf)
        return SF_CONFIG;
    return record_bind(node, input, schema, err);
}

static SfStatus open_sink(SfNode *node, SfError *err)
{
    Sink *sink = sink_of(node);
    if (!sink->lanes) {
        sink->lanes = g_ptr_array_new();
        sink->lane_by_split = g_hash_table_new(NULL, NULL);
        sink->outputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        sink->text = g_string_new(NULL);
    }
    if (!sink->client) {
        g_autofree char *group = chains_group(node, 0);
        SF_TRY(kafka_client_asking(&sink->link, group, &sink->client, err));
    }
    SF_TRY(topic_open(node, err));
    sf_log(node, SF_LOG_INFO, "Connected to Kafka broker: %s", sink->link.brokers);
    sf_log(node, SF_LOG_INFO, "Producing to topic: %s", sink->topic);
    return SF_OK;
}

static SfStatus kafka_write_rows(Lane *lane, size_t input, const SfBatch *batch, SfError *err)
{
    if (!lane->client)
        SF_TRY(lanes_make_room(lane->sink, err));
    return delivery_write(lane, input, batch, err);
}

static SfStatus write_batch(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    Lane *lane = lane_of(sink_of(node), batch->split);
    Chain *chain = lane ? ranges_find(lane->chains, input, batch->split) : NULL;
    SF_TRY(range_check(chain ? &chain->range : NULL, batch, err));
    if (lane->ending ||
        lane->undecided) /* the answer to the last commit is still outstanding, and is about these ranges */
        SF_TRY(lane_commit(lane, err));
    if (sf_rows(batch) > 0)
        SF_TRY(kafka_write_rows(lane, input, batch, err));
    return range_write(&chain->range, batch, err);
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    Sink *sink = sink_of(node);
    for (guint i = 0; i < sink->lanes->len; i++)
        SF_TRY(lane_commit(sink->lanes->pdata[i], err));
    SF_TRY(chains_see(node, err));
    if (reason == SF_COMMIT_END)
        visible_wait(node);
    return SF_OK;
}

static SfStatus tick(SfNode *node, SfError *err)
{
    Sink *sink = sink_of(node);
    rd_kafka_poll(kafka_client_handle(sink->client), 0);
    for (guint i = 0; i < sink->lanes->len; i++) {
        Lane *lane = sink->lanes->pdata[i];
        if (lane->client)
            rd_kafka_poll(kafka_client_handle(lane->client), 0);
        if (lane->begun_us > 0 && g_get_monotonic_time() - lane->begun_us > OLD_US)
            SF_TRY(lane_commit(lane, err));
    }
    return SF_OK;
}

static void interrupt(SfNode *node)
{
    g_atomic_int_set(&sink_of(node)->interrupted, 1);
}

static void close_sink(SfNode *node)
{
    Sink *sink = sink_of(node);
    for (guint i = 0; sink->lanes && i < sink->lanes->len; i++)
        lane_free(sink->lanes->pdata[i]);
    for (guint i = 0; sink->inputs && i < sink->inputs->len; i++)
        json_writer_free(g_array_index(sink->inputs, Input, i).writer);
    g_clear_pointer(&sink->lanes, g_ptr_array_unref);
    g_clear_pointer(&sink->lane_by_split, g_hash_table_unref);
    g_clear_pointer(&sink->outputs, g_hash_table_unref);
    g_clear_pointer(&sink->unseen, rd_kafka_topic_partition_list_destroy);
    if (sink->inputs)
        g_array_unref(sink->inputs);
    if (sink->text)
        g_string_free(sink->text, TRUE);
    kafka_client_free(sink->client, CLOSE_MS);
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(
        Sink, .name = "kafka-sink", .version = SF_VERSION, .summary = "Writes rows to a topic of Apache Kafka",
        .doc =
            "Raw rows are written as they are: key, value, headers, timestamp. Other rows become JSON objects. Rows of "
            "a "
            "step's `errors` keep their value where they have one, and get headers that say why and where from: "
            "`sf.error`, "
            "`sf.step`, `sf.topic`, `sf.partition`, `sf.offset`, `sf.timestamp`. One that is too large for its topic "
            "is cut, and `sf.size` says how many "
            "bytes its value had.\n\n"
            "Exactly once: rows and the position that they come from are one transaction. Positions are offsets of the "
            "group `<pipeline>.<step>.<input>`, and of `<pipeline>.<step>.<input>.seen` for ranges without rows. Kafka "
            "forgets them `offsets.retention.minutes` (a week by default) "
            "after the "
            "last commit: do not stop a pipeline for longer. Readers see the rows after each checkpoint, with "
            "`isolation.level: read_committed`.",
        .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = bind_input,
    .open = open_sink,
    .recover = chains_recover,
    .write = write_batch,
    .commit = commit,
    .tick = tick,
    .interrupt = interrupt,
    .close = close_sink,
    .audit = kafka_sink_audit,
};
