/* Rows on their way to the broker: produced, waited for, made again when the broker gave the transaction up. */
#include <string.h>

#include "sink.h"

/* What a reject that is too large is cut to where the broker does not tell its topic's limit, in bytes. */
#define CUT_UNKNOWN 1000

/* `since`: when the row at hand began to wait. */
static SfStatus wait_for_room(Lane *lane, gint64 since, SfError *err)
{
    if (interrupted(lane->sink))
        return sf_fail(err, SF_RETRY, "interrupted");
    waiting_begin(lane);
    rd_kafka_poll(kafka_client_handle(lane->client), SLICE_MS);
    if (kafka_client_down(lane->client))
        return kafka_client_probe(lane->client, KAFKA_PROBE_MS, err);
    return g_get_monotonic_time() - since > ANSWER_MS * 1000 ? waiting_fail(lane, err) : SF_OK;
}

/* The topic that the row goes to; NULL: its name is a reject's cause, which err has. */
static SfStatus topic_for(Lane *lane, const Rows *rows, int64_t row, rd_kafka_topic_t **out, SfError *err)
{
    SfBytes name = record_topic(rows, row);
    *out = lane->topic;
    if (!name.data)
        return SF_OK;
    SF_TRY(topic_of_row(lane->node, name, err));
    g_autofree char *text = g_strndup(name.data, (gsize) name.size);
    *out = lane_topic(lane, text);
    return *out ? SF_OK : kafka_fail(lane->client, rd_kafka_last_error(), err, "topic '%s'", text);
}

/* What a reject that is too large is cut to. */
static int64_t cut_to(const Lane *lane, const char *topic)
{
    const Output *output = g_hash_table_lookup(lane->sink->outputs, topic);
    int64_t limit = output && output->limit > 0 ? output->limit : CUT_UNKNOWN;
    return MAX(MIN(limit, lane->batch_size > 1 ? lane->batch_size : limit), 1);
}

/* One row; SF_EMPTY: there is no room for it now. */
static SfStatus produce_row(Lane *lane, guint index, const Rows *rows, int64_t row, SfError *err)
{
    Kept *kept = &g_array_index(lane->kept, Kept, index);
    rd_kafka_topic_t *topic = NULL;
    SfStatus status = topic_for(lane, rows, row, &topic, err);
    if (status == SF_REJECT)
        refuse(lane, kept, row, err->message);
    if (status != SF_OK)
        return status == SF_REJECT ? SF_OK : status;
    const char *name = rd_kafka_topic_name(topic);
    int64_t limit = refuse_is_cut(kept, row) ? cut_to(lane, name) : 0;
    rd_kafka_resp_err_t code = record_produce(lane, rows, row, topic, limit, report_pack(index, row));
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && rd_kafka_outq_len(kafka_client_handle(lane->client)) > 0)
        return SF_EMPTY;
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        refuse_size(lane, kept, row,
                    "the record is larger than this step's client may send (kafka: message.max.bytes, "
                    "queue.buffering.max.kbytes)");
        return row_refused(kept, row) ? SF_OK : produce_row(lane, index, rows, row, err);
    } else if (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__FATAL) {
        lane->failed = true;
    } else if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
        topic_forget(lane->sink, name);
        lane->failed = lane->stale = true;
    } else if (code) {
        return kafka_fail(lane->client, code, err, "producing to topic '%s'", name);
    }
    return SF_OK;
}

/* Rows from where the last try stopped. */
static SfStatus produce(Lane *lane, guint index, SfError *err)
{
    const Sink *sink = lane->sink;
    Kept *kept = &g_array_index(lane->kept, Kept, index);
    Rows rows;
    SF_TRY(rows_init(&rows, &g_array_index(sink->inputs, Input, kept->input), kept->batch, err));
    gint64 full_since = 0;
    while (kept->produced < sf_rows(kept->batch) && !lane->failed) {
        int64_t row = kept->produced;
        SfStatus status = row_refused(kept, row) ? SF_OK : produce_row(lane, index, &rows, row, err);
        if (status == SF_EMPTY) {
            full_since = full_since > 0 ? full_since : g_get_monotonic_time();
            SF_TRY(wait_for_room(lane, full_since, err));
        } else if (status != SF_OK) {
            return status;
        } else {
            kept->produced += !lane->failed;
            if (full_since > 0)
                waiting_end(lane);
            full_since = 0;
        }
    }
    rd_kafka_poll(kafka_client_handle(lane->client), 0);
    return SF_OK;
}

/* A new producer for what the lane has kept, none of which counts as produced. The lane stays failed until it is there:
 * where its start is cut short, nothing must be committed without these rows. */
static SfStatus replace_producer(Lane *lane, SfError *err)
{
    g_autoptr(GArray) kept = g_steal_pointer(&lane->kept);
    lane->kept = g_array_new(FALSE, TRUE, sizeof(Kept));
    bool blunt = lane->blunt, undecided = lane->undecided;
    gint64 waiting_us = lane->coordinator.silent ? lane->waiting_us : 0; /* it is still the same wait */
    lane_shut(lane);
    lane->waiting_us = waiting_us;
    g_array_unref(lane->kept);
    lane->kept = g_steal_pointer(&kept);
    for (guint i = 0; i < lane->kept->len; i++)
        g_array_index(lane->kept, Kept, i).produced = 0;
    lane->blunt = blunt;
    lane->undecided = undecided;
    lane->failed = true;
    SF_TRY(lane_open(lane, err));
    lane->failed = false;
    return SF_OK;
}

/* A request was refused for its size: the next producer's are as small as the topics want them. Where the last one's
 * were small enough already, each record has to show by itself what is wrong. */
static void learn_size(Lane *lane)
{
    const Sink *sink = lane->sink;
    lane->single = sink->limit <= 0 || sink->limit >= lane->batch_size;
}

/* What the broker has refused: which rows it means, and how the next producer sends them. */
static SfStatus judge(Lane *lane, SfError *err)
{
    if (lane->sized && lane->client)
        SF_TRY(refuse_large(lane, err));
    if (lane->oversized)
        learn_size(lane);
    if (lane->refusal)
        SF_TRY(refuse_faulty(lane, err));
    return lane->stale ? topic_ensure(lane->node, err) : SF_OK;
}

/* The transaction anew: it was aborted by the broker, or a row of it was refused. Always by another producer, whose
 * start aborts what is open: librdkafka's sequence numbers are not to be trusted after a record of a transaction was
 * refused (one that follows waits for 60 s; seen with 2.0.2). */
static SfStatus make_again(Lane *lane, SfError *err)
{
    char reason[512];
    rd_kafka_t *rk = lane->client ? kafka_client_handle(lane->client) : NULL;
    if (rk && lane->id && rd_kafka_fatal_error(rk, reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return sf_fail(err, SF_FENCED, "the producer '%s' cannot be used any longer: %s", lane->id, reason);
    if (rk)
        kafka_client_given_up(lane->client, lane->problem, sizeof lane->problem);
    SF_TRY(judge(lane, err));
    SF_TRY(replace_producer(lane, err));
    if (lane->ended) {
        sf_log(lane->node, SF_LOG_INFO, "transaction '%s' was committed, though its coordinator had not answered",
               lane->id);
        return SF_OK;
    }
    SF_TRY(transaction_begin(lane, err));
    for (guint i = 0; i < lane->kept->len; i++)
        SF_TRY(produce(lane, i, err));
    return SF_OK;
}

SfStatus delivery_write(Lane *lane, size_t input, const SfBatch *batch, SfError *err)
{
    if (!lane->failed) {
        SF_TRY(topic_ensure(lane->node, err));
        SF_TRY(lane_open(lane, err));
        SF_TRY(transaction_begin(lane, err));
    }
    guint last = lane->kept->len;
    bool repeated = last > 0 && g_array_index(lane->kept, Kept, last - 1).batch == batch;
    if (!repeated) {
        Kept kept = {.batch = sf_batch_ref(batch), .input = input};
        g_array_append_val(lane->kept, kept);
        last++;
    }
    return lane->failed ? SF_OK : produce(lane, last - 1, err);
}

static SfStatus wait_for_reports(Lane *lane, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(lane->client);
    gint64 deadline = g_get_monotonic_time() + ANSWER_MS * 1000;
    waiting_begin(lane);
    while (rd_kafka_flush(rk, SLICE_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT && !lane->failed) {
        if (interrupted(lane->sink))
            return sf_fail(err, SF_RETRY, "interrupted");
        if (g_get_monotonic_time() > deadline)
            return waiting_fail(lane, err);
    }
    waiting_end(lane);
    return SF_OK;
}

SfStatus delivery_flush(Lane *lane, SfError *err)
{
    for (int try = 0; try < 3; try++) {
        if (lane->failed)
            SF_TRY(make_again(lane, err));
        if (lane->ended)
            return SF_OK;
        for (guint i = 0; i < lane->kept->len && !lane->failed; i++)
            SF_TRY(produce(lane, i, err)); /* what a full queue had left */
        SF_TRY(wait_for_reports(lane, err));
        if (!lane->failed)
            return SF_OK;
    }
    return sf_fail(err, SF_RETRY, "the broker does not take the rows of '%s': %s", lane->split->name, lane->problem);
}
