/* `sfrun ls`: what lies in a bucket or below a directory, page by page: memory does not grow with what there is. */
#include "store/glob.h"
#include "place.h"

#include <stdio.h>
#include <string.h>

#include "data/printable.h"
#include "json/value.h"
#include "runtime/process.h"
#include "runtime/runtime.h"

#define PAGE 5000 /* a local directory is walked anew for each */
#define TIME_SIZE 24

typedef struct Options {
    bool recursive;
    bool all; /* of what each object is */
    bool json;
    PlaceOptions place;
} Options;

static const CliFlag flags[] = {
    CLI_FLAG('r', NULL, SF_OPTION_BOOL(Options, recursive, .doc = "All levels below, not folders.")),
    CLI_FLAG('l', NULL, SF_OPTION_BOOL(Options, all, .name = "long", .doc = "With sizes and times, and their sum.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(Options, json, .doc = "Print JSON, one object a line: name, url, size, modified.")),
    PLACE_FLAGS(Options, place), CLI_FLAGS_END};

static const CliPage page = {
    .name = "ls",
    .arguments = "URL…",
    .summary = "List objects of S3 and of local directories",
    .text =
        "URL is s3://bucket/prefix, file:///directory or a path; with --from also the name of a step. A folder shows "
        "what is in it, an object itself, a pattern in quotes what matches: '*', '?' and '[a-z]' within a name, '**' "
        "over folders. Names with '/' behind them are folders. Control characters of names are shown as \\x1b; "
        "--json has the names as they are. Times are UTC.\n\nWhere there is nothing, it says so and ends with "
        "status 1; a bucket or directory that is there and empty is fine.",
    .flags = flags,
    .examples = "sfrun ls s3://raw-bucket/sales_data\nsfrun ls -rl demo/raw-bucket\n"
                "sfrun ls --from pipelines/sales.yaml -r bronze/sales_events\n"
                "sfrun ls 's3://raw-bucket/sales_data/**/*.json.gz'",
    .least = 1,
    .most = -1};

/* One word of the command line at work. */
typedef struct Listing {
    const Options *options;
    Place place;
    bool pattern;
    bool named; /* among several words: names begin with the word */
    guint64 objects;
    guint64 folders;
    gint64 bytes;
} Listing;

static void write_time(gint64 ms, char *out)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
    g_strlcpy(out, text, TIME_SIZE);
}

static void append_member(GString *out, const char *member, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", member);
    json_write_text(out, valid, strlen(valid));
}

static void print_entry_json(const Listing *listing, const StoreEntry *entry, const char *name)
{
    g_autoptr(GString) out = g_string_new("{");
    g_autofree char *url = g_strconcat(store_url(listing->place.store), "/", entry->key, NULL);
    append_member(out, "name", name);
    append_member(out, "url", url);
    if (entry->size >= 0) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(entry->modified_ms / 1000);
        g_autofree char *when = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("");
        g_string_append_printf(out, ",\"size\":%" G_GINT64_FORMAT ",\"modified\":\"%s.%03dZ\"", entry->size, when,
                               (int) (entry->modified_ms % 1000));
    }
    printf("%s}\n", out->str);
}

static void print_entry(Listing *listing, const StoreEntry *entry, const char *name)
{
    g_autofree char *full = listing->named ? place_name(&listing->place, entry->key) : printable(name, "");
    if (entry->size < 0)
        listing->folders++;
    else
        listing->objects++;
    listing->bytes += MAX(entry->size, 0);
    if (listing->options->json) {
        print_entry_json(listing, entry, name);
    } else if (listing->options->all) {
        char time[TIME_SIZE] = "";
        g_autofree char *size = entry->size < 0 ? g_strdup("") : place_size(entry->size);
        if (entry->size >= 0)
            write_time(entry->modified_ms, time);
        printf("%10s  %-19s  %s\n", size, time, full);
    } else {
        puts(full);
    }
}

/* "a/b/" for a pattern "a/b/x*", so that folders of the pattern's last level are listed, not all that lies below. */
static bool only_one_level(const Listing *listing)
{
    const char *rest = listing->place.rest;
    g_autofree char *plain = glob_prefix(rest);
    if (listing->pattern)
        return !strchr(rest + strlen(plain), '/') && !strstr(rest, "**");
    return !listing->options->recursive;
}

static bool is_listed(const Listing *listing, const char *key)
{
    if (!listing->pattern)
        return true;
    g_autofree char *name = g_strndup(key, strlen(key) - g_str_has_suffix(key, "/"));
    return glob_matches(listing->place.rest, name);
}

/* Names are told below `from`. */
static SfStatus list_below(Listing *listing, const char *prefix, const char *from, SfError *err)
{
    Store *store = listing->place.store;
    bool level = only_one_level(listing);
    g_autofree char *after = NULL;
    for (bool more = true; more && !ferror(stdout);) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(level ? store_list_level(store, prefix, after, PAGE, entries, err)
                     : store_list(store, prefix, after, PAGE, entries, err));
        for (guint i = 0; i < entries->len; i++) {
            const StoreEntry *entry = entries->pdata[i];
            if (is_listed(listing, entry->key))
                print_entry(listing, entry, entry->key + strlen(from));
        }
        more = entries->len == PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key) : NULL;
        fflush(stdout);
    }
    return SF_OK;
}

/* An object of just that name, among those that begin with it. */
static SfStatus list_object(Listing *listing, const char *key, SfError *err)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    SF_TRY(store_list(listing->place.store, key, NULL, 1, entries, err));
    if (entries->len > 0 && g_str_equal(((const StoreEntry *) entries->pdata[0])->key, key))
        print_entry(listing, entries->pdata[0], key);
    return SF_OK;
}

static SfStatus list_all(Listing *listing, SfError *err)
{
    const char *rest = listing->place.rest;
    if (listing->pattern) {
        g_autofree char *prefix = glob_prefix(rest);
        return list_below(listing, prefix, "", err);
    }
    if (!*rest)
        return list_below(listing, "", "", err);
    bool folder = g_str_has_suffix(rest, "/");
    if (!folder)
        SF_TRY(list_object(listing, rest, err));
    g_autofree char *below = g_strconcat(rest, folder ? "" : "/", NULL);
    return list_below(listing, below, below, err);
}

static bool is_empty_place(const Listing *listing, const char *word)
{
    if (g_str_has_prefix(word, "s3://") || g_str_has_prefix(word, "s3a://"))
        return !*listing->place.rest;
    g_autofree char *path = g_build_filename(listing->place.root, listing->place.rest, NULL);
    return !listing->pattern && g_file_test(path, G_FILE_TEST_IS_DIR);
}

static int ls_found_nothing(const Listing *listing, const char *word)
{
    SfError err = {""};
    if (is_empty_place(listing, word)) {
        sf_fail(&err, SF_EMPTY, "'%s' is empty", word);
        place_failed(&page, &err);
        return EXIT_OK;
    }
    sf_fail(&err, SF_EMPTY, "there is nothing at '%s'; `sfrun ls '%s'` shows what is there", word, listing->place.root);
    return place_failed(&page, &err);
}

static void print_sum(const Listing *listing)
{
    g_autofree char *size = place_size(listing->bytes), *objects = printable_count((gint64) listing->objects);
    printf("%10s  in %s object%s", size, objects, listing->objects == 1 ? "" : "s");
    if (listing->folders > 0)
        printf(" beside %" G_GUINT64_FORMAT " folder%s", listing->folders, listing->folders == 1 ? "" : "s");
    putchar('\n');
}

static int list_word(const Options *options, const char *word, bool named)
{
    SfError err = {""};
    Listing listing = {.options = options, .named = named};
    int status = place_open(&page, &options->place, word, false, &listing.place);
    listing.pattern = status < 0 && glob_is_pattern(listing.place.rest);
    if (status < 0 && list_all(&listing, &err) != SF_OK)
        status = place_failed(&page, &err);
    else if (status < 0 && listing.objects + listing.folders == 0)
        status = ls_found_nothing(&listing, word);
    else if (status < 0 && options->all && !options->json)
        print_sum(&listing);
    place_done(&listing.place);
    return MAX(status, EXIT_OK);
}

int main(int argc, char **argv)
{
    process_begin();
    g_auto(CliLine) line = {0};
    Options options = {0};
    argv[0] = (char *) page.name;
    int worst = place_parse(&page, argc, argv, &options, &options.place, &line);
    bool go = worst < 0;
    worst = MAX(worst, EXIT_OK);
    for (int i = 0; go && i < line.n_words; i++) {
        int status = list_word(&options, line.words[i], line.n_words > 1);
        worst = MAX(worst, status);
    }
    place_options_done(&options.place);
    return cli_finish(worst);
}
