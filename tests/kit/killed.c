/* Children that die at fault points; see killed.h. */
#include "killed.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIED 77

static SfHost host; /* of the child, which has one sink */
static const char *fatal_point;
static int passages_left;

static void die_when_due(SfNode *node, const char *point)
{
    (void) node;
    if (fatal_point && strcmp(point, fatal_point) != 0)
        return;
    if (passages_left-- == 0)
        _exit(DIED);
}

void killed_arm(Harness *h, const char *point, int passages)
{
    fatal_point = point;
    passages_left = passages;
    host = *h->node->host;
    host.fault = die_when_due;
    h->node->host = &host;
}

bool killed_run(void (*story)(gpointer data), gpointer data)
{
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        story(data);
        _exit(0);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    g_assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED);
    return WEXITSTATUS(status) == DIED;
}
