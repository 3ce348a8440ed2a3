/* Runs a fuzz target without libFuzzer: over every file below the paths, and over some changed copies of each, the same
 * ones every time. FUZZ_CHANGES sets their number.
 *
 * replay PATH… [--every-byte PATH…]    --every-byte: each byte of these is also replaced by each of some others */
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

enum { MOST_CHANGED = 64 * 1024 }; /* bytes: larger files run as they are */

static guint64 runs;

static void run(const char *data, gsize size)
{
    /* An allocation of the exact size, so that the sanitizer sees a read past the end. */
    g_autofree char *copy = g_memdup2(data, size);
    LLVMFuzzerTestOneInput((const uint8_t *) (copy ? copy : ""), size);
    runs++;
}

/* One small change: cut off, take out, double, or overwrite by a character that YAML gives a meaning to. */
static void change(GRand *random, GByteArray *bytes)
{
    static const char marks[] = "{}[]:,-?&*!|>'\"%@`#~$\\ \t\n\r.0_\x80\xFF";
    guint at = (guint) g_rand_int_range(random, 0, (gint32) bytes->len);
    guint count = (guint) g_rand_int_range(random, 1, 40);
    guint8 mark = (guint8) marks[g_rand_int_range(random, 0, sizeof marks)];
    count = MIN(count, bytes->len - at);
    g_autofree guint8 *part = g_memdup2(bytes->data + at, count);
    switch (g_rand_int_range(random, 0, 4)) {
    case 0:
        g_byte_array_set_size(bytes, at);
        break;
    case 1:
        g_byte_array_remove_range(bytes, at, count);
        break;
    case 2:
        g_byte_array_append(bytes, part, count);
        break;
    default:
        bytes->data[at] = mark;
    }
}

static void run_changed(GRand *random, const char *data, gsize size)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *) data, (guint) size);
    guint changes = (guint) g_rand_int_range(random, 1, 5);
    for (guint i = 0; i < changes && bytes->len > 0; i++)
        change(random, bytes);
    run((const char *) bytes->data, bytes->len);
}

/* Every byte in turn; the file itself runs before, so that a target that remembers its last input expects this one. */
static void run_every_byte(const char *data, gsize size)
{
    static const char bytes[] = "{}[]:,\"\\ \t\n.-+019eEntbu/x\x1F\x7F\x80\xBF\xC3\xED\xF0\xFF"; /* and the NUL */
    g_autofree char *copy = g_memdup2(data, size);
    for (gsize at = 0; at < size; at++) {
        run(data, size);
        for (gsize i = 0; i < sizeof bytes; i++) {
            copy[at] = bytes[i];
            run(copy, size);
        }
        copy[at] = data[at];
    }
}

static void replay_file(const char *path, guint changes, bool every_byte)
{
    g_autofree char *data = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    run(data, size);
    GRand *random = g_rand_new_with_seed(g_str_hash(path + strlen(path) - MIN(strlen(path), 16)));
    for (guint i = 0; i < changes && size > 0 && size < MOST_CHANGED; i++)
        run_changed(random, data, size);
    if (every_byte)
        run_every_byte(data, size);
    g_rand_free(random);
}

static void replay(const char *path, guint changes, bool every_byte)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        replay_file(path, changes, every_byte);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    g_assert_no_error(error);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        replay(child, changes, every_byte);
    }
}

int main(int argc, char **argv)
{
    const char *wanted = g_getenv("FUZZ_CHANGES");
    guint changes = wanted ? (guint) g_ascii_strtoull(wanted, NULL, 10) : 100;
    bool every_byte = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--every-byte") == 0)
            every_byte = true;
        else
            replay(argv[i], changes, every_byte);
    }
    g_print("%" G_GUINT64_FORMAT " inputs\n", runs);
    return runs > 0 ? 0 : 1;
}
