/* Ends of ranges as group offsets: where each chain's is kept, and writing them. Reading them is recover.c's. */
#include <string.h>

#include "sink.h"

bool chain_owns(const SfSplit *split, const rd_kafka_topic_partition_t *offset)
{
    return offset->offset >= 0 && offset->metadata && offset->metadata_size == strlen(split->name) &&
           memcmp(offset->metadata, split->name, offset->metadata_size) == 0;
}

const char *chain_topic(const Sink *sink, const Chain *chain, int32_t *partition)
{
    *partition = chain->at_source ? chain->range.split->partition : 0;
    return chain->at_source ? chain->range.split->topic : sink->topic;
}

char *chains_group(const SfNode *node, size_t input)
{
    return g_strdup_printf("%s.%s.%s", node->pipeline, node->step, node->inputs[input]);
}

char *chains_seen(const char *group)
{
    return g_strconcat(group, ".seen", NULL);
}

static void add_offset(const Lane *lane, const Chain *chain, rd_kafka_topic_partition_list_t *list)
{
    int32_t partition = 0;
    const char *topic = chain_topic(lane->sink, chain, &partition);
    rd_kafka_topic_partition_t *offset = rd_kafka_topic_partition_list_add(list, topic, partition);
    offset->offset = chain->range.end;
    offset->metadata = strdup(chain->range.split->name); /* librdkafka frees it with free() */
    offset->metadata_size = offset->metadata ? strlen(chain->range.split->name) : 0;
}

rd_kafka_topic_partition_list_t *chains_offsets(const Lane *lane, const char *group)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int) ranges_count(lane->chains));
    for (guint i = 0; i < ranges_count(lane->chains); i++) {
        const Chain *chain = ranges_at(lane->chains, i);
        if (range_moved(&chain->range) && strcmp(chain->group, group) == 0)
            add_offset(lane, chain, list);
    }
    return list;
}

void chains_committed(Lane *lane, bool rows)
{
    for (guint i = 0; i < ranges_count(lane->chains); i++) {
        Chain *chain = ranges_at(lane->chains, i);
        if (rows && range_moved(&chain->range))
            chain->anchor = chain->range.end;
    }
    ranges_publish(lane->chains);
}

/* ---- after a producer's start ----------------------------------------------------------------------------------- */

/* *ended: the group stands where a transaction of this lane was to end, of which nobody has told how it ended. */
static SfStatus verify_chain(const Lane *lane, const Chain *chain, bool *ended, SfError *err)
{
    int32_t partition = 0;
    const char *topic = chain_topic(lane->sink, chain, &partition);
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(1);
    const rd_kafka_topic_partition_t *offset = rd_kafka_topic_partition_list_add(list, topic, partition);
    SF_TRY(kafka_group_offsets(lane->sink->client, chain->group, list, ANSWER_MS, err));
    if (!chain_owns(chain->range.split, offset) || offset->offset == chain->anchor)
        return SF_OK; /* Kafka forgets offsets that are old: that is nobody's */
    if (lane->undecided && offset->offset == chain->range.end) {
        *ended = true;
        return SF_OK;
    }
    return sf_fail(err, SF_FENCED,
                   "another process has taken '%s' over: group '%s' stands at %" G_GINT64_FORMAT
                   ", and this one had written up to %" G_GINT64_FORMAT,
                   chain->range.split->name, chain->group, offset->offset, chain->anchor);
}

SfStatus chains_verify(Lane *lane, SfError *err)
{
    bool ended = false;
    for (guint i = 0; i < ranges_count(lane->chains); i++)
        SF_TRY(verify_chain(lane, ranges_at(lane->chains, i), &ended, err));
    lane->ended = ended; /* all chains of it, since a transaction is one act */
    return SF_OK;
}

/* ---- ranges without rows ---------------------------------------------------------------------------------------- */

/* group → the offsets of chains that have moved, of lanes that carry no rows */
static SfStatus collect_seen(const Sink *sink, GHashTable *groups, SfError *err)
{
    for (guint i = 0; i < sink->lanes->len; i++) {
        const Lane *lane = sink->lanes->pdata[i];
        if (lane_busy(lane))
            continue;
        SF_TRY(ranges_settle(lane->chains, err));
        for (guint k = 0; k < ranges_count(lane->chains); k++) {
            const Chain *chain = ranges_at(lane->chains, k);
            rd_kafka_topic_partition_list_t *list = g_hash_table_lookup(groups, chain->group);
            if (!range_moved(&chain->range))
                continue;
            if (!chain->at_source) /* brokers keep no offset of a topic that does not exist */
                SF_TRY(topic_ensure(lane->node, err));
            if (!list) {
                list = rd_kafka_topic_partition_list_new(8);
                g_hash_table_insert(groups, chain->group, list);
            }
            add_offset(lane, chain, list);
        }
    }
    return SF_OK;
}

SfStatus chains_see(SfNode *node, SfError *err)
{
    Sink *sink = node->state;
    g_autoptr(GHashTable) groups =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) rd_kafka_topic_partition_list_destroy);
    SF_TRY(collect_seen(sink, groups, err));
    if (g_hash_table_size(groups) == 0)
        return SF_OK;
    sf_fault(node, "kafka-sink-before-seen");
    GHashTableIter iter;
    gpointer group, list;
    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, &group, &list)) {
        g_autofree char *seen = chains_seen(group);
        SF_TRY(kafka_group_set(sink->client, seen, list, ANSWER_MS, err));
    }
    sf_fault(node, "kafka-sink-after-seen");
    for (guint i = 0; i < sink->lanes->len; i++) {
        if (!lane_busy(sink->lanes->pdata[i]))
            chains_committed(sink->lanes->pdata[i], false);
    }
    return SF_OK;
}
