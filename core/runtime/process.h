/* What every program of ours sees to before anything else. */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include "private.h"

/* First act of main(): descriptors 0 to 2 are taken, so that no file of ours gets one of these numbers and the log with
 * it; GLib's messages go to our log, its fatal ones (memory or threads that are not to be had) end the process by exit
 * status 1, as a library's abort does; a file that gets too large (SIGXFSZ) is an error of its write; the limit of open
 * files is raised to what the user may have; no memory goes into a core dump. With SF_CORE_DUMPS=1 an abort leaves a
 * dump, with the memory. */
SF_PRIVATE void process_begin(void);

#endif
