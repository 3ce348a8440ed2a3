/* Where a thread is: what is said of it in a crash or a hang, word for word. */
#include "config/hook.h"

#include <string.h>

static const SfNode node = {.pipeline = "sales", .step = "gold"};
static const SfNode other = {.pipeline = "others", .step = "copy"};

static void assert_described(const char *wanted)
{
    char text[300] = "untouched";
    g_assert_cmpint(hook_describe(text, sizeof text), ==, wanted != NULL);
    g_assert_cmpstr(text, ==, wanted ? wanted : "untouched");
}

static void test_hooks_nest(void)
{
    const SfSplit split = {.name = "events/0"};
    const SfBatch rows = {.split = &split, .start = 100, .end = 200}, loose = {.start = 1, .end = 2};
    assert_described(NULL);
    Hook none = hook_enter(&node, "gold-sink", "open", NULL);
    assert_described("plugin 'gold-sink', step 'gold' of pipeline 'sales', hook open");
    Hook open = hook_enter(&other, "copy-sink", "write", &rows);
    assert_described("plugin 'copy-sink', step 'copy' of pipeline 'others', hook write, events/0 from 100 to 200");
    hook_leave(&open);
    assert_described("plugin 'gold-sink', step 'gold' of pipeline 'sales', hook open");
    hook_leave(&none);
    assert_described(NULL);
    none = hook_enter(&other, "copy-sink", "write", &loose);
    assert_described("plugin 'copy-sink', step 'copy' of pipeline 'others', hook write");
    hook_leave(&none);
}

/* The text is cut where the room ends, wherever that is. */
static void test_room_is_kept(void)
{
    const SfSplit split = {.name = "events/0"};
    const SfBatch rows = {.split = &split, .start = 100, .end = 200};
    char whole[300];
    Hook none = hook_enter(&node, "gold-sink", "write", &rows);
    g_assert_true(hook_describe(whole, sizeof whole));
    for (gsize size = 1; size <= strlen(whole) + 1; size++) {
        g_autofree char *part = g_malloc(size);
        g_autofree char *wanted = g_strndup(whole, size - 1);
        g_assert_true(hook_describe(part, size));
        g_assert_cmpstr(part, ==, wanted);
    }
    hook_leave(&none);
}

typedef struct Thread {
    const SfNode *node;
    const char *plugin;
    bool waits;
    GMutex lock;
    GCond changed;
    bool inside, leave;
    GThread *thread;
} Thread;

static gpointer stay_inside(gpointer data)
{
    Thread *thread = data;
    Hook before = hook_enter(thread->node, thread->plugin, "commit", NULL);
    if (thread->waits)
        hook_wait(true);
    g_mutex_lock(&thread->lock);
    thread->inside = true;
    g_cond_signal(&thread->changed);
    while (!thread->leave)
        g_cond_wait(&thread->changed, &thread->lock);
    g_mutex_unlock(&thread->lock);
    hook_leave(&before);
    return NULL;
}

static void thread_enter(Thread *thread)
{
    g_mutex_init(&thread->lock);
    g_cond_init(&thread->changed);
    thread->thread = g_thread_new("inside", stay_inside, thread);
    g_mutex_lock(&thread->lock);
    while (!thread->inside)
        g_cond_wait(&thread->changed, &thread->lock);
    g_mutex_unlock(&thread->lock);
    for (gint64 now = g_get_monotonic_time(); g_get_monotonic_time() == now;)
        g_usleep(1); /* the next one is later */
}

static void thread_leave(Thread *thread)
{
    g_mutex_lock(&thread->lock);
    thread->leave = true;
    g_cond_signal(&thread->changed);
    g_mutex_unlock(&thread->lock);
    g_thread_join(thread->thread);
    g_mutex_clear(&thread->lock);
    g_cond_clear(&thread->changed);
}

static void assert_longest(const char *pipeline, const char *plugin)
{
    Hook hook = {0};
    g_assert_cmpint(hook_longest(pipeline, &hook), ==, plugin != NULL);
    g_assert_cmpstr(hook.plugin, ==, plugin);
}

/* Of a pipeline's threads the one that has been in its plugin for the longest; one that waits for the host is not. */
static void test_longest(void)
{
    Thread elsewhere = {.node = &other, .plugin = "other"},
           waiting = {.node = &node, .plugin = "waiting", .waits = true};
    Thread first = {.node = &node, .plugin = "first"}, second = {.node = &node, .plugin = "second"};
    assert_longest("sales", NULL);
    thread_enter(&elsewhere);
    thread_enter(&waiting);
    assert_longest("sales", NULL);
    thread_enter(&first);
    thread_enter(&second);
    assert_longest("sales", "first");
    assert_longest("others", "other");
    thread_leave(&first);
    assert_longest("sales", "second");
    thread_leave(&second);
    assert_longest("sales", NULL);
    thread_leave(&waiting);
    thread_leave(&elsewhere);
    assert_longest("others", NULL);
}

/* What waited is in its plugin again, from then on. */
static void test_wait_is_over(void)
{
    Hook hook = {0};
    Hook none = hook_enter(&node, "gold-sink", "commit", NULL);
    g_assert_true(hook_longest("sales", &hook));
    gint64 entered = hook.since_us;
    hook_wait(true);
    g_assert_false(hook_longest("sales", &hook));
    while (g_get_monotonic_time() == entered)
        g_usleep(1);
    hook_wait(false);
    g_assert_true(hook_longest("sales", &hook));
    g_assert_cmpint(hook.since_us, >, entered);
    g_assert_cmpstr(hook.name, ==, "commit");
    hook_leave(&none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hook/hooks-nest", test_hooks_nest);
    g_test_add_func("/hook/room-is-kept", test_room_is_kept);
    g_test_add_func("/hook/longest", test_longest);
    g_test_add_func("/hook/wait-is-over", test_wait_is_over);
    return g_test_run();
}
