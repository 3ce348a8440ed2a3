/* Opens files, and tells by their first bytes how they are packed: a name says it to people only. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { MAGIC_BYTES = 6, GZIP_BUFFER = 128 << 10 };

struct Input {
    char *path;
    int fd;
    gzFile gzip;    /* NULL: plain */
    int64_t offset; /* of a plain file */
    int64_t stop;   /* likewise; INT64_MAX: follows its growth */
    bool bounded;
};

typedef struct Packing {
    const char *magic;
    size_t size;
    const char *problem; /* NULL: gzip, which is read */
} Packing;

static const Packing packings[] = {
    {"\x1F\x8B", 2, NULL},
    {"\x28\xB5\x2F\xFD", 4, "packed by zstd; unpack it, or pack it by gzip"},
    {"\xFD\x37zXZ\x00", 6, "packed by xz; unpack it, or pack it by gzip"},
    {"BZh", 3, "packed by bzip2; unpack it, or pack it by gzip"},
    {"\x04\x22\x4D\x18", 4, "packed by lz4; unpack it, or pack it by gzip"},
    {"PK\x03\x04", 4, "a zip archive; unpack it, or pack each file by gzip"},
    {"PAR1", 4, "a Parquet file, which has no lines"},
    {"\xFF\xFE", 2, "UTF-16 or UTF-32; convert it to UTF-8 (iconv)"},
    {"\xFE\xFF", 2, "UTF-16; convert it to UTF-8 (iconv)"},
};

static const Packing *find_packing(int fd)
{
    char magic[MAGIC_BYTES];
    ssize_t size = pread(fd, magic, sizeof magic, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(packings); i++)
        if (size >= (ssize_t) packings[i].size && memcmp(magic, packings[i].magic, packings[i].size) == 0)
            return &packings[i];
    return NULL;
}

void input_free(Input *input)
{
    if (!input)
        return;
    if (input->gzip)
        gzclose_r(input->gzip);
    if (input->fd >= 0)
        close(input->fd);
    g_free(input->path);
    g_free(input);
}

static SfStatus open_gzip(Input *input, SfError *err)
{
    int fd = fcntl(input->fd, F_DUPFD_CLOEXEC, 0); /* gzclose closes it */
    input->gzip = fd >= 0 ? gzdopen(fd, "rb") : NULL;
    if (!input->gzip && fd >= 0)
        close(fd);
    if (!input->gzip)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", input->path, g_strerror(errno ? errno : ENOMEM));
    gzbuffer(input->gzip, GZIP_BUFFER);
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
    const Packing *packing = find_packing(input->fd);
    if (packing && packing->problem)
        return sf_fail(err, SF_CONFIG, "'%s' is %s", path, packing->problem);
    if (packing)
        SF_TRY(open_gzip(input, err));
    else
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

/* A member that ends early is still being written, where the file is followed (zlib.h, gzclearerr). */
static SfStatus read_gzip(Input *input, char *data, size_t size, size_t *got, SfError *err)
{
    int problem = Z_OK;
    int n = gzread(input->gzip, data, (unsigned) MIN(size, (size_t) 1 << 30));
    const char *text = gzerror(input->gzip, &problem);
    if (n > 0) {
        *got = (size_t) n;
        return SF_OK;
    }
    if (problem == Z_ERRNO)
        return sf_fail(err, SF_RETRY, "cannot read on: %s", g_strerror(errno));
    if (problem != Z_OK && problem != Z_BUF_ERROR) {
        const char *colon = strstr(text, ": "); /* behind "<fd:5>" */
        return sf_fail(err, SF_FATAL, "the gzip data is damaged (%s)", colon ? colon + 2 : text);
    }
    if (problem == Z_BUF_ERROR && input->bounded)
        return sf_fail(err, SF_FATAL, "the gzip data ends too early; wait until the file is complete, or get it anew");
    gzclearerr(input->gzip);
    return SF_EMPTY;
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
    return input->gzip ? read_gzip(input, data, size, got, err) : read_plain(input, data, size, got, err);
}

void input_end_at(Input *input, int64_t size)
{
    if (input->bounded)
        input->stop = size;
}

SfStatus input_skip(Input *input, int64_t size, SfError *err)
{
    if (input->gzip && gzseek(input->gzip, size, SEEK_CUR) < 0)
        return sf_fail(err, SF_FATAL, "'%s': the gzip data is damaged", input->path);
    input->offset += size;
    return SF_OK;
}

int64_t input_consumed(const Input *input)
{
    return input->gzip ? gzoffset(input->gzip) : input->offset;
}
