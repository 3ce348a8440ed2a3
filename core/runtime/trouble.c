/* The last word on why a step is being retried; see trouble.h. */
#include "trouble.h"

#include "data/printable.h"

void trouble_init(Trouble *trouble)
{
    g_mutex_init(&trouble->lock);
    trouble->text = NULL;
}

void trouble_done(Trouble *trouble)
{
    g_free(trouble->text);
    g_mutex_clear(&trouble->lock);
}

void trouble_set(Trouble *trouble, const char *message)
{
    g_mutex_lock(&trouble->lock);
    g_free(trouble->text);
    trouble->text = message ? message_line(message) : NULL;
    g_mutex_unlock(&trouble->lock);
}

char *trouble_get(Trouble *trouble)
{
    g_mutex_lock(&trouble->lock);
    char *text = g_strdup(trouble->text);
    g_mutex_unlock(&trouble->lock);
    return text;
}
