/* Typed parsers, and a plugin's state filled from its table. Wrong values with their messages are in tests/cases. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/options.h"
#include "config/option_table.h"
#include "config/parse.h"
#include "config/yaml.h"
#include "data/printable.h"

/* As in tests/modules/test_source.c. */
typedef struct State {
    const char *text;
    int64_t count;
    double ratio;
    bool loud;
    int64_t room;
    int64_t wait;
    int64_t wait_ms;
    int32_t mode;
    SfList columns;
    SfMap properties;
    SfMap levels;
    const char *password;
    const SfValue *schema;
    const char *old_text;
} State;

typedef struct Filled {
    Document *document;
    OptionArena *arena;
    State state;
    SfError err;
} Filled;

static void filled_done(Filled *filled)
{
    option_arena_free(filled->arena);
    document_free(filled->document);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filled, filled_done)

static const Plugin *test_source(void)
{
    SfError err;
    const Plugin *plugin = registry_load("test-source", &err);
    g_assert_nonnull(plugin);
    g_assert_cmpuint(plugin->head.state_size, ==, sizeof(State));
    return plugin;
}

static Filled fill(const char *yaml)
{
    Filled filled = {0};
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    filled.document = yaml_load_text(yaml, strlen(yaml), "t.yaml", diagnostics);
    g_assert_false(diagnostics_any(diagnostics));
    const SfValue *root = document_root(filled.document);
    bool is_map = sf_value_kind(root) == SF_VALUE_MAP;
    filled.arena = options_fill(test_source(), is_map ? root : NULL, &filled.state, &filled.err);
    return filled;
}

static void assert_refused(const char *yaml, const char *message)
{
    g_auto(Filled) filled = fill(yaml);
    g_assert_null(filled.arena);
    g_assert_cmpstr(filled.err.message, ==, message);
}

/* ---- parsers ---------------------------------------------------------------------------------------------------- */

typedef struct Number {
    const char *text;
    gint64 value;
} Number;

static void whole_numbers(void)
{
    static const Number good[] = {
        {"0", 0}, {"-3", -3}, {"+7", 7}, {"1_000_000", 1000000}, {"010", 10}, {"9223372036854775807", G_MAXINT64},
    };
    static const char *const bad[] = {"",     "-",    "1.0", "1e3",   " 1",
                                      "1 ",   "_1",   "1_",  "1__0",  "--1",
                                      "0x10", "many", "½",   "1,000", "9223372036854775808"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        gint64 value = 77;
        g_assert_true(parse_int(good[i].text, &value));
        g_assert_cmpint(value, ==, good[i].value);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        gint64 value = 77;
        g_assert_false(parse_int(bad[i], &value));
        g_assert_cmpint(value, ==, 77);
    }
}

static void sizes(void)
{
    static const Number good[] = {
        {"0", 0},          {"512", 512},         {"512B", 512},       {"64KiB", 65536},
        {"8MiB", 8388608}, {"1GiB", 1LL << 30},  {"2TiB", 1LL << 41}, {"10MB", 10000000},
        {"1KB", 1000},     {"1 GiB", 1LL << 30}, {"1gib", 1LL << 30}, {"1_024", 1024},
    };
    static const char *const bad[] = {"", "-1", "KiB", "1.5GiB", "64K", "5 apples", "1  KiB", "1 ", "9000000000TiB"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        gint64 value = 77;
        g_assert_true(parse_size(good[i].text, &value));
        g_assert_cmpint(value, ==, good[i].value);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        gint64 value = 77;
        g_assert_false(parse_size(bad[i], &value));
    }
}

static void durations(void)
{
    static const Number good[] = {
        {"0", 0},        {"250ms", 250},    {"5s", 5000},       {"10m", 600000},
        {"1h", 3600000}, {"7d", 604800000}, {"1h30m", 5400000}, {"1m30s500ms", 90500},
    };
    static const char *const bad[] = {"", "5", "-5s", "s", "5 s", "5sec", "5S", "1h30", "1.5s", "99999999999999d"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        gint64 value = 77;
        g_assert_true(parse_duration(good[i].text, &value));
        g_assert_cmpint(value, ==, good[i].value);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        gint64 value = 77;
        g_assert_false(parse_duration(bad[i], &value));
        g_assert_cmpint(value, ==, 77);
    }
}

static void numbers_and_truths(void)
{
    double real = 0;
    bool truth = false;
    g_assert_true(parse_float("0.25", &real) && real == 0.25);
    g_assert_true(parse_float("-1e3", &real) && real == -1000);
    g_assert_true(parse_float(".5", &real) && real == 0.5);
    static const char *const bad[] = {"", "nan", "inf", "-inf", "1e999", "0x1p3", "1,5", " 1", "1 ", "1.2.3", "e5"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(parse_float(bad[i], &real));
    g_assert_true(parse_bool("true", &truth) && truth);
    g_assert_true(parse_bool("False", &truth) && !truth);
    g_assert_false(parse_bool("yes", &truth) || parse_bool("1", &truth) || parse_bool("", &truth));
}

/* ---- filling ---------------------------------------------------------------------------------------------------- */

static void defaults_are_filled(void)
{
    g_auto(Filled) filled = fill("");
    const State *state = &filled.state;
    g_assert_nonnull(filled.arena);
    g_assert_cmpstr(state->text, ==, "hello");
    g_assert_cmpint(state->count, ==, 10);
    g_assert_cmpfloat(state->ratio, ==, 0.5);
    g_assert_true(state->loud);
    g_assert_cmpint(state->room, ==, 65536);
    g_assert_cmpint(state->wait, ==, 5000);
    g_assert_cmpint(state->wait_ms, ==, -1);
    g_assert_cmpint(state->mode, ==, 1);
    g_assert_cmpuint(state->columns.size, ==, 2);
    g_assert_cmpstr(state->columns.items[1], ==, "name utf8");
    g_assert_cmpuint(state->properties.size, ==, 0);
    g_assert_cmpuint(state->levels.size, ==, 1);
    g_assert_cmpstr(state->levels.pairs[0].key, ==, "low");
    g_assert_null(state->password);
    g_assert_null(state->schema);
}

static void given_values_are_filled(void)
{
    g_auto(Filled) filled = fill("source: test-source\ntext: null word\ncount: 5\nratio: 1\nloud: false\nroom: 1KiB\n"
                                 "wait: 2m\nwait.interval.ms: 60000\nmode: fast\ncolumns: one\n"
                                 "properties: {a.b: 1, c: ''}\nlevels: {high: x}\npassword: pw\nschema: [1, {a: b}]\n");
    const State *state = &filled.state;
    g_assert_nonnull(filled.arena);
    g_assert_cmpstr(state->text, ==, "null word");
    g_assert_cmpint(state->count, ==, 5);
    g_assert_cmpfloat(state->ratio, ==, 1);
    g_assert_false(state->loud);
    g_assert_cmpint(state->room, ==, 1024);
    g_assert_cmpint(state->wait, ==, 120000);
    g_assert_cmpint(state->wait_ms, ==, 60000);
    g_assert_cmpint(state->mode, ==, 0);
    g_assert_cmpuint(state->columns.size, ==, 1);
    g_assert_cmpstr(state->columns.items[0], ==, "one");
    g_assert_cmpuint(state->properties.size, ==, 2);
    g_assert_cmpstr(state->properties.pairs[0].key, ==, "a.b");
    g_assert_cmpstr(state->properties.pairs[1].value, ==, "");
    g_assert_cmpstr(state->levels.pairs[0].value, ==, "x");
    g_assert_cmpstr(state->password, ==, "pw");
    g_assert_cmpuint(sf_value_size(state->schema), ==, 2);
}

static void null_takes_a_value_back_to_its_default(void)
{
    g_auto(Filled) filled = fill("text: ~\ncount: null\ncolumns: ~\n");
    g_assert_nonnull(filled.arena);
    g_assert_cmpstr(filled.state.text, ==, "hello");
    g_assert_cmpint(filled.state.count, ==, 10);
    g_assert_cmpuint(filled.state.columns.size, ==, 2);
}

static void empty_list_is_not_the_default(void)
{
    g_auto(Filled) filled = fill("columns: []\nlevels: {}\n");
    g_assert_nonnull(filled.arena);
    g_assert_cmpuint(filled.state.columns.size, ==, 0);
    g_assert_cmpuint(filled.state.levels.size, ==, 0);
}

static void bare_number_is_ms_only_where_the_name_says_so(void)
{
    assert_refused("wait: 5", "t.yaml:1:7: option 'wait': '5' has no unit; write 5s or 5ms");
    g_auto(Filled) filled = fill("wait.interval.ms: 2s");
    g_assert_nonnull(filled.arena);
    g_assert_cmpint(filled.state.wait_ms, ==, 2000);
}

static void first_mistake_is_the_error(void)
{
    assert_refused("mode: slow\ncount: x\n", "t.yaml:1:7: option 'mode': 'slow' is not one of fast, careful");
}

/* ---- secrets ---------------------------------------------------------------------------------------------------- */

static char *secret_file(const char *text, gssize size)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int fd = g_file_open_tmp("sf-secret-XXXXXX", &path, &error);
    g_assert_no_error(error);
    g_close(fd, NULL);
    g_file_set_contents(path, text, size, &error);
    g_assert_no_error(error);
    return path;
}

static void secret_comes_from_a_file(void)
{
    g_autofree char *path = secret_file("s3cret with blank \r\n", -1);
    g_autofree char *yaml =
        g_strdup_printf("password: file:%s\nproperties: {sasl.password: 'file:%s', x: 'file:%s'}", path, path, path);
    g_auto(Filled) filled = fill(yaml);
    g_assert_nonnull(filled.arena);
    g_assert_cmpstr(filled.state.password, ==, "s3cret with blank ");
    g_assert_cmpstr(filled.state.properties.pairs[0].value, ==, "s3cret with blank ");
    g_assert_true(g_str_has_prefix(filled.state.properties.pairs[1].value, "file:"));
    g_unlink(path);
}

static void secret_comes_from_a_command(void)
{
    g_auto(Filled) filled = fill("password: \"exec:printf '%s' 'a b $HOME'\"");
    g_assert_nonnull(filled.arena);
    g_assert_cmpstr(filled.state.password, ==, "a b $HOME");
}

static void secret_that_cannot_be_had_is_an_error(void)
{
    assert_refused("password: file:/nowhere/pw", "t.yaml:1:11: option 'password': cannot read file '/nowhere/pw': "
                                                 "No such file or directory");
    assert_refused("password: exec:false", "t.yaml:1:11: option 'password': command 'false' failed: exit status 1");
    assert_refused("password: 'exec:sh -c \"kill -9 $$\"'",
                   "t.yaml:1:11: option 'password': command 'sh -c \"kill -9 $$\"' failed: killed by signal 9");
    g_auto(Filled) filled = fill("password: exec:/nowhere/program");
    g_assert_null(filled.arena);
    g_assert_nonnull(strstr(filled.err.message, "No such file or directory"));
}

static void secret_that_is_no_text_is_not_printed(void)
{
    g_autofree char *path = secret_file("geheim\0x", 8);
    g_autofree char *yaml = g_strdup_printf("password: file:%s", path);
    g_auto(Filled) filled = fill(yaml);
    g_assert_null(filled.arena);
    g_assert_nonnull(strstr(filled.err.message, "gives no text"));
    g_assert_null(strstr(filled.err.message, "geheim"));
    g_unlink(path);
    g_autofree char *long_secret = g_strnfill(70000, 'x');
    g_autofree char *long_path = secret_file(long_secret, -1);
    g_autofree char *long_yaml = g_strdup_printf("password: file:%s", long_path);
    g_auto(Filled) too_long = fill(long_yaml);
    g_assert_null(too_long.arena);
    g_assert_nonnull(strstr(too_long.err.message, "gives more than 65536 bytes"));
    g_unlink(long_path);
}

/* A line break in a password would end a header or a line of a protocol. */
static void secret_has_no_control_characters(void)
{
    static const char *const bad[] = {"two\nlines", "two\r\nlines\n", "a\tb", "esc\033"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = secret_file(bad[i], -1);
        g_autofree char *yaml = g_strdup_printf("password: file:%s", path);
        g_auto(Filled) filled = fill(yaml);
        g_assert_null(filled.arena);
        g_assert_nonnull(strstr(filled.err.message, "control character"));
        g_assert_null(strstr(filled.err.message, "lines"));
        g_unlink(path);
    }
    assert_refused("password: \"two\\nlines\"", "t.yaml:1:11: option 'password': it gives a text with a line break or "
                                                "another control character in it");
    g_auto(Filled) pem = fill("properties: {ssl.key.pem: \"-----BEGIN\\nKEY\"}");
    g_assert_nonnull(pem.arena);
    g_assert_cmpstr(pem.state.properties.pairs[0].value, ==, "-----BEGIN\nKEY");
}

static void secret_of_a_file_that_others_write_is_refused(void)
{
    static const int modes[] = {0602, 0646};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = secret_file("s3cret", -1);
        g_autofree char *yaml = g_strdup_printf("password: file:%s", path);
        g_assert_cmpint(g_chmod(path, modes[i]), ==, 0);
        g_auto(Filled) filled = fill(yaml);
        g_assert_null(filled.arena);
        g_assert_nonnull(strstr(filled.err.message, "others can write to it"));
        g_unlink(path);
    }
}

/* Neither a FIFO without a writer nor a command without an end holds the start up for ever, or fills the memory. */
static void secret_that_does_not_come(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-secret-XXXXXX", NULL), *path = g_build_filename(dir, "fifo", NULL);
    g_autofree char *yaml = g_strdup_printf("password: file:%s", path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_auto(Filled) nobody = fill(yaml);
    g_assert_null(nobody.arena);
    g_assert_nonnull(strstr(nobody.err.message, "no answer within 5 s"));
    g_auto(Filled) endless = fill("password: exec:yes");
    g_assert_null(endless.arena);
    g_assert_nonnull(strstr(endless.err.message, "gives more than 65536 bytes"));
    g_auto(Filled) zeros = fill("password: file:/dev/zero");
    g_assert_null(zeros.arena);
    g_assert_nonnull(strstr(zeros.err.message, "gives more than 65536 bytes"));
    g_auto(Filled) directory = fill("password: file:/tmp");
    g_assert_nonnull(strstr(directory.err.message, "it is a directory"));
    g_unlink(path);
    g_rmdir(dir);
}

/* /proc/self/smaps has "dd" among the flags of memory that stays out of dumps. */
static void secret_is_in_no_core_dump(void)
{
    g_auto(Filled) filled = fill("password: s3cret");
    g_assert_nonnull(filled.arena);
    g_autofree char *maps = NULL;
    g_assert_true(g_file_get_contents("/proc/self/smaps", &maps, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
    guint64 place = (guintptr) filled.state.password;
    bool inside = false, found = false;
    for (char **line = lines; *line; line++) {
        char *end = NULL;
        guint64 first = g_ascii_strtoull(*line, &end, 16);
        if (*end == '-' && g_ascii_isxdigit(**line))
            inside = place >= first && place < g_ascii_strtoull(end + 1, NULL, 16);
        else if (inside && g_str_has_prefix(*line, "VmFlags:"))
            found = strstr(*line, " dd") != NULL;
    }
    g_assert_true(found);
}

/* "user:password@" of a URL stands in no message. */
static void urls_are_shown_without_their_user(void)
{
    static const char *const urls[][2] = {
        {"s3://AKIA:se/cr+et=@bucket/prefix", "s3://bucket/prefix"},
        {"see http://user:p@ss@host:9000/a, or https://tok@host.", "see http://host:9000/a, or https://host."},
        {"http://host:9000/a@b", "http://host:9000/a@b"},
        {"http://[::1]:9000/a@b 'ftp://u:p@h'", "http://[::1]:9000/a@b 'ftp://h'"},
        {"http://", "http://"},
        {"://@", "://"},
        {"a://b:c@d://e:f@g", "a://d://g"},
        {"no url: a@b", "no url: a@b"}};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *shown = message_line(urls[i][0]);
        g_assert_cmpstr(shown, ==, urls[i][1]);
    }
    g_auto(Filled) filled = fill("count: http://user:s3cret@host/");
    g_assert_null(filled.arena);
    g_assert_null(strstr(filled.err.message, "s3cret"));
}

static void check_reads_no_secret(void)
{
    State state = {0};
    SfError err;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    static const char yaml[] = "password: file:/nowhere\n";
    g_autoptr(Document) document = yaml_load_text(yaml, strlen(yaml), "t.yaml", diagnostics);
    options_check(test_source(), document_root(document), NULL, diagnostics);
    g_assert_false(diagnostics_any(diagnostics));
    g_autoptr(OptionArena) arena = options_fill_unresolved(test_source(), document_root(document), &state, &err);
    g_assert_nonnull(arena);
    g_assert_cmpstr(state.password, ==, "file:/nowhere");
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void assert_row_problem(const SfOption *option, const char *part)
{
    g_autofree char *problem = option_row_problem(option, 8);
    if (!part)
        g_assert_null(problem);
    else
        g_assert_nonnull(strstr(problem ? problem : "", part));
}

static void rows_are_checked(void)
{
    static const char *const words[] = {"a", NULL};
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_INT, .value = "1", .max = "2"}, NULL);
    assert_row_problem(&(SfOption){.field = "x", .type = (SfOptionType) 99}, "type number 99");
    assert_row_problem(&(SfOption){.field = "x", .type = (SfOptionType) 0}, "type number 0");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_INT, .offset = 1}, "outside");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_LIST}, "outside");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_INT, .offset = UINT32_MAX}, "outside");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_ENUM}, "without words");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_ENUM, .words = words, .value = "b"}, "default");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_INT, .min = "low"}, "its min: 'low'");
    assert_row_problem(&(SfOption){.field = "x", .type = SF_OPTION_TYPE_SIZE, .max = "-1"}, "its max");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse/whole_numbers", whole_numbers);
    g_test_add_func("/parse/sizes", sizes);
    g_test_add_func("/parse/durations", durations);
    g_test_add_func("/parse/numbers_and_truths", numbers_and_truths);
    g_test_add_func("/options/defaults_are_filled", defaults_are_filled);
    g_test_add_func("/options/given_values_are_filled", given_values_are_filled);
    g_test_add_func("/options/null_takes_a_value_back_to_its_default", null_takes_a_value_back_to_its_default);
    g_test_add_func("/options/empty_list_is_not_the_default", empty_list_is_not_the_default);
    g_test_add_func("/options/bare_number_is_ms_only_where_the_name_says_so",
                    bare_number_is_ms_only_where_the_name_says_so);
    g_test_add_func("/options/first_mistake_is_the_error", first_mistake_is_the_error);
    g_test_add_func("/secrets/secret_comes_from_a_file", secret_comes_from_a_file);
    g_test_add_func("/secrets/secret_comes_from_a_command", secret_comes_from_a_command);
    g_test_add_func("/secrets/secret_that_cannot_be_had_is_an_error", secret_that_cannot_be_had_is_an_error);
    g_test_add_func("/secrets/secret_that_is_no_text_is_not_printed", secret_that_is_no_text_is_not_printed);
    g_test_add_func("/secrets/secret_has_no_control_characters", secret_has_no_control_characters);
    g_test_add_func("/secrets/secret_of_a_file_that_others_write_is_refused",
                    secret_of_a_file_that_others_write_is_refused);
    g_test_add_func("/secrets/secret_that_does_not_come", secret_that_does_not_come);
    g_test_add_func("/secrets/secret_is_in_no_core_dump", secret_is_in_no_core_dump);
    g_test_add_func("/secrets/urls_are_shown_without_their_user", urls_are_shown_without_their_user);
    g_test_add_func("/secrets/check_reads_no_secret", check_reads_no_secret);
    g_test_add_func("/rows/rows_are_checked", rows_are_checked);
    return g_test_run();
}
