/* A librdkafka configuration from a plugin's options: precedence, and messages that name the property. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kafka.h"

/* Values of these never appear in a message. */
static bool is_secret(const char *name)
{
    return strstr(name, "password") || strstr(name, "secret") || strstr(name, "passphrase") ||
           strstr(name, "key.pem") || strstr(name, "oauthbearer.config");
}

/* librdkafka has no list of its properties but the table that it prints: their names are the first words of its
 * lines. */
static GPtrArray *property_names(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return names;
    rd_kafka_conf_properties_show(stream);
    fclose(stream);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    free(text);
    for (char **line = lines; *line; line++) {
        size_t length = strcspn(*line, " |");
        if (length > 2 && memchr(*line, '.', length))
            g_ptr_array_add(names, g_strndup(*line, length));
    }
    return names;
}

static SfStatus fail_unknown(const char *name, SfError *err)
{
    g_autoptr(GPtrArray) names = property_names();
    char suggestion[160];
    sf_suggest(name, (const char *const *) names->pdata, names->len, suggestion, sizeof suggestion);
    return sf_fail(err, SF_CONFIG, "kafka: librdkafka has no property '%s'%s", name, suggestion);
}

static SfStatus set_property(rd_kafka_conf_t *conf, const char *name, const char *value, SfError *err)
{
    char reason[256];
    switch (rd_kafka_conf_set(conf, name, value, reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
        return SF_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return fail_unknown(name, err);
    default:
        if (is_secret(name))
            return sf_fail(err, SF_CONFIG, "kafka: librdkafka refuses the value of '%s'", name);
        return sf_fail(err, SF_CONFIG, "kafka: '%s: %s': %s", name, value, reason);
    }
}

static SfStatus set_properties(rd_kafka_conf_t *conf, const KafkaSetting *settings, SfError *err)
{
    for (const KafkaSetting *setting = settings; setting && setting->name; setting++)
        if (setting->value)
            SF_TRY(set_property(conf, setting->name, setting->value, err));
    return SF_OK;
}

static SfStatus check_own(const SfPair *pair, const KafkaSetting *own, SfError *err)
{
    for (const KafkaSetting *setting = own; setting && setting->name; setting++)
        if (strcmp(setting->name, pair->key) == 0 && g_strcmp0(setting->value, pair->value) != 0)
            return sf_fail(err, SF_CONFIG, "kafka: '%s' is set to '%s' by the plugin itself; remove it", pair->key,
                           setting->value);
    return SF_OK;
}

static bool is_port(const char *text)
{
    guint64 port = 0;
    return g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL);
}

/* "[SSL://]host[:port]", an IPv6 address in brackets: librdkafka takes any text, and then looks for such a host for
 * ever. */
static bool is_broker(const char *text)
{
    static const char *const schemes[] = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl", NULL};
    const char *scheme = strstr(text, "://");
    g_autofree char *name = scheme ? g_ascii_strdown(text, scheme - text) : NULL;
    if (name && !g_strv_contains(schemes, name))
        return false;
    const char *host = scheme ? scheme + strlen("://") : text;
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = bracket ? (bracket[1] ? bracket + 1 : NULL) : strchr(host, ':');
    if (*host == '[' && !bracket)
        return false;
    size_t size = colon ? (size_t) (colon - host) : strlen(host);
    if (size == 0 || strcspn(host, "/ \t\r\n@?#") < strlen(host))
        return false;
    return !colon || (*colon == ':' && is_port(colon + 1));
}

/* The addresses without blanks and empty places, or all that are wrong, each with its place in the list. */
static SfStatus read_brokers(const char *brokers, char **out, SfError *err)
{
    g_auto(GStrv) all = g_strsplit(brokers, ",", -1);
    g_autoptr(GString) wrong = g_string_new(NULL), good = g_string_new(NULL);
    guint n = g_strv_length(all), n_wrong = 0;
    for (guint i = 0; i < n; i++) {
        g_strstrip(all[i]);
        if (!all[i][0])
            continue;
        if (is_broker(all[i])) {
            g_string_append_printf(good, "%s%s", good->len ? "," : "", all[i]);
            continue;
        }
        g_string_append_printf(wrong, "%s'%s'", n_wrong++ ? ", " : "", all[i]);
        if (n > 1)
            g_string_append_printf(wrong, " (number %u)", i + 1);
    }
    if (n_wrong > 0)
        return sf_fail(err, SF_CONFIG, "brokers: %s %s; write host:port, with a port from 1 to 65535", wrong->str,
                       n_wrong > 1 ? "are not valid addresses" : "is not a valid address");
    if (good->len == 0)
        return sf_fail(err, SF_CONFIG, "brokers: '%s' has no address; write host:port", brokers);
    *out = g_strdup(good->str);
    return SF_OK;
}

static SfStatus set_brokers(rd_kafka_conf_t *conf, const char *brokers, SfError *err)
{
    g_autofree char *list = NULL;
    SF_TRY(read_brokers(brokers ? brokers : "localhost:9092", &list, err));
    return set_property(conf, "bootstrap.servers", list, err);
}

static SfStatus set_pair(rd_kafka_conf_t *conf, const SfPair *pair, const KafkaSetting *own, SfError *err)
{
    if (strcmp(pair->key, "bootstrap.servers") == 0 || strcmp(pair->key, "metadata.broker.list") == 0)
        return sf_fail(err, SF_CONFIG, "kafka: '%s' is the option 'brokers'; write it there", pair->key);
    SF_TRY(check_own(pair, own, err));
    return set_property(conf, pair->key, pair->value ? pair->value : "", err);
}

/* All that is wrong, not the first only. */
static SfStatus set_options(rd_kafka_conf_t *conf, const KafkaOptions *options, const KafkaSetting *own, SfError *err)
{
    g_autofree char *own_id = g_strdup_printf("streamforge-%s-%d", g_get_host_name(), (int) getpid());
    SfError all = {""}, one;
    if (set_brokers(conf, options->brokers, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (set_property(conf, "client.id", options->client_id ? options->client_id : own_id, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (options->sasl_password && set_property(conf, "sasl.password", options->sasl_password, &one) != SF_OK)
        sf_fail_also(&all, &one);
    for (size_t i = 0; i < options->kafka.size; i++)
        if (set_pair(conf, &options->kafka.pairs[i], own, &one) != SF_OK)
            sf_fail_also(&all, &one);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

bool kafka_conf_given(const KafkaOptions *options, const char *name)
{
    for (size_t i = 0; i < options->kafka.size; i++)
        if (strcmp(options->kafka.pairs[i].key, name) == 0)
            return true;
    return false;
}

rd_kafka_conf_t *kafka_conf_new(const KafkaOptions *options, const KafkaSetting *defaults, const KafkaSetting *own,
                                SfError *err)
{
    g_autoptr(rd_kafka_conf_t) conf = rd_kafka_conf_new();
    if (set_properties(conf, defaults, err) != SF_OK || set_options(conf, options, own, err) != SF_OK ||
        set_properties(conf, own, err) != SF_OK)
        return NULL;
    return g_steal_pointer(&conf);
}
