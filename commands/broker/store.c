/* Topics, their partitions' files, and the journal of all else; see broker.h.
 *
 * A journal record: size, checksum (CRC-32C) and the fields, as Kafka's protocol writes such. What a crash has left
 * half written ends the reading. At each start the journal is written anew without what is over. */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "replay.h"
#include "topics.h"

#define PARTITIONS_MAX 10000

Code store_create(Broker *broker, const char *name, gint32 partitions, GHashTable *config)
{
    guint8 id[16];
    if (!store_is_name(name))
        return CODE_INVALID_TOPIC;
    if (store_topic(broker, name))
        return CODE_TOPIC_EXISTS;
    if (partitions < 1 || partitions > PARTITIONS_MAX)
        return CODE_INVALID_PARTITIONS;
    for (guint i = 0; i < sizeof id; i++)
        id[i] = (guint8) g_random_int_range(0, 256);
    const Topic *topic = store_add(broker, name, id, partitions, config);
    return topic && journal_topic(broker, topic) ? CODE_OK : CODE_STORAGE;
}

Code store_extend(Broker *broker, Topic *topic, gint32 partitions)
{
    if (partitions <= (gint32) topic->partitions->len || partitions > PARTITIONS_MAX)
        return CODE_INVALID_PARTITIONS;
    bool done = store_add_partitions(broker, topic, partitions) && journal_topic(broker, topic);
    broker->changes++;
    return done ? CODE_OK : CODE_STORAGE;
}

static void leave_topic(Broker *broker, const Topic *topic)
{
    GHashTableIter iter;
    gpointer data;
    g_hash_table_iter_init(&iter, broker->producers);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        Producer *producer = data;
        for (guint i = producer->partitions->len; i-- > 0;) {
            if (((Partition *) producer->partitions->pdata[i])->topic == topic)
                g_ptr_array_remove_index_fast(producer->partitions, i);
        }
    }
}

void store_delete(Broker *broker, const char *name)
{
    const Topic *topic = store_topic(broker, name);
    leave_topic(broker, topic);
    journal_topic_gone(broker, name); /* first: a topic without its files would come back, and be empty */
    for (guint i = 0; broker->directory >= 0 && i < topic->partitions->len; i++) {
        g_autofree char *file = store_file_name(topic, (gint32) i);
        unlinkat(broker->directory, file, 0);
    }
    offsets_forget_topic(broker, name);
    g_hash_table_remove(broker->topics, name);
    broker->changes++;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static Broker *broker_new(void)
{
    Broker *broker = g_new0(Broker, 1);
    broker->directory = broker->journal = -1;
    broker->topics = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, topic_free);
    broker->producers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) producer_free);
    broker->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    broker->positions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
    broker->next_producer = 1;
    return broker;
}

/* One process a directory, which nobody else may write to. */
static char *take_directory(Broker *broker, const char *path)
{
    struct stat about;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return g_strdup_printf("'%s' cannot be made: %s", path, g_strerror(errno));
    broker->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (broker->directory < 0 || fstat(broker->directory, &about) != 0)
        return g_strdup_printf("'%s' cannot be opened: %s", path, g_strerror(errno));
    if (about.st_uid != geteuid() || (about.st_mode & (S_IWGRP | S_IWOTH)))
        return g_strdup_printf("'%s' belongs to somebody else, or others may write to it (chmod go-w)", path);
    if (flock(broker->directory, LOCK_EX | LOCK_NB) != 0)
        return g_strdup_printf("another broker serves '%s'", path);
    return NULL;
}

Broker *store_open(const char *directory, char **problem)
{
    Broker *broker = broker_new();
    *problem = directory ? take_directory(broker, directory) : NULL;
    if (!*problem)
        *problem = journal_open(broker);
    if (!*problem)
        return broker;
    store_close(broker);
    return NULL;
}

void store_close(Broker *broker)
{
    g_hash_table_unref(broker->by_id);
    g_hash_table_unref(broker->producers);
    g_hash_table_unref(broker->topics);
    g_hash_table_unref(broker->positions);
    if (broker->journal >= 0)
        close(broker->journal);
    if (broker->directory >= 0)
        close(broker->directory);
    g_free(broker->host);
    g_free(broker);
}
