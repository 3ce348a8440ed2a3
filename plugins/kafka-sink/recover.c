/* Where the chains stand: reading what chains.c has written. */
#include <string.h>

#include "sink.h"

static char *own_group(const SfNode *node, const SfRecovery *recovery)
{
    return g_strdup_printf("%s.%s.%s.%s", node->pipeline, node->step, node->inputs[recovery->input],
                           recovery->split->name);
}

/* One split of the call, on its way. */
typedef struct Asked {
    SfRecovery *recovery;
    bool at_source;
    bool apart; /* its end was found in the group of its own */
    int64_t anchor;
} Asked;

/* A transaction of a former owner that holds a position back: starting a producer of its id ends it. */
static SfStatus end_pending(SfNode *node, const Asked *asked, SfError *err)
{
    Lane *lane = lane_of(node->state, asked->recovery->split);
    if (!lane->id)
        return SF_OK;
    lane_shut(lane);
    SF_TRY(lanes_make_room(node->state, err));
    return lane_open(lane, err);
}

/* The group's offsets of the partitions in the list, also where a transaction is pending on some of them. */
static SfStatus read_offsets(SfNode *node, const char *group, Asked *asked, size_t n,
                             rd_kafka_topic_partition_list_t *list, SfError *err)
{
    Sink *sink = node->state;
    SfStatus status = kafka_group_offsets(sink->client, group, list, ANSWER_MS, err);
    bool pending = false;
    for (size_t i = 0; status == SF_RETRY && i < n; i++) {
        const SfSplit *split = asked[i].recovery->split;
        const rd_kafka_topic_partition_t *offset =
            asked[i].at_source ? rd_kafka_topic_partition_list_find(list, split->topic, split->partition)
                               : &list->elems[0];
        if (!offset || offset->err != RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
            continue;
        pending = true;
        SF_TRY(end_pending(node, &asked[i], err));
    }
    return pending ? kafka_group_offsets(sink->client, group, list, ANSWER_MS, err) : status;
}

static void take_position(Asked *asked, const rd_kafka_topic_partition_t *offset, bool rows)
{
    if (!offset || !chain_owns(asked->recovery->split, offset))
        return;
    if (rows)
        asked->anchor = offset->offset;
    asked->recovery->position = MAX(asked->recovery->position, offset->offset);
}

/* Where a split without a topic in this cluster has its end: its groups, one for ranges with rows and one without. */
typedef struct Apart {
    Asked *asked;
    bool rows;
    char *group;
    rd_kafka_topic_partition_list_t *list;
} Apart;

static void apart_clear(gpointer data)
{
    Apart *apart = data;
    g_free(apart->group);
    rd_kafka_topic_partition_list_destroy(apart->list);
}

static void add_apart(SfNode *node, Asked *asked, GArray *all)
{
    const Sink *sink = node->state;
    for (int rows = 1; rows >= 0; rows--) {
        g_autofree char *group = own_group(node, asked->recovery);
        Apart apart = {asked, rows, rows ? g_strdup(group) : chains_seen(group), rd_kafka_topic_partition_list_new(1)};
        rd_kafka_topic_partition_list_add(apart.list, sink->topic, 0);
        g_array_append_val(all, apart);
    }
}

/* All that were not found at their source: a thousand splits are a thousand groups, asked for side by side. */
static SfStatus recover_apart(SfNode *node, Asked *asked, size_t n, SfError *err)
{
    Sink *sink = node->state;
    g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(Apart));
    g_array_set_clear_func(all, apart_clear);
    for (size_t i = 0; i < n; i++) {
        if (asked[i].recovery->position == SF_POSITION_NONE)
            add_apart(node, &asked[i], all);
    }
    g_autofree KafkaGroupQuestion *questions = g_new0(KafkaGroupQuestion, all->len + 1);
    for (guint i = 0; i < all->len; i++) {
        const Apart *apart = &g_array_index(all, Apart, i);
        questions[i] = (KafkaGroupQuestion){.group = apart->group, .list = apart->list};
    }
    kafka_groups_offsets(sink->client, questions, all->len, ANSWER_MS);
    for (guint i = 0; i < all->len; i++) {
        const Apart *apart = &g_array_index(all, Apart, i);
        Asked one = {.recovery = apart->asked->recovery, .anchor = apart->asked->anchor};
        if (!questions[i].answered)
            SF_TRY(read_offsets(node, apart->group, &one, 1, apart->list, err));
        take_position(&one, &apart->list->elems[0], apart->rows);
        apart->asked->anchor = one.anchor;
        apart->asked->apart = one.recovery->position != SF_POSITION_NONE;
    }
    return SF_OK;
}

/* The ends of all chains of one input whose topics are in this cluster: a request for those of ranges with rows, and
 * one for those without. */
static SfStatus recover_at_source(SfNode *node, size_t input, Asked *asked, size_t n, SfError *err)
{
    g_autofree char *group = chains_group(node, input);
    g_autofree char *seen = chains_seen(group);
    const char *const groups[] = {group, seen};
    for (size_t k = 0; k < G_N_ELEMENTS(groups); k++) {
        g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new((int) n);
        for (size_t i = 0; i < n; i++) {
            const SfRecovery *recovery = asked[i].recovery;
            if (recovery->input == input && asked[i].at_source)
                rd_kafka_topic_partition_list_add(list, recovery->split->topic, recovery->split->partition);
        }
        if (list->cnt == 0)
            return SF_OK;
        SF_TRY(read_offsets(node, groups[k], asked, n, list, err));
        for (size_t i = 0; i < n; i++) {
            const SfSplit *split = asked[i].recovery->split;
            if (asked[i].recovery->input == input && asked[i].at_source)
                take_position(&asked[i], rd_kafka_topic_partition_list_find(list, split->topic, split->partition),
                              k == 0);
        }
    }
    return SF_OK;
}

/* A split that is called as the source calls a topic's partition, or a later epoch of one. */
static bool named_like_a_partition(const SfSplit *split)
{
    g_autofree char *name = g_strdup_printf("%s/%d", split->topic, split->partition);
    return g_str_has_prefix(split->name, name) && (split->name[strlen(name)] == 0 || split->name[strlen(name)] == '@');
}

static SfStatus find_sources(Sink *sink, Asked *asked, size_t n, SfError *err)
{
    const char *topic = NULL;
    int32_t partitions = 0;
    for (size_t i = 0; i < n; i++) {
        const SfSplit *split = asked[i].recovery->split;
        if (!named_like_a_partition(split))
            continue;
        if (!topic || strcmp(split->topic, topic) != 0) {
            topic = split->topic;
            partitions = 0;
            SfStatus status = kafka_topic_partitions(sink->client, topic, ANSWER_MS, &partitions, err);
            if (status != SF_OK && status != SF_EMPTY)
                return status;
        }
        asked[i].at_source = split->partition < partitions;
    }
    return SF_OK;
}

static void add_chain(SfNode *node, const Asked *asked)
{
    const SfRecovery *recovery = asked->recovery;
    Lane *lane = lane_of(node->state, recovery->split);
    Chain *chain = ranges_add(lane->chains, recovery->input, recovery->split);
    chain->at_source = asked->at_source;
    chain->group = asked->at_source ? chains_group(node, recovery->input) : own_group(node, recovery);
    chain->anchor = asked->apart && asked->at_source ? SF_POSITION_NONE : asked->anchor;
    range_reset(&chain->range, recovery->position);
}

/* Lanes of the splits, as new: what was open in ours is gone. */
static void renew_lanes(SfNode *node, const SfRecovery *recoveries, size_t n)
{
    Sink *sink = node->state;
    for (size_t i = 0; i < n; i++) {
        Lane *lane = lane_of(sink, recoveries[i].split);
        Chain *old = lane ? ranges_find(lane->chains, recoveries[i].input, recoveries[i].split) : NULL;
        if (!lane)
            lane = lane_new(node, recoveries[i].split);
        if (old && lane->id)
            lane_shut(lane);
        if (old)
            ranges_remove(lane->chains, old);
    }
}

SfStatus chains_recover(SfNode *node, SfRecovery *recoveries, size_t n, SfError *err)
{
    Sink *sink = node->state;
    g_autofree Asked *asked = g_new0(Asked, n + 1);
    for (size_t i = 0; i < n; i++) {
        recoveries[i].position = SF_POSITION_NONE;
        asked[i] = (Asked){.recovery = &recoveries[i], .anchor = SF_POSITION_NONE};
    }
    renew_lanes(node, recoveries, n);
    SF_TRY(find_sources(sink, asked, n, err));
    for (size_t input = 0; input < sink->inputs->len; input++)
        SF_TRY(recover_at_source(node, input, asked, n, err));
    SF_TRY(recover_apart(node, asked, n, err));
    for (size_t i = 0; i < n; i++)
        add_chain(node, &asked[i]);
    return SF_OK;
}
