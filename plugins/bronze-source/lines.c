/* Lines of one object. Nothing of one that a ledger names is given before size and checksum are the ledger's: an object
 * that fits a piece is read whole, of a larger one the checksum is asked for first. */
#include "source.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>

#define UNPACK_ROOM ((size_t) 64 << 10)

struct Lines {
    Store *store;
    const EntryObject *as;
    bool foreign;
    int64_t piece_size;
    int64_t max_line;
    Unpacker *unpacker; /* NULL: lines are stored as they are */
    GBytes *piece;
    const char *packed; /* what of the piece is not unpacked or copied yet */
    size_t packed_size;
    int64_t offset; /* of what comes behind the piece */
    char *buffer;   /* lines that go over more than one piece, or were unpacked; NULL: they are in the piece */
    size_t room;
    const char *at;
    const char *end;
};

void lines_free(Lines *lines)
{
    if (!lines)
        return;
    unpacker_free(lines->unpacker);
    g_bytes_unref(lines->piece);
    g_free(lines->buffer);
    g_free(lines);
}

size_t lines_held(const Lines *lines)
{
    size_t window = lines->unpacker ? UNPACK_WINDOW / 64 : 0;
    return window + lines->room + (lines->piece ? g_bytes_get_size(lines->piece) : 0);
}

static SfStatus refuse_object(const Lines *lines, const char *why, SfError *err)
{
    if (lines->foreign)
        return sf_fail(err, SF_FATAL, "'%s/%s': %s; put back the whole object, or remove it and set 'on_missing: skip'",
                       store_url(lines->store), lines->as->key, why);
    return sf_fail(err, SF_FATAL,
                   "'%s/%s' (rows %" PRId64 " to %" PRId64 ") is not the object that the ledger describes: %s; put "
                   "back the one that was written, or read these rows from their topic",
                   store_url(lines->store), lines->as->key, lines->as->first, lines->as->last, why);
}

static SfStatus check_sum(const Lines *lines, int64_t size, uint32_t crc32, SfError *err)
{
    g_autofree char *why = NULL;
    if (size != lines->as->bytes)
        why = g_strdup_printf("it has %" PRId64 " bytes, not %" PRId64, size, lines->as->bytes);
    else if (!lines->foreign && crc32 != lines->as->crc32)
        why = g_strdup_printf("its checksum is %08" PRIx32 ", not %08" PRIx32, crc32, lines->as->crc32);
    return why ? refuse_object(lines, why, err) : SF_OK;
}

static SfStatus read_piece(Lines *lines, SfError *err)
{
    g_clear_pointer(&lines->piece, g_bytes_unref);
    SF_TRY(store_read(lines->store, lines->as->key, lines->offset, lines->piece_size, &lines->piece, err));
    gsize size;
    lines->packed = g_bytes_get_data(lines->piece, &size);
    lines->packed_size = size;
    lines->offset += (int64_t) size;
    return SF_OK;
}

/* A byte more than the ledger says is asked for, so that a longer object does not pass for a shorter one. */
static SfStatus check_small(Lines *lines, SfError *err)
{
    lines->piece_size = lines->as->bytes + 1;
    SF_TRY(read_piece(lines, err));
    uint32_t crc32 = lines->foreign ? 0 : libdeflate_crc32(0, lines->packed, lines->packed_size);
    return check_sum(lines, (int64_t) lines->packed_size, crc32, err);
}

static SfStatus check_large(const Lines *lines, SfError *err)
{
    const char *key = lines->as->key;
    StoreSum sum = {0};
    SF_TRY(store_sum_all(lines->store, &key, &sum, 1, err));
    return sum.size < 0 ? SF_EMPTY : check_sum(lines, sum.size, sum.crc32, err);
}

/* What an object is packed by, its first bytes tell; its name must not say something else. */
static SfStatus tell_packing(const Lines *lines, Compression *out, SfError *err)
{
    Compression named = compression_of_name(lines->as->key);
    const char *problem = packing_problem(lines->packed, lines->packed_size);
    if (problem)
        return sf_fail(err, SF_FATAL, "'%s/%s' is %s", store_url(lines->store), lines->as->key, problem);
    *out = compression_of(lines->packed, lines->packed_size);
    if (named == COMPRESSION_NONE || named == *out)
        return SF_OK;
    g_autofree char *why =
        g_strdup_printf("its name ends as that of %s data does, which it does not hold", compression_name(named));
    return refuse_object(lines, why, err);
}

static SfStatus check_foreign(Lines *lines, int64_t piece, Compression *packing, SfError *err)
{
    SF_TRY(lines->as->bytes <= piece ? check_small(lines, err) : read_piece(lines, err));
    return tell_packing(lines, packing, err);
}

SfStatus lines_open(Store *store, const EntryObject *as, const LinesForm *form, Lines **out, SfError *err)
{
    g_autoptr(Lines) lines = g_new0(Lines, 1);
    Compression packing = form->packing;
    *lines = (Lines){
        .store = store, .as = as, .foreign = form->foreign, .piece_size = form->piece / 2, .max_line = form->max_line};
    if (form->foreign)
        SF_TRY(check_foreign(lines, form->piece, &packing, err));
    else
        SF_TRY(as->bytes <= form->piece ? check_small(lines, err) : check_large(lines, err));
    if (packing != COMPRESSION_NONE) {
        lines->unpacker = unpacker_new(packing, UNPACK_WINDOW, err);
        if (!lines->unpacker)
            return sf_fail_prefix(err, SF_FATAL, "'%s/%s'", store_url(store), as->key);
    } else if (lines->offset >= as->bytes) { /* all of it is in the piece */
        lines->at = lines->packed;
        lines->end = lines->packed + lines->packed_size;
        lines->packed_size = 0;
    }
    *out = g_steal_pointer(&lines);
    return SF_OK;
}

static SfStatus check_length(const Lines *lines, size_t size, SfError *err)
{
    if ((int64_t) size <= lines->max_line)
        return SF_OK;
    return sf_fail(err, SF_FATAL, "'%s/%s' has a line of more than %" PRId64 " bytes; raise 'max_line'",
                   store_url(lines->store), lines->as->key, lines->max_line);
}

/* Room for more behind what is left of the lines, which moves to the front. */
static SfStatus lines_make_room(Lines *lines, size_t more, SfError *err)
{
    size_t left = (size_t) (lines->end - lines->at);
    SF_TRY(check_length(lines, left, err));
    if (left > 0 && lines->buffer)
        memmove(lines->buffer, lines->at, left);
    if (lines->room - left < more) {
        size_t room = MAX(left + more, 2 * lines->room);
        char *buffer = g_try_realloc(lines->buffer, room);
        if (!buffer)
            return sf_fail(err, SF_RETRY, "no memory for lines of '%s'", lines->as->key);
        lines->buffer = buffer;
        lines->room = room;
    }
    lines->at = lines->buffer;
    lines->end = lines->buffer + left;
    return SF_OK;
}

static SfStatus unpack_more(Lines *lines, SfError *err)
{
    size_t got;
    SF_TRY(lines_make_room(lines, UNPACK_ROOM, err));
    size_t left = (size_t) (lines->end - lines->buffer);
    SfStatus status = unpacker_run(lines->unpacker, &lines->packed, &lines->packed_size, lines->buffer + left,
                                   lines->room - left, &got, err);
    if (status == SF_OK)
        lines->end += got;
    else if (status != SF_EMPTY)
        sf_fail_prefix(err, status, "'%s/%s'", store_url(lines->store), lines->as->key);
    return status;
}

static SfStatus copy_more(Lines *lines, SfError *err)
{
    if (lines->packed_size == 0)
        return SF_EMPTY;
    SF_TRY(lines_make_room(lines, lines->packed_size, err));
    memcpy(lines->buffer + (lines->end - lines->at), lines->packed, lines->packed_size);
    lines->end += lines->packed_size;
    lines->packed_size = 0;
    return SF_OK;
}

/* More bytes behind `end`. SF_EMPTY: there are none. */
static SfStatus fill_lines(Lines *lines, SfError *err)
{
    for (;;) {
        SfStatus status = lines->unpacker ? unpack_more(lines, err) : copy_more(lines, err);
        if (status != SF_EMPTY || lines->offset >= lines->as->bytes)
            return status;
        status = read_piece(lines, err);
        if (status == SF_EMPTY || (status == SF_OK && lines->packed_size == 0))
            return refuse_object(lines, "it became shorter while it was read", err);
        SF_TRY(status);
        if (lines->offset > lines->as->bytes)
            return refuse_object(lines, "it became longer while it was read", err);
    }
}

/* Behind the last line break. What others wrote may lack the last one. */
static SfStatus end_lines(Lines *lines, const char **data, size_t *size, SfError *err)
{
    if (lines->unpacker && !unpacker_is_complete(lines->unpacker)) {
        g_autofree char *why =
            g_strdup_printf("its %s data ends early", compression_name(unpacker_compression(lines->unpacker)));
        return refuse_object(lines, why, err);
    }
    if (lines->at == lines->end)
        return SF_EMPTY;
    if (!lines->foreign)
        return refuse_object(lines, "its last line has no end", err);
    *data = lines->at;
    *size = (size_t) (lines->end - lines->at);
    lines->at = lines->end;
    return check_length(lines, *size, err);
}

SfStatus lines_next(Lines *lines, int64_t breaks, const char **data, size_t *size, SfError *err)
{
    for (size_t seen = 0;;) {
        size_t left = (size_t) (lines->end - lines->at);
        const char *found = left > seen ? memchr(lines->at + seen, '\n', left - seen) : NULL;
        if (found && breaks-- > 0) {
            seen = (size_t) (found - lines->at) + 1;
            continue;
        }
        if (found) {
            *data = lines->at;
            *size = (size_t) (found - lines->at);
            lines->at = found + 1;
            return check_length(lines, *size, err);
        }
        seen = left;
        SfStatus status = fill_lines(lines, err);
        if (status == SF_EMPTY)
            return end_lines(lines, data, size, err);
        SF_TRY(status);
    }
}
