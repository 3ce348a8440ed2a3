/* See place.h. */
#include "place.h"

#include "config/secret.h"
#include "config/yaml.h"
#include "data/printable.h"
#include "store/glob.h"
#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

#define STEP_MAX 100 /* characters of a step's name */

int place_failed(const CliPage *page, const SfError *err)
{
    g_autofree char *text = message_line(err->message);
    fprintf(stderr, "sfrun %s: %s\n", page->name, text);
    return EXIT_FAILED;
}

/* ---- --from ----------------------------------------------------------------------------------------------------- */

/* The map of the file's steps, or NULL after a complaint. */
static const SfValue *steps_of(const CliPage *page, const char *file, Document **document)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autofree char *text = NULL;
    gsize size = 0;
    if (!g_file_get_contents(file, &text, &size, &error)) {
        cli_fail(page, "--from: %s", error->message);
        return NULL;
    }
    *document = yaml_load_text(text, size, file, diagnostics);
    if (!*document || diagnostics_any(diagnostics)) {
        g_autofree char *said = diagnostics_text(diagnostics);
        fprintf(stderr, "%s\n", said);
        return NULL;
    }
    const SfValue *steps = sf_value_get(document_root(*document), "steps");
    if (!steps)
        cli_fail(page, "--from: '%s' is not a pipeline: it has no 'steps'", file);
    return steps;
}

/* The step that the word begins with, and what is behind its name. */
static const SfValue *step_of(const SfValue *steps, const char *word, const char **rest)
{
    size_t size = strcspn(word, "/");
    g_autofree char *name = g_strndup(word, size);
    const SfValue *step = sf_value_get(steps, name);
    *rest = word[size] ? word + size + 1 : "";
    return step && sf_value_get(step, "url") ? step : NULL;
}

/* What the step says of its store, as flags. */
static void add_flags(const CliPage *page, const SfValue *step, GPtrArray *flags)
{
    for (const CliFlag *flag = page->flags; flag->option.field; flag++) {
        g_autofree char *name = g_strdelimit(cli_flag_name(flag), "-", '_');
        const SfValue *value = sf_value_get(step, name);
        const char *text = value ? sf_value_text(value) : NULL;
        g_strdelimit(name, "_", '-');
        if (text)
            g_ptr_array_add(flags, g_strdup_printf("--%s=%s", name, text));
    }
}

static void complain_of_word(const CliPage *page, const char *file, const SfValue *steps, const char *word)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < sf_value_size(steps); i++) {
        if (sf_value_get(sf_value_at(steps, i), "url"))
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", sf_value_text(sf_value_key(steps, i)));
    }
    g_autofree char *name = g_strndup(word, MIN(strcspn(word, "/"), STEP_MAX));
    cli_fail(page, "'%s' has no step '%s' with a url; those that have one: %s", file, name,
             names->len ? names->str : "none");
}

/* Words become the steps' URLs; their connections become flags. -1, or the exit status after a complaint. */
static int replace_words(const CliPage *page, PlaceOptions *options, const CliLine *line, GPtrArray *words,
                         GPtrArray *flags)
{
    g_autoptr(Document) document = NULL;
    const SfValue *steps = steps_of(page, options->from, &document);
    for (int i = 0; steps && i < line->n_words; i++) {
        const char *rest, *word = line->words[i];
        const SfValue *step = step_of(steps, word, &rest);
        if (!step && !strstr(word, "://") && word[0] != '/') {
            complain_of_word(page, options->from, steps, word);
            return EXIT_CONFIG;
        }
        const char *url = step ? sf_value_text(sf_value_get(step, "url")) : word;
        bool slash = step && *rest && url && !g_str_has_suffix(url, "/");
        g_ptr_array_add(words, g_strconcat(url ? url : "", slash ? "/" : "", step ? rest : "", NULL));
        g_ptr_array_add(options->texts, words->pdata[i]);
        if (step)
            add_flags(page, step, flags);
    }
    return steps ? -1 : EXIT_CONFIG;
}

/* Once more, with the steps' flags before those of the command line, which overrule them. */
static int parse_with_steps(const CliPage *page, int argc, char **argv, gpointer all, PlaceOptions *options,
                            CliLine *line)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new(), flags = g_ptr_array_new(), args = g_ptr_array_new();
    options->texts = g_ptr_array_new_with_free_func(g_free);
    int status = replace_words(page, options, line, words, flags);
    g_ptr_array_add(args, argv[0]);
    for (guint i = 0; i < flags->len; i++) {
        g_ptr_array_add(options->texts, flags->pdata[i]);
        g_ptr_array_add(args, flags->pdata[i]);
    }
    for (int i = 1; i < argc; i++)
        g_ptr_array_add(args, argv[i]);
    g_ptr_array_add(args, NULL);
    if (status >= 0)
        return status;
    cli_line_done(line);
    status = cli_parse(page, (int) args->len - 1, (char **) args->pdata, all, line);
    for (guint i = 0; status < 0 && i < words->len; i++)
        line->words[i] = words->pdata[i];
    return status;
}

/* ---- secrets ---------------------------------------------------------------------------------------------------- */

static int resolve(const CliPage *page, const char *flag, const char **field, GPtrArray *secrets)
{
    if (!*field)
        return -1;
    g_autofree char *problem = NULL;
    char *secret = secret_resolve(*field, false, &problem);
    if (!secret)
        return cli_fail(page, "--%s: %s", flag, problem);
    g_ptr_array_add(secrets, secret);
    *field = secret;
    return -1;
}

static int resolve_secrets(const CliPage *page, PlaceOptions *options)
{
    options->secrets = g_ptr_array_new_with_free_func(secret_free);
    int status = resolve(page, "secret-access-key", &options->store.secret_access_key, options->secrets);
    return status < 0 ? resolve(page, "session-token", &options->store.session_token, options->secrets) : status;
}

int place_parse(const CliPage *page, int argc, char **argv, gpointer all, PlaceOptions *options, CliLine *line)
{
    int status = cli_parse(page, argc, argv, all, line);
    if (status < 0 && options->from)
        status = parse_with_steps(page, argc, argv, all, options, line);
    options->store.connections = 8;
    options->store.part_size = INT64_C(5) << 20;
    options->store.request_ms = 300000;
    return status < 0 ? resolve_secrets(page, options) : status;
}

void place_options_done(PlaceOptions *options)
{
    g_clear_pointer(&options->texts, g_ptr_array_unref);
    g_clear_pointer(&options->secrets, g_ptr_array_unref);
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* "file:///a%20b" and "a b" are paths; the result is absolute. NULL: it is another kind of URL. */
static char *path_of(const char *word)
{
    if (g_str_has_prefix(word, "file://localhost/"))
        return g_uri_unescape_string(word + strlen("file://localhost"), NULL);
    if (g_str_has_prefix(word, "file:///"))
        return g_uri_unescape_string(word + strlen("file://"), NULL);
    if (strstr(word, "://"))
        return NULL;
    g_autofree char *here = g_get_current_dir();
    bool folder = g_str_has_suffix(word, "/");
    g_autofree char *path = g_canonicalize_filename(word, here);
    return g_strconcat(path, folder && strlen(path) > 1 ? "/" : "", NULL);
}

/* Where the part of the text ends that names the store's place: at the last '/' before a pattern or the last name. */
static size_t size_of_root(const char *text, bool whole)
{
    const char *authority = strstr(text, "://");
    size_t least = authority ? (size_t) (authority - text) + 3 + strcspn(authority + 3, "/") : 1;
    size_t size = strlen(text);
    if (whole || size <= least)
        return size;
    g_autofree char *plain = glob_prefix(text + least);
    const char *slash = strrchr(plain, '/');
    return slash && slash > plain ? least + (size_t) (slash - plain) : least;
}

int place_open(const CliPage *page, const PlaceOptions *options, const char *word, bool whole, Place *out)
{
    SfError err = {""};
    g_autofree char *path = path_of(word);
    const char *text = path ? path : word;
    bool folder = path && g_file_test(path, G_FILE_TEST_IS_DIR);
    bool other = !path && !g_str_has_prefix(word, "s3://") && !g_str_has_prefix(word, "s3a://");
    size_t size = size_of_root(text, whole || folder || other);
    out->options = options->store;
    out->root = g_strndup(text, size);
    out->rest = g_strdup(text + size + (text[size] == '/'));
    /* as it was written, as far as both are the same */
    size_t rest = strlen(out->rest), written = strlen(word);
    out->shown = g_strndup(word, written < rest ? written : written - rest);
    out->options.url = out->root;
    out->store = store_new(NULL, &out->options, &err);
    if (out->store)
        return -1;
    place_failed(page, &err);
    return EXIT_CONFIG;
}

void place_done(Place *place)
{
    store_free(place->store);
    g_free(place->root);
    g_free(place->shown);
    g_free(place->rest);
    *place = (Place){0};
}

char *place_name(const Place *place, const char *key)
{
    bool slash = *place->shown && !g_str_has_suffix(place->shown, "/");
    g_autofree char *name = g_strconcat(place->shown, slash ? "/" : "", key, NULL);
    return printable(name, "");
}

char *place_size(gint64 bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double) bytes;
    guint unit = 0;
    for (; size >= 1024 && unit + 1 < G_N_ELEMENTS(units); unit++)
        size /= 1024;
    return g_strdup_printf(unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}
