/* One producer: its settings, its topics, its end. */
#include <string.h>

#include "sink.h"

#define SHUT_MS 5000

bool interrupted(Sink *sink)
{
    return g_atomic_int_compare_and_exchange(&sink->interrupted, 1, 0);
}

rd_kafka_conf_t *lane_conf(const SfNode *node, const char *id, SfError *err)
{
    const Sink *sink = node->state;
    char limit[24], batch[24];
    g_snprintf(limit, sizeof limit, "%" G_GINT64_FORMAT, sink->limit);
    g_snprintf(batch, sizeof batch, "%" G_GINT64_FORMAT, MIN(sink->limit, 1000000));
    const KafkaSetting defaults[] = {
        {"linger.ms", "20"},
        {"compression.type", "lz4"},
        {"queue.buffering.max.kbytes", "32768"},
        {"partitioner", "murmur2_random"}, /* as Java producers place keys */
        {"socket.nagle.disable", "true"},
        {sink->limit > 0 ? "message.max.bytes" : NULL, limit},
        {"batch.size", batch},
        {NULL, NULL},
    };
    const KafkaSetting own[] = {
        {"enable.idempotence", "true"},
        {id ? "transactional.id" : NULL, id},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = kafka_conf_new(&sink->link, defaults, own, err);
    if (conf)
        rd_kafka_conf_set_dr_msg_cb(conf, delivery_report);
    return conf;
}

Lane *lane_of(const Sink *sink, const SfSplit *split)
{
    for (guint i = 0; i < sink->lanes->len; i++) {
        Lane *lane = sink->lanes->pdata[i];
        if (!lane->id || lane->split == split)
            return lane;
    }
    return NULL;
}

Lane *lane_new(SfNode *node, const SfSplit *split)
{
    Sink *sink = node->state;
    Lane *lane = g_new0(Lane, 1);
    lane->sink = sink;
    lane->node = node;
    lane->split = split;
    if (sink->delivery == DELIVERY_EXACTLY_ONCE)
        lane->id = g_strdup_printf("%s.%s.%s", node->pipeline, node->step, split->name);
    lane->chains = g_ptr_array_new();
    lane->kept = g_array_new(FALSE, TRUE, sizeof(Kept));
    lane->ends = g_array_new(FALSE, TRUE, sizeof(End));
    return lane;
}

SfStatus lane_open(Lane *lane, SfError *err)
{
    if (lane->client)
        return SF_OK;
    rd_kafka_conf_t *conf = lane_conf(lane->node, lane->id, err);
    if (!conf)
        return SF_CONFIG;
    lane->client = kafka_client_new(lane->node, RD_KAFKA_PRODUCER, conf, lane, err);
    if (!lane->client)
        return SF_CONFIG;
    lane->topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) rd_kafka_topic_destroy);
    /* at once: the first record of an unknown topic would wait for up to a second (librdkafka change 5032) */
    lane->topic = lane_topic(lane, lane->sink->topic);
    return SF_OK;
}

rd_kafka_topic_t *lane_topic(Lane *lane, const char *name)
{
    rd_kafka_topic_t *topic = g_hash_table_lookup(lane->topics, name);
    if (topic)
        return topic;
    topic = rd_kafka_topic_new(kafka_client_handle(lane->client), name, NULL);
    if (topic)
        g_hash_table_insert(lane->topics, g_strdup(name), topic);
    return topic;
}

static bool moved(const Lane *lane)
{
    for (guint i = 0; i < lane->chains->len; i++) {
        if (chain_moved(lane->chains->pdata[i]))
            return true;
    }
    return false;
}

/* Everything that the lane was given. Rejects of a sink are complete only when the broker has answered for every
 * row, so they are settled after the flush and before the end of the transaction. */
SfStatus lane_commit(Lane *lane, SfError *err)
{
    if (!moved(lane))
        return SF_OK;
    if (!lane->ending) {
        SF_TRY(delivery_flush(lane, err));
        SF_TRY(chains_settle(lane, err));
    }
    SF_TRY(transaction_commit(lane, err));
    chains_committed(lane);
    delivery_forget(lane);
    return SF_OK;
}

void lane_shut(Lane *lane)
{
    if (!lane->client)
        return;
    rd_kafka_t *rk = kafka_client_handle(lane->client);
    /* what was not committed is dropped; reports of it mean nothing any more */
    delivery_forget(lane);
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(rk, 0);
    g_array_set_size(lane->ends, 0);
    g_clear_pointer(&lane->topics, g_hash_table_unref);
    kafka_client_free(g_steal_pointer(&lane->client), SHUT_MS);
    lane->topic = NULL;
    lane->ready = lane->ending = lane->failed = lane->oversized = false;
    lane->begun_us = 0;
}

void lane_free(Lane *lane)
{
    lane_shut(lane);
    g_ptr_array_foreach(lane->chains, (GFunc) (void (*)(void)) chain_free, NULL);
    g_ptr_array_unref(lane->chains);
    g_array_unref(lane->kept);
    g_array_unref(lane->ends);
    g_free(lane->id);
    g_free(lane);
}
