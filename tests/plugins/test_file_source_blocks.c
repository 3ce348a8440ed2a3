/* file-source's blocks of memory: which are shared, used again and freed. ASan sees what is used too long. */
#include <string.h>
#include "blocks.h"

/* As a reader does it: the bytes of `text` behind those of the block, of which the last `rest` are kept by the next. */
static Block *put(Blocks *blocks, Block *old, size_t rest, const char *text)
{
    const char *from = old ? old->data + old->used - rest : NULL;
    Block *block = blocks_next(blocks, old, from, rest);
    g_assert_nonnull(block);
    g_assert_cmpuint(block->size - block->used, >=, MAX((size_t) BLOCK_LEAST, rest));
    memcpy(block->data + block->used, text, strlen(text));
    block->used += strlen(text);
    return block;
}

static void test_a_block_that_no_batch_needs_is_used_again(void)
{
    g_autoptr(Blocks) blocks = blocks_new();
    Block *block = put(blocks, NULL, 0, "one\ntw");
    const Block *first = block;
    block = put(blocks, block, 2, "o\n");
    g_assert_true(block == first);
    g_assert_cmpuint(block->used, ==, strlen("two\n"));
    g_assert_cmpint(memcmp(block->data, "two\n", 4), ==, 0);
    g_assert_true(blocks_shares(blocks, block));
    block_unref(block);
}

static void test_files_share_a_block_whose_batches_stay(void)
{
    g_autoptr(Blocks) blocks = blocks_new();
    Block *file = put(blocks, NULL, 0, "one\n");
    Block *batch = block_ref(file);
    Block *other = put(blocks, NULL, 0, "two\n");
    g_assert_true(other == batch);
    g_assert_cmpint(memcmp(batch->data, "one\ntwo\n", 8), ==, 0);
    block_unref(file);
    block_unref(other);
    block_unref(batch);
}

static void test_a_full_block_is_left_to_its_batches(void)
{
    g_autoptr(Blocks) blocks = blocks_new();
    Block *block = put(blocks, NULL, 0, "first\n");
    Block *batch = block_ref(block);
    block->used = block->size - BLOCK_LEAST + 1;
    memcpy(block->data + block->used - 3, "sec", 3);
    block = put(blocks, block, 3, "ond\n");
    g_assert_true(block != batch);
    g_assert_cmpint(memcmp(block->data, "second\n", 7), ==, 0);
    g_assert_cmpint(memcmp(batch->data, "first\n", 6), ==, 0);
    g_assert_false(blocks_shares(blocks, batch));
    Block *spare = batch;
    block_unref(g_steal_pointer(&batch)); /* with it goes what is kept for the next file */
    Block *held = block_ref(block);
    block->used = block->size;
    block = put(blocks, block, 0, "third\n");
    g_assert_true(block == spare);
    block_unref(held);
    block_unref(block);
}

static void test_a_long_line_gets_a_block_of_its_own(void)
{
    g_autoptr(Blocks) blocks = blocks_new();
    Block *block = put(blocks, NULL, 0, "");
    memset(block->data, 'x', block->size);
    block->used = block->size;
    block = put(blocks, block, BLOCK_BYTES, "y");
    g_assert_cmpuint(block->size, ==, 2 * BLOCK_BYTES);
    g_assert_false(blocks_shares(blocks, block));
    g_assert_cmpint(block->data[BLOCK_BYTES - 1], ==, 'x');
    block = blocks_shrink(block, block->data + block->used - 2, 2);
    g_assert_cmpuint(block->size, ==, 2);
    g_assert_cmpint(memcmp(block->data, "xy", 2), ==, 0);
    block = put(blocks, block, 2, "\n");
    g_assert_true(blocks_shares(blocks, block));
    g_assert_cmpint(memcmp(block->data, "xy\n", 3), ==, 0);
    block_unref(block);
}

static gpointer let_go(gpointer block)
{
    block_unref(block);
    return NULL;
}

static void test_batches_may_outlive_the_source(void)
{
    Blocks *blocks = blocks_new();
    Block *file = put(blocks, NULL, 0, "text\n");
    Block *batch = block_ref(file);
    block_unref(file);
    blocks_free(blocks);
    g_assert_cmpint(memcmp(batch->data, "text\n", 5), ==, 0);
    g_thread_join(g_thread_new("sink", let_go, batch));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-source-blocks/a block that no batch needs is used again",
                    test_a_block_that_no_batch_needs_is_used_again);
    g_test_add_func("/file-source-blocks/files share a block whose batches stay",
                    test_files_share_a_block_whose_batches_stay);
    g_test_add_func("/file-source-blocks/a full block is left to its batches",
                    test_a_full_block_is_left_to_its_batches);
    g_test_add_func("/file-source-blocks/a long line gets a block of its own",
                    test_a_long_line_gets_a_block_of_its_own);
    g_test_add_func("/file-source-blocks/batches may outlive the source", test_batches_may_outlive_the_source);
    return g_test_run();
}
