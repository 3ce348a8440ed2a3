/* The requests that are known, and their versions; see dispatch.h. */
#include "dispatch.h"

typedef struct Api {
    gint16 key;
    gint16 least; /* as it is told; see below */
    gint16 most;
    gint16 flexible; /* from this version on */
    Outcome (*handle)(Request *request);
} Api;

#define NEVER 99

static Outcome api_versions(Request *request);

/* Produce: versions before 3 are told but not served, as Kafka 4 does: librdkafka looks for them before it compresses
 * (KAFKA-18659). */
static const Api apis[] = {
    {0, 0, 8, 9, api_produce},
    {1, 4, 11, 12, api_fetch},
    {2, 1, 5, 6, api_list_offsets},
    {3, 0, 12, 9, api_metadata},
    {8, 2, 8, 8, api_offset_commit},
    {9, 1, 7, 6, api_offset_fetch},
    {10, 0, 3, 3, api_find_coordinator},
    {11, 0, 5, 6, api_join},
    {12, 0, 3, 4, api_heartbeat},
    {13, 0, 3, 4, api_leave},
    {14, 0, 3, 4, api_sync},
    {15, 0, 4, 5, api_describe_groups},
    {16, 0, 2, 3, api_list_groups},
    {API_VERSIONS, 0, 3, 3, api_versions},
    {19, 0, 4, 5, api_create_topics},
    {20, 0, 3, 4, api_delete_topics},
    {22, 0, 4, 2, api_init_producer},
    {24, 0, 3, 3, api_add_partitions},
    {25, 0, 3, 3, api_add_offsets},
    {26, 0, 3, 3, api_end},
    {28, 0, 3, 3, api_commit_in_transaction},
    {32, 0, 3, 4, api_describe_configs},
    {37, 0, 1, 2, api_create_partitions},
    {42, 0, 1, 2, api_delete_groups},
};

#define LEAST_PRODUCE 3

static const Api *find(gint16 key)
{
    for (guint i = 0; i < G_N_ELEMENTS(apis); i++) {
        if (apis[i].key == key)
            return &apis[i];
    }
    return NULL;
}

bool dispatch_is_flexible(gint16 key, gint16 version)
{
    const Api *api = find(key);
    return api && version >= api->flexible;
}

static void write_versions(Request *request, Code code)
{
    out_i16(&request->out, (gint16) code);
    out_count(&request->out, G_N_ELEMENTS(apis));
    for (guint i = 0; i < G_N_ELEMENTS(apis); i++) {
        out_i16(&request->out, apis[i].key);
        out_i16(&request->out, apis[i].least);
        out_i16(&request->out, apis[i].most);
        out_tags(&request->out);
    }
}

static Outcome api_versions(Request *request)
{
    write_versions(request, CODE_OK);
    if (request->version >= 1)
        out_i32(&request->out, 0);
    out_tags(&request->out);
    return ANSWERED;
}

bool dispatch(Request *request, Outcome *outcome)
{
    const Api *api = find(request->api);
    *outcome = ANSWERED;
    if (request->api == API_VERSIONS && request->version > api->most) { /* answered in version 0 (KIP-511) */
        request->out.flexible = false;
        write_versions(request, CODE_UNSUPPORTED_VERSION);
        return true;
    }
    if (!api || request->version < api->least || request->version > api->most ||
        (api->handle == api_produce && request->version < LEAST_PRODUCE))
        return false;
    *outcome = api->handle(request);
    return !request->in.broken;
}
