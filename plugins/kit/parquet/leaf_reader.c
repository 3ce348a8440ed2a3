/* Pages of one column chunk (data page v1; parquet-format README, "Data Pages"): bytes that are not trusted. */
#include "leaf_reader.h"

#include <libdeflate.h>

/* Of one page. Writers cut pages at 1 MiB, some at a row group; what is more than these is a bomb. */
#define MAX_PAGE (64 << 20)
#define MAX_LEVELS (1 << 22) /* runs make them cheap to claim */

#define HEADER_BYTES 4096 /* most have less than a hundred */
#define MAX_HEADER (16 << 20)

typedef struct PageHeader {
    int type;
    int64_t unpacked;
    int64_t packed;
    bool has_crc;
    uint32_t crc;
    int64_t n;
    int encoding;
    int def_encoding;
    int rep_encoding;
    size_t size; /* of the header itself */
} PageHeader;

void leaf_reader_init(LeafReader *reader, const FileNode *node, const ParquetInput *input, Codec *codec)
{
    *reader = (LeafReader){.node = node, .input = input, .codec = codec};
}

void leaf_reader_done(LeafReader *reader)
{
    buffer_done(&reader->dictionary);
    buffer_done(&reader->dictionary_ends);
    buffer_done(&reader->body);
    buffer_done(&reader->levels);
    buffer_done(&reader->indices);
    g_clear_pointer(&reader->window, g_bytes_unref);
}

size_t leaf_reader_held(const LeafReader *reader)
{
    return reader->dictionary.capacity + reader->dictionary_ends.capacity + reader->body.capacity +
           reader->levels.capacity + reader->indices.capacity;
}

static SfStatus corrupt(const LeafReader *reader, SfError *err, const char *what)
{
    return sf_fail(err, SF_FATAL, "corrupt Parquet file: column '%s': %s", reader->node->name, what);
}

SfStatus leaf_reader_chunk(LeafReader *reader, const FileChunk *chunk, GBytes *whole, int64_t from, int64_t piece,
                           SfError *err)
{
    if (reader->left > 0 || reader->next < reader->n)
        return corrupt(reader, err, "more values than rows");
    g_clear_pointer(&reader->window, g_bytes_unref);
    reader->kind = chunk->codec;
    reader->at = reader->end = NULL;
    reader->offset = chunk->offset;
    reader->behind = chunk->size;
    reader->piece = piece;
    if (whole) {
        reader->window = g_bytes_ref(whole);
        reader->at = (const uint8_t *) g_bytes_get_data(whole, NULL) + (chunk->offset - from);
        reader->end = reader->at + chunk->size;
        reader->behind = 0;
    }
    reader->left = chunk->n_values;
    reader->n = reader->next = 0;
    reader->dictionary_size = 0;
    return SF_OK;
}

/* The chunk's next `size` bytes into the window, or all that are left. */
static SfStatus look_ahead(LeafReader *reader, int64_t size, SfError *err)
{
    int64_t here = reader->end - reader->at, all = here + reader->behind;
    if (here >= size || reader->behind == 0)
        return SF_OK;
    GBytes *bytes = NULL;
    int64_t wanted = MIN(MAX(size, reader->piece), all);
    SF_TRY(reader->input->read(reader->input->user, reader->offset - here, wanted, &bytes, err));
    g_clear_pointer(&reader->window, g_bytes_unref);
    reader->window = bytes;
    reader->at = g_bytes_get_data(bytes, NULL);
    reader->end = reader->at + wanted;
    reader->offset += wanted - here;
    reader->behind -= wanted - here;
    return SF_OK;
}

static void read_data_header(ThriftReader *reader, PageHeader *header)
{
    ThriftField field = {0};
    while (thrift_next(reader, &field)) {
        if (field.id == DATA_PAGE_NUM_VALUES)
            header->n = thrift_int(reader, &field);
        else if (field.id == DATA_PAGE_ENCODING)
            header->encoding = (int) thrift_int(reader, &field);
        else if (field.id == DATA_PAGE_DEFINITION_ENCODING)
            header->def_encoding = (int) thrift_int(reader, &field);
        else if (field.id == DATA_PAGE_REPETITION_ENCODING)
            header->rep_encoding = (int) thrift_int(reader, &field);
        else
            thrift_skip(reader, &field);
    }
}

/* false: the bytes are not a header, or not all of one. */
static bool parse_header(const LeafReader *reader, PageHeader *header)
{
    ThriftReader thrift = {.at = reader->at, .end = reader->end};
    ThriftField field = {0};
    *header = (PageHeader){.type = -1, .n = -1, .encoding = -1};
    while (thrift_next(&thrift, &field)) {
        if (field.id == PAGE_TYPE) {
            header->type = (int) thrift_int(&thrift, &field);
        } else if (field.id == PAGE_UNCOMPRESSED_SIZE) {
            header->unpacked = thrift_int(&thrift, &field);
        } else if (field.id == PAGE_COMPRESSED_SIZE) {
            header->packed = thrift_int(&thrift, &field);
        } else if (field.id == PAGE_CRC) {
            header->has_crc = true;
            header->crc = (uint32_t) thrift_int(&thrift, &field);
        } else if ((field.id == PAGE_DATA_HEADER || field.id == PAGE_DICTIONARY_HEADER) &&
                   field.type == THRIFT_STRUCT && thrift_enter(&thrift)) {
            read_data_header(&thrift, header);
            thrift_leave(&thrift);
        } else {
            thrift_skip(&thrift, &field);
        }
    }
    header->size = (size_t) (thrift.at - reader->at);
    return !thrift.failed;
}

/* And the page's bytes into the window. */
static SfStatus read_header(LeafReader *reader, PageHeader *header, SfError *err)
{
    SF_TRY(look_ahead(reader, HEADER_BYTES, err));
    while (!parse_header(reader, header)) { /* its statistics may be long */
        if (reader->behind == 0)
            return corrupt(reader, err, "a page header cannot be read");
        int64_t seen = reader->end - reader->at;
        if (seen >= MAX_HEADER)
            return corrupt(reader, err, "a page header exceeds the limit of 16 MiB");
        SF_TRY(look_ahead(reader, MIN(2 * seen, MAX_HEADER), err));
    }
    int64_t left = reader->end - reader->at - (int64_t) header->size + reader->behind;
    if (header->packed < 0 || header->unpacked < 0 || header->packed > left)
        return corrupt(reader, err, "a page header cannot be read");
    if (header->unpacked > MAX_PAGE)
        return sf_fail(err, SF_FATAL, "column '%s': a page of %" G_GINT64_FORMAT " bytes exceeds the limit of %d MiB",
                       reader->node->name, header->unpacked, MAX_PAGE >> 20);
    /* Nor does any codec make more of a page than snappy's worst. */
    if (header->packed > header->unpacked + header->unpacked / 6 + 1024)
        return corrupt(reader, err, "a page claims an impossible size");
    return look_ahead(reader, (int64_t) header->size + header->packed, err);
}

static SfStatus unpack_page(LeafReader *reader, const PageHeader *header, Buffer *out, SfError *err)
{
    const uint8_t *data = reader->at + header->size;
    size_t packed = (size_t) header->packed;
    if (header->has_crc && libdeflate_crc32(0, data, packed) != header->crc)
        return corrupt(reader, err, "a page's CRC does not fit its bytes");
    out->size = 0;
    /* What expands by more than zstd's and snappy's best is a lie; the cap keeps it from being a bomb. */
    if (header->unpacked > (header->packed + 64) * 40000)
        return corrupt(reader, err, "a page claims an impossible size");
    if (!buffer_try_reserve(out, (size_t) header->unpacked))
        return sf_fail(err, SF_FATAL, "no memory for a page of %" G_GINT64_FORMAT " bytes", header->unpacked);
    SF_TRY(codec_decompress(reader->codec, reader->kind, data, packed, out->data, (size_t) header->unpacked, err));
    out->size = (size_t) header->unpacked;
    reader->at = data + packed;
    return SF_OK;
}

/* PLAIN BYTE_ARRAY entries are found by their lengths, once. */
static SfStatus index_dictionary(LeafReader *reader, SfError *err)
{
    const Buffer *body = &reader->dictionary;
    size_t at = 0;
    reader->dictionary_ends.size = 0;
    for (uint32_t i = 0; i < reader->dictionary_size; i++) {
        uint32_t length;
        if (body->size - at < 4)
            return corrupt(reader, err, "the dictionary ends early");
        memcpy(&length, body->data + at, 4);
        at += 4;
        if (GUINT32_FROM_LE(length) > body->size - at)
            return corrupt(reader, err, "the dictionary ends early");
        at += GUINT32_FROM_LE(length);
        uint32_t end = (uint32_t) at;
        buffer_add(&reader->dictionary_ends, &end, sizeof end);
    }
    return SF_OK;
}

static size_t value_width(const FileNode *node)
{
    static const uint8_t widths[] = {[PARQUET_INT32] = 4, [PARQUET_INT64] = 8,  [PARQUET_INT96] = 12,
                                     [PARQUET_FLOAT] = 4, [PARQUET_DOUBLE] = 8, [PARQUET_BYTE_ARRAY] = 0};
    return node->type == PARQUET_FIXED ? (size_t) node->width : widths[node->type];
}

static SfStatus read_dictionary(LeafReader *reader, const PageHeader *header, SfError *err)
{
    size_t width = value_width(reader->node);
    if (header->n < 0 || header->n > INT32_MAX || header->n > header->unpacked ||
        reader->node->type == PARQUET_BOOLEAN ||
        (header->encoding != PARQUET_PLAIN && header->encoding != PARQUET_PLAIN_DICTIONARY))
        return corrupt(reader, err, "an invalid dictionary page");
    SF_TRY(unpack_page(reader, header, &reader->dictionary, err));
    if ((uint64_t) header->n * width > reader->dictionary.size)
        return corrupt(reader, err, "the dictionary ends early");
    reader->dictionary_size = (uint32_t) header->n;
    return reader->node->type == PARQUET_BYTE_ARRAY ? index_dictionary(reader, err) : SF_OK;
}

/* Levels of data page v1: a 4-byte length, then the hybrid; nothing at all when the maximum is 0. */
static SfStatus read_levels(LeafReader *reader, const uint8_t **at, const uint8_t *end, unsigned max, int encoding,
                            uint32_t *out, SfError *err)
{
    if (max == 0) {
        memset(out, 0, reader->n * sizeof *out);
        return SF_OK;
    }
    uint32_t length;
    if (encoding != PARQUET_RLE)
        return corrupt(reader, err, "an encoding of levels that is not supported");
    if (end - *at < 4)
        return corrupt(reader, err, "a page ends within its levels");
    memcpy(&length, *at, 4);
    length = GUINT32_FROM_LE(length);
    *at += 4;
    if (length > (size_t) (end - *at))
        return corrupt(reader, err, "a page ends within its levels");
    HybridReader hybrid;
    hybrid_reader_init(&hybrid, *at, length, hybrid_width(max));
    if (!hybrid_decode(&hybrid, out, reader->n))
        return corrupt(reader, err, "too few levels");
    *at += length;
    for (uint32_t i = 0; i < reader->n; i++)
        if (out[i] > max)
            return corrupt(reader, err, "a level above its maximum");
    return SF_OK;
}

static SfStatus read_indices(LeafReader *reader, const uint8_t *at, const uint8_t *end, SfError *err)
{
    reader->by_index = true;
    if (reader->values == 0)
        return SF_OK;
    if (at >= end || *at > 32)
        return corrupt(reader, err, "a page lacks its dictionary indices");
    HybridReader hybrid;
    hybrid_reader_init(&hybrid, at + 1, (size_t) (end - at - 1), *at);
    if (!buffer_try_reserve(&reader->indices, reader->values * sizeof(uint32_t)))
        return sf_fail(err, SF_FATAL, "no memory for a page of %u values", reader->values);
    uint32_t *indices = (uint32_t *) (void *) reader->indices.data;
    if (!hybrid_decode(&hybrid, indices, reader->values))
        return corrupt(reader, err, "too few dictionary indices");
    for (uint32_t i = 0; i < reader->values; i++)
        if (indices[i] >= reader->dictionary_size)
            return corrupt(reader, err, "an index beyond the dictionary");
    return SF_OK;
}

static SfStatus read_values(LeafReader *reader, const PageHeader *header, const uint8_t *at, SfError *err)
{
    const uint8_t *end = reader->body.data + reader->body.size;
    reader->taken = 0;
    reader->indices.size = 0;
    reader->by_index = false;
    if (header->encoding == PARQUET_RLE_DICTIONARY || header->encoding == PARQUET_PLAIN_DICTIONARY)
        return read_indices(reader, at, end, err);
    if (header->encoding != PARQUET_PLAIN)
        return sf_fail(err, SF_FATAL, "column '%s': Parquet encoding %d is not supported", reader->node->name,
                       header->encoding);
    size_t width = value_width(reader->node);
    size_t needed = reader->node->type == PARQUET_BOOLEAN ? (reader->values + 7u) / 8 : reader->values * width;
    if (needed > (size_t) (end - at))
        return corrupt(reader, err, "a page ends within its values");
    reader->value = at;
    reader->value_end = end;
    return SF_OK;
}

static SfStatus read_data_page(LeafReader *reader, const PageHeader *header, SfError *err)
{
    const FileNode *node = reader->node;
    if (header->n < 0 || header->n > reader->left)
        return corrupt(reader, err, "a page has more values than its column chunk");
    SF_TRY(unpack_page(reader, header, &reader->body, err));
    size_t n = (size_t) header->n;
    if (n > MAX_LEVELS || !buffer_try_reserve(&reader->levels, 2 * n * sizeof(uint32_t)))
        return sf_fail(err, SF_FATAL, "column '%s': a page of %zu values exceeds the limit of %d", node->name, n,
                       MAX_LEVELS);
    uint32_t *levels = (uint32_t *) (void *) reader->levels.data;
    reader->n = (uint32_t) n;
    reader->next = 0;
    const uint8_t *at = reader->body.data;
    const uint8_t *end = at + reader->body.size;
    SF_TRY(read_levels(reader, &at, end, node->max_rep, header->rep_encoding, levels + n, err));
    SF_TRY(read_levels(reader, &at, end, node->max_def, header->def_encoding, levels, err));
    reader->values = 0;
    for (size_t i = 0; i < n; i++)
        reader->values += levels[i] == node->max_def;
    reader->left -= header->n;
    return read_values(reader, header, at, err);
}

SfStatus leaf_reader_fill(LeafReader *reader, SfError *err)
{
    while (reader->next >= reader->n) {
        if (reader->left <= 0)
            return SF_END;
        PageHeader header;
        SF_TRY(read_header(reader, &header, err));
        if (header.type == PARQUET_DATA_PAGE)
            SF_TRY(read_data_page(reader, &header, err));
        else if (header.type == PARQUET_DICTIONARY_PAGE)
            SF_TRY(read_dictionary(reader, &header, err));
        else if (header.type == PARQUET_DATA_PAGE_V2)
            return sf_fail(err, SF_FATAL, "column '%s': data pages of version 2 are not supported", reader->node->name);
        else
            reader->at += header.size + (size_t) header.packed;
    }
    return SF_OK;
}

static SfBytes dictionary_value(const LeafReader *reader, uint32_t index)
{
    const char *data = (const char *) reader->dictionary.data;
    if (reader->node->type != PARQUET_BYTE_ARRAY) {
        size_t width = value_width(reader->node);
        return (SfBytes){data + index * width, (int64_t) width};
    }
    const uint32_t *ends = (const uint32_t *) (const void *) reader->dictionary_ends.data;
    uint32_t start = (index > 0 ? ends[index - 1] : 0) + 4;
    return (SfBytes){data + start, (int64_t) ends[index] - start};
}

SfStatus leaf_reader_value(LeafReader *reader, SfBytes *out, SfError *err)
{
    static const char bits[2] = {0, 1};
    uint32_t number = reader->taken++;
    if (reader->by_index) {
        *out = dictionary_value(reader, ((const uint32_t *) (const void *) reader->indices.data)[number]);
        return SF_OK;
    }
    if (reader->node->type == PARQUET_BOOLEAN) {
        *out = (SfBytes){&bits[reader->value[number / 8] >> number % 8 & 1], 1};
        return SF_OK;
    }
    size_t width = value_width(reader->node);
    if (reader->node->type == PARQUET_BYTE_ARRAY) {
        uint32_t length;
        if (reader->value_end - reader->value < 4)
            return corrupt(reader, err, "a page ends within its values");
        memcpy(&length, reader->value, 4);
        reader->value += 4;
        width = GUINT32_FROM_LE(length);
        if (width > (size_t) (reader->value_end - reader->value))
            return corrupt(reader, err, "a page ends within its values");
    }
    *out = (SfBytes){(const char *) reader->value, (int64_t) width};
    reader->value += width;
    return SF_OK;
}
