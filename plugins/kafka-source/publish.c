/* Group offsets: a copy of the sinks' positions, for lag tools. Nothing is ever read from them where a sink knows
 * better. */
#include "source.h"

#define PUBLISH_MS 5000

/* Answers of asynchronous commits: a rebalance under way refuses them, which is fine; the next one catches up. */
static SfStatus commit(Source *source, const rd_kafka_topic_partition_list_t *list, bool wait, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    if (!wait) {
        rd_kafka_resp_err_t code = rd_kafka_commit(rk, list, 1);
        return code ? kafka_fail(source->client, code, err, "publishing offsets of group '%s'", source->group_id)
                    : SF_OK;
    }
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(rk, list, queue, NULL, NULL);
    g_autoptr(rd_kafka_event_t) event = code ? NULL : rd_kafka_queue_poll(queue, PUBLISH_MS);
    if (!code)
        code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        code = RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? kafka_fail(source->client, code, err, "publishing offsets of group '%s'", source->group_id) : SF_OK;
}

void publish_positions(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    Source *source = node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new((int) n + 1);
    for (size_t i = 0; i < n; i++) {
        Partition *partition = assignment_find(source, positions[i].split->topic, positions[i].split->partition);
        if (!partition || positions[i].position <= partition->published)
            continue;
        partition->published = positions[i].position;
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset = positions[i].position;
    }
    SfError err;
    if (list->cnt > 0 && source->client && commit(source, list, last || source->publish_now, &err) != SF_OK)
        sf_log(node, SF_LOG_WARNING, "%s", err.message);
}

/* `start: latest` is a decision that a restart has to know: see bounds.c. */
void publish_started(SfNode *node, const rd_kafka_topic_partition_list_t *starts)
{
    Source *source = node->state;
    if (source->start != START_LATEST || starts->cnt == 0)
        return;
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(starts->cnt);
    for (int i = 0; i < starts->cnt; i++) {
        const Partition *partition = assignment_find(source, starts->elems[i].topic, starts->elems[i].partition);
        if (partition && partition->next == starts->elems[i].offset)
            rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset = partition->next;
    }
    SfError err;
    if (list->cnt > 0 && commit(source, list, false, &err) != SF_OK)
        sf_log(node, SF_LOG_WARNING, "%s", err.message);
}
