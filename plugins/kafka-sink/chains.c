/* Ends of ranges as group offsets: where each chain's is kept, writing and reading them. */
#include <string.h>

#include "sink.h"

bool chain_moved(const Chain *chain)
{
    return chain->written > chain->committed;
}

void chain_free(Chain *chain)
{
    g_free(chain->group);
    g_free(chain);
}

Chain *chain_find(const Lane *lane, size_t input, const SfSplit *split)
{
    for (guint i = 0; i < lane->chains->len; i++) {
        Chain *chain = lane->chains->pdata[i];
        if (chain->input == input && chain->split == split)
            return chain;
    }
    return NULL;
}

static void add_offset(const Lane *lane, const Chain *chain, rd_kafka_topic_partition_list_t *list)
{
    const char *topic = chain->at_source ? chain->split->topic : lane->sink->topic;
    int32_t partition = chain->at_source ? chain->split->partition : 0;
    rd_kafka_topic_partition_t *offset = rd_kafka_topic_partition_list_add(list, topic, partition);
    offset->offset = chain->written;
    offset->metadata = strdup(chain->split->name); /* librdkafka frees it with free() */
    offset->metadata_size = offset->metadata ? strlen(chain->split->name) : 0;
}

rd_kafka_topic_partition_list_t *chains_offsets(const Lane *lane, const char *group)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int) lane->chains->len);
    for (guint i = 0; i < lane->chains->len; i++) {
        const Chain *chain = lane->chains->pdata[i];
        if (chain_moved(chain) && strcmp(chain->group, group) == 0)
            add_offset(lane, chain, list);
    }
    return list;
}

SfStatus chains_settle(const Lane *lane, SfError *err)
{
    g_autofree SfPosition *ends = g_new(SfPosition, lane->chains->len + 1);
    for (size_t input = 0; input < lane->sink->inputs->len; input++) {
        size_t n = 0;
        for (guint i = 0; i < lane->chains->len; i++) {
            const Chain *chain = lane->chains->pdata[i];
            if (chain->input == input && chain_moved(chain))
                ends[n++] = (SfPosition){.split = chain->split, .position = chain->written};
        }
        if (n > 0)
            SF_TRY(sf_settle(lane->node, input, ends, n, err));
    }
    return SF_OK;
}

void chains_committed(Lane *lane)
{
    for (guint i = 0; i < lane->chains->len; i++) {
        Chain *chain = lane->chains->pdata[i];
        if (!chain_moved(chain))
            continue;
        chain->committed = chain->written;
        sf_committed(lane->node, chain->input, chain->split, chain->committed);
    }
}

/* ---- reading them
 * ------------------------------------------------------------------------------------------------- */

static bool ours(const rd_kafka_topic_partition_t *offset, const SfSplit *split)
{
    return offset->offset >= 0 && offset->metadata && offset->metadata_size == strlen(split->name) &&
           memcmp(offset->metadata, split->name, offset->metadata_size) == 0;
}

static char *own_group(const SfNode *node, const SfRecovery *recovery)
{
    return g_strdup_printf("%s.%s.%s.%s", node->pipeline, node->step, node->inputs[recovery->input],
                           recovery->split->name);
}

char *chains_group(const SfNode *node, size_t input)
{
    return g_strdup_printf("%s.%s.%s", node->pipeline, node->step, node->inputs[input]);
}

/* Where a split without a topic in this cluster has its end. */
static SfStatus recover_apart(SfNode *node, SfRecovery *recovery, SfError *err)
{
    Sink *sink = node->state;
    g_autofree char *group = own_group(node, recovery);
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, sink->topic, 0);
    SF_TRY(kafka_group_offsets(sink->client, group, list, ANSWER_MS, err));
    if (ours(&list->elems[0], recovery->split))
        recovery->position = list->elems[0].offset;
    return SF_OK;
}

/* The ends of all chains of one input whose topics are in this cluster: one request. */
static SfStatus recover_at_source(SfNode *node, size_t input, SfRecovery *recoveries, size_t n, const bool *at_source,
                                  SfError *err)
{
    Sink *sink = node->state;
    g_autofree char *group = chains_group(node, input);
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new((int) n);
    for (size_t i = 0; i < n; i++) {
        if (recoveries[i].input == input && at_source[i])
            rd_kafka_topic_partition_list_add(list, recoveries[i].split->topic, recoveries[i].split->partition);
    }
    if (list->cnt == 0)
        return SF_OK;
    SF_TRY(kafka_group_offsets(sink->client, group, list, ANSWER_MS, err));
    for (size_t i = 0; i < n; i++) {
        const SfSplit *split = recoveries[i].split;
        if (recoveries[i].input != input || !at_source[i])
            continue;
        const rd_kafka_topic_partition_t *offset =
            rd_kafka_topic_partition_list_find(list, split->topic, split->partition);
        if (offset && ours(offset, split))
            recoveries[i].position = offset->offset;
    }
    return SF_OK;
}

/* A split that is called as the source calls a topic's partition, or a later epoch of one. */
static bool named_like_a_partition(const SfSplit *split)
{
    g_autofree char *name = g_strdup_printf("%s/%d", split->topic, split->partition);
    return g_str_has_prefix(split->name, name) && (split->name[strlen(name)] == 0 || split->name[strlen(name)] == '@');
}

static SfStatus find_sources(Sink *sink, const SfRecovery *recoveries, size_t n, bool *at_source, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        const SfSplit *split = recoveries[i].split;
        int32_t partitions = 0;
        if (!named_like_a_partition(split))
            continue;
        if (i > 0 && strcmp(split->topic, recoveries[i - 1].split->topic) == 0 && at_source[i - 1]) {
            at_source[i] = true;
            continue;
        }
        SfStatus status = kafka_topic_partitions(sink->client, split->topic, ANSWER_MS, &partitions, err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
        at_source[i] = status == SF_OK && split->partition < partitions;
    }
    return SF_OK;
}

static void add_chain(SfNode *node, const SfRecovery *recovery, bool at_source)
{
    Lane *lane = lane_of(node->state, recovery->split);
    Chain *chain = g_new0(Chain, 1);
    chain->input = recovery->input;
    chain->split = recovery->split;
    chain->at_source = at_source;
    chain->group = at_source ? chains_group(node, recovery->input) : own_group(node, recovery);
    chain->written = chain->committed = recovery->position;
    g_ptr_array_add(lane->chains, chain);
}

/* Lanes of the splits, as new: the former owner's producer is fenced, what was open in ours is gone. */
static SfStatus renew_lanes(SfNode *node, const SfRecovery *recoveries, size_t n, SfError *err)
{
    Sink *sink = node->state;
    for (size_t i = 0; i < n; i++) {
        Lane *lane = lane_of(sink, recoveries[i].split);
        Chain *old = lane ? chain_find(lane, recoveries[i].input, recoveries[i].split) : NULL;
        if (!lane) {
            lane = lane_new(node, recoveries[i].split);
            g_ptr_array_add(sink->lanes, lane);
        } else if (old && lane->id) {
            lane_shut(lane);
        }
        if (old)
            g_ptr_array_remove(lane->chains, old);
        if (old)
            chain_free(old);
        SF_TRY(lane_open(lane, err));
    }
    for (size_t i = 0; i < n; i++)
        SF_TRY(transaction_init(lane_of(sink, recoveries[i].split), err));
    return SF_OK;
}

SfStatus chains_recover(SfNode *node, SfRecovery *recoveries, size_t n, SfError *err)
{
    Sink *sink = node->state;
    g_autofree bool *at_source = g_new0(bool, n + 1);
    SF_TRY(renew_lanes(node, recoveries, n, err));
    SF_TRY(find_sources(sink, recoveries, n, at_source, err));
    for (size_t input = 0; input < sink->inputs->len; input++)
        SF_TRY(recover_at_source(node, input, recoveries, n, at_source, err));
    for (size_t i = 0; i < n; i++) {
        if (recoveries[i].position == SF_POSITION_NONE)
            SF_TRY(recover_apart(node, &recoveries[i], err));
    }
    for (size_t i = 0; i < n; i++)
        add_chain(node, &recoveries[i], at_source[i]);
    return SF_OK;
}
