/* Requests about offsets and groups: each waits for its answer within a deadline. */
#include <string.h>

#include "client.h"

rd_kafka_AdminOptions_t *kafka_admin_options(KafkaClient *client, rd_kafka_admin_op_t op, int timeout_ms)
{
    char reason[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client->rk, op);
    if (rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason))
        g_debug("request timeout %d: %s", timeout_ms, reason);
    return options;
}

/* Waits for an admin request's answer; what it holds is the caller's to look at. */
SfStatus kafka_await(KafkaClient *client, rd_kafka_queue_t *queue, int timeout_ms, const char *what,
                     rd_kafka_event_t **out, SfError *err)
{
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, timeout_ms + 500);
    kafka_serve(client);
    if (!event)
        return kafka_fail(client, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "%s", what);
    if (rd_kafka_event_error(event))
        return kafka_fail(client, rd_kafka_event_error(event), err, "%s", what);
    *out = g_steal_pointer(&event);
    return SF_OK;
}

SfStatus kafka_offsets_at(KafkaClient *client, rd_kafka_topic_partition_list_t *list, int64_t time, int timeout_ms,
                          SfError *err)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time;
    return kafka_offsets_at_own(client, list, timeout_ms, err);
}

SfStatus kafka_offsets_at_own(KafkaClient *client, rd_kafka_topic_partition_list_t *list, int timeout_ms, SfError *err)
{
    if (list->cnt == 0)
        return SF_OK;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client->rk, list, timeout_ms);
    kafka_serve(client);
    if (code)
        return kafka_fail(client, code, err, "asking for the offsets of '%s'", list->elems[0].topic);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return kafka_fail(client, list->elems[i].err, err, "asking for the offsets of '%s/%d'",
                              list->elems[i].topic, list->elems[i].partition);
    return SF_OK;
}

/* Copies offsets and metadata of the answer into the list; what the answer lacks stays without an offset. */
static SfStatus take_offsets(const KafkaClient *client, const rd_kafka_topic_partition_list_t *answer,
                             rd_kafka_topic_partition_list_t *list, SfError *err)
{
    SfStatus status = SF_OK;
    for (int i = 0; i < answer->cnt; i++) {
        const rd_kafka_topic_partition_t *from = &answer->elems[i];
        rd_kafka_topic_partition_t *to = rd_kafka_topic_partition_list_find(list, from->topic, from->partition);
        if (to && from->err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
            to->err = from->err;
        if (from->err && from->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            status = kafka_fail(client, from->err, err, "reading the group's offset of '%s/%d'", from->topic,
                                from->partition);
        if (!to || from->offset < 0)
            continue;
        to->offset = from->offset;
        if (from->metadata_size > 0) {
            to->metadata = malloc(from->metadata_size); /* librdkafka frees it with free() */
            if (!to->metadata)
                return sf_fail(err, SF_FATAL, "out of memory");
            memcpy(to->metadata, from->metadata, from->metadata_size);
            to->metadata_size = from->metadata_size;
        }
    }
    return status;
}

/* Sends the question; its answer comes to the queue with `opaque`. */
static SfStatus send_group_question(KafkaClient *client, rd_kafka_queue_t *queue, const char *group,
                                    rd_kafka_topic_partition_list_t *list, int timeout_ms, void *opaque, SfError *err)
{
    g_autoptr(rd_kafka_AdminOptions_t) options =
        kafka_admin_options(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms);
    rd_kafka_error_t *refused = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    if (refused)
        return kafka_fail_error(client, refused, err, "reading the offsets of group '%s'", group);
    rd_kafka_AdminOptions_set_opaque(options, opaque);
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(client->rk, &request, 1, options, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
        list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return SF_OK;
}

static SfStatus take_group_answer(const KafkaClient *client, rd_kafka_event_t *event,
                                  rd_kafka_topic_partition_list_t *list, const char *what, rd_kafka_resp_err_t *code,
                                  SfError *err)
{
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
    if (n != 1)
        return sf_fail(err, SF_RETRY, "%s: the broker's answer names %zu groups", what, n);
    const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
    *code = rd_kafka_error_code(error);
    if (error)
        return kafka_fail(client, *code, err, "%s", what);
    return take_offsets(client, rd_kafka_group_result_partitions(groups[0]), list, err);
}

static SfStatus ask_group_offsets(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list,
                                  int timeout_ms, rd_kafka_resp_err_t *code, SfError *err)
{
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(client->rk);
    SF_TRY(send_group_question(client, queue, group, list, timeout_ms, NULL, err));
    g_autofree char *what = g_strdup_printf("reading the offsets of group '%s'", group);
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, timeout_ms + 500);
    kafka_serve(client);
    *code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (*code)
        return kafka_fail(client, *code, err, "%s", what);
    return take_group_answer(client, event, list, what, code, err);
}

/* What passes by itself within seconds: the coordinator has just moved or started. */
static bool passes_by_itself(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS || code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
}

typedef SfStatus (*GroupRequest)(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list,
                                 int timeout_ms, rd_kafka_resp_err_t *code, SfError *err);

/* librdkafka keeps asking the coordinator that it knows, also where that one says or shows by its silence that it is
 * none any more: only another handle looks it up anew. */
static SfStatus ask_until_settled(KafkaClient *client, GroupRequest request, const char *group,
                                  rd_kafka_topic_partition_list_t *list, int timeout_ms, SfError *err)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
    for (;;) {
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
        SfStatus status = request(client, group, list, timeout_ms, &code, err);
        if (status == SF_OK)
            return status;
        if (code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || code == RD_KAFKA_RESP_ERR__TIMED_OUT)
            kafka_client_renew(client);
        if (status != SF_RETRY || !passes_by_itself(code) || g_get_monotonic_time() > deadline)
            return status;
        g_usleep(50 * 1000);
    }
}

SfStatus kafka_group_offsets(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list,
                             int timeout_ms, SfError *err)
{
    return ask_until_settled(client, ask_group_offsets, group, list, timeout_ms, err);
}

/* Questions on their way at a time. */
#define QUESTIONS 50

void kafka_groups_offsets(KafkaClient *client, KafkaGroupQuestion *questions, size_t n, int timeout_ms)
{
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(client->rk);
    size_t sent = 0, open = 0;
    SfError err;
    for (size_t i = 0; i < n; i++)
        questions[i].answered = false;
    while (open > 0 || sent < n) {
        for (; sent < n && open < QUESTIONS; sent++) {
            KafkaGroupQuestion *next = &questions[sent];
            open += send_group_question(client, queue, next->group, next->list, timeout_ms, next, &err) == SF_OK;
        }
        g_autoptr(rd_kafka_event_t) event = open > 0 ? rd_kafka_queue_poll(queue, timeout_ms + 500) : NULL;
        kafka_serve(client);
        if (!event)
            return; /* none comes any more */
        KafkaGroupQuestion *asked = rd_kafka_event_opaque(event);
        rd_kafka_resp_err_t code = rd_kafka_event_error(event);
        open--;
        asked->answered = !code && take_group_answer(client, event, asked->list, asked->group, &code, &err) == SF_OK;
    }
}

static SfStatus set_group_offsets(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list,
                                  int timeout_ms, rd_kafka_resp_err_t *code, SfError *err)
{
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(client->rk);
    g_autoptr(rd_kafka_AdminOptions_t) options =
        kafka_admin_options(client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms);
    rd_kafka_AlterConsumerGroupOffsets_t *request = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(client->rk, &request, 1, options, queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);

    g_autofree char *what = g_strdup_printf("setting the offsets of group '%s'", group);
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, timeout_ms + 500);
    kafka_serve(client);
    *code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (*code)
        return kafka_fail(client, *code, err, "%s", what);
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(event), &n);
    if (n != 1)
        return sf_fail(err, SF_RETRY, "%s: the broker's answer names %zu groups", what, n);
    const rd_kafka_topic_partition_list_t *answer = rd_kafka_group_result_partitions(groups[0]);
    *code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    for (int i = 0; !*code && answer && i < answer->cnt; i++)
        *code = answer->elems[i].err;
    return *code ? kafka_fail(client, *code, err, "%s", what) : SF_OK;
}

SfStatus kafka_group_set(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list, int timeout_ms,
                         SfError *err)
{
    return ask_until_settled(client, set_group_offsets, group, list, timeout_ms, err);
}
