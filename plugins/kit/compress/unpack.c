/* Streams of gzip and zstd, member by member. */
#include "compress.h"

#include <string.h>
#include <zlib.h>
#ifdef KIT_HAS_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

#define GZIP_WINDOW (15 + 16) /* zlib.h, inflateInit2: 16 more for a gzip header, and no other */

typedef enum State {
    STATE_BEGIN,  /* nothing has been taken yet */
    STATE_MEMBER, /* within one */
    STATE_BETWEEN,
    STATE_PADDING /* zeros, behind the last one */
} State;

struct Unpacker {
    Compression compression;
    State state;
    size_t window;
    z_stream gzip;
#ifdef KIT_HAS_ZSTD
    ZSTD_DStream *zstd;
#endif
};

static bool start_codec(Unpacker *unpacker, size_t window)
{
    (void) window;
#ifdef KIT_HAS_ZSTD
    if (unpacker->compression == COMPRESSION_ZSTD) {
        unpacker->zstd = ZSTD_createDStream();
        return unpacker->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(unpacker->zstd, ZSTD_d_windowLogMax,
                                                                      (int) g_bit_storage(window) - 1));
    }
#endif
    return inflateInit2(&unpacker->gzip, GZIP_WINDOW) == Z_OK;
}

static SfStatus check_codec(Compression compression, SfError *err)
{
    if (compression == COMPRESSION_GZIP)
        return SF_OK;
    if (compression != COMPRESSION_ZSTD)
        return sf_fail(err, SF_CONFIG, "%s has no streams here", compression_name(compression));
#ifdef KIT_HAS_ZSTD
    return SF_OK;
#else
    return sf_fail(err, SF_CONFIG, "this Streamforge was built without zstd");
#endif
}

Unpacker *unpacker_new(Compression compression, size_t window, SfError *err)
{
    if (check_codec(compression, err) != SF_OK)
        return NULL;
    Unpacker *unpacker = g_new0(Unpacker, 1);
    unpacker->compression = compression;
    unpacker->window = window;
    if (start_codec(unpacker, window))
        return unpacker;
    unpacker_free(unpacker);
    sf_fail(err, SF_FATAL, "no memory for %s", compression_name(compression));
    return NULL;
}

void unpacker_free(Unpacker *unpacker)
{
    if (!unpacker)
        return;
#ifdef KIT_HAS_ZSTD
    ZSTD_freeDStream(unpacker->zstd);
#endif
    if (unpacker->compression == COMPRESSION_GZIP)
        inflateEnd(&unpacker->gzip);
    g_free(unpacker);
}

Compression unpacker_compression(const Unpacker *unpacker)
{
    return unpacker->compression;
}

bool unpacker_is_complete(const Unpacker *unpacker)
{
    return unpacker->state == STATE_BETWEEN || unpacker->state == STATE_PADDING;
}

/* One step of a codec: takes and writes what it can; `ended`: a member's last byte was taken. */
typedef struct Step {
    const char *data;
    size_t size;
    char *out;
    size_t room;
    bool ended;
} Step;

static SfStatus refuse_data(const Unpacker *unpacker, const char *why, SfError *err)
{
    return sf_fail(err, SF_FATAL, "the %s data is damaged (%s)", compression_name(unpacker->compression), why);
}

static SfStatus step_gzip(Unpacker *unpacker, Step *step, SfError *err)
{
    z_stream *gzip = &unpacker->gzip;
    uInt size = (uInt) MIN(step->size, UINT32_MAX), room = (uInt) MIN(step->room, UINT32_MAX);
    gzip->next_in = (Bytef *) step->data;
    gzip->avail_in = size;
    gzip->next_out = (Bytef *) step->out;
    gzip->avail_out = room;
    int status = inflate(gzip, Z_NO_FLUSH);
    step->data += size - gzip->avail_in;
    step->size -= size - gzip->avail_in;
    step->out += room - gzip->avail_out;
    step->room -= room - gzip->avail_out;
    step->ended = status == Z_STREAM_END;
    bool good = step->ended ? inflateReset(gzip) == Z_OK : status == Z_OK || status == Z_BUF_ERROR;
    if (good || gzip->avail_out < room) /* what was good before the damage goes on; the next call says it again */
        return SF_OK;
    return refuse_data(unpacker, gzip->msg ? gzip->msg : zError(status), err);
}

#ifdef KIT_HAS_ZSTD
static SfStatus step_zstd(Unpacker *unpacker, Step *step, SfError *err)
{
    ZSTD_inBuffer in = {.src = step->data, .size = step->size};
    ZSTD_outBuffer out = {.dst = step->out, .size = step->room};
    size_t left = ZSTD_decompressStream(unpacker->zstd, &out, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return sf_fail(
            err, SF_FATAL,
            "the zstd data needs more than %zu KiB of memory to be read; compress it anew without --long and "
            "--ultra",
            unpacker->window >> 10);
    if (ZSTD_isError(left))
        return refuse_data(unpacker, ZSTD_getErrorName(left), err);
    step->ended = left == 0;
    step->data += in.pos;
    step->size -= in.pos;
    step->out += out.pos;
    step->room -= out.pos;
    return SF_OK;
}
#endif

static SfStatus step_codec(Unpacker *unpacker, Step *step, SfError *err)
{
#ifdef KIT_HAS_ZSTD
    if (unpacker->compression == COMPRESSION_ZSTD)
        return step_zstd(unpacker, step, err);
#endif
    return step_gzip(unpacker, step, err);
}

/* Tapes and block devices pad files by zeros, which gzip(1) passes over, too. */
static SfStatus skip_padding(const Unpacker *unpacker, Step *step, SfError *err)
{
    while (step->size > 0 && *step->data == '\0') {
        step->data++;
        step->size--;
    }
    return step->size == 0 ? SF_OK : refuse_data(unpacker, "other bytes follow behind its end", err);
}

static SfStatus begin_member(Unpacker *unpacker, Step *step, SfError *err)
{
    bool follows = unpacker->state != STATE_BEGIN;
    unpacker->state = follows && *step->data == '\0' ? STATE_PADDING : STATE_MEMBER;
    return unpacker->state == STATE_PADDING ? skip_padding(unpacker, step, err) : SF_OK;
}

SfStatus unpacker_run(Unpacker *unpacker, const char **data, size_t *size, char *out, size_t room, size_t *got,
                      SfError *err)
{
    Step step = {.data = *data, .size = *size, .out = out, .room = room};
    bool stuck = false;
    SfStatus status = SF_OK;
    while (status == SF_OK && step.room == room && !stuck) {
        if (unpacker->state == STATE_MEMBER) {
            size_t before = step.size;
            status = step_codec(unpacker, &step, err);
            stuck = step.size == before && step.room == room && !step.ended;
            unpacker->state = step.ended ? STATE_BETWEEN : STATE_MEMBER;
        } else if (step.size == 0) {
            stuck = true;
        } else if (unpacker->state == STATE_PADDING) {
            status = skip_padding(unpacker, &step, err);
        } else {
            status = begin_member(unpacker, &step, err);
        }
    }
    *data = step.data;
    *size = step.size;
    *got = room - step.room;
    SF_TRY(status);
    return *got > 0 ? SF_OK : SF_EMPTY;
}
