/* InitProducerId and what belongs to transactions; see api.h. */
#include "api.h"
#include "groups.h"

Outcome api_init_producer(Request *request)
{
    Producer *producer = NULL;
    gint64 number = -1;
    gint16 epoch = -1;
    const char *id = in_text(&request->in);
    gint32 timeout_ms = in_i32(&request->in);
    if (request->version >= 3) {
        number = in_i64(&request->in);
        epoch = in_i16(&request->in);
    }
    Code code = request->in.broken ? CODE_INVALID_REQUEST
                                   : producers_start(request->broker, id, timeout_ms, number, epoch, &producer);
    if (code == CODE_PRODUCER_FENCED && request->version < 4)
        code = CODE_INVALID_PRODUCER_EPOCH;
    out_i32(&request->out, 0);
    out_i16(&request->out, (gint16) code);
    out_i64(&request->out, code == CODE_OK ? producer->number : -1);
    out_i16(&request->out, code == CODE_OK ? producer->epoch : -1);
    out_tags(&request->out);
    return ANSWERED;
}

/* The id, number and epoch that requests of transactions begin with. `newer`: from that version on clients know the
 * code for a producer that was fenced (KIP-588). */
static Code read_producer(Request *request, gint16 newer, Producer **out)
{
    const char *id = in_text(&request->in);
    gint64 number = in_i64(&request->in);
    gint16 epoch = in_i16(&request->in);
    Code code =
        request->in.broken || !id ? CODE_INVALID_REQUEST : producers_find(request->broker, id, number, epoch, out);
    return code == CODE_INVALID_PRODUCER_EPOCH && request->version >= newer ? CODE_PRODUCER_FENCED : code;
}

typedef struct Join {
    Producer *producer;
    Code code; /* of the request as a whole */
} Join;

static void join_partition(Request *request, const char *topic, gpointer data)
{
    const Join *join = data;
    gint32 number = in_i32(&request->in);
    Partition *partition = store_partition(request->broker, topic, number);
    Code code = join->code != CODE_OK ? join->code
                : partition           ? producers_join(join->producer, partition)
                                      : CODE_UNKNOWN_TOPIC;
    out_i32(&request->out, number);
    out_i16(&request->out, (gint16) code);
    out_tags(&request->out);
}

Outcome api_add_partitions(Request *request)
{
    Join join = {.producer = NULL};
    join.code = read_producer(request, 2, &join.producer);
    out_i32(&request->out, 0);
    api_each_partition(request, join_partition, &join);
    out_tags(&request->out);
    return ANSWERED;
}

Outcome api_add_offsets(Request *request)
{
    Producer *producer = NULL;
    Code code = read_producer(request, 2, &producer);
    if (code == CODE_OK)
        code = producers_join(producer, NULL);
    out_i32(&request->out, 0);
    out_i16(&request->out, (gint16) code);
    out_tags(&request->out);
    return ANSWERED;
}

Outcome api_end(Request *request)
{
    Producer *producer = NULL;
    Code code = read_producer(request, 2, &producer);
    bool commit = in_i8(&request->in);
    if (code == CODE_OK && !request->in.broken)
        code = producers_end(request->broker, producer, commit);
    out_i32(&request->out, 0);
    out_i16(&request->out, (gint16) code);
    out_tags(&request->out);
    return ANSWERED;
}

Outcome api_commit_in_transaction(Request *request)
{
    Producer *producer = NULL;
    in_text(&request->in); /* the id comes first, then the group: not in the order of the others */
    const char *group = in_text(&request->in);
    gint64 number = in_i64(&request->in);
    gint16 epoch = in_i16(&request->in);
    Code code = producers_find(request->broker, NULL, number, epoch, &producer);
    if (code == CODE_OK && (producer->begun_us == 0 || !group))
        code = CODE_INVALID_TXN_STATE;
    if (request->version >= 3) { /* KIP-447 */
        Member *found = NULL;
        gint32 generation = in_i32(&request->in);
        const char *member = in_text(&request->in), *instance = in_text(&request->in);
        if (code == CODE_OK && generation >= 0)
            code = group_check(groups_find(request->broker, group), member, instance, generation, &found);
    }
    CommitRequest commit = {
        .code = code, .group = group, .epochs_since = 2, .out = producer ? producer->pending : NULL};
    out_i32(&request->out, 0);
    api_each_partition(request, api_commit_partition, &commit);
    out_tags(&request->out);
    return ANSWERED;
}
