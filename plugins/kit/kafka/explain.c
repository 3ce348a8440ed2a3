/* librdkafka's error codes and reasons → statuses and sentences for a person. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "kafka.h"

/* SCRAM of older clients sends a nonce that Kafka 4 refuses (librdkafka pull request 4895, in 2.6.1). */
#define SCRAM_FIXED 0x020601ff

/* Somebody else is in this client's place. */
static const rd_kafka_resp_err_t fenced[] = {
    RD_KAFKA_RESP_ERR__FENCED,
    RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
    RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
    RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
    RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
};

/* No time mends these. */
static const rd_kafka_resp_err_t wrong[] = {
    RD_KAFKA_RESP_ERR__INVALID_ARG,
    RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL,
    RD_KAFKA_RESP_ERR_INVALID_CONFIG,
    RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
    RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
    RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
    RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
    RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
    RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
    RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
    RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
};

static bool is_among(const rd_kafka_resp_err_t *codes, size_t n, rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < n; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

SfStatus kafka_status(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return SF_OK;
    if (is_among(fenced, G_N_ELEMENTS(fenced), code))
        return SF_FENCED;
    return is_among(wrong, G_N_ELEMENTS(wrong), code) ? SF_CONFIG : SF_RETRY;
}

/* "sasl_ssl://k1:9092/bootstrap: Connect to …" → "k1:9092"; empty when the reason does not begin with a broker. */
static void broker_name(const char *reason, char *out, size_t size)
{
    const char *scheme = strstr(reason, "://");
    const char *begin = scheme && scheme - reason < 20 ? scheme + 3 : reason;
    const char *end = strstr(begin, ": ");
    out[0] = 0;
    if (!end || memchr(begin, ' ', (size_t) (end - begin)) || !memchr(begin, ':', (size_t) (end - begin)))
        return;
    size_t length = strcspn(begin, "/");
    if (begin + length > end)
        length = (size_t) (end - begin);
    g_snprintf(out, (gulong) size, "%.*s", (int) length, begin);
}

/* The part of the reason that says what happened, without broker, address and the client's internal state. */
static char *cause_of(const char *reason, const char *broker)
{
    const char *text = reason;
    const char *after = broker[0] ? strstr(reason, ": ") : NULL;
    if (after)
        text = after + 2;
    const char *failed = strstr(text, " failed: ");
    if (failed && g_str_has_prefix(text, "Connect to"))
        text = failed + strlen(" failed: ");
    const char *state = strstr(text, " (after ");
    char *cause = g_strndup(text, state ? (gsize) (state - text) : strlen(text));
    if (isupper((unsigned char) cause[0]) && islower((unsigned char) cause[1]))
        cause[0] = (char) tolower((unsigned char) cause[0]);
    for (size_t end = strlen(cause); end > 0 && (cause[end - 1] == '.' || isspace((unsigned char) cause[end - 1]));
         end--)
        cause[end - 1] = 0;
    return cause;
}

static const char *login_hint(const char *reason)
{
    bool scram = strstr(reason, "SCRAM") && strstr(reason, "nvalid credentials");
    if (scram && rd_kafka_version() < SCRAM_FIXED)
        return "; check user and password (librdkafka before 2.6.1 cannot use SCRAM with Kafka 4: take PLAIN over TLS, "
               "or a newer librdkafka)";
    return "; check sasl.mechanism, sasl.username and sasl_password";
}

/* librdkafka says the same of an authority that it does not know and of another host's certificate. */
static const char *certificate_hint(const char *cause)
{
    return strstr(cause, "certificate could not be verified") || strstr(cause, "certificate verify failed")
               ? "; or the certificate is for another host name: write that one in 'brokers' and the brokers' "
                 "advertised.listeners"
               : "";
}

/* "Failed to create socket: Too many open files": the process's own limit, which no broker can help. */
static bool explain_limit(const char *reason, char *out, size_t size)
{
    struct rlimit limit = {0};
    if (!strstr(reason, g_strerror(EMFILE)))
        return false;
    getrlimit(RLIMIT_NOFILE, &limit);
    g_snprintf(out, (gulong) size,
               "this process has all %" G_GUINT64_FORMAT " file descriptors open that it may have; raise the limit "
               "(ulimit -n, LimitNOFILE=)",
               (guint64) limit.rlim_cur);
    return true;
}

const char *kafka_explain(rd_kafka_resp_err_t code, const char *reason, char *out, size_t size)
{
    static const char *const roles[] = {"GroupCoordinator: ", "TxnCoordinator: "};
    char broker[256];
    if (!reason || !reason[0])
        reason = rd_kafka_err2str(code);
    if (explain_limit(reason, out, size))
        return out;
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        reason += g_str_has_prefix(reason, roles[i]) ? strlen(roles[i]) : 0;
    broker_name(reason, broker, sizeof broker);
    g_autofree char *cause = cause_of(reason, broker);
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
        g_snprintf(out, (gulong) size, "broker '%s' refuses the login: %s%s", broker, cause, login_hint(reason));
    else if (broker[0])
        g_snprintf(out, (gulong) size, "cannot reach broker '%s': %s%s", broker, cause, certificate_hint(cause));
    else
        g_snprintf(out, (gulong) size, "%s", cause);
    return out;
}
