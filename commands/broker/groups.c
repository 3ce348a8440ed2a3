/* See groups.h. */
#include "groups.h"

#include <string.h>

/* ---- members ---------------------------------------------------------------------------------------------------- */

static void protocol_clear(gpointer data)
{
    Protocol *protocol = data;
    g_free(protocol->name);
    g_bytes_unref(protocol->metadata);
}

GArray *protocols_new(void)
{
    GArray *protocols = g_array_new(FALSE, TRUE, sizeof(Protocol));
    g_array_set_clear_func(protocols, protocol_clear);
    return protocols;
}

static void member_free(gpointer data)
{
    Member *member = data;
    g_array_unref(member->protocols);
    g_clear_pointer(&member->assignment, g_bytes_unref);
    g_free(member->id);
    g_free(member->instance);
    g_free(member->client);
    g_free(member->host);
    g_free(member);
}

static void group_free(gpointer data)
{
    Group *group = data;
    g_ptr_array_unref(group->members);
    g_free(group->id);
    g_free(group->type);
    g_free(group->protocol);
    g_free(group->leader);
    g_free(group);
}

void groups_init(Broker *broker)
{
    broker->groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, group_free);
}

void groups_done(Broker *broker)
{
    g_clear_pointer(&broker->groups, g_hash_table_unref);
}

Group *groups_find(const Broker *broker, const char *id)
{
    return id ? g_hash_table_lookup(broker->groups, id) : NULL;
}

Group *groups_get(Broker *broker, const char *id)
{
    Group *group = groups_find(broker, id);
    if (group)
        return group;
    group = g_new0(Group, 1);
    group->id = g_strdup(id);
    group->members = g_ptr_array_new_with_free_func(member_free);
    g_hash_table_insert(broker->groups, group->id, group);
    return group;
}

Member *group_find(const Group *group, const char *id)
{
    for (guint i = 0; id && i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        if (strcmp(member->id, id) == 0)
            return member;
    }
    return NULL;
}

Member *group_instance(const Group *group, const char *instance)
{
    for (guint i = 0; instance && i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        if (g_strcmp0(member->instance, instance) == 0)
            return member;
    }
    return NULL;
}

const Protocol *member_protocol(const Member *member, const char *name)
{
    for (guint i = 0; name && i < member->protocols->len; i++) {
        const Protocol *protocol = &g_array_index(member->protocols, Protocol, i);
        if (strcmp(protocol->name, name) == 0)
            return protocol;
    }
    return NULL;
}

Member *group_add(Broker *broker, Group *group, const char *instance, const char *client, const char *host)
{
    Member *member = g_new0(Member, 1);
    member->id = g_strdup_printf("%s-%08x%08x-%" G_GUINT64_FORMAT, instance ? instance : client, g_random_int(),
                                 g_random_int(), ++broker->next_member);
    member->instance = g_strdup(instance);
    member->client = g_strdup(client);
    member->host = g_strdup_printf("/%s", host);
    member->protocols = protocols_new();
    member->seen_us = g_get_monotonic_time();
    g_ptr_array_add(group->members, member);
    return member;
}

Code group_check(const Group *group, const char *id, const char *instance, gint32 generation, Member **out)
{
    Member *member = group ? group_find(group, id) : NULL;
    const Member *holder = group ? group_instance(group, instance) : NULL;
    if (holder && holder != member)
        return CODE_FENCED_INSTANCE;
    if (!member)
        return CODE_UNKNOWN_MEMBER;
    if (generation >= 0 && generation != group->generation)
        return CODE_ILLEGAL_GENERATION;
    member->seen_us = g_get_monotonic_time();
    *out = member;
    return CODE_OK;
}

void group_remove(Group *group, Member *member)
{
    if (member->join.conn)
        group_answer_join(group, member, CODE_UNKNOWN_MEMBER);
    if (g_strcmp0(group->leader, member->id) == 0)
        g_clear_pointer(&group->leader, g_free);
    g_ptr_array_remove(group->members, member);
    if (group->members->len == 0) {
        group->state = GROUP_EMPTY;
        group->generation++;
        g_clear_pointer(&group->protocol, g_free);
        return;
    }
    if (group->state != GROUP_PREPARING)
        group_rebalance(group);
    group_try_complete(group);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void answer(Reply *reply, Out *body)
{
    reply_send(reply, body);
    *reply = (Reply){0};
}

static void write_members(const Group *group, gint16 version, Out *out)
{
    out_count(out, (gint32) group->members->len);
    for (guint i = 0; i < group->members->len; i++) {
        const Member *member = group->members->pdata[i];
        const Protocol *protocol = member_protocol(member, group->protocol);
        gsize size = 0;
        const void *metadata = protocol ? g_bytes_get_data(protocol->metadata, &size) : NULL;
        out_text(out, member->id);
        if (version >= 5)
            out_text(out, member->instance);
        out_bytes(out, metadata ? metadata : "", size);
    }
}

void group_answer_join(const Group *group, Member *member, Code code)
{
    gint16 version = member->join.version;
    Out out = reply_body(&member->join);
    bool leads = code == CODE_OK && g_strcmp0(group->leader, member->id) == 0;
    if (version >= 2)
        out_i32(&out, 0);
    out_i16(&out, (gint16) code);
    out_i32(&out, code == CODE_OK ? group->generation : -1);
    out_text(&out, code == CODE_OK && group->protocol ? group->protocol : "");
    out_text(&out, code == CODE_OK && group->leader ? group->leader : "");
    out_text(&out, member->id);
    if (leads)
        write_members(group, version, &out);
    else
        out_count(&out, 0);
    answer(&member->join, &out);
}

static void answer_sync(Member *member, Code code)
{
    Out out = reply_body(&member->sync);
    gsize size = 0;
    const void *data = member->assignment && code == CODE_OK ? g_bytes_get_data(member->assignment, &size) : NULL;
    if (member->sync.version >= 1)
        out_i32(&out, 0);
    out_i16(&out, (gint16) code);
    out_bytes(&out, data ? data : "", size);
    answer(&member->sync, &out);
}

void group_answer_syncs(Group *group)
{
    for (guint i = 0; i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        if (member->sync.conn)
            answer_sync(member, group->state == GROUP_STABLE ? CODE_OK : CODE_REBALANCE_IN_PROGRESS);
    }
}

/* ---- rebalances ------------------------------------------------------------------------------------------------- */

void group_rebalance(Group *group)
{
    gint32 longest_ms = 0;
    group->state = GROUP_PREPARING;
    for (guint i = 0; i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        member->joined = member->join.conn != NULL;
        longest_ms = MAX(longest_ms, member->rebalance_ms);
    }
    group->deadline_us = g_get_monotonic_time() + (gint64) longest_ms * 1000;
    group_answer_syncs(group);
}

static bool all_speak(const Group *group, const char *name)
{
    for (guint i = 0; i < group->members->len; i++) {
        if (!member_protocol(group->members->pdata[i], name))
            return false;
    }
    return true;
}

/* What all have, by the liking of the first. */
static void choose_protocol(Group *group)
{
    const Member *first = group->members->pdata[0];
    g_clear_pointer(&group->protocol, g_free);
    for (guint i = 0; i < first->protocols->len && !group->protocol; i++) {
        const char *name = g_array_index(first->protocols, Protocol, i).name;
        if (all_speak(group, name))
            group->protocol = g_strdup(name);
    }
}

static bool all_joined(const Group *group)
{
    for (guint i = 0; i < group->members->len; i++) {
        if (!((const Member *) group->members->pdata[i])->joined)
            return false;
    }
    return true;
}

void group_try_complete(Group *group)
{
    if (group->state != GROUP_PREPARING || !all_joined(group) || group->members->len == 0)
        return;
    group->generation++;
    group->state = GROUP_COMPLETING;
    choose_protocol(group);
    if (!group->leader || !group_find(group, group->leader)) {
        g_free(group->leader);
        group->leader = g_strdup(((const Member *) group->members->pdata[0])->id);
    }
    gint64 now = g_get_monotonic_time();
    for (guint i = 0; i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        member->seen_us = now;
        g_clear_pointer(&member->assignment, g_bytes_unref);
        if (member->join.conn)
            group_answer_join(group, member, CODE_OK);
    }
}

/* The first member that is gone; its time otherwise counts for *next_us. */
static Member *find_gone(const Group *group, gint64 now_us, gint64 *next_us)
{
    for (guint i = 0; i < group->members->len; i++) {
        Member *member = group->members->pdata[i];
        bool waits = member->join.conn != NULL;
        gint64 due = member->seen_us + (gint64) member->session_ms * 1000;
        if (group->state == GROUP_PREPARING && !member->joined)
            due = MIN(due, group->deadline_us);
        if (!waits && due <= now_us)
            return member;
        if (!waits)
            *next_us = MIN(*next_us, due);
    }
    return NULL;
}

gint64 groups_expire(Broker *broker, gint64 now_us)
{
    gint64 next_us = G_MAXINT64;
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, broker->groups);
    while (g_hash_table_iter_next(&iter, NULL, &group)) {
        for (Member *gone; (gone = find_gone(group, now_us, &next_us));)
            group_remove(group, gone);
    }
    return next_us == G_MAXINT64 ? -1 : MAX((next_us - now_us) / 1000, 0) + 1;
}

void groups_forget_conn(const Broker *broker, const Conn *conn)
{
    GHashTableIter iter;
    gpointer data;
    g_hash_table_iter_init(&iter, broker->groups);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Group *group = data;
        for (guint i = 0; i < group->members->len; i++) {
            Member *member = group->members->pdata[i];
            if (member->join.conn == conn)
                member->join = (Reply){0};
            if (member->sync.conn == conn)
                member->sync = (Reply){0};
        }
    }
}
