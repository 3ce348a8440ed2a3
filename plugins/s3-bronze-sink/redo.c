/* The redo of a range whose entry was written and whose objects are not all there: every row goes where the entry
 * says, by the entry's own layout. What is stored already is not written again. */
#include "bronze.h"

#include <inttypes.h>

static Object *object_of(const EntryObject *as, Workshop *workshop, const Layout *layout)
{
    Object *object = object_new(g_strdup(as->key), 0, as->first, workshop, layout, 0);
    for (int i = 0; i < BESIDE_KINDS; i++)
        if (as->beside[i].key)
            object_put_beside(object, (Beside) i, g_strdup(as->beside[i].key), layout);
    return object;
}

Redo *redo_new(Entry *entry, Stored *stored, Workshop *workshop)
{
    Redo *redo = g_new0(Redo, 1);
    redo->entry = entry;
    redo->stored = stored;
    redo->objects = g_ptr_array_new_with_free_func((GDestroyNotify) object_free);
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *as = &g_array_index(entry->objects, EntryObject, i);
        g_ptr_array_add(redo->objects, stored[i] == STORED_ALL ? NULL : object_of(as, workshop, &entry->layout));
    }
    return redo;
}

void redo_free(Redo *redo)
{
    if (!redo)
        return;
    entry_free(redo->entry);
    g_ptr_array_unref(redo->objects);
    g_free(redo->stored);
    g_free(redo);
}

static bool is_in(const EntryObject *object, const char *directory)
{
    const char *slash = strrchr(object->key, '/');
    size_t size = slash ? (size_t) (slash - object->key) : 0;
    return !directory || (strlen(directory) == size && strncmp(object->key, directory, size) == 0);
}

/* Number of the object that has this position, or -1. By the wall clock directories do not overlap, and the clock
 * of then is gone: the position alone decides. */
static int find_place(const Bronze *bronze, const Chain *chain, const LayoutRow *row, int64_t position)
{
    const Entry *entry = chain->redo->entry;
    g_autofree char *directory = NULL;
    if (entry->layout.options.extractor != EXTRACT_WALLCLOCK) {
        int64_t low, high;
        int64_t bucket = layout_bucket(&entry->layout, row->time_us, &low, &high);
        directory = chain_directory(bronze, &entry->layout, chain, bucket);
    }
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        if (position >= object->first && position <= object->last && is_in(object, directory))
            return (int) i;
    }
    return -1;
}

SfStatus redo_row(const Bronze *bronze, Chain *chain, const LayoutRow *row, int64_t position, Object **into,
                  SfError *err)
{
    Redo *redo = chain->redo;
    int place = find_place(bronze, chain, row, position);
    if (place < 0)
        return sf_fail(err, SF_FATAL,
                       "%s/%" PRId64 ": its range [%" PRId64 ", %" PRId64 ") was cut by the ledger entry "
                       "'%s%020" PRId64 ".json', which has no object for it: the topic is not the one that it was",
                       chain->range.split->name, position, redo->entry->start, redo->entry->end, chain->ledger,
                       redo->entry->start);
    Object *object = *into = redo->objects->pdata[place];
    if (object && !object_append(object, row, position))
        return sf_fail(err, SF_FATAL, "no memory for %s/%" PRId64, chain->range.split->name, position);
    return SF_OK;
}

static bool is_as_said(const Object *object, const EntryObject *as)
{
    bool same = object->rows == as->rows && object->crc32 == as->crc32;
    for (int i = 0; i < BESIDE_KINDS; i++)
        same = same && (!object->beside[i] || object->beside[i]->crc32 == as->beside[i].crc32);
    return same;
}

/* What is stored is by the entry as it is: neither can be written by what the topic has now. */
static SfStatus refuse_partly(const SfNode *node, const Chain *chain, const Object *object, const EntryObject *as,
                              SfError *err)
{
    return sf_fail(err, SF_FATAL,
                   "%s: the topic has lost rows (retention, compaction) before '%s/%s' and its keys and headers were "
                   "all written: it reads back as %" PRId64 " rows where its ledger entry says %" PRId64
                   ", and a part of it is stored. Nothing was changed; move that part away to have it written as "
                   "the topic is now",
                   chain->range.split->name, store_url(bronze_of(node)->store), as->key, object->rows, as->rows);
}

/* Seals what was read; says whether it is what the entry describes. */
static SfStatus seal_all(SfNode *node, const Chain *chain, const Redo *redo, bool *same, SfError *err)
{
    const Entry *entry = redo->entry;
    int64_t read = 0, said = 0;
    *same = true;
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *as = &g_array_index(entry->objects, EntryObject, i);
        Object *object = redo->objects->pdata[i];
        if (!object)
            continue;
        SF_TRY(object_seal(object, err));
        read += object->rows;
        said += as->rows;
        bool is = is_as_said(object, as);
        if (!is && redo->stored[i] == STORED_PARTLY)
            return refuse_partly(node, chain, object, as, err);
        *same = *same && is;
    }
    if (!*same)
        sf_log(node, SF_LOG_WARNING,
               "%s: range [%" PRId64 ", %" PRId64 ") reads back as %" PRId64 " rows where its ledger "
               "entry says %" PRId64 ": the topic has lost rows since (retention, compaction); written as it reads now",
               chain->range.split->name, entry->start, entry->end, read, said);
    return SF_OK;
}

static GBytes *amend_entry(const Redo *redo)
{
    g_autofree EntryObject *now = g_new(EntryObject, redo->objects->len + 1);
    for (guint i = 0; i < redo->objects->len; i++) {
        const Object *object = redo->objects->pdata[i];
        now[i] = object ? object_entry(object) : (EntryObject){.rows = -1};
    }
    return entry_amended(redo->entry, now);
}

/* Where the topic has lost rows the entry is amended first, or nobody could tell the objects from foreign ones. */
SfStatus redo_finish(SfNode *node, Chain *chain, SfError *err)
{
    Redo *redo = chain->redo;
    const Entry *entry = redo->entry;
    bool same;
    SF_TRY(seal_all(node, chain, redo, &same, err));
    Pending *pending = chain->pending = g_new0(Pending, 1);
    pending->start = entry->start;
    pending->end = entry->end;
    pending->amends = !same;
    pending->entry = same ? NULL : amend_entry(redo);
    pending->objects = g_ptr_array_new_with_free_func((GDestroyNotify) object_free);
    for (guint i = 0; i < redo->objects->len; i++)
        if (redo->objects->pdata[i])
            g_ptr_array_add(pending->objects, g_steal_pointer(&redo->objects->pdata[i]));
    chain->begin = chain->cut_end = entry->end;
    g_clear_pointer(&chain->redo, redo_free);
    return SF_OK;
}
