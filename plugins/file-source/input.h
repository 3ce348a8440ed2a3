/* A file's bytes, read in order: as they are, or out of gzip (RFC 1952) and zstd (RFC 8878). */
#ifndef FILE_SOURCE_INPUT_H
#define FILE_SOURCE_INPUT_H

#include <glib.h>
#include <sys/stat.h>
#include <sf/sf.h>

typedef struct Input Input;

/* SF_CONFIG when it is not a regular file, or packed in a way that is not read; SF_EMPTY when it is not there.
 * `bounded`: a plain file ends at its size of now, and a packed one must be whole. */
SfStatus input_open(const char *path, bool bounded, Input **out, SfError *err);
void input_free(Input *input);

SfStatus input_stat(const Input *input, struct stat *out, SfError *err);

/* Up to `size` bytes more, > 0 in *got. SF_EMPTY: none for now, or at all when it is bounded. SF_FATAL: the file was
 * cut short, or what is packed is damaged. */
SfStatus input_read(Input *input, char *data, size_t size, size_t *got, SfError *err);

/* A plain file that is bounded ends there, and not where it ended when it was opened. */
void input_end_at(Input *input, int64_t size);

/* Passes over so many bytes, of which the file may have fewer. */
SfStatus input_skip(Input *input, int64_t size, SfError *err);

/* Bytes of the file on disk that have been read: a file that is smaller was cut short. */
int64_t input_consumed(const Input *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Input, input_free)

#endif
