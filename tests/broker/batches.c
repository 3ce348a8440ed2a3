/* See batches.h. */
#include "batches.h"

#include <glib/gstdio.h>
#include <string.h>

#define HEADER 61

GByteArray *batch_made(Made made)
{
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_set_size(bytes, HEADER);
    memset(bytes->data, 0, HEADER);
    for (gint32 i = 0; i < made.records; i++) {
        static const guint8 record[] = {14, 0, 0, 0, 1, 2, 'v', 0}; /* size 7, no key, one byte of value */
        g_byte_array_append(bytes, record, sizeof record);
    }
    guint8 *head = bytes->data;
    wire_put(head + 8, bytes->len - 12, 4);
    head[16] = 2;
    wire_put(head + 21, made.transactional ? 0x10 : 0, 2);
    wire_put(head + 23, (guint64) (made.records - 1), 4);
    wire_put(head + 27, (guint64) made.ms, 8);
    wire_put(head + 35, (guint64) made.ms, 8);
    wire_put(head + 43, (guint64) made.producer, 8);
    wire_put(head + 51, (guint64) made.epoch, 2);
    wire_put(head + 53, (guint64) made.sequence, 4);
    wire_put(head + 57, (guint64) made.records, 4);
    wire_put(head + 17, wire_crc32c(head + 21, bytes->len - 21), 4);
    return bytes;
}

Code batch_append(Log *log, Made made, gint64 *base)
{
    g_autoptr(GByteArray) bytes = batch_made(made);
    return log_append(log, bytes->data, bytes->len, 1000000, base);
}

char *batch_place(void)
{
    g_autoptr(GError) error = NULL;
    char *place = g_dir_make_tmp("streamforge-broker-XXXXXX", &error);
    g_assert_no_error(error);
    return place;
}

void batch_remove_place(const char *place)
{
    GDir *dir = g_dir_open(place, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(place, name, NULL);
        g_unlink(path);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(place);
}
