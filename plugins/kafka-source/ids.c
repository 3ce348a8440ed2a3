/* Topics that were deleted and created anew, told by their ids, where librdkafka and the broker know them. Sinks keep
 * the id beside their positions, and the group with its offsets; it is asked for again while the topic is read. */
#include <string.h>

#include "source.h"

#define AGAIN_US (10 * G_USEC_PER_SEC)
#define PREFIX "topic-id:"

static const char *id_in(GHashTable *ids, const char *topic)
{
    return ids ? g_hash_table_lookup(ids, topic) : NULL;
}

void ids_note(rd_kafka_topic_partition_t *offset, const Source *source)
{
    const char *id = id_in(source->ids, offset->topic);
    if (!id)
        return;
    offset->metadata_size = strlen(PREFIX) + strlen(id);
    offset->metadata = malloc(offset->metadata_size + 1); /* librdkafka frees it with free() */
    if (offset->metadata)
        g_snprintf(offset->metadata, offset->metadata_size + 1, PREFIX "%s", id);
    else
        offset->metadata_size = 0;
}

/* Sinks keep the id beside their positions. */
static void originate(SfNode *node, const SfSplit *split, const char *id)
{
    g_autofree char *origin = g_strconcat(PREFIX, id, NULL);
    sf_set_origin(node, split, origin);
}

/* The id of another topic that a sink has rows of under this name, or NULL. */
static const char *kept(SfNode *node, const SfSplit *split)
{
    const char *other = sf_other_origin(node, split);
    return other && g_str_has_prefix(other, PREFIX) ? other + strlen(PREFIX) : NULL;
}

/* The id that the group's offset was committed with. */
static char *noted(const rd_kafka_topic_partition_t *offset)
{
    const char *text = offset->metadata;
    size_t prefix = strlen(PREFIX);
    if (offset->offset < 0 || !text || offset->metadata_size <= prefix || memcmp(text, PREFIX, prefix) != 0)
        return NULL;
    return g_strndup(text + prefix, offset->metadata_size - prefix);
}

static GPtrArray *names_of(const rd_kafka_topic_partition_list_t *list)
{
    GPtrArray *names = g_ptr_array_new();
    for (int i = 0; i < list->cnt; i++) {
        if (!g_ptr_array_find_with_equal_func(names, list->elems[i].topic, g_str_equal, NULL))
            g_ptr_array_add(names, list->elems[i].topic);
    }
    return names;
}

void ids_resolve(Source *source, const rd_kafka_topic_partition_list_t *list, Bounds *bounds)
{
    g_autoptr(GPtrArray) names = names_of(list);
    g_autoptr(rd_kafka_queue_t) answers = rd_kafka_queue_new(kafka_client_handle(source->client));
    if (!kafka_topic_ids_ask(source->client, (const char *const *) names->pdata, names->len, ANSWER_MS, answers))
        return;
    g_autoptr(rd_kafka_event_t) answer = rd_kafka_queue_poll(answers, ANSWER_MS);
    bounds->ids = answer ? kafka_topic_ids_take(answer) : NULL;
}

static SfStatus recreated(SfNode *node, const char *topic, const char *before, const char *now, SfError *err)
{
    const Source *source = node->state;
    if (source->on_recreated == ON_RECREATED_STOP)
        return sf_fail(err, SF_CONFIG,
                       "topic '%s' was deleted and created anew: its id was %s, and is %s now; set 'epoch: "
                       "%" G_GINT64_FORMAT
                       "' to read it from its start as a new topic, or 'on_recreated: continue' to leave out what is "
                       "before the sinks' positions",
                       topic, before, now, source->epoch + 1);
    sf_log(node, SF_LOG_WARNING,
           "topic '%s' was deleted and created anew (id %s, now %s); going on after the sinks' positions "
           "(on_recreated: continue)",
           topic, before, now);
    return SF_OK;
}

/* Drops the group's offsets that belong to a topic that is gone. */
void ids_forget(Bounds *bounds)
{
    for (int i = 0; i < bounds->group->cnt; i++) {
        rd_kafka_topic_partition_t *offset = &bounds->group->elems[i];
        g_autofree char *before = noted(offset);
        const char *now = id_in(bounds->ids, offset->topic);
        if (!before || !now || strcmp(before, now) == 0)
            continue;
        if (!bounds->gone)
            bounds->gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(bounds->gone, g_strdup(offset->topic), g_steal_pointer(&before));
        offset->offset = RD_KAFKA_OFFSET_INVALID;
    }
}

/* The id of the topic before, by the sinks, by the group, or as it was when we read it last; NULL: it is the same. */
static const char *id_before(SfNode *node, const Bounds *bounds, const SfAssignment *assignment, const char *now)
{
    const Source *source = node->state;
    if (sf_furthest(node, assignment->split) == SF_POSITION_NONE)
        return NULL;
    const char *before = kept(node, assignment->split);
    before = before ? before : id_in(bounds->gone, assignment->topic);
    before = before ? before : id_in(source->ids, assignment->topic);
    return before && strcmp(before, now) != 0 ? before : NULL;
}

SfStatus ids_check(SfNode *node, Bounds *bounds, const SfAssignment *assignments, SfError *err)
{
    for (int i = 0; bounds->ids && i < bounds->group->cnt; i++) {
        const char *topic = assignments[i].topic, *now = id_in(bounds->ids, topic);
        if (!now)
            continue;
        originate(node, assignments[i].split, now);
        const char *before = id_before(node, bounds, &assignments[i], now);
        if (before)
            SF_TRY(recreated(node, topic, before, now, err));
    }
    return SF_OK;
}

void ids_adopt(Source *source, Bounds *bounds)
{
    GHashTableIter iter;
    gpointer topic, id;
    if (!bounds->ids)
        return;
    source->ids_asked = g_get_monotonic_time();
    if (!source->ids)
        source->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_iter_init(&iter, bounds->ids);
    while (g_hash_table_iter_next(&iter, &topic, &id))
        g_hash_table_insert(source->ids, g_strdup(topic), g_strdup(id));
}

/* ---- while it is read ------------------------------------------------ */

static void ask_again(Source *source)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer topic;
    source->ids_asked = g_get_monotonic_time();
    g_hash_table_iter_init(&iter, source->ids);
    while (g_hash_table_iter_next(&iter, &topic, NULL))
        g_ptr_array_add(names, topic);
    if (!source->id_answers)
        source->id_answers = rd_kafka_queue_new(kafka_client_handle(source->client));
    kafka_topic_ids_ask(source->client, (const char *const *) names->pdata, names->len, ANSWER_MS, source->id_answers);
}

/* Whether anything of the topic was read that the new one's offsets would be taken for. */
static bool was_read(const Source *source, const char *topic)
{
    for (guint i = 0; i < source->partitions->len; i++) {
        const Partition *partition = source->partitions->pdata[i];
        if (strcmp(partition->topic, topic) == 0 && partition->next > 0)
            return true;
    }
    return false;
}

static void change(SfNode *node, const char *topic, const char *id)
{
    Source *source = node->state;
    g_hash_table_insert(source->ids, g_strdup(topic), g_strdup(id));
    for (guint i = 0; i < source->partitions->len; i++) {
        const Partition *partition = source->partitions->pdata[i];
        if (strcmp(partition->topic, topic) == 0)
            originate(node, partition->split, id);
    }
}

static SfStatus take_ids(SfNode *node, int timeout_ms, SfError *err)
{
    Source *source = node->state;
    g_autoptr(rd_kafka_event_t) answer =
        source->id_answers ? rd_kafka_queue_poll(source->id_answers, timeout_ms) : NULL;
    if (!answer)
        return SF_OK;
    g_autoptr(GHashTable) ids = kafka_topic_ids_take(answer);
    GHashTableIter iter;
    gpointer topic, id;
    g_hash_table_iter_init(&iter, ids);
    while (g_hash_table_iter_next(&iter, &topic, &id)) {
        const char *before = id_in(source->ids, topic);
        if (!before || strcmp(before, id) == 0)
            continue;
        if (was_read(source, topic))
            SF_TRY(recreated(node, topic, before, id, err));
        change(node, topic, id);
    }
    return SF_OK;
}

SfStatus ids_serve(SfNode *node, SfError *err)
{
    Source *source = node->state;
    if (!source->ids || source->partitions->len == 0)
        return SF_OK;
    if (g_get_monotonic_time() - source->ids_asked > AGAIN_US)
        ask_again(source);
    return take_ids(node, 0, err);
}

/* Answers to earlier questions are of before. */
SfStatus ids_confirm(SfNode *node, SfError *err)
{
    Source *source = node->state;
    if (!source->ids || source->partitions->len == 0)
        return SF_OK;
    g_clear_pointer(&source->id_answers, rd_kafka_queue_destroy);
    ask_again(source);
    return take_ids(node, ANSWER_MS, err);
}
