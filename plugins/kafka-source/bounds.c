/* What the broker has of the partitions of an assignment: first and last offset, where to begin, and whether a
 * sink's position still lies between. */
#include "source.h"

void bounds_done(Bounds *bounds)
{
    g_clear_pointer(&bounds->low, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->high, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->start, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->group, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->begin, rd_kafka_topic_partition_list_destroy);
    g_clear_pointer(&bounds->ids, g_hash_table_unref);
    g_clear_pointer(&bounds->gone, g_hash_table_unref);
}

SfStatus bounds_offsets_at(Source *source, const rd_kafka_topic_partition_list_t *list, int64_t time,
                           rd_kafka_topic_partition_list_t **out, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) answer = rd_kafka_topic_partition_list_copy(list);
    SF_TRY(kafka_offsets_at(source->client, answer, time, ANSWER_MS, err));
    *out = g_steal_pointer(&answer);
    return SF_OK;
}

SfStatus bounds_group_offsets(Source *source, const rd_kafka_topic_partition_list_t *list,
                              rd_kafka_topic_partition_list_t **out, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) answer = rd_kafka_topic_partition_list_copy(list);
    for (int i = 0; i < answer->cnt; i++)
        answer->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
    rd_kafka_resp_err_t code = answer->cnt > 0
                                   ? rd_kafka_committed(kafka_client_handle(source->client), answer, ANSWER_MS)
                                   : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code)
        return kafka_fail(source->client, code, err, "reading the offsets of group '%s'", source->group_id);
    *out = g_steal_pointer(&answer);
    return SF_OK;
}

SfStatus bounds_resolve(Source *source, const rd_kafka_topic_partition_list_t *list, Bounds *out, SfError *err)
{
    g_auto(Bounds) bounds = {0};
    SF_TRY(bounds_offsets_at(source, list, RD_KAFKA_OFFSET_BEGINNING, &bounds.low, err));
    SF_TRY(bounds_offsets_at(source, list, RD_KAFKA_OFFSET_END, &bounds.high, err));
    SF_TRY(bounds_group_offsets(source, list, &bounds.group, err));
    ids_resolve(source, list, &bounds);
    ids_forget(&bounds);
    *out = bounds;
    bounds = (Bounds){0};
    return SF_OK;
}

/* One sink may have lost its position with the topic, as kafka-sink does: what counts is the one that has most. */
static int64_t furthest(SfNode *node, const SfAssignment *assignment)
{
    return MAX(sf_furthest(node, assignment->split), assignment->position);
}

SfStatus bounds_check(SfNode *node, const Bounds *bounds, int i, const SfAssignment *assignment, int64_t *from,
                      SfError *err)
{
    const Source *source = node->state;
    const rd_kafka_topic_partition_t *low = &bounds->low->elems[i];
    int64_t high = bounds->high->elems[i].offset;
    int64_t position = assignment->position;
    *from = position;
    if (furthest(node, assignment) > high)
        return sf_fail(err, SF_CONFIG,
                       "topic '%s', partition %d ends at offset %" G_GINT64_FORMAT
                       ", but the sinks have it up to %" G_GINT64_FORMAT
                       ": it was deleted and created anew, or cut off; set 'epoch: %" G_GINT64_FORMAT
                       "' to read it from its start as a new topic",
                       low->topic, low->partition, high, furthest(node, assignment), source->epoch + 1);
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

/* ---- a topic under the name of another ------------------------------------------------ */

/* Kafka forgets a topic's group offsets with the topic, and we publish one wherever we begin. So a position that sinks
 * have and the group has not may be one of a topic that was deleted and created anew, and has grown past it since. */
static bool is_doubtful(SfNode *node, const Bounds *bounds, const SfAssignment *assignments, int i)
{
    const rd_kafka_topic_partition_t *group = &bounds->group->elems[i];
    return furthest(node, &assignments[i]) > assignments[i].start && group->offset < 0 && !group->err;
}

static SfStatus fail_recreated(const Source *source, const SfAssignment *assignment, int64_t end, int64_t ms,
                               int64_t younger, SfError *err)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
    return sf_fail(err, SF_CONFIG,
                   "topic '%s' was deleted and created anew, and has grown since: the sinks have partition %d up to "
                   "%" G_GINT64_FORMAT " since %s, but offset %" G_GINT64_FORMAT
                   " is younger, and group '%s' has no offset any more; set 'epoch: %" G_GINT64_FORMAT
                   "' to read it from its start as a new topic, or 'on_recreated: continue' to leave out what is "
                   "before the sinks' positions",
                   assignment->topic, assignment->partition, end, text, younger, source->group_id, source->epoch + 1);
}

/* What a sink has committed is older than the commit. Records below its end that are younger prove that the topic is
 * another one. */
static SfStatus prove(SfNode *node, const Bounds *bounds, const SfAssignment *assignments, SfError *err)
{
    const Source *source = node->state;
    int n = bounds->group->cnt;
    g_autoptr(rd_kafka_topic_partition_list_t) asked = rd_kafka_topic_partition_list_new(n + 1);
    g_autofree int64_t *ends = g_new0(int64_t, n + 1), *times = g_new0(int64_t, n + 1);
    g_autofree int *numbers = g_new0(int, n + 1);
    for (int i = 0; i < n; i++) {
        int k = asked->cnt;
        times[k] =
            is_doubtful(node, bounds, assignments, i) ? sf_last_commit(node, assignments[i].split, &ends[k]) : -1;
        if (times[k] < 0)
            continue;
        rd_kafka_topic_partition_list_add(asked, assignments[i].topic, assignments[i].partition)->offset = times[k] + 1;
        numbers[k] = i;
    }
    SF_TRY(kafka_offsets_at_own(source->client, asked, ANSWER_MS, err));
    for (int k = 0; k < asked->cnt; k++) {
        int64_t younger = asked->elems[k].offset;
        if (younger >= 0 && younger < ends[k])
            return fail_recreated(source, &assignments[numbers[k]], ends[k], times[k], younger, err);
    }
    return SF_OK;
}

static void warn(SfNode *node, const Bounds *bounds, const SfAssignment *assignments)
{
    const Source *source = node->state;
    const SfAssignment *first = NULL;
    int without = 0;
    for (int i = 0; i < bounds->group->cnt; i++) {
        if (!is_doubtful(node, bounds, assignments, i))
            continue;
        first = first ? first : &assignments[i];
        without++;
    }
    if (without > 0)
        sf_log(node, SF_LOG_WARNING,
               "the sinks have rows of '%s/%d'%s, but group '%s' has no offset there: if the topic was deleted and "
               "created anew, set 'epoch: %" G_GINT64_FORMAT "', for its first records are being left out",
               first->topic, first->partition, without > 1 ? " and others" : "", source->group_id, source->epoch + 1);
}

SfStatus bounds_doubt(SfNode *node, const Bounds *bounds, const SfAssignment *assignments, SfError *err)
{
    const Source *source = node->state;
    if (source->on_recreated == ON_RECREATED_STOP)
        SF_TRY(prove(node, bounds, assignments, err));
    warn(node, bounds, assignments);
    return SF_OK;
}
