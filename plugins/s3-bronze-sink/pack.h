/* A gzip file in the making. Internal to the bronze sink. */
#ifndef BRONZE_PACK_H
#define BRONZE_PACK_H

#include <glib.h>
#include <stdbool.h>

typedef struct Pack Pack;

/* NULL: no memory. */
Pack *pack_new(int level);
void pack_free(Pack *pack);

/* Appends. false: no memory, and the file cannot be gone on with. */
bool pack_add(Pack *pack, const char *data, size_t size);

/* What there is of the file by now, and is not dropped yet: borrowed until the next call. */
const char *pack_data(const Pack *pack, size_t *size);
/* Somebody else has the first bytes of it. */
void pack_drop(Pack *pack, size_t size);

/* The file up to its end, without what was dropped, or NULL: no memory. */
GBytes *pack_end(Pack *pack);

/* Bytes of memory that it holds. */
size_t pack_held(const Pack *pack);

#endif
