/* Keeps an old client fetching. Before 2.2 librdkafka's thread of a broker finds its queue full and sleeps for up to a
 * second (rd_kafka_max_block_ms), however soon there is room again; an operation for that broker wakes it. */
#include "source.h"

#define WAKE_MS 100

/* The next partition in turn that has more on the broker. */
static const Partition *next_behind(Source *source)
{
    rd_kafka_t *rk = kafka_client_handle(source->client);
    for (guint i = 0; i < source->partitions->len; i++) {
        const Partition *partition = source->partitions->pdata[source->woken++ % source->partitions->len];
        int64_t low = -1, high = -1;
        rd_kafka_get_watermark_offsets(rk, partition->topic, partition->partition, &low, &high);
        if (high > partition->expected)
            return partition;
    }
    return NULL;
}

void refill_taken(Source *source, size_t bytes)
{
    source->taken_bytes += bytes;
    if (rd_kafka_version() >= FETCH_QUEUE_BACKOFF || source->taken_bytes < source->refill_bytes)
        return;
    source->taken_bytes = 0;
    const Partition *partition = next_behind(source);
    int64_t low, high;
    if (partition) /* the answer does not matter: the question wakes the thread */
        rd_kafka_query_watermark_offsets(kafka_client_handle(source->client), partition->topic, partition->partition,
                                         &low, &high, WAKE_MS);
}
