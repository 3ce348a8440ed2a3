/* Compressed bytes: whole blocks whose size is known, and streams of any size. All input is hostile: nothing is written
 * beyond the room that the caller gives, and what a stream holds is bounded whatever it says of itself. */
#ifndef KIT_COMPRESS_H
#define KIT_COMPRESS_H

#include <glib.h>
#include <sf/sf.h>

typedef enum Compression {
    COMPRESSION_NONE,
    COMPRESSION_GZIP,  /* RFC 1952, one member or several */
    COMPRESSION_ZSTD,  /* RFC 8878, one frame or several; not in every build */
    COMPRESSION_SNAPPY /* blocks only, in the raw format; not in every build */
} Compression;

/* "gzip", … for messages. */
const char *compression_name(Compression compression);

/* What the first bytes of a file say; COMPRESSION_NONE: something else. Four bytes are enough. */
Compression compression_of(const void *head, size_t size);

/* What a file's name says of its packing (.gz, .zst, .zstd); COMPRESSION_NONE: nothing. */
Compression compression_of_name(const char *name);

/* Why lines are not read out of a file that begins so, and what helps: "packed by xz; …"; NULL: nothing is known
 * against it. Six bytes are enough. */
const char *packing_problem(const void *head, size_t size);

/* ---- blocks (block.c) ---- */

/* Contexts that are kept from one block to the next; one thread at a time. */
typedef struct Compressor Compressor;
Compressor *compressor_new(void);
void compressor_free(Compressor *compressor);

/* Bytes that a block of this size may take when it is compressed, at most. */
size_t compress_bound(Compression compression, size_t size);

/* Into `room` bytes, at least compress_bound(); NONE copies. Level: of zstd 1 … 19, of gzip 0 … 9 or -1; snappy has
 * none. SF_FATAL: no memory. SF_CONFIG: this build lacks the codec. */
SfStatus compress_block(Compressor *compressor, Compression compression, int level, const void *data, size_t size,
                        void *out, size_t room, size_t *written, SfError *err);

/* Into exactly `size` bytes. SF_FATAL: the data is damaged, ends early or gives any other number; nothing behind
 * them is touched. SF_CONFIG: this build lacks the codec. */
SfStatus decompress_block(Compressor *compressor, Compression compression, const void *data, size_t packed, void *out,
                          size_t size, SfError *err);

/* ---- a gzip file in the making (pack.c) ---- */

/* The header has no time and a fixed system, and blocks do not depend on how the input was cut unless the level is 0:
 * the same bytes give the same file. */
typedef struct Pack Pack;

/* Level 0 … 9 or -1, zlib's default. NULL: no memory. */
Pack *pack_new(int level);
void pack_free(Pack *pack);

/* Appends. false: no memory, and the file cannot be gone on with. */
bool pack_add(Pack *pack, const char *data, size_t size);

/* What there is of the file by now, and is not dropped yet: borrowed until the next call. */
const char *pack_data(const Pack *pack, size_t *size);
/* Somebody else has the first bytes of it. */
void pack_drop(Pack *pack, size_t size);

/* The file up to its end, without what was dropped, or NULL: no memory. */
GBytes *pack_end(Pack *pack);

/* Bytes of memory that it holds. */
size_t pack_held(const Pack *pack);

/* ---- a stream that is read piece by piece (unpack.c) ---- */

typedef struct Unpacker Unpacker;

/* Of gzip or zstd, which may look back by so many bytes (1 KiB … 128 MiB; gzip by 32 KiB always), and holds as many.
 * NULL: SF_CONFIG, this build lacks the codec, or SF_FATAL, no memory. */
#define UNPACK_WINDOW ((size_t) 8 << 20) /* of all that is written without --long and --ultra */
Unpacker *unpacker_new(Compression compression, size_t window, SfError *err);
void unpacker_free(Unpacker *unpacker);
Compression unpacker_compression(const Unpacker *unpacker);

/* Takes from *data, which moves on, and writes at most `room` bytes (not 0). SF_OK: *got > 0. SF_EMPTY: all of the
 * data is taken, and there is nothing to write without more. SF_FATAL: it is damaged, or what follows the last member
 * is neither another one nor zeros (padding), or it looks back by more than the window. */
SfStatus unpacker_run(Unpacker *unpacker, const char **data, size_t *size, char *out, size_t room, size_t *got,
                      SfError *err);

/* Whether a file may end where the data has been taken to: between two members. Not at its very beginning. */
bool unpacker_is_complete(const Unpacker *unpacker);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Compressor, compressor_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pack, pack_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Unpacker, unpacker_free)

#endif
