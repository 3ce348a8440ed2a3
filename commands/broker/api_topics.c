/* Metadata, and the administration of topics; see api.h. */
#include <string.h>

#include "api.h"

/* ---- metadata --------------------------------------------------------------------------------------------------- */

static void write_nodes(Out *out)
{
    out_count(out, 1);
    out_i32(out, BROKER_NODE);
}

static void write_partition(Request *request, gint32 number)
{
    Out *out = &request->out;
    out_i16(out, CODE_OK);
    out_i32(out, number);
    out_i32(out, BROKER_NODE);
    if (request->version >= 7)
        out_i32(out, 0);
    write_nodes(out);
    write_nodes(out);
    if (request->version >= 5)
        out_count(out, 0);
    out_tags(out);
}

static void write_topic(Request *request, const char *name, const Topic *topic, Code code)
{
    static const guint8 no_id[16];
    Out *out = &request->out;
    guint partitions = topic ? topic->partitions->len : 0;
    out_i16(out, (gint16) code);
    out_text(out, name);
    if (request->version >= 10)
        out_raw(out, topic ? topic->id : no_id, sizeof no_id);
    if (request->version >= 1)
        out_i8(out, 0);
    out_count(out, (gint32) partitions);
    for (guint i = 0; i < partitions; i++)
        write_partition(request, (gint32) i);
    if (request->version >= 8)
        out_i32(out, G_MININT32); /* operations that are allowed: not asked for */
    out_tags(out);
}

static void write_all(Request *request)
{
    GHashTableIter iter;
    gpointer topic;
    out_count(&request->out, (gint32) g_hash_table_size(request->broker->topics));
    g_hash_table_iter_init(&iter, request->broker->topics);
    while (g_hash_table_iter_next(&iter, NULL, &topic))
        write_topic(request, ((Topic *) topic)->name, topic, CODE_OK);
}

static const Topic *by_id(const Broker *broker, const guint8 *id)
{
    GHashTableIter iter;
    gpointer topic;
    g_hash_table_iter_init(&iter, broker->topics);
    while (g_hash_table_iter_next(&iter, NULL, &topic)) {
        if (memcmp(((Topic *) topic)->id, id, sizeof((Topic *) topic)->id) == 0)
            return topic;
    }
    return NULL;
}

/* Names that were asked for: a topic that is missing is made, with one partition, where the client wishes that. */
static void write_asked(Request *request, GPtrArray *names, bool creates)
{
    out_count(&request->out, (gint32) names->len);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        const Topic *topic = store_topic(request->broker, name);
        Code code = topic ? CODE_OK : store_is_name(name) ? CODE_UNKNOWN_TOPIC : CODE_INVALID_TOPIC;
        if (!topic && code == CODE_UNKNOWN_TOPIC && creates) {
            code = store_create(request->broker, name, 1, NULL);
            topic = store_topic(request->broker, name);
        }
        write_topic(request, name ? name : "", code == CODE_OK ? topic : NULL, code);
    }
}

static void write_broker(Request *request)
{
    Out *out = &request->out;
    const Broker *broker = request->broker;
    if (request->version >= 3)
        out_i32(out, 0);
    out_count(out, 1);
    out_i32(out, BROKER_NODE);
    out_text(out, broker->host);
    out_i32(out, broker->port);
    if (request->version >= 1)
        out_text(out, NULL);
    out_tags(out);
    if (request->version >= 2) {
        g_autofree char *id = g_base64_encode(broker->id, sizeof broker->id);
        id[22] = 0; /* without the padding, as Kafka writes it */
        out_text(out, id);
    }
    if (request->version >= 1)
        out_i32(out, BROKER_NODE);
}

Outcome api_metadata(Request *request)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    In *in = &request->in;
    gint32 n = in_count(in);
    bool all = n < 0 || (request->version == 0 && n == 0);
    for (gint32 i = 0; i < n; i++) {
        guint8 id[16] = {0};
        for (guint k = 0; request->version >= 10 && k < sizeof id; k++)
            id[k] = (guint8) in_i8(in);
        const char *name = in_text(in);
        in_tags(in);
        const Topic *topic = name ? NULL : by_id(request->broker, id);
        g_ptr_array_add(names, (gpointer) (topic ? topic->name : name));
    }
    bool creates = request->version < 4 || in_i8(in);
    write_broker(request);
    if (all)
        write_all(request);
    else
        write_asked(request, names, creates && !in->broken);
    if (request->version >= 8 && request->version <= 10)
        out_i32(&request->out, G_MININT32);
    out_tags(&request->out);
    return ANSWERED;
}

/* ---- creating, deleting ----------------------------------------------------------------------------------------- */

static const char *reason_of(Code code)
{
    switch (code) {
    case CODE_OK:
        return NULL;
    case CODE_TOPIC_EXISTS:
        return "The topic exists already.";
    case CODE_INVALID_TOPIC:
        return "A topic's name has 1 to 249 letters, digits, '.', '_' and '-'.";
    case CODE_INVALID_PARTITIONS:
        return "A topic has 1 to 10000 partitions, and never fewer than before.";
    case CODE_INVALID_REPLICATION:
        return "Replication factor larger than available brokers: 1.";
    case CODE_UNKNOWN_TOPIC:
        return "There is no such topic.";
    default:
        return "The broker's files cannot be written.";
    }
}

/* Settings that mean something else here than what they say are refused. NULL, or why: the caller frees it. */
static char *check_setting(const char *name, const char *value)
{
    static const char *const only[] = {
        "cleanup.policy", "delete", "message.timestamp.type", "CreateTime", "min.insync.replicas", "1", NULL};
    const char *usual = NULL;
    for (guint i = 0; name && store_settings[i]; i += 2)
        usual = strcmp(store_settings[i], name) == 0 ? store_settings[i + 1] : usual;
    if (!usual || !value)
        return g_strdup_printf("There is no setting '%s' of a topic in this broker.", name ? name : "");
    for (guint i = 0; only[i]; i += 2) {
        if (strcmp(only[i], name) == 0 && strcmp(only[i + 1], value) != 0)
            return g_strdup_printf("'%s=%s': this broker has %s=%s only.", name, value, name, only[i + 1]);
    }
    bool number = g_ascii_isdigit(usual[0]) || usual[0] == '-';
    if (number && !g_ascii_string_to_signed(value, 10, -1, G_MAXINT64, NULL, NULL))
        return g_strdup_printf("'%s=%s': it takes a whole number, from -1 on.", name, value);
    return NULL;
}

/* NULL, or the first problem. */
static char *read_config(In *in, GHashTable *config)
{
    char *problem = NULL;
    gint32 n = in_count(in);
    for (gint32 i = 0; i < n; i++) {
        const char *name = in_text(in), *value = in_text(in);
        char *wrong = check_setting(name, value);
        if (!wrong)
            g_hash_table_replace(config, g_strdup(name), g_strdup(value));
        if (problem)
            g_free(wrong);
        else
            problem = wrong;
    }
    return problem;
}

static void skip_replicas(In *in)
{
    gint32 n = in_count(in);
    for (gint32 i = 0; i < n; i++)
        in_i32(in);
}

typedef struct Wish {
    const char *name;
    gint32 partitions;
    Code code;
    char *problem; /* of its configuration */
    GHashTable *config;
} Wish;

static Wish read_wish(In *in)
{
    Wish wish = {.name = in_text(in), .partitions = in_i32(in)};
    gint16 replicas = in_i16(in);
    gint32 assigned = in_count(in);
    for (gint32 i = 0; i < assigned; i++) {
        in_i32(in);
        skip_replicas(in);
    }
    wish.partitions = assigned > 0 ? assigned : wish.partitions < 0 ? 1 : wish.partitions;
    wish.config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    wish.problem = read_config(in, wish.config);
    wish.code = wish.problem ? CODE_INVALID_CONFIG : CODE_OK;
    if (replicas > 1)
        wish.code = CODE_INVALID_REPLICATION;
    return wish;
}

Outcome api_create_topics(Request *request)
{
    In *in = &request->in;
    gint32 n = in_count(in);
    g_autofree Wish *wishes = g_new0(Wish, MAX(n, 0) + 1);
    for (gint32 i = 0; i < n; i++)
        wishes[i] = read_wish(in);
    in_i32(in);
    bool tries = request->version >= 1 && in_i8(in);
    if (request->version >= 2)
        out_i32(&request->out, 0);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        Wish *wish = &wishes[i];
        if (wish->code == CODE_OK && store_topic(request->broker, wish->name))
            wish->code = CODE_TOPIC_EXISTS;
        if (wish->code == CODE_OK && !tries && !in->broken)
            wish->code = store_create(request->broker, wish->name, wish->partitions, wish->config);
        out_text(&request->out, wish->name);
        out_i16(&request->out, (gint16) wish->code);
        if (request->version >= 1)
            out_text(&request->out, wish->code == CODE_INVALID_CONFIG ? wish->problem : reason_of(wish->code));
        g_hash_table_unref(wish->config);
        g_free(wish->problem);
    }
    return ANSWERED;
}

Outcome api_delete_topics(Request *request)
{
    gint32 n = in_count(&request->in);
    if (request->version >= 1)
        out_i32(&request->out, 0);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        const char *name = in_text(&request->in);
        bool there = store_topic(request->broker, name) != NULL;
        if (there)
            store_delete(request->broker, name);
        out_text(&request->out, name);
        out_i16(&request->out, there ? CODE_OK : CODE_UNKNOWN_TOPIC);
    }
    return ANSWERED;
}

Outcome api_create_partitions(Request *request)
{
    gint32 n = in_count(&request->in);
    out_i32(&request->out, 0);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        const char *name = in_text(&request->in);
        gint32 partitions = in_i32(&request->in), assigned = in_count(&request->in);
        for (gint32 k = 0; k < assigned; k++)
            skip_replicas(&request->in);
        Topic *topic = store_topic(request->broker, name);
        Code code = !topic ? CODE_UNKNOWN_TOPIC : store_extend(request->broker, topic, partitions);
        out_text(&request->out, name);
        out_i16(&request->out, (gint16) code);
        out_text(&request->out, reason_of(code));
    }
    return ANSWERED;
}

/* ---- configuration ---------------------------------------------------------------------------------------------- */

#define RESOURCE_TOPIC 2
#define SOURCE_TOPIC 1
#define SOURCE_DEFAULT 5

static void write_setting(Request *request, const Topic *topic, const char *name)
{
    Out *out = &request->out;
    bool set = g_hash_table_contains(topic->config, name);
    out_text(out, name);
    out_text(out, store_setting(topic, name));
    out_i8(out, 0);
    out_i8(out, request->version >= 1 ? (set ? SOURCE_TOPIC : SOURCE_DEFAULT) : !set);
    out_i8(out, 0);
    if (request->version >= 1)
        out_count(out, 0);
    if (request->version >= 3) {
        out_i8(out, 0);
        out_text(out, NULL);
    }
}

static bool is_wanted(GPtrArray *names, const char *name)
{
    return !names || g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL);
}

static void describe(Request *request, gint8 type, const char *name, GPtrArray *names)
{
    Out *out = &request->out;
    const Topic *topic = type == RESOURCE_TOPIC ? store_topic(request->broker, name) : NULL;
    bool missing = type == RESOURCE_TOPIC && !topic;
    gint32 n = 0;
    out_i16(out, missing ? CODE_UNKNOWN_TOPIC : CODE_OK);
    out_text(out, missing ? reason_of(CODE_UNKNOWN_TOPIC) : NULL);
    out_i8(out, type);
    out_text(out, name);
    for (guint i = 0; topic && store_settings[i]; i += 2)
        n += is_wanted(names, store_settings[i]);
    out_count(out, n);
    for (guint i = 0; topic && store_settings[i]; i += 2) {
        if (is_wanted(names, store_settings[i]))
            write_setting(request, topic, store_settings[i]);
    }
}

Outcome api_describe_configs(Request *request)
{
    In *in = &request->in;
    gint32 n = in_count(in);
    out_i32(&request->out, 0);
    out_count(&request->out, n);
    for (gint32 i = 0; i < n; i++) {
        gint8 type = in_i8(in);
        const char *name = in_text(in);
        gint32 keys = in_count(in);
        g_autoptr(GPtrArray) names = keys >= 0 ? g_ptr_array_new() : NULL;
        for (gint32 k = 0; k < keys; k++)
            g_ptr_array_add(names, (gpointer) in_text(in));
        describe(request, type, name, names);
    }
    return ANSWERED;
}
