/* Options of other systems, and what they are called here. Knows options by name only: a hint is given where the plugin
 * has what it speaks of. */
#include "peer_options.h"
#include "option_table.h"

#include <glib.h>
#include <string.h>

typedef struct PeerOption {
    const char *theirs; /* neither dots, underscores and hyphens nor case count: startingOffsets is starting.offsets */
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
    {"topic.pattern", "topic_pattern", NULL},
    {"starting.timestamp", "start_timestamp", ", with 'start: timestamp'"},
    {"starting.offsets.by.timestamp", "start_timestamp", ", with 'start: timestamp'"},
    {"scan.startup.mode", "start", " (earliest, latest, timestamp or committed)"},
    {"scan.startup.timestamp.millis", "start_timestamp", ", with 'start: timestamp'"},
    {"fail.on.data.loss", "on_lost", " (stop or continue)"},
    {"max.offsets.per.trigger", "batch_rows", NULL},
    {"consumer.threads", NULL, "; threads are 'tasks', at the top of the file"},
    {"enable.auto.commit", "group", ": sinks keep the positions, and the group's offsets are published by themselves"},
    {"properties.bootstrap.servers", "brokers", NULL},
    {"properties.group.id", "group", NULL},
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
    {"path", "url", NULL},
    {"base.path", "url", NULL},
    {"table.uri", "url", NULL},
    {"warehouse", "url", NULL},
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
    {"partitioned.by", "partition_by", NULL},
    {"rotate.interval", "rotate.interval.ms", NULL},
    {"partitioner.class", "path.format", ", which every object is named by"},
    {"format.class", "format", NULL},
    {"sink.rolling.policy.rollover.interval", "rotate.interval.ms", NULL},
    {"batch.max.events", "flush.size", NULL},
    {"batch.timeout.secs", "rotate.interval.ms", NULL},
    {"buffer.count.records", "commit.interval", "; rows are gathered between commits"},
    {"buffer.flush.time", "commit.interval", NULL},
    {"buffer.size.bytes", "commit.interval", "; rows are gathered between commits, within 'memory' at the top"},
    {"acl", NULL, "; who may read objects is a matter of the bucket's policy"},
    {"s3.acl.canned", NULL, "; who may read objects is a matter of the bucket's policy"},
    {"s3.ssea.name", NULL, "; encryption is a matter of the bucket's default"},
    {"storage.class", NULL, "; the scheme of 'url' says it: s3:// or file://"},
    {"schema.compatibility", NULL, "; objects have the events as they came, whatever their schema"},
    {"flush.interval", NULL, "; 'checkpoint' at the top says how often sinks commit"},
    {"output.mode", NULL,
     "; rows are appended; tables that keep one row a key are 'facts' and 'dimensions' of a gold sink"},
    {"insert.mode", "facts", ", where each table has its 'key': rows are merged by it"},
    {"pk.mode", "facts", ", where each table has its 'key'"},
    {"delete.enabled", "facts", ", where each table may have 'delete_when'"},
    {"table.name.format", "facts", ", whose keys are the tables' names"},
    {"snowflake.topic2table.map", "facts", ", whose keys are the tables' names"},
    {"fields.whitelist", "facts", ", where each table has its 'columns'"},
    {"auto.create", "create", NULL},
    {"auto.evolve", NULL, "; columns that are new in the pipeline are added to the tables"},
    {"snowflake.user.name", "user", NULL},
    {"snowflake.private.key", "connection", ": PRIV_KEY_FILE=… of the driver"},
    {"snowflake.private.key.passphrase", "connection", ": PRIV_KEY_FILE_PWD=… of the driver"},
    {"snowflake.database.name", "connection", ": Database=…"},
    {"snowflake.schema.name", "schema", NULL},
    {"snowflake.role.name", "connection", ": Role=…"},
    {"snowflake.warehouse.name", "connection", ": Warehouse=…"},
    {"database.hostname", "connection", ": Server=…"},
    {"database.dbname", "connection", ": Database=…"},
    {"database.user", "user", NULL},
    {"database.password", "password", ": file:PATH or exec:COMMAND"},
    {"username", "user", NULL},
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
    {"checkpoint.location", NULL, "; sinks keep their positions themselves; 'checkpoint' at the top says how often"},
    {"errors.log.enable", NULL, "; what is refused is always logged, and goes to the step's output NAME.errors"},
    {"errors.retry.timeout", NULL, "; what is away is tried again without end; 'sfrun run --give-up-after' ends that"},
    {"value.converter.schemas.enable", NULL,
     "; raw rows have the bytes as they are; a transform makes columns of them"},
    {"encoding.codec", "format", NULL},
    {"encoding", NULL, "; raw rows have the bytes as they are; a transform makes columns of them"},
    {"max.retries", NULL, "; what is away is tried again without end"},
    {"trigger.processing.time", NULL, "; 'checkpoint' at the top says how often sinks commit"},
    {"trigger.processingtime", NULL, "; 'checkpoint' at the top says how often sinks commit"},
    {"trigger", NULL, "; 'trigger' and 'checkpoint' stand at the top of the file"},
};

static const char *next_letter(const char *c)
{
    return c + strspn(c, "._- ");
}

static bool same_word(const char *a, const char *b)
{
    for (a = next_letter(a), b = next_letter(b); *a && g_ascii_tolower(*a) == g_ascii_tolower(*b);
         a = next_letter(a + 1), b = next_letter(b + 1))
        continue;
    return *a == *b;
}

/* What the step's own keys are for has no row in the plugin's table. */
static bool has_option(const SfOption *options, size_t n, const char *name)
{
    return option_find(options, n, name) || option_is_own(name);
}

static char *hint_of(const SfOption *options, size_t n, const char *name)
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
    return NULL;
}

/* Where other systems hand properties on to the Kafka client: Kafka Connect, Spark and Flink. */
static const char *without_prefix(const char *name)
{
    static const char *const prefixes[] = {"consumer.override.", "producer.override.", "kafka.",
                                           "properties.",        "consumer.",          "producer."};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(name, prefixes[i]))
            return name + strlen(prefixes[i]);
    return name;
}

char *peer_option(const SfOption *options, size_t n, const char *name)
{
    const char *bare = without_prefix(name);
    const SfOption *kafka = strchr(name, '.') ? option_find(options, n, "kafka") : NULL;
    char *hint = hint_of(options, n, name);
    if (!hint && bare != name)
        hint = option_find(options, n, bare) ? g_strdup_printf("; write '%s'", bare) : hint_of(options, n, bare);
    if (!hint && kafka && kafka->type == SF_OPTION_TYPE_MAP)
        hint = g_strdup_printf("; properties of the Kafka client stand under 'kafka': {%s: …}", bare);
    return hint;
}
