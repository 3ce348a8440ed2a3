/* file-sink: rows as lines of JSON into files of a directory, or to standard output. This file has the hooks; a chain's
 * files are chain.c's. */
#include "audit.h"
#include "chain.h"
#include "console.h"
#include "folder.h"
#include "json/write.h"
#include "local_path.h"

#include <string.h>

typedef enum Format { FORMAT_JSON, FORMAT_VALUE } Format;

/* What `from` names, one each. */
typedef struct Input {
    JsonWriter *writer; /* format json */
    int64_t value;      /* format value: number of the column */
    char *files;        /* directories; NULL for standard output */
    char *positions;
    ChainPlace place;
} Input;

typedef struct FileSink {
    const char *path;
    int32_t format;
    const char *column;
    int64_t file_size;
    const char *mode;

    mode_t file_mode;  /* 0: none is given */
    GQueue held;       /* Chain *, those that are locked */
    GPtrArray *inputs; /* Input *, by number */
    bool printing;
    Ranges *chains; /* Chain; to standard output: Range */
    GString *lines; /* being printed */
} FileSink;

static const char *const format_words[] = {"json", "value", NULL};

static const SfOption options[] = {
    SF_OPTION_STRING(FileSink, path, .required = true,
                     .doc = "Directory for the files, which the step has to itself; '-' prints to standard output.",
                     .example = "out/rejects"),
    SF_OPTION_ENUM(FileSink, format, .value = "json", .words = format_words,
                   .doc =
                       "json: each row as an object with all its columns; value: the bytes of one column as they are."),
    SF_OPTION_STRING(FileSink, column, .value = "value", .doc = "With format value: the column that makes the line."),
    SF_OPTION_SIZE(FileSink, file_size, .value = "64MiB", .min = "1KiB", .max = "1TiB",
                   .doc = "A file that has grown so big is committed before the next checkpoint."),
    SF_OPTION_STRING(FileSink, mode,
                     .doc = "Mode of the files, octal: 0640; by default what the process's umask leaves of 0666.",
                     .example = "\"0640\""),
    SF_OPTION_END};

/* Locks of so many splits are kept; the others are taken anew at each commit. */
enum { MOST_HELD = 64 };

static const char doc[] =
    "Writes rows as lines. Each checkpoint makes one file of every split that had rows, and its name says which:\n"
    "`sales_events+0+00000000000000000100-200.jsonl` holds the rows of positions 100 to 199 of `sales_events/0`. A "
    "file\n"
    "gets its name when it is complete and on disk, and the names are the sink's memory of what it has: exactly once, "
    "also\n"
    "after a crash. Ranges without rows go to `_positions/`, as do those of files that somebody takes away. A split "
    "is\n"
    "locked, so that two processes never write it at once: the other one waits. A process that is stopped or hangs "
    "keeps its\n"
    "locks until it goes on or ends; `fuser` of the files in `_positions/` names it. A sink with "
    "several inputs has a directory for each.\n"
    "\n"
    "To make the sink forget, so that everything is written anew, remove the directory.\n"
    "\n"
    "JSON: decimals and 64-bit integers with all their digits, timestamps as 2024-01-15T10:30:01.000000Z, dates as\n"
    "2024-01-15, NaN and infinities as texts, binary as base64. `key` and `value` of raw rows are texts where they are "
    "valid\n"
    "UTF-8, else base64 under `key_base64` and `value_base64`.\n"
    "\n"
    "Standard output (path '-') is printed as rows come, at least once. With format value, a row whose value is null "
    "or has\n"
    "a line break in it is rejected.\n";

static void input_free(Input *input)
{
    json_writer_free(input->writer);
    g_free(input->files);
    g_free(input->positions);
    g_free(input);
}

static SfStatus find_value(const FileSink *self, const struct ArrowSchema *schema, Input *input, SfError *err)
{
    SfField field;
    input->value = sf_schema_find(schema, self->column);
    if (input->value < 0)
        return sf_fail(err, SF_CONFIG, "the input has no column '%s'; name the one to write by 'column'", self->column);
    SF_TRY(sf_schema_field(schema->children[input->value], &field, err));
    if (field.type != SF_BINARY && field.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG, "column '%s' is %s; format value writes binary or string", self->column,
                       sf_type_name(field.type));
    return SF_OK;
}

/* Three or four octal digits, of which the last three count. */
static SfStatus read_mode(FileSink *self, SfError *err)
{
    const char *digits = self->mode ? self->mode : "";
    size_t size = strlen(digits);
    if (!self->mode)
        return SF_OK;
    if (size == 4 && *digits == '0')
        digits++, size--;
    self->file_mode = (mode_t) g_ascii_strtoull(digits, NULL, 8);
    if (size != 3 || strspn(digits, "01234567") != size || (self->file_mode & 0600) != 0600)
        return sf_fail(err, SF_CONFIG, "mode: '%s' is not a mode that lets the owner read and write, such as 0640",
                       self->mode);
    return SF_OK;
}

static SfStatus check_options(FileSink *self, SfError *err)
{
    if (strcmp(self->path, "-") != 0)
        SF_TRY(
            local_path_check("path", self->path, "; s3-bronze-sink and delta-silver-sink write to object stores", err));
    return read_mode(self, err);
}

static SfStatus bind(SfNode *node, size_t number, const struct ArrowSchema *schema, SfError *err)
{
    FileSink *self = node->state;
    if (!self->inputs)
        self->inputs = g_ptr_array_new_with_free_func((GDestroyNotify) input_free);
    g_return_val_if_fail(number == self->inputs->len, SF_FATAL);
    SF_TRY(check_options(self, err));
    Input *input = g_new0(Input, 1);
    g_ptr_array_add(self->inputs, input);
    if (self->format == FORMAT_VALUE)
        return find_value(self, schema, input, err);
    input->writer = json_writer_new(schema, err);
    return input->writer ? SF_OK : SF_CONFIG;
}

static SfStatus open_node(SfNode *node, SfError *err)
{
    FileSink *self = node->state;
    self->printing = strcmp(self->path, "-") == 0;
    if (!self->chains) {
        self->lines = g_string_new(NULL);
        self->chains =
            ranges_new(node, self->printing ? sizeof(Range) : sizeof(Chain), self->printing ? NULL : chain_clear);
    }
    if (self->printing)
        return SF_OK;
    g_autofree char *absolute = NULL;
    SF_TRY(local_path_absolute("path", self->path, &absolute, err));
    SF_TRY(folder_claim(node, self->path, err));
    for (guint i = 0; i < self->inputs->len; i++) {
        Input *input = g_ptr_array_index(self->inputs, i);
        SF_TRY(folder_of_input(node, self->path, i, &input->files, &input->positions, err));
        input->place = (ChainPlace){
            .files = input->files, .positions = input->positions, .mode = self->file_mode, .held = &self->held};
    }
    return SF_OK;
}

static Chain *chain_of(SfNode *node, size_t number, const SfSplit *split)
{
    FileSink *self = node->state;
    Input *input = g_ptr_array_index(self->inputs, number);
    Chain *chain = ranges_find(self->chains, number, split);
    if (!chain) {
        chain = ranges_add(self->chains, number, split);
        chain_init(chain, node, &input->place);
    }
    return chain;
}

static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    FileSink *self = node->state;
    for (size_t i = 0; i < n; i++) {
        chains[i].position = SF_POSITION_NONE;
        if (self->printing) {
            range_reset(ranges_add(self->chains, chains[i].input, chains[i].split), SF_POSITION_NONE);
            continue;
        }
        Chain *chain = chain_of(node, chains[i].input, chains[i].split);
        SF_TRY(chain_recover(chain, err));
        chains[i].position = chain->range.committed;
        SF_TRY(chain_spare(&self->held, MOST_HELD, err));
    }
    return SF_OK;
}

/* The rows that have a value of one line; the others are rejected. */
static SfStatus add_values(SfNode *node, const Input *input, const SfBatch *batch, GString *out, int64_t *rows,
                           SfError *err)
{
    SfColumn values;
    SF_TRY(sf_column_at(batch, input->value, &values, err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        if (sf_is_null(&values, row)) {
            sf_reject(node, batch, row, "no value, where format value writes it as a line");
            continue;
        }
        SfBytes value = sf_bytes(&values, row);
        if (value.size > 0 && memchr(value.data, '\n', (size_t) value.size)) {
            sf_reject(node, batch, row, "a line break in the value would make two lines of it; format json escapes it");
            continue;
        }
        g_string_append_len(out, value.data, (gssize) value.size);
        g_string_append_c(out, '\n');
        ++*rows;
    }
    return SF_OK;
}

static SfStatus file_add_rows(SfNode *node, const Input *input, const SfBatch *batch, GString *out, int64_t *rows,
                              SfError *err)
{
    if (!input->writer)
        return add_values(node, input, batch, out, rows, err);
    SF_TRY(json_writer_batch(input->writer, batch, err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        json_writer_row(input->writer, row, out);
        g_string_append_c(out, '\n');
    }
    *rows = sf_rows(batch);
    return SF_OK;
}

static SfStatus print(SfNode *node, size_t number, const SfBatch *batch, SfError *err)
{
    FileSink *self = node->state;
    int64_t rows = 0;
    g_string_truncate(self->lines, 0);
    SF_TRY(file_add_rows(node, g_ptr_array_index(self->inputs, number), batch, self->lines, &rows, err));
    SF_TRY(console_print(self->lines, err));
    return ranges_write(self->chains, number, batch, err);
}

static SfStatus file_write_batch(SfNode *node, size_t number, const SfBatch *batch, SfError *err)
{
    FileSink *self = node->state;
    int64_t rows = 0;
    if (self->printing)
        return print(node, number, batch, err);
    Chain *chain = chain_of(node, number, batch->split);
    SF_TRY(chain_hold(chain, err));
    SF_TRY(chain_spare(&self->held, MOST_HELD, err));
    SF_TRY(chain_flush(chain, false, err));
    if (chain->hidden_size >= self->file_size)
        SF_TRY(chain_commit(chain, err));
    SF_TRY(file_add_rows(node, g_ptr_array_index(self->inputs, number), batch, chain->buffer, &rows, err));
    return chain_add(chain, batch, rows, err);
}

static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    FileSink *self = node->state;
    if (self->printing) {
        ranges_publish(self->chains);
        return SF_OK;
    }
    for (guint i = 0; i < ranges_count(self->chains); i++) {
        SF_TRY(chain_commit(ranges_at(self->chains, i), err));
        SF_TRY(chain_spare(&self->held, MOST_HELD, err));
        if (reason == SF_COMMIT_REVOKE || reason == SF_COMMIT_END)
            chain_release(ranges_at(self->chains, i));
    }
    return SF_OK;
}

static SfStatus audit(SfNode *node, SfAudit *audit, SfError *err)
{
    const FileSink *self = node->state;
    if (strcmp(self->path, "-") == 0) {
        sf_audit_unknown(audit, NULL, "what was printed cannot be looked at again");
        return SF_OK;
    }
    for (guint i = 0; i < self->inputs->len; i++) {
        g_autofree char *files = NULL, *positions = NULL;
        folder_places(node, self->path, i, &files, &positions);
        FilesAudit all = {.input = i, .files = files, .positions = positions, .json = self->format == FORMAT_JSON};
        SF_TRY(files_audit(&all, audit, err));
    }
    return SF_OK;
}

static void file_close_node(SfNode *node)
{
    FileSink *self = node->state;
    g_clear_pointer(&self->chains, ranges_free);
    g_clear_pointer(&self->inputs, g_ptr_array_unref);
    if (self->lines)
        g_string_free(g_steal_pointer(&self->lines), TRUE);
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(FileSink, .name = "file-sink", .version = SF_VERSION,
                 .summary = "Writes rows as lines of JSON into files", .doc = doc, .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = bind,
    .open = open_node,
    .recover = recover,
    .write = file_write_batch,
    .commit = commit,
    .close = file_close_node,
    .audit = audit,
};
