/* See unpack.h. */
#include "unpack.h"

#include "compress/compress.h"

enum { ROOM = 256 << 10, MAGIC_BYTES = 4 };
#define WINDOW ((size_t) 128 << 20) /* a command has the memory, and what it shows somebody has packed as he liked */

struct Unpack {
    UnpackOut out;
    gpointer user;
    bool known;         /* how it is packed */
    GByteArray *begun;  /* what came before that */
    Unpacker *unpacker; /* NULL: not at all */
    char *room;
};

Unpack *unpack_new(bool raw, UnpackOut out, gpointer user)
{
    Unpack *unpack = g_new0(Unpack, 1);
    unpack->known = raw;
    unpack->out = out;
    unpack->user = user;
    unpack->begun = g_byte_array_new();
    return unpack;
}

void unpack_free(Unpack *unpack)
{
    if (!unpack)
        return;
    unpacker_free(unpack->unpacker);
    g_byte_array_unref(unpack->begun);
    g_free(unpack->room);
    g_free(unpack);
}

static SfStatus give(const Unpack *unpack, const char *data, size_t size)
{
    return size == 0 || unpack->out(unpack->user, data, size) ? SF_OK : SF_END;
}

static SfStatus add(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    if (!unpack->unpacker)
        return give(unpack, data, size);
    for (;;) {
        size_t got;
        SfStatus status = unpacker_run(unpack->unpacker, &data, &size, unpack->room, ROOM, &got, err);
        if (status == SF_EMPTY)
            return SF_OK;
        SF_TRY(status);
        SF_TRY(give(unpack, unpack->room, got));
    }
}

static SfStatus add_begun(Unpack *unpack, SfError *err)
{
    Compression compression = compression_of(unpack->begun->data, unpack->begun->len);
    unpack->known = true;
    if (compression != COMPRESSION_NONE) {
        unpack->unpacker = unpacker_new(compression, WINDOW, err);
        if (!unpack->unpacker)
            return sf_fail_prefix(err, SF_CONFIG, "the data is packed; --raw gives it as it is");
        unpack->room = g_malloc(ROOM);
    }
    return add(unpack, (const char *) unpack->begun->data, unpack->begun->len, err);
}

SfStatus unpack_add(Unpack *unpack, const char *data, size_t size, SfError *err)
{
    if (unpack->known)
        return add(unpack, data, size, err);
    g_byte_array_append(unpack->begun, (const guint8 *) data, (guint) size);
    return unpack->begun->len < MAGIC_BYTES ? SF_OK : add_begun(unpack, err);
}

SfStatus unpack_end(Unpack *unpack, SfError *err)
{
    if (!unpack->known)
        SF_TRY(add_begun(unpack, err));
    if (!unpack->unpacker || unpacker_is_complete(unpack->unpacker))
        return SF_OK;
    return sf_fail(err, SF_FATAL, "the %s data ends too early; get the object anew from where it came",
                   compression_name(unpacker_compression(unpack->unpacker)));
}
