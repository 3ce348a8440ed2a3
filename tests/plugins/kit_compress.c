/* Blocks and streams of all codecs: there and back, by foreign programs and from them, and hostile. Nothing is ever
 * written behind the room. */
#include "compress/compress.h"

#include <glib/gstdio.h>
#include <string.h>

enum { CANARY = 64 };

static const Compression blocks[] = {COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_SNAPPY};

/* So many bytes with a canary behind them. */
static char *room_new(size_t size)
{
    char *room = g_malloc(size + CANARY);
    memset(room + size, 0x5A, CANARY);
    return room;
}

static void check_room(const char *room, size_t size)
{
    for (size_t i = 0; i < CANARY; i++)
        g_assert_cmpint(room[size + i], ==, 0x5A);
}

/* Some of what is left. */
static size_t piece_of(size_t left, int most)
{
    size_t piece = (size_t) g_test_rand_int_range(1, most + 1);
    return MIN(piece, left);
}

/* Some of it repeats, some does not. */
static char *bytes_new(size_t size)
{
    char *bytes = g_malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char) (i % 1000 < 300 ? g_test_rand_int() : "streamforge "[i % 12]);
    return bytes;
}

static char *pack_block(Compression compression, const char *data, size_t size, size_t *packed)
{
    g_autoptr(Compressor) compressor = compressor_new();
    SfError err = {0};
    size_t bound = compress_bound(compression, size);
    char *out = room_new(bound);
    SfStatus status = compress_block(compressor, compression, 3, data, size, out, bound, packed, &err);
    g_assert_cmpint(status, ==, SF_OK);
    check_room(out, bound);
    return out;
}

static void blocks_come_back(void)
{
    static const size_t sizes[] = {0, 1, 13, 4096, 300001};
    g_autoptr(Compressor) compressor = compressor_new();
    for (gsize c = 0; c < G_N_ELEMENTS(blocks); c++)
        for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
            SfError err = {0};
            size_t size = sizes[s], packed;
            g_autofree char *data = bytes_new(size), *out = room_new(size);
            g_autofree char *block = pack_block(blocks[c], data, size, &packed);
            if (size == 300001 && blocks[c] != COMPRESSION_NONE)
                g_assert_cmpuint(packed, <, size / 2);
            SfStatus status = decompress_block(compressor, blocks[c], block, packed, out, size, &err);
            g_assert_cmpint(status, ==, SF_OK);
            g_assert_cmpmem(out, size, data, size);
            check_room(out, size);
        }
}

static void refuse_block(Compression compression, const char *data, size_t packed, size_t size)
{
    g_autoptr(Compressor) compressor = compressor_new();
    g_autofree char *out = room_new(size);
    SfError err = {0};
    SfStatus status = decompress_block(compressor, compression, data, packed, out, size, &err);
    g_assert_cmpint(status, ==, SF_FATAL);
    g_autofree char *message =
        g_strdup_printf("%zu bytes of %s do not decompress to %zu", packed, compression_name(compression), size);
    g_assert_cmpstr(err.message, ==, message);
    check_room(out, size);
}

/* Cut anywhere, or of another size than the caller knows, up to a bomb's. */
static void blocks_of_another_size_are_refused(void)
{
    for (gsize c = 0; c < G_N_ELEMENTS(blocks); c++) {
        size_t size = 2000, packed, bomb_packed;
        g_autofree char *data = bytes_new(size), *zeros = g_malloc0(5 << 20);
        g_autofree char *block = pack_block(blocks[c], data, size, &packed);
        for (size_t cut = 0; cut < packed; cut++) {
            g_autofree char *exact = g_memdup2(block, cut); /* a sanitizer sees what is read behind it */
            refuse_block(blocks[c], exact, cut, size);
        }
        refuse_block(blocks[c], block, packed, size - 1);
        refuse_block(blocks[c], block, packed, size + 1);
        refuse_block(blocks[c], block, packed, 0);
        g_autofree char *bomb = pack_block(blocks[c], zeros, 5 << 20, &bomb_packed);
        refuse_block(blocks[c], bomb, bomb_packed, 1000);
    }
}

/* Every byte changed: refused or not, nothing behind the room is touched, and checksums catch it where there are. */
static void damaged_blocks_do_no_harm(void)
{
    g_autoptr(Compressor) compressor = compressor_new();
    for (gsize c = 0; c < G_N_ELEMENTS(blocks); c++) {
        size_t size = 1500, packed;
        g_autofree char *data = bytes_new(size), *out = room_new(size);
        g_autofree char *block = pack_block(blocks[c], data, size, &packed);
        for (size_t i = 0; i < packed; i++) {
            SfError err = {0};
            block[i] ^= (char) (1 << g_test_rand_int_range(0, 8));
            SfStatus status = decompress_block(compressor, blocks[c], block, packed, out, size, &err);
            g_assert_true(status == SF_OK || status == SF_FATAL);
            if (status == SF_OK && blocks[c] == COMPRESSION_GZIP) /* bytes of the header that mean nothing */
                g_assert_cmpmem(out, size, data, size);
            check_room(out, size);
            block[i] = (char) g_test_rand_int();
        }
    }
}

static void room_that_is_too_small_is_refused(void)
{
    g_autoptr(Compressor) compressor = compressor_new();
    g_autofree char *data = bytes_new(5000);
    for (gsize c = 0; c < G_N_ELEMENTS(blocks); c++) {
        SfError err = {0};
        g_autofree char *out = room_new(10);
        size_t written;
        SfStatus status = compress_block(compressor, blocks[c], 3, data, 5000, out, 10, &written, &err);
        g_assert_cmpint(status, ==, SF_FATAL);
        check_room(out, 10);
    }
}

typedef struct Foreign {
    Compression compression;
    const char *bytes;
    size_t size;
} Foreign;

#define BYTES(text) text, sizeof(text) - 1

/* "one\ntwo\n" by others. */
static const Foreign foreign[] = {
    {COMPRESSION_SNAPPY, BYTES("\x08\x1c"
                               "one\ntwo\n")},                                                   /* pyarrow */
    {COMPRESSION_ZSTD, BYTES("\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00one\ntwo\n")},                 /* pyarrow */
    {COMPRESSION_ZSTD, BYTES("\x28\xb5\x2f\xfd\x04\x58\x41\x00\x00one\ntwo\n\xe6\xa6\x0e\x40")}, /* zstd(1) 1.5 */
    {COMPRESSION_GZIP, BYTES("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\xe5\x2a\x29\xcf\xe7\x02\x00\xe6\x0b"
                             "\xba\x12\x08\x00\x00\x00")}, /* pyarrow */
};

static void blocks_of_others_are_read(void)
{
    g_autoptr(Compressor) compressor = compressor_new();
    for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++) {
        SfError err = {0};
        g_autofree char *out = room_new(8);
        SfStatus status =
            decompress_block(compressor, foreign[i].compression, foreign[i].bytes, foreign[i].size, out, 8, &err);
        g_assert_cmpint(status, ==, SF_OK);
        g_assert_cmpmem(out, 8, "one\ntwo\n", 8);
        check_room(out, 8);
    }
}

/* ---- streams ---- */

typedef struct Stream {
    Unpacker *unpacker;
    GByteArray *out;
    SfStatus status; /* of the last run */
    SfError err;
} Stream;

static void stream_init(Stream *stream, Compression compression)
{
    *stream = (Stream){.unpacker = unpacker_new(compression, UNPACK_WINDOW, &stream->err), .out = g_byte_array_new()};
    g_assert_nonnull(stream->unpacker);
    g_assert_cmpint(unpacker_compression(stream->unpacker), ==, compression);
}

static void stream_done(Stream *stream)
{
    unpacker_free(stream->unpacker);
    g_byte_array_unref(stream->out);
}

/* All of the data, into rooms of any size up to `room`. */
static void stream_feed(Stream *stream, const char *bytes, size_t size, int room_max)
{
    g_autofree char *exact = g_memdup2(bytes, size);
    const char *data = exact;
    do {
        size_t room = (size_t) g_test_rand_int_range(1, room_max + 1), got = 0;
        g_autofree char *out = room_new(room);
        stream->status = unpacker_run(stream->unpacker, &data, &size, out, room, &got, &stream->err);
        check_room(out, room);
        g_assert_true((stream->status == SF_OK) == (got > 0));
        g_byte_array_append(stream->out, (const guint8 *) out, (guint) got);
    } while (stream->status == SF_OK);
    if (stream->status == SF_EMPTY)
        g_assert_cmpuint(size, ==, 0);
}

static void streams_come_back(void)
{
    static const Compression codecs[] = {COMPRESSION_GZIP, COMPRESSION_ZSTD};
    for (gsize c = 0; c < G_N_ELEMENTS(codecs); c++)
        for (int round = 0; round < 20; round++) {
            size_t size = (size_t) g_test_rand_int_range(0, 100000), packed;
            int most = round % 2 ? 3000 : 70000;
            g_autofree char *data = bytes_new(size);
            g_autofree char *block = pack_block(codecs[c], data, size, &packed);
            Stream stream;
            stream_init(&stream, codecs[c]);
            g_assert_false(unpacker_is_complete(stream.unpacker));
            for (int member = 0; member < 2; member++) /* two of them, and each in pieces */
                for (size_t at = 0, piece; at < packed; at += piece) {
                    piece = piece_of(packed - at, most);
                    stream_feed(&stream, block + at, piece, most);
                    g_assert_cmpint(stream.status, ==, SF_EMPTY);
                    g_assert_true(unpacker_is_complete(stream.unpacker) == (at + piece == packed));
                }
            g_assert_cmpuint(stream.out->len, ==, 2 * size);
            g_assert_cmpmem(stream.out->data, size, data, size);
            g_assert_cmpmem(stream.out->data + size, size, data, size);
            stream_done(&stream);
        }
}

static void expect_stream(Compression compression, const char *bytes, size_t size, const char *out, const char *message)
{
    Stream stream;
    stream_init(&stream, compression);
    stream_feed(&stream, bytes, size, 100);
    g_assert_cmpmem(stream.out->data, stream.out->len, out, strlen(out));
    g_assert_cmpint(stream.status, ==, message ? SF_FATAL : SF_EMPTY);
    if (message)
        g_assert_cmpstr(stream.err.message, ==, message);
    else
        g_assert_true(unpacker_is_complete(stream.unpacker));
    stream_done(&stream);
}

static void streams_of_others_are_read(void)
{
    for (gsize i = 1; i < G_N_ELEMENTS(foreign); i++)
        expect_stream(foreign[i].compression, foreign[i].bytes, foreign[i].size, "one\ntwo\n", NULL);
}

/* Zeros behind the end are padding; anything else may be data that nobody would see. */
static void what_follows_a_stream_is_padding_or_damage(void)
{
    const Foreign *gzip = &foreign[3], *zstd = &foreign[2];
    g_autofree char *more = g_malloc0(gzip->size + 1000);
    memcpy(more, gzip->bytes, gzip->size);
    expect_stream(COMPRESSION_GZIP, more, gzip->size + 1000, "one\ntwo\n", NULL);
    more[gzip->size + 999] = 'x';
    expect_stream(COMPRESSION_GZIP, more, gzip->size + 1000, "one\ntwo\n",
                  "the gzip data is damaged (other bytes follow behind its end)");
    more[gzip->size] = 'x';
    expect_stream(COMPRESSION_GZIP, more, gzip->size + 2, "one\ntwo\n",
                  "the gzip data is damaged (incorrect header check)");
    expect_stream(COMPRESSION_GZIP, "\0\0\0", 3, "", "the gzip data is damaged (incorrect header check)");
    g_autofree char *both = g_malloc0(zstd->size + 4);
    memcpy(both, zstd->bytes, zstd->size);
    memcpy(both + zstd->size, "abcd", 4);
    expect_stream(COMPRESSION_ZSTD, both, zstd->size + 4, "one\ntwo\n",
                  "the zstd data is damaged (Unknown frame descriptor)");
    both[zstd->size - 1] ^= 1; /* of the checksum */
    Stream stream;
    stream_init(&stream, COMPRESSION_ZSTD);
    stream_feed(&stream, both, zstd->size, 100);
    g_assert_cmpint(stream.status, ==, SF_FATAL);
    g_assert_cmpstr(stream.err.message, ==, "the zstd data is damaged (Restored data doesn't match checksum)");
    stream_done(&stream);
}

static void streams_that_are_cut_want_more(void)
{
    for (gsize i = 1; i < G_N_ELEMENTS(foreign); i++)
        for (size_t cut = 0; cut < foreign[i].size; cut++) {
            Stream stream;
            stream_init(&stream, foreign[i].compression);
            stream_feed(&stream, foreign[i].bytes, cut, 100);
            g_assert_cmpint(stream.status, ==, SF_EMPTY);
            g_assert_false(unpacker_is_complete(stream.unpacker));
            stream_done(&stream);
        }
}

/* A frame that says that it looks back by 16 MiB (RFC 8878, 3.1.1.1.2: exponent 14, mantissa 0) is not believed. */
static void windows_are_bounded(void)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";
    expect_stream(COMPRESSION_ZSTD, BYTES(frame), "",
                  "the zstd data needs more than 8192 KiB of memory to be read; compress it anew without --long and "
                  "--ultra");
    SfError err = {0};
    g_autoptr(Unpacker) wider = unpacker_new(COMPRESSION_ZSTD, UNPACK_WINDOW * 2, &err);
    const char *data = frame;
    size_t size = sizeof frame - 1, got;
    char out[8];
    g_assert_cmpint(unpacker_run(wider, &data, &size, out, sizeof out, &got, &err), ==, SF_EMPTY);
    g_assert_true(unpacker_is_complete(wider));
}

static void what_has_no_stream_is_refused(void)
{
    SfError err = {0};
    g_assert_null(unpacker_new(COMPRESSION_SNAPPY, UNPACK_WINDOW, &err));
    g_assert_cmpstr(err.message, ==, "snappy has no streams here");
    g_autoptr(Compressor) compressor = compressor_new();
    char out[8];
    g_assert_cmpint(decompress_block(compressor, (Compression) 9, "x", 1, out, 1, &err), ==, SF_CONFIG);
    g_assert_cmpstr(err.message, ==, "this Streamforge was built without an unknown codec");
}

static void first_bytes_tell_the_codec(void)
{
    g_assert_cmpint(compression_of("\x1f\x8b", 2), ==, COMPRESSION_GZIP);
    g_assert_cmpint(compression_of("\x1f\x8b", 1), ==, COMPRESSION_NONE);
    g_assert_cmpint(compression_of("\x28\xb5\x2f\xfd", 4), ==, COMPRESSION_ZSTD);
    g_assert_cmpint(compression_of("\x28\xb5\x2f\xfd", 3), ==, COMPRESSION_NONE);
    g_assert_cmpint(compression_of("{\"a\":1}", 7), ==, COMPRESSION_NONE);
    g_assert_cmpint(compression_of("", 0), ==, COMPRESSION_NONE);
}

/* ---- files in the making ---- */

static GBytes *pack_pieces(const char *data, size_t size, int level, size_t piece_max, gsize *dropped)
{
    g_autoptr(Pack) pack = pack_new(level);
    g_autoptr(GByteArray) file = g_byte_array_new();
    *dropped = 0;
    for (size_t at = 0, piece; at < size; at += piece) {
        piece = piece_of(size - at, (int) piece_max);
        g_assert_true(pack_add(pack, data + at, piece));
        size_t there;
        const char *head = pack_data(pack, &there);
        size_t take = there / 2;
        g_byte_array_append(file, (const guint8 *) head, (guint) take);
        pack_drop(pack, take);
        *dropped += take;
        g_assert_cmpuint(pack_held(pack), >=, (gsize) 264 << 10);
    }
    g_autoptr(GBytes) rest = pack_end(pack);
    gsize rest_size;
    const guint8 *bytes = g_bytes_get_data(rest, &rest_size);
    g_byte_array_append(file, bytes, (guint) rest_size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

/* gzip(1) reads them; and the same bytes give the same file, however they came. */
static void files_are_gzips(void)
{
    size_t size = 2000000;
    gsize dropped;
    g_autofree char *data = bytes_new(size);
    g_autoptr(GBytes) file = pack_pieces(data, size, 6, 100000, &dropped);
    g_assert_cmpuint(dropped, >, 0);
    g_autoptr(GBytes) again = pack_pieces(data, size, 6, 7000, &dropped);
    g_assert_true(g_bytes_equal(file, again));
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("sf-pack-XXXXXX.gz", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    g_assert_true(g_file_set_contents(path, g_bytes_get_data(file, NULL), (gssize) g_bytes_get_size(file), NULL));
    g_autofree char *command = g_strdup_printf("sh -c 'gzip -t %s && gzip -dc %s | cksum'", path, path);
    g_autofree char *plain = g_strconcat(path, ".plain", NULL);
    g_assert_true(g_file_set_contents(plain, data, (gssize) size, NULL));
    g_autofree char *command_plain = g_strdup_printf("sh -c 'cksum < %s'", plain);
    g_autofree char *said = NULL, *plain_said = NULL;
    int status, plain_status;
    g_assert_true(g_spawn_command_line_sync(command, &said, NULL, &status, NULL));
    g_assert_true(g_spawn_command_line_sync(command_plain, &plain_said, NULL, &plain_status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(plain_status, ==, 0);
    g_assert_cmpstr(said, ==, plain_said);
    g_unlink(path);
    g_unlink(plain);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compress/blocks come back", blocks_come_back);
    g_test_add_func("/compress/blocks of another size are refused", blocks_of_another_size_are_refused);
    g_test_add_func("/compress/damaged blocks do no harm", damaged_blocks_do_no_harm);
    g_test_add_func("/compress/room that is too small is refused", room_that_is_too_small_is_refused);
    g_test_add_func("/compress/blocks of others are read", blocks_of_others_are_read);
    g_test_add_func("/compress/streams come back", streams_come_back);
    g_test_add_func("/compress/streams of others are read", streams_of_others_are_read);
    g_test_add_func("/compress/what follows a stream is padding or damage", what_follows_a_stream_is_padding_or_damage);
    g_test_add_func("/compress/streams that are cut want more", streams_that_are_cut_want_more);
    g_test_add_func("/compress/windows are bounded", windows_are_bounded);
    g_test_add_func("/compress/what has no stream is refused", what_has_no_stream_is_refused);
    g_test_add_func("/compress/first bytes tell the codec", first_bytes_tell_the_codec);
    g_test_add_func("/compress/files are gzips", files_are_gzips);
    return g_test_run();
}
