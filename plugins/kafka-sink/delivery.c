/* Rows on their way to the broker: produced, waited for, made again when the broker gave the transaction up. */
#include <string.h>

#include "sink.h"

/* What a record takes beside key, value and headers, at most. */
#define RECORD_OVERHEAD 128

#define REPORT_ROW_BITS 32

/* A report's row: number of the kept batch and of the row. */
static void *report_pack(guint kept, int64_t row)
{
    return (void *) (((guintptr) (kept + 1) << REPORT_ROW_BITS) | (guintptr) row);
}

static Kept *report_unpack(const Lane *lane, const void *opaque, int64_t *row)
{
    guintptr number = (guintptr) opaque >> REPORT_ROW_BITS;
    *row = (int64_t) ((guintptr) opaque & G_MAXUINT32);
    return number > 0 && number <= lane->kept->len ? &g_array_index(lane->kept, Kept, number - 1) : NULL;
}

static bool is_refused(const Kept *kept, int64_t row)
{
    return kept->refused && (kept->refused[row >> 3] >> (row & 7) & 1);
}

static void refuse(Lane *lane, Kept *kept, int64_t row, const char *cause)
{
    if (is_refused(kept, row))
        return;
    if (!kept->refused)
        kept->refused = g_malloc0((gsize) (sf_rows(kept->batch) + 7) / 8);
    kept->refused[row >> 3] |= (uint8_t) (1u << (row & 7));
    sf_reject(lane->node, kept->batch, row, "%s", cause);
}

/* The broker says that of a request, for one of its records. */
static bool is_about_the_record(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP || code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

/* Nothing else can be meant. */
static bool is_alone(const Lane *lane)
{
    return lane->kept->len == 1 && sf_rows(g_array_index(lane->kept, Kept, 0).batch) == 1;
}

void delivery_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    Lane *lane = kafka_client_user(opaque);
    int64_t row;
    (void) rk;
    if (!lane)
        return;
    if (!message->err) {
        if (lane->id)
            visible_note(lane, message);
        return;
    }
    Kept *kept = report_unpack(lane, message->_private, &row);
    if (!kept || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return;
    lane->failed = true;
    kafka_explain(message->err, NULL, lane->problem, sizeof lane->problem); /* a report's payload is the record */
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        lane->oversized = true;
    else if (is_about_the_record(message->err) && (lane->blunt || is_alone(lane)))
        refuse(lane, kept, row, lane->problem);
    else if (is_about_the_record(message->err))
        lane->refusal = message->err;
}

void delivery_forget(Lane *lane)
{
    for (guint i = 0; i < lane->kept->len; i++) {
        Kept *kept = &g_array_index(lane->kept, Kept, i);
        sf_batch_unref(kept->batch);
        g_free(kept->refused);
    }
    g_array_set_size(lane->kept, 0);
    lane->blunt = false;
    lane->refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static SfStatus wait_for_room(Lane *lane, SfError *err)
{
    if (interrupted(lane->sink))
        return sf_fail(err, SF_RETRY, "interrupted");
    rd_kafka_poll(kafka_client_handle(lane->client), SLICE_MS);
    if (!kafka_client_down(lane->client))
        return SF_OK;
    return kafka_client_probe(lane->client, 1000, err);
}

/* Rows from where the last try stopped. */
static SfStatus produce(Lane *lane, guint index, SfError *err)
{
    const Sink *sink = lane->sink;
    Kept *kept = &g_array_index(lane->kept, Kept, index);
    Rows rows;
    SF_TRY(rows_init(&rows, &g_array_index(sink->inputs, Input, kept->input), kept->batch, err));
    while (kept->produced < sf_rows(kept->batch) && !lane->failed) {
        int64_t row = kept->produced;
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!is_refused(kept, row))
            code = record_produce(lane, &rows, row, report_pack(index, row));
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            SF_TRY(wait_for_room(lane, err));
            continue;
        }
        if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            refuse(lane, kept, row, "the record is larger than message.max.bytes");
        else if (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__FATAL)
            lane->failed = true;
        else if (code)
            return kafka_fail(lane->client, code, err, "producing to topic '%s'", sink->topic);
        kept->produced += !lane->failed;
    }
    rd_kafka_poll(kafka_client_handle(lane->client), 0);
    return SF_OK;
}

/* Rows that the topic's limit does not admit; the rest goes in smaller requests, by a producer that knows the limit. */
static SfStatus refuse_oversized(Lane *lane, SfError *err)
{
    Sink *sink = lane->sink;
    SF_TRY(topic_limit(sink, err));
    g_autofree char *cause = g_strdup_printf(
        "the record is larger than max.message.bytes of topic '%s', %" G_GINT64_FORMAT, sink->topic, sink->limit);
    for (guint i = 0; i < lane->kept->len; i++) {
        Kept *kept = &g_array_index(lane->kept, Kept, i);
        Rows rows;
        SF_TRY(rows_init(&rows, &g_array_index(sink->inputs, Input, kept->input), kept->batch, err));
        for (int64_t row = 0; row < sf_rows(kept->batch); row++) {
            if (record_size(lane, &rows, row) + RECORD_OVERHEAD > sink->limit)
                refuse(lane, kept, row, cause);
        }
    }
    return SF_OK;
}

/* Rows that break the topic's rules. Where none does, the broker has reasons of its own, and all rows of a request that
 * it refuses are rejects. */
static SfStatus refuse_faulty(Lane *lane, SfError *err)
{
    Sink *sink = lane->sink;
    TopicRules rules = topic_rules(sink);
    int64_t now_ms = sf_now_ms(lane->node);
    bool any = false;
    for (guint i = 0; i < lane->kept->len; i++) {
        Kept *kept = &g_array_index(lane->kept, Kept, i);
        Rows rows;
        SF_TRY(rows_init(&rows, &g_array_index(sink->inputs, Input, kept->input), kept->batch, err));
        for (int64_t row = 0; row < sf_rows(kept->batch); row++) {
            g_autofree char *cause = is_refused(kept, row) ? NULL : record_fault(sink, &rows, row, &rules, now_ms);
            any = any || cause;
            if (cause)
                refuse(lane, kept, row, cause);
        }
    }
    lane->blunt = !any;
    lane->refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
    return SF_OK;
}

/* A producer as new, with what the lane has kept. */
static SfStatus replace_producer(Lane *lane, SfError *err)
{
    g_autoptr(GArray) kept = g_steal_pointer(&lane->kept);
    lane->kept = g_array_new(FALSE, TRUE, sizeof(Kept));
    lane_shut(lane);
    g_array_unref(lane->kept);
    lane->kept = g_steal_pointer(&kept);
    SF_TRY(lane_open(lane, err));
    return transaction_init(lane, err);
}

/* The transaction anew: it was aborted by the broker, or a row of it was refused. */
static SfStatus make_again(Lane *lane, SfError *err)
{
    char reason[512];
    rd_kafka_t *rk = kafka_client_handle(lane->client);
    bool fatal = rd_kafka_fatal_error(rk, reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (fatal && lane->id)
        return sf_fail(err, SF_FENCED, "the producer '%s' is of no more use: %s", lane->id, reason);
    bool anew = lane->oversized || lane->refusal || fatal; /* another producer, whose start aborts what is open */
    if (!anew)
        SF_TRY(transaction_abort(lane, err));
    if (lane->oversized)
        SF_TRY(refuse_oversized(lane, err));
    if (lane->refusal)
        SF_TRY(refuse_faulty(lane, err));
    if (anew)
        SF_TRY(replace_producer(lane, err));
    lane->failed = lane->oversized = false;
    for (guint i = 0; i < lane->kept->len; i++)
        g_array_index(lane->kept, Kept, i).produced = 0;
    SF_TRY(transaction_begin(lane, err));
    for (guint i = 0; i < lane->kept->len; i++)
        SF_TRY(produce(lane, i, err));
    return SF_OK;
}

SfStatus delivery_write(Lane *lane, size_t input, const SfBatch *batch, SfError *err)
{
    if (lane->ending) /* the answer to the last commit is still outstanding */
        SF_TRY(lane_commit(lane, err));
    SF_TRY(transaction_begin(lane, err));
    guint last = lane->kept->len;
    bool repeated = last > 0 && g_array_index(lane->kept, Kept, last - 1).batch == batch;
    if (!repeated) {
        Kept kept = {.batch = sf_batch_ref(batch), .input = input};
        g_array_append_val(lane->kept, kept);
        last++;
    }
    return produce(lane, last - 1, err);
}

static SfStatus wait_for_reports(Lane *lane, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(lane->client);
    gint64 deadline = g_get_monotonic_time() + ANSWER_MS * 1000;
    while (rd_kafka_flush(rk, SLICE_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT && !lane->failed) {
        if (interrupted(lane->sink))
            return sf_fail(err, SF_RETRY, "interrupted");
        if (g_get_monotonic_time() > deadline)
            return kafka_fail(lane->client, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "producing to topic '%s'",
                              lane->sink->topic);
    }
    return SF_OK;
}

SfStatus delivery_flush(Lane *lane, SfError *err)
{
    for (int try = 0; try < 3; try++) {
        if (lane->failed)
            SF_TRY(make_again(lane, err));
        for (guint i = 0; i < lane->kept->len && !lane->failed; i++)
            SF_TRY(produce(lane, i, err)); /* what a full queue had left */
        SF_TRY(wait_for_reports(lane, err));
        if (!lane->failed)
            return SF_OK;
    }
    return sf_fail(err, SF_RETRY, "topic '%s' does not take the rows: %s", lane->sink->topic, lane->problem);
}
