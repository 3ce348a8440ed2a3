/* See journal.h. */
#include "journal.h"

#include <unistd.h>

static Out begin(Kind kind)
{
    static const guint8 head[JOURNAL_HEAD];
    Out out = {.bytes = g_byte_array_new()};
    out_raw(&out, head, sizeof head);
    out_i8(&out, (gint8) kind);
    return out;
}

static bool end(Broker *broker, Out *out)
{
    g_autoptr(GByteArray) bytes = out->bytes;
    gsize size = bytes->len - JOURNAL_HEAD;
    wire_put(bytes->data, size, 4);
    wire_put(bytes->data + 4, wire_crc32c(bytes->data + JOURNAL_HEAD, size), 4);
    off_t at = lseek(broker->journal, 0, SEEK_END);
    if (write(broker->journal, bytes->data, bytes->len) == (gssize) bytes->len)
        return true;
    if (ftruncate(broker->journal, at) != 0)
        g_debug("what was half written ends the journal");
    return false;
}

bool journal_broker(Broker *broker)
{
    Out out = begin(KIND_BROKER);
    out_raw(&out, broker->id, sizeof broker->id);
    return end(broker, &out);
}

bool journal_topic(Broker *broker, const Topic *topic)
{
    Out out = begin(KIND_TOPIC);
    GHashTableIter iter;
    gpointer name, value;
    out_text(&out, topic->name);
    out_raw(&out, topic->id, sizeof topic->id);
    out_i32(&out, (gint32) topic->partitions->len);
    out_count(&out, (gint32) g_hash_table_size(topic->config));
    g_hash_table_iter_init(&iter, topic->config);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        out_text(&out, name);
        out_text(&out, value);
    }
    return end(broker, &out);
}

bool journal_topic_gone(Broker *broker, const char *name)
{
    Out out = begin(KIND_TOPIC_GONE);
    out_text(&out, name);
    return end(broker, &out);
}

bool store_note_group_gone(Broker *broker, const char *group)
{
    Out out = begin(KIND_GROUP_GONE);
    out_text(&out, group);
    return end(broker, &out);
}

bool store_note_producer(Broker *broker, const Producer *producer)
{
    Out out = begin(KIND_PRODUCER);
    out_text(&out, producer->id);
    out_i64(&out, producer->number);
    out_i16(&out, producer->epoch);
    out_i32(&out, producer->timeout_ms);
    return end(broker, &out);
}

static void write_offsets(Out *out, const GPtrArray *pending)
{
    out_count(out, (gint32) pending->len);
    for (guint i = 0; i < pending->len; i++) {
        const Pending *one = pending->pdata[i];
        out_text(out, one->group);
        out_text(out, one->topic);
        out_i32(out, one->partition);
        out_i64(out, one->offset);
        out_text(out, one->metadata);
    }
}

bool store_note_offsets(Broker *broker, const GPtrArray *pending)
{
    Out out = begin(KIND_OFFSETS);
    write_offsets(&out, pending);
    return end(broker, &out);
}

bool store_note_end(Broker *broker, const Producer *producer, bool commit)
{
    Out out = begin(KIND_END);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    out_i64(&out, producer->number);
    out_i8(&out, commit);
    write_offsets(&out, commit ? producer->pending : none);
    return end(broker, &out);
}

bool store_note_done(Broker *broker, const Producer *producer)
{
    Out out = begin(KIND_DONE);
    out_i64(&out, producer->number);
    return end(broker, &out);
}
