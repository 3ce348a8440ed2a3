/* What the program tells shells, readers of manual pages and operators of itself and of what runs. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "program.h"
#include "runtime/status.h"

static Ran run(const char *words)
{
    return run_program(NULL, words);
}

/* ---- status ----------------------------------------------------------------------------------------------------- */

static const char running[] =
    "{\"pid\": 7, \"peak_rss_bytes\": 1048576, \"pipelines\": ["
    "{\"pipeline\": \"sales\", \"state\": \"running\", \"started_ms\": 0, \"attempts\": 1, \"file\": \"s.yaml\", "
    "\"steps\": ["
    "{\"name\": \"events\", \"plugin\": \"kafka-source\", \"rows_out\": 12},"
    "{\"name\": \"gold\", \"plugin\": \"snowflake-gold-sink\", \"rows_in\": 9, \"rows_per_s\": 4, \"rejected\": 1, "
    "\"commits\": 2,"
    " \"trouble\": \"the database is away\"}],"
    "\"splits\": [{\"split\": \"a/0\", \"read\": 12, \"committed\": 10, \"end\": 13, \"lag\": 3,"
    " \"sinks\": [{\"sink\": \"bronze\", \"committed\": 12}, {\"sink\": \"gold\", \"committed\": 10}]}]},"
    "{\"pipeline\": \"copies\", \"state\": \"running\", \"steps\": [], \"splits\": []}]}";

static struct json_object *running_document(gpointer data, const char *asked, gsize size)
{
    (void) data, (void) asked, (void) size;
    return json_tokener_parse(running);
}

static void status_is_a_table_as_wide_as_its_cells(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *words = g_strdup_printf("status --state-dir %s sales", dir);
    {
        g_autoptr(StatusServer) server = status_server_new(dir, running_document, NULL);
        g_auto(Ran) ran = run(words);
        g_assert_cmpint(ran.status, ==, 0);
        g_assert_nonnull(strstr(ran.out, ", pid 7, peak 1 MiB\n"
                                         "  ! gold is in trouble: the database is away\n"
                                         "  STEP    PLUGIN               ROWS  OUT  ROWS/S  REJECTED  COMMIT  LAG\n"
                                         "  events  kafka-source           12    -       -         -       -    -\n"
                                         "  gold    snowflake-gold-sink     9    -       4         1       -    3\n"
                                         "  SPLIT     READ  COMMITTED  END  LAG\n"
                                         "  a/0         12         10   13    3\n"
                                         "    bronze               12         1\n"
                                         "    gold                 10         3\n"));
        g_assert_null(strstr(ran.out, "copies"));
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void status_of_one_is_of_one_in_json_too(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *one = g_strdup_printf("status --json --state-dir %s copies", dir);
    g_autofree char *all = g_strdup_printf("status --json --state-dir %s", dir);
    g_autofree char *wrong = g_strdup_printf("status --json --state-dir %s slaes", dir);
    {
        g_autoptr(StatusServer) server = status_server_new(dir, running_document, NULL);
        g_auto(Ran) ran = run(one), both = run(all), none = run(wrong);
        g_assert_cmpint(ran.status, ==, 0);
        g_assert_nonnull(strstr(ran.out, "\"copies\""));
        g_assert_null(strstr(ran.out, "\"sales\""));
        g_assert_nonnull(strstr(both.out, "\"copies\""));
        g_assert_nonnull(strstr(both.out, "\"sales\""));
        g_assert_cmpint(none.status, ==, 3);
        g_assert_true(ran_printed_empty_list(&none));
        g_assert_cmpstr(none.err, ==, "sfrun status: no pipeline 'slaes' is running; did you mean 'sales'?\n");
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* ---- help ------------------------------------------------------------------------------------------------------- */

static void help_fits_the_terminal(void)
{
    for (glong width = 60; width <= 100; width += 20) {
        g_autofree char *columns = g_strdup_printf("%ld", width);
        g_setenv("COLUMNS", columns, TRUE);
        g_auto(Ran) ran = run("plugins --help");
        g_auto(GStrv) lines = g_strsplit(ran.out, "\n", -1);
        glong longest = 0;
        for (char **line = lines; *line; line++)
            longest = MAX(longest, g_utf8_strlen(*line, -1));
        g_assert_cmpint(longest, <=, width);
        g_assert_cmpint(longest, >, width - 20);
    }
    g_unsetenv("COLUMNS");
}

static void unknown_flag_names_the_help_that_helps(void)
{
    g_auto(Ran) ran = run("check --zzzzzz");
    g_assert_cmpint(ran.status, ==, 2);
    g_assert_cmpstr(ran.err, ==, "sfrun check: unknown flag '--zzzzzz'; `sfrun check --help` lists the flags\n");
}

static void output_that_nobody_took_is_a_failure(void)
{
    g_auto(Ran) full = run("sh -c '\"$SF_TEST_SFRUN\" plugins --help >/dev/full; echo $?'");
    g_auto(Ran) pipe = run("sh -c '{ \"$SF_TEST_SFRUN\" plugins --help; echo $? >&2; } | true'");
    g_assert_cmpstr(full.out, ==, "1\n");
    g_assert_cmpstr(full.err, ==, "sfrun: cannot write the output: No space left on device\n");
    g_assert_null(strstr(pipe.err, "cannot write"));
}

static struct json_object *bare_document(gpointer data, const char *asked, gsize size)
{
    (void) data, (void) asked, (void) size;
    return json_tokener_parse("{\"pid\": 7}");
}

/* A process that tells of no pipelines, as one of another version might, runs none. */
static void status_without_pipelines_finds_none(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *words = g_strdup_printf("status --json --state-dir %s", dir);
    {
        g_autoptr(StatusServer) server = status_server_new(dir, bare_document, NULL);
        g_auto(Ran) ran = run(words);
        g_assert_cmpint(ran.status, ==, 3);
        g_assert_cmpstr(ran.err, ==, "sfrun status: no pipeline is running\n");
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* ---- completion and the manual page ----------------------------------------------------------------------------- */

static void completion_keeps_blanks_of_names(gconstpointer data)
{
    const char *shell = data;
    static const char script[] =
        "eval \"$(\"$SF_TEST_SFRUN\" completion bash)\"; COMP_WORDS=(sfrun check my); COMP_CWORD=2; "
        "_sfrun; for one in \"${COMPREPLY[@]}\"; do echo \"<$one>\"; done";
    static const char prelude[] =
        "autoload -U +X compinit bashcompinit; compinit -u -D; bashcompinit; setopt ksh_arrays; ";
    g_autofree char *program = g_find_program_in_path(shell);
    if (!program) {
        g_test_skip("the shell is not there");
        return;
    }
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL), *out = NULL;
    g_autofree char *path = g_build_filename(dir, "my sales.yaml", NULL);
    g_autofree char *text = g_strconcat(g_str_equal(shell, "zsh") ? prelude : "", script, NULL);
    g_file_set_contents(path, "", 0, NULL);
    char *argv[] = {program, (char *) "-c", text, NULL};
    g_assert_true(g_spawn_sync(dir, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, NULL, NULL));
    g_unlink(path);
    g_rmdir(dir);
    g_assert_true(g_str_has_suffix(out, "<my sales.yaml>\n")); /* zsh takes other words away later by itself */
}

static void completion_knows_commands_and_flags(void)
{
    g_auto(Ran) ran = run("completion bash");
    g_assert_cmpint(ran.status, ==, 0);
    g_assert_nonnull(strstr(ran.out, "run check status pause resume trigger stop plugins"));
    g_assert_nonnull(strstr(ran.out, "run:--log-format) words=\"human json\" ;;"));
    g_auto(Ran) zsh = run("completion zsh");
    g_assert_true(g_str_has_prefix(zsh.out, "#compdef sfrun\n"));
    g_auto(Ran) fish = run("completion tcsh");
    g_assert_cmpint(fish.status, ==, 2);
}

/* What `sfrun` alone takes are the flags of run, before a file and behind it. */
static void completion_knows_flags_without_a_command(void)
{
    static const char script[] = "source <(\"$SF_TEST_SFRUN\" completion bash); COMP_WORDS=(sfrun --on); COMP_CWORD=1; "
                                 "_sfrun; echo \"${COMPREPLY[@]}\"; COMP_WORDS=(sfrun x.yaml --give); COMP_CWORD=2; "
                                 "_sfrun; echo \"${COMPREPLY[@]}\"";
    char *argv[] = {(char *) "bash", (char *) "-c", (char *) script, NULL};
    g_autofree char *out = NULL;
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
    g_assert_cmpstr(out, ==, "--once\n--give-up-after\n");
}

static void flags_may_stand_before_the_command(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL);
    g_autofree char *words = g_strdup_printf("--json --state-dir=%s status", dir);
    g_auto(Ran) status = run(words), help = run("--help status");
    g_assert_cmpint(status.status, ==, 3);
    g_assert_true(ran_printed_empty_list(&status));
    g_assert_true(g_str_has_prefix(help.out, "Usage: sfrun status"));
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void completion_works_in_bash(void)
{
    static const char script[] = "source <(\"$SF_TEST_SFRUN\" completion bash); COMP_WORDS=(sfrun ch); COMP_CWORD=1; "
                                 "_sfrun; echo ${COMPREPLY[@]}; "
                                 "COMP_WORDS=(sfrun check --j); COMP_CWORD=2; _sfrun; echo ${COMPREPLY[@]}; "
                                 "COMP_WORDS=(sfrun run --log-format j); COMP_CWORD=3; _sfrun; echo ${COMPREPLY[@]}";
    g_autofree char *bash = g_find_program_in_path("bash");
    if (!bash) {
        g_test_skip("bash is not there");
        return;
    }
    /* An empty directory: files of the working directory are offered too. */
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", &error);
    g_assert_no_error(error);
    char *argv[] = {bash, (char *) "-c", (char *) script, NULL};
    g_autofree char *out = NULL;
    g_assert_true(g_spawn_sync(dir, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, NULL, NULL));
    g_rmdir(dir);
    g_assert_cmpstr(out, ==, "check\n--json\njson\n");
}

static void manual_page_has_every_command(void)
{
    size_t n = 0;
    cli_begin();
    const Command *commands = cli_commands(&n);
    g_assert_cmpuint(n, >=, 6);
    g_auto(Ran) ran = run("help --man");
    g_assert_cmpint(ran.status, ==, 0);
    g_assert_true(g_str_has_prefix(ran.out, ".TH SFRUN 1"));
    for (size_t i = 0; i < n; i++) {
        g_autofree char *title = g_strconcat(".SS sfrun ", commands[i].page->name, NULL);
        g_assert_nonnull(strstr(ran.out, title));
    }
}

static void word_runs_a_program_in_our_place(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(dir, "sfrun-hello", NULL);
    g_file_set_contents_full(path,
                             "#!/bin/sh\ncase \"$*\" in\n"
                             "--help) printf 'Usage: sfrun hello [FLAG…] say WORD | wave\\n\\nGreet people.\\n\\n'\n"
                             "        echo ' -g, --greeting WORD  Not --great.' ;;\n"
                             "'say --help') echo '     --aloud  Or not.' ;;\n"
                             "*) echo \"hello $*\"; exit 7 ;;\nesac\n",
                             -1, G_FILE_SET_CONTENTS_NONE, 0755, &error);
    g_assert_no_error(error);
    g_setenv("SF_COMMAND_PATH", dir, TRUE);
    g_auto(Ran) ran = run("hello --json a");
    g_auto(Ran) help = run("help hello");
    g_auto(Ran) overview = run("--help");
    g_auto(Ran) man = run("help --man");
    g_auto(Ran) near = run("helo");
    g_auto(Ran) completion = run("completion bash");
    g_unsetenv("SF_COMMAND_PATH");
    g_assert_cmpint(ran.status, ==, 7);
    g_assert_cmpstr(ran.out, ==, "hello --json a\n");
    g_assert_true(g_str_has_prefix(help.out, "Usage: sfrun hello "));
    g_assert_nonnull(strstr(completion.out, "hello) words=\"say wave --greeting --great --aloud --help\" ;;\n"));
    g_assert_nonnull(strstr(overview.out, "\n  hello        Greet people\n"));
    g_assert_nonnull(strstr(man.out, "\n.SS sfrun hello\n.EX\nUsage: sfrun hello "));
    g_assert_nonnull(strstr(near.err, "did you mean 'hello'?"));
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* What everybody can write is neither run nor asked for its help. */
static void program_that_everybody_can_write_is_not_run(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-cli-XXXXXX", NULL), *path = g_build_filename(dir, "sfrun-hello", NULL);
    g_autofree char *ran_there = g_build_filename(dir, "ran", NULL);
    g_autofree char *script = g_strdup_printf("#!/bin/sh\n: >'%s'\n", ran_there);
    g_assert_true(g_file_set_contents_full(path, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    g_setenv("SF_COMMAND_PATH", dir, TRUE);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(g_chmod(i == 0 ? dir : path, 0777), ==, 0);
        g_auto(Ran) overview = run("--help");
        g_auto(Ran) help = run("help hello");
        g_auto(Ran) completion = run("completion bash");
        g_auto(Ran) ran = run("hello");
        g_assert_cmpint(ran.status, ==, 1);
        g_assert_nonnull(strstr(ran.err, "is not run: everybody can write to it"));
        g_assert_false(g_file_test(ran_there, G_FILE_TEST_EXISTS));
        g_assert_cmpint(g_chmod(dir, 0755), ==, 0);
    }
    g_unsetenv("SF_COMMAND_PATH");
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sfrun/status_is_a_table_as_wide_as_its_cells", status_is_a_table_as_wide_as_its_cells);
    g_test_add_func("/sfrun/status_of_one_is_of_one_in_json_too", status_of_one_is_of_one_in_json_too);
    g_test_add_func("/sfrun/status_without_pipelines_finds_none", status_without_pipelines_finds_none);
    g_test_add_func("/sfrun/help_fits_the_terminal", help_fits_the_terminal);
    g_test_add_func("/sfrun/output_that_nobody_took_is_a_failure", output_that_nobody_took_is_a_failure);
    g_test_add_func("/sfrun/unknown_flag_names_the_help_that_helps", unknown_flag_names_the_help_that_helps);
    g_test_add_data_func("/sfrun/completion_keeps_blanks_of_names/bash", "bash", completion_keeps_blanks_of_names);
    g_test_add_data_func("/sfrun/completion_keeps_blanks_of_names/zsh", "zsh", completion_keeps_blanks_of_names);
    g_test_add_func("/sfrun/completion_knows_commands_and_flags", completion_knows_commands_and_flags);
    g_test_add_func("/sfrun/completion_works_in_bash", completion_works_in_bash);
    g_test_add_func("/sfrun/manual_page_has_every_command", manual_page_has_every_command);
    g_test_add_func("/sfrun/word_runs_a_program_in_our_place", word_runs_a_program_in_our_place);
    g_test_add_func("/sfrun/program_that_everybody_can_write_is_not_run", program_that_everybody_can_write_is_not_run);
    g_test_add_func("/shell/completion-knows-flags-without-a-command", completion_knows_flags_without_a_command);
    g_test_add_func("/shell/flags-may-stand-before-the-command", flags_may_stand_before_the_command);
    return g_test_run();
}
