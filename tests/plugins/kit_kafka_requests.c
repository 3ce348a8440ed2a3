/* Requests about topics, offsets and groups: against the broker of `sfrun broker`, and against librdkafka's mock
 * cluster where a broker has to be wrong. */
#include "embedded_kafka.h"
#include "kafka/client.h"

#include <dlfcn.h>
#include <string.h>

#define MS 20000
#define ASKING_CREATES 0x020002ff /* the last librdkafka that is known to */

/* How many answers about all topics come without leaders first, and how many have come. */
static int leaderless, answers;

rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t *rk, int all, rd_kafka_topic_t *topic,
                                      const struct rd_kafka_metadata **out, int timeout_ms)
{
    rd_kafka_resp_err_t (*real)(rd_kafka_t *, int, rd_kafka_topic_t *, const struct rd_kafka_metadata **, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_metadata");
    rd_kafka_resp_err_t code = real(rk, all, topic, out, timeout_ms);
    if (code || !all)
        return code;
    answers++;
    for (int i = 0; i < (*out)->topic_cnt; i++) {
        for (int k = 0; k < (*out)->topics[i].partition_cnt; k++)
            (*out)->topics[i].partitions[k].leader = leaderless > 0 ? -1 : 0; /* a broker may be number 0 */
    }
    leaderless -= leaderless > 0;
    return code;
}

/* Of all clients. */
static int handles;

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_new");
    handles++;
    return real(type, conf, reason, size);
}

static void client_done(KafkaClient *client)
{
    kafka_client_free(client, MS);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(KafkaClient, client_done)

static KafkaClient *client_of(const char *brokers)
{
    const KafkaOptions options = {.brokers = brokers};
    SfError err = {""};
    KafkaClient *client = NULL;
    g_assert_cmpint(kafka_client_asking(&options, "asking", &client, &err), ==, SF_OK);
    return client;
}

static void assert_status(SfStatus status, SfStatus expected, const SfError *err, const char *part)
{
    g_assert_cmpstr(sf_status_name(status), ==, sf_status_name(expected));
    if (part && !strstr(err->message, part))
        g_error("%s\nexpected: %s", err->message, part);
}

static void assert_partitions(KafkaClient *client, const char *topic, int expected)
{
    SfError err = {""};
    int32_t partitions = -1;
    SfStatus status = kafka_topic_partitions(client, topic, MS, &partitions, &err);
    g_assert_cmpint(status, ==, expected > 0 ? SF_OK : SF_EMPTY);
    g_assert_cmpint(partitions, ==, expected > 0 ? expected : -1);
}

static void assert_config(KafkaClient *client, const char *topic, const char *name, const char *expected)
{
    SfError err = {""};
    g_autofree char *value = NULL;
    assert_status(kafka_topic_config(client, topic, name, MS, &value, &err), SF_OK, &err, NULL);
    g_assert_cmpstr(value, ==, expected);
}

/* ---- topics ---- */

static void test_a_topic_is_created_as_it_should_be_and_once(void)
{
    static const KafkaSetting config[] = {{"max.message.bytes", "5000"}, {"retention.ms", "70000"}};
    const KafkaTopic topic = {
        .name = "t", .partitions = 3, .replication_factor = 1, .config = config, .n_config = G_N_ELEMENTS(config)};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    SfError err = {""};
    bool created = false;
    assert_partitions(client, "t", 0);
    assert_status(kafka_topic_create(client, &topic, MS, &created, &err), SF_OK, &err, NULL);
    g_assert_true(created);
    assert_partitions(client, "t", 3);
    assert_config(client, "t", "max.message.bytes", "5000");
    assert_config(client, "t", "retention.ms", "70000");
    assert_config(client, "t", "cleanup.policy", "delete");
    assert_status(kafka_topic_create(client, &topic, MS, &created, &err), SF_OK, &err, NULL);
    g_assert_false(created);
}

/* What the broker has seen with the first look is not waited for. */
static void test_a_topic_of_the_brokers_defaults_is_waited_for_once(void)
{
    const KafkaTopic topic = {.name = "t", .partitions = -1, .replication_factor = -1};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    SfError err = {""};
    bool created = false;
    answers = 0;
    assert_status(kafka_topic_create(client, &topic, MS, &created, &err), SF_OK, &err, NULL);
    g_assert_true(created);
    g_assert_cmpint(answers, ==, 1);
    assert_partitions(client, "t", 1);
}

static void assert_not_created(const KafkaTopic *topic, const char *part)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    SfError err = {""};
    bool created = false;
    assert_status(kafka_topic_create(client, topic, MS, &created, &err), SF_CONFIG, &err, part);
    g_assert_false(created);
}

static void test_a_topic_that_can_never_be_is_refused_in_the_brokers_words(void)
{
    static const KafkaSetting config[] = {{"max.mesage.bytes", "5000"}};
    assert_not_created(&(KafkaTopic){.name = "t", .partitions = 1, .replication_factor = 3},
                       "creating topic 't': replication factor larger than available brokers: 1");
    assert_not_created(&(KafkaTopic){.name = "t", .partitions = 20000, .replication_factor = 1},
                       "creating topic 't': A topic has 1 to 10000 partitions, and never fewer than before");
    assert_not_created(
        &(KafkaTopic){
            .name = "t", .partitions = 1, .replication_factor = 1, .config = config, .n_config = G_N_ELEMENTS(config)},
        "creating topic 't': there is no setting 'max.mesage.bytes'");
    assert_not_created(&(KafkaTopic){.name = "t", .partitions = 200000},
                       "topic 't': num_partitions out of expected range");
}

/* A cluster without a controller makes topics when they are asked for, as it likes. */
static void test_without_a_controller_asking_creates(void)
{
    static const KafkaSetting config[] = {{"retention.ms", "1"}};
    const KafkaTopic any = {.name = "t", .partitions = -1, .replication_factor = -1};
    const KafkaTopic told[] = {
        {.name = "t", .partitions = 1, .replication_factor = -1},
        {.name = "t", .partitions = -1, .replication_factor = 1},
        {.name = "t", .partitions = -1, .replication_factor = -1, .config = config, .n_config = 1}};
    g_autoptr(MockKafka) mock = mock_kafka_new();
    g_autoptr(KafkaClient) client = client_of(mock->brokers);
    SfError err = {""};
    bool created = false;
    g_assert_false(kafka_has_controller(client, MS));
    for (gsize i = 0; i < G_N_ELEMENTS(told); i++)
        assert_status(kafka_topic_create(client, &told[i], MS, &created, &err), SF_CONFIG, &err, "has no controller");
    g_assert_false(created);
    if (rd_kafka_version() > ASKING_CREATES) { /* allow.auto.create.topics counts for all requests by then */
        assert_status(kafka_topic_create(client, &any, MS, &created, &err), SF_RETRY, &err, "creating topic 't'");
        g_assert_false(created);
        return;
    }
    assert_status(kafka_topic_create(client, &any, MS, &created, &err), SF_OK, &err, NULL);
    g_assert_true(created);
    rd_kafka_mock_topic_set_error(mock->cluster, "no", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_status(kafka_topic_create(client, &(KafkaTopic){.name = "no", .partitions = -1, .replication_factor = -1},
                                     MS, &created, &err),
                  SF_RETRY, &err, "creating topic 'no': broker: Topic authorization failed");
}

static void test_a_cluster_with_a_controller_is_known(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    g_assert_true(kafka_has_controller(client, MS));
}

static void test_a_topic_is_there_when_its_partitions_have_leaders(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 3, NULL);
    g_assert_true(kafka_topic_await(client, "t", 3, MS));
    g_assert_false(kafka_topic_await(client, "t", 4, 300));
    g_assert_false(kafka_topic_await(client, "t", 0, 300));
    g_assert_true(kafka_topic_await(client, "gone", 0, MS));
    g_assert_false(kafka_topic_await(client, "gone", 1, 300));
    leaderless = 3;
    g_assert_true(kafka_topic_await(client, "t", 3, MS));
    g_assert_cmpint(leaderless, ==, 0);
}

static void test_what_a_topic_does_not_have_is_said(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 1, NULL);
    SfError err = {""};
    g_autofree char *value = NULL;
    assert_status(kafka_topic_config(client, "t", "no.such.thing", MS, &value, &err), SF_RETRY, &err,
                  "asking for the configuration of topic 't': there is no 'no.such.thing'");
    assert_status(kafka_topic_config(client, "gone", "retention.ms", MS, &value, &err), SF_RETRY, &err,
                  "asking for the configuration of topic 'gone': broker: Unknown topic or partition");
    g_assert_null(value);
}

/* ---- offsets ---- */

static rd_kafka_topic_partition_list_t *partitions_of(const char *topic, int n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
    for (int i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, topic, i);
    return list;
}

static void test_offsets_are_those_of_the_time(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 2, NULL);
    for (int i = 0; i < 4; i++)
        mock_kafka_produce(&kafka->clients, "t", 1, NULL, "v", 1000 * (i + 1), NULL);
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 2);
    assert_status(kafka_offsets_at(client, list, RD_KAFKA_OFFSET_END, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[0].offset, ==, 0);
    g_assert_cmpint(list->elems[1].offset, ==, 4);
    assert_status(kafka_offsets_at(client, list, RD_KAFKA_OFFSET_BEGINNING, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[1].offset, ==, 0);
    assert_status(kafka_offsets_at(client, list, 3000, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[0].offset, ==, RD_KAFKA_OFFSET_END);
    g_assert_cmpint(list->elems[1].offset, ==, 2);
    list->elems[0].offset = RD_KAFKA_OFFSET_END;
    list->elems[1].offset = 1500;
    assert_status(kafka_offsets_at_own(client, list, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[0].offset, ==, 0);
    g_assert_cmpint(list->elems[1].offset, ==, 1);
}

static void test_a_partition_without_offsets_is_named(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 2);
    g_autoptr(KafkaClient) client = client_of(mock->brokers);
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) none = rd_kafka_topic_partition_list_new(1);
    assert_status(kafka_offsets_at(client, none, RD_KAFKA_OFFSET_END, MS, &err), SF_OK, &err, NULL);
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 3);
    assert_status(kafka_offsets_at(client, list, RD_KAFKA_OFFSET_END, 2000, &err), SF_RETRY, &err,
                  "asking for the offsets of 't");
}

/* ---- groups ---- */

static void add_offset(rd_kafka_topic_partition_list_t *list, const char *topic, int partition, gint64 offset,
                       const char *metadata)
{
    rd_kafka_topic_partition_t *elem = rd_kafka_topic_partition_list_add(list, topic, partition);
    elem->offset = offset;
    elem->metadata = metadata ? strdup(metadata) : NULL;
    elem->metadata_size = metadata ? strlen(metadata) : 0;
}

static void set_group(KafkaClient *client, const char *group, int partition, gint64 offset, const char *metadata)
{
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(1);
    add_offset(list, "t", partition, offset, metadata);
    assert_status(kafka_group_set(client, group, list, MS, &err), SF_OK, &err, NULL);
}

static void test_a_groups_offsets_come_with_their_notes(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 3, NULL);
    set_group(client, "g", 0, 0, "a note");
    set_group(client, "g", 1, 7, NULL);
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 3);
    list->elems[2].offset = 99;
    assert_status(kafka_group_offsets(client, "g", list, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[0].offset, ==, 0);
    g_assert_cmpmem(list->elems[0].metadata, list->elems[0].metadata_size, "a note", 6);
    g_assert_cmpint(list->elems[1].offset, ==, 7);
    g_assert_cmpuint(list->elems[1].metadata_size, ==, 0);
    g_assert_cmpint(list->elems[2].offset, ==, RD_KAFKA_OFFSET_INVALID);
}

/* A transaction that has begun to move the group holds its answer back. */
static void test_a_pending_transaction_is_told_by_its_partition(void)
{
    char reason[256];
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 2, NULL);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", kafka->address, reason, sizeof reason);
    rd_kafka_conf_set(conf, "transactional.id", "other", reason, sizeof reason);
    rd_kafka_t *other = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    g_assert_null(rd_kafka_init_transactions(other, MS));
    g_assert_null(rd_kafka_begin_transaction(other));
    g_autoptr(rd_kafka_topic_partition_list_t) moved = rd_kafka_topic_partition_list_new(1);
    add_offset(moved, "t", 1, 5, NULL);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new("g");
    g_assert_null(rd_kafka_send_offsets_to_transaction(other, moved, group, MS));
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 2);
    assert_status(kafka_group_offsets(client, "g", list, MS, &err), SF_RETRY, &err,
                  "reading the group's offset of 't/1'");
    g_assert_cmpint(list->elems[0].err, ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    g_assert_cmpint(list->elems[1].err, ==, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT);
    g_assert_null(rd_kafka_commit_transaction(other, MS));
    assert_status(kafka_group_offsets(client, "g", list, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[1].offset, ==, 5);
    g_assert_cmpint(list->elems[1].err, ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_destroy(other);
}

static void test_many_groups_are_asked_for_at_once(void)
{
    enum { GROUPS = 130 };
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(KafkaClient) client = client_of(kafka->address);
    embedded_kafka_topic(kafka, "t", 1, NULL);
    KafkaGroupQuestion questions[GROUPS];
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < GROUPS; i++) {
        g_ptr_array_add(names, g_strdup_printf("g%d", i));
        questions[i] = (KafkaGroupQuestion){.group = names->pdata[i], .list = partitions_of("t", 1), .answered = true};
        if (i % 2)
            set_group(client, names->pdata[i], 0, i, NULL);
    }
    kafka_groups_offsets(client, questions, GROUPS, MS);
    for (int i = 0; i < GROUPS; i++) {
        g_assert_true(questions[i].answered);
        g_assert_cmpint(questions[i].list->elems[0].offset, ==, i % 2 ? i : RD_KAFKA_OFFSET_INVALID);
        rd_kafka_topic_partition_list_destroy(questions[i].list);
    }
}

static void test_a_group_that_is_not_answered_for_is_left_to_be_asked_alone(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    g_autoptr(KafkaClient) client = client_of(mock->brokers);
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 1);
    KafkaGroupQuestion question = {.group = "g", .list = list, .answered = true};
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    kafka_groups_offsets(client, &question, 1, MS);
    g_assert_false(question.answered);
    kafka_groups_offsets(client, &question, 1, MS);
    g_assert_true(question.answered);
}

/* ---- coordinators that move ---- */

static void assert_asked_again(rd_kafka_resp_err_t code, bool other_handle)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    g_autoptr(KafkaClient) client = client_of(mock->brokers);
    set_group(client, "g", 0, 3, NULL);
    handles = 0;
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 2, code, code);
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 1);
    assert_status(kafka_group_offsets(client, "g", list, MS, &err), SF_OK, &err, NULL);
    g_assert_cmpint(list->elems[0].offset, ==, 3);
    g_assert_cmpint(handles > 0, ==, other_handle);
}

static void test_a_coordinator_that_is_not_ready_is_asked_again(void)
{
    assert_asked_again(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, false);
    assert_asked_again(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, false);
}

static void test_one_that_has_moved_is_looked_up_by_another_handle(void)
{
    assert_asked_again(RD_KAFKA_RESP_ERR_NOT_COORDINATOR, true);
}

static void test_a_refusal_is_not_asked_for_twice(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    g_autoptr(KafkaClient) client = client_of(mock->brokers);
    SfError err = {""};
    g_autoptr(rd_kafka_topic_partition_list_t) list = partitions_of("t", 1);
    list->elems[0].offset = 1;
    rd_kafka_mock_push_request_errors(mock->cluster, 8 /* OffsetCommit */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    assert_status(kafka_group_set(client, "g", list, MS, &err), SF_RETRY, &err,
                  "setting the offsets of group 'g': broker: Group authorization failed");
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    assert_status(kafka_group_offsets(client, "g", list, MS, &err), SF_RETRY, &err,
                  "reading the offsets of group 'g': broker: Group authorization failed");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kit/kafka/created-once", test_a_topic_is_created_as_it_should_be_and_once);
    g_test_add_func("/kit/kafka/brokers-defaults", test_a_topic_of_the_brokers_defaults_is_waited_for_once);
    g_test_add_func("/kit/kafka/can-never-be", test_a_topic_that_can_never_be_is_refused_in_the_brokers_words);
    g_test_add_func("/kit/kafka/no-controller", test_without_a_controller_asking_creates);
    g_test_add_func("/kit/kafka/controller", test_a_cluster_with_a_controller_is_known);
    g_test_add_func("/kit/kafka/leaders", test_a_topic_is_there_when_its_partitions_have_leaders);
    g_test_add_func("/kit/kafka/not-there", test_what_a_topic_does_not_have_is_said);
    g_test_add_func("/kit/kafka/offsets-of-a-time", test_offsets_are_those_of_the_time);
    g_test_add_func("/kit/kafka/no-offsets", test_a_partition_without_offsets_is_named);
    g_test_add_func("/kit/kafka/notes", test_a_groups_offsets_come_with_their_notes);
    g_test_add_func("/kit/kafka/pending", test_a_pending_transaction_is_told_by_its_partition);
    g_test_add_func("/kit/kafka/many-groups", test_many_groups_are_asked_for_at_once);
    g_test_add_func("/kit/kafka/unanswered", test_a_group_that_is_not_answered_for_is_left_to_be_asked_alone);
    g_test_add_func("/kit/kafka/not-ready", test_a_coordinator_that_is_not_ready_is_asked_again);
    g_test_add_func("/kit/kafka/moved", test_one_that_has_moved_is_looked_up_by_another_handle);
    g_test_add_func("/kit/kafka/refused", test_a_refusal_is_not_asked_for_twice);
    return g_test_run();
}
