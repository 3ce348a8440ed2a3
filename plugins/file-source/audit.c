/* The audit of files: each is read from its beginning, and its lines are counted, or given. */
#include "audit.h"

/* Reads the file through. `audit` NULL: only how many lines it has, and how many rows they are. */
static SfStatus audit_lines(const FileAudit *all, Found *found, Past *past, const SfSplit *split, Blocks *blocks,
                            SfAudit *audit, int64_t *rows, int64_t *end, SfError *err)
{
    g_autoptr(Reader) reader = reader_new(found, past, split->topic, true, &all->limits, blocks);
    reader->split = split;
    SF_TRY(reader_open(reader, err));
    for (;;) {
        SfBatch batch = {0};
        SfStatus status = reader_next(reader, &batch, err);
        if (status == SF_EMPTY && !reader->done)
            continue;
        if (status != SF_OK) {
            *end = reader->line;
            return status == SF_EMPTY ? SF_OK : status;
        }
        *rows += sf_rows(&batch);
        if (audit)
            SF_TRY(sf_audit_batch(audit, &batch, err));
        sf_batch_done(&batch);
    }
}

/* What is at the path now, called as its split is. SF_EMPTY: nothing. */
static SfStatus identify_again(const FileAudit *all, const char *path, Found **out, Past **past, SfError *err)
{
    Likeness likeness;
    g_autoptr(Found) found = NULL;
    SF_TRY(files_identify(path, true, &found, err));
    *past = memory_find(all->memory, found->absolute);
    SF_TRY(past_compare(*past, path, &likeness, err));
    found_name_generation(found, (*past)->generation + (likeness == LIKE_OTHER));
    *out = g_steal_pointer(&found);
    return SF_OK;
}

static SfStatus audit_file(const FileAudit *all, const char *path, Blocks *blocks, SfAudit *audit, SfError *err)
{
    Found *first = NULL, *second = NULL;
    Past *past = NULL;
    int64_t rows = 0, end = 0, unheard = 0;
    SfStatus status = identify_again(all, path, &first, &past, err);
    if (status != SF_OK)
        return status == SF_EMPTY ? SF_OK : status;
    g_autofree char *name = g_strdup(first->name);
    g_autofree char *topic = files_topic(all->topic, path);
    SfSplit split = {.name = name, .topic = topic};
    SF_TRY(audit_lines(all, first, past, &split, blocks, NULL, &rows, &end, err));
    SfAuditRange range = sf_audit_range_new(0, name, 0, end);
    range.topic = topic;
    range.rows = rows;
    range.place = path;
    sf_audit_range(audit, &range);
    sf_audit_checked(audit, "files", 1, 0);
    if (audit->depth < SF_AUDIT_DEEP)
        return SF_OK;
    status = identify_again(all, path, &second, &past, err);
    if (status == SF_EMPTY) {
        sf_audit_unknown(audit, path, "it went while it was read");
        return SF_OK;
    }
    return status == SF_OK ? audit_lines(all, second, past, &split, blocks, audit, &rows, &unheard, err) : status;
}

SfStatus file_audit(const FileAudit *all, SfAudit *audit, SfError *err)
{
    g_autoptr(GPtrArray) paths = NULL;
    SF_TRY(files_find(all->path, &paths, err));
    Blocks *blocks = blocks_new();
    SfStatus status = SF_OK;
    for (guint i = 0; status == SF_OK && i < paths->len; i++)
        status = audit_file(all, paths->pdata[i], blocks, audit, err);
    blocks_free(blocks);
    if (paths->len == 0)
        sf_audit_unknown(audit, all->path, "there is no file");
    return status;
}
