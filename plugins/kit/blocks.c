/* Blocks of memory, and which of them files are read into; see blocks.h. */
#include "blocks.h"

#include <string.h>

enum { SPARE_BLOCKS = 2 };

struct Blocks {
    GAsyncQueue *spare; /* Block * */
    Block *open;        /* that files share; NULL: none yet */
};

static Block *block_new(size_t size, GAsyncQueue *home)
{
    Block *block = g_try_malloc(sizeof *block + size);
    if (!block)
        return NULL;
    *block = (Block){.references = 1, .size = size, .home = home ? g_async_queue_ref(home) : NULL};
    return block;
}

Block *block_ref(Block *block)
{
    g_atomic_int_inc(&block->references);
    return block;
}

/* The last batch of a block may go anywhere, and later than the source. */
void block_unref(gpointer data)
{
    Block *block = data;
    if (!block || !g_atomic_int_dec_and_test(&block->references))
        return;
    g_autoptr(GAsyncQueue) home = g_steal_pointer(&block->home);
    if (home && g_async_queue_length(home) < SPARE_BLOCKS)
        g_async_queue_push(home, block);
    else
        g_free(block);
}

Blocks *blocks_new(void)
{
    Blocks *blocks = g_new0(Blocks, 1);
    blocks->spare = g_async_queue_new_full(g_free);
    return blocks;
}

void blocks_free(Blocks *blocks)
{
    if (!blocks)
        return;
    block_unref(blocks->open);
    g_async_queue_unref(blocks->spare);
    g_free(blocks);
}

static Block *take_spare(Blocks *blocks)
{
    Block *block = g_async_queue_try_pop(blocks->spare);
    if (!block)
        return block_new(BLOCK_BYTES, blocks->spare);
    block->references = 1;
    block->used = 0;
    block->home = g_async_queue_ref(blocks->spare);
    return block;
}

/* The open block, emptied when no batch has anything of it, or another one when it is full. */
static Block *open_block(Blocks *blocks, const Block *old, size_t size)
{
    Block *open = blocks->open;
    gint ours = open == old ? 2 : 1;
    if (open && g_atomic_int_get(&open->references) == ours)
        open->used = 0;
    if (open && open->size - open->used >= size + BLOCK_LEAST)
        return block_ref(open);
    Block *fresh = take_spare(blocks);
    if (!fresh)
        return NULL;
    block_unref(open);
    blocks->open = fresh;
    return block_ref(fresh);
}

Block *blocks_next(Blocks *blocks, Block *old, const char *rest, size_t size)
{
    Block *block = size > BLOCK_BYTES / 2 ? block_new(size * 2, NULL) : open_block(blocks, old, size);
    if (!block)
        return NULL;
    if (size > 0)
        memmove(block->data + block->used, rest, size);
    block->used += size;
    block_unref(old);
    return block;
}

Block *blocks_room(Blocks *blocks, size_t size)
{
    return size > BLOCK_BYTES / 2 ? block_new(size, NULL) : open_block(blocks, NULL, size);
}

Block *blocks_shrink(Block *old, const char *rest, size_t size)
{
    Block *block = block_new(size, NULL);
    if (!block)
        return NULL;
    memcpy(block->data, rest, size);
    block->used = size;
    block_unref(old);
    return block;
}

bool blocks_shares(const Blocks *blocks, const Block *block)
{
    return block == blocks->open;
}
