/* The Parquet reader: which bytes of a file are read, row group by row group. What becomes of them: record.c. */
#include "parquet.h"
#include "record.h"

#define MAX_BATCH (32 << 20)

/* What is asked for at once of files that are not in memory. */
#define WHOLE_FILE (1 << 20) /* smaller ones are read in one go */
#define FOOTER_BYTES (64 << 10)
#define GROUP_BYTES ((int64_t) 16 << 20) /* of all leaves together */
#define LEAST_PIECE ((int64_t) 128 << 10)
#define SKIP_ROWS 4096
#define SPAN_GAP (64 << 10) /* costs less than another request */

struct ParquetReader {
    ParquetInput input;
    GBytes *file;  /* all of it, or NULL */
    GArray *spans; /* Span: what is in memory of the group */
    Footer *footer;
    ParquetNode *wanted;
    Bound *root;
    SfBuilder *builder;
    Leaves leaves;
    guint group;        /* that is open, or the number of them */
    int64_t group_left; /* rows */
};

/* Bytes of the file that are read at once. */
typedef struct Span {
    int64_t from;
    int64_t to;
    GBytes *bytes;
} Span;

static void clear_span(gpointer data)
{
    Span *span = data;
    g_bytes_unref(span->bytes);
}

/* The file's last bytes, as many as its footer needs; of a small file all. */
static SfStatus read_footer(ParquetReader *reader, SfError *err)
{
    int64_t size = reader->input.size, needed = size <= WHOLE_FILE ? size : FOOTER_BYTES;
    SfStatus status = SF_EMPTY;
    if (size == 0)
        return sf_fail(err, SF_FATAL, "not a Parquet file");
    g_autoptr(GBytes) tail = reader->file ? g_bytes_ref(reader->file) : NULL;
    while (status == SF_EMPTY) {
        if (!tail)
            SF_TRY(reader->input.read(reader->input.user, size - needed, needed, &tail, err));
        gsize n;
        const uint8_t *data = g_bytes_get_data(tail, &n);
        status = footer_read(data, n, size, &needed, &reader->footer, err);
        if (status == SF_OK && (int64_t) n == size && !reader->file)
            reader->file = g_bytes_ref(tail);
        g_clear_pointer(&tail, g_bytes_unref);
    }
    return status;
}

static SfStatus reader_begin(ParquetReader *reader, const struct ArrowSchema *wanted, SfError *err)
{
    reader->spans = g_array_new(FALSE, TRUE, sizeof(Span));
    g_array_set_clear_func(reader->spans, clear_span);
    SF_TRY(read_footer(reader, err));
    reader->leaves = (Leaves){.input = &reader->input, .codec = codec_new(), .n = reader->footer->n_leaves};
    reader->leaves.by_number = g_new0(LeafReader *, reader->leaves.n);
    if (wanted->n_children == 0) /* its rows are only counted */
        return SF_OK;
    reader->root = g_new0(Bound, 1);
    reader->wanted = parquet_schema_new(wanted, NULL, NULL, err);
    if (!reader->wanted)
        return SF_FATAL;
    reader->leaves.root = reader->wanted;
    reader->builder = sf_builder_new(wanted, err);
    return reader->builder ? record_bind(&reader->leaves, reader->root, reader->wanted, reader->footer->root, err)
                           : SF_FATAL;
}

ParquetReader *parquet_reader_new(GBytes *file, const struct ArrowSchema *wanted, SfError *err)
{
    g_autoptr(ParquetReader) reader = g_new0(ParquetReader, 1);
    reader->file = g_bytes_ref(file);
    reader->input.size = (int64_t) g_bytes_get_size(file);
    return reader_begin(reader, wanted, err) == SF_OK ? g_steal_pointer(&reader) : NULL;
}

SfStatus parquet_reader_open(const ParquetInput *input, const struct ArrowSchema *wanted, ParquetReader **out,
                             SfError *err)
{
    g_autoptr(ParquetReader) reader = g_new0(ParquetReader, 1);
    reader->input = *input;
    SF_TRY(reader_begin(reader, wanted, err));
    *out = g_steal_pointer(&reader);
    return SF_OK;
}

void parquet_reader_free(ParquetReader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->leaves.n; i++)
        if (reader->leaves.by_number[i]) {
            leaf_reader_done(reader->leaves.by_number[i]);
            g_free(reader->leaves.by_number[i]);
        }
    g_free(reader->leaves.by_number);
    if (reader->root)
        record_done(reader->root);
    g_free(reader->root);
    sf_builder_free(reader->builder);
    g_clear_pointer(&reader->wanted, parquet_node_free);
    g_clear_pointer(&reader->leaves.codec, codec_free);
    g_clear_pointer(&reader->footer, footer_free);
    g_clear_pointer(&reader->file, g_bytes_unref);
    g_clear_pointer(&reader->spans, g_array_unref);
    g_free(reader);
}

int64_t parquet_reader_rows(const ParquetReader *reader)
{
    return reader->footer->rows;
}

bool parquet_reader_has(const ParquetReader *reader, const char *column, const char *name)
{
    const FileNode *group = record_member(reader->footer->root, column);
    return group && record_member(group, name);
}

const char *parquet_reader_lacks(const ParquetReader *reader)
{
    return reader->root ? record_lacks(reader->root) : NULL;
}

static gint by_offset(gconstpointer a, gconstpointer b)
{
    const Span *one = a, *other = b;
    return (one->from > other->from) - (one->from < other->from);
}

/* The chunks of the group's wanted leaves, those that are near each other in one; their bytes in all. */
static int64_t plan_spans(ParquetReader *reader, const FileGroup *group)
{
    int64_t bytes = 0;
    guint kept = 0;
    g_array_set_size(reader->spans, 0);
    for (size_t i = 0; i < reader->leaves.n; i++) {
        const FileChunk *chunk = &g_array_index(group->chunks, FileChunk, i);
        Span span = {.from = chunk->offset, .to = chunk->offset + chunk->size};
        if (reader->leaves.by_number[i])
            g_array_append_val(reader->spans, span);
    }
    g_array_sort(reader->spans, by_offset);
    Span *spans = (Span *) (gpointer) reader->spans->data;
    for (guint i = 1; i < reader->spans->len; i++) {
        if (spans[i].from - spans[kept].to <= SPAN_GAP)
            spans[kept].to = MAX(spans[kept].to, spans[i].to);
        else
            spans[++kept] = spans[i];
    }
    g_array_set_size(reader->spans, MIN(reader->spans->len, kept + 1));
    for (guint i = 0; i < reader->spans->len; i++)
        bytes += spans[i].to - spans[i].from;
    return bytes;
}

/* All that is wanted of the group where that is not too much; else nothing, and leaves read piece by piece. */
static SfStatus read_spans(ParquetReader *reader, const FileGroup *group, SfError *err)
{
    if (reader->file)
        return SF_OK;
    if (plan_spans(reader, group) > GROUP_BYTES)
        g_array_set_size(reader->spans, 0);
    for (guint i = 0; i < reader->spans->len; i++) {
        Span *span = &g_array_index(reader->spans, Span, i);
        SF_TRY(reader->input.read(reader->input.user, span->from, span->to - span->from, &span->bytes, err));
    }
    return SF_OK;
}

static const Span *span_of(const ParquetReader *reader, const FileChunk *chunk)
{
    for (guint i = 0; i < reader->spans->len; i++) {
        const Span *span = &g_array_index(reader->spans, Span, i);
        if (span->from <= chunk->offset && chunk->offset + chunk->size <= span->to)
            return span;
    }
    return NULL;
}

static size_t wanted_leaves(const ParquetReader *reader)
{
    size_t n = 0;
    for (size_t i = 0; i < reader->leaves.n; i++)
        n += reader->leaves.by_number[i] != NULL;
    return n;
}

static SfStatus open_group(ParquetReader *reader, const FileGroup *group, SfError *err)
{
    int64_t piece = MAX(GROUP_BYTES / (int64_t) MAX(wanted_leaves(reader), 1), LEAST_PIECE);
    SF_TRY(read_spans(reader, group, err));
    for (size_t i = 0; i < reader->leaves.n; i++) {
        if (!reader->leaves.by_number[i])
            continue;
        const FileChunk *chunk = &g_array_index(group->chunks, FileChunk, i);
        const Span *span = reader->file ? NULL : span_of(reader, chunk);
        SF_TRY(leaf_reader_chunk(reader->leaves.by_number[i], chunk, span ? span->bytes : reader->file,
                                 span ? span->from : 0, piece, err));
    }
    reader->group_left = group->rows;
    return SF_OK;
}

static SfStatus next_group(ParquetReader *reader, SfError *err)
{
    while (reader->group_left == 0 && reader->group < reader->footer->groups->len)
        SF_TRY(open_group(reader, reader->footer->groups->pdata[reader->group++], err));
    return reader->group_left > 0 ? SF_OK : SF_END;
}

/* Every leaf must be at the beginning of a row. */
static SfStatus check_row(const ParquetReader *reader, SfError *err)
{
    for (size_t i = 0; i < reader->leaves.n; i++) {
        LeafReader *leaf = reader->leaves.by_number[i];
        if (!leaf || leaf->node->max_rep == 0)
            continue;
        SfStatus status = leaf_reader_fill(leaf, err);
        if (status == SF_OK && leaf_rep(leaf) != 0)
            return sf_fail(err, SF_FATAL, "corrupt Parquet file: column '%s': a row begins within another",
                           leaf->node->name);
        if (status != SF_OK && status != SF_END)
            return status;
    }
    return SF_OK;
}

static SfStatus read_row(ParquetReader *reader, SfError *err)
{
    SF_TRY(check_row(reader, err));
    for (size_t i = 0; i < reader->wanted->n_children; i++)
        SF_TRY(record_assemble(&reader->root->children[i], sf_builder_column(reader->builder, i), err));
    SfStatus status = sf_builder_end_row(reader->builder, err);
    return status == SF_OK ? SF_OK : sf_fail_prefix(err, SF_FATAL, "Parquet file");
}

/* A dictionary makes long values cheap to repeat: their number does not bound a batch's memory. */
static bool is_full(const ParquetReader *reader)
{
    return sf_builder_full(reader->builder) ||
           (sf_builder_rows(reader->builder) > 0 && sf_builder_bytes(reader->builder) > MAX_BATCH);
}

/* Rows without columns: nothing is read for them. */
static SfStatus reader_count(ParquetReader *reader, int64_t max, struct ArrowArray *out, SfError *err)
{
    int64_t n = MIN(max, reader->group_left);
    reader->group_left -= n;
    return sf_rows_from_columns(NULL, 0, n, out, err);
}

SfStatus parquet_reader_next(ParquetReader *reader, int64_t max, struct ArrowArray *out, SfError *err)
{
    SF_TRY(next_group(reader, err));
    if (!reader->builder)
        return reader_count(reader, max, out, err);
    for (int64_t i = 0; i < max && !is_full(reader); i++) {
        SfStatus status = next_group(reader, err);
        if (status == SF_END)
            break;
        SF_TRY(status);
        SF_TRY(read_row(reader, err));
        reader->group_left--;
    }
    return sf_builder_finish(reader->builder, out, err);
}

size_t parquet_reader_held(const ParquetReader *reader)
{
    size_t held = reader->file ? g_bytes_get_size(reader->file) : 0;
    for (guint i = 0; i < reader->spans->len; i++)
        held += g_bytes_get_size(g_array_index(reader->spans, Span, i).bytes);
    for (size_t i = 0; i < reader->leaves.n; i++) {
        const LeafReader *leaf = reader->leaves.by_number[i];
        held += leaf ? leaf_reader_held(leaf) : 0;
        held += leaf && leaf->window && !reader->file && reader->spans->len == 0 ? g_bytes_get_size(leaf->window) : 0;
    }
    return held;
}

/* Past rows of the group that is open. */
static SfStatus skip_rows(ParquetReader *reader, int64_t *rows, SfError *err)
{
    struct ArrowArray passed = {0};
    SF_TRY(parquet_reader_next(reader, MIN(*rows, SKIP_ROWS), &passed, err));
    *rows -= passed.length;
    sf_array_done(&passed);
    return SF_OK;
}

SfStatus parquet_reader_skip(ParquetReader *reader, int64_t rows, SfError *err)
{
    const GPtrArray *groups = reader->footer->groups;
    while (rows > 0) {
        const FileGroup *next = reader->group < groups->len ? groups->pdata[reader->group] : NULL;
        if (reader->group_left > 0 || (next && next->rows > rows)) {
            SF_TRY(skip_rows(reader, &rows, err));
        } else if (next) {
            rows -= next->rows;
            reader->group++;
        } else {
            return sf_fail(err, SF_FATAL, "the Parquet file has fewer rows than expected");
        }
    }
    return SF_OK;
}

SfStatus parquet_reader_each(ParquetReader *reader, const struct ArrowSchema *schema, int64_t max, ParquetRows *take,
                             gpointer user, SfError *err)
{
    SfStatus status = reader ? SF_OK : SF_FATAL;
    while (status == SF_OK) {
        struct ArrowArray rows;
        status = parquet_reader_next(reader, max, &rows, err);
        if (status != SF_OK)
            break;
        status = take(user, schema, &rows, err);
        sf_array_done(&rows);
    }
    return status == SF_END ? SF_OK : status;
}
