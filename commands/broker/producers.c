/* Producers' numbers and epochs, and transactions (KIP-98, KIP-360); see broker.h. */
#include "broker.h"

#define TIMEOUT_MAX_MS (15 * 60 * 1000) /* transaction.max.timeout.ms */

Producer *producer_new(Broker *broker, const char *id, gint64 number, gint16 epoch, gint32 timeout_ms)
{
    Producer *producer = g_new0(Producer, 1);
    producer->id = g_strdup(id);
    producer->number = number;
    producer->epoch = epoch;
    producer->timeout_ms = CLAMP(timeout_ms, 1, TIMEOUT_MAX_MS);
    producer->partitions = g_ptr_array_new();
    producer->pending = g_ptr_array_new_with_free_func((GDestroyNotify) pending_free);
    broker->next_producer = MAX(broker->next_producer, number + 1);
    g_hash_table_replace(broker->producers, &producer->number, producer);
    if (id)
        g_hash_table_replace(broker->by_id, producer->id, producer);
    return producer;
}

void producer_free(Producer *producer)
{
    g_ptr_array_unref(producer->partitions);
    g_ptr_array_unref(producer->pending);
    g_free(producer->id);
    g_free(producer);
}

/* Epochs are used up: the id gets another number. */
static Producer *renumber(Broker *broker, Producer *producer)
{
    g_autofree char *id = g_strdup(producer->id);
    gint32 timeout_ms = producer->timeout_ms;
    g_hash_table_remove(broker->by_id, id);
    g_hash_table_remove(broker->producers, &producer->number);
    return producer_new(broker, id, broker->next_producer, 0, timeout_ms);
}

Code producers_start(Broker *broker, const char *id, gint32 timeout_ms, gint64 number, gint16 epoch, Producer **out)
{
    Producer *producer = id ? g_hash_table_lookup(broker->by_id, id) : NULL;
    if (!id || !producer) {
        *out = producer_new(broker, id, broker->next_producer, 0, timeout_ms);
        return store_note_producer(broker, *out) ? CODE_OK : CODE_STORAGE;
    }
    if (number >= 0 && number != producer->number)
        return CODE_INVALID_PRODUCER_MAPPING;
    if (number >= 0 && epoch != producer->epoch)
        return CODE_PRODUCER_FENCED;
    if (producer->begun_us > 0)
        producers_end(broker, producer, false);
    producer->timeout_ms = CLAMP(timeout_ms, 1, TIMEOUT_MAX_MS);
    if (producer->epoch >= G_MAXINT16 - 1)
        producer = renumber(broker, producer);
    else
        producer->epoch++;
    *out = producer;
    return store_note_producer(broker, producer) ? CODE_OK : CODE_STORAGE;
}

Code producers_find(const Broker *broker, const char *id, gint64 number, gint16 epoch, Producer **out)
{
    Producer *producer = id ? g_hash_table_lookup(broker->by_id, id) : g_hash_table_lookup(broker->producers, &number);
    if (!producer || producer->number != number)
        return CODE_INVALID_PRODUCER_MAPPING;
    if (producer->epoch != epoch)
        return CODE_INVALID_PRODUCER_EPOCH;
    *out = producer;
    return CODE_OK;
}

static void begin(Producer *producer)
{
    if (producer->begun_us == 0)
        producer->begun_us = g_get_monotonic_time();
}

Code producers_join(Producer *producer, Partition *partition)
{
    begin(producer);
    if (partition && !g_ptr_array_find(producer->partitions, partition, NULL))
        g_ptr_array_add(producer->partitions, partition);
    return CODE_OK;
}

static void mark_all(Producer *producer, bool commit)
{
    gint64 now_ms = g_get_real_time() / 1000;
    for (guint i = 0; i < producer->partitions->len; i++) {
        Partition *partition = producer->partitions->pdata[i];
        if (log_mark(partition->log, producer->number, producer->epoch, commit, now_ms) != CODE_OK)
            g_warning("the end of a transaction cannot be written to %s/%d", partition->topic->name, partition->number);
    }
}

Code producers_end(Broker *broker, Producer *producer, bool commit)
{
    if (producer->begun_us == 0)
        return CODE_OK;
    if (!store_note_end(broker, producer, commit))
        return CODE_STORAGE;
    mark_all(producer, commit);
    for (guint i = 0; commit && i < producer->pending->len; i++)
        offsets_apply(broker, producer->pending->pdata[i]);
    g_ptr_array_set_size(producer->partitions, 0);
    g_ptr_array_set_size(producer->pending, 0);
    producer->begun_us = 0;
    broker->changes++;
    return store_note_done(broker, producer) ? CODE_OK : CODE_STORAGE;
}

static void finish_partition(const Partition *partition, GHashTable *decided)
{
    g_autoptr(GList) open = g_hash_table_get_keys(partition->log->open);
    for (GList *at = open; at; at = at->next) {
        gint64 number = *(gint64 *) at->data;
        bool commit = g_hash_table_lookup(decided, &number) != NULL;
        log_mark(partition->log, number, 0, commit, g_get_real_time() / 1000);
    }
}

void producers_finish(Broker *broker, GHashTable *decided)
{
    GHashTableIter iter;
    gpointer data;
    g_hash_table_iter_init(&iter, broker->topics);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Topic *topic = data;
        for (guint i = 0; i < topic->partitions->len; i++)
            finish_partition(topic->partitions->pdata[i], decided);
    }
}

gint64 producers_expire(Broker *broker, gint64 now_us)
{
    gint64 next_ms = -1;
    GHashTableIter iter;
    gpointer data;
    g_hash_table_iter_init(&iter, broker->producers);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        Producer *producer = data;
        gint64 left = (producer->begun_us - now_us) / 1000 + producer->timeout_ms;
        if (producer->begun_us == 0)
            continue;
        if (left <= 0) { /* and the client is told that it is too late */
            producers_end(broker, producer, false);
            producer->epoch += producer->epoch < G_MAXINT16 - 1;
            store_note_producer(broker, producer);
        } else if (next_ms < 0 || left < next_ms) {
            next_ms = left;
        }
    }
    return next_ms;
}
