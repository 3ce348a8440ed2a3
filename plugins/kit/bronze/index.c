/* The index of an object's rows. Its text comes back from a bucket that others may write to: it is walked through once
 * before anything of it is believed. */
#include "index.h"

#include <string.h>

#include "civil.h"

/* 0001-01-01 … 9999-12-31: differences of such times have room for the kind. */
#define INDEX_MIN_US (INT64_C(-719162) * CIVIL_DAY_US)
#define INDEX_MAX_US (INT64_C(2932897) * CIVIL_DAY_US - 1)

typedef enum RowKind { KIND_MS, KIND_US, KIND_OTHER, KIND_PREFIX } RowKind;
enum { OTHER_NONE, OTHER_PLAIN }; /* numbers of KIND_OTHER */
enum { INDEX_VERSION = 1, INDEX_LEVEL = 6, VARINT_MAX = 10, ROW_MAX = 3 * VARINT_MAX, ROOM_MIN = 256 };
enum { KIND_BITS = 2, KIND_MASK = 3 };

/* ---- writing ---- */

void index_writer_init(IndexWriter *writer, int64_t first)
{
    *writer = (IndexWriter){.next = first};
}

void index_writer_done(IndexWriter *writer)
{
    g_free(writer->rows);
    g_clear_pointer(&writer->runs, g_byte_array_unref);
    *writer = (IndexWriter){0};
}

static size_t put_varint(uint8_t *to, uint64_t number)
{
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        to[size++] = (uint8_t) (number | 0x80);
    to[size++] = (uint8_t) number;
    return size;
}

static uint64_t zigzag(int64_t number)
{
    return ((uint64_t) number << 1) ^ (uint64_t) (number >> 63);
}

static void put_run(IndexWriter *writer)
{
    uint8_t bytes[2 * VARINT_MAX];
    size_t size = put_varint(bytes, (uint64_t) writer->passed);
    size += put_varint(bytes + size, (uint64_t) writer->run - 1);
    if (!writer->runs)
        writer->runs = g_byte_array_new();
    g_byte_array_append(writer->runs, bytes, (guint) size);
}

static bool reserve_row(IndexWriter *writer)
{
    if (writer->room - writer->size >= ROW_MAX)
        return true;
    size_t room = writer->room > SIZE_MAX / 2 ? SIZE_MAX : MAX(2 * writer->room, ROOM_MIN);
    uint8_t *rows = g_try_realloc(writer->rows, room);
    if (!rows)
        return false;
    writer->rows = rows;
    writer->room = room;
    return true;
}

static size_t put_time(IndexWriter *writer, uint8_t *to, int64_t time_us)
{
    if (time_us == INDEX_NO_TIMESTAMP)
        return put_varint(to, OTHER_NONE << KIND_BITS | KIND_OTHER);
    if (time_us < INDEX_MIN_US || time_us > INDEX_MAX_US) {
        size_t size = put_varint(to, OTHER_PLAIN << KIND_BITS | KIND_OTHER);
        return size + put_varint(to + size, zigzag(time_us));
    }
    int64_t difference = time_us - writer->time_us;
    writer->time_us = time_us;
    if (difference % 1000 == 0)
        return put_varint(to, zigzag(difference / 1000) << KIND_BITS | KIND_MS);
    return put_varint(to, zigzag(difference) << KIND_BITS | KIND_US);
}

bool index_add_slowly(IndexWriter *writer, const IndexRow *row)
{
    if (!reserve_row(writer))
        return false;
    if (row->position != writer->next) {
        if (writer->run > 0)
            put_run(writer);
        writer->passed = row->position - writer->next;
        writer->run = 0;
    }
    writer->next = row->position + 1;
    writer->run++;
    if (row->null || row->breaks > 0)
        writer->size += put_varint(writer->rows + writer->size, (uint64_t) row->breaks << KIND_BITS | KIND_PREFIX);
    writer->size += put_time(writer, writer->rows + writer->size, row->time_us);
    return true;
}

static GByteArray *plain_index(IndexWriter *writer)
{
    uint8_t head[2 * VARINT_MAX];
    if (writer->run > 0)
        put_run(writer);
    guint runs = writer->runs ? writer->runs->len : 0;
    size_t size = put_varint(head, INDEX_VERSION);
    size += put_varint(head + size, runs);
    if (writer->size > G_MAXINT32 - size - runs)
        return NULL;
    GByteArray *bytes = g_byte_array_sized_new((guint) (size + runs + writer->size));
    g_byte_array_append(bytes, head, (guint) size);
    if (runs > 0)
        g_byte_array_append(bytes, writer->runs->data, runs);
    return g_byte_array_append(bytes, writer->rows, (guint) writer->size);
}

char *index_end(IndexWriter *writer, Compressor *compressor)
{
    SfError err;
    g_autoptr(GByteArray) plain = plain_index(writer);
    size_t used, room = plain ? compress_bound(COMPRESSION_GZIP, plain->len) : 0;
    g_autofree uint8_t *packed = plain ? g_try_malloc(sizeof(uint64_t) + room) : NULL;
    if (!packed)
        return NULL;
    uint64_t size = GUINT64_TO_LE((uint64_t) plain->len);
    memcpy(packed, &size, sizeof size);
    if (compress_block(compressor, COMPRESSION_GZIP, INDEX_LEVEL, plain->data, plain->len, packed + sizeof size, room,
                       &used, &err) != SF_OK)
        return NULL;
    index_writer_done(writer);
    return g_base64_encode(packed, sizeof size + used);
}

/* ---- reading ---- */

struct IndexReader {
    uint8_t *bytes;
    const uint8_t *run_at;
    const uint8_t *rows_begin; /* the runs' end */
    const uint8_t *row_at;
    const uint8_t *end;
    int64_t next;
    int64_t left; /* rows of the run */
    int64_t time_us;
};

void index_reader_free(IndexReader *reader)
{
    if (!reader)
        return;
    g_free(reader->bytes);
    g_free(reader);
}

size_t index_reader_held(const IndexReader *reader)
{
    return (size_t) (reader->end - reader->bytes);
}

static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return false;
        *number |= (uint64_t) (byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool next_run(IndexReader *reader)
{
    uint64_t passed, more;
    if (!get_varint(&reader->run_at, reader->rows_begin, &passed) ||
        !get_varint(&reader->run_at, reader->rows_begin, &more))
        return false;
    if (passed > INT64_MAX || more >= INT64_MAX)
        return false;
    reader->left = (int64_t) more + 1;
    return !__builtin_add_overflow(reader->next, (int64_t) passed, &reader->next) &&
           reader->next <= INT64_MAX - reader->left;
}

static int64_t unzigzag(uint64_t number)
{
    return (int64_t) (number >> 1) ^ -(int64_t) (number & 1);
}

static bool get_other_time(IndexReader *reader, uint64_t number, IndexRow *row)
{
    uint64_t time;
    row->time_us = INDEX_NO_TIMESTAMP;
    if (number != OTHER_PLAIN)
        return number == OTHER_NONE;
    if (!get_varint(&reader->row_at, reader->end, &time))
        return false;
    row->time_us = unzigzag(time);
    return true;
}

static bool get_time(IndexReader *reader, uint64_t token, IndexRow *row)
{
    uint64_t number = token >> KIND_BITS;
    int64_t difference = unzigzag(number);
    switch ((RowKind) (token & KIND_MASK)) {
    case KIND_OTHER:
        return get_other_time(reader, number, row);
    case KIND_MS:
        if (__builtin_mul_overflow(difference, 1000, &difference))
            return false;
        break;
    case KIND_US:
        break;
    default:
        return false;
    }
    if (__builtin_add_overflow(reader->time_us, difference, &reader->time_us))
        return false;
    row->time_us = reader->time_us;
    return row->time_us >= INDEX_MIN_US && row->time_us <= INDEX_MAX_US;
}

bool index_reader_next(IndexReader *reader, IndexRow *row)
{
    uint64_t token;
    if (reader->row_at == reader->end || (reader->left == 0 && !next_run(reader)))
        return false;
    if (!get_varint(&reader->row_at, reader->end, &token))
        return false;
    bool prefix = (token & KIND_MASK) == KIND_PREFIX;
    row->breaks = prefix ? (int64_t) (token >> KIND_BITS) : 0;
    row->null = prefix && row->breaks == 0;
    if (prefix && !get_varint(&reader->row_at, reader->end, &token))
        return false;
    if (!get_time(reader, token, row))
        return false;
    row->position = reader->next++;
    reader->left--;
    return true;
}

static bool begin_reading(IndexReader *reader, size_t size, int64_t first)
{
    uint64_t version, runs;
    reader->run_at = reader->bytes;
    reader->end = reader->bytes + size;
    reader->next = first;
    if (!get_varint(&reader->run_at, reader->end, &version) || version != INDEX_VERSION)
        return false;
    if (!get_varint(&reader->run_at, reader->end, &runs) || runs > (uint64_t) (reader->end - reader->run_at))
        return false;
    reader->rows_begin = reader->row_at = reader->run_at + runs;
    return true;
}

/* Whether it has so many rows, from the first position to the last or within them (an entry that was amended keeps the
 * bounds that it had), and nothing behind them. The copy is left as it was. */
static bool is_index_of(const IndexReader *reader, int64_t first, int64_t last, int64_t rows)
{
    IndexReader copy = *reader;
    IndexRow row = {.position = first};
    int64_t n = 0;
    while (n < rows && index_reader_next(&copy, &row))
        n++;
    return n == rows && row.position <= last && copy.row_at == copy.end && copy.left == 0 &&
           copy.run_at == copy.rows_begin;
}

/* The size that the text claims is believed as far as the rows allow. */
static bool unpack_index(IndexReader *reader, const char *text, int64_t rows, size_t *size)
{
    gsize packed_size;
    SfError err;
    g_autofree guchar *packed = g_base64_decode(text, &packed_size);
    uint64_t claimed;
    if (packed_size < sizeof claimed)
        return false;
    memcpy(&claimed, packed, sizeof claimed);
    claimed = GUINT64_FROM_LE(claimed);
    if (claimed == 0 || claimed > G_MAXINT32 || (claimed - 1) / (4 * VARINT_MAX) > (uint64_t) rows)
        return false;
    reader->bytes = g_try_malloc(claimed);
    g_autoptr(Compressor) compressor = compressor_new();
    bool good = reader->bytes && decompress_block(compressor, COMPRESSION_GZIP, packed + sizeof claimed,
                                                  packed_size - sizeof claimed, reader->bytes, claimed, &err) == SF_OK;
    *size = claimed;
    return good;
}

IndexReader *index_reader_new(const char *text, int64_t first, int64_t last, int64_t rows, SfError *err)
{
    g_autoptr(IndexReader) reader = g_new0(IndexReader, 1);
    size_t size = 0;
    bool good = unpack_index(reader, text, rows, &size) && begin_reading(reader, size, first) &&
                is_index_of(reader, first, last, rows);
    if (good)
        return g_steal_pointer(&reader);
    sf_fail(err, SF_CONFIG,
            "the index is not that of %" G_GINT64_FORMAT " rows from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
            (gint64) rows, (gint64) first, (gint64) last);
    return NULL;
}
