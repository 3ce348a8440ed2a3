/* FindCoordinator, OffsetCommit, OffsetFetch; see api.h. */
#include "api.h"
#include "groups.h"

Outcome api_find_coordinator(Request *request)
{
    Out *out = &request->out;
    in_text(&request->in);
    if (request->version >= 1)
        in_i8(&request->in);
    in_tags(&request->in);
    if (request->version >= 1)
        out_i32(out, 0);
    out_i16(out, CODE_OK);
    if (request->version >= 1)
        out_text(out, NULL);
    out_i32(out, BROKER_NODE);
    out_text(out, request->broker->host);
    out_i32(out, request->broker->port);
    out_tags(out);
    return ANSWERED;
}

/* Somebody who is not a member may commit while nobody is. */
static Code may_commit(const Broker *broker, const char *id, const char *member, const char *instance,
                       gint32 generation)
{
    Member *found = NULL;
    const Group *group = groups_find(broker, id);
    if (!id || !*id)
        return CODE_INVALID_GROUP;
    if (generation < 0)
        return group && group->members->len > 0 ? CODE_UNKNOWN_MEMBER : CODE_OK;
    Code code = group_check(group, member, instance, generation, &found);
    return code == CODE_OK && group->state == GROUP_COMPLETING ? CODE_REBALANCE_IN_PROGRESS : code;
}

void api_commit_partition(Request *request, const char *topic, gpointer data)
{
    const CommitRequest *commit = data;
    Code code = commit->code;
    gint32 number = in_i32(&request->in);
    gint64 offset = in_i64(&request->in);
    if (request->version >= commit->epochs_since)
        in_i32(&request->in);
    const char *metadata = in_text(&request->in);
    in_tags(&request->in);
    if (code == CODE_OK && !store_partition(request->broker, topic, number))
        code = CODE_UNKNOWN_TOPIC;
    if (code == CODE_OK && !request->in.broken)
        g_ptr_array_add(commit->out, pending_new(commit->group, topic, number, offset, metadata));
    out_i32(&request->out, number);
    out_i16(&request->out, (gint16) code);
    out_tags(&request->out);
}

Outcome api_offset_commit(Request *request)
{
    In *in = &request->in;
    Out *out = &request->out;
    const char *group = in_text(in);
    gint32 generation = in_i32(in);
    const char *member = in_text(in);
    const char *instance = request->version >= 7 ? in_text(in) : NULL;
    if (request->version <= 4)
        in_i64(in);
    Code code = may_commit(request->broker, group, member, instance, generation);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) pending_free);
    CommitRequest commit = {.code = code, .group = group, .epochs_since = 6, .out = all};
    if (request->version >= 3)
        out_i32(out, 0);
    api_each_partition(request, api_commit_partition, &commit);
    out_tags(out);
    bool noted = all->len > 0 && !in->broken && store_note_offsets(request->broker, all);
    for (guint i = 0; noted && i < all->len; i++)
        offsets_apply(request->broker, all->pdata[i]);
    return ANSWERED;
}

static void fetch_partition(Request *request, const char *group, const char *topic, gint32 number, bool stable)
{
    Out *out = &request->out;
    const Position *position = group && topic ? offsets_find(request->broker, group, topic, number) : NULL;
    bool pending = stable && group && topic && offsets_are_pending(request->broker, group, topic, number);
    out_i32(out, number);
    out_i64(out, position && !pending ? position->offset : -1);
    if (request->version >= 5)
        out_i32(out, -1);
    out_text(out, position && !pending ? position->metadata : "");
    out_i16(out, pending ? CODE_UNSTABLE_OFFSET : CODE_OK);
    out_tags(out);
}

typedef struct Asked {
    const char *topic;
    GArray *partitions; /* gint32 */
} Asked;

static void asked_clear(gpointer data)
{
    g_array_unref(((Asked *) data)->partitions);
}

static GArray *asked_new(void)
{
    GArray *asked = g_array_new(FALSE, TRUE, sizeof(Asked));
    g_array_set_clear_func(asked, asked_clear);
    return asked;
}

static void read_asked(Request *request, gint32 topics, GArray *all)
{
    for (gint32 i = 0; i < topics; i++) {
        Asked asked = {in_text(&request->in), g_array_new(FALSE, FALSE, sizeof(gint32))};
        gint32 n = in_count(&request->in);
        for (gint32 k = 0; k < n; k++) {
            gint32 number = in_i32(&request->in);
            g_array_append_val(asked.partitions, number);
        }
        in_tags(&request->in);
        g_array_append_val(all, asked);
    }
}

/* All positions that the group has. */
static void find_all(Request *request, const char *group, GArray *all)
{
    GHashTableIter iter;
    gpointer key;
    GHashTable *positions = group ? g_hash_table_lookup(request->broker->positions, group) : NULL;
    if (!positions)
        return;
    g_hash_table_iter_init(&iter, positions);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_auto(GStrv) place = g_strsplit(key, "\n", 2);
        gint32 number = (gint32) g_ascii_strtoll(place[1], NULL, 10);
        Asked asked = {g_string_chunk_insert(request->in.texts, place[0]), g_array_new(FALSE, FALSE, sizeof(gint32))};
        g_array_append_val(asked.partitions, number);
        g_array_append_val(all, asked);
    }
}

Outcome api_offset_fetch(Request *request)
{
    Out *out = &request->out;
    const char *group = in_text(&request->in);
    gint32 topics = in_count(&request->in);
    g_autoptr(GArray) all = asked_new();
    if (topics >= 0)
        read_asked(request, topics, all);
    else
        find_all(request, group, all);
    bool stable = request->version >= 7 && in_i8(&request->in);
    if (request->version >= 3)
        out_i32(out, 0);
    out_count(out, (gint32) all->len);
    for (guint i = 0; i < all->len; i++) {
        const Asked *asked = &g_array_index(all, Asked, i);
        out_text(out, asked->topic);
        out_count(out, (gint32) asked->partitions->len);
        for (guint k = 0; k < asked->partitions->len; k++)
            fetch_partition(request, group, asked->topic, g_array_index(asked->partitions, gint32, k), stable);
        out_tags(out);
    }
    if (request->version >= 2)
        out_i16(out, CODE_OK);
    out_tags(out);
    return ANSWERED;
}
