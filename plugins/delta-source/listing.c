/* The files that a version has to give: those that its commit changed, or, for a snapshot, all that are live. */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define WINDOW 4096     /* files of a snapshot that are in memory at least, and twice as many at most */
#define FILE_BYTES 1500 /* about what one takes */

void source_file_free(gpointer data)
{
    SourceFile *file = data;
    json_object_put(file->action);
    json_object_put(file->but);
    g_free(file->identity);
    g_free(file);
}

void listing_free(Listing *listing)
{
    if (!listing)
        return;
    g_ptr_array_unref(listing->files);
    delta_log_free(listing->log);
    g_free(listing->time);
    g_free(listing);
}

size_t listing_held(const Listing *listing)
{
    return listing->files->len * FILE_BYTES;
}

static Listing *listing_new(int64_t version, bool snapshot)
{
    Listing *listing = g_new0(Listing, 1);
    listing->version = version;
    listing->snapshot = snapshot;
    listing->files = g_ptr_array_new_with_free_func(source_file_free);
    return listing;
}

static int64_t listing_number(json_object *action, const char *name)
{
    json_object *number = delta_json_member(action, name, json_type_int);
    return number ? json_object_get_int64(number) : -1;
}

/* Takes what its statistics say, and lets go of them: they are most of an action. */
static SourceFile *file_new(const ListingOptions *options, json_object *action, const char *change)
{
    SourceFile *file = g_new0(SourceFile, 1);
    const char *text = delta_json_text(action, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    file->action = json_object_get(action);
    file->change = change;
    file->rows = delta_stats_rows(stats);
    file->fate = delta_file_fate(options->log, &options->columns->where, action, stats);
    json_object_object_del(action, "stats");
    json_object_object_del(action, "stats_parsed");
    json_object_object_del(action, "tags");
    return file;
}

static int64_t rows_to_give(const SourceFile *file)
{
    return file->fate == WHERE_NEVER ? 0 : MAX(file->rows, 0);
}

static void count_rows_left(Listing *listing)
{
    listing->left = 0;
    for (guint i = listing->next; i < listing->files->len; i++)
        listing->left += rows_to_give(listing->files->pdata[i]);
}

/* ---- a commit ---- */

typedef struct CommitFiles {
    GPtrArray *adds;    /* json_object *: actions that change data */
    GPtrArray *removes; /* likewise */
    GPtrArray *changes; /* cdc actions */
    int64_t time_ms;    /* -1: it does not say */
    bool metadata;
} CommitFiles;

static void put_action(gpointer action)
{
    json_object_put(action);
}

static void commit_files_done(CommitFiles *files)
{
    g_clear_pointer(&files->adds, g_ptr_array_unref);
    g_clear_pointer(&files->removes, g_ptr_array_unref);
    g_clear_pointer(&files->changes, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CommitFiles, commit_files_done)

static bool listing_changes_data(json_object *action)
{
    json_object *flag = delta_json_member(action, "dataChange", json_type_boolean);
    return !flag || json_object_get_boolean(flag);
}

static SfStatus take_action(gpointer user, json_object *line, SfError *err)
{
    CommitFiles *files = user;
    json_object *action;
    (void) err;
    if ((action = delta_json_member(line, "add", json_type_object)) && listing_changes_data(action))
        g_ptr_array_add(files->adds, json_object_get(action));
    if ((action = delta_json_member(line, "remove", json_type_object)) && listing_changes_data(action))
        g_ptr_array_add(files->removes, json_object_get(action));
    if ((action = delta_json_member(line, "cdc", json_type_object)))
        g_ptr_array_add(files->changes, json_object_get(action));
    if ((action = delta_json_member(line, "commitInfo", json_type_object))) {
        int64_t exact = listing_number(action, "inCommitTimestamp");
        files->time_ms = exact >= 0 ? exact : listing_number(action, "timestamp");
    }
    return SF_OK;
}

static SfStatus read_commit_files(const DeltaLog *log, int64_t version, CommitFiles *out, SfError *err)
{
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = NULL;
    *out = (CommitFiles){.adds = g_ptr_array_new_with_free_func(put_action),
                         .removes = g_ptr_array_new_with_free_func(put_action),
                         .changes = g_ptr_array_new_with_free_func(put_action),
                         .time_ms = -1};
    SF_TRY(store_get(log->store, key, DELTA_MAX_COMMIT, &body, err));
    gsize size;
    const char *at = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = at, .end = at + size, .line = 1};
    SfStatus status = delta_text_each(&lines, take_action, out, err);
    return status == SF_OK ? SF_OK
                           : sf_fail_prefix(err, status, "%s/%s line %zu", store_url(log->store), key, lines.line);
}

static char *time_of_ms(int64_t ms)
{
    g_autoptr(GDateTime) time = ms >= 0 ? g_date_time_new_from_unix_utc(ms / 1000) : NULL;
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
    return text ? g_strdup_printf("%s.%03d", text, (int) (ms % 1000)) : NULL;
}

static void add_all(const ListingOptions *options, Listing *listing, const GPtrArray *actions, const char *change)
{
    for (guint i = 0; i < actions->len; i++)
        g_ptr_array_add(listing->files, file_new(options, actions->pdata[i], change));
}

/* The rows of `action` that `but` deletes. */
static void add_difference(const ListingOptions *options, Listing *listing, json_object *action, json_object *but,
                           const char *change)
{
    SourceFile *file = file_new(options, action, change);
    file->but = json_object_get(but);
    g_ptr_array_add(listing->files, file);
}

/* Without files of changes, what was removed is deleted and what was added is inserted; of a file that only got another
 * deletion vector, the rows that differ (PROTOCOL.md, "Change Data Files", readers). */
static void infer_changes(const ListingOptions *options, Listing *listing, const CommitFiles *files)
{
    g_autoptr(GHashTable) removed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < files->removes->len; i++) {
        const char *path = delta_json_text(files->removes->pdata[i], "path");
        g_hash_table_replace(removed, delta_path_identity(path ? path : ""), files->removes->pdata[i]);
    }
    g_autoptr(GPtrArray) added = g_ptr_array_new();
    for (guint i = 0; i < files->adds->len; i++) {
        json_object *add = files->adds->pdata[i], *before;
        const char *path = delta_json_text(add, "path");
        g_autofree char *identity = delta_path_identity(path ? path : "");
        before = g_hash_table_lookup(removed, identity);
        g_hash_table_remove(removed, identity);
        if (before) {
            add_difference(options, listing, before, add, "delete");
            add_difference(options, listing, add, before, "insert");
        } else {
            g_ptr_array_add(added, add);
        }
    }
    for (guint i = 0; i < files->removes->len; i++) {
        const char *path = delta_json_text(files->removes->pdata[i], "path");
        g_autofree char *identity = delta_path_identity(path ? path : "");
        if (g_hash_table_lookup(removed, identity) == files->removes->pdata[i])
            g_ptr_array_add(listing->files, file_new(options, files->removes->pdata[i], "delete"));
    }
    add_all(options, listing, added, "insert");
}

static void list_changes(const ListingOptions *options, Listing *listing, const CommitFiles *files)
{
    if (files->changes->len > 0)
        add_all(options, listing, files->changes, NULL);
    else
        infer_changes(options, listing, files);
}

/* A commit that deletes or updates, where rows can only be added to what was given. */
static SfStatus meet_change(const ListingOptions *options, int64_t version, const CommitFiles *files, SfError *err)
{
    const char *url = store_url(options->log->store);
    if (options->on_change == CHANGE_STOP)
        return sf_fail(err, SF_CONFIG,
                       "%s: version %" PRId64
                       " deletes or updates rows (%u files removed, %u added), which cannot be taken back from the "
                       "sinks; 'on_change: ignore' passes over such versions, 'on_change: cdf' gives the changes of a "
                       "table that has a change data feed",
                       url, version, files->removes->len, files->adds->len);
    sf_log(options->node, SF_LOG_WARNING,
           "%s: version %" PRId64 " deletes or updates rows, and is passed over (on_change: ignore): %u files removed, "
           "%u added",
           url, version, files->removes->len, files->adds->len);
    return SF_OK;
}

SfStatus listing_of_commit(const ListingOptions *options, int64_t version, Listing **out, SfError *err)
{
    g_auto(CommitFiles) files = {0};
    g_autoptr(Listing) listing = listing_new(version, false);
    SF_TRY(read_commit_files(options->log, version, &files, err));
    listing->time = time_of_ms(files.time_ms);
    if (options->on_change == CHANGE_FEED)
        list_changes(options, listing, &files);
    else if (files.removes->len > 0)
        SF_TRY(meet_change(options, version, &files, err));
    else
        add_all(options, listing, files.adds, NULL);
    listing->n_files = listing->files->len;
    count_rows_left(listing);
    *out = g_steal_pointer(&listing);
    return SF_OK;
}

/* ---- a snapshot ---- */

/* Files by the time of modification and by their names. */
static gint by_age(gconstpointer a, gconstpointer b)
{
    const SourceFile *one = *(const SourceFile *const *) a, *other = *(const SourceFile *const *) b;
    if (one->modified_ms != other->modified_ms)
        return one->modified_ms < other->modified_ms ? -1 : 1;
    return strcmp(one->identity, other->identity);
}

typedef struct Window {
    const ListingOptions *options;
    Listing *listing;
    const SourceFile *after; /* files up to it were there; NULL: none */
    GPtrArray *files;        /* SourceFile: the first of those behind it */
    bool sorted;             /* the first WINDOW of them */
} Window;

static void shrink(Window *window)
{
    g_ptr_array_sort(window->files, by_age);
    window->sorted = true;
    if (window->files->len <= WINDOW)
        return;
    window->listing->more = true;
    g_ptr_array_set_size(window->files, WINDOW);
}

static SfStatus take_live(gpointer user, json_object *add, SfError *err)
{
    Window *window = user;
    (void) err;
    SourceFile like = {.modified_ms = listing_number(add, "modificationTime"), .identity = delta_file_identity(add)};
    g_autofree char *identity = like.identity;
    const SourceFile *key = &like, *after = window->after, *last = NULL;
    if (window->sorted && window->files->len >= WINDOW)
        last = window->files->pdata[WINDOW - 1];
    if (after && by_age(&key, &after) <= 0)
        return SF_OK;
    if (last && by_age(&key, &last) > 0) {
        window->listing->more = true;
        return SF_OK;
    }
    SourceFile *file = file_new(window->options, add, window->options->on_change == CHANGE_FEED ? "insert" : NULL);
    file->modified_ms = like.modified_ms;
    file->identity = g_steal_pointer(&identity);
    g_ptr_array_add(window->files, file);
    if (window->files->len >= 2 * WINDOW)
        shrink(window);
    return SF_OK;
}

/* The next files, in the place of those that were there. */
static SfStatus read_window(const ListingOptions *options, Listing *listing, SfError *err)
{
    guint n = listing->files->len;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(source_file_free);
    Window window = {
        .options = options, .listing = listing, .files = files, .after = n > 0 ? listing->files->pdata[n - 1] : NULL};
    listing->more = false;
    SF_TRY(delta_files_each(listing->log, take_live, &window, err));
    shrink(&window);
    g_ptr_array_unref(listing->files);
    listing->files = g_steal_pointer(&files);
    listing->next = 0;
    listing->n_files += listing->files->len;
    count_rows_left(listing);
    return SF_OK;
}

/* The commit may have been cleaned up behind a checkpoint. */
static SfStatus snapshot_time(const ListingOptions *options, Listing *listing, SfError *err)
{
    g_auto(CommitFiles) files = {0};
    if (options->on_change != CHANGE_FEED)
        return SF_OK;
    SfStatus status = read_commit_files(options->log, listing->version, &files, err);
    listing->time = time_of_ms(files.time_ms);
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus listing_of_snapshot(const ListingOptions *options, int64_t version, Listing **out, SfError *err)
{
    g_autoptr(Listing) listing = listing_new(version, true);
    listing->log = delta_log_new(options->node, options->log->store);
    SfError why = {""};
    SfStatus status = delta_log_load_at(listing->log, version, &why);
    if (status == SF_CONFIG)
        return sf_fail(err, status,
                       "%s; the snapshot that was being read is gone: restore the log, or give the sinks another place "
                       "to begin anew",
                       why.message);
    if (status != SF_OK)
        return sf_fail(err, status, "%s", why.message);
    SF_TRY(delta_log_check_reading(listing->log, err));
    SF_TRY(snapshot_time(options, listing, err));
    SF_TRY(read_window(options, listing, err));
    *out = g_steal_pointer(&listing);
    return SF_OK;
}

SfStatus listing_next(const ListingOptions *options, Listing *listing, SourceFile **out, SfError *err)
{
    if (listing->next >= listing->files->len && listing->more)
        SF_TRY(read_window(options, listing, err));
    if (listing->next >= listing->files->len)
        return SF_END;
    *out = listing->files->pdata[listing->next++];
    listing->left -= rows_to_give(*out);
    return SF_OK;
}
