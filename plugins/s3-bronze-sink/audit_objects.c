/* The audit of objects that entries name: whether they are there, and what is in them. */
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>

#include "audit_objects.h"
#include "bronze/index.h"

#define PIECE (INT64_C(4) << 20)
#define UNPACKED ((size_t) 256 << 10)

char *audit_place(const BronzeAudit *all, const char *key)
{
    return g_strconcat(store_url(all->bronze->store), "/", key, NULL);
}

static char *rows_text(const AuditLedger *ledger, const EntryObject *object)
{
    return g_strdup_printf("it has %" PRId64 " rows, %s/%" PRId32 " from %" PRId64 " to %" PRId64, object->rows,
                           ledger->topic, ledger->partition, object->first, object->last);
}

/* ---- rows: what is in an object --------------------------------------------------------------------------------- */

static void give_positions(BronzeAudit *all, const AuditLedger *ledger)
{
    if (all->n_positions > 0)
        sf_audit_rows(all->audit, 0, ledger->topic, ledger->partition, all->positions, all->n_positions);
    all->n_positions = 0;
}

static void give_position(BronzeAudit *all, const AuditLedger *ledger, int64_t position)
{
    all->positions[all->n_positions++] = position;
    if (all->n_positions == POSITIONS)
        give_positions(all, ledger);
}

/* Rows and the lines that they take. Without an index rows are taken for dense. */
static SfStatus give_rows(BronzeAudit *all, const AuditLedger *ledger, const EntryObject *object, int64_t *lines,
                          SfError *err)
{
    IndexRow row;
    *lines = object->rows;
    if (!object->index) {
        for (int64_t i = 0; i < object->rows; i++)
            give_position(all, ledger, object->first + i);
        give_positions(all, ledger);
        return SF_OK;
    }
    g_autoptr(IndexReader) index = index_reader_new(object->index, object->first, object->last, object->rows, err);
    if (!index)
        return SF_CONFIG;
    while (index_reader_next(index, &row)) {
        *lines += row.breaks;
        give_position(all, ledger, row.position);
    }
    give_positions(all, ledger);
    return SF_OK;
}

static int64_t count_breaks(const char *data, size_t size)
{
    int64_t n = 0;
    for (const char *at = data, *end = data + size; at < end && (at = memchr(at, '\n', (size_t) (end - at))); at++)
        n++;
    return n;
}

typedef struct Content {
    int64_t size;
    uint32_t crc32;
    int64_t lines;
    bool complete; /* a compressed one has its end */
} Content;

static SfStatus unpack_lines(Unpacker *unpacker, const char *data, size_t size, char *room, int64_t *lines,
                             SfError *err)
{
    for (;;) {
        size_t got = 0;
        SfStatus status = unpacker_run(unpacker, &data, &size, room, UNPACKED, &got, err);
        if (status != SF_OK)
            return status == SF_EMPTY ? SF_OK : status;
        *lines += count_breaks(room, got);
    }
}

/* SF_EMPTY: it is not there. SF_FATAL: its compressed bytes are damaged. */
static SfStatus read_content(BronzeAudit *all, const char *key, bool packed, Content *out, SfError *err)
{
    g_autoptr(Unpacker) unpacker = packed ? unpacker_new(COMPRESSION_GZIP, UNPACK_WINDOW, err) : NULL;
    g_autofree char *room = packed ? g_malloc(UNPACKED) : NULL;
    if (packed && !unpacker)
        return SF_CONFIG;
    for (bool more = true; more;) {
        g_autoptr(GBytes) piece = NULL;
        gsize size;
        SF_TRY(store_read(all->bronze->store, key, out->size, PIECE, &piece, err));
        const char *data = g_bytes_get_data(piece, &size);
        out->crc32 = libdeflate_crc32(out->crc32, data, size);
        out->size += (int64_t) size;
        more = size > 0;
        if (unpacker && more)
            SF_TRY(unpack_lines(unpacker, data, size, room, &out->lines, err));
        else if (more)
            out->lines += count_breaks(data, size);
    }
    out->complete = !unpacker || unpacker_is_complete(unpacker);
    return SF_OK;
}

/* What is wrong with the bytes, or NULL. */
static char *content_fault(const Content *content, int64_t bytes, uint32_t crc32, int64_t lines)
{
    if (content->size != bytes)
        return g_strdup_printf("has %" PRId64 " bytes, not the %" PRId64 " of its ledger entry", content->size, bytes);
    if (content->crc32 != crc32)
        return g_strdup_printf("has other bytes than were written: its checksum is %08" PRIx32 ", not %08" PRIx32,
                               content->crc32, crc32);
    if (!content->complete)
        return g_strdup("ends in the middle of its gzip data");
    if (content->lines != lines)
        return g_strdup_printf("has %" PRId64 " lines, its ledger entry %" PRId64, content->lines, lines);
    return NULL;
}

/* An object of an entry: one of values, or what lies beside it. */
typedef struct Part {
    const AuditLedger *ledger;
    const Entry *entry;
    const EntryObject *object;
    const char *key;
    int64_t bytes;
    uint32_t crc32;
} Part;

static void note_absent(BronzeAudit *all, const Part *part)
{
    Absent absent = {part->ledger, part->entry->start, g_strdup(part->key), rows_text(part->ledger, part->object)};
    g_array_append_val(all->absent, absent);
}

static SfStatus look_deep(BronzeAudit *all, const Part *part, SfError *err)
{
    Content content = {0};
    SfError why = {""};
    int64_t lines = part->object->rows;
    g_autofree char *place = audit_place(all, part->key);
    bool packed = part->entry->layout.options.compression == COMPRESSION_GZIP;
    SfStatus status = read_content(all, part->key, packed, &content, &why);
    if (status == SF_EMPTY) {
        note_absent(all, part);
        return SF_OK;
    }
    if (status == SF_RETRY || status == SF_CONFIG)
        return sf_fail(err, status, "%s", why.message);
    bool values = part->key == part->object->key;
    if (values && give_rows(all, part->ledger, part->object, &lines, &why) != SF_OK)
        status = SF_FATAL;
    g_autofree char *fault =
        status == SF_OK ? content_fault(&content, part->bytes, part->crc32, lines) : g_strdup(why.message);
    g_autofree char *rows = rows_text(part->ledger, part->object);
    if (fault)
        sf_audit_fault(all->audit, place, "%s; %s", fault, rows);
    sf_audit_checked(all->audit, "objects", 1, content.size);
    return SF_OK;
}

/* ---- objects ---------------------------------------------------------------------------------------------------- */

static void look_stored(BronzeAudit *all, const Part *part, int64_t size)
{
    if (size < 0) {
        note_absent(all, part);
        return;
    }
    g_autofree char *place = audit_place(all, part->key);
    g_autofree char *rows = rows_text(part->ledger, part->object);
    if (size != part->bytes)
        sf_audit_fault(all->audit, place, "has %" PRId64 " bytes, not the %" PRId64 " of its ledger entry; %s", size,
                       part->bytes, rows);
    sf_audit_checked(all->audit, "objects", 1, size);
}

static void add_parts(GArray *parts, const AuditLedger *ledger, const Entry *entry)
{
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        Part part = {ledger, entry, object, object->key, object->bytes, object->crc32};
        g_array_append_val(parts, part);
        for (int k = 0; k < BESIDE_KINDS; k++) {
            const EntryBeside *beside = &object->beside[k];
            Part other = {ledger, entry, object, beside->key, beside->bytes, beside->crc32};
            if (beside->key)
                g_array_append_val(parts, other);
        }
    }
}

static SfStatus look_at_sizes(BronzeAudit *all, const GArray *parts, SfError *err)
{
    g_autofree const char **keys = g_new(const char *, parts->len + 1);
    g_autofree int64_t *sizes = g_new(int64_t, parts->len + 1);
    for (guint i = 0; i < parts->len; i++)
        keys[i] = g_array_index(parts, Part, i).key;
    if (parts->len > 0)
        SF_TRY(store_stat_all(all->bronze->store, keys, sizes, parts->len, err));
    for (guint i = 0; i < parts->len; i++)
        look_stored(all, &g_array_index(parts, Part, i), sizes[i]);
    return SF_OK;
}

/* The objects of the entries that wait. */
SfStatus audit_objects(BronzeAudit *all, SfError *err)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (guint i = 0; i < all->entries->len; i++)
        add_parts(parts, all->owners->pdata[i], all->entries->pdata[i]);
    if (all->audit->depth == SF_AUDIT_STORED)
        SF_TRY(look_at_sizes(all, parts, err));
    for (guint i = 0; all->audit->depth == SF_AUDIT_DEEP && i < parts->len; i++)
        SF_TRY(look_deep(all, &g_array_index(parts, Part, i), err));
    g_ptr_array_set_size(all->entries, 0);
    g_ptr_array_set_size(all->owners, 0);
    all->n_objects = 0;
    all->held = 0;
    return SF_OK;
}
