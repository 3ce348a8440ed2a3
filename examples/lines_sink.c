/* A sink that is exactly once: a commit is one file, which appears whole or not at all, and whose name is its range.
 * So the files themselves say how far the sink has got; nothing else is kept. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sf/sf.h>

/* What was written of one split and is not committed yet. */
typedef struct Chain {
    const SfSplit *split;
    FILE *lines; /* a temporary file, NULL between commits */
    int64_t start;
    int64_t end;
} Chain;

typedef struct Lines {
    const char *path;
    const char *column;
    Chain *chains; /* by split->index */
    size_t n_chains;
} Lines;

static const SfOption options[] = {
    SF_OPTION_STRING(Lines, path, .required = true, .doc = "Directory of the files; made if it is not there."),
    SF_OPTION_STRING(Lines, column, .value = "number", .doc = "Column to write, a bigint: one line a value."),
    SF_OPTION_END,
};

/* All that can be known without touching anything: `sfrun check` calls no more than this. */
static SfStatus bind_lines(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    const Lines *lines = node->state;
    SfField field;
    int64_t column = sf_schema_find(schema, lines->column);
    if (input > 0)
        return sf_fail(err, SF_CONFIG, "lines-sink takes one input");
    if (column < 0)
        return sf_fail(err, SF_CONFIG, "there is no column '%s'", lines->column);
    SF_TRY(sf_schema_field(schema->children[column], &field, err));
    if (field.type != SF_INT64)
        return sf_fail(err, SF_CONFIG, "column '%s' is %s, not bigint", lines->column, sf_type_name(field.type));
    return SF_OK;
}

static SfStatus open_lines(SfNode *node, SfError *err)
{
    const Lines *lines = node->state;
    if (mkdir(lines->path, 0777) != 0 && errno != EEXIST)
        return sf_fail(err, SF_RETRY, "cannot make directory '%s': %s", lines->path, strerror(errno));
    return SF_OK;
}

/* The end of "<topic>+<partition>+<start>-<end>.txt", or SF_POSITION_NONE where the file belongs to another split. */
static int64_t end_of_file(const char *name, const SfSplit *split)
{
    char prefix[NAME_MAX];
    int size = snprintf(prefix, sizeof prefix, "%s+%" PRId32 "+", split->topic, split->partition);
    int64_t start, end;
    char rest[5];
    if (strncmp(name, prefix, (size_t) size) != 0 ||
        sscanf(name + size, "%" SCNd64 "-%" SCNd64 "%4s", &start, &end, rest) != 3)
        return SF_POSITION_NONE;
    return strcmp(rest, ".txt") == 0 ? end : SF_POSITION_NONE;
}

/* How far has it got? The host starts the source there, so no row is there twice. */
static SfStatus recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    const Lines *lines = node->state;
    DIR *dir = opendir(lines->path);
    if (!dir)
        return sf_fail(err, SF_RETRY, "cannot read directory '%s': %s", lines->path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir));)
        for (size_t i = 0; i < n; i++) {
            int64_t end = end_of_file(entry->d_name, chains[i].split);
            if (end > chains[i].position)
                chains[i].position = end;
        }
    closedir(dir);
    return SF_OK;
}

/* The split's chain; splits are numbered densely, so an array does. */
static Chain *find_chain(Lines *lines, const SfSplit *split)
{
    if (split->index >= lines->n_chains) {
        size_t n = split->index + 1;
        Chain *grown = realloc(lines->chains, n * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + lines->n_chains, 0, (n - lines->n_chains) * sizeof *grown);
        lines->chains = grown;
        lines->n_chains = n;
    }
    lines->chains[split->index].split = split;
    return &lines->chains[split->index];
}

static SfStatus write_rows(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    (void) input;
    Lines *lines = node->state;
    SfColumn numbers;
    SF_TRY(sf_column(batch, lines->column, SF_INT64, &numbers, err));
    Chain *chain = find_chain(lines, batch->split);
    if (!chain)
        return sf_fail(err, SF_FATAL, "out of memory");
    if (!chain->lines) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/.%s+%" PRId32 ".part", lines->path, batch->split->topic,
                 batch->split->partition);
        chain->lines = fopen(path, "w");
        if (!chain->lines)
            return sf_fail(err, SF_RETRY, "cannot write '%s': %s", path, strerror(errno));
        chain->start = batch->start;
    }
    for (int64_t row = 0; row < sf_rows(batch); row++)
        if (!sf_is_null(&numbers, row))
            fprintf(chain->lines, "%" PRId64 "\n", sf_i64(&numbers, row));
    chain->end = batch->end;
    return SF_OK;
}

/* On disk first, then visible under its name. */
static SfStatus publish(const Lines *lines, Chain *chain, SfError *err)
{
    char part[PATH_MAX], path[PATH_MAX];
    const SfSplit *split = chain->split;
    snprintf(part, sizeof part, "%s/.%s+%" PRId32 ".part", lines->path, split->topic, split->partition);
    snprintf(path, sizeof path, "%s/%s+%" PRId32 "+%" PRId64 "-%" PRId64 ".txt", lines->path, split->topic,
             split->partition, chain->start, chain->end);
    bool written = fflush(chain->lines) == 0 && !ferror(chain->lines) && fsync(fileno(chain->lines)) == 0;
    if (!written || rename(part, path) != 0)
        return sf_fail(err, SF_FATAL, "cannot write '%s': %s", path, strerror(errno));
    fclose(chain->lines);
    chain->lines = NULL;
    return SF_OK;
}

static SfStatus sync_directory(const char *path, SfError *err)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    bool durable = dir >= 0 && fsync(dir) == 0;
    if (dir >= 0)
        close(dir);
    return durable ? SF_OK : sf_fail(err, SF_FATAL, "cannot sync '%s': %s", path, strerror(errno));
}

/* Called again it finds nothing left to do. The host hears of it when it will survive a power cut. */
static SfStatus commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    (void) reason;
    Lines *lines = node->state;
    for (size_t i = 0; i < lines->n_chains; i++)
        if (lines->chains[i].lines)
            SF_TRY(publish(lines, &lines->chains[i], err));
    SF_TRY(sync_directory(lines->path, err));
    for (size_t i = 0; i < lines->n_chains; i++)
        if (lines->chains[i].split)
            sf_committed(node, 0, lines->chains[i].split, lines->chains[i].end);
    return SF_OK;
}

/* What was not committed is dropped: the source will give it again. */
static void close_lines(SfNode *node)
{
    Lines *lines = node->state;
    for (size_t i = 0; i < lines->n_chains; i++)
        if (lines->chains[i].lines)
            fclose(lines->chains[i].lines);
    free(lines->chains);
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(Lines, .name = "lines-sink", .version = "1.0.0", .summary = "One text file a commit",
                 .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = bind_lines,
    .open = open_lines,
    .recover = recover,
    .write = write_rows,
    .commit = commit,
    .close = close_lines,
};
