/* file-source: lines of files as raw rows. This file finds files, assigns them and takes turns; reading one is
 * reader.c's. */
#include "audit.h"
#include "local_path.h"
#include "wake.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* How long a file is read on after it was moved away; and how much of one before the next file has its turn. */
enum { CHANGE_OVER_MS = 5000, TURN_BYTES = 8 << 20 };

typedef struct FileSource {
    const char *path;
    const char *topic;
    int64_t interval;
    int64_t max_line;
    int64_t batch_rows;
    const char *state_dir;

    Memory *memory;
    Blocks *blocks;
    GPtrArray *readers; /* Reader *, in order of discovery */
    GHashTable *names;  /* of splits that were assigned */
    size_t turn;        /* of the reader that is asked next */
    int64_t turn_bytes; /* that it has given in its turn */
    bool told;          /* that a file is too short to tell it apart */
    int64_t looked_ms;  /* monotonic: when files were looked for; 0: never */
    Wake wake;
} FileSource;

static const SfOption options[] = {
    SF_OPTION_STRING(FileSource, path, .required = true,
                     .doc = "A file, a directory (all files in it), or a pattern such as in/*.jsonl.",
                     .example = "in/*.jsonl"),
    SF_OPTION_STRING(FileSource, topic,
                     .doc = "What the rows say in their column topic; by default each file's name up to "
                            "its last dot."),
    SF_OPTION_DURATION(FileSource, interval, .value = "250ms", .min = "10ms", .max = "1h",
                       .doc = "How often to look for new lines and files."),
    SF_OPTION_SIZE(FileSource, max_line, .value = "64MiB", .min = "1KiB", .max = "256MiB", .doc = "Longest line."),
    SF_OPTION_INT(FileSource, batch_rows, .value = "4096", .min = "1", .max = "1_000_000",
                  .doc = "Rows in a batch at most."),
    SF_OPTION_STRING(FileSource, state_dir,
                     .doc = "Directory for what tells a file from another that begins with the same line; by default "
                            "$XDG_STATE_HOME/streamforge, or ~/.local/state/streamforge.",
                     .example = "/var/lib/streamforge"),
    SF_OPTION_END};

static const char doc[] =
    "Gives the lines of text files as raw rows: `value` is the line without its line break (LF or CR LF), `topic` the\n"
    "file's name up to its last dot, `partition` 0, `offset` the line's number from 0; key, timestamp and headers are\n"
    "null, since a line has none. Empty lines are passed over and keep their number.\n"
    "\n"
    "Files packed by gzip or zstd are read as what is in them, whatever their names say; the `topic` of\n"
    "`sales.jsonl.gz` is `sales`. Other packings are refused by name.\n"
    "\n"
    "A run with trigger `once` reads each file up to where it ended at the start, a last line without line break "
    "included;\n"
    "what is packed must be whole. Otherwise files are followed: as they grow, and as new ones come; a line counts "
    "once "
    "its\n"
    "line break is there. A path without any file is an error or, where files may still come, a warning.\n"
    "\n"
    "Files are read one after the other, ordered by their names, and at most about 8 MiB of one before the next has "
    "its turn:\n"
    "how many there are does not matter for memory.\n"
    "\n"
    "Files may only grow. A file is known by its path and its first line (up to 1 KiB), so that another file under the "
    "same\n"
    "path (after a rotation) is read from its beginning; its predecessor is read to its end first while it is open. "
    "One "
    "that\n"
    "begins with the same line (a header) is told apart by the bytes before the last position, which the source "
    "remembers\n"
    "in `state_dir`; where that is lost, lines before the position are taken as read. A file that was renamed is "
    "another\n"
    "file: let the pattern match either the names before or those after the rotation. In a directory, names that begin "
    "with\n"
    "a dot or an underscore, or end in .tmp, are left out: write there, then rename.\n"
    "\n"
    "Standard input cannot be read again after a failure and cannot be a source. All files are read by task 0.\n";

static SfStatus bind(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    FileSource *self = node->state;
    if (strcmp(self->path, "-") == 0)
        return sf_fail(err, SF_CONFIG,
                       "path '-': standard input cannot be read again after a failure; write it to a file");
    SF_TRY(local_path_check("path", self->path, "; copy the objects to a directory, or read the topic they came from",
                            err));
    if (self->state_dir)
        SF_TRY(local_path_check("state_dir", self->state_dir, "", err));
    return sf_schema_raw(out, err);
}

/* A path that leads nowhere is said at once: an error for a bounded run, unless files may come. */
static SfStatus look_ahead(SfNode *node, SfError *err)
{
    const FileSource *self = node->state;
    g_autoptr(GPtrArray) paths = NULL;
    SfError problem = {0};
    SF_TRY(files_find(self->path, &paths, err));
    if (paths->len > 0)
        return SF_OK;
    SfStatus status = files_explain(self->path, &problem);
    if (node->bounded && status != SF_EMPTY)
        return sf_fail(err, status, "%s", problem.message);
    sf_log(node, SF_LOG_WARNING, "%s; %s", problem.message, node->bounded ? "nothing is read" : "waiting for files");
    return SF_OK;
}

static SfStatus open_node(SfNode *node, SfError *err)
{
    FileSource *self = node->state;
    g_autofree char *absolute = NULL;
    wake_init(&self->wake);
    self->blocks = blocks_new();
    self->readers = g_ptr_array_new_with_free_func((GDestroyNotify) reader_free);
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SF_TRY(local_path_absolute("path", self->path, &absolute, err));
    if (node->task > 0)
        return SF_OK;
    self->memory = memory_new(node, self->state_dir, absolute);
    return look_ahead(node, err);
}

/* Asks where each of the files stands, and gives them their splits. */
static SfStatus assign(SfNode *node, GPtrArray *fresh, SfError *err)
{
    FileSource *self = node->state;
    g_autofree SfAssignment *assignments = g_new0(SfAssignment, fresh->len);
    for (guint i = 0; i < fresh->len; i++) {
        const Reader *reader = g_ptr_array_index(fresh, i);
        assignments[i] = (SfAssignment){.name = reader->file->name, .topic = reader->topic};
    }
    SF_TRY(sf_assign(node, assignments, fresh->len, err));
    for (guint i = 0; i < fresh->len; i++) {
        Reader *reader = g_ptr_array_index(fresh, i);
        reader->split = assignments[i].split;
        reader->position = MAX(assignments[i].position, 0);
        g_hash_table_add(self->names, g_strdup(reader->file->name));
    }
    for (guint i = 0; i < fresh->len; i++)
        g_ptr_array_add(self->readers, g_ptr_array_index(fresh, i));
    g_ptr_array_set_free_func(fresh, NULL);
    return SF_OK;
}

/* The reader that has this very file, or NULL. */
static Reader *find_reader(const FileSource *self, const struct stat *info, const char *path)
{
    for (guint i = self->readers->len; i > 0; i--) {
        Reader *reader = g_ptr_array_index(self->readers, i - 1);
        if (reader->file->inode == info->st_ino && reader->file->device == info->st_dev &&
            strcmp(reader->file->path, path) == 0 && info->st_size >= reader_consumed(reader))
            return reader;
    }
    return NULL;
}

static Reader *reader_of(const FileSource *self, const char *name)
{
    for (guint i = 0; i < self->readers->len; i++) {
        Reader *reader = g_ptr_array_index(self->readers, i);
        if (strcmp(reader->file->name, name) == 0)
            return reader;
    }
    return NULL;
}

/* A file at the place of one that this run has read, and with the same first line: the same lines in a new file, or
 * too few of them to tell. */
static SfStatus take_place(SfNode *node, Found *found, Likeness likeness, SfError *err)
{
    FileSource *self = node->state;
    Reader *reader = reader_of(self, found->name);
    if (reader && likeness == LIKE_SAME) {
        reader_move(reader, found);
        return SF_OK;
    }
    g_autoptr(Found) owned = found;
    if (node->bounded || likeness == LIKE_SAME)
        return sf_fail(
            err, SF_FATAL,
            "%s: was cut short or replaced by a file that begins with the same line; give it another name to "
            "read it anew",
            owned->path);
    if (!self->told)
        sf_log(node, SF_LOG_WARNING,
               "%s: is shorter than what was read of it; waiting for more lines, to tell whether it is another file",
               owned->path);
    self->told = true;
    return SF_OK;
}

/* What is at the path now, by the name of its split; SF_EMPTY when nothing is. */
static SfStatus identify(SfNode *node, const char *path, Found **out, Past **past, Likeness *likeness, SfError *err)
{
    FileSource *self = node->state;
    g_autoptr(Found) found = NULL;
    SF_TRY(files_identify(path, node->bounded, &found, err));
    *past = memory_find(self->memory, found->absolute);
    SF_TRY(past_compare(*past, path, likeness, err));
    if (*likeness == LIKE_OTHER) {
        sf_log(node, SF_LOG_INFO,
               "%s: begins with the same line as its predecessor, but is another file; reading it from its beginning",
               path);
        past_next(*past);
    }
    found_name_generation(found, (*past)->generation);
    *out = g_steal_pointer(&found);
    return SF_OK;
}

/* What stands in the reader's own file by now is not what it was. */
static void leave_truncated(const FileSource *self, const Found *found)
{
    for (guint i = 0; i < self->readers->len; i++) {
        Reader *reader = g_ptr_array_index(self->readers, i);
        if (reader->file->inode == found->inode && reader->file->device == found->device &&
            strcmp(reader->file->path, found->path) == 0)
            reader->done = true;
    }
}

/* A file that is new, or that took another's place. */
static SfStatus look_at(SfNode *node, const char *path, GPtrArray *fresh, SfError *err)
{
    FileSource *self = node->state;
    struct stat info;
    Past *past = NULL;
    Likeness likeness = LIKE_SHORT;
    g_autoptr(Found) found = NULL;
    if (stat(path, &info) != 0 || find_reader(self, &info, path))
        return SF_OK;
    SfStatus status = identify(node, path, &found, &past, &likeness, err);
    if (status != SF_OK)
        return status == SF_EMPTY ? SF_OK : status;
    if (g_hash_table_contains(self->names, found->name))
        return take_place(node, g_steal_pointer(&found), likeness, err);
    leave_truncated(self, found);
    ReaderLimits limits = {.line_bytes = self->max_line, .batch_rows = self->batch_rows};
    g_autofree char *topic = files_topic(self->topic, path);
    g_ptr_array_add(fresh, reader_new(g_steal_pointer(&found), past, topic, node->bounded, &limits, self->blocks));
    return SF_OK;
}

static SfStatus look_for_files(SfNode *node, SfError *err)
{
    FileSource *self = node->state;
    int64_t now_ms = g_get_monotonic_time() / 1000;
    if (self->looked_ms > 0 && (node->bounded || now_ms < self->looked_ms + self->interval))
        return SF_OK;
    g_autoptr(GPtrArray) paths = NULL;
    g_autoptr(GPtrArray) fresh = g_ptr_array_new_with_free_func((GDestroyNotify) reader_free);
    SF_TRY(files_find(self->path, &paths, err));
    for (guint i = 0; i < paths->len; i++)
        SF_TRY(look_at(node, g_ptr_array_index(paths, i), fresh, err));
    if (fresh->len > 0)
        SF_TRY(assign(node, fresh, err));
    else if (node->bounded && paths->len > 0)
        sf_log(node, SF_LOG_WARNING, "every file of '%s' is empty; nothing is read", self->path);
    self->looked_ms = now_ms;
    return SF_OK;
}

/* Whether another file is at the reader's path, and has been for so long that its writer has surely changed over. */
static bool is_over(Reader *reader)
{
    struct stat info;
    int64_t now_ms = g_get_monotonic_time() / 1000;
    if (stat(reader->file->path, &info) == 0 && info.st_ino == reader->file->inode &&
        info.st_dev == reader->file->device && info.st_size >= reader_consumed(reader)) {
        reader->replaced_ms = 0;
        return false;
    }
    if (reader->replaced_ms == 0)
        reader->replaced_ms = now_ms;
    return now_ms - reader->replaced_ms >= CHANGE_OVER_MS;
}

static SfStatus read_one(SfNode *node, Reader *reader, SfBatch *out, SfError *err)
{
    SF_TRY(reader_open(reader, err));
    SfStatus status = reader_next(reader, out, err);
    if (status == SF_EMPTY) {
        sf_lag(node, reader->split, reader->line);
        reader->done = reader->done || is_over(reader);
    }
    return status;
}

/* What readers keep for themselves counts against the pipeline's memory. */
static void charge_reader(SfNode *node, Reader *reader, int64_t held)
{
    if (held != reader->charged)
        sf_charge(node, held - reader->charged);
    reader->charged = held;
}

static void end_turn(SfNode *node, Reader *reader, bool over)
{
    FileSource *self = node->state;
    self->turn_bytes = 0;
    if (over) {
        charge_reader(node, reader, 0);
        g_ptr_array_remove_index(self->readers, (guint) self->turn);
        return;
    }
    reader_set_aside(reader);
    charge_reader(node, reader, reader_held(reader));
    self->turn++;
}

/* One after the other, so that what was read of a file and not handed out is in memory for one of them only. */
static SfStatus read_any(SfNode *node, SfBatch *out, SfError *err)
{
    FileSource *self = node->state;
    for (size_t tried = self->readers->len; tried > 0; tried--) {
        self->turn = self->turn < self->readers->len ? self->turn : 0;
        Reader *reader = g_ptr_array_index(self->readers, self->turn);
        SfStatus status = read_one(node, reader, out, err);
        charge_reader(node, reader, reader_held(reader));
        if (status != SF_OK && status != SF_EMPTY)
            return status;
        self->turn_bytes += status == SF_OK ? out->bytes : 0;
        if (status == SF_EMPTY || (self->turn_bytes >= TURN_BYTES && !reader->more))
            end_turn(node, reader, status == SF_EMPTY && reader->done);
        if (status == SF_OK)
            return SF_OK;
    }
    return SF_EMPTY;
}

static SfStatus poll_node(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    FileSource *self = node->state;
    if (node->task == 0) {
        SF_TRY(look_for_files(node, err));
        SfStatus status = read_any(node, out, err);
        if (status != SF_EMPTY)
            return status;
    }
    if (node->bounded)
        return SF_END;
    if (timeout_ms > 0)
        wake_sleep(&self->wake, g_get_monotonic_time() + MIN(timeout_ms, self->interval) * 1000);
    return SF_EMPTY;
}

static SfStatus audit(SfNode *node, SfAudit *audit, SfError *err)
{
    FileSource *self = node->state;
    g_autofree char *absolute = NULL;
    SF_TRY(local_path_absolute("path", self->path, &absolute, err));
    g_autoptr(Memory) memory = memory_new(node, self->state_dir, absolute);
    FileAudit all = {.path = self->path,
                     .topic = self->topic,
                     .memory = memory,
                     .limits = {.line_bytes = self->max_line, .batch_rows = self->batch_rows}};
    return file_audit(&all, audit, err);
}

static void committed(SfNode *node, const SfPosition *positions, size_t n, bool last)
{
    FileSource *self = node->state;
    (void) positions, (void) n;
    if (self->memory)
        memory_save(self->memory, last);
}

static void interrupt(SfNode *node)
{
    FileSource *self = node->state;
    wake_interrupt(&self->wake);
}

static void close_node(SfNode *node)
{
    FileSource *self = node->state;
    if (!self->readers)
        return;
    if (self->memory)
        memory_save(self->memory, true);
    g_clear_pointer(&self->memory, memory_free);
    g_clear_pointer(&self->readers, g_ptr_array_unref);
    g_clear_pointer(&self->blocks, blocks_free);
    g_clear_pointer(&self->names, g_hash_table_unref);
    wake_done(&self->wake);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(FileSource, .name = "file-source", .version = SF_VERSION,
                   .summary = "Reads lines of files as raw rows", .doc = doc, .options = options),
    .bind = bind,
    .open = open_node,
    .poll = poll_node,
    .committed = committed,
    .interrupt = interrupt,
    .close = close_node,
    .audit = audit,
};
