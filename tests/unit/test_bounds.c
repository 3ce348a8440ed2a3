/* What is read and kept at its limits: the last that fits, and the first that does not. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/pipeline.h"
#include "config/secret.h"
#include "config/suggest.h"
#include "config/value.h"
#include "config/yaml_env.h"
#include "runtime/fault.h"
#include "runtime/origin.h"
#include "runtime/state_dir.h"

static char *file_of(const char *text, gsize size)
{
    char *path = NULL;
    int file = g_file_open_tmp("sf-bounds-XXXXXX", &path, NULL);
    close(file);
    g_assert_true(g_file_set_contents(path, text, (gssize) size, NULL));
    return path;
}

/* ---- environment references ---- */

static char *replaced(const char *text, gsize *total, char **said)
{
    const SfValue place = {.file = (char *) "p.yaml", .line = 1, .column = 1};
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    char *result = env_replace(&place, text, total, diagnostics);
    *said = diagnostics_text(diagnostics);
    return result;
}

static void assert_replaced(const char *text, const char *wanted)
{
    g_autofree char *said = NULL;
    gsize total = 0;
    g_autofree char *result = replaced(text, &total, &said);
    g_assert_cmpstr(result, ==, wanted);
    g_assert_cmpint(*said == 0, ==, wanted != NULL);
    g_assert_cmpuint(total, ==, wanted ? strlen(wanted) : total);
}

static void test_references(void)
{
    g_setenv("SF_B", "value", TRUE);
    g_setenv("SF_E", "", TRUE);
    g_unsetenv("SF_U");
    assert_replaced("", "");
    assert_replaced("$", "$");
    assert_replaced("a$", "a$");
    assert_replaced("$$", "$$");
    assert_replaced("$x {", "$x {");
    assert_replaced("$${", "${");
    assert_replaced("a$${SF_B}", "a${SF_B}");
    assert_replaced("$$${SF_B}", "$${SF_B}");
    assert_replaced("${SF_B}", "value");
    assert_replaced("<${SF_B}${SF_B}>", "<valuevalue>");
    assert_replaced("${SF_B:-other}", "value");
    assert_replaced("${SF_E:-other}", "other");
    assert_replaced("${SF_U:-other}", "other");
    assert_replaced("${SF_U:-}", "");
    assert_replaced("${SF_U:-${SF_B}}", "value");
    assert_replaced("${", NULL);
    assert_replaced("x${SF_B", NULL);
    assert_replaced("${SF_U}", NULL);
    assert_replaced("${}", NULL);
}

static char *nested(guint levels)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < levels; i++)
        g_string_append(text, "${SF_U:-");
    g_string_append_c(text, 'x');
    for (guint i = 0; i < levels; i++)
        g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

static void test_nested_references(void)
{
    g_unsetenv("SF_U");
    g_autofree char *fits = nested(8), *deep = nested(9);
    assert_replaced(fits, "x");
    assert_replaced(deep, NULL);
}

static void test_long_references(void)
{
    g_autofree char *million = g_strnfill(1 << 20, 'x'), *more = g_strconcat(million, "y", NULL);
    g_setenv("SF_B", million, TRUE);
    assert_replaced("${SF_B}", million);
    assert_replaced("${SF_B}y", NULL);
    assert_replaced(more, NULL);
    g_setenv("SF_B", "value", TRUE);
}

/* A document grows up to four MiB; that is said once. */
static void test_all_references(void)
{
    static const char *const texts[] = {"y", "z"};
    g_autofree char *million = g_strnfill(1 << 20, 'x');
    gsize total = 0;
    for (int i = 0; i < 4; i++) {
        g_autofree char *said = NULL, *result = replaced(million, &total, &said);
        g_assert_cmpstr(said, ==, "");
        g_assert_cmpstr(result, ==, million);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *said = NULL, *result = replaced(texts[i], &total, &said);
        g_assert_null(result);
        g_assert_cmpint(*said != 0, ==, i == 0);
    }
}

/* ---- pipeline files ---- */

static bool loads(const char *text, gsize size)
{
    g_autofree char *path = file_of(text, size);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Document *document = yaml_load_file(path, diagnostics);
    document_free(document);
    g_unlink(path);
    return !diagnostics_any(diagnostics);
}

static void test_size_of_a_file(void)
{
    const gsize most = 4 << 20;
    g_autofree char *text = g_strnfill(most + 1, '#');
    memcpy(text, "a: b\n", 5);
    g_assert_true(loads(text, most));
    g_assert_false(loads(text, most + 1));
}

/* A list of so many, and itself. */
static void test_number_of_values(void)
{
    for (guint n = 199999; n <= 200000; n++) {
        GString *text = g_string_new("[a");
        for (guint i = 1; i < n; i++)
            g_string_append(text, ",a");
        g_string_append_c(text, ']');
        g_assert_cmpint(loads(text->str, text->len), ==, n == 199999);
        g_string_free(text, TRUE);
    }
}

static void test_number_of_steps(void)
{
    for (guint n = 1000; n <= 1001; n++) {
        g_autoptr(GString) text = g_string_new("pipeline: p\nsteps:\n  s: {source: test-source}\n");
        g_autoptr(Diagnostics) diagnostics = diagnostics_new();
        for (guint i = 1; i < n; i++)
            g_string_append_printf(text, "  k%u: {sink: test-sink, from: s, url: x}\n", i);
        g_autoptr(Pipeline) pipeline = pipeline_load_text(text->str, "p.yaml", diagnostics);
        g_autofree char *said = diagnostics_text(diagnostics);
        g_assert_cmpint(pipeline != NULL, ==, n == 1000);
        g_assert_cmpstr(said, ==, pipeline ? "" : "p.yaml:3:3: a pipeline has 1 to 1000 steps, not 1001");
    }
}

/* Pairs as RFC 8259, section 7, has them, from the first to the last; half a pair is a mistake. */
static void test_pairs(void)
{
    static const struct {
        const char *escapes, *text; /* NULL: wrong */
    } cases[] = {
        {"\\ud800\\udc00", "\xf0\x90\x80\x80"},
        {"\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
        {"\\uD83D\\uDE01", "\xf0\x9f\x98\x81"},
        {"\\ud7ff", "\xed\x9f\xbf"},
        {"\\ue000", "\xee\x80\x80"},
        {"\\ud7ff\\udc00", NULL},
        {"\\udc00\\udc00", NULL},
        {"\\ud800\\udbff", NULL},
        {"\\ud800\\ue000", NULL},
        {"\\ud83d\\ud83d", NULL},
        {"\\ud83d\\ude0", NULL},
        {"\\ud83d\\udg01", NULL},
        {"\\ud83d\\Ude01", NULL},
        {"\\ud83d", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *yaml = g_strdup_printf("a: \"<%s>\"", cases[i].escapes);
        g_autofree char *wanted = cases[i].text ? g_strdup_printf("<%s>", cases[i].text) : NULL;
        g_autoptr(Diagnostics) diagnostics = diagnostics_new();
        Document *document = yaml_load_text(yaml, strlen(yaml), "p.yaml", diagnostics);
        const SfValue *value = document ? sf_value_get(document_root(document), "a") : NULL;
        g_assert_cmpint(diagnostics_any(diagnostics), ==, wanted == NULL);
        if (wanted)
            g_assert_cmpstr(sf_value_text(value), ==, wanted);
        document_free(document);
    }
}

/* ---- words ---- */

static void test_length_of_words(void)
{
    for (gsize n = 64; n <= 65; n++) {
        g_autofree char *word = g_strnfill(n, 'w'), *near = g_strnfill(n, 'w');
        near[n / 2] = 'v';
        const char *const words[] = {"short", near};
        g_assert_cmpstr(nearest_word(word, words, 2), ==, n == 64 ? near : NULL);
    }
    g_autofree char *longer = g_strnfill(65, 'w'), *word = g_strnfill(64, 'w');
    const char *const words[] = {longer};
    g_assert_null(nearest_word(word, words, 1));
}

/* In a message eighty characters of a text are shown, without what would break the line. */
static void test_shown_text(void)
{
    for (gsize n = 79; n <= 81; n++) {
        g_autoptr(GString) text = g_string_new(NULL), wanted = g_string_new("'");
        for (gsize i = 0; i < n; i++) {
            g_string_append(text, "ä");
            g_string_append(wanted, i < 80 ? "ä" : "");
        }
        g_string_append(wanted, n > 80 ? "…'" : "'");
        g_autofree char *shown = text_shown(text->str);
        g_assert_cmpstr(shown, ==, wanted->str);
    }
    g_autofree char *controls = text_shown("a\nb\tc\x7f\xff");
    g_assert_cmpstr(controls, ==, "'a b c \xef\xbf\xbd'");
}

/* ---- secrets ---- */

static void assert_secret(const char *reference, const char *wanted)
{
    g_autofree char *problem = NULL;
    char *secret = secret_resolve(reference, false, &problem);
    g_assert_cmpstr(secret, ==, wanted);
    g_assert_cmpint(problem != NULL, ==, wanted == NULL);
    secret_free(secret);
}

/* A file and a command give 64 KiB; one line break at their end is not the secret's. */
static void test_size_of_secrets(void)
{
    const gsize most = 64 * 1024;
    for (gsize n = most - 1; n <= most + 1; n++) {
        g_autofree char *text = g_strnfill(n, 's'), *line = g_strconcat(text, "\n", NULL);
        g_autofree char *path = file_of(text, n), *line_path = file_of(line, n + 1);
        g_autofree char *file = g_strconcat("file:", path, NULL), *command = g_strconcat("exec:cat ", path, NULL);
        g_autofree char *line_file = g_strconcat("file:", line_path, NULL);
        assert_secret(file, n <= most ? text : NULL);
        assert_secret(command, n <= most ? text : NULL);
        assert_secret(line_file, n < most ? text : NULL);
        g_unlink(path);
        g_unlink(line_path);
    }
}

/* ---- of the runtime ---- */

static void test_origins(void)
{
    GStringChunk *origins = g_string_chunk_new(64);
    g_autofree char *longest = g_strnfill(SF_ORIGIN_MAX, 'o'), *longer = g_strnfill(SF_ORIGIN_MAX + 1, 'o');
    const char *kept = origin_keep(origins, longest);
    g_assert_cmpstr(kept, ==, longest);
    g_assert_true(origin_keep(origins, longest) == kept);
    g_assert_cmpstr(origin_keep(origins, "!~"), ==, "!~");
    g_assert_null(origin_keep(origins, longer));
    g_assert_null(origin_keep(origins, ""));
    g_assert_null(origin_keep(origins, NULL));
    g_assert_null(origin_keep(origins, "two words"));
    g_assert_null(origin_keep(origins, "\x7f"));
    g_string_chunk_free(origins);
}

static void assert_state_dir(const char *own, const char *runtime, const char *wanted)
{
    g_setenv("SF_STATE_DIR", own ? own : "", TRUE);
    g_setenv("XDG_RUNTIME_DIR", runtime ? runtime : "", TRUE);
    if (!own)
        g_unsetenv("SF_STATE_DIR");
    if (!runtime)
        g_unsetenv("XDG_RUNTIME_DIR");
    g_autofree char *path = state_dir_default();
    g_assert_cmpstr(path, ==, wanted);
}

static void test_state_directory(void)
{
    g_autofree char *last = g_strdup_printf("/tmp/streamforge-%u", (guint) getuid());
    assert_state_dir("/own", "/run/me", "/own");
    assert_state_dir("", "/run/me", "/run/me/streamforge");
    assert_state_dir(NULL, "/run/me", "/run/me/streamforge");
    assert_state_dir(NULL, "", last);
    assert_state_dir("", NULL, last);
}

static void test_names_of_sockets(void)
{
    static const char *const good[] = {"1.sock", "4711.sock", "4711-2.sock", "0-0.sock"};
    static const char *const bad[] = {"",        ".sock", "x.sock", "1.socks", "1.sock.new", "1-.sock", "1-2-3.sock",
                                      "-1.sock", "1",     "1-2",    "1x.sock", "1-2x.sock",  "1 .sock", "../1.sock"};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(state_dir_is_socket_name(good[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(state_dir_is_socket_name(bad[i]));
}

/* Only the point that is named counts, and only the passage that is named ends the process. */
static void test_fault_points(void)
{
    static const char *const others[] = {"poin", "point-too", "another", "point:3", ""};
    g_setenv("SF_FAULT", "point:3", TRUE);
    for (gsize round = 0; round < 5; round++)
        for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
            fault_pass(others[i]);
    fault_pass("point");
    for (int passes = 1; passes <= 2; passes++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int i = 0; i < passes; i++)
                fault_pass("point");
            _exit(7);
        }
        int status = 0;
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, ==, passes == 2);
    }
    g_setenv("SF_FAULT", "point", TRUE);
    fault_pass("point");
    g_unsetenv("SF_FAULT");
    fault_pass("point");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounds/references", test_references);
    g_test_add_func("/bounds/nested-references", test_nested_references);
    g_test_add_func("/bounds/long-references", test_long_references);
    g_test_add_func("/bounds/all-references", test_all_references);
    g_test_add_func("/bounds/size-of-a-file", test_size_of_a_file);
    g_test_add_func("/bounds/number-of-values", test_number_of_values);
    g_test_add_func("/bounds/number-of-steps", test_number_of_steps);
    g_test_add_func("/bounds/pairs", test_pairs);
    g_test_add_func("/bounds/length-of-words", test_length_of_words);
    g_test_add_func("/bounds/shown-text", test_shown_text);
    g_test_add_func("/bounds/size-of-secrets", test_size_of_secrets);
    g_test_add_func("/bounds/origins", test_origins);
    g_test_add_func("/bounds/state-directory", test_state_directory);
    g_test_add_func("/bounds/names-of-sockets", test_names_of_sockets);
    g_test_add_func("/bounds/fault-points", test_fault_points);
    return g_test_run();
}
