/* Rows that the broker does not take: which it means, and what becomes of them. */
#include <string.h>

#include "sink.h"

#define REPORT_ROW_BITS 32

static bool has(const uint8_t *set, int64_t row)
{
    return set && (set[row >> 3] >> (row & 7) & 1);
}

static void add(uint8_t **set, const Kept *kept, int64_t row)
{
    if (!*set)
        *set = g_malloc0((gsize) (sf_rows(kept->batch) + 7) / 8);
    (*set)[row >> 3] |= (uint8_t) (1u << (row & 7));
}

bool row_refused(const Kept *kept, int64_t row)
{
    return has(kept->refused, row);
}

bool refuse_is_cut(const Kept *kept, int64_t row)
{
    return has(kept->cut, row);
}

void refuse(Lane *lane, Kept *kept, int64_t row, const char *cause)
{
    if (row_refused(kept, row))
        return;
    add(&kept->refused, kept, row);
    sf_reject(lane->node, kept->batch, row, "%s", cause);
}

void refuse_size(Lane *lane, Kept *kept, int64_t row, const char *cause)
{
    if (g_array_index(lane->sink->inputs, Input, kept->input).rejects && !refuse_is_cut(kept, row))
        add(&kept->cut, kept, row);
    else
        refuse(lane, kept, row, cause);
}

static void judge_large(Lane *lane, Kept *kept, int64_t row, const Rows *rows)
{
    SfBytes other = record_topic(rows, row);
    g_autofree char *topic = other.data ? g_strndup(other.data, (gsize) other.size) : g_strdup(lane->sink->topic);
    int64_t limit = topic_limit(lane->sink, topic);
    g_autofree char *cause =
        limit > 0 ? g_strdup_printf("the record is larger than max.message.bytes of topic '%s', %" G_GINT64_FORMAT,
                                    topic, limit)
                  : g_strdup_printf("the record is larger than what topic '%s' takes (max.message.bytes)", topic);
    refuse_size(lane, kept, row, cause);
}

SfStatus refuse_large(Lane *lane, SfError *err)
{
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, lane->topics);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        topic_limit(lane->sink, name);
    for (guint i = 0; i < lane->kept->len; i++) {
        Kept *kept = &g_array_index(lane->kept, Kept, i);
        g_autofree uint8_t *large = g_steal_pointer(&kept->large);
        Rows rows;
        SF_TRY(rows_init(&rows, &g_array_index(lane->sink->inputs, Input, kept->input), kept->batch, err));
        for (int64_t row = 0; large && row < sf_rows(kept->batch); row++) {
            if (has(large, row))
                judge_large(lane, kept, row, &rows);
        }
    }
    return SF_OK;
}

/* The broker says that of a request, for one of its records. */
static bool is_about_the_record(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP || code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

static bool is_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* Nothing else can be meant. */
static bool is_alone(const Lane *lane)
{
    return lane->single || (lane->kept->len == 1 && sf_rows(g_array_index(lane->kept, Kept, 0).batch) == 1);
}

static void refuse_by_report(Lane *lane, Kept *kept, int64_t row, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    const Input *input = &g_array_index(lane->sink->inputs, Input, kept->input);
    bool clock = message->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP && !record_has_time(input, kept->batch, row);
    char cause[384]; /* a report's payload is the record */
    kafka_explain(message->err, NULL, cause, sizeof cause);
    if (clock)
        g_snprintf(lane->problem, sizeof lane->problem, "partition %d: %s: this machine's clock or the broker's is off",
                   message->partition, cause);
    else
        g_snprintf(lane->problem, sizeof lane->problem, "partition %d of topic '%s': %s", message->partition, topic,
                   cause);
    lane->failed = true;
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        bool means_it = is_alone(lane) || (int64_t) (message->len + message->key_len) > lane->batch_size;
        if (means_it)
            add(&kept->large, kept, row);
        lane->sized = true;
        lane->oversized = lane->oversized || !means_it;
    } else if (is_missing(message->err)) {
        topic_forget(lane->sink, topic);
        lane->stale = true;
    } else if (is_about_the_record(message->err) && !clock) {
        if (lane->blunt || is_alone(lane))
            refuse(lane, kept, row, cause);
        else
            lane->refusal = message->err;
    }
}

void *report_pack(guint kept, int64_t row)
{
    return (void *) (((guintptr) (kept + 1) << REPORT_ROW_BITS) | (guintptr) row);
}

static Kept *report_unpack(const Lane *lane, const void *opaque, int64_t *row)
{
    guintptr number = (guintptr) opaque >> REPORT_ROW_BITS;
    *row = (int64_t) ((guintptr) opaque & G_MAXUINT32);
    return number > 0 && number <= lane->kept->len ? &g_array_index(lane->kept, Kept, number - 1) : NULL;
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
    refuse_by_report(lane, kept, row, message);
}

SfStatus refuse_faulty(Lane *lane, SfError *err)
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
            g_autofree char *cause = row_refused(kept, row) ? NULL : record_fault(sink, &rows, row, &rules, now_ms);
            any = any || cause;
            if (cause)
                refuse(lane, kept, row, cause);
        }
    }
    lane->blunt = !any;
    lane->refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
    return SF_OK;
}
