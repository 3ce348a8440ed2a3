/* A librdkafka configuration from a plugin's options: precedence, and messages that name the property. */
#include <stdio.h>
#include <string.h>

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

static SfStatus set(rd_kafka_conf_t *conf, const char *name, const char *value, SfError *err)
{
    char reason[256];
    switch (rd_kafka_conf_set(conf, name, value, reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
        return SF_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return fail_unknown(name, err);
    default:
        if (is_secret(name))
            return sf_fail(err, SF_CONFIG, "kafka: librdkafka does not take the value of '%s'", name);
        return sf_fail(err, SF_CONFIG, "kafka: '%s: %s': %s", name, value, reason);
    }
}

static SfStatus set_all(rd_kafka_conf_t *conf, const KafkaSetting *settings, SfError *err)
{
    for (const KafkaSetting *setting = settings; setting && setting->name; setting++)
        SF_TRY(set(conf, setting->name, setting->value, err));
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

static SfStatus set_options(rd_kafka_conf_t *conf, const KafkaOptions *options, const KafkaSetting *own, SfError *err)
{
    SF_TRY(set(conf, "bootstrap.servers", options->brokers ? options->brokers : "localhost:9092", err));
    if (options->client_id)
        SF_TRY(set(conf, "client.id", options->client_id, err));
    if (options->sasl_password)
        SF_TRY(set(conf, "sasl.password", options->sasl_password, err));
    for (size_t i = 0; i < options->kafka.size; i++) {
        const SfPair *pair = &options->kafka.pairs[i];
        if (strcmp(pair->key, "bootstrap.servers") == 0 || strcmp(pair->key, "metadata.broker.list") == 0)
            return sf_fail(err, SF_CONFIG, "kafka: '%s' is the option 'brokers'; write it there", pair->key);
        SF_TRY(check_own(pair, own, err));
        SF_TRY(set(conf, pair->key, pair->value ? pair->value : "", err));
    }
    return SF_OK;
}

rd_kafka_conf_t *kafka_conf_new(const KafkaOptions *options, const KafkaSetting *defaults, const KafkaSetting *own,
                                SfError *err)
{
    g_autoptr(rd_kafka_conf_t) conf = rd_kafka_conf_new();
    if (set_all(conf, defaults, err) != SF_OK || set_options(conf, options, own, err) != SF_OK ||
        set_all(conf, own, err) != SF_OK)
        return NULL;
    return g_steal_pointer(&conf);
}
