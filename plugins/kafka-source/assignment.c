/* Rebalances: what the group gives and takes, carried out with the sinks' positions. */
#include "source.h"

static void rebalance_free(Rebalance *rebalance)
{
    rd_kafka_topic_partition_list_destroy(rebalance->list);
    g_free(rebalance);
}

void assignment_event(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    SfNode *node = kafka_client_user(opaque);
    Source *source = node->state;
    if (source->closing) {
        if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
            given_add(rk, list);
        else
            given_remove(rk, list);
        return;
    }
    Rebalance *rebalance = g_new0(Rebalance, 1);
    rebalance->assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rebalance->lost = rd_kafka_assignment_lost(rk) != 0;
    rebalance->list = rd_kafka_topic_partition_list_copy(list);
    g_queue_push_tail(&source->rebalances, rebalance);
}

/* Partitions, and rebalances that were not carried out, are forgotten. */
static void clear(Source *source)
{
    for (guint i = 0; i < source->partitions->len; i++)
        partition_free(source->partitions->pdata[i]);
    g_ptr_array_set_size(source->partitions, 0);
    Rebalance *rebalance;
    while ((rebalance = g_queue_pop_head(&source->rebalances))) {
        /* what librdkafka waits to be told; it does not close before */
        if (rebalance->assign)
            given_add(kafka_client_handle(source->client), rebalance->list);
        else
            given_remove(kafka_client_handle(source->client), rebalance->list);
        rebalance_free(rebalance);
    }
}

/* A rebalance, or what is only to be let go: partitions that are given back at once may have sent records. */
static void serve_event(const Source *source, rd_kafka_event_t *event)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        assignment_event(rk, rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event),
                         rd_kafka_opaque(rk));
}

/* Leaves the group; what librdkafka does not finish in time is left behind. Not by rd_kafka_queue_poll_callback(),
 * which ends the process when it meets a record. */
static void leave(Source *source)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(rk);
    rd_kafka_error_t *refused = rd_kafka_consumer_close_queue(rk, queue);
    if (refused) {
        rd_kafka_error_destroy(refused);
        return;
    }
    gint64 deadline = g_get_monotonic_time() + CLOSE_MS * 1000;
    while (!rd_kafka_consumer_closed(rk) && g_get_monotonic_time() < deadline) {
        g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, 100);
        if (event)
            serve_event(source, event);
    }
}

void assignment_leave(SfNode *node)
{
    Source *source = node->state;
    source->closing = true;
    if (source->partitions)
        clear(source);
    if (source->client)
        leave(source);
}

/* A later epoch of a topic is another split: offsets of the topic that was deleted mean nothing in the new one. */
char *assignment_split_name(const Source *source, const rd_kafka_topic_partition_t *partition)
{
    if (source->epoch == 1)
        return g_strdup_printf("%s/%d", partition->topic, partition->partition);
    return g_strdup_printf("%s/%d@%" G_GINT64_FORMAT, partition->topic, partition->partition, source->epoch);
}

static void assignments_free(SfAssignment *assignments)
{
    for (SfAssignment *assignment = assignments; assignment && assignment->name; assignment++)
        g_free((char *) assignment->name);
    g_free(assignments);
}

static SfAssignment *assignments_new(const Source *source, const Bounds *bounds)
{
    const rd_kafka_topic_partition_list_t *starts = bounds->start;
    SfAssignment *assignments = g_new0(SfAssignment, (gsize) starts->cnt + 1);
    for (int i = 0; i < starts->cnt; i++)
        assignments[i] = (SfAssignment){.name = assignment_split_name(source, &starts->elems[i]),
                                        .topic = starts->elems[i].topic,
                                        .partition = starts->elems[i].partition,
                                        .start = starts->elems[i].offset};
    return assignments;
}

/* "assigned sales/0 at 100, sales/1 at 95, … 12 in all" */
static void log_assignment(SfNode *node, const SfAssignment *assignments, int n)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < MIN(n, 8); i++)
        g_string_append_printf(text, "%s%s at %" G_GINT64_FORMAT, i ? ", " : "", assignments[i].name,
                               assignments[i].position);
    if (n > 8)
        g_string_append_printf(text, ", … %d in all", n);
    const Source *source = node->state;
    if (n == 0 && source->partitions->len > 0) /* cooperative: nothing new */
        return;
    sf_log(node, SF_LOG_INFO, "assigned %s",
           n ? text->str : "no partition (the group has more members than partitions)");
}

static void adopt(SfNode *node, GPtrArray *fresh)
{
    Source *source = node->state;
    int64_t rows = 0;
    for (guint i = 0; i < fresh->len; i++)
        g_ptr_array_add(source->partitions, fresh->pdata[i]);
    for (guint i = 0; i < source->partitions->len && node->bounded; i++) {
        const Partition *partition = source->partitions->pdata[i];
        rows += partition->stop - partition->next;
    }
    source->assigned = true;
    source->waiting_since = 0;
    source->missing = false;
    source->trouble = SF_OK;
    kafka_client_up(source->client);
    sf_expect(node, node->bounded ? rows : -1);
}

/* Every rebalance pauses the partitions that stay and lets the consumer resume them where it thinks that it is. */
static void reseat(Source *source)
{
    holes_doubt_all(source);
    holes_seek(source);
}

static SfStatus assign_partitions(SfNode *node, const rd_kafka_topic_partition_list_t *list, SfError *err)
{
    Source *source = node->state;
    g_auto(Bounds) bounds = {0};
    SF_TRY(bounds_resolve(source, list, &bounds, err));
    SF_TRY(begin_resolve(node, list, &bounds, err));
    SfAssignment *assignments = assignments_new(source, &bounds);
    SfStatus status = sf_assign(node, assignments, (size_t) list->cnt, err);
    if (status == SF_OK)
        status = begin_settle(node, &bounds, assignments, (size_t) list->cnt, err);
    if (status == SF_OK)
        status = ids_check(node, &bounds, assignments, err);
    g_autoptr(rd_kafka_topic_partition_list_t) offsets = rd_kafka_topic_partition_list_copy(list);
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    for (int i = 0; i < list->cnt && status == SF_OK; i++) {
        int64_t *from = &offsets->elems[i].offset;
        status = bounds_check(node, &bounds, i, &assignments[i], from, err);
        if (status == SF_OK)
            g_ptr_array_add(fresh, partition_new(node, &assignments[i], *from, bounds.high->elems[i].offset));
    }
    if (status == SF_OK)
        status = bounds_doubt(node, &bounds, assignments, err);
    if (status == SF_OK) {
        for (guint i = 0; i < fresh->len; i++)
            given_forward(source, fresh->pdata[i]);
        rd_kafka_resp_err_t code = given_add(kafka_client_handle(source->client), offsets);
        status = code ? kafka_fail(source->client, code, err, "taking the partitions") : SF_OK;
        reseat(source);
    }
    if (status == SF_OK) {
        log_assignment(node, assignments, list->cnt);
        for (int i = 0; i < list->cnt; i++)
            sf_lag(node, assignments[i].split, bounds.high->elems[i].offset);
        adopt(node, fresh);
        ids_adopt(source, &bounds);
        publish_started(node, bounds.group);
    } else {
        g_ptr_array_foreach(fresh, (GFunc) (void (*)(void)) partition_free, NULL);
    }
    assignments_free(assignments);
    return status;
}

static SfStatus revoke_partitions(SfNode *node, const Rebalance *rebalance, SfError *err)
{
    Source *source = node->state;
    const rd_kafka_topic_partition_list_t *list = rebalance->list;
    g_autofree const SfSplit **splits = g_new(const SfSplit *, (gsize) list->cnt + 1);
    size_t n = 0;
    for (int i = 0; i < list->cnt; i++) {
        const Partition *partition = partition_find(source, list->elems[i].topic, list->elems[i].partition);
        if (partition)
            splits[n++] = partition->split;
    }
    source->publish_now = true; /* the next owner of the group's offsets is another process */
    SfStatus status = n > 0 ? sf_revoke(node, splits, n, rebalance->lost, err) : SF_OK;
    source->publish_now = false;
    if (status == SF_FENCED) /* this attempt is over, and its end may take long where a sink hangs */
        assignment_leave(node);
    SF_TRY(status);
    for (guint i = source->partitions->len; i-- > 0;) {
        Partition *partition = source->partitions->pdata[i];
        if (!rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *) list, partition->topic,
                                                partition->partition))
            continue;
        partition_free(partition);
        g_ptr_array_remove_index(source->partitions, i);
    }
    if (n > 0)
        sf_log(node, SF_LOG_INFO, rebalance->lost ? "lost %zu partitions" : "gave %zu partitions back", n);
    if (source->partitions->len == 0)
        source->waiting_since = g_get_monotonic_time();
    rd_kafka_resp_err_t code = given_remove(kafka_client_handle(source->client), list);
    reseat(source);
    return code ? kafka_fail(source->client, code, err, "giving the partitions back") : SF_OK;
}

SfStatus assignment_serve(SfNode *node, SfError *err)
{
    Source *source = node->state;
    Rebalance *rebalance;
    while ((rebalance = g_queue_peek_head(&source->rebalances))) {
        bool overtaken = rebalance->assign && g_queue_get_length(&source->rebalances) > 1;
        if (overtaken) {
            given_add(kafka_client_handle(source->client),
                      rebalance->list); /* only so that it can be taken away again */
            reseat(source);
        } else if (rebalance->assign) {
            SF_TRY(assign_partitions(node, rebalance->list, err));
        } else {
            SF_TRY(revoke_partitions(node, rebalance, err));
        }
        rebalance_free(g_queue_pop_head(&source->rebalances));
    }
    return SF_OK;
}
