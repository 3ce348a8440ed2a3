/* See replay.h. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "topics.h"

#define FILE_NAME "journal"
#define FRESH_NAME "journal.new"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool read_topic(Broker *broker, In *in)
{
    g_autoptr(GHashTable) config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    guint8 id[16];
    const char *name = in_text(in);
    for (guint i = 0; i < sizeof id; i++)
        id[i] = (guint8) in_i8(in);
    gint32 partitions = in_i32(in), n = in_count(in);
    for (gint32 i = 0; i < n; i++) {
        const char *key = in_text(in);
        g_hash_table_insert(config, g_strdup(key), g_strdup(in_text(in)));
    }
    if (in->broken || !store_is_name(name))
        return false;
    g_hash_table_remove(broker->topics, name);
    return store_add(broker, name, id, partitions, config) != NULL;
}

static void read_producer(Broker *broker, In *in)
{
    const char *id = in_text(in);
    gint64 number = in_i64(in);
    gint16 epoch = in_i16(in);
    gint32 timeout_ms = in_i32(in);
    Producer *old = id ? g_hash_table_lookup(broker->by_id, id) : g_hash_table_lookup(broker->producers, &number);
    if (old) {
        if (old->id)
            g_hash_table_remove(broker->by_id, old->id);
        g_hash_table_remove(broker->producers, &old->number);
    }
    producer_new(broker, id, number, epoch, timeout_ms);
}

static void read_offsets(Broker *broker, In *in)
{
    gint32 n = in_count(in);
    for (gint32 i = 0; i < n && !in->broken; i++) {
        const char *group = in_text(in), *topic = in_text(in);
        gint32 partition = in_i32(in);
        gint64 offset = in_i64(in);
        const char *metadata = in_text(in);
        if (in->broken || !group || !topic)
            return;
        Pending *pending = pending_new(group, topic, partition, offset, metadata);
        offsets_apply(broker, pending);
        pending_free(pending);
    }
}

static void read_end(Broker *broker, In *in, GHashTable *decided)
{
    gint64 number = in_i64(in);
    bool commit = in_i8(in);
    read_offsets(broker, in);
    if (commit)
        g_hash_table_insert(decided, g_memdup2(&number, sizeof number), GINT_TO_POINTER(1));
}

static bool read_record(Broker *broker, In *in, GHashTable *decided)
{
    const char *name;
    gint64 number;
    switch ((Kind) in_i8(in)) {
    case KIND_BROKER:
        for (guint i = 0; i < sizeof broker->id; i++)
            broker->id[i] = (guint8) in_i8(in);
        return true;
    case KIND_TOPIC:
        return read_topic(broker, in);
    case KIND_TOPIC_GONE:
        name = in_text(in);
        if (name && store_topic(broker, name)) {
            offsets_forget_topic(broker, name);
            g_hash_table_remove(broker->topics, name);
        }
        return true;
    case KIND_PRODUCER:
        read_producer(broker, in);
        return true;
    case KIND_OFFSETS:
        read_offsets(broker, in);
        return true;
    case KIND_END:
        read_end(broker, in, decided);
        return true;
    case KIND_DONE:
        number = in_i64(in);
        g_hash_table_remove(decided, &number);
        return true;
    case KIND_GROUP_GONE:
        name = in_text(in);
        if (name)
            g_hash_table_remove(broker->positions, name);
        return true;
    }
    return false;
}

/* Up to the first record that is not whole. */
static char *replay_records(Broker *broker, const guint8 *data, gsize size, GHashTable *decided)
{
    gsize at = 0;
    while (size - at >= JOURNAL_HEAD) {
        guint32 length = (guint32) wire_get(data + at, 4);
        if (length > size - at - JOURNAL_HEAD ||
            wire_crc32c(data + at + JOURNAL_HEAD, length) != (guint32) wire_get(data + at + 4, 4))
            break;
        g_autoptr(GStringChunk) texts = g_string_chunk_new(256);
        In in = {.at = data + at + JOURNAL_HEAD, .end = data + at + JOURNAL_HEAD + length, .texts = texts};
        if (!read_record(broker, &in, decided) || in.broken)
            return g_strdup_printf("the journal cannot be read at byte %" G_GSIZE_FORMAT
                                   ": it is damaged, of a newer version, or a file of it cannot be opened",
                                   at);
        at += JOURNAL_HEAD + length;
    }
    return NULL;
}

/* ---- anew ------------------------------------------------------------------------------------------------------- */

static bool write_group(Broker *broker, const char *group, GHashTable *positions)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) pending_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, positions);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const Position *position = value;
        g_auto(GStrv) place = g_strsplit(key, "\n", 2);
        g_ptr_array_add(all, pending_new(group, place[0], (gint32) g_ascii_strtoll(place[1], NULL, 10),
                                         position->offset, position->metadata));
    }
    return store_note_offsets(broker, all);
}

static bool write_all(Broker *broker)
{
    GHashTableIter iter;
    gpointer key, value;
    bool done = journal_broker(broker);
    g_hash_table_iter_init(&iter, broker->topics);
    while (done && g_hash_table_iter_next(&iter, NULL, &value))
        done = journal_topic(broker, value);
    g_hash_table_iter_init(&iter, broker->producers);
    while (done && g_hash_table_iter_next(&iter, NULL, &value))
        done = store_note_producer(broker, value);
    g_hash_table_iter_init(&iter, broker->positions);
    while (done && g_hash_table_iter_next(&iter, &key, &value))
        done = write_group(broker, key, value);
    return done;
}

static char *renew(Broker *broker)
{
    bool kept = broker->directory >= 0;
    if (kept)
        unlinkat(broker->directory, FRESH_NAME, 0);
    broker->journal = store_file(broker, FRESH_NAME);
    if (broker->journal < 0 || !write_all(broker) || (kept && fsync(broker->journal) != 0) ||
        (kept && renameat(broker->directory, FRESH_NAME, broker->directory, FILE_NAME) != 0))
        return g_strdup_printf("the journal cannot be written: %s", g_strerror(errno));
    return NULL;
}

static char *read_old(Broker *broker, GHashTable *decided)
{
    struct stat about;
    int fd = store_file(broker, FILE_NAME);
    if (fd < 0 || fstat(fd, &about) != 0)
        return g_strdup_printf("the journal cannot be opened: %s", g_strerror(errno));
    g_autofree guint8 *data = g_try_malloc((gsize) about.st_size + 1);
    gssize n = data ? pread(fd, data, (gsize) about.st_size, 0) : -1;
    close(fd);
    return n == about.st_size ? replay_records(broker, data, (gsize) n, decided)
                              : g_strdup("the journal cannot be read as a whole");
}

char *journal_open(Broker *broker)
{
    g_autoptr(GHashTable) decided = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < sizeof broker->id; i++)
        broker->id[i] = (guint8) g_random_int_range(0, 256);
    char *problem = broker->directory >= 0 ? read_old(broker, decided) : NULL;
    if (problem)
        return problem;
    producers_finish(broker, decided);
    return renew(broker);
}
