/* A plugin that ends the process, hangs or gives what it must not: the log says which, where and on what. */
#include <glib.h>
#include <string.h>

#include "program.h"
#include "tree.h"

/* sfrun with one rogue step, at 100 rows. */
static Ran run_rogue(const char *does, const char *command)
{
    g_autofree char *dir = g_dir_make_tmp("sf-rogue-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "p.yaml", NULL);
    g_autofree char *text = g_strdup_printf("pipeline: p\nshutdown: 1s\nsteps:\n"
                                            "  events: {source: file-source, path: sales.jsonl, state_dir: .}\n"
                                            "  bad: {transform: rogue-transform, from: events, does: %s}\n"
                                            "  out: {sink: file-sink, from: bad, path: '-'}\n",
                                            does);
    g_autofree char *lines_path = g_build_filename(dir, "sales.jsonl", NULL);
    g_autoptr(GString) lines = g_string_new(NULL);
    for (int i = 0; i < 100; i++)
        g_string_append_printf(lines, "{\"id\":%d}\n", i);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_true(g_file_set_contents(lines_path, lines->str, -1, NULL));
    Ran ran = run_program(dir, command);
    remove_tree(dir);
    return ran;
}

static void assert_said(const Ran *ran, const char *text)
{
    if (!strstr(ran->err, text))
        g_test_message("'%s' is not in: %s", text, ran->err);
    g_assert_nonnull(strstr(ran->err, text));
}

static void test_nothing_for_rows(void)
{
    g_auto(Ran) ran = run_rogue("nothing", "--once p.yaml");
    g_assert_cmpint(ran.status, ==, 1);
    assert_said(&ran, "rogue-transform 'bad': its hook apply left out->rows empty, so that 100 of 100 rows would be "
                      "gone; fill it, by "
                      "sf_builder_finish() where no row stays");
}

static void test_text_that_is_none(void)
{
    g_auto(Ran) ran = run_rogue("babble", "--once p.yaml");
    g_assert_cmpint(ran.status, ==, 1);
    assert_said(&ran,
                "it gave rows that do not match its schema: the text in row 1 of column 'text' is not valid UTF-8; "
                "reject the row, or make the column binary");
}

#define PLACE "plugin 'rogue-transform', step 'bad' of pipeline 'p', hook apply, sales.jsonl#"
#define RANGE " from 0 to 100"

static void test_exit(void)
{
    g_auto(Ran) ran = run_rogue("exit", "--once p.yaml");
    g_assert_cmpint(ran.status, ==, 1);
    assert_said(&ran, "exit() was called in " PLACE);
    assert_said(&ran, RANGE "; a plugin returns a status and an error instead");
}

static void test_crash(void)
{
    static const char *const kinds[] = {"crash", "overflow"};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(Ran) ran = run_rogue(kinds[i], "sh -c '\"$SF_TEST_SFRUN\" --once p.yaml; exit $?'");
        g_assert_cmpint(ran.status, !=, 0);
        assert_said(&ran, "crash (SIGSEGV) in " PLACE);
        assert_said(&ran, RANGE "; what is committed stays");
        assert_said(&ran, "rogue-transform.so"); /* of the stack */
    }
}

static void test_abort(void)
{
    g_auto(Ran) ran = run_rogue("abort", "--once p.yaml");
    g_assert_cmpint(ran.status, ==, 1);
    assert_said(&ran, "abort in " PLACE);
}

/* SIGTERM at last: the deadline passes, and the step that is meant is the one whose hook does not return. */
static void test_hang(void)
{
    g_auto(Ran) ran = run_rogue("hang", "sh -c 'timeout --preserve-status 3 \"$SF_TEST_SFRUN\" p.yaml; exit $?'");
    g_assert_cmpint(ran.status, !=, 0);
    assert_said(&ran, "rogue-transform has been in its hook apply for ");
    assert_said(&ran, "step=bad");
}

/* Crashes are the program's to tell, not the sanitizer's. */
static void leave_signals(const char *variable, const char *more)
{
    const char *options = g_getenv(variable);
    g_autofree char *text =
        g_strconcat(options ? options : "", ":handle_segv=0:handle_abort=0:use_sigaltstack=0", more, NULL);
    g_setenv(variable, text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    leave_signals("ASAN_OPTIONS", ":detect_leaks=0");
    leave_signals("TSAN_OPTIONS", "");
    g_test_add_func("/rogue/nothing for rows", test_nothing_for_rows);
    g_test_add_func("/rogue/text that is none", test_text_that_is_none);
    g_test_add_func("/rogue/exit", test_exit);
    g_test_add_func("/rogue/crash", test_crash);
    g_test_add_func("/rogue/abort", test_abort);
    g_test_add_func("/rogue/hang", test_hang);
    return g_test_run();
}
