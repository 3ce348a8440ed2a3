/* One partition that is read: what is kept of it. */
#include <string.h>

#include "source.h"

Partition *partition_new(const SfNode *node, const SfAssignment *assignment, int64_t from, int64_t high)
{
    const Source *source = node->state;
    Partition *partition = g_new0(Partition, 1);
    partition->split = assignment->split;
    partition->topic = g_strdup(assignment->topic);
    partition->partition = assignment->partition;
    partition->next = assignment->position;
    partition->expected = from;
    partition->stop = node->bounded ? MAX(high, assignment->position) : INT64_MAX;
    partition->ended = -1;
    partition->reached = partition->asked = partition->published = -1;
    partition->raw = raw_source_new(partition->topic, partition->partition, source->batch_rows);
    return partition;
}

void partition_free(Partition *partition)
{
    for (size_t i = partition->first; i < partition->size; i++)
        rd_kafka_message_destroy(partition->messages[i]);
    raw_source_unref(partition->raw);
    g_free(partition->messages);
    g_free(partition->topic);
    g_free(partition);
}

Partition *partition_find(const Source *source, const char *topic, int32_t number)
{
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[i];
        if (partition->partition == number && strcmp(partition->topic, topic) == 0)
            return partition;
    }
    return NULL;
}
