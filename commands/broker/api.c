/* What requests have in common; see api.h. */
#include "api.h"

void api_each_partition(Request *request, PartitionCall *call, gpointer data)
{
    gint32 topics = in_count(&request->in);
    out_count(&request->out, topics);
    for (gint32 i = 0; i < topics; i++) {
        const char *topic = in_text(&request->in);
        gint32 partitions = in_count(&request->in);
        out_text(&request->out, topic);
        out_count(&request->out, partitions);
        for (gint32 k = 0; k < partitions; k++)
            call(request, topic, data);
        in_tags(&request->in);
        out_tags(&request->out);
    }
}
