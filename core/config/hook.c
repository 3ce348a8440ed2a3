/* A slot a thread, in a table that other threads can read. */
#include "hook.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MOST_THREADS 1024 /* of plugins; what is beyond is not named */
#define STACK_BYTES (64 << 10)

typedef struct Slot {
    Hook hook;
    gpointer stack; /* for signal handlers: they need another where this one has overflowed */
} Slot;

static Slot *slots[MOST_THREADS];
static GMutex slots_lock;

static void take_stack(Slot *slot)
{
    stack_t now = {0};
    if (slot->stack || sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
        return;
    slot->stack = g_malloc(STACK_BYTES);
    sigaltstack(&(stack_t){.ss_sp = slot->stack, .ss_size = STACK_BYTES}, NULL);
}

/* The thread ends. */
static void drop_slot(gpointer data)
{
    Slot *slot = data;
    g_mutex_lock(&slots_lock);
    for (guint i = 0; i < MOST_THREADS; i++)
        if (slots[i] == slot)
            slots[i] = NULL;
    g_mutex_unlock(&slots_lock);
    if (slot->stack)
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    g_free(slot->stack);
    g_free(slot);
}

static GPrivate own_slot = G_PRIVATE_INIT(drop_slot);

static Slot *slot_of_thread(void)
{
    Slot *slot = g_private_get(&own_slot);
    if (slot)
        return slot;
    slot = g_new0(Slot, 1);
    g_private_set(&own_slot, slot);
    take_stack(slot);
    g_mutex_lock(&slots_lock);
    for (guint i = 0; i < MOST_THREADS; i++) {
        if (!slots[i]) {
            slots[i] = slot;
            break;
        }
    }
    g_mutex_unlock(&slots_lock);
    return slot;
}

/* A reader sees all of it or nothing. */
static void hook_put(Slot *slot, const Hook *hook)
{
    g_mutex_lock(&slots_lock);
    slot->hook = *hook;
    g_mutex_unlock(&slots_lock);
}

Hook hook_enter(const SfNode *node, const char *plugin, const char *name, const SfBatch *batch)
{
    Slot *slot = slot_of_thread();
    Hook before = slot->hook;
    hook_put(slot,
             &(Hook){.node = node, .plugin = plugin, .name = name, .batch = batch, .since_us = g_get_monotonic_time()});
    return before;
}

void hook_leave(const Hook *before)
{
    hook_put(slot_of_thread(), before);
}

void hook_wait(bool waits)
{
    Slot *slot = slot_of_thread();
    Hook hook = slot->hook;
    hook.waits = waits;
    hook.since_us = g_get_monotonic_time();
    hook_put(slot, &hook);
}

bool hook_describe(char *out, size_t size)
{
    const Slot *slot = g_private_get(&own_slot);
    if (!slot || !slot->hook.node)
        return false;
    const Hook *hook = &slot->hook;
    int used = snprintf(out, size, "plugin '%s', step '%s' of pipeline '%s', hook %s", hook->plugin, hook->node->step,
                        hook->node->pipeline, hook->name);
    if (hook->batch && hook->batch->split && used > 0 && (size_t) used < size)
        snprintf(out + used, size - (size_t) used, ", %s from %" PRId64 " to %" PRId64, hook->batch->split->name,
                 hook->batch->start, hook->batch->end);
    return true;
}

bool hook_longest(const char *pipeline, Hook *out)
{
    bool found = false;
    g_mutex_lock(&slots_lock);
    for (guint i = 0; i < MOST_THREADS; i++) {
        const Hook *hook = slots[i] ? &slots[i]->hook : NULL;
        if (!hook || !hook->node || hook->waits || strcmp(hook->node->pipeline, pipeline) != 0)
            continue;
        if (!found || hook->since_us < out->since_us)
            *out = *hook;
        found = true;
    }
    g_mutex_unlock(&slots_lock);
    return found;
}
