/* Flags by pages; and the program itself as a user calls it: output, standard error and exit status. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <glib.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sf/sf.h>

#include "cli/cli.h"
#include "program.h"

/* ---- flags ------------------------------------------------------------------------------------------------------ */

typedef struct Options {
    bool json;
    bool quiet;
    int64_t partitions;
    const char *topic;
    int32_t format;
    SfList properties;
    int64_t timeout;
} Options;

static const char *const formats[] = {"human", "json", NULL};

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
    CLI_FLAG('q', NULL, SF_OPTION_BOOL(Options, quiet, .doc = "Say little.")),
    CLI_FLAG('p', "N", SF_OPTION_INT(Options, partitions, .value = "1", .min = "1", .max = "10", .doc = "Partitions.")),
    CLI_FLAG('t', NULL, SF_OPTION_STRING(Options, topic, .doc = "The topic.")),
    CLI_FLAG(0, NULL, SF_OPTION_ENUM(Options, format, .words = formats, .value = "json", .doc = "Format.")),
    CLI_FLAG('X', "KEY=VALUE", SF_OPTION_LIST(Options, properties, .name = "property", .doc = "A property.")),
    CLI_FLAG(0, NULL, SF_OPTION_DURATION(Options, timeout, .name = "wait_at_most", .doc = "How long.")),
    CLI_FLAGS_END,
};

static const CliPage page = {
    .name = "topics",
    .arguments = "list | create NAME",
    .summary = "Show and change topics",
    .flags = flags,
    .examples = "sfrun topics list\nsfrun topics create a",
    .exits = "3  the topic is there already\n",
    .least = 1,
    .most = 2,
};

static int parse(const char *words, Options *options, CliLine *line)
{
    g_auto(GStrv) argv = g_strsplit(words, " ", -1);
    int status = cli_parse(&page, (int) g_strv_length(argv), argv, options, line);
    /* Words point into argv: keep them for the assertions. */
    for (int i = 0; i < line->n_words; i++)
        line->words[i] = (char *) g_intern_string(line->words[i]);
    return status;
}

static void flags_and_words_may_be_mixed(void)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    g_assert_cmpint(parse("topics create --partitions 3 a --json --topic=x=y -q --wait-at-most 5s", &options, &line),
                    ==, -1);
    g_assert_cmpint(line.n_words, ==, 2);
    g_assert_cmpstr(line.words[0], ==, "create");
    g_assert_cmpstr(line.words[1], ==, "a");
    g_assert_null(line.words[2]);
    g_assert_true(options.json && options.quiet);
    g_assert_cmpint(options.partitions, ==, 3);
    g_assert_cmpstr(options.topic, ==, "x=y");
    g_assert_cmpint(options.timeout, ==, 5000);
}

static void defaults_are_there(void)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    g_assert_cmpint(parse("topics list", &options, &line), ==, -1);
    g_assert_cmpint(options.partitions, ==, 1);
    g_assert_cmpint(options.format, ==, 1);
    g_assert_null(options.topic);
    g_assert_cmpuint(options.properties.size, ==, 0);
}

static void list_flag_may_be_repeated(void)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    char *argv[] = {(char *) "topics", (char *) "list", (char *) "-Xa=1",
                    (char *) "-X",     (char *) "b=2",  (char *) "--property=c=3"};
    g_assert_cmpint(cli_parse(&page, 6, argv, &options, &line), ==, -1);
    g_assert_cmpuint(options.properties.size, ==, 3);
    g_assert_cmpstr(options.properties.items[0], ==, "a=1");
    g_assert_cmpstr(options.properties.items[2], ==, "c=3");
}

static void two_dashes_end_the_flags(void)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    g_assert_cmpint(parse("topics -- --json -", &options, &line), ==, -1);
    g_assert_cmpint(line.n_words, ==, 2);
    g_assert_cmpstr(line.words[0], ==, "--json");
    g_assert_false(options.json);
}

static void refused(void)
{
    Options options = {0};
    g_auto(CliLine) line = {0};
    g_auto(GStrv) argv = g_strsplit(g_getenv("SF_TEST_LINE"), " ", -1);
    exit(cli_parse(&page, (int) g_strv_length(argv), argv, &options, &line));
}

static void assert_refused(const char *words, const char *message)
{
    g_setenv("SF_TEST_LINE", words, TRUE);
    g_test_trap_subprocess("/cli/subprocess/refused", 0, 0);
    g_assert_cmpint(g_test_trap_has_passed(), ==, FALSE);
    g_test_trap_assert_stderr(message);
    g_test_trap_assert_stdout_unmatched("*Usage:*"); /* help is never printed on an error */
}

static void wrong_usage_is_one_line(void)
{
    assert_refused("topics list --jsn", "*sfrun topics: unknown flag '--jsn'; did you mean '--json'?\n*");
    assert_refused("topics list -z", "*sfrun topics: unknown flag '-z'; `sfrun topics --help` lists the flags\n*");
    assert_refused("topics list --partitions", "*sfrun topics: --partitions needs a value\n*");
    assert_refused("topics list -p many", "*sfrun topics: -p: 'many' is not a whole number\n*");
    assert_refused("topics list -p 11", "*sfrun topics: -p: '11' is too large; the most is 10\n*");
    assert_refused("topics list --format xml", "*sfrun topics: --format: 'xml' is not one of human, json\n*");
    assert_refused("topics list --json=maybe", "*sfrun topics: --json: 'maybe' is neither true nor false\n*");
    assert_refused("topics", "*sfrun topics: too few arguments; usage: sfrun topics list | create NAME\n*");
    assert_refused("topics a b c", "*sfrun topics: 'c' is one argument too many; usage: *\n*");
}

static void help_has_everything(void)
{
    g_autofree char *help = cli_help(&page);
    static const char *const parts[] = {
        "Usage: sfrun topics [FLAG…] list | create NAME\n",
        "Show and change topics.\n",
        "  -q, --quiet ",
        "  -p, --partitions N ",
        "Partitions. Default: 1.\n",
        "      --format human|json ",
        "  -X, --property KEY=VALUE ",
        "      --wait-at-most DURATION ",
        "  -h, --help ",
        "  sfrun topics create a\n",
        "  2  wrong usage",
        "  3  the topic is there already\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!strstr(help, parts[i]))
            g_test_message("no '%s' in:\n%s", parts[i], help);
        g_assert_nonnull(strstr(help, parts[i]));
    }
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static Ran run(const char *words)
{
    return run_program(SF_SOURCE_DIR "/tests/cases", words);
}

static struct json_object *json_of(const char *text)
{
    struct json_object *object = json_tokener_parse(text);
    g_assert_nonnull(object);
    return object;
}

static const char *member(struct json_object *object, const char *key)
{
    struct json_object *found = NULL;
    g_assert_true(json_object_object_get_ex(object, key, &found));
    return json_object_get_string(found);
}

static void no_word_is_wrong_usage(void)
{
    g_auto(Ran) ran = run("");
    g_assert_cmpint(ran.status, ==, 2);
    g_assert_cmpstr(ran.out, ==, "");
    g_assert_cmpstr(ran.err, ==, "sfrun: name a pipeline file or a command; `sfrun --help` lists them\n");
}

static void unknown_command_has_the_nearest(void)
{
    g_auto(Ran) ran = run("plugin");
    g_assert_cmpint(ran.status, ==, 2);
    g_assert_cmpstr(ran.err, ==, "sfrun: 'plugin' is neither a command nor a pipeline file; did you mean 'plugins'?\n");
    g_auto(Ran) help = run("help chck");
    g_assert_cmpint(help.status, ==, 2);
    g_assert_nonnull(strstr(help.err, "did you mean 'check'?"));
}

static void every_command_has_help(void)
{
    size_t n = 0;
    cli_begin();
    const Command *commands = cli_commands(&n);
    g_assert_cmpuint(n, >=, 6);
    g_auto(Ran) overview = run("--help");
    g_assert_cmpint(overview.status, ==, 0);
    for (size_t i = 0; i < n; i++) {
        const char *name = commands[i].page->name;
        g_autofree char *words = g_strconcat(name, " --help", NULL);
        g_autofree char *usage = g_strconcat("Usage: sfrun ", name, NULL);
        g_autofree char *help_words = g_strconcat("help ", name, NULL);
        g_auto(Ran) ran = run(words);
        g_auto(Ran) help = run(help_words);
        g_assert_cmpint(ran.status, ==, 0);
        g_assert_true(g_str_has_prefix(ran.out, usage));
        g_assert_cmpstr(ran.err, ==, "");
        g_assert_cmpstr(ran.out, ==, help.out);
        g_assert_nonnull(strstr(overview.out, commands[i].page->summary));
    }
}

static void version_is_printed(void)
{
    g_auto(Ran) ran = run("--version");
    g_assert_cmpint(ran.status, ==, 0);
    g_assert_cmpstr(ran.out, ==, "sfrun " SF_VERSION " (plugin ABI 1)\n");
}

static void check_says_what_is_fine_and_what_is_not(void)
{
    g_auto(Ran) good = run("check good-diamond/pipeline.yaml");
    g_assert_cmpint(good.status, ==, 0);
    g_assert_cmpstr(good.out, ==, "good-diamond/pipeline.yaml: ok (5 steps: events, right, left, rejects, all)\n");
    g_assert_cmpstr(good.err, ==, "");
    g_auto(Ran) both = run("check good unknown-step");
    g_assert_cmpint(both.status, ==, 2);
    g_assert_cmpstr(both.out, ==, "good/pipeline.yaml: ok (2 steps: events, copy)\n");
    g_assert_nonnull(strstr(both.err, "unknown-step/pipeline.yaml:7:11: step 'copy': there is no step 'evnts'"));
    g_auto(Ran) same = run("check good good-anchors");
    g_assert_cmpint(same.status, ==, 2);
    g_assert_cmpstr(same.err, ==,
                    "good-anchors/pipeline.yaml:4:11: pipeline 'p' is in 'good/pipeline.yaml' already; one process "
                    "runs a name once\n");
    g_auto(Ran) nowhere = run("check nowhere.yaml");
    g_assert_cmpint(nowhere.status, ==, 2);
    g_assert_cmpstr(nowhere.err, ==, "nowhere.yaml: cannot read the file: No such file or directory\n");
}

static void check_prints_json(void)
{
    g_auto(Ran) ran = run("check --json wrong-types nowhere.yaml");
    g_assert_cmpint(ran.status, ==, 2);
    g_assert_cmpstr(ran.err, ==, "");
    struct json_object *list = json_of(ran.out);
    struct json_object *first = json_object_array_get_idx(list, 0);
    struct json_object *last = json_object_array_get_idx(list, json_object_array_length(list) - 1);
    g_assert_cmpstr(member(first, "file"), ==, "wrong-types/pipeline.yaml");
    g_assert_cmpstr(member(first, "line"), ==, "5");
    g_assert_cmpstr(member(first, "column"), ==, "11");
    g_assert_cmpstr(member(first, "severity"), ==, "error");
    g_assert_cmpstr(member(first, "message"), ==, "step 'events': option 'text': takes one value, not a list");
    g_assert_cmpstr(member(first, "step"), ==, "events");
    g_assert_cmpstr(member(first, "option"), ==, "text");
    g_assert_cmpstr(member(first, "text"), ==, "takes one value, not a list");
    g_assert_cmpstr(member(last, "file"), ==, "nowhere.yaml");
    g_assert_null(member(last, "line"));
    g_assert_null(member(last, "step"));
    g_assert_null(member(last, "option"));
    json_object_put(list);
    g_auto(Ran) good = run("check --json good");
    g_assert_cmpint(good.status, ==, 0);
    g_assert_true(ran_printed_empty_list(&good));
}

static void put_pipeline(const char *dir, const char *name, const char *trigger)
{
    g_autofree char *file = g_strdup_printf("%s/%s.yaml", dir, name);
    g_autofree char *text = g_strdup_printf("pipeline: %s\ntrigger: %s\nsteps:\n  a: {source: test-source}\n"
                                            "  b: {sink: test-sink, from: a, url: u}\n",
                                            name, trigger);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* A file alone cannot know who else will run; who runs it can. */
static void pipelines_follow_others_of_the_same_process(void)
{
    g_autofree char *dir = g_dir_make_tmp("follow-XXXXXX", NULL);
    put_pipeline(dir, "bronze", "once");
    put_pipeline(dir, "silver", "{after: [bronze]}");
    g_autofree char *all = g_strdup_printf("check %s", dir), *one = g_strdup_printf("check %s/silver.yaml", dir);
    g_autofree char *alone = g_strdup_printf("run %s/silver.yaml", dir);
    g_auto(Ran) checked = run(all);
    g_assert_cmpint(checked.status, ==, 0);
    g_assert_cmpstr(checked.err, ==, "");
    g_auto(Ran) warned = run(one);
    g_assert_cmpint(warned.status, ==, 0);
    g_assert_nonnull(strstr(warned.err, "warning: "));
    g_auto(Ran) refused = run(alone);
    g_assert_cmpint(refused.status, ==, 2);
    g_assert_nonnull(strstr(refused.err,
                            "silver.yaml:2:18: 'after': pipeline 'bronze' is not among the files; name its "
                            "file, too, or the directory of both"));
    put_pipeline(dir, "bronze", "{after: [silver]}");
    g_auto(Ran) circle = run(all);
    g_assert_cmpint(circle.status, ==, 2);
    g_assert_nonnull(strstr(circle.err, "'after': runs of 'bronze' would lead to runs of itself, for ever"));
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

static void a_file_is_a_command_line_of_run(void)
{
    static const char *const words[] = {"unknown-step/pipeline.yaml", "--once unknown-step/pipeline.yaml",
                                        "run unknown-step/pipeline.yaml"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_auto(Ran) ran = run(words[i]);
        g_assert_cmpint(ran.status, ==, 2);
        g_assert_true(g_str_has_prefix(ran.err, "unknown-step/pipeline.yaml:7:11: "));
    }
}

/* A pipeline that runs on has no end that could be given up. */
static void patience_is_for_runs_that_end(void)
{
    g_auto(Ran) ran = run("run --give-up-after 3s good/pipeline.yaml");
    g_assert_cmpint(ran.status, ==, 2);
    g_assert_cmpstr(ran.out, ==, "");
    g_assert_cmpstr(ran.err, ==,
                    "sfrun run: --give-up-after is for runs that end by themselves; add --once, or 'trigger: once' to "
                    "the file\n");
    g_auto(Ran) bare = run("run --once --give-up-after 3 good/pipeline.yaml");
    g_assert_cmpint(bare.status, ==, 2);
    g_assert_cmpstr(bare.err, ==, "sfrun run: --give-up-after takes a duration, such as 10m, not '3'\n");
}

static void plugins_are_listed(void)
{
    g_auto(Ran) ran = run("plugins");
    g_assert_cmpint(ran.status, ==, 1); /* broken ones are among them */
    g_assert_nonnull(strstr(ran.out, "source     test-source     1.2.0     Source for tests\n"));
    g_assert_nonnull(strstr(ran.err, "broken-abi.so' speaks version 2"));
    g_auto(Ran) names = run("plugins --names test-sink test-filter");
    g_assert_cmpint(names.status, ==, 0);
    g_assert_cmpstr(names.out, ==, "test-sink\ntest-filter\n");
    g_auto(Ran) unknown = run("plugins test-snk");
    g_assert_cmpint(unknown.status, ==, 2);
    g_assert_cmpstr(unknown.err, ==, "sfrun plugins: there is no plugin 'test-snk'; did you mean 'test-sink'?\n");
    g_auto(Ran) two = run("plugins --json --schema");
    g_assert_cmpint(two.status, ==, 2);
}

static void plugin_is_told_in_full(void)
{
    g_auto(Ran) ran = run("plugins test-sink test-source");
    static const char *const parts[] = {
        "test-sink 1.0.0 (sink)\n",
        "  Delivery: at least once\n",
        "  flush.size: int, default 1000, at least 1\n      Rows of an object.\n",
        "  url: string, required\n",
        "  store.url: string, deprecated: write url\n",
        "  mode: enum (fast, careful), default careful\n",
        "  old_text: string, since 1.1.0, deprecated: write text\n",
        "      Example: {id: int}\n",
    };
    g_assert_cmpint(ran.status, ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_assert_nonnull(strstr(ran.out, parts[i]));
}

static void documents_of_plugins_fit_a_terminal(void)
{
    g_auto(Ran) ran = run("plugins test-transform");
    g_assert_nonnull(strstr(ran.out, "\n\n  A paragraph whose lines are joined.\n\n"
                                     "  `int`\n      a whole number → int32\n  `date`\n      2024-01-15 → date\n\n"
                                     "  - a list\n  - stays\n"));
}

static void plugins_are_told_as_json(void)
{
    g_auto(Ran) ran = run("plugins --json test-source");
    g_assert_cmpint(ran.status, ==, 0);
    struct json_object *plugin = json_of(ran.out);
    struct json_object *options = NULL;
    g_assert_cmpstr(member(plugin, "name"), ==, "test-source");
    g_assert_cmpstr(member(plugin, "kind"), ==, "source");
    json_object_object_get_ex(plugin, "options", &options);
    g_assert_cmpuint(json_object_array_length(options), ==, 14);
    struct json_object *columns = json_object_array_get_idx(options, 8);
    g_assert_cmpstr(member(columns, "default"), ==, "[ \"id int64\", \"name utf8\" ]");
    json_object_put(plugin);
    g_auto(Ran) two = run("plugins --json test-source test-sink");
    struct json_object *list = json_of(two.out);
    g_assert_cmpuint(json_object_array_length(list), ==, 2);
    json_object_put(list);
}

static void reference_is_markdown(void)
{
    g_auto(Ran) ran = run("plugins --markdown test-sink");
    g_assert_cmpint(ran.status, ==, 0);
    g_assert_true(g_str_has_prefix(ran.out, "# Reference\n"));
    g_assert_nonnull(strstr(ran.out, "\n## Sinks\n\n### test-sink\n\nSink for tests. Delivery: at least once.\n"));
    g_assert_nonnull(strstr(ran.out, "\n| `flush.size` | int | `1000` | `1`… | Rows of an object. |\n"));
    g_assert_nonnull(strstr(ran.out, "\n| `memory` | size | `40MiB` | `16MiB`… |"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/flags_and_words_may_be_mixed", flags_and_words_may_be_mixed);
    g_test_add_func("/cli/defaults_are_there", defaults_are_there);
    g_test_add_func("/cli/list_flag_may_be_repeated", list_flag_may_be_repeated);
    g_test_add_func("/cli/two_dashes_end_the_flags", two_dashes_end_the_flags);
    g_test_add_func("/cli/subprocess/refused", refused);
    g_test_add_func("/cli/wrong_usage_is_one_line", wrong_usage_is_one_line);
    g_test_add_func("/cli/help_has_everything", help_has_everything);
    g_test_add_func("/sfrun/no_word_is_wrong_usage", no_word_is_wrong_usage);
    g_test_add_func("/sfrun/unknown_command_has_the_nearest", unknown_command_has_the_nearest);
    g_test_add_func("/sfrun/every_command_has_help", every_command_has_help);
    g_test_add_func("/sfrun/version_is_printed", version_is_printed);
    g_test_add_func("/sfrun/check_says_what_is_fine_and_what_is_not", check_says_what_is_fine_and_what_is_not);
    g_test_add_func("/sfrun/check_prints_json", check_prints_json);
    g_test_add_func("/sfrun/a_file_is_a_command_line_of_run", a_file_is_a_command_line_of_run);
    g_test_add_func("/sfrun/pipelines_follow_others_of_the_same_process", pipelines_follow_others_of_the_same_process);
    g_test_add_func("/sfrun/patience_is_for_runs_that_end", patience_is_for_runs_that_end);
    g_test_add_func("/sfrun/plugins_are_listed", plugins_are_listed);
    g_test_add_func("/sfrun/plugin_is_told_in_full", plugin_is_told_in_full);
    g_test_add_func("/sfrun/documents_of_plugins_fit_a_terminal", documents_of_plugins_fit_a_terminal);
    g_test_add_func("/sfrun/plugins_are_told_as_json", plugins_are_told_as_json);
    g_test_add_func("/sfrun/reference_is_markdown", reference_is_markdown);
    return g_test_run();
}
