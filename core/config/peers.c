/* A table of words, and the marks of layouts. Knows options by name only: a hint is given where the plugin has what it
 * speaks of. */
#include "peers.h"
#include "option_read.h"

#include <string.h>

typedef struct PeerOption {
    const char *theirs; /* dots, underscores and hyphens are one, and case does not count */
    const char *ours;   /* NULL: the hint holds whatever the options are */
    const char *more;   /* behind "write '<ours>'", or the whole hint */
} PeerOption;

static const PeerOption peer_options[] = {
    {"bootstrap.servers", "brokers", NULL},
    {"metadata.broker.list", "brokers", NULL},
    {"broker.list", "brokers", NULL},
    {"seed.brokers", "brokers", NULL},
    {"addresses", "brokers", NULL},
    {"group.id", "group", NULL},
    {"consumer.group", "group", NULL},
    {"auto.offset.reset", "start", " (earliest, latest, timestamp or committed)"},
    {"starting.offsets", "start", " (earliest, latest, timestamp or committed)"},
    {"start.from.oldest", "start", ": earliest"},
    {"topics.regex", "topic_pattern", NULL},
    {"subscribe.pattern", "topic_pattern", NULL},
    {"subscribe", "topics", NULL},
    {"topic", "topics", NULL},
    {"kafka.topic", "topic", NULL},
    {"client.id", "client_id", NULL},
    {"sasl.password", "sasl_password", NULL},
    {"max.poll.records", "batch_rows", NULL},
    {"s3.bucket.name", "url", ": s3://BUCKET/PREFIX"},
    {"aws.s3.bucket.name", "url", ": s3://BUCKET/PREFIX"},
    {"bucket", "url", ": s3://BUCKET/PREFIX"},
    {"key.prefix", "url", ": s3://BUCKET/PREFIX"},
    {"aws.s3.prefix", "url", ": s3://BUCKET/PREFIX"},
    {"table.path", "url", NULL},
    {"location", "url", NULL},
    {"store.url", "endpoint", NULL},
    {"endpoint.url", "endpoint", NULL},
    {"aws.s3.endpoint", "endpoint", NULL},
    {"s3.region", "region", NULL},
    {"aws.region", "region", NULL},
    {"aws.s3.region", "region", NULL},
    {"aws.access.key.id", "access_key_id", NULL},
    {"aws.secret.access.key", "secret_access_key", ": file:PATH or exec:COMMAND"},
    {"s3.path.style.access.enabled", "path_style", NULL},
    {"force.path.style.urls", "path_style", NULL},
    {"partition.by", "partition_by", NULL},
    {"partition.columns", "partition_by", NULL},
    {"partitionby", "partition_by", NULL},
    {"mergeschema", "merge_schema", NULL},
    {"rotate.interval", "rotate.interval.ms", NULL},
    {"partitioner.class", "path.format", ", which every object is named by"},
    {"locale", "path.format", ", whose words are English"},
    {"connection.url", "connection", ": Driver=…;Server=…;Database=…"},
    {"connection.string", "connection", ": Driver=…;Server=…;Database=…"},
    {"dsn", "connection", ": DSN=…"},
    {"snowflake.url.name", "connection", ": Driver=SnowflakeDSIIDriver;Server=…"},
    {"connection.user", "user", NULL},
    {"connection.password", "password", ": file:PATH or exec:COMMAND"},
    {"unique.key", "facts", ", where each table has its 'key'"},
    {"pk.fields", "facts", ", where each table has its 'key'"},
    {"include", "path", NULL},
    {"paths", "path", ": one file, directory or pattern"},
    {"filename", "path", NULL},
    {"inputs", "from", NULL},
    {"input", "from", NULL},
    {"depends.on", "from", NULL},
    {"tasks.max", NULL, "; threads are 'tasks', at the top of the file"},
    {"errors.tolerance", NULL,
     "; rows that a step refuses go to its output NAME.errors, or 'on_reject: drop' drops them"},
    {"errors.deadletterqueue.topic.name", NULL,
     "; the rows that a step refuses are its output NAME.errors, which any sink may read"},
    {"connector.class", NULL, "; the plugin's name stands behind 'source', 'transform' or 'sink'"},
    {"key.converter", NULL, "; raw rows have the bytes as they are; a transform makes columns of them"},
    {"value.converter", NULL, "; raw rows have the bytes as they are; a transform makes columns of them"},
    {"decoding", NULL, "; raw rows have the bytes as they are; a transform makes columns of them"},
    {"transforms", NULL, "; each transform is a step of its own"},
    {"checkpointlocation", NULL, "; sinks keep their positions themselves; 'checkpoint' at the top says how often"},
    {"trigger", NULL, "; 'trigger' and 'checkpoint' stand at the top of the file"},
};

static char folded(char c)
{
    return c == '_' || c == '-' || c == ' ' ? '.' : g_ascii_tolower(c);
}

static bool same_word(const char *a, const char *b)
{
    while (*a && folded(*a) == folded(*b))
        a++, b++;
    return *a == *b;
}

/* What the step's own keys are for has no row in the plugin's table. */
static bool has_option(const SfOption *options, size_t n, const char *name)
{
    return option_find(options, n, name) || option_is_own(name);
}

char *peer_option(const SfOption *options, size_t n, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(peer_options); i++) {
        const PeerOption *row = &peer_options[i];
        if (!same_word(name, row->theirs))
            continue;
        if (!row->ours)
            return g_strdup(row->more);
        if (has_option(options, n, row->ours))
            return g_strdup_printf("; write '%s'%s", row->ours, row->more ? row->more : "");
    }
    const SfOption *kafka = strchr(name, '.') ? option_find(options, n, "kafka") : NULL;
    if (kafka && kafka->type == SF_OPTION_TYPE_MAP)
        return g_strdup_printf("; properties of the Kafka client stand under 'kafka': {%s: …}", name);
    return NULL;
}

/* ---- layouts -------------------------------------------------------------------------------------------------- */

typedef struct PeerLayout {
    const char *key;
    const char *inside; /* of it, where the key alone says too little; NULL: it must be a list or a map */
    const char *system;
} PeerLayout;

static const PeerLayout layouts[] = {
    {"sources", NULL, "Vector"},
    {"sinks", NULL, "Vector"},
    {"transforms", NULL, "Vector"},
    {"input", NULL, "Redpanda Connect"},
    {"output", NULL, "Redpanda Connect"},
    {"pipeline", "processors", "Redpanda Connect"},
    {"pipeline", "inputs", "Fluent Bit"},
    {"config", "connector.class", "Kafka Connect"},
    {"inputs", NULL, "Benthos or Telegraf"},
    {"receivers", NULL, "the OpenTelemetry Collector"},
};

static const SfValue *key_of(const SfValue *map, const char *name)
{
    for (size_t i = 0; i < sf_value_size(map) && map->keys; i++)
        if (g_str_equal(sf_value_key(map, i)->text, name))
            return sf_value_key(map, i);
    return NULL;
}

static bool shows(const SfValue *root, const PeerLayout *layout)
{
    const SfValue *value = sf_value_get(root, layout->key);
    if (!value || (value->kind != SF_VALUE_MAP && value->kind != SF_VALUE_LIST))
        return false;
    return !layout->inside || (value->kind == SF_VALUE_MAP && sf_value_get(value, layout->inside));
}

bool peer_layout(const SfValue *root, Diagnostics *diagnostics)
{
    static const char ours[] = "here all steps stand in the map 'steps', each with 'source: PLUGIN', 'transform: "
                               "PLUGIN' or 'sink: PLUGIN', and "
                               "with 'from', the step whose rows it gets; `sfrun plugins` lists the plugins";
    if (key_of(root, "steps"))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        if (!shows(root, &layouts[i]))
            continue;
        diagnostics_add(diagnostics, key_of(root, layouts[i].key), "'%s' is how %s lays a file out; %s", layouts[i].key,
                        layouts[i].system, ours);
        return true;
    }
    const SfValue *connector = key_of(root, "connector.class");
    if (connector)
        diagnostics_add(diagnostics, connector, "'connector.class' is how Kafka Connect lays a file out; %s", ours);
    return connector;
}

const SfValue *peer_kind_key(const SfValue *step)
{
    static const char *const keys[] = {"type", "plugin", "connector.class", "kind", "connector", NULL};
    for (const char *const *key = keys; *key; key++)
        if (key_of(step, *key))
            return key_of(step, *key);
    return NULL;
}

/* ---- plugins -------------------------------------------------------------------------------------------------- */

/* "io.delta.DeltaSink" → io, delta, delta, sink. */
static GPtrArray *split_words(const char *name)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) word = g_string_new(NULL);
    for (const char *c = name;; c++) {
        bool begins = g_ascii_isupper(*c) && c > name && !g_ascii_isupper(c[-1]);
        if (word->len > 0 && (begins || !g_ascii_isalnum(*c))) {
            g_ptr_array_add(words, g_ascii_strdown(word->str, -1));
            g_string_truncate(word, 0);
        }
        if (!*c)
            return words;
        if (g_ascii_isalnum(*c))
            g_string_append_c(word, *c);
    }
}

static guint count_word(const GPtrArray *words, const char *word)
{
    guint n = 0;
    for (guint i = 0; i < words->len; i++)
        n += g_str_equal(words->pdata[i], word);
    return n;
}

/* Of a word that is there twice each counts: it is what the name is about. */
static guint shared_words(const GPtrArray *theirs, const char *plugin)
{
    static const char *const kinds[] = {"source", "transform", "sink", NULL};
    g_autoptr(GPtrArray) ours = split_words(plugin);
    guint shared = 0, telling = 0;
    for (guint i = 0; i < ours->len; i++) {
        guint n = count_word(theirs, ours->pdata[i]);
        shared += n;
        telling += g_strv_contains(kinds, ours->pdata[i]) ? 0 : n;
    }
    return telling > 0 ? shared : 0;
}

guint peer_shared_words(const char *name, const char *plugin)
{
    g_autoptr(GPtrArray) theirs = split_words(name);
    return shared_words(theirs, plugin);
}

const char *peer_plugin(const char *name, const char *const *names, size_t n)
{
    g_autoptr(GPtrArray) theirs = split_words(name);
    const char *best = NULL;
    guint most = 0;
    for (size_t i = 0; i < n; i++) {
        guint shared = shared_words(theirs, names[i]);
        if (shared > most) {
            most = shared;
            best = names[i];
        }
    }
    return best;
}
