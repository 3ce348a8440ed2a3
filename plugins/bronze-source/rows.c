/* Rows of one ledger entry in the order of their positions: the lines of its objects, which are one for each directory,
 * merged by their indexes. Entries of a version that kept none give the positions that there can be. */
#include "source.h"

#include <inttypes.h>

#define PIECE_MIN ((int64_t) 16 << 10)

typedef struct Cursor {
    const EntryObject *as;
    Lines *lines;
    IndexReader *index; /* NULL: there is none, or it was read to its end */
    int64_t next;       /* position, without an index */
    int64_t left;       /* rows, this one included */
    Row row;            /* the next one */
} Cursor;

struct Rows {
    Store *store;
    GArray *cursors; /* of Cursor */
    guint current;   /* whose row comes next */
    int64_t bound;   /* the lowest position of the others */
    bool chosen;     /* current is known */
    bool taken;      /* its row is, the next one is to be read */
    bool in_turn;    /* without indexes: one object behind the other */
};

static void clear_cursor(gpointer data)
{
    Cursor *cursor = data;
    lines_free(cursor->lines);
    index_reader_free(cursor->index);
}

void rows_free(Rows *rows)
{
    if (!rows)
        return;
    g_array_unref(rows->cursors);
    g_free(rows);
}

size_t rows_held(const Rows *rows)
{
    size_t held = 0;
    for (guint i = 0; rows && i < rows->cursors->len; i++) {
        const Cursor *cursor = &g_array_index(rows->cursors, Cursor, i);
        held += lines_held(cursor->lines) + (cursor->index ? index_reader_held(cursor->index) : 0);
    }
    return held;
}

static bool has_index(const Entry *entry)
{
    for (guint i = 0; i < entry->objects->len; i++)
        if (!g_array_index(entry->objects, EntryObject, i).index)
            return false;
    return true;
}

bool rows_guess(const Entry *entry)
{
    if (has_index(entry))
        return false;
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        if (object->last - object->first + 1 != object->rows)
            return true;
    }
    return false;
}

/* The line that goes with the cursor's row. */
static SfStatus cursor_take_line(const Rows *rows, Cursor *cursor, SfError *err)
{
    SfStatus status = lines_next(cursor->lines, cursor->row.of.breaks, &cursor->row.data, &cursor->row.size, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL,
                       "'%s/%s' has %" PRId64 " lines fewer than the %" PRId64 " rows of its ledger entry",
                       store_url(rows->store), cursor->as->key, cursor->left, cursor->as->rows);
    return status;
}

static SfStatus end_cursor(const Rows *rows, Cursor *cursor, SfError *err)
{
    SfStatus status = lines_next(cursor->lines, 0, &cursor->row.data, &cursor->row.size, err);
    if (status == SF_OK)
        return sf_fail(err, SF_FATAL, "'%s/%s' has more lines than the %" PRId64 " rows of its ledger entry",
                       store_url(rows->store), cursor->as->key, cursor->as->rows);
    return status == SF_EMPTY ? SF_OK : status;
}

static SfStatus advance(const Rows *rows, Cursor *cursor, SfError *err)
{
    if (cursor->left == 0)
        return end_cursor(rows, cursor, err);
    if (cursor->index) {
        if (!index_reader_next(cursor->index, &cursor->row.of)) /* it was walked through when it was opened */
            return sf_fail(err, SF_FATAL, "the index of '%s' ends early", cursor->as->key);
    } else {
        cursor->row.of = (IndexRow){.position = cursor->next++, .time_us = INDEX_NO_TIMESTAMP};
    }
    return cursor_take_line(rows, cursor, err);
}

static SfStatus open_cursor(Rows *rows, Cursor *cursor, const Entry *entry, const RowsLimits *limits, int64_t piece,
                            SfError *err)
{
    const EntryObject *as = cursor->as;
    bool packed = entry->layout.options.compression == COMPRESSION_GZIP;
    if (as->index && !rows->in_turn) {
        cursor->index = index_reader_new(as->index, as->first, as->last, as->rows, err);
        if (!cursor->index)
            return sf_fail_prefix(err, SF_FATAL, "'%s/%s'", store_url(rows->store), as->key);
    }
    SF_TRY(lines_open(rows->store, as, packed, piece, limits->max_line, &cursor->lines, err));
    return advance(rows, cursor, err);
}

static gint by_first(gconstpointer a, gconstpointer b)
{
    const Cursor *one = a, *other = b;
    return (one->as->first > other->as->first) - (one->as->first < other->as->first);
}

/* Where no index says which positions the rows have: the lowest that are free. No two rows of a split share one, and
 * none is outside of the entry's range, since at least as many are free as there are rows. */
static void number_in_turn(Rows *rows)
{
    int64_t free = 0;
    g_array_sort(rows->cursors, by_first);
    for (guint i = 0; i < rows->cursors->len; i++) {
        Cursor *cursor = &g_array_index(rows->cursors, Cursor, i);
        cursor->next = MAX(free, cursor->as->first);
        free = cursor->next + cursor->left;
    }
}

static void add_cursors(Rows *rows, const Entry *entry, const bool *passed)
{
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *as = &g_array_index(entry->objects, EntryObject, i);
        Cursor cursor = {.as = as, .left = as->rows};
        if (as->rows > 0 && !(passed && passed[i]))
            g_array_append_val(rows->cursors, cursor);
    }
}

SfStatus rows_open(Store *store, const Entry *entry, const RowsLimits *limits, const bool *passed, Rows **out,
                   guint *missing, SfError *err)
{
    g_autoptr(Rows) rows = g_new0(Rows, 1);
    rows->store = store;
    rows->in_turn = !has_index(entry);
    rows->cursors = g_array_new(FALSE, TRUE, sizeof(Cursor));
    g_array_set_clear_func(rows->cursors, clear_cursor);
    add_cursors(rows, entry, passed);
    if (rows->in_turn)
        number_in_turn(rows);
    int64_t piece = MAX(limits->piece / MAX(rows->cursors->len, 1), PIECE_MIN);
    for (guint i = 0; i < rows->cursors->len; i++) {
        Cursor *cursor = &g_array_index(rows->cursors, Cursor, i);
        SfStatus status = open_cursor(rows, cursor, entry, limits, piece, err);
        if (status == SF_EMPTY)
            *missing = (guint) (cursor->as - (const EntryObject *) (gpointer) entry->objects->data);
        SF_TRY(status);
    }
    *out = g_steal_pointer(&rows);
    return SF_OK;
}

static Cursor *cursor_at(const Rows *rows, guint i)
{
    return &g_array_index(rows->cursors, Cursor, i);
}

/* The cursor whose row comes next, and up to which position its rows come before those of all others. */
static SfStatus choose_cursor(Rows *rows)
{
    guint best = rows->cursors->len;
    int64_t lowest = INT64_MAX;
    rows->bound = INT64_MAX;
    for (guint i = 0; i < rows->cursors->len; i++) {
        const Cursor *cursor = cursor_at(rows, i);
        if (cursor->left == 0)
            continue;
        int64_t position = cursor->row.of.position;
        if (best == rows->cursors->len || position < lowest) {
            rows->bound = best == rows->cursors->len ? INT64_MAX : lowest;
            lowest = position;
            best = i;
        } else {
            rows->bound = MIN(rows->bound, position);
        }
    }
    rows->current = best;
    rows->chosen = best < rows->cursors->len;
    return rows->chosen ? SF_OK : SF_EMPTY;
}

SfStatus rows_peek(Rows *rows, Row *row, SfError *err)
{
    if (rows->taken) {
        Cursor *cursor = cursor_at(rows, rows->current);
        SF_TRY(advance(rows, cursor, err));
        rows->taken = false;
        rows->chosen = cursor->left > 0 && cursor->row.of.position < rows->bound;
    }
    if (!rows->chosen)
        SF_TRY(choose_cursor(rows));
    *row = cursor_at(rows, rows->current)->row;
    return SF_OK;
}

void rows_take(Rows *rows)
{
    cursor_at(rows, rows->current)->left--;
    rows->taken = true;
}
