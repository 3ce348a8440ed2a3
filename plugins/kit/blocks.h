/* The memory that lines are read into. Files that are read one after the other share a block, so that what a batch
 * keeps alive is about as much as it has; blocks that no batch needs are used again. One thread, but for
 * block_unref(). */
#ifndef KIT_BLOCKS_H
#define KIT_BLOCKS_H

#include <glib.h>
#include <stdbool.h>

enum { BLOCK_BYTES = 1 << 20, BLOCK_LEAST = BLOCK_BYTES / 16 }; /* what is worth a read */

typedef struct Block {
    gint references;   /* atomic */
    GAsyncQueue *home; /* where it goes when nobody needs it; NULL: it is freed */
    size_t size;
    size_t used;
    char data[];
} Block;

typedef struct Blocks Blocks;

Blocks *blocks_new(void);
void blocks_free(Blocks *blocks); /* blocks that are in use stay */

/* A block in which [used - size, used) is a copy of `rest`, which may lie in `old`, with room behind it: BLOCK_LEAST at
 * least, and as much as `size`. Takes the reference to `old` (may be NULL) over, unless there is no memory: NULL. */
Block *blocks_next(Blocks *blocks, Block *old, const char *rest, size_t size);

/* A block with room for so many bytes behind [.., used). NULL: no memory. */
Block *blocks_room(Blocks *blocks, size_t size);

/* A block of its own with a copy of `rest` and nothing behind it, otherwise as blocks_next(). */
Block *blocks_shrink(Block *old, const char *rest, size_t size);

/* Whether it is the one that files share. */
bool blocks_shares(const Blocks *blocks, const Block *block);

Block *block_ref(Block *block);
void block_unref(gpointer block); /* any thread; NULL is nothing */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Blocks, blocks_free)

#endif
