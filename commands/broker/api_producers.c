/* InitProducerId and what belongs to transactions; see api.h. */
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

Outcome api_add_partitions(Request *request)
{
    Producer *producer = NULL;
    Code code = read_producer(request, 2, &producer);
    gint32 topics = in_count(&request->in);
    out_i32(&request->out, 0);
    out_count(&request->out, topics);
    for (gint32 i = 0; i < topics; i++) {
        const char *topic = in_text(&request->in);
        gint32 partitions = in_count(&request->in);
        out_text(&request->out, topic);
        out_count(&request->out, partitions);
        for (gint32 k = 0; k < partitions; k++) {
            gint32 number = in_i32(&request->in);
            Partition *partition = store_partition(request->broker, topic, number);
            Code mine = code != CODE_OK ? code : partition ? producers_join(producer, partition) : CODE_UNKNOWN_TOPIC;
            out_i32(&request->out, number);
            out_i16(&request->out, (gint16) mine);
            out_tags(&request->out);
        }
        in_tags(&request->in);
        out_tags(&request->out);
    }
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

static void commit_partition(Request *request, Producer *producer, Code code, const char *group, const char *topic)
{
    gint32 number = in_i32(&request->in);
    gint64 offset = in_i64(&request->in);
    if (request->version >= 2)
        in_i32(&request->in);
    const char *metadata = in_text(&request->in);
    in_tags(&request->in);
    if (code == CODE_OK && !store_partition(request->broker, topic, number))
        code = CODE_UNKNOWN_TOPIC;
    if (code == CODE_OK && !request->in.broken)
        g_ptr_array_add(producer->pending, pending_new(group, topic, number, offset, metadata));
    out_i32(&request->out, number);
    out_i16(&request->out, (gint16) code);
    out_tags(&request->out);
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
    gint32 topics = in_count(&request->in);
    out_i32(&request->out, 0);
    out_count(&request->out, topics);
    for (gint32 i = 0; i < topics; i++) {
        const char *topic = in_text(&request->in);
        gint32 partitions = in_count(&request->in);
        out_text(&request->out, topic);
        out_count(&request->out, partitions);
        for (gint32 k = 0; k < partitions; k++)
            commit_partition(request, producer, code, group, topic);
        in_tags(&request->in);
        out_tags(&request->out);
    }
    out_tags(&request->out);
    return ANSWERED;
}
