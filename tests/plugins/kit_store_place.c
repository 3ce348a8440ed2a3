/* The local store in places that others made, or that are odd: links, permissions, directories that take nothing. */
#include "store/store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

typedef struct Fixture {
    char *root;
    char *url;
    StoreOptions options;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->root = g_dir_make_tmp("sf-place-XXXXXX", NULL);
    f->url = g_strdup_printf("file://%s/lake", f->root);
    f->options.url = f->url;
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const command[] = {"rm", "-r", f->root, NULL};
    g_assert_true(g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(f->root);
    g_free(f->url);
}

static SfStatus open_store(Fixture *f, Store **out)
{
    *out = store_new(NULL, &f->options, &f->err);
    return *out ? store_open(*out, &f->err) : SF_CONFIG;
}

static char *path_of(const Fixture *f, const char *below)
{
    return g_build_filename(f->root, below, NULL);
}

static void write_file(const Fixture *f, const char *below, const char *text)
{
    g_autofree char *path = path_of(f, below);
    g_autofree char *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void link_to(const Fixture *f, const char *target, const char *below)
{
    g_autofree char *to = path_of(f, target), *path = path_of(f, below);
    g_autofree char *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    g_assert_cmpint(symlink(to, path), ==, 0);
}

static bool exists(const Fixture *f, const char *below)
{
    g_autofree char *path = path_of(f, below);
    struct stat info;
    return lstat(path, &info) == 0;
}

static void make_old(const Fixture *f, const char *below)
{
    g_autofree char *path = path_of(f, below);
    const struct utimbuf old = {.actime = 1000000, .modtime = 1000000};
    g_assert_cmpint(utime(path, &old), ==, 0);
}

static void expect_file(const Fixture *f, const char *below, const char *text)
{
    g_autofree char *path = path_of(f, below), *there = NULL;
    g_assert_true(g_file_get_contents(path, &there, NULL, NULL));
    g_assert_cmpstr(there, ==, text);
}

/* Who may write to the place could point us at files that he may not touch. */
static void temporary_directory_is_no_link(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    write_file(f, "victim/old", "precious");
    write_file(f, "victim/old.draft", "precious, too");
    make_old(f, "victim/old");
    make_old(f, "victim/old.draft");
    link_to(f, "victim", "lake/.sf-tmp");
    g_assert_cmpint(open_store(f, &store), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "/lake/.sf-tmp' is a link, or not a directory"));
    expect_file(f, "victim/old", "precious");
    expect_file(f, "victim/old.draft", "precious, too");
}

static void links_in_the_temporary_directory_are_not_followed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    write_file(f, "victim", "precious");
    make_old(f, "victim");
    link_to(f, "victim", "lake/.sf-tmp/a");
    link_to(f, "victim", "lake/.sf-tmp/a.draft");
    write_file(f, "lake/.sf-tmp/stale", "x");
    write_file(f, "lake/.sf-tmp/dead.draft", "x");
    make_old(f, "lake/.sf-tmp/stale");
    g_assert_cmpint(open_store(f, &store), ==, SF_OK);
    expect_file(f, "victim", "precious");
    g_assert_false(exists(f, "lake/.sf-tmp/stale"));
    g_assert_false(exists(f, "lake/.sf-tmp/dead.draft"));
}

static void links_in_an_objects_place_are_not_followed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    g_autoptr(GBytes) body = g_bytes_new_static("mine", 4), got = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    int64_t size = 0;
    bool created = true;
    write_file(f, "victim", "precious");
    link_to(f, "victim", "lake/x");
    g_assert_cmpint(open_store(f, &store), ==, SF_OK);
    g_assert_cmpint(store_get(store, "x", 100, &got, &f->err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(f->err.message, "it is a symbolic link"));
    g_assert_cmpint(store_stat(store, "x", &size, &f->err), ==, SF_CONFIG);
    g_assert_cmpint(store_list(store, "", NULL, 10, entries, &f->err), ==, SF_OK);
    g_assert_cmpuint(entries->len, ==, 0);
    g_assert_cmpint(store_put_new(store, "x", body, &created, &f->err), ==, SF_OK);
    g_assert_false(created);
    expect_file(f, "victim", "precious");
    g_assert_cmpint(store_put(store, "x", body, &f->err), ==, SF_OK); /* takes the link's place */
    expect_file(f, "victim", "precious");
    expect_file(f, "lake/x", "mine");
}

static void drafts_create_only_what_is_new(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    g_autoptr(GBytes) rest = g_bytes_new_static("b", 1);
    g_assert_cmpint(open_store(f, &store), ==, SF_OK);
    write_file(f, "lake/there", "somebody else's");
    StoreObject objects[2] = {{.key = "there", .body = rest, .only_new = true},
                              {.key = "new/x", .body = rest, .only_new = true}};
    for (int i = 0; i < 2; i++) {
        objects[i].draft = store_draft_new(store, objects[i].key);
        g_assert_cmpuint(store_draft_write(objects[i].draft, "a", 1), ==, 1);
    }
    for (int i = 0; i < 2; i++) { /* repeated, as after a failure of others */
        g_assert_cmpint(store_put_all(store, objects, 2, &f->err), ==, SF_OK);
        g_assert_false(objects[0].created);
        g_assert_true(objects[1].created);
    }
    for (int i = 0; i < 2; i++)
        store_draft_free(objects[i].draft);
    expect_file(f, "lake/there", "somebody else's");
    expect_file(f, "lake/new/x", "ab");
}

/* The check value of CRC-32 (RFC 1952): that of "123456789" is cbf43926. */
static void sums_are_of_all_bytes(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    const char *const keys[] = {"nine", "none", "large", "empty"};
    StoreSum sums[4];
    g_autofree char *large = g_strnfill(300000, 'x');
    write_file(f, "lake/nine", "123456789");
    write_file(f, "lake/large", large);
    write_file(f, "lake/empty", "");
    g_assert_cmpint(open_store(f, &store), ==, SF_OK);
    g_assert_cmpint(store_sum_all(store, keys, sums, 4, &f->err), ==, SF_OK);
    g_assert_cmpint(sums[0].size, ==, 9);
    g_assert_cmphex(sums[0].crc32, ==, 0xcbf43926);
    g_assert_cmpint(sums[1].size, ==, -1);
    g_assert_cmpint(sums[2].size, ==, 300000);
    g_assert_cmpint(sums[3].size, ==, 0);
    g_assert_cmphex(sums[3].crc32, ==, 0);
}

static mode_t mode_of(const Fixture *f, const char *below)
{
    g_autofree char *path = path_of(f, below);
    struct stat info;
    g_assert_cmpint(lstat(path, &info), ==, 0);
    return info.st_mode & 07777;
}

static void mode_is_that_of_all_files(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Store) store = NULL;
    g_autoptr(GBytes) body = g_bytes_new_static("x", 1);
    f->options.mode = "0640";
    g_assert_cmpint(open_store(f, &store), ==, SF_OK);
    StoreDraft *draft = store_draft_new(store, "a/drafted");
    StoreObject objects[2] = {{.key = "a/whole", .body = body}, {.key = "a/drafted", .body = body, .draft = draft}};
    mode_t before = umask(077);
    g_assert_cmpint(store_put_all(store, objects, 2, &f->err), ==, SF_OK);
    umask(before);
    store_draft_free(draft);
    g_assert_cmpuint(mode_of(f, "lake/a/whole"), ==, 0640);
    g_assert_cmpuint(mode_of(f, "lake/a/drafted"), ==, 0640);
    g_assert_cmpuint(mode_of(f, "lake/a"), ==, 0750);
}

static void modes_that_mean_nothing_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const modes[] = {"rw-r--r--", "0999", "0440", "04755", "1", "00000640", "-1"};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        f->options.mode = modes[i];
        g_assert_cmpint(store_check(&f->options, &f->err), ==, SF_CONFIG);
        g_assert_nonnull(strstr(f->err.message, "mode: '"));
    }
}

/* mkdir(2) says ENOENT there although what is above is there. */
static void directories_that_take_nothing_end_in_an_error(Fixture *f, gconstpointer unused)
{
    (void) unused;
    const char *const urls[] = {"file:///proc/x/bronze", "file:///proc/self/x", "file:///proc/x/a/b/c/d"};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(Store) store = NULL;
        f->options.url = urls[i];
        g_assert_cmpint(open_store(f, &store), ==, SF_CONFIG);
        g_test_message("%s", f->err.message);
        g_assert_nonnull(strstr(f->err.message, "cannot create directory '/proc/"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/store/place/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("the temporary directory is no link", temporary_directory_is_no_link);
    ADD("links in the temporary directory are not followed", links_in_the_temporary_directory_are_not_followed);
    ADD("links in an object's place are not followed", links_in_an_objects_place_are_not_followed);
    ADD("drafts create only what is new", drafts_create_only_what_is_new);
    ADD("sums are of all bytes", sums_are_of_all_bytes);
    ADD("mode is that of all files", mode_is_that_of_all_files);
    ADD("modes that mean nothing are refused", modes_that_mean_nothing_are_refused);
    ADD("directories that take nothing end in an error", directories_that_take_nothing_end_in_an_error);
    return g_test_run();
}
