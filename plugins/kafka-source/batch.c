/* Messages → a batch in the raw schema, without a copy of keys and values: the batch keeps the messages. */
#include <string.h>

#include "source.h"

typedef struct Retained {
    gint *count; /* a g_atomic_rc_box, for it may outlive the source */
    size_t size;
    rd_kafka_message_t *messages[];
} Retained;

/* From any thread: the last column of the batch is gone. */
static void retained_free(gpointer data)
{
    Retained *retained = data;
    for (size_t i = 0; i < retained->size; i++)
        rd_kafka_message_destroy(retained->messages[i]);
    g_atomic_int_add(retained->count, -1);
    g_atomic_rc_box_release(retained->count);
    g_free(retained);
}

SfStatus batch_headers_init(Source *source, SfError *err)
{
    source->headers = raw_headers_new(err);
    return source->headers ? SF_OK : SF_FATAL;
}

/* How many of the waiting messages make one batch, and how many bytes they have. */
static size_t count_rows(const Source *source, const Partition *partition, int64_t *bytes)
{
    size_t most = MIN(partition->size - partition->first, (size_t) source->batch_rows);
    size_t n = 0;
    int64_t total = 0;
    while (n < most && (n == 0 || total < source->batch_bytes)) {
        const rd_kafka_message_t *message = partition->messages[partition->first + n++];
        total += (int64_t) (message->len + message->key_len);
    }
    *bytes = total;
    return n;
}

static int64_t timestamp_us(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 || ms > INT64_MAX / 1000)
        return RAW_NO_TIMESTAMP;
    return ms * 1000;
}

static void add_headers(SfColumnBuilder *column, const rd_kafka_headers_t *headers)
{
    SfColumnBuilder *element = column->children[0];
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        g_autofree char *valid = g_utf8_validate(name, -1, NULL) ? NULL : g_utf8_make_valid(name, -1);
        const char *key = valid ? valid : name;
        sf_add_str(element->children[0], key, (int64_t) strlen(key));
        if (value)
            sf_add_str(element->children[1], value, (int64_t) size);
        else
            sf_add_null(element->children[1]);
        sf_add_struct(element);
    }
    sf_add_list(column);
}

/* Whether a record surely has no headers, without asking librdkafka, which allocates and parses for the answer: 0.15
 * µs a record, half as much as all the rest of reading it. A record of format v2 ends, behind its value, with the
 * number of its headers as a varint (Kafka protocol, "Record Format"); then the next one begins: length, attributes,
 * two deltas and the key's length, 5 to 26 bytes. Only where the next message lies just so behind, the byte between
 * is looked at. Older formats have no headers, and a zero there (the next offset's first byte). */
static bool surely_bare(const rd_kafka_message_t *message, const rd_kafka_message_t *next)
{
    if (!message->payload || !next)
        return false;
    guintptr end = (guintptr) message->payload + message->len;
    guintptr begin = (guintptr) (next->key ? next->key : next->payload);
    return begin > end + 5 && begin < end + 32 && *(const char *) end == 0;
}

static rd_kafka_headers_t *headers_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    return headers;
}

/* The first row is always asked for, and must not contradict: should librdkafka ever lay messages out in another
 * way, all are asked from then on. */
static bool may_have_headers(Source *source, const Retained *retained, size_t i)
{
    const rd_kafka_message_t *next = i + 1 < retained->size ? retained->messages[i + 1] : NULL;
    bool bare = !source->ask_headers && surely_bare(retained->messages[i], next);
    if (bare && i == 0 && headers_of(retained->messages[0])) {
        source->ask_headers = true;
        return true;
    }
    return !bare;
}

/* The headers column, when one of the messages has any; otherwise `out` stays released. */
static SfStatus build_headers(Source *source, const Retained *retained, struct ArrowArray *out, SfError *err)
{
    SfColumnBuilder *column = sf_builder_column(source->headers, 0);
    bool any = false;
    for (size_t i = 0; i < retained->size; i++) {
        rd_kafka_headers_t *headers = may_have_headers(source, retained, i) ? headers_of(retained->messages[i]) : NULL;
        if (!headers) {
            if (any)
                sf_add_null(column);
            continue;
        }
        for (size_t before = 0; !any && before < i; before++)
            sf_add_null(column);
        any = true;
        add_headers(column, headers);
    }
    if (!any)
        return SF_OK;
    struct ArrowArray rows = {0};
    SF_TRY(sf_builder_end_rows(source->headers, (int64_t) retained->size, err));
    SF_TRY(sf_builder_finish(source->headers, &rows, err));
    *out = *rows.children[0];
    rows.children[0]->release = NULL;
    sf_array_done(&rows);
    return SF_OK;
}

static int64_t add_rows(RawRows *rows, const Retained *retained)
{
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < retained->size; i++) {
        const rd_kafka_message_t *message = retained->messages[i];
        int64_t time = timestamp_us(message);
        newest = MAX(newest, time);
        raw_rows_add(rows, message->key, message->key_len, message->payload, message->len, message->offset, time);
    }
    return newest;
}

static Retained *retain(const Source *source, Partition *partition, size_t n)
{
    Retained *retained = g_malloc(sizeof *retained + n * sizeof retained->messages[0]);
    retained->size = n;
    retained->count = g_atomic_rc_box_acquire(source->retained);
    g_atomic_int_inc(retained->count);
    memcpy(retained->messages, partition->messages + partition->first, n * sizeof retained->messages[0]);
    partition->first += n;
    if (partition->first == partition->size)
        partition->first = partition->size = 0;
    return retained;
}

SfStatus batch_build(SfNode *node, Partition *partition, SfBatch *out, SfError *err)
{
    Source *source = node->state;
    int64_t bytes = 0;
    size_t n = count_rows(source, partition, &bytes);
    Retained *retained = retain(source, partition, n);
    int64_t end = retained->messages[n - 1]->offset + 1;
    g_autoptr(RawRows) rows = raw_rows_new(partition->raw, (int64_t) n, retained_free, retained, err);
    if (!rows) {
        retained_free(retained);
        return sf_fail_prefix(err, SF_FENCED, "'%s'", partition->split->name); /* they will be read again */
    }
    struct ArrowArray headers = {0};
    SF_TRY(build_headers(source, retained, &headers, err));
    int64_t newest = add_rows(rows, retained);
    SF_TRY(raw_rows_finish(g_steal_pointer(&rows), &headers, &out->rows, err));
    out->split = partition->split;
    out->start = partition->next;
    out->end = end;
    out->bytes = bytes + (int64_t) n * MESSAGE_OVERHEAD;
    out->newest_us = newest;
    partition->next = end;
    return SF_OK;
}
