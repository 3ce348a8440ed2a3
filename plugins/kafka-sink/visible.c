/* When readers of committed records see what was committed: the broker answers for a transaction before it has marked
 * its end in every partition, and the last stable offset moves with the mark (KIP-98, section 5.2). A run that has
 * ended is one whose rows can be read, so the last commit waits for that. */
#include "sink.h"

#define VISIBLE_MS 3000
#define PAUSE_US (10 * 1000)

static End *find_end(const Lane *lane, const rd_kafka_message_t *message)
{
    for (guint i = lane->ends->len; i-- > 0;) {
        End *end = &g_array_index(lane->ends, End, i);
        if (end->topic == message->rkt && end->partition == message->partition)
            return end;
    }
    return NULL;
}

/* Reports come request by request, so the partition of the last one stands where the search begins. */
void visible_note(Lane *lane, const rd_kafka_message_t *message)
{
    End fresh = {.topic = message->rkt, .partition = message->partition, .last = message->offset};
    End *end = find_end(lane, message);
    if (!end) {
        g_array_append_val(lane->ends, fresh);
        return;
    }
    End *last = &g_array_index(lane->ends, End, lane->ends->len - 1);
    fresh.last = MAX(end->last, message->offset);
    *end = *last;
    *last = fresh;
}

void visible_keep(Lane *lane)
{
    Sink *sink = lane->sink;
    if (!sink->unseen)
        sink->unseen = rd_kafka_topic_partition_list_new(8);
    for (guint k = 0; k < lane->ends->len; k++) {
        const End *end = &g_array_index(lane->ends, End, k);
        const char *topic = rd_kafka_topic_name(end->topic);
        rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(sink->unseen, topic, end->partition);
        if (!at) {
            at = rd_kafka_topic_partition_list_add(sink->unseen, topic, end->partition);
            at->offset = end->last;
        }
        at->offset = MAX(at->offset, end->last);
    }
    g_array_set_size(lane->ends, 0);
}

/* The partitions of all lanes, the last offset of each. */
static rd_kafka_topic_partition_list_t *collect(Sink *sink)
{
    for (guint i = 0; i < sink->lanes->len; i++)
        visible_keep(sink->lanes->pdata[i]);
    return sink->unseen ? g_steal_pointer(&sink->unseen) : rd_kafka_topic_partition_list_new(1);
}

/* Takes out what can be read. */
static void drop_visible(Sink *sink, rd_kafka_topic_partition_list_t *list)
{
    SfError err;
    g_autoptr(rd_kafka_topic_partition_list_t) stable = rd_kafka_topic_partition_list_copy(list);
    if (kafka_offsets_at(sink->client, stable, RD_KAFKA_OFFSET_END, VISIBLE_MS, &err) != SF_OK)
        return;
    for (int i = stable->cnt; i-- > 0;) {
        if (stable->elems[i].offset > list->elems[i].offset)
            rd_kafka_topic_partition_list_del_by_idx(list, i);
    }
}

void visible_wait(SfNode *node)
{
    Sink *sink = node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) list = collect(sink);
    gint64 deadline = g_get_monotonic_time() + VISIBLE_MS * 1000;
    for (drop_visible(sink, list); list->cnt > 0; drop_visible(sink, list)) {
        if (g_get_monotonic_time() > deadline) {
            sf_log(node, SF_LOG_INFO,
                   "all is committed; readers of committed records see the end of '%s/%d' once other producers' "
                   "transactions there have ended",
                   list->elems[0].topic, list->elems[0].partition);
            return;
        }
        if (interrupted(sink))
            return;
        g_usleep(PAUSE_US);
    }
}
