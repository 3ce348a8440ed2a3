/* Reads a file into blocks and cuts them at line breaks. A line that a block's end cuts goes to the next block, the
 * only bytes that are copied. No mapping: a file that is cut short under a mapping kills its reader. */
#include "reader.h"

#include <inttypes.h>

enum { FEW_ROWS = 256 };

Reader *reader_new(Found *file, Past *past, const char *topic, bool bounded, const ReaderLimits *limits, Blocks *blocks)
{
    Reader *reader = g_new0(Reader, 1);
    reader->file = file;
    reader->topic = g_strdup(topic);
    reader->limits = *limits;
    reader->blocks = blocks;
    reader->past = past;
    reader->bounded = bounded;
    reader->capacity = MIN(FEW_ROWS, limits->batch_rows);
    return reader;
}

void reader_free(Reader *reader)
{
    if (!reader)
        return;
    input_free(reader->input);
    block_unref(reader->block);
    raw_source_unref(reader->raw);
    found_free(reader->file);
    g_free(reader->topic);
    g_free(reader);
}

/* Behind what is there, unless another file has been read into that. */
static size_t room(const Reader *reader)
{
    const Block *block = reader->block;
    return block && reader->end == block->data + block->used ? block->size - block->used : 0;
}

/* What is not handed out yet, and before it what a mark is made of. */
static char *keep_from(const Reader *reader)
{
    return reader->block ? reader->at - MIN(reader->at - reader->base, MARK_BYTES) : NULL;
}

/* `block` ends with the last `kept` bytes that were read, of which `before` are handed out. */
static void move_to(Reader *reader, Block *block, size_t kept, size_t before)
{
    reader->block = block;
    reader->end = block->data + block->used;
    reader->base = reader->end - kept;
    reader->at = reader->base + before;
}

/* Behind what is there already, as long as that is worth a read: batches of the block do not mind. Else behind a copy,
 * in a block that is bigger when the line fills most of it. */
static SfStatus make_room(Reader *reader, SfError *err)
{
    if (room(reader) >= BLOCK_LEAST)
        return SF_OK;
    const char *from = keep_from(reader);
    size_t kept = (size_t) (reader->end - from), before = (size_t) (reader->at - from);
    Block *block = blocks_next(reader->blocks, reader->block, from, kept);
    if (!block)
        return sf_fail(err, SF_RETRY, "%s:%" PRId64 ": no memory for a line of more than %zu bytes", reader->file->path,
                       reader->line + 1, kept - before);
    move_to(reader, block, kept, before);
    return SF_OK;
}

int64_t reader_held(const Reader *reader)
{
    return reader->block && !blocks_shares(reader->blocks, reader->block) ? (int64_t) reader->block->size : 0;
}

void reader_set_aside(Reader *reader)
{
    const char *from = keep_from(reader);
    size_t kept = (size_t) (reader->end - from), before = (size_t) (reader->at - from);
    if (reader->capacity > FEW_ROWS) {
        g_clear_pointer(&reader->raw, raw_source_unref);
        reader->capacity = FEW_ROWS;
    }
    if (!reader->block || (reader_held(reader) > 0 && reader->block->size / 2 <= kept))
        return;
    Block *block = blocks_shrink(reader->block, from, kept);
    if (block)
        move_to(reader, block, kept, before);
}

/* More bytes behind reader->end; SF_EMPTY when there are none. */
static SfStatus fill(Reader *reader, SfError *err)
{
    SF_TRY(make_room(reader, err));
    size_t got = 0;
    SfStatus status = input_read(reader->input, reader->end, room(reader), &got, err);
    if (status != SF_OK)
        return status == SF_EMPTY ? status
                                  : sf_fail_prefix(err, status, "%s:%" PRId64, reader->file->path, reader->line + 1);
    bool first = reader->offset == 0;
    reader->offset += (int64_t) got;
    reader->end += got;
    reader->block->used += got;
    if (first && got >= 3 && memcmp(reader->at, "\xEF\xBB\xBF", 3) == 0)
        reader->at += 3; /* a byte order mark, which is no part of the first line */
    return SF_OK;
}

/* Reads on until there is a whole line: *end is its line break, or the end of a last line without one. SF_EMPTY: no
 * line. */
static SfStatus find_line(Reader *reader, char **end, SfError *err)
{
    size_t seen = 0;
    for (;;) {
        size_t size = (size_t) (reader->end - reader->at);
        char *found = size > seen ? memchr(reader->at + seen, '\n', size - seen) : NULL;
        if (found) {
            *end = found;
            return SF_OK;
        }
        if ((int64_t) size > reader->limits.line_bytes)
            return sf_fail(err, SF_FATAL, "%s:%" PRId64 ": line of more than %" PRId64 " bytes; raise 'max_line'",
                           reader->file->path, reader->line + 1, reader->limits.line_bytes);
        seen = size;
        SfStatus status = fill(reader, err);
        if (status == SF_EMPTY && reader->bounded) {
            reader->done = true;
            *end = reader->end;
            return size > 0 ? SF_OK : SF_EMPTY;
        }
        SF_TRY(status);
    }
}

/* Behind a line that ends at `end`. */
static inline char *behind(const Reader *reader, char *end)
{
    return end < reader->end ? end + 1 : end;
}

static SfStatus skip_rest(Reader *reader, SfError *err)
{
    char *end = NULL;
    if (!reader->rest)
        return SF_OK;
    SfStatus status = find_line(reader, &end, err);
    if (status != SF_OK)
        return status;
    reader->at = behind(reader, end);
    reader->rest = false;
    return SF_OK;
}

/* Passes over lines up to that number. */
static SfStatus skip_lines(Reader *reader, int64_t line, SfError *err)
{
    while (reader->line < line) {
        char *end = NULL;
        SfStatus status = find_line(reader, &end, err);
        if (status == SF_OK) {
            reader->at = behind(reader, end);
            reader->line++;
        } else if (status == SF_EMPTY && reader->end > reader->at && reader->line + 1 == line) {
            /* an earlier, bounded run took what was the end of the file for the end of this line */
            reader->line++;
            reader->rest = true;
        } else if (status == SF_EMPTY) {
            return sf_fail(err, SF_FATAL,
                           "%s: has %" PRId64 " lines, but %" PRId64 " were read from it before: it was cut short; put "
                           "it back, or give it another name to read it anew",
                           reader->file->path, reader->line, line);
        } else {
            return status;
        }
    }
    return SF_OK;
}

static void reader_close(Reader *reader)
{
    g_clear_pointer(&reader->input, input_free);
    g_clear_pointer(&reader->block, block_unref);
    reader->base = reader->at = reader->end = NULL;
    reader->more = false;
    reader->offset = reader->line = 0;
    reader->rest = false;
}

void reader_move(Reader *reader, Found *file)
{
    reader->position = MAX(reader->position, reader->line);
    reader_close(reader);
    found_free(reader->file);
    reader->file = file;
    reader->replaced_ms = 0;
    reader->done = false;
}

int64_t reader_consumed(const Reader *reader)
{
    return reader->input ? input_consumed(reader->input) : 0;
}

SfStatus reader_open(Reader *reader, SfError *err)
{
    if (reader->input)
        return SF_OK;
    SfStatus status = input_open(reader->file->path, reader->bounded, &reader->input, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_RETRY, "cannot read '%s': it is gone", reader->file->path);
    if (status == SF_OK)
        input_end_at(reader->input, reader->file->size);
    if (status == SF_OK)
        status = skip_lines(reader, reader->position, err);
    if (status != SF_OK)
        reader_close(reader);
    return status;
}

/* Remembers what stands before `at`, a line's beginning. */
static void remember(const Reader *reader, int64_t line, const char *at)
{
    Mark mark;
    size_t size = MIN((size_t) (at - reader->base), (size_t) MARK_BYTES);
    mark_set(&mark, line, reader->offset - (reader->end - at), at - size, size);
    past_add(reader->past, &mark);
}

/* Beside the end of what was read, that of the second line, for a file that has few. */
static void remember_all(const Reader *reader, int64_t start, const char *from)
{
    const char *end = start == 0 ? memchr(from, '\n', (size_t) (reader->at - from)) : NULL;
    end = end ? memchr(end + 1, '\n', (size_t) (reader->at - end - 1)) : NULL;
    if (end)
        remember(reader, 2, end + 1);
    remember(reader, reader->line, reader->at);
}

/* Cuts lines into rows as long as they are there in full; line breaks may be CR LF. Empty lines are no events. */
static void cut_lines(Reader *reader, char *end, RawRows *rows)
{
    while (end && rows->length < reader->capacity) {
        size_t size = (size_t) (end - reader->at);
        if (size > 0 && end[-1] == '\r')
            size--;
        if (size > 0)
            raw_rows_add(rows, NULL, 0, reader->at, size, reader->line, RAW_NO_TIMESTAMP);
        reader->at = behind(reader, end);
        reader->line++;
        end = memchr(reader->at, '\n', (size_t) (reader->end - reader->at));
    }
    reader->more = end != NULL;
}

/* Room for rows is made by how many there were: many files may have few. */
static RawRows *new_rows(Reader *reader, SfError *err)
{
    if (!reader->raw)
        reader->raw = raw_source_new(reader->topic, 0, reader->capacity);
    return raw_rows_new(reader->raw, reader->capacity, block_unref, block_ref(reader->block), err);
}

static void expect_more_rows(Reader *reader)
{
    if (!reader->more || reader->capacity == reader->limits.batch_rows)
        return;
    reader->capacity = MIN(reader->capacity * 4, reader->limits.batch_rows);
    g_clear_pointer(&reader->raw, raw_source_unref);
}

SfStatus reader_next(Reader *reader, SfBatch *out, SfError *err)
{
    char *end = NULL;
    SF_TRY(skip_rest(reader, err));
    SF_TRY(find_line(reader, &end, err));
    g_autoptr(RawRows) rows = new_rows(reader, err);
    if (!rows)
        return SF_RETRY;
    int64_t start = reader->line;
    char *from = reader->at;
    cut_lines(reader, end, rows);
    remember_all(reader, start, from);
    expect_more_rows(reader);
    SF_TRY(raw_rows_finish(g_steal_pointer(&rows), NULL, &out->rows, err));
    out->split = reader->split;
    out->start = start;
    out->end = reader->line;
    out->bytes = reader->at - from;
    out->newest_us = INT64_MIN;
    return SF_OK;
}
