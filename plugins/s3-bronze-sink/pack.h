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

/* The whole file, or NULL: no memory. */
GBytes *pack_end(Pack *pack);

/* Bytes of memory that it holds. */
size_t pack_held(const Pack *pack);

#endif
