/* What the client is told to read: the answers to its rebalances, and a partition that it has given up. */
#include "source.h"

static bool cooperative(rd_kafka_t *rk)
{
    return g_strcmp0(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
}

static rd_kafka_resp_err_t code_of(rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

rd_kafka_resp_err_t given_add(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    return cooperative(rk) ? code_of(rd_kafka_incremental_assign(rk, list)) : rd_kafka_assign(rk, list);
}

rd_kafka_resp_err_t given_remove(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    return cooperative(rk) ? code_of(rd_kafka_incremental_unassign(rk, list)) : rd_kafka_assign(rk, NULL);
}

void given_forward(const Source *source, const Partition *partition)
{
    g_autoptr(rd_kafka_queue_t) queue =
        rd_kafka_queue_get_partition(kafka_client_handle(source->client), partition->topic, partition->partition);
    if (queue)
        rd_kafka_queue_forward(queue, source->data);
}

/* ---- again ------------------------------------------------
 *
 * librdkafka stops a partition whose offset was out of range (rd_kafka_offset_reset() with auto.offset.reset=error),
 * and refuses to seek in it from then on; the error that says so is lost where a rebalance pauses the partition before
 * it is read. Only another assignment gets it going. So 2.2 to 2.13.1 stood still, which may begin one offset too far
 * after a rebalance (4844). */

void given_stopped(Source *source, const rd_kafka_topic_partition_t *where)
{
    Partition *partition = partition_find(source, where->topic, where->partition);
    if (partition)
        partition->again = AGAIN_STOPPED;
    source->again = source->again || partition;
}

/* An eager client is given all that it has. */
static void begin_again(Source *source)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    g_autoptr(rd_kafka_topic_partition_list_t) list =
        rd_kafka_topic_partition_list_new((int) source->partitions->len + 1);
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        if (partition->again != AGAIN_STOPPED && cooperative(rk))
            continue;
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset = partition->expected;
        partition->again = AGAIN_GIVEN;
        partition->doubt = true;
    }
    rd_kafka_resp_err_t code = cooperative(rk) ? given_remove(rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    code = code ? code : given_add(rk, list);
    if (code)
        g_debug("reading anew: %s", rd_kafka_err2str(code)); /* the next seek sees it again */
}

static bool any_stopped(const Source *source)
{
    for (guint i = 0; i < source->partitions->len; i++) {
        if (((const Partition *) source->partitions->pdata[i])->again == AGAIN_STOPPED)
            return true;
    }
    return false;
}

void given_serve(Source *source)
{
    if (!source->again)
        return;
    if (!g_queue_is_empty(&source->rebalances)) /* the client would take it for the answer to one of them */
        return;
    if (any_stopped(source))
        begin_again(source);
    source->again = false;
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        if (!partition->doubt)
            partition->again = AGAIN_NOT;
        /* the end of the former assignment, some time from now, takes the queue away; what comes then waits */
        if (partition->again == AGAIN_GIVEN)
            given_forward(source, partition);
        source->again = source->again || partition->again != AGAIN_NOT;
    }
}
