/* Opens files, and tells by their first bytes how they are packed: a name says it to people only. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/compress.h"

enum { MAGIC_BYTES = 6, PACKED_BYTES = 128 << 10 };

struct Input {
    char *path;
    int fd;
    Unpacker *unpacker; /* NULL: plain */
    char *packed;       /* bytes of the file, PACKED_BYTES at most */
    const char *next;   /* those that are not taken yet */
    size_t left;        /* so many */
    int64_t offset;     /* in the file: of what is read next */
    int64_t stop;       /* of a plain file; INT64_MAX: follows its growth */
    bool bounded;
};

void input_free(Input *input)
{
    if (!input)
        return;
    unpacker_free(input->unpacker);
    g_free(input->packed);
    if (input->fd >= 0)
        close(input->fd);
    g_free(input->path);
    g_free(input);
}

static SfStatus find_out(Input *input, SfError *err)
{
    char magic[MAGIC_BYTES];
    ssize_t size = pread(input->fd, magic, sizeof magic, 0);
    const char *problem = packing_problem(magic, (size_t) MAX(size, 0));
    if (problem)
        return sf_fail(err, SF_CONFIG, "'%s' is %s", input->path, problem);
    Compression compression = compression_of(magic, (size_t) MAX(size, 0));
    if (compression == COMPRESSION_NONE)
        return SF_OK;
    input->unpacker = unpacker_new(compression, UNPACK_WINDOW, err);
    if (!input->unpacker)
        return sf_fail_prefix(err, SF_CONFIG, "'%s' is packed by %s", input->path, compression_name(compression));
    input->packed = g_malloc(PACKED_BYTES);
    return SF_OK;
}

SfStatus input_open(const char *path, bool bounded, Input **out, SfError *err)
{
    struct stat info;
    g_autoptr(Input) input = g_new0(Input, 1);
    input->path = g_strdup(path);
    input->bounded = bounded;
    input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not wait for its writer */
    if (input->fd < 0 && errno == ENOENT)
        return SF_EMPTY;
    if (input->fd < 0 || fstat(input->fd, &info) != 0)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", path, g_strerror(errno));
    if (!S_ISREG(info.st_mode))
        return sf_fail(err, SF_CONFIG, "'%s' is not a regular file; lines are read from files that can be read again",
                       path);
    SF_TRY(find_out(input, err));
    if (!input->unpacker)
        (void) posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    input->stop = bounded ? info.st_size : INT64_MAX;
    *out = g_steal_pointer(&input);
    return SF_OK;
}

SfStatus input_stat(const Input *input, struct stat *out, SfError *err)
{
    if (fstat(input->fd, out) == 0)
        return SF_OK;
    return sf_fail(err, SF_RETRY, "cannot read '%s': %s", input->path, g_strerror(errno));
}

/* A member that ends early is still being written, where the file is followed. */
static SfStatus end_packed(const Input *input, SfError *err)
{
    if (!input->bounded || unpacker_is_complete(input->unpacker))
        return SF_EMPTY;
    return sf_fail(err, SF_FATAL, "the %s data ends too early; wait until the file is complete, or get it anew",
                   compression_name(unpacker_compression(input->unpacker)));
}

static SfStatus read_packed(Input *input, char *data, size_t size, size_t *got, SfError *err)
{
    for (;;) {
        SfStatus status = unpacker_run(input->unpacker, &input->next, &input->left, data, size, got, err);
        if (status != SF_EMPTY)
            return status;
        ssize_t n = pread(input->fd, input->packed, PACKED_BYTES, input->offset);
        if (n < 0)
            return sf_fail(err, SF_RETRY, "cannot read on: %s", g_strerror(errno));
        if (n == 0)
            return end_packed(input, err);
        input->next = input->packed;
        input->left = (size_t) n;
        input->offset += n;
    }
}

static SfStatus read_plain(Input *input, char *data, size_t size, size_t *got, SfError *err)
{
    size_t want = (size_t) CLAMP(input->stop - input->offset, 0, (int64_t) size);
    ssize_t n = want > 0 ? pread(input->fd, data, want, input->offset) : 0;
    if (n < 0)
        return sf_fail(err, SF_RETRY, "cannot read on: %s", g_strerror(errno));
    if (n == 0 && want > 0 && input->bounded)
        return sf_fail(err, SF_FATAL, "the file was cut short while it was read");
    if (n == 0)
        return SF_EMPTY;
    input->offset += n;
    *got = (size_t) n;
    return SF_OK;
}

SfStatus input_read(Input *input, char *data, size_t size, size_t *got, SfError *err)
{
    return input->unpacker ? read_packed(input, data, size, got, err) : read_plain(input, data, size, got, err);
}

void input_end_at(Input *input, int64_t size)
{
    if (input->bounded)
        input->stop = size;
}

static SfStatus skip_packed(Input *input, int64_t size, SfError *err)
{
    g_autofree char *passed = g_malloc(PACKED_BYTES);
    while (size > 0) {
        size_t got = 0;
        SfStatus status = read_packed(input, passed, (size_t) MIN(size, PACKED_BYTES), &got, err);
        if (status == SF_EMPTY)
            return SF_OK;
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "'%s'", input->path);
        size -= (int64_t) got;
    }
    return SF_OK;
}

SfStatus input_skip(Input *input, int64_t size, SfError *err)
{
    if (input->unpacker)
        return skip_packed(input, size, err);
    input->offset += size;
    return SF_OK;
}

int64_t input_consumed(const Input *input)
{
    return input->offset - (int64_t) input->left;
}
