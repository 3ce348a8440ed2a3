/* Rows to standard output, for people and pipes. At least once: what was printed cannot be taken back. */
#ifndef FILE_SINK_CONSOLE_H
#define FILE_SINK_CONSOLE_H

#include <glib.h>
#include <sf/sf.h>

/* Prints all of it, whole lines. SF_FATAL when nobody reads any more. */
SfStatus console_print(const GString *lines, SfError *err);

#endif
