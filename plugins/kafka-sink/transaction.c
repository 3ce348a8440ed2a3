/* Transactions of a lane: begin, commit with the ends of ranges; what is open is aborted where the producer stops, or
 * by the start of the next one. All calls may be repeated after SF_RETRY. */
#include <string.h>

#include "sink.h"

typedef rd_kafka_error_t *(*Call)(rd_kafka_t *rk, int timeout_ms);

/* Repeats a call that librdkafka lets be repeated until it answers, the time is over or the host interrupts. NULL:
 * done. */
static rd_kafka_error_t *call_until_answered(Lane *lane, Call call)
{
    gint64 deadline = g_get_monotonic_time() + ANSWER_MS * 1000;
    waiting_begin(lane);
    for (;;) {
        rd_kafka_error_t *error = call(kafka_client_handle(lane->client), SLICE_MS);
        rd_kafka_poll(kafka_client_handle(lane->client), 0);
        bool again = error && rd_kafka_error_is_retriable(error) && g_get_monotonic_time() < deadline &&
                     !interrupted(lane->sink);
        if (!error)
            waiting_end(lane);
        if (!again)
            return error;
        rd_kafka_error_destroy(error);
    }
}

/* Frees the error. */
static SfStatus fail_transaction(Lane *lane, rd_kafka_error_t *error, const char *what, SfError *err)
{
    if (waiting_fail_transaction(lane, error, what, err)) {
        rd_kafka_error_destroy(error);
        return SF_RETRY;
    }
    return kafka_fail_error(lane->client, error, err, "transaction '%s' %s", lane->id, what);
}

SfStatus transaction_init(Lane *lane, SfError *err)
{
    if (!lane->id || lane->ready)
        return SF_OK;
    rd_kafka_error_t *error = lane->started ? NULL : call_until_answered(lane, rd_kafka_init_transactions);
    if (error)
        return fail_transaction(lane, error, "does not start", err);
    lane->started = true; /* once a producer; what follows may have to be asked again */
    kafka_client_up(lane->client);
    SF_TRY(chains_verify(lane, err));
    lane->ready = true;
    return SF_OK;
}

SfStatus transaction_begin(Lane *lane, SfError *err)
{
    if (!lane->id || lane->begun_us > 0)
        return SF_OK;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(kafka_client_handle(lane->client));
    if (error)
        return kafka_fail_error(lane->client, error, err, "transaction '%s' does not begin", lane->id);
    lane->begun_us = g_get_monotonic_time();
    return SF_OK;
}

/* Where the transaction is to be aborted, the next try makes it again; a commit that was asked for may have come about
 * all the same, and the next producer finds out. */
static SfStatus fail_end(Lane *lane, rd_kafka_error_t *error, SfError *err)
{
    if (rd_kafka_error_txn_requires_abort(error)) {
        lane->failed = true;
        lane->undecided = lane->undecided || lane->ending;
        lane->ending = false;
    }
    char cause[256];
    SfStatus status = fail_transaction(lane, error, "does not end", err);
    if (kafka_client_given_up(lane->client, cause, sizeof cause)) /* it names the topic that was meant */
        return sf_fail(err, status, "the transaction of '%s' was given up: %s", lane->split->name, cause);
    return status;
}

static SfStatus send_offsets(Lane *lane, const char *group, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) list = chains_offsets(lane, group);
    if (list->cnt == 0)
        return SF_OK;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new(group);
    waiting_begin(lane);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(kafka_client_handle(lane->client), list, metadata, ANSWER_MS);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_poll(kafka_client_handle(lane->client), 0); /* statistics: which broker keeps us waiting */
    if (error)
        return fail_end(lane, error, err);
    waiting_end(lane);
    return SF_OK;
}

static bool group_seen(const Lane *lane, guint before)
{
    for (guint i = 0; i < before; i++) {
        const Chain *chain = ranges_at(lane->chains, i);
        if (strcmp(chain->group, ((const Chain *) ranges_at(lane->chains, before))->group) == 0)
            return true;
    }
    return false;
}

static SfStatus each_group(Lane *lane, SfStatus (*call)(Lane *lane, const char *group, SfError *err), SfError *err)
{
    for (guint i = 0; i < ranges_count(lane->chains); i++) {
        const Chain *chain = ranges_at(lane->chains, i);
        if (!group_seen(lane, i))
            SF_TRY(call(lane, chain->group, err));
    }
    return SF_OK;
}

static SfStatus set_offsets(Lane *lane, const char *group, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) list = chains_offsets(lane, group);
    return list->cnt > 0 ? kafka_group_set(lane->sink->client, group, list, ANSWER_MS, err) : SF_OK;
}

SfStatus transaction_commit(Lane *lane, SfError *err)
{
    if (!lane->id)
        return each_group(lane, set_offsets, err);
    if (lane->ended)
        return SF_OK;
    if (!lane->ending) {
        SF_TRY(transaction_begin(lane, err));
        sf_fault(lane->node, "kafka-sink-before-offsets");
        SF_TRY(each_group(lane, send_offsets, err));
        sf_fault(lane->node, "kafka-sink-before-commit");
        lane->ending = true;
    }
    rd_kafka_error_t *error = call_until_answered(lane, rd_kafka_commit_transaction);
    if (error)
        return fail_end(lane, error, err);
    sf_fault(lane->node, "kafka-sink-after-commit");
    lane->ending = false;
    lane->begun_us = 0;
    return SF_OK;
}
