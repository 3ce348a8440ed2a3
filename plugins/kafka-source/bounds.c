/* What the broker has of the partitions of an assignment: first and last offset, where to begin, and whether a
 * sink's position still lies between. */
#include "source.h"

void bounds_done(Bounds *bounds)
{
    g_clear_pointer(&bounds->low, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->high, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->start, rd_kafka_topic_partition_list_destroy);
}

static SfStatus offsets_at(Source *source, const rd_kafka_topic_partition_list_t *list, int64_t time,
                           rd_kafka_topic_partition_list_t **out, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) answer = rd_kafka_topic_partition_list_copy(list);
    SF_TRY(kafka_offsets_at(source->client, answer, time, ANSWER_MS, err));
    *out = g_steal_pointer(&answer);
    return SF_OK;
}

static SfStatus group_offsets(Source *source, const rd_kafka_topic_partition_list_t *list,
                              rd_kafka_topic_partition_list_t **out, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) answer = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_resp_err_t code = answer->cnt > 0
                                   ? rd_kafka_committed(kafka_client_handle(source->client), answer, ANSWER_MS)
                                   : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code)
        return kafka_fail(source->client, code, err, "reading the offsets of group '%s'", source->group_id);
    *out = g_steal_pointer(&answer);
    return SF_OK;
}

/* Where reading starts when no sink knows better. With `latest`, a group's offset is where the topic ended when the
 * group saw it first: what came since was not there before, and is not to be lost by a restart before the first
 * commit. */
static SfStatus resolve_start(Source *source, const rd_kafka_topic_partition_list_t *list, Bounds *bounds, SfError *err)
{
    switch ((Start) source->start) {
    case START_TIMESTAMP:
        SF_TRY(offsets_at(source, list, source->start_ms, &bounds->start, err));
        break;
    case START_LATEST:
    case START_COMMITTED:
        SF_TRY(group_offsets(source, list, &bounds->start, err));
        break;
    default:
        bounds->start = rd_kafka_topic_partition_list_copy(bounds->low);
        return SF_OK;
    }
    for (int i = 0; i < list->cnt; i++) {
        int64_t low = bounds->low->elems[i].offset, high = bounds->high->elems[i].offset;
        int64_t *start = &bounds->start->elems[i].offset;
        if (*start < 0)
            *start = source->start == START_COMMITTED ? low : high;
        *start = CLAMP(*start, low, high);
    }
    return SF_OK;
}

SfStatus bounds_resolve(SfNode *node, const rd_kafka_topic_partition_list_t *list, Bounds *out, SfError *err)
{
    Source *source = node->state;
    g_auto(Bounds) bounds = {0};
    SF_TRY(offsets_at(source, list, RD_KAFKA_OFFSET_BEGINNING, &bounds.low, err));
    SF_TRY(offsets_at(source, list, RD_KAFKA_OFFSET_END, &bounds.high, err));
    SF_TRY(resolve_start(source, list, &bounds, err));
    *out = bounds;
    bounds = (Bounds){0};
    return SF_OK;
}

SfStatus bounds_check(SfNode *node, const Bounds *bounds, int i, int64_t position, int64_t *from, SfError *err)
{
    const Source *source = node->state;
    const rd_kafka_topic_partition_t *low = &bounds->low->elems[i];
    int64_t high = bounds->high->elems[i].offset;
    *from = position;
    if (position > high)
        return sf_fail(err, SF_CONFIG,
                       "topic '%s', partition %d ends at offset %" G_GINT64_FORMAT
                       ", but the sinks have it up to %" G_GINT64_FORMAT
                       ": it was deleted and created anew, or cut off; set 'epoch: %" G_GINT64_FORMAT
                       "' to read it from its start as a new topic",
                       low->topic, low->partition, high, position, source->epoch + 1);
    if (position >= low->offset)
        return SF_OK;
    if (source->on_lost == ON_LOST_STOP)
        return sf_fail(
            err, SF_CONFIG,
            "topic '%s', partition %d begins at offset %" G_GINT64_FORMAT
            ", but the sinks need it from %" G_GINT64_FORMAT ": %" G_GINT64_FORMAT
            " records were deleted before they were read; set 'on_lost: continue' to go on without them, or 'epoch: "
            "%" G_GINT64_FORMAT "' if the topic was created anew",
            low->topic, low->partition, low->offset, position, low->offset - position, source->epoch + 1);
    sf_log(node, SF_LOG_WARNING,
           "topic '%s', partition %d: offsets %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
           " were deleted before they were read; going on after them (on_lost: continue)",
           low->topic, low->partition, position, low->offset - 1);
    *from = low->offset;
    return SF_OK;
}

/* Kafka forgets a topic's group offsets with the topic. So a position that sinks have and the group has not may be
 * one of a topic that was deleted and created anew, and has grown past it since; or the process was killed before it
 * published. */
void bounds_warn(SfNode *node, const SfAssignment *assignments, size_t n)
{
    Source *source = node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new((int) n + 1);
    for (size_t i = 0; i < n; i++) {
        if (assignments[i].position > assignments[i].start)
            rd_kafka_topic_partition_list_add(list, assignments[i].topic, assignments[i].partition);
    }
    if (list->cnt == 0 || rd_kafka_committed(kafka_client_handle(source->client), list, ANSWER_MS))
        return;
    int without = 0;
    const rd_kafka_topic_partition_t *first = NULL;
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset >= 0 || list->elems[i].err)
            continue;
        first = first ? first : &list->elems[i];
        without++;
    }
    if (without > 0)
        sf_log(node, SF_LOG_WARNING,
               "the sinks have rows of '%s/%d'%s, but group '%s' has no offset there: if the topic was deleted and "
               "created "
               "anew, set 'epoch: %" G_GINT64_FORMAT "', for its first records are being left out",
               first->topic, first->partition, without > 1 ? " and others" : "", source->group_id, source->epoch + 1);
}
