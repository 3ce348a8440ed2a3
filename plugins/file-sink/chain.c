/* Writes, commits and recovers one chain. Knows nothing of what is in the rows. */
#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 256 << 10 };

void chain_init(Chain *chain, SfNode *node, const ChainPlace *place)
{
    chain->node = node;
    chain->place = place;
    chain->link.data = chain;
    chain->key = name_key(chain->range.split->name);
    chain->position_path = g_build_filename(place->positions, chain->key, NULL);
    g_autofree char *hidden = g_strdup_printf(".%s.tmp", chain->key);
    chain->hidden_path = g_build_filename(place->files, hidden, NULL);
    chain->position_fd = chain->hidden_fd = -1;
    chain->buffer = g_string_new(NULL);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void charge(Chain *chain)
{
    int64_t size = (int64_t) chain->buffer->allocated_len;
    if (size != chain->charged)
        sf_charge(chain->node, size - chain->charged);
    chain->charged = size;
}

/* Memory that one large batch needed is not kept for the small ones. */
static void empty_buffer(Chain *chain)
{
    if (chain->buffer->allocated_len > 2 * FLUSH_BYTES) {
        g_string_free(chain->buffer, TRUE);
        chain->buffer = g_string_new(NULL);
    }
    g_string_truncate(chain->buffer, 0);
    charge(chain);
}

static void drop_open(Chain *chain)
{
    close_fd(&chain->hidden_fd);
    chain->renamed = false;
    chain->hidden_size = 0;
    chain->rows = 0;
    empty_buffer(chain);
}

void chain_clear(gpointer data)
{
    Chain *chain = data;
    if (chain->hidden_fd >= 0)
        (void) unlink(chain->hidden_path);
    drop_open(chain);
    chain_release(chain);
    sf_charge(chain->node, -chain->charged);
    g_string_free(chain->buffer, TRUE);
    g_free(chain->hidden_path);
    g_free(chain->position_path);
    g_free(chain->key);
}

static SfStatus fail_io(const char *path, const char *what, SfError *err)
{
    const char *cause = errno == ELOOP ? "it is a symbolic link, which is not followed; remove it" : g_strerror(errno);
    return sf_fail(err, SF_RETRY, "cannot %s '%s': %s", what, path, cause);
}

/* The file's mode is what the user says, whatever the umask; without a word, what the umask leaves. */
static int create(const Chain *chain, const char *path, int flags)
{
    int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 || chain->place->mode == 0 || fchmod(fd, chain->place->mode) == 0)
        return fd;
    int error = errno;
    close_fd(&fd);
    errno = error;
    return -1;
}

static SfStatus lock(Chain *chain, SfError *err)
{
    if (chain->position_fd >= 0)
        return SF_OK;
    int fd = create(chain, chain->position_path, O_RDWR);
    if (fd < 0)
        return fail_io(chain->position_path, "open", err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        SfStatus status = errno == EWOULDBLOCK
                              ? sf_fail(err, SF_RETRY, "another process is writing files of split '%s' to '%s'",
                                        chain->range.split->name, chain->place->files)
                              : fail_io(chain->position_path, "lock", err);
        close_fd(&fd);
        return status;
    }
    chain->position_fd = fd;
    g_queue_push_tail_link(chain->place->held, &chain->link);
    return SF_OK;
}

/* The position file has one number, in so few bytes that writing them is one act. */
static SfStatus read_position(const Chain *chain, int64_t *out, SfError *err)
{
    char text[32] = "";
    char *end = NULL;
    ssize_t size = pread(chain->position_fd, text, sizeof text - 1, 0);
    if (size < 0)
        return fail_io(chain->position_path, "read", err);
    *out = SF_POSITION_NONE;
    if (size == 0)
        return SF_OK;
    guint64 value = g_ascii_strtoull(text, &end, 10);
    if (end == text || *end != '\n' || value > INT64_MAX)
        return sf_fail(err, SF_FATAL, "'%s' holds no position; put it back, or remove it to go on behind the last file",
                       chain->position_path);
    *out = (int64_t) value;
    return SF_OK;
}

static SfStatus write_position(const Chain *chain, bool sync, SfError *err)
{
    char text[32];
    int size = g_snprintf(text, sizeof text, "%020" PRId64 "\n", chain->range.end);
    if (pwrite(chain->position_fd, text, (size_t) size, 0) != size || (sync && fdatasync(chain->position_fd) != 0))
        return fail_io(chain->position_path, "write", err);
    return SF_OK;
}

static SfStatus find_end(const Chain *chain, int64_t *out, SfError *err)
{
    int64_t files = SF_POSITION_NONE, position = SF_POSITION_NONE;
    SF_TRY(names_last_end(chain->place->files, chain->key, &files, err));
    SF_TRY(read_position(chain, &position, err));
    *out = MAX(files, position);
    return SF_OK;
}

SfStatus chain_recover(Chain *chain, SfError *err)
{
    drop_open(chain);
    SF_TRY(lock(chain, err));
    int64_t end = SF_POSITION_NONE;
    range_reset(&chain->range, end);
    SF_TRY(find_end(chain, &end, err));
    range_reset(&chain->range, end);
    return SF_OK;
}

SfStatus chain_hold(Chain *chain, SfError *err)
{
    if (chain->position_fd >= 0) {
        g_queue_unlink(chain->place->held, &chain->link);
        g_queue_push_tail_link(chain->place->held, &chain->link);
        return SF_OK;
    }
    int64_t end = SF_POSITION_NONE;
    SF_TRY(lock(chain, err));
    SF_TRY(find_end(chain, &end, err));
    if (end == chain->range.committed)
        return SF_OK;
    chain_release(chain);
    return sf_fail(err, SF_FENCED, "another process has moved split '%s' in '%s' on to %" PRId64,
                   chain->range.split->name, chain->place->files, end);
}

void chain_release(Chain *chain)
{
    if (chain->position_fd >= 0)
        g_queue_unlink(chain->place->held, &chain->link);
    close_fd(&chain->position_fd);
}

SfStatus chain_spare(GQueue *held, guint most, SfError *err)
{
    while (held->length > most) {
        Chain *chain = held->head->data;
        if (chain->hidden_fd >= 0)
            SF_TRY(chain_commit(chain, err));
        chain_release(chain);
    }
    return SF_OK;
}

SfStatus chain_add(Chain *chain, const SfBatch *batch, int64_t rows, SfError *err)
{
    chain->rows += rows;
    charge(chain);
    return range_write(&chain->range, batch, err);
}

/* What lies under its name is a dead process's, or somebody's trap: another name of a file elsewhere. */
static SfStatus create_hidden(Chain *chain, SfError *err)
{
    if (chain->hidden_fd >= 0)
        return SF_OK;
    (void) unlink(chain->hidden_path);
    chain->hidden_fd = create(chain, chain->hidden_path, O_WRONLY | O_EXCL);
    return chain->hidden_fd >= 0 ? SF_OK : fail_io(chain->hidden_path, "create", err);
}

/* At a fixed place, so that a write that failed half-way is simply done again. */
SfStatus chain_flush(Chain *chain, bool all, SfError *err)
{
    if (chain->buffer->len == 0 || (!all && chain->buffer->len < FLUSH_BYTES))
        return SF_OK;
    SF_TRY(create_hidden(chain, err));
    for (gsize done = 0; done < chain->buffer->len;) {
        ssize_t n = pwrite(chain->hidden_fd, chain->buffer->str + done, chain->buffer->len - done,
                           chain->hidden_size + (int64_t) done);
        if (n < 0 && errno != EINTR)
            return fail_io(chain->hidden_path, "write", err);
        done += (gsize) MAX(n, 0);
    }
    chain->hidden_size += (int64_t) chain->buffer->len;
    empty_buffer(chain);
    return SF_OK;
}

static SfStatus sync_directory(const char *path, SfError *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    close_fd(&fd);
    errno = error;
    return error == 0 ? SF_OK : fail_io(path, "sync", err);
}

/* The rename is the commit: the name is the range. */
static SfStatus publish(Chain *chain, SfError *err)
{
    g_autofree char *name = name_file(chain->key, chain->range.start, chain->range.end);
    g_autofree char *path = g_build_filename(chain->place->files, name, NULL);
    SF_TRY(chain_flush(chain, true, err));
    sf_fault(chain->node, "file-sink:written");
    if (!chain->renamed && fsync(chain->hidden_fd) != 0)
        return fail_io(chain->hidden_path, "sync", err);
    sf_fault(chain->node, "file-sink:synced");
    if (!chain->renamed && rename(chain->hidden_path, path) != 0)
        return fail_io(path, "rename to", err);
    chain->renamed = true;
    sf_fault(chain->node, "file-sink:renamed");
    return sync_directory(chain->place->files, err);
}

SfStatus chain_commit(Chain *chain, SfError *err)
{
    if (!range_moved(&chain->range))
        return SF_OK;
    SF_TRY(chain_hold(chain, err));
    SF_TRY(range_settle(chain->node, &chain->range, err));
    if (chain->rows > 0)
        SF_TRY(publish(chain, err));
    /* beside a file the position only matters once somebody takes the file away: no reason to fail or to wait */
    SfStatus status = write_position(chain, chain->rows == 0, err);
    if (chain->rows == 0 && status != SF_OK)
        return status;
    sf_fault(chain->node, "file-sink:positioned");
    drop_open(chain);
    range_publish(chain->node, &chain->range);
    return SF_OK;
}
