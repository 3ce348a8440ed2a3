/* kafka-source and the ids of topics: one that was deleted and created anew is another one. librdkafka tells them from
 * 2.3 on only: its functions that do are those below, for the plugin finds these first. */
#include "embedded_kafka.h"
#include "harness.h"
#include "kafka/describe_topics.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

typedef struct FakeTopic {
    const char *name;
    const char *id;
    rd_kafka_error_t *error;
} FakeTopic;

static FakeTopic topics[4];
static size_t n_topics;
static gint asked;            /* how often ids were asked for */
static char *names;           /* for which topics, the last time */
static gint64 skipped_us;     /* of time that has not passed */
static const char FAKE = 'f'; /* what a result points to */

static void begin(void)
{
    for (size_t i = 0; i < n_topics; i++)
        g_clear_pointer(&topics[i].error, rd_kafka_error_destroy);
    n_topics = 0;
    asked = 0;
    skipped_us = 0;
}

static void set_id(const char *topic, const char *id)
{
    size_t i = 0;
    while (i < n_topics && strcmp(topics[i].name, topic) != 0)
        i++;
    g_assert_cmpuint(i, <, G_N_ELEMENTS(topics));
    topics[i] = (FakeTopic){.name = topic, .id = id};
    n_topics = MAX(n_topics, i + 1);
}

EXPORTED gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + skipped_us;
}

EXPORTED rd_kafka_TopicCollection_t *rd_kafka_TopicCollection_of_topic_names(const char **list, size_t n)
{
    g_autoptr(GPtrArray) copy = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        g_ptr_array_add(copy, (gpointer) list[i]);
    g_ptr_array_add(copy, NULL);
    return (rd_kafka_TopicCollection_t *) g_strjoinv(" ", (char **) copy->pdata);
}

EXPORTED void rd_kafka_TopicCollection_destroy(rd_kafka_TopicCollection_t *collection)
{
    g_free(collection);
}

/* The event is that of another question, which every librdkafka can ask. */
EXPORTED void rd_kafka_DescribeTopics(rd_kafka_t *rk, const rd_kafka_TopicCollection_t *collection,
                                      const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
    (void) options;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", 0);
    rd_kafka_ListConsumerGroupOffsets_t *question = rd_kafka_ListConsumerGroupOffsets_new("another", list);
    rd_kafka_ListConsumerGroupOffsets(rk, &question, 1, NULL, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_topic_partition_list_destroy(list);
    g_free(names);
    names = g_strdup((const char *) collection);
    asked++;
}

EXPORTED const rd_kafka_DescribeTopics_result_t *rd_kafka_event_DescribeTopics_result(rd_kafka_event_t *event)
{
    (void) event;
    return (const rd_kafka_DescribeTopics_result_t *) &FAKE;
}

EXPORTED const rd_kafka_TopicDescription_t **
rd_kafka_DescribeTopics_result_topics(const rd_kafka_DescribeTopics_result_t *result, size_t *n)
{
    static const rd_kafka_TopicDescription_t *list[G_N_ELEMENTS(topics)];
    g_assert_true((const void *) result == (const void *) &FAKE);
    for (size_t i = 0; i < n_topics; i++)
        list[i] = (const rd_kafka_TopicDescription_t *) &topics[i];
    *n = n_topics;
    return list;
}

EXPORTED const char *rd_kafka_TopicDescription_name(const rd_kafka_TopicDescription_t *topic)
{
    return ((const FakeTopic *) topic)->name;
}

EXPORTED const rd_kafka_Uuid_t *rd_kafka_TopicDescription_topic_id(const rd_kafka_TopicDescription_t *topic)
{
    return (const rd_kafka_Uuid_t *) topic;
}

EXPORTED const rd_kafka_error_t *rd_kafka_TopicDescription_error(const rd_kafka_TopicDescription_t *topic)
{
    return ((const FakeTopic *) topic)->error;
}

/* A newer librdkafka asks for texts of its own ids. */
EXPORTED const char *rd_kafka_Uuid_base64str(const rd_kafka_Uuid_t *id)
{
    const FakeTopic *topic = (const FakeTopic *) id;
    if (topic >= topics && topic < topics + G_N_ELEMENTS(topics))
        return topic->id;
    const char *(*real)(const rd_kafka_Uuid_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_Uuid_base64str");
    return real ? real(id) : NULL;
}

static EmbeddedKafka *kafka_new(void)
{
    begin();
    EmbeddedKafka *kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "t", 1, NULL);
    mock_kafka_fill(&kafka->clients, "t", 0, "value ", 10);
    set_id("t", "now");
    return kafka;
}

static Harness *source_new(const EmbeddedKafka *kafka, const char *more)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '%s', group: g, topics: [t], kafka: {session.timeout.ms: 60000}%s%s}",
                        kafka->address, *more ? ", " : "", more);
    return harness_new("kafka-source", options);
}

/* What the group keeps beside its offset; NULL: nothing. */
static char *note_of(const EmbeddedKafka *kafka, const char *topic)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kafka->address, reason, sizeof reason);
    rd_kafka_conf_set(conf, "group.id", "g", reason, sizeof reason);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    const rd_kafka_topic_partition_t *offset = rd_kafka_topic_partition_list_add(list, topic, 0);
    g_assert_cmpint(rd_kafka_committed(rk, list, 30000), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    char *note = offset->metadata_size > 0 ? g_strndup(offset->metadata, offset->metadata_size) : NULL;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return note;
}

static gint64 count_rows(Harness *h, gint64 most)
{
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, most);
    gint64 rows = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++)
        rows += sf_rows(batches->pdata[i]);
    return rows;
}

static gint64 bounded_rows(Harness *h)
{
    h->bounded = true;
    return count_rows(h, G_MAXINT64);
}

static void poll_until_status(Harness *h, SfStatus status)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (h->status != status && g_get_monotonic_time() < deadline)
        harness_poll(h, 100);
    g_assert_cmpstr(sf_status_name(h->status), ==, sf_status_name(status));
}

static void poll_until_asked(Harness *h, gint times)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (asked < times && g_get_monotonic_time() < deadline)
        harness_poll(h, 20);
    g_assert_cmpint(asked, ==, times);
}

#define CHOICE                                                                                                         \
    "set 'epoch: 2' to read it from its start as a new topic, or 'on_recreated: continue' to leave out what is "       \
    "before "                                                                                                          \
    "the sinks' positions"

static void test_the_group_notes_the_id(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    g_autoptr(Harness) h = source_new(kafka, "");
    g_assert_cmpint(bounded_rows(h), ==, 10);
    harness_publish(h, true);
    g_autofree char *note = note_of(kafka, "t");
    g_assert_cmpstr(note, ==, "topic-id:now");
    g_assert_cmpint(asked, ==, 1);
}

static void test_without_an_id_nothing_is_noted(void)
{
    static const char *const zeros = "AAAAAAAAAAAAAAAAAAAAAA"; /* what a broker without ids gives */
    for (int i = 0; i < 3; i++) {
        g_autoptr(EmbeddedKafka) kafka = kafka_new();
        set_id("t", i == 0 ? NULL : i == 1 ? zeros : "now");
        topics[0].error = i == 2 ? rd_kafka_error_new(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "gone") : NULL;
        mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:before");
        g_autoptr(Harness) h = source_new(kafka, "");
        harness_answer(h, "t/0", 4);
        g_assert_cmpint(bounded_rows(h), ==, 6);
        harness_publish(h, true);
        g_autofree char *note = note_of(kafka, "t");
        g_assert_cmpstr(note, ==, NULL);
    }
}

static void test_another_id_than_the_groups_stops_with_a_choice(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:before");
    g_autoptr(Harness) h = source_new(kafka, "");
    harness_answer(h, "t/0", 4);
    poll_until_status(h, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "topic 't' was deleted and created anew: its id was before, and is now now; " CHOICE);
}

static void test_the_choice_is_to_go_on(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:before");
    g_autoptr(Harness) h = source_new(kafka, "on_recreated: continue");
    harness_answer(h, "t/0", 4);
    g_assert_cmpint(bounded_rows(h), ==, 6);
    g_assert_nonnull(strstr(harness_logs(h),
                            "warning: topic 't' was deleted and created anew (id before, now now); going on after the "
                            "sinks' positions (on_recreated: continue)"));
}

static void test_the_same_id_goes_on(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:now");
    g_autoptr(Harness) h = source_new(kafka, "start: committed");
    g_assert_cmpint(bounded_rows(h), ==, 6);
}

/* No sink has a position: then there is nothing to lose, and the old topic's offset is not one of the new. */
static void test_an_offset_of_the_former_topic_is_not_an_offset(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:before");
    g_autoptr(Harness) h = source_new(kafka, "start: committed");
    g_assert_cmpint(bounded_rows(h), ==, 10);
}

static void test_what_others_note_is_not_an_id(void)
{
    static const char *const notes[] = {"", "hello", "topic-id:", "topic-ix:before"};
    for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
        g_autoptr(EmbeddedKafka) kafka = kafka_new();
        mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, notes[i]);
        g_autoptr(Harness) h = source_new(kafka, "start: committed");
        g_assert_cmpint(bounded_rows(h), ==, 6);
    }
}

static void test_what_a_sink_keeps_counts_first(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:of the group");
    g_autoptr(Harness) h = source_new(kafka, "");
    harness_answer(h, "t/0", 4);
    harness_keep(h, "t/0", -1, "topic-id:of a sink");
    poll_until_status(h, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "topic 't' was deleted and created anew: its id was of a sink, and is now now; " CHOICE);
}

static void test_what_a_sink_keeps_of_another_kind_is_not_an_id(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    mock_kafka_group_set(&kafka->clients, "g", "t", 0, 4, "topic-id:now");
    g_autoptr(Harness) h = source_new(kafka, "");
    harness_answer(h, "t/0", 4);
    harness_keep(h, "t/0", -1, "file:17");
    g_assert_cmpint(bounded_rows(h), ==, 6);
}

static void test_each_topic_is_asked_for_once(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    embedded_kafka_topic(kafka, "u", 3, NULL);
    mock_kafka_fill(&kafka->clients, "u", 2, "value ", 2);
    set_id("u", "other");
    g_autofree char *options = g_strdup_printf(
        "{brokers: '%s', group: g, topics: [t, u], kafka: {session.timeout.ms: 60000}}", kafka->address);
    g_autoptr(Harness) h = harness_new("kafka-source", options);
    g_assert_cmpint(bounded_rows(h), ==, 12);
    g_assert_cmpuint(strlen(names), ==, strlen("t u"));
    harness_publish(h, true);
    g_autofree char *note = note_of(kafka, "t");
    g_assert_cmpstr(note, ==, "topic-id:now");
}

/* ---- while it is read ---- */

static void test_ids_are_asked_for_again_now_and_then(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    g_autoptr(Harness) h = source_new(kafka, "");
    g_assert_cmpint(count_rows(h, 10), ==, 10);
    harness_poll(h, 20);
    g_assert_cmpint(asked, ==, 1); /* with the assignment */
    skipped_us += 11 * G_USEC_PER_SEC;
    poll_until_asked(h, 2);
    g_assert_cmpstr(names, ==, "t");
    harness_poll(h, 20);
    g_assert_cmpint(asked, ==, 2);
    g_assert_cmpint(h->status, ==, SF_EMPTY);
    begin();
}

static void test_a_topic_created_anew_while_it_is_read_stops(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    g_autoptr(Harness) h = source_new(kafka, "");
    g_assert_cmpint(count_rows(h, 10), ==, 10);
    set_id("t", "later");
    skipped_us += 11 * G_USEC_PER_SEC;
    poll_until_status(h, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "topic 't' was deleted and created anew: its id was now, and is later now; " CHOICE);
    begin();
}

static void test_or_it_goes_on_and_notes_the_new_id(void)
{
    g_autoptr(EmbeddedKafka) kafka = kafka_new();
    g_autoptr(Harness) h = source_new(kafka, "on_recreated: continue");
    g_assert_cmpint(count_rows(h, 10), ==, 10);
    set_id("t", "later");
    skipped_us += 11 * G_USEC_PER_SEC;
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (!strstr(harness_logs(h), "(id now, now later)") && g_get_monotonic_time() < deadline)
        harness_poll(h, 20);
    g_assert_nonnull(strstr(harness_logs(h), "(id now, now later)"));
    mock_kafka_fill(&kafka->clients, "t", 0, "more ", 2);
    g_assert_cmpint(count_rows(h, 2), ==, 2);
    harness_publish(h, true);
    g_autofree char *note = note_of(kafka, "t");
    g_assert_cmpstr(note, ==, "topic-id:later");
    begin();
}

/* Nothing was read of the former topic: what comes is all of the new one. */
static void test_a_topic_of_which_nothing_was_read_is_just_another(void)
{
    begin();
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "t", 1, NULL);
    set_id("t", "now");
    g_autoptr(Harness) h = source_new(kafka, "");
    poll_until_asked(h, 1);
    harness_poll(h, 20);
    set_id("t", "later");
    skipped_us += 11 * G_USEC_PER_SEC;
    poll_until_asked(h, 2);
    mock_kafka_fill(&kafka->clients, "t", 0, "value ", 3);
    g_assert_cmpint(count_rows(h, 3), ==, 3);
    harness_publish(h, true);
    g_autofree char *note = note_of(kafka, "t");
    g_assert_cmpstr(note, ==, "topic-id:later");
    begin();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-ids/noted", test_the_group_notes_the_id);
    g_test_add_func("/kafka-ids/none", test_without_an_id_nothing_is_noted);
    g_test_add_func("/kafka-ids/another-stops", test_another_id_than_the_groups_stops_with_a_choice);
    g_test_add_func("/kafka-ids/another-goes-on", test_the_choice_is_to_go_on);
    g_test_add_func("/kafka-ids/the-same", test_the_same_id_goes_on);
    g_test_add_func("/kafka-ids/former-offset", test_an_offset_of_the_former_topic_is_not_an_offset);
    g_test_add_func("/kafka-ids/others-notes", test_what_others_note_is_not_an_id);
    g_test_add_func("/kafka-ids/sinks-count-first", test_what_a_sink_keeps_counts_first);
    g_test_add_func("/kafka-ids/sinks-other-kinds", test_what_a_sink_keeps_of_another_kind_is_not_an_id);
    g_test_add_func("/kafka-ids/each-topic-once", test_each_topic_is_asked_for_once);
    g_test_add_func("/kafka-ids/asked-again", test_ids_are_asked_for_again_now_and_then);
    g_test_add_func("/kafka-ids/while-read-stops", test_a_topic_created_anew_while_it_is_read_stops);
    g_test_add_func("/kafka-ids/while-read-goes-on", test_or_it_goes_on_and_notes_the_new_id);
    g_test_add_func("/kafka-ids/nothing-read", test_a_topic_of_which_nothing_was_read_is_just_another);
    return g_test_run();
}
