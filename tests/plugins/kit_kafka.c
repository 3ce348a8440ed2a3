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
    assert_explained(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "", "broker: Topic authorization failed");
    assert_explained(RD_KAFKA_RESP_ERR__TRANSPORT, "TxnCoordinator: k1:9092: Disconnected. \n",
                     "cannot reach broker 'k1:9092': disconnected");
    assert_explained(RD_KAFKA_RESP_ERR__TRANSPORT, "k1:9092: SSL handshake failed: broken pipe",
                     "cannot reach broker 'k1:9092': SSL handshake failed: broken pipe");
    assert_explained(RD_KAFKA_RESP_ERR__FAIL, "A word: of k1:9092", "A word: of k1:9092");
    assert_explained(RD_KAFKA_RESP_ERR__FAIL, "no broker: here", "no broker: here");
    assert_explained(RD_KAFKA_RESP_ERR__FAIL, ".", "");
    assert_explained(RD_KAFKA_RESP_ERR__FAIL, "see the documentation at https://k1:9092: it says more",
                     "see the documentation at https://k1:9092: it says more");
}

static void test_a_certificate_may_be_another_hosts(void)
{
    static const char *const causes[] = {"broker certificate could not be verified", "certificate verify failed"};
    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
        g_autofree char *reason = g_strdup_printf("ssl://k1:9093/bootstrap: SSL handshake failed: %s", causes[i]);
        g_autofree char *expected = g_strdup_printf("cannot reach broker 'k1:9093': SSL handshake failed: %s; or the "
                                                    "certificate is for another host name: write "
                                                    "that one in 'brokers' and the brokers' advertised.listeners",
                                                    causes[i]);
        assert_explained(RD_KAFKA_RESP_ERR__SSL, reason, expected);
    }
}

static void test_a_login_that_is_refused_is_one_sentence(void)
{
    static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR__AUTHENTICATION,
                                                RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED};
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
        assert_explained(codes[i], "sasl_ssl://k1:9093/bootstrap: Unsupported mechanism",
                         "broker 'k1:9093' refuses the login: unsupported mechanism; check sasl.mechanism, "
                         "sasl.username and sasl_password");
}

static void test_the_processes_own_limit_is_named(void)
{
    char text[640];
    kafka_explain(RD_KAFKA_RESP_ERR__TRANSPORT,
                  "k1:9092/bootstrap: Failed to create socket: Too many open files (after 0ms in state CONNECT)", text,
                  sizeof text);
    g_assert_true(g_str_has_prefix(text, "this process has all "));
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
    g_assert_cmpint(kafka_status(RD_KAFKA_RESP_ERR_NO_ERROR), ==, SF_OK);
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

/* Likewise: librdkafka refuses this property, whatever its value, and repeats the value. */
static const char *refused;

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, char *reason,
                                      size_t size)
{
    rd_kafka_conf_res_t (*real)(rd_kafka_conf_t *, const char *, const char *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_conf_set");
    if (g_strcmp0(refused, name) != 0)
        return real(conf, name, value, reason, size);
    g_snprintf(reason, size, "'%s' will not do", value);
    return RD_KAFKA_CONF_INVALID;
}

static void assert_refusal(const KafkaOptions *options, const char *name, const char *expected)
{
    SfError err = {""};
    refused = name;
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(options, NULL, NULL, &err);
    refused = NULL;
    g_assert_null(conf);
    g_assert_cmpstr(err.message, ==, expected);
}

static void test_a_secret_is_not_repeated(void)
{
    static const char *const names[] = {"ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
                                        "sasl.oauthbearer.config", "ssl.key.passphrase"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const SfPair pair = {names[i], "hush"};
        const KafkaOptions options = {.brokers = "k1:9092", .kafka = {1, &pair}};
        g_autofree char *expected = g_strdup_printf("kafka: librdkafka refuses the value of '%s'", names[i]);
        assert_refusal(&options, names[i], expected);
    }
    const KafkaOptions login = {.brokers = "k1:9092", .sasl_password = "hush"};
    assert_refusal(&login, "sasl.password", "kafka: librdkafka refuses the value of 'sasl.password'");
}

static void test_any_other_value_is_repeated_with_the_reason(void)
{
    const SfPair pair = {"linger.ms", "soon"};
    const KafkaOptions options = {.brokers = "k1:9092", .kafka = {1, &pair}}, named = {.client_id = "me"};
    assert_refusal(&options, "linger.ms", "kafka: 'linger.ms: soon': 'soon' will not do");
    assert_refusal(&named, "client.id", "kafka: 'client.id: me': 'me' will not do");
}

static char *brokers_of(const char *brokers, SfError *err)
{
    const KafkaOptions options = {.brokers = brokers};
    char value[512];
    size_t size = sizeof value;
    *err = (SfError){0};
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(&options, NULL, NULL, err);
    if (!conf)
        return NULL;
    g_assert_cmpint(rd_kafka_conf_get(conf, "bootstrap.servers", value, &size), ==, RD_KAFKA_CONF_OK);
    return g_strdup(value);
}

static void assert_brokers(const char *text, const char *expected)
{
    SfError err;
    g_autofree char *found = brokers_of(text, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpstr(found, ==, expected);
}

static void assert_no_brokers(const char *text, const char *expected)
{
    SfError err;
    g_autofree char *found = brokers_of(text, &err);
    g_assert_null(found);
    g_assert_cmpstr(err.message, ==, expected);
}

static void test_brokers_are_a_list_of_addresses(void)
{
    assert_brokers(NULL, "localhost:9092");
    assert_brokers("k1:9092", "k1:9092");
    assert_brokers(" k1:9092 ,\tk2:1,, k3:65535\n", "k1:9092,k2:1,k3:65535");
    assert_brokers("k1", "k1");
    assert_brokers("SSL://k1:9093,sasl_plaintext://k2,SASL_SSL://k3:1,plaintext://k4:2",
                   "SSL://k1:9093,sasl_plaintext://k2,SASL_SSL://k3:1,plaintext://k4:2");
    assert_brokers("[::1]:9092, [fe80::1], ssl://[::1]:9093", "[::1]:9092,[fe80::1],ssl://[::1]:9093");
}

#define NOT_ONE " is not a valid address; write host:port, with a port from 1 to 65535"

static void test_what_is_not_an_address_is_named(void)
{
    assert_no_brokers("k1:0", "brokers: 'k1:0'" NOT_ONE);
    assert_no_brokers("k1:65536", "brokers: 'k1:65536'" NOT_ONE);
    assert_no_brokers("http://k1:80", "brokers: 'http://k1:80'" NOT_ONE);
    assert_no_brokers(":9092", "brokers: ':9092'" NOT_ONE);
    assert_no_brokers("[::1:9092", "brokers: '[::1:9092'" NOT_ONE);
    assert_no_brokers("[::1]9092", "brokers: '[::1]9092'" NOT_ONE);
    assert_no_brokers("me@k1:9092", "brokers: 'me@k1:9092'" NOT_ONE);
    assert_no_brokers("k1:9092,k 2", "brokers: 'k 2' (number 2)" NOT_ONE);
    assert_no_brokers("k\t1", "brokers: 'k\t1'" NOT_ONE);
    assert_no_brokers("", "brokers: '' has no address; write host:port");
    assert_no_brokers(", ,", "brokers: ', ,' has no address; write host:port");
}

static void test_the_brokers_have_an_option_of_their_own(void)
{
    static const SfPair pairs[] = {{"metadata.broker.list", "k1"}, {"bootstrap.servers", "k1"}, {"client.id", NULL}};
    const KafkaOptions options = {.brokers = "k1:9092", .kafka = {G_N_ELEMENTS(pairs), pairs}};
    assert_refusal(&options, NULL,
                   "kafka: 'metadata.broker.list' is the option 'brokers'; write it there\n"
                   "kafka: 'bootstrap.servers' is the option 'brokers'; write it there");
    g_assert_true(kafka_conf_given(&options, "bootstrap.servers"));
    g_assert_false(kafka_conf_given(&options, "linger.ms"));
}

static void test_what_a_plugin_needs_may_be_said_again(void)
{
    static const SfPair same[] = {{"enable.idempotence", "true"}}, other[] = {{"enable.idempotence", "false"}};
    static const KafkaSetting own[] = {{"enable.idempotence", "true"}, {NULL, NULL}};
    const KafkaOptions as_it_is = {.brokers = "k1", .kafka = {1, same}},
                       otherwise = {.brokers = "k1", .kafka = {1, other}};
    SfError err = {""};
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(&as_it_is, NULL, own, &err);
    g_assert_nonnull(conf);
    g_assert_null(kafka_conf_new(&otherwise, NULL, own, &err));
    g_assert_cmpstr(err.message, ==, "kafka: 'enable.idempotence' is set to 'true' by the plugin itself; remove it");
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

/* ---- one client's word ---- */

static KafkaClient *client_of_nobody(void)
{
    const KafkaOptions options = {.brokers = "127.0.0.1:1"};
    SfError err = {""};
    KafkaClient *client = NULL;
    g_assert_cmpint(kafka_client_asking(&options, "group", &client, &err), ==, SF_OK);
    return client;
}

/* Codes that only say that no answer came: the connection's own problem says why, where it is known. */
static void test_why_no_answer_came_is_the_connections_word(void)
{
    static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR__TRANSPORT,        RD_KAFKA_RESP_ERR__TIMED_OUT,
                                                RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__WAIT_COORD,
                                                RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,  RD_KAFKA_RESP_ERR__MSG_TIMED_OUT};
    KafkaClient *fresh = client_of_nobody(), *tried = client_of_nobody();
    SfError err = {""};
    g_assert_cmpint(kafka_client_probe(tried, 1000, &err), ==, SF_RETRY);
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_assert_cmpint(kafka_fail(fresh, codes[i], &err, "asking for %d", 7), ==, SF_RETRY);
        g_assert_cmpstr(err.message, ==, "asking for 7: no answer from the broker (127.0.0.1:1)");
        kafka_fail(tried, codes[i], &err, "asking for %d", 7);
        g_assert_cmpstr(err.message, ==, "cannot reach broker '127.0.0.1:1': connection refused");
        kafka_fail(NULL, codes[i], &err, "asking for %d", 7);
        g_assert_true(g_str_has_prefix(err.message, "asking for 7: "));
    }
    kafka_fail(tried, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, &err, "asking");
    g_assert_cmpstr(err.message, ==, "asking: broker: Topic authorization failed");
    kafka_client_free(fresh, 5000);
    kafka_client_free(tried, 5000);
}

/* In the place of librdkafka's own, which nobody else may set. */
static int is_retriable, is_fatal;

int rd_kafka_error_is_retriable(const rd_kafka_error_t *error)
{
    (void) error;
    return is_retriable;
}

int rd_kafka_error_is_fatal(const rd_kafka_error_t *error)
{
    (void) error;
    return is_fatal;
}

static void assert_error_means(rd_kafka_resp_err_t code, int retriable, int fatal, SfStatus expected)
{
    SfError err = {""};
    is_retriable = retriable;
    is_fatal = fatal;
    SfStatus status = kafka_fail_error(NULL, rd_kafka_error_new(code, "why"), &err, "transaction '%s'", "x");
    is_retriable = is_fatal = 0;
    g_assert_cmpstr(sf_status_name(status), ==, sf_status_name(expected));
    g_assert_cmpstr(err.message, ==, "transaction 'x': why");
}

static void test_a_transactions_error_says_what_may_be_done(void)
{
    assert_error_means(RD_KAFKA_RESP_ERR__FAIL, 0, 0, SF_RETRY);
    assert_error_means(RD_KAFKA_RESP_ERR__FAIL, 0, 1, SF_FENCED); /* this producer is of no more use */
    assert_error_means(RD_KAFKA_RESP_ERR__FAIL, 1, 1, SF_RETRY);
    assert_error_means(RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 0, 0, SF_FENCED);
    assert_error_means(RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, 0, SF_RETRY);
    assert_error_means(RD_KAFKA_RESP_ERR_INVALID_CONFIG, 0, 1, SF_CONFIG);
}

/* The client's callbacks, as librdkafka calls them. */
static void (*log_callback)(const rd_kafka_t *rk, int level, const char *facility, const char *text);
static void (*error_callback)(rd_kafka_t *rk, int code, const char *reason, void *opaque);

void rd_kafka_conf_set_log_cb(rd_kafka_conf_t *conf,
                              void (*callback)(const rd_kafka_t *rk, int level, const char *facility, const char *text))
{
    void (*real)(rd_kafka_conf_t *, void (*)(const rd_kafka_t *, int, const char *, const char *)) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_conf_set_log_cb");
    log_callback = callback;
    real(conf, callback);
}

void rd_kafka_conf_set_error_cb(rd_kafka_conf_t *conf,
                                void (*callback)(rd_kafka_t *rk, int code, const char *reason, void *opaque))
{
    void (*real)(rd_kafka_conf_t *, void (*)(rd_kafka_t *, int, const char *, void *)) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_conf_set_error_cb");
    error_callback = callback;
    real(conf, callback);
}

static void test_the_first_line_says_why_a_transaction_was_given_up(void)
{
    char text[256] = "";
    KafkaClient *client = client_of_nobody();
    rd_kafka_t *rk = kafka_client_handle(client);
    log_callback(rk, 3, "FAIL", "another matter");
    g_assert_false(kafka_client_given_up(client, text, sizeof text));
    log_callback(rk, 3, "ADDPARTS", "topic 'out' is forbidden");
    log_callback(rk, 3, "TXNERR", "the transaction failed");
    g_assert_true(kafka_client_given_up(client, text, sizeof text));
    g_assert_cmpstr(text, ==, "topic 'out' is forbidden");
    g_assert_false(kafka_client_given_up(client, text, sizeof text)); /* told once */
    log_callback(rk, 3, "TXNERR", "another one");
    g_assert_true(kafka_client_given_up(client, text, sizeof text));
    g_assert_cmpstr(text, ==, "another one");
    kafka_client_free(client, 5000);
}

static void test_events_make_a_client_doubtful_or_down(void)
{
    static const rd_kafka_resp_err_t connections[] = {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
                                                      RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__AUTHENTICATION};
    KafkaClient *client = client_of_nobody();
    rd_kafka_t *rk = kafka_client_handle(client);
    g_assert_false(kafka_client_down(client) || kafka_client_doubtful(client));
    error_callback(rk, RD_KAFKA_RESP_ERR__FAIL, "k1:9092: whatever", client);
    g_assert_false(kafka_client_down(client) || kafka_client_doubtful(client));
    for (gsize i = 0; i < G_N_ELEMENTS(connections); i++) {
        error_callback(rk, (int) connections[i], "k1:9092: Broken", client);
        g_assert_true(kafka_client_doubtful(client));
        g_assert_false(kafka_client_down(client));
        kafka_client_up(client);
        g_assert_false(kafka_client_doubtful(client));
    }
    error_callback(rk, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down", client);
    g_assert_true(kafka_client_down(client));
    kafka_client_up(client);
    g_assert_false(kafka_client_down(client));
    kafka_client_free(client, 5000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kit/kafka/reasons-become-sentences", test_reasons_become_sentences);
    g_test_add_func("/kit/kafka/certificate", test_a_certificate_may_be_another_hosts);
    g_test_add_func("/kit/kafka/login", test_a_login_that_is_refused_is_one_sentence);
    g_test_add_func("/kit/kafka/own-limit", test_the_processes_own_limit_is_named);
    g_test_add_func("/kit/kafka/want-of-threads", test_a_client_that_cannot_start_for_want_of_threads_is_tried_again);
    g_test_add_func("/kit/kafka/scram-is-hinted-at", test_scram_with_an_old_library_is_hinted_at);
    g_test_add_func("/kit/kafka/statuses", test_statuses_say_what_the_host_does);
    g_test_add_func("/kit/kafka/settings-have-their-order", test_settings_have_their_order);
    g_test_add_func("/kit/kafka/secret-is-not-repeated", test_a_secret_is_not_repeated);
    g_test_add_func("/kit/kafka/other-values-are", test_any_other_value_is_repeated_with_the_reason);
    g_test_add_func("/kit/kafka/brokers", test_brokers_are_a_list_of_addresses);
    g_test_add_func("/kit/kafka/not-an-address", test_what_is_not_an_address_is_named);
    g_test_add_func("/kit/kafka/brokers-option", test_the_brokers_have_an_option_of_their_own);
    g_test_add_func("/kit/kafka/said-again", test_what_a_plugin_needs_may_be_said_again);
    g_test_add_func("/kit/kafka/no-answer", test_why_no_answer_came_is_the_connections_word);
    g_test_add_func("/kit/kafka/transactions-error", test_a_transactions_error_says_what_may_be_done);
    g_test_add_func("/kit/kafka/given-up", test_the_first_line_says_why_a_transaction_was_given_up);
    g_test_add_func("/kit/kafka/events", test_events_make_a_client_doubtful_or_down);
    g_test_add_func("/kit/kafka/ends-in-time", test_a_client_without_a_broker_ends_in_time);
    return g_test_run();
}
