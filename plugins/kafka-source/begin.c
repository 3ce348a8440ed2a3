/* Where reading begins in a partition that no sink has a position of. `latest` is decided once, for all partitions that
 * there are then, and the group keeps the decision as offsets: of the partitions that other members read, too. A
 * partition without one, where others have one, has come since: all of its records are new. */
#include <regex.h>
#include <string.h>

#include "source.h"

void begin_missing(Source *source, const char *topic)
{
    if (!source->absent)
        source->absent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(source->absent, g_strdup(topic[0] == '^' ? "^" : topic));
}

/* There was no such topic yet when we began to look, or it is one that was created anew. */
static bool is_new(const Source *source, const char *topic)
{
    bool absent =
        source->absent && (g_hash_table_contains(source->absent, topic) || g_hash_table_contains(source->absent, "^"));
    return absent || source->epoch > 1;
}

static bool is_named(const Source *source, const char *topic)
{
    for (size_t i = 0; i < source->topics.size; i++) {
        if (strcmp(source->topics.items[i], topic) == 0)
            return true;
    }
    return false;
}

static rd_kafka_topic_partition_list_t *list_partitions(const Source *source, const struct rd_kafka_metadata *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
    g_autofree char *pattern = source->topic_pattern ? g_strdup_printf("^(%s)$", source->topic_pattern) : NULL;
    regex_t regex;
    bool has_regex = pattern && regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        bool ours = is_named(source, topic->topic) || (has_regex && regexec(&regex, topic->topic, 0, NULL, 0) == 0);
        for (int k = 0; ours && k < topic->partition_cnt; k++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[k].id);
    }
    if (has_regex)
        regfree(&regex);
    return list;
}

/* All partitions of all our topics, whoever reads them. */
static SfStatus all_partitions(Source *source, rd_kafka_topic_partition_list_t **out, SfError *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(kafka_client_handle(source->client), 1, NULL, &metadata, ANSWER_MS);
    if (code)
        return kafka_fail(source->client, code, err, "asking for the topics' partitions");
    *out = list_partitions(source, metadata);
    rd_kafka_metadata_destroy(metadata);
    return SF_OK;
}

static SfStatus any_offset(const Source *source, const rd_kafka_topic_partition_list_t *group, bool *out, SfError *err)
{
    for (int i = 0; i < group->cnt; i++) {
        const rd_kafka_topic_partition_t *elem = &group->elems[i];
        if (elem->err && elem->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return kafka_fail(source->client, elem->err, err, "reading the offset of group '%s' in '%s/%d'",
                              source->group_id, elem->topic, elem->partition);
        *out = *out || elem->offset >= 0;
    }
    return SF_OK;
}

/* Where each partition is to begin, now that it is decided. */
static SfStatus decide(Source *source, const rd_kafka_topic_partition_list_t *all, Bounds *bounds, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) begin = NULL, low = NULL;
    SF_TRY(bounds_offsets_at(source, all, RD_KAFKA_OFFSET_END, &begin, err));
    SF_TRY(bounds_offsets_at(source, all, RD_KAFKA_OFFSET_BEGINNING, &low, err));
    for (int i = 0; i < begin->cnt; i++) {
        if (is_new(source, begin->elems[i].topic))
            begin->elems[i].offset = low->elems[i].offset;
    }
    bounds->begin = g_steal_pointer(&begin);
    return SF_OK;
}

static void tell_new(SfNode *node, const rd_kafka_topic_partition_t *partition)
{
    sf_log(node, SF_LOG_INFO, "'%s/%d' is new since the pipeline has begun: it is read from its first record on",
           partition->topic, partition->partition);
}

static SfStatus resolve_latest(SfNode *node, Bounds *bounds, SfError *err)
{
    Source *source = node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) all = NULL, group = NULL;
    SF_TRY(all_partitions(source, &all, err));
    SF_TRY(bounds_group_offsets(source, all, &group, err));
    bool begun = false;
    SF_TRY(any_offset(source, group, &begun, err));
    if (!begun)
        SF_TRY(decide(source, all, bounds, err));
    for (int i = 0; i < bounds->start->cnt; i++) {
        rd_kafka_topic_partition_t *start = &bounds->start->elems[i];
        if (start->offset >= 0)
            continue;
        const rd_kafka_topic_partition_t *decided =
            bounds->begin ? rd_kafka_topic_partition_list_find(bounds->begin, start->topic, start->partition) : NULL;
        start->offset = decided ? decided->offset : bounds->low->elems[i].offset;
        if (!decided || is_new(source, start->topic))
            tell_new(node, start);
    }
    return SF_OK;
}

static bool lacks_offset(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset < 0)
            return true;
    }
    return false;
}

SfStatus begin_resolve(SfNode *node, const rd_kafka_topic_partition_list_t *list, Bounds *bounds, SfError *err)
{
    Source *source = node->state;
    switch ((Start) source->start) {
    case START_TIMESTAMP:
        SF_TRY(bounds_offsets_at(source, list, source->start_ms, &bounds->start, err));
        break;
    case START_LATEST:
    case START_COMMITTED:
        bounds->start = rd_kafka_topic_partition_list_copy(bounds->group);
        break;
    default:
        bounds->start = rd_kafka_topic_partition_list_copy(bounds->low);
        return SF_OK;
    }
    if (source->start == START_LATEST && lacks_offset(bounds->start))
        SF_TRY(resolve_latest(node, bounds, err));
    for (int i = 0; i < list->cnt; i++) {
        int64_t low = bounds->low->elems[i].offset, high = bounds->high->elems[i].offset;
        int64_t *start = &bounds->start->elems[i].offset;
        if (*start < 0)
            *start = source->start == START_COMMITTED ? low : high;
        *start = CLAMP(*start, low, high);
    }
    return SF_OK;
}

/* Whether a sink has a position of any of these: then the pipeline has begun, though the group has forgotten it. */
static bool has_begun(SfNode *node, const SfAssignment *assignments, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sf_furthest(node, assignments[i].split) != SF_POSITION_NONE)
            return true;
    }
    return false;
}

SfStatus begin_settle(SfNode *node, Bounds *bounds, SfAssignment *assignments, size_t n, SfError *err)
{
    if (!bounds->begin || n == 0)
        return SF_OK;
    if (!has_begun(node, assignments, n))
        return publish_begin(node, bounds->begin, err);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *start = &bounds->start->elems[i];
        bool forgotten = sf_furthest(node, assignments[i].split) == SF_POSITION_NONE;
        if (forgotten && start->offset > bounds->low->elems[i].offset) {
            start->offset = assignments[i].start = bounds->low->elems[i].offset;
            tell_new(node, start);
        }
    }
    return sf_assign(node, assignments, n, err);
}
