/* Splits and ranges ↔ names of files, and what the names in a directory say. */
#include "names.h"

#include <inttypes.h>
#include <string.h>

enum { LONGEST_KEY = 160 }; /* of 255 bytes that a file's name may have */

/* Where a name's last slash stands, if only digits follow. */
static const char *last_number(const char *split)
{
    const char *slash = strrchr(split, '/');
    return slash && slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1) ? slash : NULL;
}

char *name_key(const char *split)
{
    const char *number = last_number(split);
    g_autoptr(GString) key = g_string_new(NULL);
    for (const char *p = split; *p; p++) {
        if (*p == '/')
            g_string_append_c(key, p == number ? '+' : '=');
        else if (g_ascii_isalnum(*p) || strchr("._-#", *p))
            g_string_append_c(key, *p);
        else
            g_string_append_printf(key, "%%%02X", (unsigned char) *p);
    }
    if (key->str[0] == '.' || key->str[0] == '_') {
        char first[4];
        g_snprintf(first, sizeof first, "%%%02X", (unsigned char) key->str[0]);
        g_string_erase(key, 0, 1); /* such names are hidden from readers */
        g_string_prepend(key, first);
    }
    if (key->len > LONGEST_KEY) {
        g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, split, -1);
        g_string_truncate(key, LONGEST_KEY - 17);
        g_string_append_printf(key, "~%.16s", hash);
    }
    return g_string_free(g_steal_pointer(&key), FALSE);
}

char *name_file(const char *key, int64_t start, int64_t end)
{
    return g_strdup_printf("%s+%020" PRId64 "-%" PRId64 ".jsonl", key, start, end);
}

bool name_parse(const char *file, const char *key, int64_t *start, int64_t *end)
{
    size_t size = strlen(key);
    char *rest = NULL;
    if (strncmp(file, key, size) != 0 || file[size] != '+' || !g_ascii_isdigit(file[size + 1]))
        return false;
    guint64 first = g_ascii_strtoull(file + size + 1, &rest, 10);
    if (rest != file + size + 21 || *rest != '-' || !g_ascii_isdigit(rest[1]))
        return false;
    guint64 last = g_ascii_strtoull(rest + 1, &rest, 10);
    if (strcmp(rest, ".jsonl") != 0 || last > INT64_MAX || first > last)
        return false;
    *start = (int64_t) first;
    *end = (int64_t) last;
    return true;
}

static gint compare_starts(gconstpointer a, gconstpointer b)
{
    const int64_t *one = a, *other = b;
    return *one < *other ? -1 : *one > *other;
}

SfStatus names_last_end(const char *directory, const char *key, int64_t *out, SfError *err)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, 2 * sizeof(int64_t));
    g_autoptr(GDir) dir = g_dir_open(directory, 0, &error);
    if (!dir)
        return sf_fail(err, SF_RETRY, "cannot read directory '%s': %s", directory, error->message);
    for (const char *name; (name = g_dir_read_name(dir));) {
        int64_t range[2];
        if (name_parse(name, key, &range[0], &range[1]))
            g_array_append_val(ranges, range);
    }
    g_array_sort(ranges, compare_starts);
    int64_t last = SF_POSITION_NONE;
    for (guint i = 0; i < ranges->len; i++) {
        const int64_t *range = (const int64_t *) (const void *) ranges->data + 2 * i;
        if (range[0] < last)
            return sf_fail(err, SF_FATAL,
                           "files of '%s' in '%s' overlap at %" PRId64 ": one of them is not ours; move it away", key,
                           directory, range[0]);
        last = range[1];
    }
    *out = last;
    return SF_OK;
}
