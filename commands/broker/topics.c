/* Topics as they are in memory, and the files of their partitions. */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "topics.h"

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

static void partition_free(gpointer data)
{
    Partition *partition = data;
    log_free(partition->log);
    g_free(partition);
}

void topic_free(gpointer data)
{
    Topic *topic = data;
    g_ptr_array_unref(topic->partitions);
    g_hash_table_unref(topic->config);
    g_free(topic->name);
    g_free(topic);
}

/* By the topic's id, so that one that is created anew finds nothing of its predecessor. */
char *store_file_name(const Topic *topic, gint32 number)
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

bool store_add_partitions(Broker *broker, Topic *topic, gint32 until)
{
    for (gint32 i = (gint32) topic->partitions->len; i < until; i++) {
        g_autofree char *name = store_file_name(topic, i);
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
    if (!store_add_partitions(broker, topic, partitions)) {
        topic_free(topic);
        return NULL;
    }
    g_hash_table_replace(broker->topics, topic->name, topic);
    broker->changes++;
    return topic;
}
