/* `sfrun topics list | create | describe | alter | delete`: what operators do with topics. Printing them is
 * topics_describe.c's. */
#include "topics_describe.h"

#include <stdio.h>
#include <string.h>

#include "json/write.h"
#include "runtime/process.h"

#define COMMON_FLAGS                                                                                                   \
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TopicsOptions, json, .doc = "Print JSON.")),                                      \
        CONNECTION_FLAGS(TopicsOptions, connection)

static const CliFlag common_flags[] = {COMMON_FLAGS, CONNECTION_FILE_FLAG(TopicsOptions, connection), CLI_FLAGS_END};

static const CliFlag create_flags[] = {
    CLI_FLAG('p', "N",
             SF_OPTION_INT(TopicsOptions, partitions, .value = "0", .min = "0", .max = "100000",
                           .doc = "Number of partitions; 0: the broker's default.")),
    CLI_FLAG('r', "N",
             SF_OPTION_INT(TopicsOptions, replication_factor, .value = "0", .min = "0", .max = "100",
                           .doc = "Copies of each partition; 0: the broker's default.")),
    CLI_FLAG('c', "NAME=VALUE|FILE",
             SF_OPTION_LIST(TopicsOptions, config,
                            .doc =
                                "The topic's configuration, as retention.ms=3600000; may be repeated. Without '=': a "
                                "file of properties of the connection, as the other commands have it.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TopicsOptions, if_not_exists, .doc = "Fine when the topic is there already.")),
    COMMON_FLAGS,
    CLI_FLAGS_END};

static const CliFlag alter_flags[] = {
    CLI_FLAG('p', "N",
             SF_OPTION_INT(TopicsOptions, partitions, .required = true, .min = "1", .max = "100000",
                           .doc = "New number of partitions, which can only become larger.")),
    COMMON_FLAGS, CONNECTION_FILE_FLAG(TopicsOptions, connection), CLI_FLAGS_END};

static const CliFlag delete_flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(TopicsOptions, if_exists, .doc = "Fine when there is no such topic.")),
    COMMON_FLAGS, CONNECTION_FILE_FLAG(TopicsOptions, connection), CLI_FLAGS_END};

static const CliPage overview = {
    .name = "topics",
    .arguments = "list | create NAME | describe [NAME…] | alter NAME | delete NAME…",
    .summary = "List, create, describe, alter and delete Kafka topics",
    .text = "Each has a page of its own: `sfrun topics create --help`.",
    .flags = common_flags,
    .examples = "sfrun topics list\nsfrun topics create sales_events --partitions 3 --replication-factor 1\n"
                "sfrun topics describe sales_events\nsfrun topics alter sales_events --partitions 10\n"
                "sfrun topics delete sales_events",
    .least = 1,
    .most = -1};

static const CliPage list_page = {.name = "topics list", .summary = "List the topics", .flags = common_flags};

static const CliPage create_page = {
    .name = "topics create",
    .arguments = "NAME",
    .summary = "Create a topic",
    .flags = create_flags,
    .examples =
        "sfrun topics create sales_events --partitions 3 --replication-factor 1 --config retention.ms=604800000",
    .least = 1,
    .most = 1};

static const CliPage describe_page = {.name = "topics describe",
                                      .arguments = "[NAME…]",
                                      .summary = "Show partitions, leaders, replicas and configuration",
                                      .text = "Without a name: all topics but Kafka's own.",
                                      .flags = common_flags,
                                      .most = -1};

static const CliPage alter_page = {.name = "topics alter",
                                   .arguments = "NAME",
                                   .summary = "Add partitions",
                                   .flags = alter_flags,
                                   .least = 1,
                                   .most = 1};

static const CliPage delete_page = {.name = "topics delete",
                                    .arguments = "NAME…",
                                    .summary = "Delete topics",
                                    .flags = delete_flags,
                                    .least = 1,
                                    .most = -1};

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void print_done(const TopicsOptions *options, const char *verb, const char *topic)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!options->json) {
        printf("%c%s topic %s.\n", g_ascii_toupper(verb[0]), verb + 1, topic);
        return;
    }
    json_write_text(text, topic, strlen(topic));
    printf("{\"topic\":%s,\"%s\":true}\n", text->str, verb);
}

/* SF_OK, SF_EMPTY when there is no such topic, or why the broker does not say. */
static SfStatus must_exist(KafkaClient *client, const char *topic, int32_t *partitions, SfError *err)
{
    SfStatus status = kafka_topic_partitions(client, topic, COMMAND_MS, partitions, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_EMPTY, "topic '%s' does not exist; `sfrun topics list` shows those that do", topic);
    return status;
}

/* ---- create ----------------------------------------------------------------------------------------------------- */

static int create_topic(const TopicsOptions *options, KafkaClient *client, const char *name, const KafkaSetting *config,
                        size_t n)
{
    SfError err = {""};
    bool created = false;
    KafkaTopic topic = {.name = name,
                        .partitions = options->partitions > 0 ? options->partitions : -1,
                        .replication_factor = options->replication_factor > 0 ? options->replication_factor : -1,
                        .config = config,
                        .n_config = n};
    SfStatus status = kafka_topic_create(client, &topic, COMMAND_MS, &created, &err);
    if (status == SF_OK && !created && !options->if_not_exists)
        status = sf_fail(&err, SF_FATAL, "topic '%s' exists already", name);
    if (status != SF_OK) {
        command_failed(&create_page, status, &err);
        return EXIT_FAILED;
    }
    if (created)
        print_done(options, "created", name);
    return EXIT_OK;
}

static int topics_create(const TopicsOptions *options, KafkaClient *client, char **names)
{
    g_autofree KafkaSetting *config = g_new0(KafkaSetting, options->config.size + 1);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    size_t n = 0;
    for (size_t i = 0; i < options->config.size; i++) {
        char *name = NULL;
        const char *item = options->config.items[i];
        if (!strchr(item, '='))
            continue; /* take_file()'s */
        if (!split_setting(item, &name, &config[n].value))
            return cli_fail(&create_page, "--config takes name=value or a file, not '%s'", item);
        config[n++].name = name;
        g_ptr_array_add(owned, name);
    }
    return create_topic(options, client, names[0], config, n);
}

/* ---- alter, delete ---------------------------------------------------------------------------------------------- */

/* The one answer to an admin request about one topic. */
static SfStatus await_topic(KafkaClient *client, rd_kafka_queue_t *queue, const char *what, SfError *err)
{
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, COMMAND_MS);
    if (!event || rd_kafka_event_error(event))
        return kafka_fail(client, event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT, err, "%s", what);
    size_t n = 0;
    const rd_kafka_topic_result_t **results = NULL;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT)
        results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &n);
    else
        results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
    rd_kafka_resp_err_t code = n == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (!code)
        return SF_OK;
    return n == 1 ? kafka_fail_topic(client, results[0], err, what) : kafka_fail(client, code, err, "%s", what);
}

static int alter(const TopicsOptions *options, KafkaClient *client, char **names)
{
    SfError err = {""};
    char reason[256];
    int32_t partitions = 0;
    SfStatus status = must_exist(client, names[0], &partitions, &err);
    if (status == SF_OK && options->partitions <= partitions)
        status =
            sf_fail(&err, SF_FATAL,
                    "topic '%s' has %d partitions; the number can only become larger (records keep their partition)",
                    names[0], partitions);
    rd_kafka_NewPartitions_t *request = NULL;
    if (status == SF_OK) {
        request = rd_kafka_NewPartitions_new(names[0], (size_t) options->partitions, reason, sizeof reason);
        status = request ? SF_OK : sf_fail(&err, SF_FATAL, "topic '%s': %s", names[0], reason);
    }
    if (status == SF_OK) {
        g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(kafka_client_handle(client));
        rd_kafka_CreatePartitions(kafka_client_handle(client), &request, 1, NULL, queue);
        rd_kafka_NewPartitions_destroy(request);
        status = await_topic(client, queue, "adding partitions", &err);
    }
    if (status == SF_OK)
        kafka_topic_await(client, names[0], options->partitions, COMMAND_MS);
    if (status != SF_OK) {
        command_failed(&alter_page, status, &err);
        return EXIT_FAILED;
    }
    print_done(options, "altered", names[0]);
    return EXIT_OK;
}

static SfStatus delete_topic(KafkaClient *client, const char *name, SfError *err)
{
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(kafka_client_handle(client));
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(kafka_client_handle(client), &request, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(request);
    SF_TRY(await_topic(client, queue, "deleting", err));
    kafka_topic_await(client, name, 0, COMMAND_MS);
    return SF_OK;
}

static int delete (const TopicsOptions *options, KafkaClient *client, char **names)
{
    int failed = EXIT_OK;
    for (char **name = names; *name; name++) {
        SfError err = {""};
        int32_t partitions = 0;
        SfStatus status = must_exist(client, *name, &partitions, &err);
        if (status == SF_EMPTY && options->if_exists)
            continue;
        if (status == SF_OK)
            status = delete_topic(client, *name, &err);
        if (status == SF_OK) {
            print_done(options, "deleted", *name);
            continue;
        }
        command_failed(&delete_page, status, &err);
        failed = EXIT_FAILED;
    }
    return failed;
}

/* ---- the words -------------------------------------------------------------------------------------------------- */

static int list(const TopicsOptions *options, KafkaClient *client, char **names)
{
    (void) names;
    return topics_list(&list_page, options, client);
}

static int topics_describe_one(const TopicsOptions *options, KafkaClient *client, char **names)
{
    return topics_describe(&describe_page, options, client, names);
}

typedef struct Word {
    const char *name;
    const CliPage *page;
    int (*run)(const TopicsOptions *options, KafkaClient *client, char **names);
} Word;

static const Word words[] = {{"list", &list_page, list},
                             {"create", &create_page, topics_create},
                             {"describe", &describe_page, topics_describe_one},
                             {"alter", &alter_page, alter},
                             {"delete", &delete_page, delete}};

/* `--config FILE` of create, whose `--config` is the topic's otherwise. */
static void take_file(TopicsOptions *options)
{
    for (size_t i = 0; i < options->config.size; i++) {
        if (!strchr(options->config.items[i], '='))
            options->connection.file = options->config.items[i];
    }
}

static int run_word(const Word *word, int argc, char **argv)
{
    TopicsOptions options = {0};
    g_auto(CliLine) line = {0};
    int status = cli_parse(word->page, argc, argv, &options, &line);
    if (status >= 0)
        return status;
    take_file(&options);
    KafkaClient *client = connection_open(word->page, &options.connection, &status);
    if (!client)
        return status;
    status = word->run(&options, client, line.words);
    kafka_client_free(client, 2000);
    return cli_finish(status);
}

/* Whether the argument is a flag whose value is the next one. */
static bool takes_next(const char *text)
{
    if (text[0] != '-' || !text[1] || strchr(text, '='))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        for (const CliFlag *flag = words[i].page->flags; flag->option.field; flag++) {
            g_autofree char *name = cli_flag_name(flag);
            bool same = text[1] == '-' ? strcmp(text + 2, name) == 0 : flag->letter == text[1] && !text[2];
            if (same)
                return flag->option.type != SF_OPTION_TYPE_BOOL;
        }
    }
    return false;
}

/* The first word, which may stand behind flags; argc: there is none. */
static int find_word(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-')
        at += takes_next(argv[at]) ? 2 : 1;
    return MIN(at, argc);
}

static int unknown_word(const char *text)
{
    const char *names[G_N_ELEMENTS(words)];
    char suggestion[64];
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        names[i] = words[i].name;
    sf_suggest(text, names, G_N_ELEMENTS(words), suggestion, sizeof suggestion);
    return cli_fail(&overview, "'%s' is not one of list, create, describe, alter, delete%s", text, suggestion);
}

int main(int argc, char **argv)
{
    process_begin();
    TopicsOptions options = {0};
    g_auto(CliLine) line = {0};
    int at = find_word(argc, argv);
    for (size_t i = 0; at < argc && i < G_N_ELEMENTS(words); i++) {
        if (strcmp(argv[at], words[i].name) != 0)
            continue;
        char *word = argv[at]; /* to the front, so that all else is the word's */
        memmove(argv + 2, argv + 1, (size_t) (at - 1) * sizeof *argv);
        argv[1] = word;
        return run_word(&words[i], argc - 1, argv + 1);
    }
    if (at < argc)
        return unknown_word(argv[at]);
    int status = cli_parse(&overview, argc, argv, &options, &line);
    return status >= 0 ? status : unknown_word(line.words[0]);
}
