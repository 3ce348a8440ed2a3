/* Produce, Fetch, ListOffsets; see api.h. */
#include "api.h"

#define FETCH_MAX (50 * 1024 * 1024)

/* ---- produce ---------------------------------------------------------------------------------------------------- */

static Code append(Request *request, const char *topic, gint32 number, const guint8 *data, gsize size, gint64 *base)
{
    Partition *partition = store_partition(request->broker, topic, number);
    if (!partition)
        return CODE_UNKNOWN_TOPIC;
    gint64 limit = g_ascii_strtoll(store_setting(partition->topic, "max.message.bytes"), NULL, 10);
    enum { AT_PRODUCER = 43, AT_EPOCH = 51, HEADER = 61 }; /* in a batch */
    gint64 id = size >= HEADER ? (gint64) wire_get(data + AT_PRODUCER, 8) : -1;
    const Producer *producer = id >= 0 ? g_hash_table_lookup(request->broker->producers, &id) : NULL;
    if (producer && (gint16) wire_get(data + AT_EPOCH, 2) != producer->epoch)
        return CODE_INVALID_PRODUCER_EPOCH;
    bool transactional = size >= HEADER && (data[22] & 0x10);
    if (transactional && (!producer || !g_ptr_array_find(producer->partitions, partition, NULL)))
        return CODE_INVALID_TXN_STATE;
    Code code = log_append(partition->log, data, size, limit, base);
    if (code == CODE_OK)
        request->broker->changes++;
    return code;
}

static void produce_partition(Request *request, const char *topic, gpointer unused)
{
    (void) unused;
    gsize size;
    gint64 base = -1;
    gint32 number = in_i32(&request->in);
    const guint8 *data = in_bytes(&request->in, &size);
    Code code = request->in.broken || !data ? CODE_CORRUPT_MESSAGE : append(request, topic, number, data, size, &base);
    out_i32(&request->out, number);
    out_i16(&request->out, (gint16) code);
    out_i64(&request->out, code == CODE_OK ? base : -1);
    out_i64(&request->out, -1); /* the time that the log gave: none */
    if (request->version >= 5)
        out_i64(&request->out, 0);
    if (request->version >= 8) {
        out_count(&request->out, 0);
        out_text(&request->out, NULL);
    }
}

Outcome api_produce(Request *request)
{
    in_text(&request->in);
    gint16 acks = in_i16(&request->in);
    in_i32(&request->in);
    api_each_partition(request, produce_partition, NULL);
    out_i32(&request->out, 0);
    return acks == 0 ? SILENT : ANSWERED;
}

/* ---- fetch ------------------------------------------------------------------------------------------------------ */

typedef struct Fetch {
    gint32 wait_ms;
    gint32 least;
    gint64 left; /* bytes that the answer may still take */
    bool committed;
    gint64 got;
    bool failed; /* what went wrong is told at once */
} Fetch;

static void write_aborted(Request *request, const Log *log, gint64 from, gint64 until)
{
    guint at = request->out.bytes->len;
    gint32 n = 0;
    out_i32(&request->out, 0);
    for (guint i = 0; i < log->aborted->len; i++) {
        const Aborted *aborted = &g_array_index(log->aborted, Aborted, i);
        if (aborted->last < from || aborted->first >= until)
            continue;
        out_i64(&request->out, aborted->producer);
        out_i64(&request->out, aborted->first);
        n++;
    }
    out_patch_i32(&request->out, at, n);
}

/* What is asked of one partition. */
typedef struct Wanted {
    gint32 number;
    gint64 offset;
    gint64 most; /* bytes */
} Wanted;

static Wanted read_wanted(Request *request)
{
    Wanted wanted = {.number = in_i32(&request->in)};
    if (request->version >= 9)
        in_i32(&request->in);
    wanted.offset = in_i64(&request->in);
    if (request->version >= 5)
        in_i64(&request->in);
    wanted.most = in_i32(&request->in);
    return wanted;
}

static void write_bounds(Request *request, gint32 number, const Log *log, Code code)
{
    out_i32(&request->out, number);
    out_i16(&request->out, (gint16) code);
    out_i64(&request->out, log ? log->end : -1);
    out_i64(&request->out, log ? log_stable(log) : -1);
    if (request->version >= 5)
        out_i64(&request->out, log ? log->start : -1);
}

/* Returns how many bytes. */
static gint64 write_records(Request *request, const Fetch *fetch, const Log *log, const Wanted *wanted, gint64 until)
{
    guint at = request->out.bytes->len;
    out_i32(&request->out, 0);
    if (log && fetch->left > 0)
        log_read(log, wanted->offset, until, MIN(wanted->most, fetch->left), fetch->got == 0, request->out.bytes);
    gint64 size = request->out.bytes->len - at - 4;
    out_patch_i32(&request->out, at, (gint32) size);
    return size;
}

static void fetch_partition(Request *request, const char *topic, gpointer data)
{
    Fetch *fetch = data;
    Wanted wanted = read_wanted(request);
    const Partition *partition = store_partition(request->broker, topic, wanted.number);
    const Log *log = partition ? partition->log : NULL;
    bool within = log && wanted.offset >= log->start && wanted.offset <= log->end;
    Code code = !log ? CODE_UNKNOWN_TOPIC : within ? CODE_OK : CODE_OFFSET_OUT_OF_RANGE;
    gint64 until = !log ? -1 : fetch->committed ? log_stable(log) : log->end;
    write_bounds(request, wanted.number, log, code);
    if (log && fetch->committed)
        write_aborted(request, log, wanted.offset, until);
    else
        out_i32(&request->out, -1);
    if (request->version >= 11)
        out_i32(&request->out, -1);
    gint64 size = write_records(request, fetch, within ? log : NULL, &wanted, until);
    fetch->got += size;
    fetch->left -= size;
    fetch->failed = fetch->failed || code != CODE_OK;
}

Outcome api_fetch(Request *request)
{
    Fetch fetch = {0};
    in_i32(&request->in);
    fetch.wait_ms = in_i32(&request->in);
    fetch.least = in_i32(&request->in);
    gint32 most = in_i32(&request->in);
    fetch.left = CLAMP(most, 1, FETCH_MAX);
    fetch.committed = in_i8(&request->in) == 1;
    out_i32(&request->out, 0);
    if (request->version >= 7) { /* without sessions (KIP-227): every request names all of its partitions */
        in_i32(&request->in);
        in_i32(&request->in);
        out_i16(&request->out, CODE_OK);
        out_i32(&request->out, 0);
    }
    api_each_partition(request, fetch_partition, &fetch);
    gint64 now = g_get_monotonic_time();
    if (request->deadline_us == 0)
        request->deadline_us = now + (gint64) CLAMP(fetch.wait_ms, 0, 60000) * 1000;
    bool waits = fetch.got < fetch.least && !fetch.failed && now < request->deadline_us && !request->in.broken;
    return waits ? PARKED : ANSWERED;
}

/* ---- offsets of times ------------------------------------------------------------------------------------------- */

static void list_partition(Request *request, const char *topic, gpointer data)
{
    bool committed = *(const bool *) data;
    gint32 number = in_i32(&request->in);
    if (request->version >= 4)
        in_i32(&request->in);
    gint64 time = in_i64(&request->in), found = -1, offset = -1;
    const Partition *partition = store_partition(request->broker, topic, number);
    const Log *log = partition ? partition->log : NULL;
    if (log && time == -1)
        offset = committed ? log_stable(log) : log->end;
    else if (log && time == -2)
        offset = log->start;
    else if (log)
        log_find_time(log, time, &offset, &found);
    out_i32(&request->out, number);
    out_i16(&request->out, log ? CODE_OK : CODE_UNKNOWN_TOPIC);
    out_i64(&request->out, found);
    out_i64(&request->out, offset);
    if (request->version >= 4)
        out_i32(&request->out, 0);
}

Outcome api_list_offsets(Request *request)
{
    bool committed = false;
    in_i32(&request->in);
    if (request->version >= 2) {
        committed = in_i8(&request->in) == 1;
        out_i32(&request->out, 0);
    }
    api_each_partition(request, list_partition, &committed);
    return ANSWERED;
}
