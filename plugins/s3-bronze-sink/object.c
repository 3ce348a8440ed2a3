/* Objects in the making: lines in memory, and what is stored of them. Which rows come in, and when it ends, others
 * decide. */
#include "object.h"

#include <libdeflate.h>

#define ROOM_MIN ((size_t) 1 << 10)
#define PASS_ROOM ((size_t) 128 << 10) /* what waits in memory on its way on: little enough for a cache */
#define PASS_UNIT (PASS_ROOM / 2)
#define SPARES_MAX ((size_t) 8 << 20) /* bytes */

typedef struct Spare {
    char *data;
    size_t room;
} Spare;

void spares_init(Spares *spares)
{
    *spares = (Spares){.buffers = g_array_new(FALSE, FALSE, sizeof(Spare))};
}

void spares_done(Spares *spares)
{
    for (guint i = 0; spares->buffers && i < spares->buffers->len; i++)
        g_free(g_array_index(spares->buffers, Spare, i).data);
    g_clear_pointer(&spares->buffers, g_array_unref);
    spares->bytes = 0;
}

static void take_spare(Object *object)
{
    Spares *spares = &object->workshop->spares;
    if (spares->buffers->len == 0)
        return;
    Spare spare = g_array_index(spares->buffers, Spare, spares->buffers->len - 1);
    g_array_set_size(spares->buffers, spares->buffers->len - 1);
    spares->bytes -= spare.room;
    object->data = spare.data;
    object->room = spare.room;
}

static void give_memory(Object *object)
{
    Spares *spares = &object->workshop->spares;
    Spare spare = {.data = object->data, .room = object->room};
    if (!spare.data || spares->bytes + spare.room > SPARES_MAX) {
        g_free(spare.data);
        return;
    }
    g_array_append_val(spares->buffers, spare);
    spares->bytes += spare.room;
}

/* Memory for lines that is enough: what is there by then goes on. */
static size_t room_of(const Object *object)
{
    if (object->packs && object->level != 0)
        return PASS_ROOM;
    return object->packs || object->unit == 0 ? SIZE_MAX : object->unit + PASS_UNIT;
}

Object *object_new(char *key, int64_t bucket, int64_t first, Workshop *workshop, const Layout *layout, size_t expected)
{
    Object *object = g_new0(Object, 1);
    object->key = key;
    object->bucket = bucket;
    object->first = object->last = first;
    object->workshop = workshop;
    index_writer_init(&object->index, first);
    object->level = layout->options.compression == COMPRESSION_GZIP ? (int) layout->options.level : 0;
    object->packs = layout->options.compression == COMPRESSION_GZIP;
    object->unit = store_draft_unit(workshop->store);
    object->expected = MIN(expected, room_of(object));
    return object;
}

void object_free(Object *object)
{
    if (!object)
        return;
    for (int i = 0; i < BESIDE_KINDS; i++)
        object_free(object->beside[i]);
    g_bytes_unref(object->body);
    store_draft_free(object->draft);
    pack_free(object->pack);
    give_memory(object);
    index_writer_done(&object->index);
    g_free(object->index_text);
    g_free(object->key);
    g_free(object);
}

void object_put_beside(Object *object, Beside kind, char *key, const Layout *layout)
{
    object->beside[kind] = object_new(key, object->bucket, object->first, object->workshop, layout, 0);
}

bool object_append_beside(Object *object, Beside kind, const GString *line)
{
    Object *beside = object->beside[kind];
    if (beside->room - beside->size <= line->len && !object_reserve(beside, line->len + 1))
        return false;
    memcpy(beside->data + beside->size, line->str, line->len);
    beside->data[beside->size + line->len] = '\n';
    beside->size += line->len + 1;
    beside->rows++;
    return true;
}

/* Hands on to the store what it takes now, and returns how much that is. It may take nothing, then there will be more
 * to hand on the next time. */
static size_t draft_bytes(Object *object, const char *data, size_t size)
{
    if (object->unit == 0 || size < object->unit)
        return 0;
    if (!object->draft)
        object->draft = store_draft_new(object->workshop->store, object->key);
    if (!object->draft)
        return 0;
    size_t taken = store_draft_write(object->draft, data, size);
    object->crc32 = libdeflate_crc32(object->crc32, data, taken);
    object->drafted += taken;
    return taken;
}

static void draft_lines(Object *object)
{
    size_t taken = draft_bytes(object, object->data, object->size);
    object->passed_on += taken;
    object->size -= taken;
    if (object->size > 0 && taken > 0)
        memmove(object->data, object->data + taken, object->size);
}

/* Small objects are compressed at their end: each open one that has begun holds a quarter of a MiB. So are those that
 * are not to shrink (level 0), whose blocks do depend on how the lines came. */
static bool pack_lines(Object *object)
{
    if (!object->pack)
        object->pack = pack_new(object->level);
    if (!object->pack || !pack_add(object->pack, object->data, object->size))
        return false;
    object->passed_on += object->size;
    object->size = 0;
    size_t size;
    const char *packed = pack_data(object->pack, &size);
    pack_drop(object->pack, draft_bytes(object, packed, size));
    return true;
}

/* Where there is enough of them, lines go on. false: no memory. */
static bool pass_on(Object *object)
{
    if (object->room < room_of(object) || object->size < PASS_UNIT)
        return true;
    if (object->packs)
        return pack_lines(object);
    draft_lines(object);
    return true;
}

bool object_reserve(Object *object, size_t more)
{
    size_t needed;
    if (!pass_on(object))
        return false;
    if (!g_size_checked_add(&needed, object->size, more))
        return false;
    if (!object->data)
        take_spare(object);
    if (needed <= object->room)
        return true;
    size_t room = object->room > SIZE_MAX / 2 ? needed : 2 * object->room;
    if (object->room < room_of(object))
        room = MIN(room, room_of(object));
    room = MAX(MAX(needed, room), MAX(object->expected, ROOM_MIN));
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

static SfStatus end_pack(Object *object, SfError *err)
{
    object->body = pack_lines(object) ? pack_end(object->pack) : NULL;
    if (!object->body)
        return sf_fail(err, SF_FATAL, "no memory to compress '%s'", object->key);
    g_clear_pointer(&object->pack, pack_free);
    give_memory(object);
    object->data = NULL;
    object->room = 0;
    return SF_OK;
}

SfStatus object_seal(Object *object, SfError *err)
{
    if (object->body)
        return SF_OK;
    for (int i = 0; i < BESIDE_KINDS; i++)
        if (object->beside[i])
            SF_TRY(object_seal(object->beside[i], err));
    if (object->packs) {
        SF_TRY(end_pack(object, err));
    } else {
        object->body = g_bytes_new_static(object->data ? object->data : "", object->size);
    }
    gsize size;
    const unsigned char *bytes = g_bytes_get_data(object->body, &size);
    object->crc32 = libdeflate_crc32(object->crc32, bytes, size);
    object->index_text = index_end(&object->index, object->workshop->compressor);
    return object->index_text ? SF_OK : sf_fail(err, SF_FATAL, "no memory for the index of '%s'", object->key);
}

size_t object_held(const Object *object)
{
    size_t beside = 0;
    for (int i = 0; i < BESIDE_KINDS; i++)
        beside += object->beside[i] ? object_held(object->beside[i]) : 0;
    bool compressed = object->body && !object->data;
    size_t packed = object->pack ? pack_held(object->pack) : 0;
    size_t index = index_held(&object->index) + (object->index_text ? strlen(object->index_text) : 0);
    return beside + index + store_draft_held(object->draft) +
           (compressed ? g_bytes_get_size(object->body) : object->room + packed);
}
