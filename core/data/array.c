/* Nodes of Arrow arrays: one block of memory for the node's own lists, release functions that follow the C data
 * interface. */
#include "array.h"

/* A buffer of size 0 still needs an address for readers that add to it. */
static const gint64 nothing[2];

typedef struct Node {
    SharedColumn *held;
    gpointer owned[ARRAY_OWNED_MAX];
    guint n_owned;
} Node;

static void release_node(struct ArrowArray *array)
{
    Node *node = array->private_data;
    for (gint64 i = 0; i < array->n_children; i++)
        sf_array_done(array->children[i]);
    for (guint i = 0; i < node->n_owned; i++)
        g_free(node->owned[i]);
    shared_column_unref(node->held);
    g_free(node);
    *array = (struct ArrowArray){0};
}

void sf_array_done(struct ArrowArray *array)
{
    if (array && array->release)
        array->release(array);
}

/* Layout of the block: Node, the children's structs, pointers to them, pointers to buffers. */
SharedColumn *shared_column_ref(SharedColumn *column)
{
    g_atomic_int_inc(&column->refs);
    return column;
}

void shared_column_unref(SharedColumn *column)
{
    if (!column || !g_atomic_int_dec_and_test(&column->refs))
        return;
    sf_array_done(&column->array);
    g_free(column);
}

bool array_init(struct ArrowArray *out, gint64 length, gint64 n_buffers, gint64 n_children)
{
    gsize child_size = sizeof(struct ArrowArray) + sizeof(struct ArrowArray *);
    if (n_buffers < 0 || n_children < 0 || n_buffers > G_MAXINT32 || n_children > G_MAXINT32)
        return false;
    gsize size = sizeof(Node) + (gsize) n_children * child_size + (gsize) n_buffers * sizeof(const void *);
    Node *node = g_try_malloc0(size);
    if (!node)
        return false;
    struct ArrowArray *child = (struct ArrowArray *) (node + 1);
    struct ArrowArray **children = (struct ArrowArray **) (child + n_children);
    const void **buffers = (const void **) (children + n_children);
    for (gint64 i = 0; i < n_children; i++)
        children[i] = &child[i];
    for (gint64 i = 1; i < n_buffers; i++)
        buffers[i] = nothing;
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = n_buffers,
                               .n_children = n_children,
                               .buffers = n_buffers > 0 ? buffers : NULL,
                               .children = n_children > 0 ? children : NULL,
                               .release = release_node,
                               .private_data = node};
    return true;
}

void array_own(struct ArrowArray *array, gint64 number, gpointer memory)
{
    Node *node = array->private_data;
    g_assert(node->n_owned < ARRAY_OWNED_MAX && number < array->n_buffers);
    if (!memory)
        return;
    node->owned[node->n_owned++] = memory;
    array->buffers[number] = memory;
}

void array_hold(struct ArrowArray *array, SharedColumn *column)
{
    Node *node = array->private_data;
    g_assert(!node->held);
    node->held = shared_column_ref(column);
}

bool array_share(const struct ArrowArray *array, SharedColumn *column, struct ArrowArray *out)
{
    g_auto(ArrowArray) made = {0};
    if (!array_init(&made, array->length, array->n_buffers, array->n_children))
        return false;
    for (gint64 i = 0; i < array->n_buffers; i++)
        made.buffers[i] = array->buffers[i];
    made.offset = array->offset;
    made.null_count = array->null_count;
    array_hold(&made, column);
    for (gint64 i = 0; i < array->n_children; i++)
        if (!array_share(array->children[i], column, made.children[i]))
            return false;
    array_move(&made, out);
    return true;
}

SfStatus array_no_memory(SfError *err, gint64 length)
{
    return sf_fail(err, SF_FATAL, "out of memory for a column of %" G_GINT64_FORMAT " values", length);
}
