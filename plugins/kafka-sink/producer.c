/* A lane's producer: its settings, its topics, its end. */
#include <string.h>

#include "sink.h"

#define SHUT_MS 5000
/* How long the end of an open transaction is waited for; the next producer of its id ends it otherwise. */
#define ABORT_MS 1000
/* Likewise where another lane has just waited in vain: all of them together are not to hold a stop up. */
#define ABORT_FROZEN_MS 100
#define FROZEN_US (10 * G_USEC_PER_SEC)

rd_kafka_conf_t *lane_conf(const SfNode *node, const char *id, int64_t batch_size, SfError *err)
{
    const Sink *sink = node->state;
    char batch[24];
    g_snprintf(batch, sizeof batch, "%" G_GINT64_FORMAT, batch_size > 0 ? batch_size : 1);
    /* It cannot be interrupted while it waits for an answer; librdkafka wants it below transaction.timeout.ms. */
    const char *patience = kafka_conf_given(&sink->link, "transaction.timeout.ms") ? NULL : "20000";
    const KafkaSetting defaults[] = {
        {"linger.ms", "20"},
        {"compression.type", "lz4"},
        {"queue.buffering.max.kbytes", "32768"},
        {"partitioner", "murmur2_random"}, /* as Java producers place keys */
        {"socket.nagle.disable", "true"},
        {"socket.timeout.ms", patience},
        {"message.max.bytes", "100000000"}, /* how much a topic takes is the broker's to say; it is told by the batch */
        {"batch.size", batch},
        {"statistics.interval.ms", STATISTICS_MS},
        {batch_size > 0 ? NULL : "batch.num.messages", "1"},
        {NULL, NULL},
    };
    const KafkaSetting own[] = {
        {"enable.idempotence", "true"},
        {"allow.auto.create.topics", "false"}, /* the option create_topic does, as a person wants it */
        {id ? "transactional.id" : NULL, id},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = kafka_conf_new(&sink->link, defaults, own, err);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, delivery_report);
    rd_kafka_conf_set_stats_cb(conf, waiting_statistics);
    return conf;
}

static int64_t setting_of(const rd_kafka_conf_t *conf, const char *name)
{
    char value[32] = "";
    size_t size = sizeof value;
    return rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK ? g_ascii_strtoll(value, NULL, 10) : 0;
}

/* A request is refused as a whole: of the size that topics take, only a record that is larger by itself can be. */
static SfStatus start_producer(Lane *lane, SfError *err)
{
    Sink *sink = lane->sink;
    int64_t batch_size = lane->single ? 0 : sink->limit > 0 ? MIN(sink->limit, 1000000) : 1000000;
    rd_kafka_conf_t *conf = lane_conf(lane->node, lane->id, batch_size, err);
    if (!conf)
        return SF_CONFIG;
    lane->batch_size = MIN(setting_of(conf, "batch.size"), setting_of(conf, "message.max.bytes"));
    SF_TRY(kafka_client_new(lane->node, RD_KAFKA_PRODUCER, conf, lane, &lane->client, err));
    lane->topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) rd_kafka_topic_destroy);
    /* at once: the first record of an unknown topic would wait for up to a second (librdkafka change 5032) */
    lane->topic = lane_topic(lane, sink->topic);
    return SF_OK;
}

SfStatus lane_open(Lane *lane, SfError *err)
{
    lane->used_us = g_get_monotonic_time();
    if (!lane->client) {
        SF_TRY(start_producer(lane, err));
    }
    return transaction_init(lane, err);
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

/* Readers of committed records need not wait for the next producer. And it makes librdkafka's main thread leave off
 * registering partitions: one that is destroyed amid that ends the process (rdkafka_txnmgr.c, "txn_req_cnt > 0"; 2.0.2
 * to 2.10 at least), since a request fails before it is counted. A commit that has been asked for is not undone:
 * librdkafka refuses the abort then, or the broker does once it has decided. */
static void abort_open(Lane *lane, rd_kafka_t *rk)
{
    Sink *sink = lane->sink;
    if (!lane->id || lane->begun_us == 0)
        return;
    bool frozen = sink->frozen_us > 0 && g_get_monotonic_time() - sink->frozen_us < FROZEN_US;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(rk, frozen ? ABORT_FROZEN_MS : ABORT_MS);
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        sink->frozen_us = g_get_monotonic_time();
    if (error)
        rd_kafka_error_destroy(error);
}

static void stop_producer(Lane *lane)
{
    rd_kafka_t *rk = kafka_client_handle(lane->client);
    abort_open(lane, rk);
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(rk, 0);
    visible_keep(lane);
    g_clear_pointer(&lane->topics, g_hash_table_unref);
    kafka_client_free(g_steal_pointer(&lane->client), SHUT_MS);
    lane->topic = NULL;
}

void lane_shut(Lane *lane)
{
    /* what was not committed is dropped, also where no producer could start; reports of it mean nothing any more */
    lane_forget(lane);
    if (lane->client)
        stop_producer(lane);
    lane->started = lane->ready = lane->ending = lane->failed = lane->sized = lane->oversized = lane->stale = false;
    lane->begun_us = 0;
    waiting_end(lane);
}

void lane_free(Lane *lane)
{
    lane_shut(lane);
    ranges_free(lane->chains);
    g_array_unref(lane->kept);
    g_array_unref(lane->ends);
    g_free(lane->id);
    g_free(lane);
}
