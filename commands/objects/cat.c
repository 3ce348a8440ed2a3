/* `sfrun cat`: objects on standard output, unpacked, piece by piece. */
#include "store/glob.h"
#include "place.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/printable.h"
#include "runtime/process.h"
#include "runtime/runtime.h"
#include "unpack.h"

#define PAGE 5000 /* a local directory is walked anew for each */
#define PIECE (INT64_C(4) << 20)
#define LINE_MAX_SHOWN (64 << 10) /* on a terminal: what is longer is shown in parts */

typedef struct Options {
    bool raw;
    gint64 head;
    PlaceOptions place;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG(
        'n', "N",
        SF_OPTION_INT(Options, head, .value = "0", .min = "0", .doc = "Only the first N lines of all; 0: all lines.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, raw, .doc = "The bytes as they are stored: gzip and zstd stay packed.")),
    PLACE_FLAGS(Options, place), CLI_FLAGS_END};

static const CliPage page = {
    .name = "cat",
    .arguments = "URL…",
    .summary = "Print objects of S3 and files, unpacked",
    .text =
        "URL is s3://bucket/key, file:///file or a path; with --from also STEP/KEY. Patterns in quotes ('*', '?', "
        "'[a-z]' within a name, '**' over folders) print what matches, in the order of names. What is packed by gzip "
        "or zstd, which its first bytes tell, is unpacked. On a terminal, control characters are shown as \\x1b.",
    .flags = flags,
    .examples =
        "sfrun cat s3://raw-bucket/sales_data/sales_events/year=2024/month=01/day=15/sales_events+0+0000000000.json\n"
        "sfrun cat --from pipelines/sales.yaml 'bronze/**/*.json' --head 5\n"
        "sfrun cat 'demo/raw-bucket/**/*.json' | wc -l",
    .least = 1,
    .most = -1};

/* What goes to standard output. */
typedef struct Output {
    bool terminal;
    gint64 lines_left; /* negative: any number */
    GString *line;     /* of a terminal: not yet ended */
} Output;

static void print_line(Output *output)
{
    g_autofree char *text = printable_bytes(output->line->str, output->line->len, "\n\t", "\\x");
    fputs(text, stdout);
    g_string_truncate(output->line, 0);
}

static void print_terminal(Output *output, const char *data, size_t size)
{
    for (const char *at = data, *end = data + size; at < end;) {
        const char *newline = memchr(at, '\n', (size_t) (end - at));
        const char *stop = newline ? newline + 1 : end;
        g_string_append_len(output->line, at, stop - at);
        if (newline || output->line->len > LINE_MAX_SHOWN)
            print_line(output);
        at = stop;
    }
}

/* The size of what is still wanted of these bytes. */
static size_t count_lines(Output *output, const char *data, size_t size)
{
    if (output->lines_left < 0)
        return size;
    const char *at = data;
    while (output->lines_left > 0 && at < data + size) {
        const char *newline = memchr(at, '\n', size - (size_t) (at - data));
        at = newline ? newline + 1 : data + size;
        output->lines_left -= newline != NULL;
    }
    return (size_t) (at - data);
}

static bool print_bytes(gpointer user, const char *data, size_t size)
{
    Output *output = user;
    size = count_lines(output, data, size);
    if (output->terminal)
        print_terminal(output, data, size);
    else
        fwrite(data, 1, size, stdout);
    return output->lines_left != 0 && !ferror(stdout);
}

/* SF_END: nobody wants more. */
static SfStatus print_pieces(Store *store, const char *key, Unpack *unpack, SfError *err)
{
    int64_t whole = 0, at = 0;
    SF_TRY(store_stat(store, key, &whole, err));
    while (at < whole) {
        g_autoptr(GBytes) piece = NULL;
        SF_TRY(store_read(store, key, at, MIN(PIECE, whole - at), &piece, err));
        gsize size;
        const char *data = g_bytes_get_data(piece, &size);
        if (size == 0)
            return sf_fail(err, SF_FATAL, "it became shorter while it was read");
        SF_TRY(unpack_add(unpack, data, size, err));
        at += (int64_t) size;
    }
    return unpack_end(unpack, err);
}

static SfStatus print_object(const Options *options, Output *output, const Place *place, const char *key, SfError *err)
{
    g_autoptr(Unpack) unpack = unpack_new(options->raw, print_bytes, output);
    SfStatus status = print_pieces(place->store, key, unpack, err);
    if (output->terminal && output->line->len > 0)
        print_line(output);
    g_autofree char *name = place_name(place, key);
    return status == SF_FATAL ? sf_fail_prefix(err, status, "'%s'", name) : status;
}

static SfStatus cat_found_nothing(const Place *place, const char *word, SfError *err)
{
    g_autoptr(GPtrArray) below = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_autofree char *folder =
        g_strconcat(place->rest, *place->rest && !g_str_has_suffix(place->rest, "/") ? "/" : "", NULL);
    SF_TRY(store_list(place->store, folder, NULL, 1, below, err));
    if (below->len > 0)
        return sf_fail(err, SF_EMPTY, "'%s' is a folder; write '%s%s**' for all objects in it", word, word,
                       g_str_has_suffix(word, "/") ? "" : "/");
    return sf_fail(err, SF_EMPTY, "there is no object '%s'; `sfrun ls '%s'` shows what is there", word, place->root);
}

static SfStatus print_matches(const Options *options, Output *output, const Place *place, const char *word,
                              SfError *err)
{
    g_autofree char *prefix = glob_prefix(place->rest), *after = NULL;
    guint64 matches = 0;
    for (bool more = true; more;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(place->store, prefix, after, PAGE, entries, err));
        for (guint i = 0; i < entries->len; i++) {
            const char *key = ((const StoreEntry *) entries->pdata[i])->key;
            if (!glob_matches(place->rest, key))
                continue;
            matches++;
            SF_TRY(print_object(options, output, place, key, err));
        }
        more = entries->len == PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key) : NULL;
    }
    if (matches > 0)
        return SF_OK;
    return sf_fail(err, SF_EMPTY, "no object matches '%s'; `sfrun ls -r '%s'` shows those that there are", word,
                   place->root);
}

static SfStatus print_word(const Options *options, Output *output, const Place *place, const char *word, SfError *err)
{
    if (glob_is_pattern(place->rest))
        return print_matches(options, output, place, word, err);
    bool object = *place->rest && !g_str_has_suffix(place->rest, "/");
    SfStatus status = object ? print_object(options, output, place, place->rest, err) : SF_EMPTY;
    return status == SF_EMPTY ? cat_found_nothing(place, word, err) : status;
}

/* -1: go on with the next. */
static int cat_word(const Options *options, Output *output, const char *word)
{
    SfError err = {""};
    g_auto(Place) place = {0};
    int status = place_open(&page, &options->place, word, false, &place);
    if (status >= 0)
        return status;
    SfStatus done = print_word(options, output, &place, word, &err);
    if (done == SF_END)
        return EXIT_OK;
    return done == SF_OK ? -1 : place_failed(&page, &err);
}

int main(int argc, char **argv)
{
    process_begin();
    g_auto(CliLine) line = {0};
    Options options = {0};
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.place, &line);
    g_autoptr(GString) text = g_string_new(NULL);
    Output output = {
        .terminal = isatty(STDOUT_FILENO), .lines_left = options.head > 0 ? options.head : -1, .line = text};
    for (int i = 0; status < 0 && i < line.n_words; i++)
        status = cat_word(&options, &output, line.words[i]);
    place_options_done(&options.place);
    return cli_finish(MAX(status, EXIT_OK));
}
