/* JoinGroup and its relatives; see api.h. */
#include <string.h>

#include "api.h"
#include "groups.h"

#define SESSION_LEAST_MS 100
#define SESSION_MOST_MS (30 * 60 * 1000)

typedef struct Join {
    const char *group;
    gint32 session_ms;
    gint32 rebalance_ms;
    const char *member;
    const char *instance;
    const char *type;
    GArray *protocols; /* Protocol */
} Join;

static void read_join(Request *request, Join *join)
{
    In *in = &request->in;
    join->group = in_text(in);
    join->session_ms = in_i32(in);
    join->rebalance_ms = request->version >= 1 ? in_i32(in) : join->session_ms;
    join->member = in_text(in);
    join->instance = request->version >= 5 ? in_text(in) : NULL;
    join->type = in_text(in);
    join->protocols = protocols_new();
    gint32 n = in_count(in);
    for (gint32 i = 0; i < n; i++) {
        gsize size;
        const char *name = in_text(in);
        const guint8 *data = in_bytes(in, &size);
        Protocol protocol = {g_strdup(name ? name : ""), g_bytes_new(data, size)};
        g_array_append_val(join->protocols, protocol);
    }
}

static Outcome refuse(Request *request, Code code, const char *member)
{
    Out *out = &request->out;
    if (request->version >= 2)
        out_i32(out, 0);
    out_i16(out, (gint16) code);
    out_i32(out, -1);
    out_text(out, "");
    out_text(out, "");
    out_text(out, member ? member : "");
    out_count(out, 0);
    return ANSWERED;
}

/* What all members have would be nothing any more. */
static bool is_foreign(const Group *group, const Join *join)
{
    if (group->members->len == 0)
        return false;
    if (g_strcmp0(group->type, join->type) != 0)
        return true;
    for (guint i = 0; i < join->protocols->len; i++) {
        guint n = 0;
        for (guint k = 0; k < group->members->len; k++) {
            const Member *member = group->members->pdata[k];
            bool itself = join->member && strcmp(member->id, join->member) == 0;
            n += itself || member_protocol(member, g_array_index(join->protocols, Protocol, i).name) != NULL;
        }
        if (n == group->members->len)
            return false;
    }
    return true;
}

static bool same_protocols(const GArray *left, const GArray *right)
{
    if (left->len != right->len)
        return false;
    for (guint i = 0; i < left->len; i++) {
        const Protocol *one = &g_array_index(left, Protocol, i), *other = &g_array_index(right, Protocol, i);
        if (strcmp(one->name, other->name) != 0 || !g_bytes_equal(one->metadata, other->metadata))
            return false;
    }
    return true;
}

/* A static member comes back under another id: whoever had the instance is fenced, and nothing moves. */
static void take_over(Broker *broker, Group *group, Member *member)
{
    char *old = member->id;
    bool led = g_strcmp0(group->leader, old) == 0;
    member->id = g_strdup_printf("%s-%08x-%" G_GUINT64_FORMAT, member->instance, g_random_int(), ++broker->next_member);
    if (led) {
        g_free(group->leader);
        group->leader = g_strdup(member->id);
    }
    g_free(old);
    member->join = member->sync = (Reply){0};
}

static void copy_join(Member *member, Group *group, Join *join)
{
    member->session_ms = join->session_ms;
    member->rebalance_ms = join->rebalance_ms;
    g_array_unref(member->protocols);
    member->protocols = g_steal_pointer(&join->protocols);
    g_free(group->type);
    group->type = g_strdup(join->type);
    member->seen_us = g_get_monotonic_time();
}

/* The member, known or new; NULL and *code: it is neither. */
static Member *find_or_add(Request *request, Group *group, const Join *join, Code *code)
{
    bool anonymous = !join->member || !*join->member;
    Member *member = join->instance ? group_instance(group, join->instance) : group_find(group, join->member);
    if (join->instance && member && anonymous) {
        take_over(request->broker, group, member);
        return member;
    }
    if (!member && !anonymous)
        *code = CODE_UNKNOWN_MEMBER;
    else if (member && join->instance && strcmp(member->id, join->member) != 0)
        *code = CODE_FENCED_INSTANCE;
    else if (!member)
        member = group_add(request->broker, group, join->instance, request->client, request->reply.conn->host);
    return *code == CODE_OK ? member : NULL;
}

static Outcome join_group(Request *request, Join *join)
{
    Group *group = groups_get(request->broker, join->group);
    Code code = CODE_OK;
    if (is_foreign(group, join))
        return refuse(request, CODE_INCONSISTENT_PROTOCOL, join->member);
    bool anonymous = !join->member || !*join->member;
    Member *member = find_or_add(request, group, join, &code);
    if (!member)
        return refuse(request, code, join->member);
    bool same = same_protocols(member->protocols, join->protocols);
    bool leads = g_strcmp0(group->leader, member->id) == 0;
    copy_join(member, group, join);
    member->join = request->reply;
    bool stays = group->state == GROUP_STABLE && same && (!leads || (join->instance && anonymous));
    bool repeats = group->state == GROUP_COMPLETING && same && !anonymous;
    if (stays || repeats) {
        group_answer_join(group, member, CODE_OK);
        return HELD;
    }
    if (group->state != GROUP_PREPARING)
        group_rebalance(group);
    member->joined = true;
    group_try_complete(group);
    return HELD;
}

Outcome api_join(Request *request)
{
    Join join = {0};
    Outcome outcome;
    read_join(request, &join);
    if (request->in.broken || !join.group || !*join.group)
        outcome = refuse(request, CODE_INVALID_GROUP, join.member);
    else if (join.session_ms < SESSION_LEAST_MS || join.session_ms > SESSION_MOST_MS)
        outcome = refuse(request, CODE_INVALID_SESSION_TIMEOUT, join.member);
    else
        outcome = join_group(request, &join);
    g_clear_pointer(&join.protocols, g_array_unref);
    return outcome;
}

/* ---- SyncGroup -------------------------------------------------------------------------------------------------- */

static void read_assignments(Request *request, Group *group, bool leads)
{
    gint32 n = in_count(&request->in);
    for (gint32 i = 0; i < n; i++) {
        gsize size;
        const char *id = in_text(&request->in);
        const guint8 *data = in_bytes(&request->in, &size);
        Member *member = leads ? group_find(group, id) : NULL;
        if (!member || request->in.broken)
            continue;
        g_clear_pointer(&member->assignment, g_bytes_unref);
        member->assignment = g_bytes_new(data, size);
    }
}

Outcome api_sync(Request *request)
{
    Member *member = NULL;
    Group *group = groups_find(request->broker, in_text(&request->in));
    gint32 generation = in_i32(&request->in);
    const char *id = in_text(&request->in);
    const char *instance = request->version >= 3 ? in_text(&request->in) : NULL;
    Code code = group_check(group, id, instance, generation, &member);
    if (code == CODE_OK && group->state == GROUP_PREPARING)
        code = CODE_REBALANCE_IN_PROGRESS;
    if (code != CODE_OK) {
        if (request->version >= 1)
            out_i32(&request->out, 0);
        out_i16(&request->out, (gint16) code);
        out_bytes(&request->out, "", 0);
        return ANSWERED;
    }
    bool leads = g_strcmp0(group->leader, member->id) == 0 && group->state == GROUP_COMPLETING;
    read_assignments(request, group, leads);
    if (request->in.broken)
        return ANSWERED;
    member->sync = request->reply;
    if (leads)
        group->state = GROUP_STABLE;
    if (group->state == GROUP_STABLE)
        group_answer_syncs(group);
    return HELD;
}

/* ---- Heartbeat, LeaveGroup -------------------------------------------------------------------------------------- */

Outcome api_heartbeat(Request *request)
{
    Member *member = NULL;
    const Group *group = groups_find(request->broker, in_text(&request->in));
    gint32 generation = in_i32(&request->in);
    const char *id = in_text(&request->in);
    const char *instance = request->version >= 3 ? in_text(&request->in) : NULL;
    Code code = group_check(group, id, instance, generation, &member);
    if (code == CODE_OK && group->state == GROUP_PREPARING)
        code = CODE_REBALANCE_IN_PROGRESS;
    if (request->version >= 1)
        out_i32(&request->out, 0);
    out_i16(&request->out, (gint16) code);
    return ANSWERED;
}

static Code leave(Group *group, const char *id, const char *instance)
{
    Member *member = NULL;
    if (instance && group && (!id || !*id))
        member = group_instance(group, instance);
    Code code = member ? CODE_OK : group_check(group, id, instance, -1, &member);
    if (code == CODE_OK)
        group_remove(group, member);
    return code;
}

Outcome api_leave(Request *request)
{
    Group *group = groups_find(request->broker, in_text(&request->in));
    if (request->version >= 1)
        out_i32(&request->out, 0);
    if (request->version < 3) {
        out_i16(&request->out, (gint16) leave(group, in_text(&request->in), NULL));
        return ANSWERED;
    }
    gint32 n = in_count(&request->in);
    out_i16(&request->out, CODE_OK);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        const char *id = in_text(&request->in), *instance = in_text(&request->in);
        out_text(&request->out, id ? id : "");
        out_text(&request->out, instance);
        out_i16(&request->out, (gint16) leave(group, id, instance));
    }
    return ANSWERED;
}

/* ---- what operators ask ----------------------------------------------------------------------------------------- */

static const char *state_of(const Group *group, bool known)
{
    static const char *const names[] = {"Empty", "PreparingRebalance", "CompletingRebalance", "Stable"};
    return group ? names[group->state] : known ? "Empty" : "Dead";
}

static void describe_member(Request *request, const Group *group, const Member *member)
{
    Out *out = &request->out;
    const Protocol *protocol = member_protocol(member, group->protocol);
    gsize size = 0;
    out_text(out, member->id);
    if (request->version >= 4)
        out_text(out, member->instance);
    out_text(out, member->client);
    out_text(out, member->host);
    const void *data = protocol ? g_bytes_get_data(protocol->metadata, &size) : NULL;
    out_bytes(out, data ? data : "", size);
    size = 0;
    data = member->assignment ? g_bytes_get_data(member->assignment, &size) : NULL;
    out_bytes(out, data ? data : "", size);
}

Outcome api_describe_groups(Request *request)
{
    Out *out = &request->out;
    gint32 n = in_count(&request->in);
    if (request->version >= 1)
        out_i32(out, 0);
    out_count(out, n);
    for (gint32 i = 0; i < n; i++) {
        const char *id = in_text(&request->in);
        const Group *group = groups_find(request->broker, id);
        bool known = id && g_hash_table_contains(request->broker->positions, id);
        out_i16(out, CODE_OK);
        out_text(out, id ? id : "");
        out_text(out, state_of(group, known));
        out_text(out, group && group->type ? group->type : "");
        out_text(out, group && group->protocol ? group->protocol : "");
        out_count(out, group ? (gint32) group->members->len : 0);
        for (guint k = 0; group && k < group->members->len; k++)
            describe_member(request, group, group->members->pdata[k]);
        if (request->version >= 3)
            out_i32(out, G_MININT32);
    }
    return ANSWERED;
}

static void list_group(Out *out, const char *id, const char *type)
{
    out_text(out, id);
    out_text(out, type ? type : "");
}

Outcome api_list_groups(Request *request)
{
    const Broker *broker = request->broker;
    Out *out = &request->out;
    GHashTableIter iter;
    gpointer id, group;
    gint32 n = 0;
    if (request->version >= 1)
        out_i32(out, 0);
    out_i16(out, CODE_OK);
    guint at = out->bytes->len;
    out_count(out, 0);
    g_hash_table_iter_init(&iter, broker->groups);
    for (; g_hash_table_iter_next(&iter, &id, &group); n++)
        list_group(out, id, ((Group *) group)->type);
    g_hash_table_iter_init(&iter, broker->positions);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        if (g_hash_table_contains(broker->groups, id))
            continue;
        list_group(out, id, "");
        n++;
    }
    out_patch_i32(out, at, n);
    return ANSWERED;
}

static Code delete_group(Broker *broker, const char *id)
{
    const Group *group = groups_find(broker, id);
    if (group && group->members->len > 0)
        return CODE_GROUP_NOT_EMPTY;
    if (!id || (!group && !g_hash_table_contains(broker->positions, id)))
        return CODE_GROUP_NOT_FOUND;
    g_hash_table_remove(broker->positions, id);
    g_hash_table_remove(broker->groups, id);
    return store_note_group_gone(broker, id) ? CODE_OK : CODE_STORAGE;
}

Outcome api_delete_groups(Request *request)
{
    gint32 n = in_count(&request->in);
    out_i32(&request->out, 0);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        const char *id = in_text(&request->in);
        out_text(&request->out, id ? id : "");
        out_i16(&request->out, (gint16) delete_group(request->broker, id));
    }
    return ANSWERED;
}
