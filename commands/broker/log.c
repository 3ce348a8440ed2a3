/* See log.h. */
#include "log.h"

#include <string.h>
#include <unistd.h>

/* Places in a batch (KIP-98, "Message Format"). */
enum {
    AT_LENGTH = 8,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_DELTA = 23,
    AT_FIRST_MS = 27,
    AT_MAX_MS = 35,
    AT_PRODUCER = 43,
    AT_EPOCH = 51,
    AT_SEQUENCE = 53,
    AT_COUNT = 57,
    HEADER = 61,
    BEFORE_LENGTH = 12,
};

#define TRANSACTIONAL 0x10
#define CONTROL 0x20
#define REMEMBERED 5 /* batches of a producer that it may send again: its requests in flight, at most */

typedef struct Written {
    gint16 epoch;
    gint32 last_sequence;
    struct {
        gint32 first_sequence;
        gint32 last_sequence;
        gint64 base;
    } sent[REMEMBERED];
    guint n;
} Written;

static gint32 last_sequence(const Batch *batch)
{
    gint64 last = batch->first_sequence + (batch->last - batch->base);
    return (gint32) (last > G_MAXINT32 ? last - G_MAXINT32 - 1 : last);
}

/* The header's fields; false: it is not a batch of `size` bytes. */
static bool parse(const guint8 *data, gsize size, Batch *out)
{
    if (size < HEADER || data[AT_MAGIC] != 2 || wire_get(data + AT_LENGTH, 4) != size - BEFORE_LENGTH)
        return false;
    gint32 delta = (gint32) wire_get(data + AT_LAST_DELTA, 4);
    guint16 attributes = (guint16) wire_get(data + AT_ATTRIBUTES, 2);
    *out = (Batch){.base = (gint64) wire_get(data, 8),
                   .size = (guint32) size,
                   .max_ms = (gint64) wire_get(data + AT_MAX_MS, 8),
                   .producer = (gint64) wire_get(data + AT_PRODUCER, 8),
                   .epoch = (gint16) wire_get(data + AT_EPOCH, 2),
                   .first_sequence = (gint32) wire_get(data + AT_SEQUENCE, 4),
                   .transactional = attributes & TRANSACTIONAL,
                   .control = attributes & CONTROL};
    out->last = out->base + delta;
    return delta >= 0 && (gint32) wire_get(data + AT_COUNT, 4) >= 0 &&
           wire_crc32c(data + AT_ATTRIBUTES, size - AT_ATTRIBUTES) == (guint32) wire_get(data + AT_CRC, 4);
}

static gint64 *copy_of(gint64 number)
{
    return g_memdup2(&number, sizeof number);
}

static void remember_written(Log *log, const Batch *batch)
{
    Written *written = g_hash_table_lookup(log->written, &batch->producer);
    if (!written) {
        written = g_new0(Written, 1);
        g_hash_table_insert(log->written, copy_of(batch->producer), written);
    }
    if (written->epoch != batch->epoch)
        *written = (Written){.epoch = batch->epoch};
    if (written->n == REMEMBERED)
        memmove(written->sent, written->sent + 1, sizeof written->sent - sizeof written->sent[0]);
    else
        written->n++;
    written->sent[written->n - 1].first_sequence = batch->first_sequence;
    written->sent[written->n - 1].last_sequence = written->last_sequence = last_sequence(batch);
    written->sent[written->n - 1].base = batch->base;
}

static void end_open(Log *log, const Batch *batch, bool commit)
{
    const gint64 *first = g_hash_table_lookup(log->open, &batch->producer);
    Aborted aborted = {batch->producer, first ? *first : 0, batch->base};
    if (first && !commit)
        g_array_append_val(log->aborted, aborted);
    g_hash_table_remove(log->open, &batch->producer);
}

/* A control record's key is its version and type (KIP-98, "Control Messages"); 1 commits. The record stands behind the
 * header with lengths and deltas of one byte each. */
static bool commits(const guint8 *data, gsize size)
{
    enum { KEY = HEADER + 5 }; /* length, attributes, two deltas, the key's length */
    return size >= KEY + 4 && wire_get(data + KEY + 2, 2) == 1;
}

static void take_in(Log *log, Batch *batch, const guint8 *data)
{
    guint n = log->batches->len;
    gint64 newest_ms = n > 0 ? g_array_index(log->batches, Batch, n - 1).newest_ms : G_MININT64;
    batch->newest_ms = batch->control ? newest_ms : MAX(newest_ms, batch->max_ms);
    g_array_append_val(log->batches, *batch);
    log->end = batch->last + 1;
    log->size += batch->size;
    if (batch->control)
        end_open(log, batch, commits(data, batch->size));
    else if (batch->producer >= 0)
        remember_written(log, batch);
    if (!batch->control && batch->transactional && !g_hash_table_contains(log->open, &batch->producer))
        g_hash_table_insert(log->open, copy_of(batch->producer), copy_of(batch->base));
}

/* Reads the file's batches up to the first that is not whole. */
static void load(Log *log)
{
    guint8 head[BEFORE_LENGTH];
    g_autoptr(GByteArray) data = g_byte_array_new();
    for (;;) {
        Batch batch;
        if (pread(log->fd, head, sizeof head, log->size) != sizeof head)
            break;
        gsize size = (gsize) wire_get(head + AT_LENGTH, 4) + BEFORE_LENGTH;
        if (size > G_MAXINT32)
            break;
        g_byte_array_set_size(data, (guint) size);
        if (pread(log->fd, data->data, size, log->size) != (gssize) size || !parse(data->data, size, &batch) ||
            batch.base < log->end)
            break;
        batch.at = log->size;
        take_in(log, &batch, data->data);
    }
    if (ftruncate(log->fd, log->size) != 0)
        g_debug("the partition's end stays as it is");
    if (log->batches->len > 0)
        log->start = g_array_index(log->batches, Batch, 0).base;
}

Log *log_open(int fd)
{
    Log *log = g_new0(Log, 1);
    log->fd = fd;
    log->batches = g_array_new(FALSE, FALSE, sizeof(Batch));
    log->aborted = g_array_new(FALSE, FALSE, sizeof(Aborted));
    log->open = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    log->written = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    load(log);
    return log;
}

void log_free(Log *log)
{
    close(log->fd);
    g_array_unref(log->batches);
    g_array_unref(log->aborted);
    g_hash_table_unref(log->open);
    g_hash_table_unref(log->written);
    g_free(log);
}

bool log_is_open(const Log *log, gint64 producer)
{
    return g_hash_table_contains(log->open, &producer);
}

/* Whether the producer may write that now; CODE_TOPIC_EXISTS: it has already, at *base. */
static Code check_sequence(const Log *log, const Batch *batch, gint64 *base)
{
    const Written *written = g_hash_table_lookup(log->written, &batch->producer);
    if (!written || batch->epoch > written->epoch)
        return CODE_OK;
    if (batch->epoch < written->epoch)
        return CODE_INVALID_PRODUCER_EPOCH;
    for (guint i = 0; i < written->n; i++) {
        *base = written->sent[i].base;
        if (written->sent[i].first_sequence == batch->first_sequence &&
            written->sent[i].last_sequence == last_sequence(batch))
            return CODE_TOPIC_EXISTS;
    }
    gint32 next = written->last_sequence == G_MAXINT32 ? 0 : written->last_sequence + 1;
    return batch->first_sequence == next ? CODE_OK : CODE_OUT_OF_ORDER_SEQUENCE;
}

static Code append(Log *log, const guint8 *data, gsize size, Batch *batch)
{
    g_autofree guint8 *copy = g_memdup2(data, size);
    gint64 delta = batch->last - batch->base;
    *batch = (Batch){.base = log->end,
                     .last = log->end + delta,
                     .at = log->size,
                     .size = (guint32) size,
                     .max_ms = batch->max_ms,
                     .producer = batch->producer,
                     .epoch = batch->epoch,
                     .first_sequence = batch->first_sequence,
                     .transactional = batch->transactional,
                     .control = batch->control};
    wire_put(copy, (guint64) batch->base, 8); /* not part of what the checksum covers; likewise the leader's epoch */
    wire_put(copy + BEFORE_LENGTH, 0, 4);
    if (pwrite(log->fd, copy, size, log->size) != (gssize) size) {
        if (ftruncate(log->fd, log->size) != 0)
            g_debug("what was half written is cut off at the next start");
        return CODE_STORAGE;
    }
    take_in(log, batch, copy);
    return CODE_OK;
}

Code log_append(Log *log, const guint8 *data, gsize size, gint64 limit, gint64 *base)
{
    Batch batch;
    if ((gint64) size > limit)
        return CODE_MESSAGE_TOO_LARGE;
    if (!parse(data, size, &batch) || batch.control)
        return CODE_CORRUPT_MESSAGE;
    Code code = batch.producer >= 0 ? check_sequence(log, &batch, base) : CODE_OK;
    if (code != CODE_OK)
        return code == CODE_TOPIC_EXISTS ? CODE_OK : code;
    code = append(log, data, size, &batch);
    *base = batch.base;
    return code;
}

Code log_mark(Log *log, gint64 producer, gint16 epoch, bool commit, gint64 now_ms)
{
    static const guint8 value[] = {0, 0, 0, 0, 0, 0}; /* version, the coordinator's epoch */
    const guint8 key[] = {0, 0, 0, commit};
    g_autoptr(GByteArray) record = g_byte_array_new(), bytes = g_byte_array_new();
    static const guint8 none[] = {0, 0, 0}; /* attributes, deltas of time and offset */
    if (!log_is_open(log, producer))
        return CODE_OK;
    g_byte_array_append(record, none, sizeof none);
    wire_varint(record, sizeof key);
    g_byte_array_append(record, key, sizeof key);
    wire_varint(record, sizeof value);
    g_byte_array_append(record, value, sizeof value);
    wire_varint(record, 0); /* headers */
    g_byte_array_set_size(bytes, HEADER);
    memset(bytes->data, 0, HEADER);
    wire_varint(bytes, record->len);
    g_byte_array_append(bytes, record->data, record->len);
    guint8 *head = bytes->data;
    wire_put(head + AT_LENGTH, bytes->len - BEFORE_LENGTH, 4);
    head[AT_MAGIC] = 2;
    wire_put(head + AT_ATTRIBUTES, TRANSACTIONAL | CONTROL, 2);
    wire_put(head + AT_FIRST_MS, (guint64) now_ms, 8);
    wire_put(head + AT_MAX_MS, (guint64) now_ms, 8);
    wire_put(head + AT_PRODUCER, (guint64) producer, 8);
    wire_put(head + AT_EPOCH, (guint64) epoch, 2);
    wire_put(head + AT_SEQUENCE, G_MAXUINT32, 4);
    wire_put(head + AT_COUNT, 1, 4);
    wire_put(head + AT_CRC, wire_crc32c(head + AT_ATTRIBUTES, bytes->len - AT_ATTRIBUTES), 4);
    Batch batch;
    return parse(head, bytes->len, &batch) ? append(log, head, bytes->len, &batch) : CODE_CORRUPT_MESSAGE;
}

gint64 log_stable(const Log *log)
{
    gint64 stable = log->end;
    GHashTableIter iter;
    gpointer first;
    g_hash_table_iter_init(&iter, log->open);
    while (g_hash_table_iter_next(&iter, NULL, &first))
        stable = MIN(stable, *(gint64 *) first);
    return stable;
}

guint log_find(const Log *log, gint64 offset)
{
    guint low = 0, high = log->batches->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(log->batches, Batch, middle).last < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void log_read(const Log *log, gint64 offset, gint64 before, gint64 most, bool force, GByteArray *out)
{
    gint64 size = 0;
    guint first = log_find(log, offset), last = first;
    for (; last < log->batches->len; last++) {
        const Batch *batch = &g_array_index(log->batches, Batch, last);
        if (batch->base >= before || (size + batch->size > most && !(force && size == 0)))
            break;
        size += batch->size;
    }
    if (size == 0)
        return;
    guint at = out->len;
    g_byte_array_set_size(out, at + (guint) size);
    gssize n = pread(log->fd, out->data + at, (gsize) size, g_array_index(log->batches, Batch, first).at);
    g_byte_array_set_size(out, n == size ? at + (guint) size : at);
}

bool log_find_time(const Log *log, gint64 time_ms, gint64 *offset, gint64 *found_ms)
{
    guint low = log_find(log, log->start), high = log->batches->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(log->batches, Batch, middle).newest_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == log->batches->len)
        return false;
    *offset = g_array_index(log->batches, Batch, low).base;
    *found_ms = g_array_index(log->batches, Batch, low).max_ms;
    return true;
}
