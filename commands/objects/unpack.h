/* Objects as they come, piece by piece, gzip (RFC 1952) and zstd (RFC 8878) unpacked. What they are, their first bytes
 * tell: names are for people. */
#ifndef COMMANDS_OBJECTS_UNPACK_H
#define COMMANDS_OBJECTS_UNPACK_H

#include <glib.h>
#include <sf/sf.h>

typedef struct Unpack Unpack;

/* Takes what comes out; false: it has enough. */
typedef bool (*UnpackOut)(gpointer user, const char *data, size_t size);

/* raw: nothing is unpacked. */
Unpack *unpack_new(bool raw, UnpackOut out, gpointer user);
void unpack_free(Unpack *unpack);

/* The next bytes. SF_END: `out` has enough. SF_FATAL: they are damaged. */
SfStatus unpack_add(Unpack *unpack, const char *data, size_t size, SfError *err);

/* After the last of them: SF_FATAL where they end too early. */
SfStatus unpack_end(Unpack *unpack, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Unpack, unpack_free)

#endif
