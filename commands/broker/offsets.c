/* Positions of groups; see broker.h. */
#include "broker.h"

Pending *pending_new(const char *group, const char *topic, gint32 partition, gint64 offset, const char *metadata)
{
    Pending *pending = g_new0(Pending, 1);
    *pending = (Pending){g_strdup(group), g_strdup(topic), partition, offset, g_strdup(metadata ? metadata : "")};
    return pending;
}

void pending_free(Pending *pending)
{
    g_free(pending->group);
    g_free(pending->topic);
    g_free(pending->metadata);
    g_free(pending);
}

static void position_free(gpointer data)
{
    Position *position = data;
    g_free(position->metadata);
    g_free(position);
}

static char *offset_key(const char *topic, gint32 partition)
{
    return g_strdup_printf("%s\n%d", topic, partition);
}

void offsets_apply(Broker *broker, const Pending *pending)
{
    GHashTable *group = g_hash_table_lookup(broker->positions, pending->group);
    if (!group) {
        group = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, position_free);
        g_hash_table_insert(broker->positions, g_strdup(pending->group), group);
    }
    Position *position = g_new0(Position, 1);
    *position = (Position){pending->offset, g_strdup(pending->metadata)};
    g_hash_table_insert(group, offset_key(pending->topic, pending->partition), position);
}

const Position *offsets_find(const Broker *broker, const char *group, const char *topic, gint32 partition)
{
    GHashTable *positions = g_hash_table_lookup(broker->positions, group);
    g_autofree char *key = offset_key(topic, partition);
    return positions ? g_hash_table_lookup(positions, key) : NULL;
}

static bool is_pending(const Producer *producer, const char *group, const char *topic, gint32 partition)
{
    for (guint i = 0; i < producer->pending->len; i++) {
        const Pending *pending = producer->pending->pdata[i];
        if (pending->partition == partition && g_str_equal(pending->topic, topic) && g_str_equal(pending->group, group))
            return true;
    }
    return false;
}

bool offsets_are_pending(const Broker *broker, const char *group, const char *topic, gint32 partition)
{
    GHashTableIter iter;
    gpointer producer;
    g_hash_table_iter_init(&iter, broker->producers);
    while (g_hash_table_iter_next(&iter, NULL, &producer)) {
        if (is_pending(producer, group, topic, partition))
            return true;
    }
    return false;
}

static gboolean is_of_topic(gpointer key, gpointer value, gpointer prefix)
{
    (void) value;
    return g_str_has_prefix(key, prefix);
}

void offsets_forget_topic(Broker *broker, const char *topic)
{
    g_autofree char *prefix = g_strconcat(topic, "\n", NULL);
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, broker->positions);
    while (g_hash_table_iter_next(&iter, NULL, &group))
        g_hash_table_foreach_remove(group, is_of_topic, prefix);
}
