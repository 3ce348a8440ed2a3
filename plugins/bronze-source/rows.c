/* Rows of one ledger entry in the order of their positions: the lines of its objects, which are one for each directory,
 * merged by their indexes. Entries of a version that kept none give the positions that there can be. An object is open
 * from its first row to its last one, so that no more of them are than share positions. */
#include "source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MIN ((int64_t) 16 << 10)

typedef struct Cursor {
    const EntryObject *as;
    const bool *passed; /* PARTS of it, or NULL */
    Lines *lines;       /* NULL: not opened yet, or read to its end */
    IndexReader *index; /* NULL: there is none, or it was read to its end */
    int64_t next;       /* position, without an index */
    int64_t left;       /* rows, this one included; INT64_MAX: as many as there are lines */
    Row row;            /* the next one */
    EntryObject of_beside[BESIDE_KINDS];
    Lines *beside[BESIDE_KINDS]; /* likewise; NULL: there is none */
} Cursor;

struct Rows {
    Store *store;
    LinesForm form;
    bool text;       /* of others: blank lines are passed over */
    GArray *cursors; /* of Cursor */
    guint current;   /* whose row comes next */
    int64_t bound;   /* the lowest position of the others */
    bool chosen;     /* current is known */
    bool taken;      /* its row is, the next one is to be read */
    bool in_turn;    /* without indexes: one object behind the other */
    const EntryObject *missing;
    const char *missing_key;
};

static void close_cursor(Cursor *cursor)
{
    g_clear_pointer(&cursor->lines, lines_free);
    g_clear_pointer(&cursor->index, index_reader_free);
    for (int i = 0; i < BESIDE_KINDS; i++)
        g_clear_pointer(&cursor->beside[i], lines_free);
}

static void clear_cursor(gpointer cursor)
{
    close_cursor(cursor);
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
        held +=
            (cursor->lines ? lines_held(cursor->lines) : 0) + (cursor->index ? index_reader_held(cursor->index) : 0);
        for (int kind = 0; kind < BESIDE_KINDS; kind++)
            held += cursor->beside[kind] ? lines_held(cursor->beside[kind]) : 0;
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

static SfStatus refuse_beside(const Rows *rows, const Cursor *cursor, int kind, const char *which, SfError *err)
{
    return sf_fail(err, SF_FATAL, "'%s/%s' has %s lines than '%s', whose %s it holds", store_url(rows->store),
                   cursor->as->beside[kind].key, which, cursor->as->key, beside_words[kind]);
}

/* The lines beside the cursor's row. */
static SfStatus take_beside(const Rows *rows, Cursor *cursor, SfError *err)
{
    for (int i = 0; i < BESIDE_KINDS; i++) {
        RowBeside *line = &cursor->row.beside[i];
        if (!cursor->beside[i])
            continue;
        SfStatus status = lines_next(cursor->beside[i], 0, &line->data, &line->size, err);
        if (status == SF_EMPTY)
            return refuse_beside(rows, cursor, i, "fewer", err);
        SF_TRY(status);
    }
    return SF_OK;
}

/* After the last row: nothing more lies beside it. */
static SfStatus end_beside(const Rows *rows, Cursor *cursor, SfError *err)
{
    for (int i = 0; i < BESIDE_KINDS; i++) {
        RowBeside more;
        if (!cursor->beside[i])
            continue;
        SfStatus status = lines_next(cursor->beside[i], 0, &more.data, &more.size, err);
        if (status != SF_EMPTY)
            return status == SF_OK ? refuse_beside(rows, cursor, i, "more", err) : status;
    }
    close_cursor(cursor);
    return SF_OK;
}

static SfStatus end_cursor(const Rows *rows, Cursor *cursor, SfError *err)
{
    SfStatus status = lines_next(cursor->lines, 0, &cursor->row.data, &cursor->row.size, err);
    if (status == SF_OK)
        return sf_fail(err, SF_FATAL, "'%s/%s' has more lines than the %" PRId64 " rows of its ledger entry",
                       store_url(rows->store), cursor->as->key, cursor->as->rows);
    return status == SF_EMPTY ? end_beside(rows, cursor, err) : status;
}

/* As Spark reads text: without a byte order mark and a CR in front of the line break. */
static void trim_line(Row *row)
{
    if (row->of.position == 0 && row->size >= 3 && memcmp(row->data, "\xEF\xBB\xBF", 3) == 0) {
        row->data += 3;
        row->size -= 3;
    }
    if (row->size > 0 && row->data[row->size - 1] == '\r')
        row->size--;
}

/* The next line of an object that nobody counted the lines of: one position each. */
static SfStatus advance_foreign(const Rows *rows, Cursor *cursor, SfError *err)
{
    SfStatus status = SF_OK;
    Row *row = &cursor->row;
    do {
        status = lines_next(cursor->lines, 0, &row->data, &row->size, err);
        if (status != SF_OK)
            break;
        row->of = (IndexRow){.position = cursor->next++, .time_us = INDEX_NO_TIMESTAMP};
        if (rows->text)
            trim_line(row);
    } while (rows->text && row->size == 0);
    if (status == SF_OK)
        return take_beside(rows, cursor, err);
    if (status != SF_EMPTY)
        return status;
    cursor->left = 0;
    return end_beside(rows, cursor, err);
}

static SfStatus advance(const Rows *rows, Cursor *cursor, SfError *err)
{
    if (rows->form.foreign)
        return advance_foreign(rows, cursor, err);
    if (cursor->left == 0)
        return end_cursor(rows, cursor, err);
    if (cursor->index) {
        if (!index_reader_next(cursor->index, &cursor->row.of)) /* it was walked through when it was opened */
            return sf_fail(err, SF_FATAL, "the index of '%s' ends early", cursor->as->key);
    } else {
        cursor->row.of = (IndexRow){.position = cursor->next++, .time_us = INDEX_NO_TIMESTAMP};
    }
    SF_TRY(cursor_take_line(rows, cursor, err));
    return take_beside(rows, cursor, err);
}

static SfStatus open_lines(Rows *rows, const Cursor *cursor, const EntryObject *as, Lines **out, SfError *err)
{
    SfStatus status = lines_open(rows->store, as, &rows->form, out, err);
    if (status == SF_EMPTY) {
        rows->missing = cursor->as;
        rows->missing_key = as->key;
    }
    return status;
}

static SfStatus open_all(Rows *rows, Cursor *cursor, SfError *err)
{
    const EntryObject *as = cursor->as;
    SF_TRY(open_lines(rows, cursor, as, &cursor->lines, err));
    for (int i = 0; i < BESIDE_KINDS; i++) {
        const EntryBeside *beside = &as->beside[i];
        cursor->of_beside[i] = (EntryObject){
            .key = beside->key, .first = as->first, .last = as->last, .bytes = beside->bytes, .crc32 = beside->crc32};
        if (beside->key && !(cursor->passed && cursor->passed[1 + i]))
            SF_TRY(open_lines(rows, cursor, &cursor->of_beside[i], &cursor->beside[i], err));
    }
    return advance(rows, cursor, err);
}

static SfStatus open_cursor(Rows *rows, Cursor *cursor, SfError *err)
{
    const EntryObject *as = cursor->as;
    if (as->index && !rows->in_turn) {
        cursor->index = index_reader_new(as->index, as->first, as->last, as->rows, err);
        if (!cursor->index)
            return sf_fail_prefix(err, SF_FATAL, "'%s/%s'", store_url(rows->store), as->key);
    }
    SfStatus status = open_all(rows, cursor, err);
    if (status != SF_OK)
        close_cursor(cursor);
    return status;
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
        Cursor cursor = {.as = as, .left = as->rows, .passed = passed ? passed + PARTS * (gsize) i : NULL};
        if (as->rows > 0 && !(passed && *cursor.passed))
            g_array_append_val(rows->cursors, cursor);
    }
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* How many objects have rows around the same position, at most. */
static guint most_at_once(const Rows *rows)
{
    guint n = rows->cursors->len, most = 1, ended = 0;
    g_autofree int64_t *firsts = g_new(int64_t, n + 1), *lasts = g_new(int64_t, n + 1);
    for (guint i = 0; i < n; i++) {
        const EntryObject *as = g_array_index(rows->cursors, Cursor, i).as;
        firsts[i] = as->first;
        lasts[i] = as->last;
    }
    qsort(firsts, n, sizeof *firsts, by_number);
    qsort(lasts, n, sizeof *lasts, by_number);
    for (guint i = 0; i < n; i++) {
        while (lasts[ended] < firsts[i])
            ended++;
        most = MAX(most, i + 1 - ended);
    }
    return rows->in_turn ? 1 : most;
}

/* How many objects are read at once for the rows of one, at most. */
static guint most_parts(const Rows *rows)
{
    guint most = 1;
    for (guint i = 0; i < rows->cursors->len; i++) {
        const EntryObject *as = g_array_index(rows->cursors, Cursor, i).as;
        guint parts = 1;
        for (int kind = 0; kind < BESIDE_KINDS; kind++)
            parts += as->beside[kind].key != NULL;
        most = MAX(most, parts);
    }
    return most;
}

static Rows *rows_new(Store *store, const LinesForm *form)
{
    Rows *rows = g_new0(Rows, 1);
    rows->store = store;
    rows->form = *form;
    rows->cursors = g_array_new(FALSE, TRUE, sizeof(Cursor));
    g_array_set_clear_func(rows->cursors, clear_cursor);
    return rows;
}

Rows *rows_open(Store *store, const Entry *entry, const RowsLimits *limits, const bool *passed)
{
    LinesForm form = {.packing = entry->layout.options.compression, .max_line = limits->max_line};
    Rows *rows = rows_new(store, &form);
    rows->in_turn = !has_index(entry);
    add_cursors(rows, entry, passed);
    if (rows->in_turn)
        number_in_turn(rows);
    rows->form.piece = MAX(limits->piece / most_at_once(rows) / most_parts(rows), PIECE_MIN);
    return rows;
}

Rows *rows_open_foreign(Store *store, const EntryObject *as, const RowsLimits *limits, bool text)
{
    LinesForm form = {.foreign = true, .max_line = limits->max_line};
    Rows *rows = rows_new(store, &form);
    Cursor cursor = {.as = as, .left = INT64_MAX, .next = as->first};
    rows->text = text;
    g_array_append_val(rows->cursors, cursor);
    rows->form.piece = MAX(limits->piece / most_parts(rows), PIECE_MIN);
    return rows;
}

static Cursor *cursor_at(const Rows *rows, guint i)
{
    return &g_array_index(rows->cursors, Cursor, i);
}

int64_t rows_end(const Rows *rows)
{
    return cursor_at(rows, 0)->next;
}

const EntryObject *rows_missing(const Rows *rows, const char **key)
{
    *key = rows->missing_key;
    return rows->missing;
}

/* Where the cursor's next row is; of one that is not open, at the least. */
static int64_t cursor_position(const Rows *rows, const Cursor *cursor)
{
    if (cursor->lines)
        return cursor->row.of.position;
    return rows->in_turn ? cursor->next : cursor->as->first;
}

/* The cursor whose row comes next, and up to which position its rows come before those of all others. */
static bool find_lowest(Rows *rows)
{
    guint best = rows->cursors->len;
    int64_t lowest = INT64_MAX;
    rows->bound = INT64_MAX;
    for (guint i = 0; i < rows->cursors->len; i++) {
        const Cursor *cursor = cursor_at(rows, i);
        if (cursor->left == 0)
            continue;
        int64_t position = cursor_position(rows, cursor);
        if (best == rows->cursors->len || position < lowest) {
            rows->bound = best == rows->cursors->len ? INT64_MAX : lowest;
            lowest = position;
            best = i;
        } else {
            rows->bound = MIN(rows->bound, position);
        }
    }
    rows->current = best;
    return best < rows->cursors->len;
}

/* Opens what has to be open for that. SF_EMPTY: there are no more rows, or an object is missing. */
static SfStatus choose_cursor(Rows *rows, SfError *err)
{
    while (find_lowest(rows)) {
        Cursor *cursor = cursor_at(rows, rows->current);
        if (cursor->lines) {
            rows->chosen = true;
            return SF_OK;
        }
        SF_TRY(open_cursor(rows, cursor, err));
    }
    return SF_EMPTY;
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
        SF_TRY(choose_cursor(rows, err));
    *row = cursor_at(rows, rows->current)->row;
    return SF_OK;
}

void rows_take(Rows *rows)
{
    if (!rows->form.foreign)
        cursor_at(rows, rows->current)->left--;
    rows->taken = true;
}
