/* The local store: durable names, only-new, listing like an object store's. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_ENOUGH 20

/* What the store syncs goes through here. */
static struct {
    GMutex mutex;
    GCond changed;
    guint calls;
    guint arrived;
    guint together; /* calls wait until so many have arrived */
    bool alone;     /* one has waited in vain */
    bool broken;    /* they fail */
} syncs;

int fsync(int fd)
{
    g_mutex_lock(&syncs.mutex);
    syncs.calls++;
    syncs.arrived++;
    g_cond_broadcast(&syncs.changed);
    gint64 deadline = g_get_monotonic_time() + SECONDS_ENOUGH * G_USEC_PER_SEC;
    while (syncs.arrived < syncs.together && !syncs.alone)
        syncs.alone = !g_cond_wait_until(&syncs.changed, &syncs.mutex, deadline);
    bool broken = syncs.broken;
    g_mutex_unlock(&syncs.mutex);
    if (!broken)
        return (int) syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

static guint syncs_since(guint before)
{
    return syncs.calls - before;
}

typedef struct Fixture {
    char *root;
    char *url;
    StoreOptions options;
    Store *store;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->root = g_dir_make_tmp("sf-store-XXXXXX", NULL);
    f->url = g_strdup_printf("file://%s/a%%20b", f->root);
    f->options.url = f->url;
    f->store = store_new(NULL, &f->options, &f->err);
    g_assert_nonnull(f->store);
    g_assert_cmpint(store_open(f->store, &f->err), ==, SF_OK);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    store_free(f->store);
    g_autofree char *quoted = g_shell_quote(f->root);
    g_autofree char *command = g_strdup_printf("rm -r %s", quoted);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->root);
    g_free(f->url);
}

static void put(Fixture *f, const char *key, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    g_assert_cmpint(store_put(f->store, key, body, &f->err), ==, SF_OK);
}

static bool put_new(Fixture *f, const char *key, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    bool created = false;
    g_assert_cmpint(store_put_new(f->store, key, body, &created, &f->err), ==, SF_OK);
    return created;
}

static void expect(Fixture *f, const char *key, const char *text)
{
    g_autoptr(GBytes) body = NULL;
    int64_t size = 0;
    g_assert_cmpint(store_get(f->store, key, 1000, &body, &f->err), ==, SF_OK);
    g_assert_cmpmem(g_bytes_get_data(body, NULL), g_bytes_get_size(body), text, strlen(text));
    g_assert_cmpint(store_stat(f->store, key, &size, &f->err), ==, SF_OK);
    g_assert_cmpint(size, ==, (gint64) strlen(text));
}

/* Keys joined by ' '. */
static char *list(Fixture *f, const char *prefix, const char *after, size_t max)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_assert_cmpint(store_list(f->store, prefix, after, max, entries, &f->err), ==, SF_OK);
    GString *keys = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++)
        g_string_append_printf(keys, "%s%s", i ? " " : "", ((StoreEntry *) entries->pdata[i])->key);
    return g_string_free(keys, FALSE);
}

static void bodies_are_kept_and_replaced(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put(f, "x/y=1/z.json", "one");
    expect(f, "x/y=1/z.json", "one");
    put(f, "x/y=1/z.json", "");
    expect(f, "x/y=1/z.json", "");
    g_autofree char *path = g_build_filename(f->root, "a b", "x", "y=1", "z.json", NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static void missing_objects_are_empty(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    int64_t size;
    put(f, "d/e", "x");
    g_assert_cmpint(store_get(f->store, "none", 10, &body, &f->err), ==, SF_EMPTY);
    g_assert_cmpint(store_stat(f->store, "d", &size, &f->err), ==, SF_EMPTY);
    g_assert_cmpint(store_stat(f->store, "d/e/f", &size, &f->err), ==, SF_EMPTY);
    g_assert_cmpint(store_delete(f->store, "none", &f->err), ==, SF_OK);
    g_assert_cmpint(store_delete(f->store, "d/e", &f->err), ==, SF_OK);
    g_assert_cmpint(store_stat(f->store, "d/e", &size, &f->err), ==, SF_EMPTY);
}

static void only_the_first_creates(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_assert_true(put_new(f, "log/0", "mine"));
    g_assert_false(put_new(f, "log/0", "other"));
    g_assert_true(put_new(f, "log/0", "mine")); /* as after an answer that was lost */
    expect(f, "log/0", "mine");
}

static void one_of_many_writers_creates(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for (int round = 0; round < 20; round++) {
        g_autofree char *key = g_strdup_printf("race/%d", round);
        StoreObject objects[8];
        char texts[8][2];
        guint created = 0;
        for (int i = 0; i < 8; i++) {
            g_snprintf(texts[i], sizeof texts[i], "%d", i);
            objects[i] = (StoreObject){.key = key, .only_new = true, .body = g_bytes_new_static(texts[i], 1)};
        }
        g_assert_cmpint(store_put_all(f->store, objects, 8, &f->err), ==, SF_OK);
        for (int i = 0; i < 8; i++) {
            created += objects[i].created;
            g_bytes_unref(objects[i].body);
        }
        g_assert_cmpuint(created, ==, 1);
    }
}

static void listing_is_in_bytewise_order_over_all_levels(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const keys[] = {"b/1", "b/10", "b/2", "b-x", "b.json", "b", "c/d/e", "\xc3\xa9"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (!g_str_equal(keys[i], "b")) /* a name cannot be a directory as well */
            put(f, keys[i], "x");
    g_autofree char *all = list(f, "", NULL, 100);
    g_assert_cmpstr(all, ==, "b-x b.json b/1 b/10 b/2 c/d/e \xc3\xa9");
    g_autofree char *some = list(f, "b", "b/1", 2);
    g_assert_cmpstr(some, ==, "b/10 b/2");
    g_autofree char *behind = list(f, "", "b/2", 100);
    g_assert_cmpstr(behind, ==, "c/d/e \xc3\xa9");
    g_autofree char *below = list(f, "c/d/", NULL, 100);
    g_assert_cmpstr(below, ==, "c/d/e");
    g_autofree char *none = list(f, "nothing/here", NULL, 100);
    g_assert_cmpstr(none, ==, "");
}

static void listing_tells_size_and_time(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put(f, "a/b", "four");
    g_autofree char *path = g_build_filename(f->root, "a b/a/b", NULL);
    const struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1705314601, .tv_nsec = 999000000}};
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_assert_cmpint(store_list(f->store, "", NULL, 10, entries, &f->err), ==, SF_OK);
    g_assert_cmpuint(entries->len, ==, 1);
    const StoreEntry *entry = entries->pdata[0];
    g_assert_cmpint(entry->size, ==, 4);
    g_assert_cmpint(entry->modified_ms, ==, INT64_C(1705314601999));
}

static void one_level_is_listed_without_what_is_below(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const keys[] = {"a/1", "a.txt", "b/c/1", "b/c/2", "b/d"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        put(f, keys[i], "x");
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_assert_cmpint(store_list_level(f->store, "", NULL, 2, entries, &f->err), ==, SF_OK);
    g_assert_cmpint(store_list_level(f->store, "", "a/", 10, entries, &f->err), ==, SF_OK);
    g_assert_cmpint(store_list_level(f->store, "b/", NULL, 10, entries, &f->err), ==, SF_OK);
    const char *const expected[] = {"a.txt", "a/", "b/", "b/c/", "b/d"};
    g_assert_cmpuint(entries->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        g_assert_cmpstr(entry->key, ==, expected[i]);
        g_assert_cmpint(entry->size, ==, g_str_has_suffix(entry->key, "/") ? -1 : 1);
    }
}

/* Of a body "0123456789". */
static void objects_are_read_piece_by_piece(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        int64_t offset, size;
        const char *text;
    } rows[] = {{0, 4, "0123"}, {8, 4, "89"}, {10, 4, ""}, {99, 4, ""}, {0, 99, "0123456789"}};
    put(f, "x", "0123456789");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GBytes) got = NULL;
        g_assert_cmpint(store_read(f->store, "x", rows[i].offset, rows[i].size, &got, &f->err), ==, SF_OK);
        g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), rows[i].text, strlen(rows[i].text));
    }
    g_autoptr(GBytes) none = NULL;
    g_assert_cmpint(store_read(f->store, "y", 0, 4, &none, &f->err), ==, SF_EMPTY);
}

static void keys_cannot_leave_the_place(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const bad[] = {"", "/x", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "\xff"};
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(store_put(f->store, bad[i], body, &f->err), ==, SF_FATAL);
        g_assert_nonnull(strstr(f->err.message, "is not a valid object key"));
    }
}

static void larger_than_the_limit_is_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GBytes) body = NULL;
    put(f, "x", "12345");
    g_assert_cmpint(store_get(f->store, "x", 4, &body, &f->err), ==, SF_FATAL);
    g_assert_nonnull(strstr(f->err.message, "has 5 bytes, more than the 4"));
    g_assert_null(body);
}

static void nothing_is_left_in_the_temporary_directory(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *path = g_build_filename(f->root, "a b", ".sf-tmp", NULL);
    put(f, "x", "1");
    put_new(f, "x", "2");
    put_new(f, "y", "2");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
}

/* ---- drafts ---- */

static guint left_in_temporary_directory(const Fixture *f)
{
    g_autofree char *path = g_build_filename(f->root, "a b", ".sf-tmp", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void draft_and_its_rest_become_one_body(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreDraft *draft = store_draft_new(f->store, "x");
    g_assert_cmpuint(store_draft_unit(f->store), >, 0);
    g_assert_cmpuint(store_draft_write(draft, "one ", 4), ==, 4);
    g_assert_cmpuint(store_draft_write(draft, "two ", 4), ==, 4);
    g_autoptr(GBytes) rest = g_bytes_new_static("three", 5);
    put(f, "new/x", "an older body, and a longer one");
    StoreObject object = {.key = "new/x", .body = rest, .draft = draft};
    for (int i = 0; i < 2; i++) { /* repeated, as after an answer that was lost */
        g_assert_cmpint(store_put_all(f->store, &object, 1, &f->err), ==, SF_OK);
        g_assert_true(object.created);
        expect(f, "new/x", "one two three");
    }
    store_draft_free(draft);
    expect(f, "new/x", "one two three");
    g_assert_cmpuint(left_in_temporary_directory(f), ==, 0);
}

static void draft_that_is_not_put_leaves_nothing(Fixture *f, gconstpointer unused)
{
    (void) unused;
    StoreDraft *draft = store_draft_new(f->store, "x");
    g_assert_cmpuint(store_draft_write(draft, "x", 1), ==, 1);
    g_assert_cmpuint(left_in_temporary_directory(f), ==, 1);
    store_draft_free(draft);
    g_assert_cmpuint(left_in_temporary_directory(f), ==, 0);
}

/* A second sync would not see what the first has lost. */
static void failed_sync_is_the_end_of_a_draft(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(StoreDraft) draft = store_draft_new(f->store, "x");
    g_assert_cmpuint(store_draft_write(draft, "a", 1), ==, 1);
    g_autoptr(GBytes) rest = g_bytes_new_static("b", 1);
    StoreObject object = {.key = "x", .body = rest, .draft = draft};
    syncs.broken = true;
    SfStatus drafted = store_put_all(f->store, &object, 1, &f->err);
    g_assert_true(g_str_has_prefix(f->err.message, "what was written may be lost: cannot sync '"));
    SfStatus whole = store_put(f->store, "y", rest, &f->err);
    syncs.broken = false;
    g_assert_cmpint(drafted, ==, SF_FENCED);
    g_assert_cmpint(whole, ==, SF_RETRY);
    g_assert_false(object.created);
}

/* Open files are few. */
static void drafts_have_a_bound(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GPtrArray) drafts = g_ptr_array_new_with_free_func((GDestroyNotify) store_draft_free);
    StoreDraft *draft;
    while (drafts->len < 1000 && (draft = store_draft_new(f->store, "x")))
        g_ptr_array_add(drafts, draft);
    g_assert_cmpuint(drafts->len, >=, 64);
    g_assert_cmpuint(drafts->len, <=, 256);
    put(f, "x", "1");
    g_ptr_array_remove_index(drafts, 0);
    g_autoptr(StoreDraft) next = store_draft_new(f->store, "x");
    g_assert_nonnull(next);
}

static void drafts_of_the_dead_are_tidied_away(Fixture *f, gconstpointer unused)
{
    (void) unused;
    pid_t child = fork();
    if (child == 0) {
        Store *store = store_new(NULL, &f->options, NULL);
        StoreDraft *draft = store_draft_new(store, "x");
        _exit(draft && store_draft_write(draft, "x", 1) == 1 ? 0 : 1);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_autoptr(StoreDraft) living = store_draft_new(f->store, "x");
    g_assert_cmpuint(store_draft_write(living, "a", 1), ==, 1);
    g_assert_cmpuint(left_in_temporary_directory(f), ==, 2);
    g_autoptr(Store) other = store_new(NULL, &f->options, &f->err);
    g_assert_cmpint(store_open(other, &f->err), ==, SF_OK);
    g_assert_cmpuint(left_in_temporary_directory(f), ==, 1);
    g_autoptr(GBytes) rest = g_bytes_new_static("b", 1);
    StoreObject object = {.key = "x", .body = rest, .draft = living};
    g_assert_cmpint(store_put_all(f->store, &object, 1, &f->err), ==, SF_OK);
    expect(f, "x", "ab");
}

static void full_or_forbidden_disk_is_retried(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put(f, "x", "1");
    g_autofree char *path = g_build_filename(f->root, "a b", ".sf-tmp", NULL);
    g_assert_cmpint(g_rmdir(path), ==, 0);
    g_assert_true(g_file_set_contents(path, "in the way", -1, NULL));
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    g_assert_cmpint(store_put(f->store, "y", body, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "Not a directory"));
    g_assert_cmpint(g_unlink(path), ==, 0);
    put(f, "y", "2"); /* mended meanwhile */
}

static void put_in_days(Fixture *f, guint days)
{
    g_autofree StoreObject *objects = g_new0(StoreObject, days);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    for (guint i = 0; i < days; i++) {
        g_ptr_array_add(keys, g_strdup_printf("day=%u/x", i));
        objects[i] = (StoreObject){.key = keys->pdata[i], .body = body};
    }
    g_assert_cmpint(store_put_all(f->store, objects, days, &f->err), ==, SF_OK);
}

static void syncs_of_many_objects_wait_together(Fixture *f, gconstpointer unused)
{
    (void) unused;
    syncs.arrived = 0;
    syncs.together = 2;
    put_in_days(f, 8);
    syncs.together = 0;
    g_assert_false(syncs.alone);
}

static void every_directory_is_synced_once(Fixture *f, gconstpointer unused)
{
    (void) unused;
    guint before = syncs.calls;
    put_in_days(f, 20);
    g_assert_cmpuint(syncs_since(before), ==, 20 + 20 + 1); /* files, their directories, the one above */
    before = syncs.calls;
    put(f, "day=3/y", "x");
    g_assert_cmpuint(syncs_since(before), ==, 2);
}

/* Who made a directory may have died before its name was durable. */
static void directories_of_others_are_made_durable(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *path = g_build_filename(f->root, "a b", "x", "y", NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0777), ==, 0);
    guint before = syncs.calls;
    put(f, "x/y/z", "1");
    g_assert_cmpuint(syncs_since(before), ==, 4); /* z, y, x and the root */
    before = syncs.calls;
    put(f, "x/y/z", "2");
    g_assert_cmpuint(syncs_since(before), ==, 2);
}

/* The same words each time, or the log cannot hold them back. */
static void full_disk_is_one_message(Fixture *f, gconstpointer unused)
{
    (void) unused;
    struct rlimit before, small;
    g_autofree char *first = NULL;
    static const char large[4096] = "";
    g_autoptr(GBytes) body = g_bytes_new_static(large, sizeof large);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    small = (struct rlimit){.rlim_cur = 100, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(store_put(f->store, "x", body, &f->err), ==, SF_RETRY);
        if (first)
            g_assert_cmpstr(f->err.message, ==, first);
        else
            first = g_strdup(f->err.message);
    }
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    g_assert_true(g_str_has_prefix(first, "cannot write to directory '"));
}

static void urls_that_mean_nothing_are_refused(void)
{
    const char *const bad[] = {
        "",         "raw-bucket/prefix", "file://",      "file://host/x", "gs://x/y", "file:///%zz",
        "file:///", "s3:/b/x",           "http://host/b"};
    SfError err;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        StoreOptions options = {.url = bad[i]};
        g_assert_cmpint(store_check(&options, &err), ==, SF_CONFIG);
        g_assert_null(store_new(NULL, &options, &err));
        g_assert_nonnull(strstr(err.message, "url"));
        g_assert_true(!g_str_has_prefix(bad[i], "http:") || strstr(err.message, "the server as 'endpoint'"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/file/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("bodies are kept and replaced", bodies_are_kept_and_replaced);
    ADD("missing objects are empty", missing_objects_are_empty);
    ADD("only the first creates", only_the_first_creates);
    ADD("one of many writers creates", one_of_many_writers_creates);
    ADD("listing tells size and time", listing_tells_size_and_time);
    ADD("one level is listed without what is below", one_level_is_listed_without_what_is_below);
    ADD("objects are read piece by piece", objects_are_read_piece_by_piece);
    ADD("listing is in bytewise order over all levels", listing_is_in_bytewise_order_over_all_levels);
    ADD("keys cannot leave the place", keys_cannot_leave_the_place);
    ADD("larger than the limit is refused", larger_than_the_limit_is_refused);
    ADD("nothing is left in the temporary directory", nothing_is_left_in_the_temporary_directory);
    ADD("draft and its rest become one body", draft_and_its_rest_become_one_body);
    ADD("draft that is not put leaves nothing", draft_that_is_not_put_leaves_nothing);
    ADD("failed sync is the end of a draft", failed_sync_is_the_end_of_a_draft);
    ADD("drafts have a bound", drafts_have_a_bound);
    ADD("drafts of the dead are tidied away", drafts_of_the_dead_are_tidied_away);
    ADD("a place that is in the way is named, and used once it is mended", full_or_forbidden_disk_is_retried);
    ADD("syncs of many objects wait together", syncs_of_many_objects_wait_together);
    ADD("every directory is synced once", every_directory_is_synced_once);
    ADD("directories of others are made durable", directories_of_others_are_made_durable);
    ADD("a full disk is one message", full_disk_is_one_message);
    g_test_add_func("/store/file/urls that mean nothing are refused", urls_that_mean_nothing_are_refused);
    return g_test_run();
}
