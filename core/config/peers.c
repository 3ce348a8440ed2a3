/* The marks of other systems' layouts, and their names of plugins. */
#include "peers.h"
#include "value.h"

#include <string.h>

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
    {"models", NULL, "dbt"},
    {"services", NULL, "Docker Compose"},
    {"metadata", "name", "Kubernetes"},
    {"tasks", NULL, "Airflow or Ansible"},
    {"receivers", NULL, "the OpenTelemetry Collector"},
};

static const SfValue *peer_key_of(const SfValue *map, const char *name)
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

/* Of a file that is not a map: "; this looks like …", or "". */
const char *peer_text(const SfValue *root)
{
    static const struct Mark {
        const char *mark, *hint;
    } marks[] = {
        {"connector.class=", "; this looks like properties of a Kafka Connect connector"},
        {"CREATE TABLE", "; this looks like SQL"},
        {"create table", "; this looks like SQL"},
        {"=>", "; this looks like Logstash's configuration"},
        {"{", "; this looks like a configuration in braces, as Logstash and HOCON have it"},
        {"=", "; this looks like a properties file"},
    };
    for (gsize i = 0; root->kind == SF_VALUE_SCALAR && i < G_N_ELEMENTS(marks); i++)
        if (strstr(root->text, marks[i].mark))
            return marks[i].hint;
    return "";
}

bool peer_layout(const SfValue *root, Diagnostics *diagnostics)
{
    static const char ours[] = "here all steps stand in the map 'steps', each with 'source: PLUGIN', 'transform: "
                               "PLUGIN' or 'sink: PLUGIN', and "
                               "with 'from', the step whose rows it gets; `sfrun plugins` lists the plugins";
    if (peer_key_of(root, "steps"))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        if (!shows(root, &layouts[i]))
            continue;
        diagnostics_add(diagnostics, peer_key_of(root, layouts[i].key), "'%s' is how %s lays a file out; %s",
                        layouts[i].key, layouts[i].system, ours);
        return true;
    }
    const SfValue *connector = peer_key_of(root, "connector.class");
    if (connector)
        diagnostics_add(diagnostics, connector, "'connector.class' is how Kafka Connect lays a file out; %s", ours);
    return connector;
}

const SfValue *peer_kind_key(const SfValue *step)
{
    static const char *const keys[] = {"type", "plugin", "connector.class", "kind", "connector", NULL};
    for (const char *const *key = keys; *key; key++)
        if (peer_key_of(step, *key))
            return peer_key_of(step, *key);
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
