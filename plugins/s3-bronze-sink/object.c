/* Objects in the making: lines in memory, and what is stored of them. Which rows come in, and when it ends, others
 * decide. */
#include "object.h"

#include <zlib.h>

#define ROOM_MIN ((size_t) 16 << 10)
#define GZIP_WINDOW (15 + 16) /* zlib.h, deflateInit2: 16 more for a gzip header */

Object *object_new(int64_t bucket, int64_t first)
{
    Object *object = g_new0(Object, 1);
    object->bucket = bucket;
    object->first = object->last = first;
    return object;
}

void object_free(Object *object)
{
    if (!object)
        return;
    g_free(object->data);
    g_free(object->key);
    g_bytes_unref(object->body);
    g_free(object);
}

bool object_reserve(Object *object, size_t more)
{
    size_t needed;
    if (!g_size_checked_add(&needed, object->size, more))
        return false;
    size_t room = MAX(MAX(needed, ROOM_MIN), object->room > SIZE_MAX / 2 ? needed : 2 * object->room);
    char *data = g_try_realloc(object->data, room);
    if (!data)
        return false;
    object->data = data;
    object->room = room;
    return true;
}

void object_copy_flat(char *to, const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] == '\n' || from[i] == '\r' ? ' ' : from[i];
}

/* The header has no time and a fixed system, so the same lines give the same bytes. */
static SfStatus compress_lines(Object *object, int level, SfError *err)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return sf_fail(err, SF_FATAL, "no memory to compress %zu bytes", object->size);
    gz_header header = {.os = 255};
    deflateSetHeader(&stream, &header);
    uLong bound = deflateBound(&stream, object->size);
    unsigned char *out = g_try_malloc(bound);
    stream.next_in = (unsigned char *) object->data;
    stream.next_out = out;
    stream.avail_in = (uInt) object->size;
    stream.avail_out = (uInt) bound;
    bool done = out && object->size <= UINT32_MAX && bound <= UINT32_MAX && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    uLong size = stream.total_out;
    deflateEnd(&stream);
    if (!done) {
        g_free(out);
        return sf_fail(err, SF_FATAL, "no memory to compress %zu bytes", object->size);
    }
    object->body = g_bytes_new_take(out, size);
    g_clear_pointer(&object->data, g_free);
    object->room = 0;
    return SF_OK;
}

SfStatus object_seal(Object *object, const Layout *layout, const char *directory, const char *file, SfError *err)
{
    if (object->body)
        return SF_OK;
    if (layout->options.compression == COMPRESSION_GZIP) {
        SF_TRY(compress_lines(object, (int) layout->options.level, err));
    } else {
        char *shrunk = g_try_realloc(object->data, MAX(object->size, 1)); /* the room at its end is given back */
        object->body = g_bytes_new_take(shrunk ? shrunk : object->data, object->size);
        object->data = NULL;
        object->room = 0;
    }
    gsize size;
    const unsigned char *bytes = g_bytes_get_data(object->body, &size);
    object->crc32 = (uint32_t) crc32_z(0, bytes, size);
    object->key = *directory ? g_strconcat(directory, "/", file, NULL) : g_strdup(file);
    return SF_OK;
}

size_t object_held(const Object *object)
{
    return object->body ? g_bytes_get_size(object->body) : object->room;
}
