/* Rows to standard output, for people and pipes. At least once: what was printed cannot be taken back. */
#ifndef FILE_SINK_CONSOLE_H
#define FILE_SINK_CONSOLE_H

#include <glib.h>
#include <sf/sf.h>

typedef struct Console {
    GArray *ends; /* how far each chain got */
} Console;

void console_init(Console *console);
void console_done(Console *console);

/* Prints all of it, whole lines. SF_FATAL when nobody reads any more. */
SfStatus console_print(const GString *lines, SfError *err);

void console_add(Console *console, size_t input, const SfBatch *batch);
void console_commit(Console *console, SfNode *node);

#endif
