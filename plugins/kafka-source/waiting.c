/* What a member without partitions waits for, in a line for whoever looks at the log at night. */
#include "source.h"

#define FIRST_US (3 * G_USEC_PER_SEC)
#define AGAIN_US (30 * G_USEC_PER_SEC)

#define ASK_MS 1000
#define MEMBERS_MAX 5

static void append_members(GString *text, const struct rd_kafka_group_info *group, const char *own)
{
    int others = 0;
    for (int i = 0; i < group->member_cnt; i++) {
        const struct rd_kafka_group_member_info *member = &group->members[i];
        if (g_strcmp0(member->member_id, own) == 0 || others++ >= MEMBERS_MAX)
            continue;
        g_string_append_printf(text, "%s%s at %s", others > 1 ? ", " : "; other members: ", member->client_id,
                               member->client_host);
    }
    if (others > MEMBERS_MAX)
        g_string_append_printf(text, ", … %d in all", others);
}

/* What the coordinator says of the group; nothing where it does not answer at once. (The newer request,
 * DescribeConsumerGroups, leaves librdkafka 2.0.2 hanging when the broker does not know it.) */
static void describe(Source *source, GString *text)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    const struct rd_kafka_group_list *list = NULL;
    if (rd_kafka_list_groups(rk, source->group_id, &list, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    char *own = rd_kafka_memberid(rk);
    for (int i = 0; i < list->group_cnt; i++) {
        g_string_append_printf(text, " (%s)", list->groups[i].state);
        append_members(text, &list->groups[i], own);
    }
    if (own)
        rd_kafka_mem_free(rk, own);
    rd_kafka_group_list_destroy(list);
}

void waiting_tell(SfNode *node)
{
    Source *source = node->state;
    gint64 now = g_get_monotonic_time();
    if (source->waiting_since == 0 || source->missing || now - source->waiting_since < FIRST_US ||
        (source->waiting_told > 0 && now - source->waiting_told < AGAIN_US))
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    source->waiting_told = now;
    describe(source, text);
    sf_log(node, SF_LOG_INFO,
           "waiting for partitions of group '%s'%s: it shares them out when all its members have answered; one that "
           "was killed counts until its session ends (session.timeout.ms: %" G_GINT64_FORMAT ")",
           source->group_id, text->str, settings_number(source, "session.timeout.ms"));
}
