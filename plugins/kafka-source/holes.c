/* Holes: offsets that the consumer leaves out. Compacted records, aborted ones and the markers of transactions are
 * not there for a reader; but a consumer that has lost its place leaves out records as well (librdkafka 4844: from 2.2
 * to 2.13.1, one at every end of partition before a rebalance). So its word is not enough: where its place is in
 * doubt, or the partition has shown no hole so far, the broker is asked by a client of its own, which belongs to no
 * group and starts where we say. Then the consumer is put where the broker's answer begins. */
#include "source.h"

#define LIES_MAX 5 /* then another consumer has to do */
#define SEEK_MS 1000
#define STALL_US (10 * G_USEC_PER_SEC)
#define STALLS_MAX 4 /* doublings of it */

void holes_doubt(Partition *partition)
{
    partition->doubt = true;
}

void holes_doubt_all(Source *source)
{
    g_ptr_array_foreach(source->partitions, (GFunc) (void (*)(void)) holes_doubt, NULL);
}

bool holes_suspect(Source *source, Partition *partition, int64_t offset)
{
    if (partition->suspect)
        return true;
    if (offset <= partition->expected || (partition->has_holes && !partition->doubt))
        return false;
    partition->suspect = true;
    source->suspects = true;
    return true;
}

void holes_seek(Source *source)
{
    g_autoptr(rd_kafka_topic_partition_list_t) list =
        rd_kafka_topic_partition_list_new((int) source->partitions->len + 1);
    for (guint i = 0; i < source->partitions->len; i++) {
        const Partition *partition = source->partitions->pdata[i];
        if (partition->doubt)
            rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset =
                partition->expected;
    }
    if (list->cnt == 0)
        return;
    /* What was fetched for another place is dropped from now on. The client's own thread answers, no broker: one that
     * has not within the time leaves the doubt. */
    rd_kafka_error_destroy(rd_kafka_seek_partitions(kafka_client_handle(source->client), list, SEEK_MS));
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err == RD_KAFKA_RESP_ERR__STATE)
            given_stopped(source, &list->elems[i]);
    }
}

/* Whether the partition has shown nothing for long, where the broker is known to have more. */
static bool stands_still(Source *source, Partition *partition, gint64 now)
{
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(kafka_client_handle(source->client), partition->topic, partition->partition, &low,
                                   &high);
    /* A client that has left out a record may not fetch at all after the seek: it cannot tell where the end is. */
    bool behind = (high > partition->expected || partition->lies > 0) && partition->expected < partition->stop;
    if (!behind || partition->still_at != partition->expected) {
        partition->still_at = behind ? partition->expected : -1;
        partition->still_us = now;
        partition->stalls = 0;
        return false;
    }
    gint64 patience_us = partition->lies > 0 ? STALL_US / 2 : STALL_US << partition->stalls;
    return now - partition->still_us > patience_us;
}

void holes_watch(SfNode *node)
{
    Source *source = node->state;
    gint64 now = g_get_monotonic_time();
    bool any = false;
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        if (!stands_still(source, partition, now))
            continue;
        sf_log(node, SF_LOG_DEBUG, "'%s/%d': nothing comes from offset %" G_GINT64_FORMAT " on; asking for it anew",
               partition->topic, partition->partition, partition->expected);
        partition->still_us = now;
        partition->stalls = MIN(partition->stalls + 1, STALLS_MAX);
        if (partition->lies > 0) { /* the broker says whether there is more */
            partition->suspect = source->suspects = true;
            continue;
        }
        holes_doubt(partition);
        any = true;
    }
    if (any)
        holes_seek(source);
}

/* ---- asking the broker ------------------------------------------------ */

static SfStatus asker(SfNode *node, SfError *err)
{
    Source *source = node->state;
    if (source->asker)
        return SF_OK;
    const KafkaSetting defaults[] = {{"fetch.message.max.bytes", "65536"}, {"queued.min.messages", "1"}, {NULL, NULL}};
    const KafkaSetting own[] = {{"group.id", source->group_id},
                                {"enable.auto.commit", "false"},
                                {"enable.auto.offset.store", "false"},
                                {"auto.offset.reset", "error"},
                                {"enable.partition.eof", "true"},
                                {"fetch.wait.max.ms", "10"},
                                {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_conf_new(&source->link, defaults, own, err);
    if (!conf)
        return SF_CONFIG;
    SF_TRY(kafka_client_new(node, RD_KAFKA_CONSUMER, conf, node, &source->asker, err));
    rd_kafka_poll_set_consumer(kafka_client_handle(source->asker));
    return SF_OK;
}

/* One answer: a record, an end, or why there is none. *left counts the partitions without one. */
static SfStatus take_answer(Source *source, const rd_kafka_message_t *message, int *left, SfError *err)
{
    bool end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    Partition *partition =
        message->rkt ? partition_find(source, rd_kafka_topic_name(message->rkt), message->partition) : NULL;
    if (message->err && !end) {
        SfStatus status =
            kafka_fail(source->asker, message->err, err, "'%s/%d' cannot be read at offset %" G_GINT64_FORMAT,
                       partition ? partition->topic : "", message->partition, message->offset);
        /* the new attempt's assignment finds out which way it is out of range, and says what to do */
        return message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ? SF_FENCED : status;
    }
    if (!partition || !partition->suspect || partition->first_there >= 0)
        return SF_OK;
    partition->first_there = message->offset;
    partition->ends_there = end;
    (*left)--;
    return SF_OK;
}

static SfStatus await_answers(Source *source, int left, SfError *err)
{
    gint64 deadline = g_get_monotonic_time() + ANSWER_MS * G_GINT64_CONSTANT(1000);
    while (left > 0) {
        gint64 ms = (deadline - g_get_monotonic_time()) / 1000;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka_client_handle(source->asker), (int) MAX(ms, 0));
        SfStatus status = message ? take_answer(source, message, &left, err) : SF_OK;
        if (message)
            rd_kafka_message_destroy(message);
        SF_TRY(status);
        if (ms <= 0 && left > 0)
            return kafka_fail(source->asker, RD_KAFKA_RESP_ERR__TIMED_OUT, err,
                              "reading what the consumer left out of %d partitions", left);
    }
    return SF_OK;
}

static SfStatus ask(Source *source, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(source->asker);
    g_autoptr(rd_kafka_topic_partition_list_t) list =
        rd_kafka_topic_partition_list_new((int) source->partitions->len + 1);
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        partition->first_there = -1;
        if (partition->suspect)
            rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset =
                partition->expected;
    }
    if (list->cnt == 0)
        return SF_OK;
    rd_kafka_resp_err_t code = rd_kafka_assign(rk, list);
    SfStatus status = code ? kafka_fail(source->asker, code, err, "asking for records that were left out")
                           : await_answers(source, list->cnt, err);
    rd_kafka_assign(rk, NULL);
    return status;
}

/* ---- what follows ------------------------------------------------ */

static SfStatus settle(SfNode *node, Partition *partition, SfError *err)
{
    int64_t there = partition->first_there;
    bool lied = there == partition->expected && !partition->ends_there;
    partition->suspect = false;
    partition->doubt = true; /* until a record comes from there */
    partition->lies = lied ? partition->lies + 1 : 0;
    if (partition->lies > LIES_MAX)
        return sf_fail(err, SF_FENCED, "'%s/%d': librdkafka %s leaves out the record at offset %" G_GINT64_FORMAT,
                       partition->topic, partition->partition, rd_kafka_version_str(), there);
    if (lied)
        sf_log(node, SF_LOG_WARNING,
               "'%s/%d': librdkafka %s has left out the record at offset %" G_GINT64_FORMAT "; reading it again",
               partition->topic, partition->partition, rd_kafka_version_str(), there);
    partition->has_holes = partition->has_holes || there > partition->expected;
    partition->expected = MAX(partition->expected, MIN(there, partition->stop));
    if (partition->ends_there || there >= partition->stop)
        partition->ended = MIN(there, partition->stop);
    return SF_OK;
}

SfStatus holes_serve(SfNode *node, SfError *err)
{
    Source *source = node->state;
    given_serve(source);
    if (!source->suspects)
        return SF_OK;
    SF_TRY(asker(node, err));
    SF_TRY(ask(source, err));
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        if (partition->suspect)
            SF_TRY(settle(node, partition, err));
    }
    source->suspects = false;
    holes_seek(source);
    return SF_OK;
}
