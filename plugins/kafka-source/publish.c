/* Group offsets: a copy of the sinks' positions, for lag tools. Nothing is ever read from them where a sink knows
 * better. The host names a position once; that it gets there, in spite of rebalances, is up to us. */
#include "source.h"

#define PUBLISH_MS 5000
#define AGAIN_US (2 * G_USEC_PER_SEC)

/* A rebalance is under way: whoever has the partition after it publishes. */
static bool passes(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR__WAIT_COORD ||
           code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

static void complain(SfNode *node, rd_kafka_resp_err_t code)
{
    const Source *source = node->state;
    SfError err;
    kafka_fail(source->client, code, &err, "publishing offsets of group '%s'", source->group_id);
    sf_log(node, SF_LOG_WARNING, "%s", err.message);
}

static void take_answer(SfNode *node, rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *list)
{
    Source *source = node->state;
    rd_kafka_resp_err_t refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *answer = &list->elems[i];
        rd_kafka_resp_err_t own = code && code != RD_KAFKA_RESP_ERR__NO_OFFSET ? code : answer->err;
        Partition *partition = partition_find(source, answer->topic, answer->partition);
        if (!partition)
            continue;
        if (own == RD_KAFKA_RESP_ERR_NO_ERROR) {
            partition->published = answer->offset;
            continue;
        }
        refused = own;
        /* a topic that comes back is perhaps another one: it does not get the position of the old */
        if (own != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            partition->asked = -1;
    }
    if (refused)
        source->publish_again = g_get_monotonic_time() + AGAIN_US;
    if (refused && !passes(refused) && !source->closing)
        complain(node, refused);
}

void publish_answered(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void) rk;
    take_answer(kafka_client_user(opaque), code, list);
}

static rd_kafka_resp_err_t commit_and_wait(SfNode *node, rd_kafka_topic_partition_list_t *list)
{
    Source *source = node->state;
    rd_kafka_t *rk = kafka_client_handle(source->client);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(rk, list, queue, NULL, NULL);
    g_autoptr(rd_kafka_event_t) event = code ? NULL : rd_kafka_queue_poll(queue, PUBLISH_MS);
    if (event) {
        take_answer(node, rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event));
        return rd_kafka_event_error(event);
    }
    code = code ? code : RD_KAFKA_RESP_ERR__TIMED_OUT;
    take_answer(node, code, list);
    return code;
}

/* A refusal that lasts (no right to commit) does not keep the source from reading: then every start is the first. */
SfStatus publish_begin(SfNode *node, rd_kafka_topic_partition_list_t *list, SfError *err)
{
    const Source *source = node->state;
    rd_kafka_resp_err_t code = commit_and_wait(node, list);
    if (code && (passes(code) || code == RD_KAFKA_RESP_ERR__TIMED_OUT))
        return kafka_fail(source->client, code, err, "storing in group '%s' where the pipeline begins",
                          source->group_id);
    if (code)
        complain(node, code);
    return SF_OK;
}

/* What the group does not have yet; with `wait` also what it was asked to take and has not answered for. */
static void commit(SfNode *node, bool wait)
{
    Source *source = node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) list =
        rd_kafka_topic_partition_list_new((int) source->partitions->len + 1);
    source->publish_again = 0;
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        int64_t known = wait || partition->asked < 0 ? partition->published : partition->asked;
        if (partition->reached < 0 || partition->reached == known)
            continue;
        partition->asked = partition->reached;
        rd_kafka_topic_partition_t *offset =
            rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition);
        offset->offset = partition->reached;
        ids_note(offset, source);
    }
    if (list->cnt == 0 || !source->client)
        return;
    if (wait) {
        commit_and_wait(node, list);
        return;
    }
    rd_kafka_resp_err_t code = rd_kafka_commit(kafka_client_handle(source->client), list, 1);
    if (code)
        take_answer(node, code, list);
}

void publish_positions(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    Source *source = node->state;
    for (size_t i = 0; i < n; i++) {
        Partition *partition = partition_find(source, positions[i].split->topic, positions[i].split->partition);
        if (partition)
            partition->reached = MAX(partition->reached, positions[i].position);
    }
    commit(node, last || source->publish_now);
}

/* Also what makes `start: latest` a decision that a restart knows: see begin.c. */
void publish_started(SfNode *node, const rd_kafka_topic_partition_list_t *group)
{
    Source *source = node->state;
    for (int i = 0; i < group->cnt; i++) {
        Partition *partition = partition_find(source, group->elems[i].topic, group->elems[i].partition);
        if (!partition)
            continue;
        partition->published = group->elems[i].err ? -1 : MAX(group->elems[i].offset, -1);
        partition->reached = partition->next;
    }
    commit(node, false);
}

void publish_rest(SfNode *node)
{
    const Source *source = node->state;
    if (source->publish_again > 0 && g_get_monotonic_time() >= source->publish_again)
        commit(node, false);
}
