/* One librdkafka handle: its last connection problem, its log lines, and an end within a deadline. */
#include <errno.h>
#include <string.h>

#include "client.h"

/* librdkafka's log levels are syslog's. A broker's connection errors also come as events, of which we make one line. */
static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    KafkaClient *client = rd_kafka_opaque(rk);
    bool noise = strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 || strcmp(facility, "GETPID") == 0;
    if (!client)
        return;
    g_mutex_lock(&client->lock);
    bool gives_up = strcmp(facility, "ADDPARTS") == 0 || strcmp(facility, "TXNERR") == 0;
    if (gives_up && !client->given_up[0]) /* the first line names the topic, those after it do not */
        g_strlcpy(client->given_up, text, sizeof client->given_up);
    if (client->node)
        sf_log(client->node, level <= 4 && !noise ? SF_LOG_WARNING : SF_LOG_DEBUG, "librdkafka: %s: %s", facility,
               text);
    g_mutex_unlock(&client->lock);
}

/* Runs within the polling thread. */
static void error_event(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    KafkaClient *client = opaque;
    char fatal[512];
    switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        client->down = true;
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        client->code = (rd_kafka_resp_err_t) code;
        kafka_explain(client->code, reason, client->problem, sizeof client->problem);
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        client->code = rd_kafka_fatal_error(rk, fatal, sizeof fatal);
        kafka_explain(client->code, fatal, client->problem, sizeof client->problem);
        break;
    default:
        break;
    }
}

static void client_unref(KafkaClient *client)
{
    if (!g_atomic_int_dec_and_test(&client->references))
        return;
    g_mutex_clear(&client->lock);
    g_cond_clear(&client->gone_cond);
    if (client->spare)
        rd_kafka_conf_destroy(client->spare);
    g_free(client->brokers);
    g_free(client);
}

static char *conf_value(const rd_kafka_conf_t *conf, const char *name)
{
    char value[512];
    size_t size = sizeof value;
    if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK)
        return g_strdup("");
    value[sizeof value - 1] = 0;
    return g_strdup(value);
}

static void set_callbacks(rd_kafka_conf_t *conf, KafkaClient *client)
{
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, log_line);
    rd_kafka_conf_set_error_cb(conf, error_event);
}

/* Settings are what it refuses with EINVAL; all else is the machine's: threads, descriptors, memory. */
static SfStatus fail_new(const char *reason, SfError *err)
{
    rd_kafka_resp_err_t code = rd_kafka_last_error();
    int cause = errno;
    if (code == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE || cause == EAGAIN || cause == ENOMEM || cause == EMFILE ||
        cause == ENFILE)
        return sf_fail(err, SF_RETRY,
                       "no further Kafka client can be started: %s (%s); raise the limit of threads or descriptors "
                       "(ulimit -u, ulimit -n)",
                       reason, g_strerror(cause));
    return sf_fail(err, SF_CONFIG, "kafka: %s", reason);
}

SfStatus kafka_client_new(SfNode *node, rd_kafka_type_t type, rd_kafka_conf_t *conf, void *user, KafkaClient **out,
                          SfError *err)
{
    char reason[512];
    KafkaClient *client = g_new0(KafkaClient, 1);
    client->references = 1;
    client->node = node;
    client->user = user;
    client->polled = type == RD_KAFKA_PRODUCER;
    client->brokers = conf_value(conf, "bootstrap.servers");
    g_mutex_init(&client->lock);
    g_cond_init(&client->gone_cond);
    set_callbacks(conf, client);
    client->rk = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!client->rk) {
        SfStatus status = fail_new(reason, err);
        rd_kafka_conf_destroy(conf);
        client_unref(client);
        return status;
    }
    *out = client;
    return SF_OK;
}

SfStatus kafka_client_asking(const KafkaOptions *options, const char *group, KafkaClient **out, SfError *err)
{
    const KafkaSetting defaults[] = {{"group.id", group}, {"socket.nagle.disable", "true"}, {NULL, NULL}};
    const KafkaSetting own[] = {{"allow.auto.create.topics", "false"}, {NULL, NULL}}; /* it asks, and changes nothing */
    rd_kafka_conf_t *conf = kafka_conf_new(options, defaults, own, err);
    if (!conf)
        return SF_CONFIG;
    g_autoptr(rd_kafka_conf_t) spare = rd_kafka_conf_dup(conf);
    KafkaClient *client = NULL;
    /* without a node: it would complain of every setting that is for producers */
    SF_TRY(kafka_client_new(NULL, RD_KAFKA_CONSUMER, conf, NULL, &client, err));
    client->polled = true;
    client->spare = g_steal_pointer(&spare);
    *out = client;
    return SF_OK;
}

typedef struct Old {
    rd_kafka_t *rk;
    KafkaClient *client; /* its log lines ask for it until the end */
} Old;

static gpointer destroy_old(gpointer data)
{
    g_autofree Old *old = data;
    rd_kafka_destroy_flags(old->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    client_unref(old->client);
    return NULL;
}

bool kafka_client_renew(KafkaClient *client)
{
    char reason[512];
    if (!client->spare)
        return false;
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(client->spare);
    set_callbacks(conf, client);
    rd_kafka_t *fresh = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!fresh) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    Old *old = g_new0(Old, 1);
    *old = (Old){client->rk, client};
    g_atomic_int_inc(&client->references);
    client->rk = fresh;
    g_autoptr(GThread) thread = g_thread_try_new("kafka-close", destroy_old, old, NULL);
    if (!thread)
        destroy_old(old);
    return true;
}

static gpointer destroy_handle(gpointer data)
{
    KafkaClient *client = data;
    rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    g_mutex_lock(&client->lock);
    client->gone = true;
    g_cond_signal(&client->gone_cond);
    g_mutex_unlock(&client->lock);
    client_unref(client);
    return NULL;
}

void kafka_client_free(KafkaClient *client, int timeout_ms)
{
    if (!client)
        return;
    gint64 deadline = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
    g_atomic_int_inc(&client->references);
    GThread *closing = g_thread_try_new("kafka-close", destroy_handle, client, NULL);
    if (closing)
        g_thread_unref(closing);
    else
        destroy_handle(client); /* takes the time that it takes */
    g_mutex_lock(&client->lock);
    while (!client->gone && g_cond_wait_until(&client->gone_cond, &client->lock, deadline))
        ;
    if (!client->gone && client->node && timeout_ms > 0)
        sf_log(client->node, SF_LOG_WARNING, "the client did not close within %d ms; going on without it", timeout_ms);
    client->node = NULL;
    g_mutex_unlock(&client->lock);
    client_unref(client);
}

bool kafka_client_given_up(KafkaClient *client, char *out, size_t size)
{
    g_mutex_lock(&client->lock);
    bool found = client->given_up[0];
    if (found)
        g_strlcpy(out, client->given_up, size);
    client->given_up[0] = 0;
    g_mutex_unlock(&client->lock);
    return found;
}

rd_kafka_t *kafka_client_handle(const KafkaClient *client)
{
    return client->rk;
}

void *kafka_client_user(const KafkaClient *client)
{
    return client->user;
}

bool kafka_client_down(const KafkaClient *client)
{
    return client->down;
}

bool kafka_client_doubtful(const KafkaClient *client)
{
    return client->problem[0] != 0;
}

void kafka_client_up(KafkaClient *client)
{
    client->down = false;
    client->problem[0] = 0;
}

/* Events (connection errors among them) wait until the client is polled; a reading consumer is by its reader. */
void kafka_serve(KafkaClient *client)
{
    if (client->polled)
        rd_kafka_poll(client->rk, 0);
}

SfStatus kafka_client_probe(KafkaClient *client, int timeout_ms, SfError *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client->rk, 0, NULL, &metadata, timeout_ms);
    kafka_serve(client);
    if (code) {
        client->down = true;
        return kafka_fail(client, code, err, "no broker of '%s' answers", client->brokers);
    }
    rd_kafka_metadata_destroy(metadata);
    kafka_client_up(client);
    return SF_OK;
}

/* Codes that only say that no answer came, where the connection's own problem says why. */
static bool says_nothing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__WAIT_COORD ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
}

static SfStatus fail_with(const KafkaClient *client, rd_kafka_resp_err_t code, SfStatus status, const char *reason,
                          SfError *err, const char *what)
{
    char text[768];
    if (says_nothing(code) && client && client->problem[0])
        return sf_fail(err, status, "%s", client->problem);
    if (says_nothing(code) && client)
        return sf_fail(err, status, "%s: no answer from the broker (%s)", what, client->brokers);
    return sf_fail(err, status, "%s: %s", what, kafka_explain(code, reason, text, sizeof text));
}

SfStatus kafka_fail(const KafkaClient *client, rd_kafka_resp_err_t code, SfError *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    return fail_with(client, code, kafka_status(code), NULL, err, what);
}

SfStatus kafka_fail_error(const KafkaClient *client, rd_kafka_error_t *error, SfError *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(rd_kafka_error_t) owned = error;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    SfStatus status = kafka_status(code);
    if (rd_kafka_error_is_retriable(error))
        status = SF_RETRY;
    else if (rd_kafka_error_is_fatal(error) && status == SF_RETRY)
        status = SF_FENCED; /* this producer is of no more use; a new attempt makes another */
    return fail_with(client, code, status, rd_kafka_error_string(error), err, what);
}
