/* Deletion vectors (PROTOCOL.md, "Deletion Vector Format"): a RoaringBitmapArray, whose 32-bit bitmaps are in the
 * portable format of https://github.com/RoaringBitmap/RoaringFormatSpec. Bytes that are not trusted. */
#include "read.h"

#include <libdeflate.h>

#define MAGIC 1681511377u
#define COOKIE_NO_RUNS 12346
#define COOKIE 12347
#define NO_OFFSETS_BELOW 4 /* containers, in the form with runs */
#define ARRAY_MOST 4096    /* values; more are a bitmap of 8 KiB */
#define CONTAINER_BYTES 8192
#define VECTOR_MAX (INT64_C(1) << 28)

typedef struct Bytes {
    const uint8_t *at;
    const uint8_t *end;
    bool short_; /* more was asked for than there is */
} Bytes;

typedef struct Vector {
    uint8_t *bits;
    int64_t rows;
    int64_t set;
    bool beyond; /* a row that the file does not have */
} Vector;

static uint64_t take(Bytes *bytes, int n)
{
    uint64_t value = 0;
    if (bytes->end - bytes->at < n) {
        bytes->short_ = true;
        return 0;
    }
    for (int i = 0; i < n; i++)
        value |= (uint64_t) bytes->at[i] << (8 * i);
    bytes->at += n;
    return value;
}

static const uint8_t *skip(Bytes *bytes, size_t n)
{
    const uint8_t *at = bytes->at;
    if ((size_t) (bytes->end - bytes->at) < n) {
        bytes->short_ = true;
        return NULL;
    }
    bytes->at += n;
    return at;
}

static void set_row(Vector *vector, uint64_t row)
{
    if (row >= (uint64_t) vector->rows) {
        vector->beyond = true;
        return;
    }
    uint8_t bit = (uint8_t) (1u << (row & 7));
    vector->set += !(vector->bits[row >> 3] & bit);
    vector->bits[row >> 3] |= bit;
}

/* Ascending and apart, so that what it costs is the file's rows. */
static bool read_runs(Bytes *bytes, uint64_t base, Vector *vector)
{
    uint64_t n = take(bytes, 2), next = 0;
    for (uint64_t i = 0; i < n && !bytes->short_ && !vector->beyond; i++) {
        uint64_t first = take(bytes, 2), last = first + take(bytes, 2);
        if (bytes->short_ || first < next || last > UINT16_MAX)
            return false;
        for (uint64_t value = first; value <= last && !vector->beyond; value++)
            set_row(vector, base + value);
        next = last + 1;
    }
    return true;
}

static void read_bitmap(Bytes *bytes, uint64_t base, Vector *vector)
{
    const uint8_t *bits = skip(bytes, CONTAINER_BYTES);
    for (uint64_t value = 0; bits && value <= UINT16_MAX && !vector->beyond; value++) {
        if (bits[value >> 3] >> (value & 7) & 1)
            set_row(vector, base + value);
    }
}

static void read_values(Bytes *bytes, uint64_t base, uint64_t n, Vector *vector)
{
    for (uint64_t i = 0; i < n && !bytes->short_; i++) {
        uint64_t value = take(bytes, 2);
        if (!bytes->short_)
            set_row(vector, base + value);
    }
}

/* values: of an array or a bitmap; 0: it has runs. */
static bool read_container(Bytes *bytes, uint64_t base, uint64_t values, Vector *vector)
{
    if (values == 0)
        return read_runs(bytes, base, vector);
    if (values > ARRAY_MOST)
        read_bitmap(bytes, base, vector);
    else
        read_values(bytes, base, values, vector);
    return true;
}

/* One 32-bit bitmap, of rows from `base` on. false: it is not one. */
static bool read_roaring(Bytes *bytes, uint64_t base, Vector *vector)
{
    uint64_t cookie = take(bytes, 4);
    bool runs = (cookie & 0xFFFF) == COOKIE;
    uint64_t n = runs ? (cookie >> 16) + 1 : cookie == COOKIE_NO_RUNS ? take(bytes, 4) : UINT64_MAX;
    if (n > UINT16_MAX + 1)
        return false;
    const uint8_t *flags = runs ? skip(bytes, (size_t) (n + 7) / 8) : NULL;
    const uint8_t *keys = skip(bytes, (size_t) n * 4);
    if (!runs || n >= NO_OFFSETS_BELOW)
        skip(bytes, (size_t) n * 4);
    uint64_t next = 0;
    for (uint64_t i = 0; i < n && !bytes->short_ && !vector->beyond; i++) {
        uint64_t high = keys[4 * i] | (uint64_t) keys[4 * i + 1] << 8;
        uint64_t values = (keys[4 * i + 2] | (uint64_t) keys[4 * i + 3] << 8) + 1;
        bool is_run = flags && flags[i / 8] >> (i % 8) & 1;
        if (high < next || !read_container(bytes, base + (high << 16), is_run ? 0 : values, vector))
            return false;
        next = high + 1;
    }
    return !bytes->short_;
}

static SfStatus read_array(Bytes *bytes, int64_t cardinality, Vector *vector, SfError *err)
{
    if (take(bytes, 4) != MAGIC || bytes->short_)
        return sf_fail(err, SF_FATAL, "its bitmaps have a format that we do not know");
    uint64_t n = take(bytes, 8), next = 0;
    for (uint64_t i = 0; i < n && !vector->beyond; i++) {
        uint64_t key = take(bytes, 4);
        if (bytes->short_ || key < next || !read_roaring(bytes, key << 32, vector))
            return sf_fail(err, SF_FATAL, "its bitmaps are damaged");
        next = key + 1;
    }
    if (vector->beyond)
        return sf_fail(err, SF_FATAL, "it deletes rows beyond the %" G_GINT64_FORMAT " of its file", vector->rows);
    if (vector->set != cardinality)
        return sf_fail(err, SF_FATAL, "it has %" G_GINT64_FORMAT " rows, not %" G_GINT64_FORMAT, vector->set,
                       cardinality);
    return SF_OK;
}

/* Z85 (https://rfc.zeromq.org/spec/32/): five characters are four bytes, the highest first. NULL: not such a text. */
static uint8_t *decode_z85(const char *text, size_t size)
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    if (size == 0 || size % 5 != 0)
        return NULL;
    g_autofree uint8_t *out = g_malloc(size / 5 * 4);
    for (size_t i = 0; i < size; i += 5) {
        uint64_t value = 0;
        for (size_t k = 0; k < 5; k++) {
            const char *digit = text[i + k] ? strchr(digits, text[i + k]) : NULL;
            if (!digit)
                return NULL;
            value = value * 85 + (uint64_t) (digit - digits);
        }
        if (value > UINT32_MAX)
            return NULL;
        for (size_t k = 0; k < 4; k++)
            out[i / 5 * 4 + k] = (uint8_t) (value >> (24 - 8 * k));
    }
    return g_steal_pointer(&out);
}

/* "ab^-aqEH.-t@S}K{vb[*k^": what is before the last 20 characters, the UUID, is a directory. NULL: it is not one. */
static char *key_of_uuid(const char *text)
{
    size_t size = strlen(text);
    g_autofree uint8_t *uuid = size >= 20 ? decode_z85(text + size - 20, 20) : NULL;
    if (!uuid)
        return NULL;
    GString *key = g_string_new_len(text, (gssize) size - 20);
    g_string_append_printf(key, "%sdeletion_vector_", key->len > 0 ? "/" : "");
    for (int i = 0; i < 16; i++)
        g_string_append_printf(key, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    return g_string_free(g_string_append(key, ".bin"), FALSE);
}

/* A version byte, then at the offset: size, bitmaps, CRC-32, the highest byte first (PROTOCOL.md, "Deletion Vector File
 * Storage Format"). */
static SfStatus read_stored(const DeltaLog *log, const char *key, int64_t offset, int64_t size, Vector *vector,
                            int64_t cardinality, SfError *err)
{
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_read(log->store, key, offset, size + 8, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "its file '%s' is not there", key);
    SF_TRY(status);
    gsize got;
    const uint8_t *data = g_bytes_get_data(body, &got);
    if ((int64_t) got != size + 8)
        return sf_fail(err, SF_FATAL, "its file '%s' is too short", key);
    uint32_t head, sum;
    memcpy(&head, data, 4);
    memcpy(&sum, data + 4 + size, 4);
    if (GUINT32_FROM_BE(head) != (uint32_t) size ||
        libdeflate_crc32(0, data + 4, (size_t) size) != GUINT32_FROM_BE(sum))
        return sf_fail(err, SF_FATAL, "its size or checksum in '%s' is another", key);
    Bytes bytes = {data + 4, data + 4 + size, false};
    return read_array(&bytes, cardinality, vector, err);
}

static SfStatus read_inline(const char *text, int64_t size, Vector *vector, int64_t cardinality, SfError *err)
{
    g_autofree uint8_t *data = decode_z85(text, strlen(text));
    if (!data || size > (int64_t) (strlen(text) / 5 * 4))
        return sf_fail(err, SF_FATAL, "it is not a text of Z85");
    Bytes bytes = {data, data + size, false};
    return read_array(&bytes, cardinality, vector, err);
}

static int64_t number_of(json_object *vector, const char *name, int64_t other)
{
    json_object *number = delta_json_member(vector, name, json_type_int);
    return number ? json_object_get_int64(number) : other;
}

int64_t delta_vector_cardinality(json_object *add)
{
    return number_of(delta_json_member(add, "deletionVector", json_type_object), "cardinality", 0);
}

/* NULL: it is inline, or in a place that is not the table's. */
static char *key_of(const DeltaLog *log, const char *storage, const char *text, SfError *err)
{
    if (strcmp(storage, "u") == 0)
        return key_of_uuid(text);
    if (strcmp(storage, "p") != 0)
        return NULL;
    g_autoptr(json_object) file = json_object_new_object();
    json_object_object_add(file, "path", json_object_new_string(text));
    return delta_file_key(log, file, err);
}

SfStatus delta_vector_key(const DeltaLog *log, json_object *action, char **out, SfError *err)
{
    json_object *vector = delta_json_member(action, "deletionVector", json_type_object);
    const char *storage = delta_json_text(vector, "storageType"), *text = delta_json_text(vector, "pathOrInlineDv");
    *out = NULL;
    if (!vector || g_strcmp0(storage, "i") == 0)
        return SF_OK;
    SfError why = {""};
    *out = storage && text ? key_of(log, storage, text, &why) : NULL;
    if (*out)
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "the deletion vector of '%s': %s", delta_json_text(action, "path"),
                   why.message[0] ? why.message : "it is stored in a way that we do not know");
}

static SfStatus read_vector(const DeltaLog *log, json_object *json, Vector *vector, SfError *err)
{
    const char *storage = delta_json_text(json, "storageType"), *text = delta_json_text(json, "pathOrInlineDv");
    int64_t size = number_of(json, "sizeInBytes", -1), offset = number_of(json, "offset", 1);
    int64_t cardinality = number_of(json, "cardinality", -1);
    if (!storage || !text || size < 0 || size > VECTOR_MAX || offset < 0)
        return sf_fail(err, SF_FATAL, "it does not say what it is");
    if (strcmp(storage, "i") == 0)
        return read_inline(text, size, vector, cardinality, err);
    SfError why = {""};
    g_autofree char *key = key_of(log, storage, text, &why);
    if (why.message[0])
        return sf_fail(err, SF_CONFIG, "%s", why.message);
    if (!key)
        return sf_fail(err, SF_FATAL, "it is stored in a way that we do not know ('%.1s')", storage);
    return read_stored(log, key, offset, size, vector, cardinality, err);
}

SfStatus delta_vector_read(const DeltaLog *log, json_object *add, int64_t rows, uint8_t **out, SfError *err)
{
    json_object *json = delta_json_member(add, "deletionVector", json_type_object);
    if (!json)
        return SF_OK;
    g_autofree uint8_t *bits = g_try_malloc0((gsize) (rows + 7) / 8 + 1);
    if (!bits)
        return sf_fail(err, SF_FATAL, "no memory for the deletion vector of %" G_GINT64_FORMAT " rows", rows);
    Vector vector = {.bits = bits, .rows = rows};
    SfStatus status = read_vector(log, json, &vector, err);
    if (status != SF_OK)
        return sf_fail_prefix(err, status, "%s: the deletion vector of '%s'", store_url(log->store),
                              delta_json_text(add, "path"));
    *out = g_steal_pointer(&bits);
    return SF_OK;
}
