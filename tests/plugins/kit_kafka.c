/* Kafka clients: what people are told when a connection or a setting is wrong. */
#include "kafka/kafka.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static void assert_explained(rd_kafka_resp_err_t code, const char *reason, const char *expected)
{
    char text[640];
    g_assert_cmpstr(kafka_explain(code, reason, text, sizeof text), ==, expected);
}

static void test_reasons_become_sentences(void)
{
    assert_explained(
        RD_KAFKA_RESP_ERR__TRANSPORT,
        "k1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)",
        "cannot reach broker 'k1:9092': connection refused");
    assert_explained(
        RD_KAFKA_RESP_ERR__RESOLVE,
        "sasl_ssl://k1:9092/bootstrap: Failed to resolve 'k1:9092': Name or service not known (after 5ms in state "
        "CONNECT)",
        "cannot reach broker 'k1:9092': failed to resolve 'k1:9092': Name or service not known");
    assert_explained(RD_KAFKA_RESP_ERR__TRANSPORT, "GroupCoordinator: k1:9092: Disconnected (after 5ms in state UP)",
                     "cannot reach broker 'k1:9092': disconnected");
    assert_explained(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL, "broker: Topic authorization failed");
}

static void test_the_processes_own_limit_is_named(void)
{
    char text[640];
    kafka_explain(RD_KAFKA_RESP_ERR__TRANSPORT,
                  "k1:9092/bootstrap: Failed to create socket: Too many open files (after 0ms in state CONNECT)", text,
                  sizeof text);
    g_assert_true(g_str_has_prefix(text, "this process has all of the "));
    g_assert_null(strstr(text, "k1"));
}

/* In the place of librdkafka's own, where a test wants it to fail. */
static int failing_with;
static rd_kafka_resp_err_t failing_code;

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t);
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_new");
    if (!failing_with)
        return real(type, conf, reason, size);
    g_snprintf(reason, size, "Failed to create thread: %s (%d)", g_strerror(failing_with), failing_with);
    errno = failing_with;
    return NULL;
}

rd_kafka_resp_err_t rd_kafka_last_error(void)
{
    rd_kafka_resp_err_t (*real)(void);
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_last_error");
    return failing_with ? failing_code : real();
}

static SfStatus status_of_new(int problem, rd_kafka_resp_err_t code)
{
    const KafkaOptions options = {.brokers = "127.0.0.1:1"};
    SfError err = {""};
    KafkaClient *client = NULL;
    failing_with = problem;
    failing_code = code;
    SfStatus status = kafka_client_asking(&options, "group", &client, &err);
    failing_with = 0;
    g_assert_null(client);
    return status;
}

static void test_a_client_that_cannot_start_for_want_of_threads_is_tried_again(void)
{
    g_assert_cmpint(status_of_new(EAGAIN, RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE), ==, SF_RETRY);
    g_assert_cmpint(status_of_new(EMFILE, RD_KAFKA_RESP_ERR__INVALID_ARG), ==, SF_RETRY);
    g_assert_cmpint(status_of_new(EINVAL, RD_KAFKA_RESP_ERR__INVALID_ARG), ==, SF_CONFIG);
}

/* Likewise: 0 is the library's own version. */
static int pretended_version;

int rd_kafka_version(void)
{
    int (*real)(void);
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_version");
    return pretended_version ? pretended_version : real();
}

static void assert_scram_hint(int version, bool expected)
{
    char text[640];
    pretended_version = version;
    kafka_explain(
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        "sasl_ssl://k1:9092/bootstrap: SASL authentication error: Authentication failed during authentication due to "
        "invalid credentials with SASL mechanism SCRAM-SHA-256 (after 302ms in state AUTH_REQ)",
        text, sizeof text);
    g_assert_true(g_str_has_prefix(text, "broker 'k1:9092' refuses the login: "));
    g_assert_cmpint(strstr(text, "PLAIN over TLS") != NULL, ==, expected);
    pretended_version = 0;
}

static void test_scram_with_an_old_library_is_hinted_at(void)
{
    assert_scram_hint(0x020000ff, true);
    assert_scram_hint(0x020600ff, true);
    assert_scram_hint(0x020601ff, false);
    assert_scram_hint(0x020b00ff, false);
}

static void test_statuses_say_what_the_host_does(void)
{
    g_assert_cmpint(kafka_status(RD_KAFKA_RESP_ERR__TRANSPORT), ==, SF_RETRY);
    g_assert_cmpint(kafka_status(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), ==, SF_RETRY);
    g_assert_cmpint(kafka_status(RD_KAFKA_RESP_ERR_PRODUCER_FENCED), ==, SF_FENCED);
    g_assert_cmpint(kafka_status(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR), ==, SF_CONFIG);
}

static void test_settings_have_their_order(void)
{
    static const SfPair pairs[] = {{"linger.ms", "7"}, {"compression.type", "zstd"}};
    static const KafkaSetting defaults[] = {{"linger.ms", "20"}, {"batch.size", "5000"}, {NULL, NULL}};
    static const KafkaSetting own[] = {{"enable.idempotence", "true"}, {NULL, NULL}};
    const KafkaOptions options = {
        .brokers = "k1:9092", .client_id = "me", .sasl_password = "hush", .kafka = {2, pairs}};
    static const char *const expected[] = {"linger.ms",
                                           "7",
                                           "batch.size",
                                           "5000",
                                           "compression.type",
                                           "zstd",
                                           "enable.idempotence",
                                           "true",
                                           "bootstrap.servers",
                                           "k1:9092",
                                           "client.id",
                                           "me",
                                           "sasl.password",
                                           "hush",
                                           NULL};
    SfError err;
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(&options, defaults, own, &err);
    g_assert_nonnull(conf);
    for (gsize i = 0; expected[i]; i += 2) {
        char value[64];
        size_t size = sizeof value;
        g_assert_cmpint(rd_kafka_conf_get(conf, expected[i], value, &size), ==, RD_KAFKA_CONF_OK);
        g_assert_cmpstr(value, ==, expected[i + 1]);
    }
}

static void test_a_secret_is_not_repeated(void)
{
    static const SfPair pairs[] = {{"ssl.key.pem", "-----BEGIN hush"}};
    const KafkaOptions options = {.brokers = "k1:9092", .kafka = {1, pairs}};
    SfError err = {""};
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(&options, NULL, NULL, &err);
    g_assert_null(strstr(err.message, "hush"));
}

static void test_a_client_without_a_broker_ends_in_time(void)
{
    const KafkaOptions options = {.brokers = "127.0.0.1:1"};
    SfError err = {""};
    KafkaClient *client = NULL;
    g_assert_cmpint(
        kafka_client_new(NULL, RD_KAFKA_PRODUCER, kafka_conf_new(&options, NULL, NULL, &err), NULL, &client, &err), ==,
        SF_OK);
    g_assert_cmpint(kafka_client_probe(client, 1000, &err), ==, SF_RETRY);
    g_assert_cmpstr(err.message, ==, "cannot reach broker '127.0.0.1:1': connection refused");
    gint64 begun = g_get_monotonic_time();
    kafka_client_free(client, 5000);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 5 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kit/kafka/reasons-become-sentences", test_reasons_become_sentences);
    g_test_add_func("/kit/kafka/own-limit", test_the_processes_own_limit_is_named);
    g_test_add_func("/kit/kafka/want-of-threads", test_a_client_that_cannot_start_for_want_of_threads_is_tried_again);
    g_test_add_func("/kit/kafka/scram-is-hinted-at", test_scram_with_an_old_library_is_hinted_at);
    g_test_add_func("/kit/kafka/statuses", test_statuses_say_what_the_host_does);
    g_test_add_func("/kit/kafka/settings-have-their-order", test_settings_have_their_order);
    g_test_add_func("/kit/kafka/secret-is-not-repeated", test_a_secret_is_not_repeated);
    g_test_add_func("/kit/kafka/ends-in-time", test_a_client_without_a_broker_ends_in_time);
    return g_test_run();
}
