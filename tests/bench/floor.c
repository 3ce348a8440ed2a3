/* The floors of tests/bench/run: how little a plain C program needs to read a topic, to write it to files as well, and
 * to have all three layers of it (floor_layers.c). Not a part of the product: no recovery, no ledger, no rotation by
 * time. */
#include <glib.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "floor_layers.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_t, rd_kafka_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_queue_t, rd_kafka_queue_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy)

enum { BATCH = 1000, PARTITIONS = 64 };

typedef struct Floor {
    const char *directory; /* NULL: consume only */
    gint64 per_file;
    rd_kafka_t *consumer;
    FILE *files[PARTITIONS];
    gint64 lines[PARTITIONS];
    gint64 written;
    FloorLayers *layers; /* NULL: none */
} Floor;

G_GNUC_NORETURN static void die(const char *message)
{
    fprintf(stderr, "floor: %s\n", message);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
        die(error);
    }
}

static rd_kafka_t *subscribe(const char *brokers, const char *topic)
{
    char error[256];
    g_autofree char *group = g_strdup_printf("floor-%d-%" G_GINT64_FORMAT, getpid(), g_get_real_time());
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    g_autoptr(rd_kafka_t) consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (!consumer) {
        die(error);
    }
    rd_kafka_poll_set_consumer(consumer);
    g_autoptr(rd_kafka_topic_partition_list_t) topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(consumer, topics)) {
        die("cannot subscribe");
    }
    return g_steal_pointer(&consumer);
}

static char *part_name(const Floor *floor, int partition, gint64 last)
{
    return g_strdup_printf("%s/part-%d-%010" G_GINT64_FORMAT ".json", floor->directory, partition, last);
}

/* The file is durable under its name before the offsets are published. */
static void finish_file(Floor *floor, int partition, gint64 last)
{
    g_autofree char *temporary = part_name(floor, partition, -1), *name = part_name(floor, partition, last);
    FILE *file = g_steal_pointer(&floor->files[partition]);
    if (fflush(file) || fdatasync(fileno(file)) || fclose(file) || rename(temporary, name)) {
        die("cannot write a file");
    }
    floor->lines[partition] = 0;
    rd_kafka_commit(floor->consumer, NULL, 1);
}

static void append(Floor *floor, const rd_kafka_message_t *message)
{
    int partition = message->partition;
    if (!floor->files[partition]) {
        g_autofree char *temporary = part_name(floor, partition, -1);
        floor->files[partition] = fopen(temporary, "w");
        if (!floor->files[partition]) {
            die("cannot create a file");
        }
    }
    fwrite_unlocked(message->payload, 1, message->len, floor->files[partition]);
    putc_unlocked('\n', floor->files[partition]);
    rd_kafka_offset_store(message->rkt, partition, message->offset);
    if (++floor->lines[partition] == floor->per_file) {
        finish_file(floor, partition, message->offset);
    }
}

static void add_to_layers(const Floor *floor, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    FloorEvent event = {.data = message->payload,
                        .size = message->len,
                        .topic = rd_kafka_topic_name(message->rkt),
                        .partition = message->partition,
                        .offset = message->offset,
                        .timestamp_ms = rd_kafka_message_timestamp(message, &type)};
    floor_layers_add(floor->layers, &event);
}

static gint64 drain(Floor *floor, rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *messages[BATCH];
    gint64 good = 0;
    ssize_t n = rd_kafka_consume_batch_queue(queue, 20, messages, BATCH);
    for (ssize_t i = 0; i < n; i++) {
        if (!messages[i]->err && messages[i]->partition < PARTITIONS) {
            good++;
            floor->written += (gint64) messages[i]->len;
            if (floor->directory) {
                append(floor, messages[i]);
            }
            if (floor->layers) {
                add_to_layers(floor, messages[i]);
            }
        }
        rd_kafka_message_destroy(messages[i]);
    }
    return good;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 6 && !(argc == 7 && g_str_equal(argv[6], "layers"))) {
        fprintf(stderr, "usage: floor BROKERS TOPIC COUNT [DIRECTORY LINES-PER-FILE [layers]]\n");
        return 2;
    }
    Floor floor = {.directory = argc > 4 ? argv[4] : NULL,
                   .per_file = argc > 4 ? g_ascii_strtoll(argv[5], NULL, 10) : 0,
                   .layers = argc == 7 ? floor_layers_new(argv[4]) : NULL};
    gint64 count = g_ascii_strtoll(argv[3], NULL, 10), got = 0, begin = g_get_monotonic_time(), first = 0;
    g_autoptr(rd_kafka_t) consumer = subscribe(argv[1], argv[2]);
    floor.consumer = consumer;
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_get_consumer(consumer);
    while (got < count) {
        got += drain(&floor, queue);
        first = first || !got ? first : g_get_monotonic_time();
    }
    for (int i = 0; i < PARTITIONS; i++) {
        if (floor.files[i]) {
            finish_file(&floor, i, G_MAXINT32);
        }
    }
    if (floor.layers) {
        floor_layers_end(floor.layers);
    }
    gint64 end = g_get_monotonic_time();
    printf("{\"events\": %" G_GINT64_FORMAT ", \"bytes\": %" G_GINT64_FORMAT
           ", \"first\": %.3f, \"seconds\": %.3f, \"cpu\": %.3f}\n",
           got, floor.written, (double) (first - begin) / 1e6, (double) (end - first) / 1e6, cpu_seconds());
    rd_kafka_consumer_close(consumer);
    return 0;
}
