/* Topics' retention; see broker.h. As Kafka's, it comes at intervals. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "topics.h"

#define INTERVAL_US (2 * G_USEC_PER_SEC)

/* A file is written anew when that frees so much, and half of it at least. */
#define WORTH_IT (64 * 1024)

static gint64 retain_number(const Topic *topic, const char *name)
{
    return g_ascii_strtoll(store_setting(topic, name), NULL, 10);
}

/* Under another name until it is whole. */
static void rewrite(const Broker *broker, const Partition *partition)
{
    g_autofree char *name = store_file_name(partition->topic, partition->number);
    g_autofree char *fresh = g_strconcat(name, ".new", NULL);
    bool named = broker->directory >= 0;
    if (named)
        unlinkat(broker->directory, fresh, 0);
    int fd = store_file(broker, fresh);
    if (fd < 0)
        return; /* the old file does as well */
    if (!log_copy(partition->log, fd) || (named && renameat(broker->directory, fresh, broker->directory, name) != 0)) {
        close(fd);
        return;
    }
    log_replace(partition->log, fd);
}

static void retain(const Broker *broker, const Topic *topic)
{
    gint64 keep_ms = retain_number(topic, "retention.ms"), keep_bytes = retain_number(topic, "retention.bytes");
    for (guint i = 0; (keep_ms >= 0 || keep_bytes >= 0) && i < topic->partitions->len; i++) {
        const Partition *partition = topic->partitions->pdata[i];
        log_retain(partition->log, keep_ms, keep_bytes, g_get_real_time() / 1000);
        gint64 dead = log_dead(partition->log);
        if (dead >= WORTH_IT && dead >= partition->log->size / 2)
            rewrite(broker, partition);
    }
}

gint64 store_retain(Broker *broker, gint64 now_us)
{
    gint64 due_us = broker->retained_us + INTERVAL_US;
    if (broker->retained_us > 0 && now_us < due_us)
        return (due_us - now_us) / 1000 + 1;
    GHashTableIter iter;
    gpointer topic;
    g_hash_table_iter_init(&iter, broker->topics);
    while (g_hash_table_iter_next(&iter, NULL, &topic))
        retain(broker, topic);
    broker->retained_us = now_us;
    return INTERVAL_US / 1000;
}
