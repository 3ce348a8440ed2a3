/* The tree of a YAML file: places, empties, aliases, merges, environment references, and the limits. Wrong files with
 * their messages are in tests/cases. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "config/value.h"
#include "config/yaml.h"

/* The document, which must be fine. */
static Document *good(const char *text)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Document *document = yaml_load_text(text, strlen(text), "t.yaml", diagnostics);
    g_autofree char *said = diagnostics_text(diagnostics);
    g_assert_cmpstr(said, ==, "");
    g_assert_nonnull(document);
    return document;
}

/* All messages, joined by line breaks. */
static char *wrong(const char *text, gsize size)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Document) document = yaml_load_text(text, size, "t.yaml", diagnostics);
    g_assert_true(document || diagnostics_any(diagnostics));
    return diagnostics_text(diagnostics);
}

static void assert_place(const SfValue *value, int line, int column)
{
    g_assert_cmpstr(sf_value_file(value), ==, "t.yaml");
    g_assert_cmpint(sf_value_line(value), ==, line);
    g_assert_cmpint(sf_value_column(value), ==, column);
}

static void places_of_nodes(void)
{
    g_autoptr(Document) document = good("a: 1\nb:\n  - x\n  - {c: \"q\"}\n");
    const SfValue *root = document_root(document);
    g_assert_cmpint(sf_value_kind(root), ==, SF_VALUE_MAP);
    g_assert_cmpuint(sf_value_size(root), ==, 2);
    assert_place(root, 1, 1);
    assert_place(sf_value_key(root, 1), 2, 1);
    assert_place(sf_value_get(root, "a"), 1, 4);
    const SfValue *list = sf_value_get(root, "b");
    assert_place(list, 3, 3);
    assert_place(sf_value_at(list, 0), 3, 5);
    assert_place(sf_value_get(sf_value_at(list, 1), "c"), 4, 9);
}

static void columns_count_characters_not_bytes(void)
{
    g_autoptr(Document) document = good("größe: {é: ü, x: 1}\n");
    const SfValue *map = sf_value_get(document_root(document), "größe");
    assert_place(map, 1, 8);
    assert_place(sf_value_get(map, "x"), 1, 18);
}

static void byte_order_mark_and_crlf_count_nothing(void)
{
    g_autoptr(Document) document = good("\xEF\xBB\xBF"
                                        "a: 1\r\nb: 2\r\n");
    assert_place(sf_value_get(document_root(document), "a"), 1, 4);
    assert_place(sf_value_get(document_root(document), "b"), 2, 4);
}

static void empty_value_is_null_at_its_key(void)
{
    g_autoptr(Document) document = good("a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n");
    const SfValue *root = document_root(document);
    g_assert_cmpint(sf_value_kind(sf_value_get(root, "a")), ==, SF_VALUE_NULL);
    assert_place(sf_value_get(root, "a"), 1, 1);
    g_assert_null(sf_value_text(sf_value_get(root, "a")));
    g_assert_cmpint(sf_value_kind(sf_value_get(root, "b")), ==, SF_VALUE_NULL);
    assert_place(sf_value_get(root, "b"), 2, 4);
    g_assert_cmpint(sf_value_kind(sf_value_get(root, "c")), ==, SF_VALUE_NULL);
    g_assert_cmpstr(sf_value_text(sf_value_get(root, "d")), ==, "");
    g_assert_cmpstr(sf_value_text(sf_value_get(root, "e")), ==, "null");
}

static void empty_file_is_null(void)
{
    g_autoptr(Document) document = good("");
    g_assert_cmpint(sf_value_kind(document_root(document)), ==, SF_VALUE_NULL);
    assert_place(document_root(document), 1, 1);
}

static void scalars_stay_text(void)
{
    g_autoptr(Document) document = good("[yes, 010, 1e3, 2024-01-15, 0x1F, .inf, '']");
    static const char *const texts[] = {"yes", "010", "1e3", "2024-01-15", "0x1F", ".inf", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpstr(sf_value_text(sf_value_at(document_root(document), i)), ==, texts[i]);
}

static void accessors_answer_for_what_is_not_there(void)
{
    g_autoptr(Document) document = good("a: [1]\n");
    const SfValue *root = document_root(document);
    const SfValue *list = sf_value_get(root, "a");
    g_assert_null(sf_value_get(root, "b"));
    g_assert_null(sf_value_get(list, "a"));
    g_assert_null(sf_value_at(root, 1));
    g_assert_null(sf_value_key(root, 1));
    g_assert_null(sf_value_key(list, 0));
    g_assert_null(sf_value_text(list));
    g_assert_cmpuint(sf_value_size(sf_value_at(list, 0)), ==, 0);
    g_assert_null(sf_value_at(sf_value_at(list, 0), 0));
}

static void alias_is_the_node_of_its_anchor(void)
{
    g_autoptr(Document) document = good("a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n");
    const SfValue *root = document_root(document);
    g_assert_true(sf_value_get(root, "a") == sf_value_get(root, "b"));
    g_assert_cmpstr(sf_value_text(sf_value_get(root, "d")), ==, "2");
}

static void merge_adds_what_is_not_there(void)
{
    g_autoptr(Document) document =
        good("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 3}\nq: {\"<<\": 4}\n");
    const SfValue *map = sf_value_get(document_root(document), "z");
    g_assert_cmpuint(sf_value_size(map), ==, 3);
    g_assert_cmpstr(sf_value_text(sf_value_get(map, "a")), ==, "3");
    g_assert_cmpstr(sf_value_text(sf_value_get(map, "b")), ==, "1");
    g_assert_cmpstr(sf_value_text(sf_value_get(map, "c")), ==, "2");
    map = sf_value_get(document_root(document), "q");
    g_assert_cmpstr(sf_value_text(sf_value_get(map, "<<")), ==, "4");
}

static void environment_is_replaced_in_values_not_in_keys(void)
{
    g_setenv("SF_T", "value", TRUE);
    g_setenv("SF_EMPTY", "", TRUE);
    g_unsetenv("SF_UNSET");
    g_autoptr(Document) document =
        good("${SF_T}: ${SF_T}\na: x${SF_T}y${SF_T}\nb: \"${SF_UNSET:-d:-e}\"\nc: ${SF_EMPTY:-d}\nd: '${SF_EMPTY}'\n"
             "e: ${SF_EMPTY}\nf: $${SF_T} $SF_T $\ng: ${SF_UNSET:-${SF_UNSET:-${SF_T}}!}\nh: ${SF_UNSET:-}\n"
             "i: |\n  ${SF_T}\n  $${SF_T}\n");
    const SfValue *root = document_root(document);
    static const char *const wanted[][2] = {
        {"${SF_T}", "value"}, {"a", "xvalueyvalue"},     {"b", "d:-e"}, {"c", "d"}, {"d", ""}, {"f", "${SF_T} $SF_T $"},
        {"g", "value!"},      {"i", "value\n${SF_T}\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpstr(sf_value_text(sf_value_get(root, wanted[i][0])), ==, wanted[i][1]);
    g_assert_cmpint(sf_value_kind(sf_value_get(root, "e")), ==, SF_VALUE_NULL);
    g_assert_cmpint(sf_value_kind(sf_value_get(root, "h")), ==, SF_VALUE_NULL);
}

static void environment_that_is_no_text_is_refused(void)
{
    g_setenv("SF_BAD", "a\xFF", TRUE);
    g_autofree char *said = wrong("a: x ${SF_BAD}\n", 14);
    g_assert_cmpstr(said, ==, "t.yaml:1:6: environment variable 'SF_BAD' is not valid UTF-8");
}

static void environment_references_end(void)
{
    GString *text = g_string_new("a: ");
    for (int i = 0; i < 20; i++)
        g_string_append(text, "${SF_UNSET:-");
    for (int i = 0; i < 20; i++)
        g_string_append(text, "}");
    g_autofree char *said = wrong(text->str, text->len);
    g_assert_true(g_str_has_suffix(said, "environment references are nested more than 8 deep"));
    g_string_free(text, TRUE);
}

/* A few hundred bytes of file and environment must not become gigabytes. */
static void environment_replaced_in_many_places_is_refused(void)
{
    g_autofree char *big = g_strnfill(100000, 'x');
    g_setenv("SF_BIG", big, TRUE);
    GString *text = g_string_new("a:\n");
    for (int i = 0; i < 60000; i++)
        g_string_append(text, "- ${SF_BIG}\n");
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Document) document = yaml_load_text(text->str, text->len, "t.yaml", diagnostics);
    g_assert_cmpuint(diagnostics->errors->len, ==, 1);
    g_autofree char *said = diagnostics_text(diagnostics);
    g_assert_cmpstr(said, ==, "t.yaml:43:3: with environment references replaced, the file has more than 4 MiB");
    g_unsetenv("SF_BIG");
    g_string_free(text, TRUE);
}

static void all_errors_but_syntax_are_collected(void)
{
    static const char text[] = "a: ${SF_UNSET}\na: 1\nb: *nobody\nc: !tag x\n? [k]\n: v\n";
    g_autofree char *said = wrong(text, strlen(text));
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 5);
}

static void syntax_error_has_problem_and_context(void)
{
    static const char text[] = "a: [1,\n  2\nb: 3\n";
    g_autofree char *said = wrong(text, strlen(text));
    g_assert_cmpstr(said, ==,
                    "t.yaml:3:2: did not find expected ',' or ']', while parsing a flow sequence that starts at 1:4");
}

static void nul_byte_has_a_place(void)
{
    static const char text[] = "a: 1\nb: x\0y\n";
    g_autofree char *said = wrong(text, sizeof text - 1);
    g_assert_cmpstr(said, ==, "t.yaml:2:5: control characters are not allowed (character U+0000)");
}

static void invalid_bytes_have_a_place(void)
{
    static const char text[] = "# ä\r\nü: \xC3\x28\n";
    g_autofree char *said = wrong(text, sizeof text - 1);
    g_assert_cmpstr(said, ==, "t.yaml:2:4: byte 0xC3 is not valid UTF-8; save the file as UTF-8");
}

static char *nested(int levels)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < levels; i++)
        g_string_append_c(text, '[');
    for (int i = 0; i < levels; i++)
        g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void nesting_ends_at_64(void)
{
    g_autofree char *fits = nested(64);
    g_autofree char *deep = nested(65);
    g_autofree char *very_deep = nested(100000);
    g_autoptr(Document) document = good(fits);
    g_assert_nonnull(document);
    g_autofree char *said = wrong(deep, strlen(deep));
    g_assert_cmpstr(said, ==, "t.yaml:1:65: nested more than 64 levels deep");
    g_autofree char *said_too = wrong(very_deep, strlen(very_deep));
    g_assert_cmpstr(said_too, ==, said);
}

static void aliases_count_for_nesting(void)
{
    GString *text = g_string_new("a0: &a0 [x]\n");
    for (int i = 1; i < 70; i++)
        g_string_append_printf(text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    g_autofree char *said = wrong(text->str, text->len);
    g_assert_true(g_str_has_suffix(said, "nested more than 64 levels deep by aliases"));
    g_string_free(text, TRUE);
}

static void messages_are_sorted_by_place_and_stable(void)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    const SfValue ten = {.file = "a.yaml", .line = 10, .column = 1}, nine = {.file = "a.yaml", .line = 9, .column = 2};
    diagnostics_add(diagnostics, &ten, "x");
    diagnostics_add(diagnostics, &nine, "b: 1:1: c");
    diagnostics_add(diagnostics, &nine, "a");
    diagnostics_add(diagnostics, NULL, "no place");
    diagnostics_sort(diagnostics);
    g_autofree char *sorted = diagnostics_text(diagnostics);
    g_assert_cmpstr(sorted, ==, "no place\na.yaml:9:2: b: 1:1: c\na.yaml:9:2: a\na.yaml:10:1: x");
}

/* What a mistake is about stands by itself: nobody takes a message apart. */
static void mistake_has_its_parts(void)
{
    static const struct {
        const char *option, *text, *cause;
    } cases[] = {
        {"rate", "option 'rate': 'x' is not a number", "'x' is not a number"},
        {"key", "key: there is no column 'x'", "there is no column 'x'"},
        {"key", "keys: there is none", "keys: there is none"},
        {"rate", "option 'rate' has no value", "option 'rate' has no value"},
        {"a: b", "option 'a: b': c: d", "c: d"},
        {NULL, "option 'rate': no", "option 'rate': no"},
    };
    const SfValue place = {.file = "a.yaml", .line = 3, .column = 7};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Diagnostics) diagnostics = diagnostics_new();
        diagnostics_step(diagnostics, "events");
        diagnostics_add_option(diagnostics, &place, cases[i].option, "%s", cases[i].text);
        const Diagnostic *one = g_ptr_array_index(diagnostics->errors, 0);
        g_assert_cmpstr(one->file, ==, "a.yaml");
        g_assert_cmpint(one->line, ==, 3);
        g_assert_cmpint(one->column, ==, 7);
        g_assert_cmpstr(one->step, ==, "events");
        g_assert_cmpstr(one->option, ==, cases[i].option);
        g_assert_cmpstr(diagnostic_cause(one), ==, cases[i].cause);
        g_autofree char *line = diagnostic_line(one, "warning: ");
        g_autofree char *wanted = g_strdup_printf("a.yaml:3:7: warning: step 'events': %s", cases[i].text);
        g_assert_cmpstr(line, ==, wanted);
    }
}

static void message_splits_into_its_place(void)
{
    int line, column;
    g_autofree char *file = NULL;
    g_assert_cmpstr(diagnostic_split("dir/a:1.yaml:14:9: it: 1:2: x", &file, &line, &column), ==, "it: 1:2: x");
    g_assert_cmpstr(file, ==, "dir/a:1.yaml");
    g_assert_cmpint(line, ==, 14);
    g_assert_cmpint(column, ==, 9);
    g_autofree char *none = NULL;
    g_assert_cmpstr(diagnostic_split("cannot: 1:2: x", &none, &line, &column), ==, "cannot: 1:2: x");
    g_assert_null(none);
}

static void file_that_cannot_be_read_is_an_error(void)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_assert_null(yaml_load_file("/nowhere/p.yaml", diagnostics));
    g_assert_null(yaml_load_file("/dev/zero", diagnostics));
    g_assert_null(yaml_load_file("/", diagnostics));
    g_autofree char *said = diagnostics_text(diagnostics);
    g_assert_cmpstr(said, ==,
                    "/nowhere/p.yaml: cannot read the file: No such file or directory\n"
                    "/dev/zero: cannot read the file: larger than 4 MiB\n"
                    "/: cannot read the file: Is a directory");
}

static void value_fail_prefixes_the_place(void)
{
    SfError err;
    g_autoptr(Document) document = good("a: 1\n");
    const SfValue *value = sf_value_get(document_root(document), "a");
    g_assert_cmpint(sf_value_fail(value, &err, "no %s", "good"), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, "t.yaml:1:4: no good");
    g_assert_cmpint(sf_value_fail(NULL, &err, "no place"), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, "no place");
    g_assert_cmpint(sf_value_fail(value, NULL, "nobody listens"), ==, SF_CONFIG);
}

static void suggest(const char *word, const char *wanted)
{
    static const char *const words[] = {"flush.size", "rotate.interval.ms", "url", "from", "s3-bronze-sink", "topics"};
    char out[64];
    g_assert_cmpstr(sf_suggest(word, words, G_N_ELEMENTS(words), out, sizeof out), ==, wanted);
}

static void nearest_word_is_suggested(void)
{
    suggest("flush_size", "; did you mean 'flush.size'?");
    suggest("flsuh.size", "; did you mean 'flush.size'?");
    suggest("URL", "; did you mean 'url'?");
    suggest("rul", "; did you mean 'url'?");
    suggest("form", "; did you mean 'from'?");
    suggest("s3-bronze", "; did you mean 's3-bronze-sink'?");
    suggest("topic", "; did you mean 'topics'?");
    suggest("xyz", "");
    suggest("", "");
    suggest("a word that is far longer than any name that could ever be meant by it, and then some", "");
}

static void suggestion_is_cut_to_its_buffer(void)
{
    static const char *const words[] = {"topics"};
    char out[10];
    g_assert_cmpstr(sf_suggest("topic", words, 1, out, sizeof out), ==, "; did you");
    g_assert_cmpstr(sf_suggest("nothing", words, 0, out, sizeof out), ==, "");
}

/* A file that is nothing but mistakes is not read to its end, and the rest of them not told. */
static void errors_have_an_end(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(text, "k: 1\n");
    g_autofree char *messages = wrong(text->str, text->len);
    g_auto(GStrv) lines = g_strsplit(messages, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1001);
    g_assert_cmpstr(lines[0], ==, "t.yaml:2:1: 'k' is there twice; the first is on line 1");
    g_assert_cmpstr(lines[1000], ==, "more than 1000 errors; the others are not shown");
}

/* What JSON's writers make of a character beyond U+FFFF; libyaml takes it for two halves of none. */
static void pairs_of_escapes_are_one_character(void)
{
    g_autoptr(Document) document = good(
        "{\"a\": \"x\\ud83d\\ude01\\uD83D\\uDE01 \\\\ud83d\", \"b\": 1,\n \"c\\ud83d\\ude01\": '\\ud83d\\ude01'}\n");
    const SfValue *root = document_root(document);
    g_assert_cmpstr(sf_value_text(sf_value_get(root, "a")), ==, "x😁😁 \\ud83d");
    assert_place(sf_value_get(root, "b"), 1, 49);
    g_assert_cmpstr(sf_value_text(sf_value_get(root, "c😁")), ==, "\\ud83d\\ude01");
    g_autoptr(Document) ends = good("{\"a\": \"\\ud800\\udc00\", \"b\": \"\\udbff\\udfff\"}\n");
    g_assert_cmpstr(sf_value_text(sf_value_get(document_root(ends), "a")), ==, "\xF0\x90\x80\x80");
    g_assert_cmpstr(sf_value_text(sf_value_get(document_root(ends), "b")), ==, "\xF4\x8F\xBF\xBF");
    static const char *const halves[] = {"a: \"\\ud83d\"", "a: \"\\ud83dx\\ude01\"", "a: \"\\ude01\\ud83d\""};
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        g_autofree char *message = wrong(halves[i], strlen(halves[i]));
        g_assert_nonnull(strstr(message, "found invalid Unicode character escape code"));
    }
}

static void encodings_have_their_names(void)
{
    static const struct {
        const char *bytes;
        gsize size;
        const char *name;
    } cases[] = {
        {"\xFF\xFE\0\0a\0\0\0:\0\0\0", 12, "UTF-32"},
        {"\0\0\xFE\xFF\0\0\0a", 8, "UTF-32"},
        {"a\0\0\0:\0\0\0", 8, "UTF-32"},
        {"\0\0\0a\0\0\0:", 8, "UTF-32"},
        {"\xFF\xFE"
         "a\0:\0",
         6, "UTF-16"},
        {"a\0:\0 \0"
         "1\0",
         8, "UTF-16"},
        {"\0a\0:", 4, "UTF-16"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = wrong(cases[i].bytes, cases[i].size);
        g_autofree char *expected = g_strdup_printf("t.yaml:1:1: the file is %s; save it as UTF-8", cases[i].name);
        g_assert_cmpstr(message, ==, expected);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/yaml/pairs of escapes are one character", pairs_of_escapes_are_one_character);
    g_test_add_func("/yaml/encodings have their names", encodings_have_their_names);
    g_test_add_func("/yaml/places_of_nodes", places_of_nodes);
    g_test_add_func("/yaml/columns_count_characters_not_bytes", columns_count_characters_not_bytes);
    g_test_add_func("/yaml/byte_order_mark_and_crlf_count_nothing", byte_order_mark_and_crlf_count_nothing);
    g_test_add_func("/yaml/empty_value_is_null_at_its_key", empty_value_is_null_at_its_key);
    g_test_add_func("/yaml/empty_file_is_null", empty_file_is_null);
    g_test_add_func("/yaml/scalars_stay_text", scalars_stay_text);
    g_test_add_func("/yaml/accessors_answer_for_what_is_not_there", accessors_answer_for_what_is_not_there);
    g_test_add_func("/yaml/alias_is_the_node_of_its_anchor", alias_is_the_node_of_its_anchor);
    g_test_add_func("/yaml/merge_adds_what_is_not_there", merge_adds_what_is_not_there);
    g_test_add_func("/yaml/environment_is_replaced_in_values_not_in_keys",
                    environment_is_replaced_in_values_not_in_keys);
    g_test_add_func("/yaml/environment_that_is_no_text_is_refused", environment_that_is_no_text_is_refused);
    g_test_add_func("/yaml/environment_references_end", environment_references_end);
    g_test_add_func("/yaml/environment_replaced_in_many_places_is_refused",
                    environment_replaced_in_many_places_is_refused);
    g_test_add_func("/yaml/all_errors_but_syntax_are_collected", all_errors_but_syntax_are_collected);
    g_test_add_func("/yaml/syntax_error_has_problem_and_context", syntax_error_has_problem_and_context);
    g_test_add_func("/yaml/nul_byte_has_a_place", nul_byte_has_a_place);
    g_test_add_func("/yaml/invalid_bytes_have_a_place", invalid_bytes_have_a_place);
    g_test_add_func("/yaml/nesting_ends_at_64", nesting_ends_at_64);
    g_test_add_func("/yaml/aliases_count_for_nesting", aliases_count_for_nesting);
    g_test_add_func("/yaml/messages_are_sorted_by_place_and_stable", messages_are_sorted_by_place_and_stable);
    g_test_add_func("/yaml/message_splits_into_its_place", message_splits_into_its_place);
    g_test_add_func("/yaml/mistake_has_its_parts", mistake_has_its_parts);
    g_test_add_func("/yaml/file_that_cannot_be_read_is_an_error", file_that_cannot_be_read_is_an_error);
    g_test_add_func("/yaml/value_fail_prefixes_the_place", value_fail_prefixes_the_place);
    g_test_add_func("/yaml/nearest_word_is_suggested", nearest_word_is_suggested);
    g_test_add_func("/yaml/suggestion_is_cut_to_its_buffer", suggestion_is_cut_to_its_buffer);
    g_test_add_func("/yaml/errors have an end", errors_have_an_end);
    return g_test_run();
}
