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

#define PARTITIONS_MAX 10000
#define NAME_MAX_SIZE 249

const char *const store_settings[] = {"cleanup.policy",
                                      "delete",
                                      "compression.type",
                                      "producer",
                                      "max.message.bytes",
                                      "1048588",
                                      "message.timestamp.type",
                                      "CreateTime",
                                      "min.insync.replicas",
                                      "1",
                                      "retention.bytes",
                                      "-1",
                                      "retention.ms",
                                      "-1",
                                      NULL};

bool store_is_name(const char *name)
{
    gsize size = name ? strlen(name) : 0;
    gsize legal = name ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") : 0;
    return size > 0 && size <= NAME_MAX_SIZE && legal == size && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

const char *store_setting(const Topic *topic, const char *name)
{
    const char *value = g_hash_table_lookup(topic->config, name);
    for (guint i = 0; !value && store_settings[i]; i += 2)
        value = strcmp(store_settings[i], name) == 0 ? store_settings[i + 1] : NULL;
    return value;
}

Topic *store_topic(const Broker *broker, const char *name)
{
    return name ? g_hash_table_lookup(broker->topics, name) : NULL;
}

Partition *store_partition(const Broker *broker, const char *name, gint32 number)
{
    const Topic *topic = store_topic(broker, name);
    return topic && number >= 0 && (guint) number < topic->partitions->len ? topic->partitions->pdata[number] : NULL;
}

/* ---- topics ----------------------------------------------------------------------------------------------------- */

static void partition_free(gpointer data)
{
    Partition *partition = data;
    log_free(partition->log);
    g_free(partition);
}

static void topic_free(gpointer data)
{
    Topic *topic = data;
    g_ptr_array_unref(topic->partitions);
    g_hash_table_unref(topic->config);
    g_free(topic->name);
    g_free(topic);
}

/* By the topic's id, so that one that is created anew finds nothing of its predecessor. */
static char *file_name(const Topic *topic, gint32 number)
{
    GString *name = g_string_new(topic->name);
    g_string_append_c(name, '@');
    for (guint i = 0; i < 4; i++)
        g_string_append_printf(name, "%02x", topic->id[i]);
    g_string_append_printf(name, "-%d.log", number);
    return g_string_free(name, FALSE);
}

/* Not every file system has O_TMPFILE. */
static int nameless_file(void)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    g_autofree char *name = g_build_filename(g_get_tmp_dir(), "streamforge-broker-XXXXXX", NULL);
    fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(name);
    return fd;
}

int store_file(const Broker *broker, const char *name)
{
    if (broker->directory < 0)
        return nameless_file();
    return openat(broker->directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool add_partitions(Broker *broker, Topic *topic, gint32 until)
{
    for (gint32 i = (gint32) topic->partitions->len; i < until; i++) {
        g_autofree char *name = file_name(topic, i);
        int fd = store_file(broker, name);
        if (fd < 0)
            return false;
        Partition *partition = g_new0(Partition, 1);
        *partition = (Partition){topic, i, log_open(fd)};
        g_ptr_array_add(topic->partitions, partition);
    }
    return true;
}

Topic *store_add(Broker *broker, const char *name, const guint8 *id, gint32 partitions, GHashTable *config)
{
    Topic *topic = g_new0(Topic, 1);
    topic->name = g_strdup(name);
    memcpy(topic->id, id, sizeof topic->id);
    topic->partitions = g_ptr_array_new_with_free_func(partition_free);
    topic->config = config ? g_hash_table_ref(config) : g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!add_partitions(broker, topic, partitions)) {
        topic_free(topic);
        return NULL;
    }
    g_hash_table_replace(broker->topics, topic->name, topic);
    broker->changes++;
    return topic;
}

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
    bool done = add_partitions(broker, topic, partitions) && journal_topic(broker, topic);
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
    for (guint i = 0; broker->directory >= 0 && i < topic->partitions->len; i++) {
        g_autofree char *file = file_name(topic, (gint32) i);
        unlinkat(broker->directory, file, 0);
    }
    journal_topic_gone(broker, name);
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
